/*
 * export.c - see export.h. A table is asked for in pages of the method itself, so nothing of it is held.
 */
#include "tui/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/named_file.h"
#include "tui/table_panel.h"

#define EXPORT_PAGE "1000"
#define CLIP_MAX 65536 /* bytes that a terminal is given */

struct export {
	struct console *console;
	struct screen *screen;
	const struct control_method *method;
	struct buf params; /* without its end */
	char path[CONSOLE_TEXT_MAX];
	uint64_t rows;
	int fd;
	bool json;
};

bool
export_copy(struct console *c)
{
	struct screen *s = console_screen(c);
	struct buf text;

	if (!screen_panel(s)->copy)
		return false;
	buf_init(&text, CLIP_MAX);
	screen_panel(s)->copy(s, &text);
	buf_clear(&c->clip);
	if (text.overflow || buf_span(&text).len == 0 || buf_put(&c->clip, buf_span(&text)) != OK)
		console_say(c, STYLE_WARNING, "there is nothing here to copy");
	else
		console_say(c, STYLE_DIM, "copied %zu bytes, where the terminal takes them",
			buf_span(&text).len);
	buf_fini(&text);
	return true;
}

void
export_end(struct console *c)
{
	struct export *e = c->export;

	if (!e)
		return;
	c->export = NULL;
	server_link_forget(&c->link, e);
	buf_fini(&e->params);
	close(e->fd);
	free(e);
}

void
export_of_screen(struct screen *screen)
{
	if (screen->console->export && screen->console->export->screen == screen)
		export_end(screen->console);
}

static void
fail(struct export *e, const char *why)
{
	console_say(e->console, STYLE_ERROR, "! %s: %s (%llu rows are in it)", e->path, why,
		(unsigned long long)e->rows);
	export_end(e->console);
}

static bool
write_text(struct export *e, struct span text)
{
	if (print_to_fd(e->fd, text) == OK)
		return true;
	fail(e, strerror(errno));
	return false;
}

static void
done(struct export *e)
{
	console_say(e->console, STYLE_OK, "%llu rows are in %s", (unsigned long long)e->rows, e->path);
	export_end(e->console);
}

/* ---- a table, page by page ---- */

static bool ask_page(struct export *e, struct span after);

static bool
write_rows(struct export *e, const struct json *rows)
{
	struct buf text;
	bool well;

	buf_init(&text, PRINT_MAX);
	if (e->json)
		print_json_rows(&text, rows, NULL);
	for (const struct json *row = e->json ? NULL : rows->first; row; row = row->next) {
		table_put_row(e->screen, row, &text);
		print_put(&text, SPAN("\n"));
	}
	e->rows += rows->count;
	well = write_text(e, buf_span(&text));
	buf_fini(&text);
	return well;
}

static void
page_came(void *owner, struct link_reply *reply)
{
	struct export *e = owner;
	const struct json *rows = json_find(reply->result, SPAN("rows"));
	struct span next = json_text(json_find(reply->result, SPAN("next")));
	struct arena a;

	if (!rows) {
		arena_init(&a, NULL);
		fail(e, reply->error ? arena_text(&a, reply->error->why) : "no rows came");
		arena_reset(&a);
		return;
	}
	if (!write_rows(e, rows))
		return;
	if (next.len == 0)
		done(e);
	else if (!ask_page(e, next))
		fail(e, "no server answers");
}

static bool
ask_page(struct export *e, struct span after)
{
	struct json_writer w;
	struct buf params;
	bool sent = false;

	buf_init(&params, CONTROL_LINE_MAX);
	print_put(&params, buf_span(&e->params));
	print_put(&params, SPAN("\"limit\":" EXPORT_PAGE));
	if (after.len > 0) {
		print_put(&params, SPAN(",\"after\":"));
		json_writer_init(&w, &params);
		json_put_string(&w, after);
		params.overflow |= json_writer_end(&w) != OK;
	}
	print_put(&params, SPAN("}"));
	if (!params.overflow)
		sent = server_link_call(&e->console->link, e->method->method, buf_span(&params),
			       page_came, e) != 0;
	buf_fini(&params);
	return sent;
}

static void
export_table(struct export *e)
{
	struct buf heads;

	buf_init(&heads, PRINT_MAX);
	for (const struct column *col = e->screen->class->columns; col->title && !e->json; col++) {
		print_put(&heads, span_of(col->title));
		print_put(&heads, col[1].title ? SPAN("\t") : SPAN("\n"));
	}
	if (!write_text(e, buf_span(&heads))) {
		buf_fini(&heads);
		return;
	}
	buf_fini(&heads);
	if (!table_put_call(e->screen, &e->params) || !ask_page(e, SPAN("")))
		fail(e, "no server answers");
}

/* ---- the file ---- */

static void
export_text(struct export *e)
{
	struct buf text;

	buf_init(&text, PRINT_MAX);
	screen_panel(e->screen)->whole(e->screen, &text);
	if (write_text(e, buf_span(&text))) {
		console_say(e->console, STYLE_OK, "%zu bytes are in %s", buf_span(&text).len, e->path);
		export_end(e->console);
	}
	buf_fini(&text);
}

static void
path_typed(struct screen *s, struct span path)
{
	struct console *c = s->console;
	struct export *e;
	char text[CONSOLE_TEXT_MAX];
	int fd;

	path = span_trim(path);
	if (path.len == 0 || path.len >= sizeof(text))
		return;
	snprintf(text, sizeof(text), "%.*s", SPAN_FMT(path));
	fd = named_file_open(text, true);
	if (fd < 0) {
		console_say(c, STYLE_ERROR, "! %s: %s", text,
			named_file_why(errno));
		return;
	}
	export_end(c); /* one at a time */
	e = calloc(1, sizeof(*e));
	ENSURE(e);
	*e = (struct export){ .console = c, .screen = s, .method = s->method, .fd = fd,
		.json = span_ends_nocase(path, SPAN(".json")) };
	snprintf(e->path, sizeof(e->path), "%s", text);
	buf_init(&e->params, CONTROL_LINE_MAX);
	c->export = e;
	if (screen_panel(s)->whole)
		export_text(e);
	else
		export_table(e);
}

bool
export_ask(struct console *c)
{
	struct screen *s = console_screen(c);
	char name[CONSOLE_TEXT_MAX];

	if (!screen_panel(s)->whole && screen_panel(s) != &table_panel)
		return false;
	snprintf(name, sizeof(name), "~/postroom-%s.%s", s->class->name,
		screen_panel(s)->whole ? "txt" : "tsv");
	console_ask(c, "export to", span_of(name), NULL, path_typed);
	return true;
}
