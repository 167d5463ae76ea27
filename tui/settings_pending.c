/*
 * settings_pending.c - settings that are edited in the list and wait, to be changed in one step: shown as the
 * difference of the file first, and taken back by one undo.
 *
 * They live in the console alone: nothing of them is sent before A.
 */
#include <stdlib.h>
#include <string.h>

#include "tui/console.h"
#include "tui/params.h"

static struct span
key_here(struct screen *s, struct span *value)
{
	const struct json *row = NULL;
	struct span key;

	*value = SPAN("");
	if (!screen_panel(s)->row || !screen_panel(s)->row(s, &row, &key))
		return SPAN("");
	*value = json_text(json_find(row, SPAN("value")));
	return json_text(json_find(row, SPAN("key")));
}

static size_t
place_of(const struct console *c, struct span key)
{
	size_t i = 0;

	while (i < c->pending_count && !span_eq(span_of(c->pending[i].key), key))
		i++;
	return i;
}

static char *
text_copy(struct span text)
{
	char *copy = strndup(text.ptr ? text.ptr : "", text.len);

	ENSURE(copy);
	return copy;
}

static void
typed(struct screen *s, struct span value)
{
	struct console *c = s->console;
	struct span old, key = key_here(s, &old);
	size_t at = place_of(c, key);

	if (key.len == 0)
		return;
	if (at == CONSOLE_PENDING) {
		console_say(c, STYLE_WARNING, "~ %d settings wait: change these first (A)",
			CONSOLE_PENDING);
		return;
	}
	if (at == c->pending_count)
		c->pending[c->pending_count++].key = text_copy(key);
	else
		free(c->pending[at].value);
	c->pending[at].value = text_copy(span_trim(value));
	console_say(c, STYLE_OK, "%zu setting%s wait%s: A shows what the file would become, R drops them",
		c->pending_count, c->pending_count == 1 ? "" : "s",
		c->pending_count == 1 ? "s" : "");
}

void
settings_pending_edit(struct screen *s)
{
	struct console *c = s->console;
	struct span value, key = key_here(s, &value);
	size_t at = place_of(c, key);

	if (key.len == 0)
		return;
	if (at < c->pending_count)
		value = span_of(c->pending[at].value);
	console_ask(c, "new value (empty: the default)", value, NULL, typed);
}

void
settings_pending_apply(struct screen *s)
{
	struct console *c = s->console;
	struct params p;

	if (c->pending_count == 0) {
		console_say(c, STYLE_DIM, "no setting waits; E edits one in place");
		return;
	}
	params_begin(&p);
	json_put_name(&p.w, SPAN("keys"));
	json_put_object(&p.w);
	for (size_t i = 0; i < c->pending_count; i++)
		json_put_member_string(
			&p.w, span_of(c->pending[i].key), span_of(c->pending[i].value));
	json_put_close(&p.w);
	params_do(&p, c, "config.change");
}

void
settings_pending_fini(struct console *c)
{
	while (c->pending_count > 0) {
		c->pending_count--;
		explicit_bzero(c->pending[c->pending_count].value,
			strlen(c->pending[c->pending_count].value));
		free(c->pending[c->pending_count].key);
		free(c->pending[c->pending_count].value);
	}
}

void
settings_pending_drop(struct screen *s)
{
	console_say(s->console, STYLE_DIM, "%zu dropped; the file is as it was",
		s->console->pending_count);
	settings_pending_fini(s->console);
}

void
settings_pending_done(struct console *c, const struct control_method *method)
{
	if (method->id == CONTROL_config_change)
		settings_pending_fini(c);
}

void
settings_pending_title(struct screen *s, struct buf *out)
{
	const struct console *c = s->console;

	for (size_t i = 0; i < c->pending_count && i < 3; i++) {
		print_put(out, i ? SPAN(", ") : SPAN("WAITING: "));
		print_put(out, span_of(c->pending[i].key));
	}
	if (c->pending_count > 3)
		out->overflow |= buf_printf(out, " +%zu", c->pending_count - 3) != OK;
	if (c->pending_count > 0)
		print_put(out, SPAN("   "));
}
