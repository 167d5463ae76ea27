/*
 * console_link.c - the conversation with the server: hello, login, status and log as they come, and
 * coming back after it was gone.
 */
#include "tui/console.h"
#include "tui/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
copy_text(char *to, size_t size, const struct json *object, struct span name)
{
	struct span text = json_text(json_find(object, name));

	snprintf(to, size, "%.*s", (int)(text.len < size ? text.len : size - 1),
		text.ptr ? text.ptr : "");
}

static void
take_who(struct console *c, const struct json *result)
{
	const struct json *rights = json_find(result, SPAN("rights"));
	enum control_right right;

	copy_text(c->user, sizeof(c->user), result, SPAN("user"));
	copy_text(c->role, sizeof(c->role), result, SPAN("role"));
	c->rights = 0;
	for (const struct json *at = rights ? rights->first : NULL; at; at = at->next)
		if (control_right_find(json_text(at), &right) == OK)
			c->rights |= CONTROL_RIGHT_BIT(right);
}

static bool
may_look(const struct console *c)
{
	return control_rights_have(c->rights, CONTROL_RIGHT_STATUS_VIEW);
}

/* Every screen that is open may ask again for what it shows. */
static void
enter_all(struct console *c)
{
	struct screen *s = console_screen(c);

	if (screen_panel(s)->enter)
		screen_panel(s)->enter(s);
}

static void
ignore_done(void *owner, struct link_reply *reply)
{
	struct console *c = owner;

	if (reply->error && c->state == CONSOLE_UP)
		console_say_error(c, reply->error);
}

static void
recent_add(struct console *c, const struct json *row)
{
	struct recent *r = &c->recent;
	struct json_writer w;
	struct buf text;

	if (r->count == CONSOLE_RECENT) {
		free(r->rows[0]);
		memmove(r->rows, r->rows + 1, sizeof(r->rows[0]) * (CONSOLE_RECENT - 1));
		r->count--;
	}
	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_json(&w, row);
	if (json_writer_end(&w) == OK) {
		r->rows[r->count] = strndup(buf_span(&text).ptr, buf_span(&text).len);
		ENSURE(r->rows[r->count]);
		r->count++;
	}
	buf_fini(&text);
}

static void
recent_clear(struct console *c)
{
	while (c->recent.count > 0)
		free(c->recent.rows[--c->recent.count]);
}

const struct json *
console_recent(struct console *c, size_t from_end, struct arena *a)
{
	const struct json *row;

	if (from_end >= c->recent.count ||
		json_parse(a, span_of(c->recent.rows[c->recent.count - 1 - from_end]), &row,
			NULL) != OK)
		return NULL;
	return row;
}

static void
recent_done(void *owner, struct link_reply *reply)
{
	const struct json *rows = json_find(reply->result, SPAN("rows"));
	struct console *c = owner;

	recent_clear(c);
	for (const struct json *at = rows ? rows->first : NULL; at; at = at->next)
		recent_add(c, at);
	c->dirty = true;
}

static void
subscribed(void *owner, struct link_reply *reply)
{
	struct console *c = owner;

	if (json_u64(json_find(reply->result, SPAN("subscription")), UINT64_MAX, &c->log_id) != OK)
		c->log_id = 0;
}

static void
begin(struct console *c)
{
	c->state = may_look(c) ? CONSOLE_UP : CONSOLE_LOGIN;
	c->dirty = true;
	if (c->state != CONSOLE_UP && !c->prompt.open)
		console_ask_login(c);
	if (c->state != CONSOLE_UP)
		return;
	(void)server_link_call(&c->link, "subscribe", SPAN("{\"topic\":\"status\"}"), ignore_done,
		c);
	if (control_rights_have(c->rights, CONTROL_RIGHT_LOG_VIEW)) {
		(void)server_link_call(&c->link, "log.tail",
			SPAN("{\"lines\":64,\"level\":\"info\"}"), recent_done, c);
		(void)server_link_call(&c->link, "subscribe",
			SPAN("{\"topic\":\"log\",\"level\":\"info\"}"), subscribed, c);
	}
	enter_all(c);
}

static void
hello_done(void *owner, struct link_reply *reply)
{
	struct console *c = owner;

	if (!reply->result) {
		console_say_error(c, reply->error);
		return;
	}
	copy_text(c->epoch, sizeof(c->epoch), reply->result, SPAN("epoch"));
	copy_text(c->host, sizeof(c->host), reply->result, SPAN("hostname"));
	take_who(c, reply->result);
	begin(c);
}

static void
login_done(void *owner, struct link_reply *reply)
{
	struct console *c = owner;

	if (!reply->result) {
		console_say_error(c, reply->error);
		return;
	}
	take_who(c, reply->result);
	begin(c);
	if (c->state == CONSOLE_LOGIN)
		console_say(c, STYLE_ERROR, "! %s has no right to look at the server", c->user);
}

static void
login(struct console *c, struct span user, struct span password)
{
	struct params p;

	params_begin(&p);
	json_put_member_string(&p.w, SPAN("user"), user);
	json_put_member_string(&p.w, SPAN("password"), password);
	(void)params_send(&p, &c->link, "auth", login_done, c);
}

static void
password_typed(struct screen *s, struct span password)
{
	login(s->console, span_of(s->console->login), password);
}

static void
name_typed(struct screen *s, struct span name)
{
	struct console *c = s->console;

	if (name.len == 0 || name.len >= sizeof(c->login))
		return;
	snprintf(c->login, sizeof(c->login), "%.*s", SPAN_FMT(name));
	console_ask(c, "password", SPAN(""), NULL, password_typed);
	c->prompt.edit.secret = true;
}

void
console_ask_login(struct console *c)
{
	console_ask(c, "log in as", span_of(c->login), NULL, name_typed);
}

static void
tell_changed(struct console *c, bool store)
{
	struct screen *s = console_screen(c);

	if (screen_panel(s)->changed)
		screen_panel(s)->changed(s, store || s->class->poll);
}

/* The status with the members of NEWS in place of its own. */
static void
take_status(struct console *c, const struct json *news)
{
	struct json_writer w;
	struct arena arena;
	struct buf text;
	uint64_t commits = 0;

	buf_init(&text, JSON_TEXT_MAX);
	json_writer_init(&w, &text);
	json_put_object(&w);
	for (const struct json *at = news->first; at; at = at->next) {
		json_put_name(&w, at->name);
		json_put_json(&w, at);
	}
	for (const struct json *at = c->status ? c->status->first : NULL; at; at = at->next) {
		if (json_find(news, at->name))
			continue;
		json_put_name(&w, at->name);
		json_put_json(&w, at);
	}
	json_put_close(&w);
	arena_init(&arena, NULL);
	if (json_writer_end(&w) == OK &&
		json_parse(&arena, buf_span(&text), &c->status, NULL) == OK) {
		arena_reset(&c->status_arena);
		c->status_arena = arena;
	} else {
		arena_reset(&arena);
	}
	buf_fini(&text);
	commits = json_number_or(json_find(json_find(c->status, SPAN("store")), SPAN("commits")), commits);
	tell_changed(c, commits != c->commits);
	c->commits = commits;
}

static void
take_log(struct console *c, const struct json *data)
{
	const struct json *lines = json_find(data, SPAN("lines"));

	for (const struct json *at = lines ? lines->first : NULL; at; at = at->next)
		recent_add(c, at);
}

static void
on_event(void *arg, const struct json *params)
{
	const struct json *data = json_find(params, SPAN("data"));
	struct span topic = json_text(json_find(params, SPAN("topic")));
	struct console *c = arg;
	bool is_first = !c->status; /* people wait for it */
	uint64_t id = 0;

	id = json_number_or(json_find(params, SPAN("subscription")), id);
	if (data && span_eq(topic, SPAN("status")))
		take_status(c, data);
	else if (data && span_eq(topic, SPAN("log")) && id == c->log_id)
		take_log(c, data);
	else if (data && span_eq(topic, SPAN("log")))
		log_panel_event(c, id, data);
	server_link_ack(&c->link, params);
	if (is_first || (span_eq(topic, SPAN("log")) && id != c->log_id))
		c->dirty = true;
	else
		c->is_stale = true;
}

static void
on_change(void *arg, bool connected)
{
	struct console *c = arg;
	struct arena a;

	c->dirty = true;
	if (!connected) {
		c->state = CONSOLE_DOWN;
		c->lost_ms = (int64_t)time(NULL);
		return;
	}
	arena_init(&a, NULL);
	c->state = CONSOLE_HELLO;
	(void)server_link_call(&c->link, "hello", link_hello_params(&a, c->read_only), hello_done,
		c);
	arena_reset(&a);
}

void
console_link_init(struct console *c, const char *path)
{
	server_link_init(&c->link, path);
	c->link.on_event = on_event;
	c->link.on_change = on_change;
	c->link.arg = c;
}

void
console_link_fini(struct console *c)
{
	c->link.on_change = NULL;
	server_link_fini(&c->link);
	recent_clear(c);
}

bool
screen_may(const struct console *c, const char *method)
{
	const struct control_method *m = control_method_find(span_of(method));

	return m && control_method_allowed(m, c->rights, c->read_only);
}

enum control_type
screen_column_type(const struct screen *screen, const char *field)
{
	const struct control_param *p = control_schema_find(&screen->columns, span_of(field));

	return p ? p->type : CONTROL_TYPE_TEXT;
}
