/*
 * console_act.c - doing what a key says: at once, or after a preview, by the guard of the method.
 *
 *   G0  the answer is shown          G2  a preview, y applies it
 *   G1  at once; u takes it back     G3  a preview, the number is typed
 */
#include <stdlib.h>
#include <string.h>

#include "tui/form_panel.h"
#include "tui/params.h"
#include "tui/table_panel.h"
#include "tui/text_panel.h"

/* One request of a person that is under way; answered exactly once, then freed. */
struct pending {
	struct list link; /* in console.acts */
	struct console *console;
	const struct control_method *method;
	bool at_once; /* a preview that only pins: apply it */
	bool undo;
};

static struct pending *
pending_new(struct console *c, const struct control_method *method)
{
	struct pending *p = calloc(1, sizeof(*p));

	ENSURE(p);
	p->console = c;
	p->method = method;
	list_append(&c->acts, &p->link);
	return p;
}

static void
pending_free(struct pending *p)
{
	if (p)
		list_remove(&p->link);
	free(p);
}

void
console_acts_fini(struct console *c)
{
	struct list *at, *following;

	list_for_each (at, following, &c->acts)
		pending_free(LIST_ITEM(at, struct pending, link));
}

const struct key_action *
console_action(const struct screen *s, size_t i)
{
	const struct key_action *keys = s->class->keys;

	return keys && keys[i].label ? &keys[i] : NULL;
}

bool
console_action_allowed(const struct console *c, const struct key_action *action)
{
	const char *method = action->method;

	if (!method && action->open)
		method = action->open->method;
	return !method || screen_may(c, method);
}

/* ---- answers ---- */

static void
say_skipped(struct console *c, const struct json *skipped)
{
	const struct json *first = skipped->first;
	char before[2 * CONSOLE_TEXT_MAX];

	memcpy(before, c->toast, sizeof(before));
	console_say(c, STYLE_WARNING, "%s  ~ %zu skipped: %.*s %.*s", before, skipped->count,
		SPAN_FMT(json_text(json_find(first, SPAN("key")))),
		SPAN_FMT(json_text(json_find(first, SPAN("why")))));
}

void
console_tell_done(struct console *c, const struct control_method *method, const struct json *done)
{
	const struct json *skipped = json_find(done, SPAN("skipped"));
	struct span note = json_text(json_find(done, SPAN("note")));
	bool undo = json_text(json_find(done, SPAN("undo"))).len > 0;
	uint64_t count = 0;

	count = json_number_or(json_find(done, SPAN("done")), count);
	if (note.len > 0)
		console_say(c, STYLE_OK, "%.*s%s", SPAN_FMT(note), undo ? "   u takes it back" : "");
	else
		console_say(c, STYLE_OK, "%s: %llu done%s", method->words, (unsigned long long)count,
			undo ? "   u takes it back" : "");
	if (skipped && skipped->count > 0)
		say_skipped(c, skipped);
	if (json_text(json_find(done, SPAN("secret"))).len > 0)
		console_show_answer(c, method, done);
}

void
console_show_answer(struct console *c, const struct control_method *method, const struct json *result)
{
	struct print_style style = c->style;
	struct buf text;

	style.width -= style.width > 2 ? 2 : 0; /* a text has a margin */
	buf_init(&text, PRINT_MAX);
	print_reply(&text, method, result, NULL, false, &style);
	text_panel_show(c, span_of(method->words), buf_span(&text));
	buf_fini(&text);
}

static void
keep_redo(struct console *c, const struct json *result, bool undo)
{
	struct span id = json_text(json_find(result, SPAN("undo")));

	c->redo[0] = '\0';
	if (undo && id.len < sizeof(c->redo))
		memcpy(c->redo, id.ptr, id.len + 1);
}

static void
answered(void *owner, struct link_reply *reply)
{
	struct pending *p = owner;
	struct console *c = p->console;

	if (reply->error) {
		console_say_error(c, reply->error);
	} else if (p->method->reply == CONTROL_REPLY_DONE) {
		console_tell_done(c, p->method, reply->result);
		settings_pending_done(c, p->method);
		keep_redo(c, reply->result, p->undo);
		table_renew(console_screen(c));
	} else {
		console_show_answer(c, p->method, reply->result);
	}
	c->dirty = true;
	pending_free(p);
}

void
console_apply(struct console *c, const struct control_method *method, struct span token,
	struct span word, link_done *done, void *owner)
{
	struct pending *waits = done ? NULL : pending_new(c, method);
	struct params p;

	if (waits)
		waits->undo = method->id == CONTROL_undo_apply;
	params_begin(&p);
	json_put_member_string(&p.w, SPAN("token"), token);
	if (word.len > 0)
		json_put_member_string(&p.w, SPAN("word"), word);
	if (!params_send(&p, &c->link, "apply", waits ? answered : done, waits ? (void *)waits : owner)) {
		console_say(c, STYLE_ERROR, "! no server answers: nothing was done");
		pending_free(waits);
	}
}

/* What apply answers is the DONE of the method that was previewed. */
static void
previewed(void *owner, struct link_reply *reply)
{
	struct pending *p = owner;
	struct console *c = p->console;

	if (reply->error)
		console_say_error(c, reply->error);
	else if (p->at_once)
		console_apply(c, p->method, json_text(json_find(reply->result, SPAN("token"))),
			SPAN(""), NULL, NULL);
	else
		confirm_open(c, p->method, reply, NULL, NULL);
	c->dirty = true;
	pending_free(p);
}

/* FD goes along; -1: none. */
static bool
send(struct console *c, const char *method, struct span params, int fd, link_done *done, void *owner)
{
	uint64_t id = fd < 0 ? server_link_call(&c->link, method, params, done, owner) :
			       server_link_call_file(&c->link, method, params, fd, done, owner);

	if (id != 0)
		return true;
	console_say(c, STYLE_ERROR, "! no server answers: nothing was done");
	return false;
}

static bool
preview(struct console *c, const struct control_method *method, struct span params,
	const struct selection *sel, const struct act_values *told)
{
	struct params p;
	bool sent = false;

	params_begin(&p);
	json_put_member_string(&p.w, SPAN("method"), span_of(method->method));
	json_put_name(&p.w, SPAN("params"));
	json_put_raw(&p.w, params);
	if (sel->all && sel->filter.len > 0)
		json_put_member_string(&p.w, SPAN("filter"), sel->filter);
	else if (sel->all)
		json_put_member_bool(&p.w, SPAN("all"), true);
	if (params_end(&p) == OK)
		sent = send(c, "preview", buf_span(&p.text), told->fd, told->previewed, told->owner);
	else
		console_say(c, STYLE_ERROR, "! too much at once: mark fewer");
	params_fini(&p);
	return sent;
}

/* ---- acting ---- */

static bool
cell_is(const struct json *row, const char *field, const char *value)
{
	const struct json *cell = json_find(row, span_of(field));

	if (json_is(cell, JSON_BOOL))
		return cell->truth == (strcmp(value, "true") == 0);
	return span_eq(json_text(cell), span_of(value));
}

static const struct control_method *
method_for(struct screen *s, const struct key_action *action)
{
	const struct json *row = NULL;
	struct span key;

	if (action->other.field && screen_panel(s)->row && screen_panel(s)->row(s, &row, &key) &&
		cell_is(row, action->other.field, action->other.value))
		return control_method_find(span_of(action->other.method));
	return control_method_find(span_of(action->method));
}

/* One that may be left out is asked for by a form alone. */
static bool
has_secret(const struct control_method *method)
{
	struct control_schema schema;

	control_schema_parse(method->params, &schema);
	for (size_t i = 0; i < schema.count; i++)
		if (schema.items[i].type == CONTROL_TYPE_SECRET && !schema.items[i].optional)
			return true;
	return false;
}

/* An undo is harmless, and yet nobody wants to guess what it undoes. */
static bool
is_shown_first(const struct control_method *method)
{
	return method->guard >= CONTROL_G2 || method->id == CONTROL_undo_apply;
}

static void
act_on(struct console *c, const struct control_method *method, struct span params,
	const struct selection *selection, bool shown_first)
{
	struct pending *p = pending_new(c, method);
	struct act_values told = { .fd = -1, .owner = p, .previewed = previewed };
	bool sent;

	p->at_once = !shown_first;
	if (control_method_changes(method) && !has_secret(method) &&
		(shown_first || selection->all))
		sent = preview(c, method, params, selection, &told);
	else
		sent = send(c, method->method, params, -1, answered, p);
	if (!sent)
		pending_free(p);
}

/* The same for a form, which is told what came of it. */
static void
act_for_form(struct screen *s, const struct control_method *method, struct span params,
	const struct act_values *values)
{
	struct console *c = s->console;
	struct selection selection = { 0 };

	(void)table_selection(s, &selection);
	if (is_shown_first(method) && control_method_changes(method) && !has_secret(method))
		(void)preview(c, method, params, &selection, values);
	else
		(void)send(c, method->method, params, values->fd, values->done, values->owner);
}

void
console_do_with(struct screen *s, const struct key_action *action, const struct act_values *values)
{
	const struct control_method *method = method_for(s, action);
	struct console *c = s->console;
	struct selection selection = { 0 };
	struct buf params;

	ENSURE(method);
	if (!control_method_allowed(method, c->rights, c->read_only)) {
		console_say(c, STYLE_ERROR, "! %s is not allowed: it wants the right %s",
			action->label, control_right_name(method->right));
		return;
	}
	(void)table_selection(s, &selection);
	if (action->marked && selection.all) {
		console_say(c, STYLE_WARNING, "%s: mark the rows one by one, or by V", action->label);
		return;
	}
	buf_init(&params, CONTROL_LINE_MAX);
	params.wipes = true;
	if (!console_put_params(s, method, action, values, &params))
		console_say(c, STYLE_WARNING, "%s: there is no row to do it with", action->label);
	else if (values)
		act_for_form(s, method, buf_span(&params), values);
	else
		act_on(c, method, buf_span(&params), &selection, is_shown_first(method));
	buf_wipe(&params);
}

void
console_do_params(struct console *c, const struct control_method *method, struct span params)
{
	struct selection none = { 0 };

	if (!control_method_allowed(method, c->rights, c->read_only))
		console_say(c, STYLE_ERROR, "! %s is not allowed: it wants the right %s",
			method->words, control_right_name(method->right));
	else
		act_on(c, method, params, &none, is_shown_first(method));
}

static bool
takes_file(const struct control_method *method)
{
	struct control_schema schema;

	control_schema_parse(method->params, &schema);
	for (size_t i = 0; i < schema.count; i++)
		if (schema.items[i].type == CONTROL_TYPE_FD && !schema.items[i].optional)
			return true;
	return method->id == CONTROL_config_edit;
}

void
console_run_command(struct console *c, const struct command *command)
{
	const struct control_method *method = command->method;
	struct selection selection = { .all = command_selects(command),
		.filter = span_of(command->options.filter) };
	struct json_writer w;
	struct buf params;

	if (!control_method_allowed(method, c->rights, c->read_only)) {
		console_say(c, STYLE_ERROR, "! %s is not allowed: it wants the right %s",
			method->words, control_right_name(method->right));
		return;
	}
	if (has_secret(method) || takes_file(method)) {
		console_say(c, STYLE_WARNING, "%s wants a %s: use its key, or the command line",
			method->words, has_secret(method) ? "password" : "file");
		return;
	}
	buf_init(&params, CONTROL_LINE_MAX);
	json_writer_init(&w, &params);
	command_put_params(command, SPAN_NONE, &w);
	if (json_writer_end(&w) == OK)
		act_on(c, method, buf_span(&params), &selection,
			is_shown_first(method) || command->options.dry_run);
	buf_fini(&params);
}

void
console_do(struct screen *s, const struct key_action *action)
{
	const struct json *row = NULL;
	struct span key = SPAN("");

	if (screen_panel(s)->row)
		(void)screen_panel(s)->row(s, &row, &key);
	if (action->never.field && json_truth(json_find(row, span_of(action->never.field))))
		console_say(s->console, STYLE_WARNING, "%s: %s", action->label, action->never.why);
	else if (action->run)
		action->run(s);
	else if (action->form)
		form_open_for(s, action);
	else if (action->open && (row || key.len > 0 || s->place->key.len > 0))
		console_open(s->console, action->open, row ? row : s->place->row,
			key.len > 0 ? key : s->place->key);
	else if (action->open)
		console_say(s->console, STYLE_WARNING, "%s: there is no row", action->label);
	else
		console_do_with(s, action, NULL);
}

/* ---- undo ---- */

void
console_undo(struct console *c, bool redo)
{
	struct pending *p = pending_new(c, control_method_find(SPAN("undo.apply")));
	struct act_values told = { .fd = -1, .owner = p, .previewed = previewed };
	struct selection none = { 0 };
	struct span params = SPAN("{}");
	struct arena a;

	arena_init(&a, NULL);
	if (redo && c->redo[0])
		params = arena_printf(&a, "{\"id\":\"%s\"}", c->redo);
	if (redo && !c->redo[0]) {
		console_say(c, STYLE_WARNING, "nothing was undone here that could be done again");
		pending_free(p);
	} else if (!preview(c, p->method, params, &none, &told)) {
		pending_free(p);
	}
	arena_reset(&a);
}
