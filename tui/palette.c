/*
 * palette.c - `:`. Words find acts, screens, settings, users and messages, or are a command.
 *
 * What the tables say stands there at once; what the server knows is asked while one types, one
 * round at a time, and comes below. Words that begin like a command show the commands they may become
 * and what is still missing; Tab goes on typing. The last words that were chosen come first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "tui/command_help.h"
#include "tui/console_plain.h"
#include "tui/menu_inside.h"
#include "tui/params.h"
#include "tui/screens.h"

#define FOUND_ROWS 6    /* of one source */
#define COMMANDS_MAX 8  /* that the words may become */
#define FIND_FROM 2     /* bytes of words from which on the server is asked */

/* Where the server looks. */
static const struct source {
	const char *method, *title;
	const char *filter, *param; /* what the words are put behind; or the parameter that they are */
	const char *key, *more;     /* cells: what it is, and what stands behind that */
	const struct screen_class *screen, *open;
	bool id; /* only for words that may be an id */
} sources[] = {
	{ "config.show", "Setting", "", NULL, "key", "value", &screen_settings, &screen_setting, false },
	{ "user.list", "User", "", NULL, "name", "comment", &screen_users, &screen_user, false },
	{ "queue.list", "Waiting", "id:", NULL, "id", "sender", &screen_queue, &screen_message, true },
	{ "trace", "Message", NULL, "message", "id", "result", &screen_trace, &screen_trace_steps, true },
};

struct found {
	struct palette *palette;
	const struct source *source;
	struct arena arena;
	const struct json *rows; /* NULL: none */
};

struct palette {
	struct console *console;
	struct menu *menu;
	struct found found[COUNT(sources)];
	unsigned asked; /* that are still to answer */
	struct buf asked_for;
};

static struct span
typed(const struct menu *m)
{
	return span_trim(line_edit_text(&m->edit));
}

/* ---- what the server found ---- */

static void
add_found(struct menu *m, const struct found *f)
{
	const struct source *from = f->source;
	const struct print_style *style = &f->palette->console->style;

	for (const struct json *row = f->rows ? f->rows->first : NULL; row; row = row->next) {
		struct span key = json_text(json_find(row, span_of(from->key)));
		struct menu_line *line;
		char text[MENU_TEXT_MAX];
		struct buf more;

		if (key.len == 0 || key.ptr[0] == '*')
			continue;
		buf_init(&more, PRINT_MAX);
		print_member(&more, row, span_of(from->more), style);
		snprintf(text, sizeof(text), "%s: %.*s   %.*s", from->title, SPAN_FMT(key),
			SPAN_FMT(buf_span(&more)));
		buf_fini(&more);
		line = menu_line_add(m, text);
		line->found = true;
		line->screen = from->screen;
		line->open = from->open;
		line->row = row;
		line->key = key;
		line->help = json_text(json_find(row, SPAN("help"))).ptr;
	}
}

/* ---- the words as a command ---- */

struct typed_command {
	char *words[PLAIN_WORDS_MAX];
	size_t count;
	struct command command;
	struct complaint complaint;
	bool whole; /* can be run as it stands */
};

/* False: the words are no beginning of a command. */
static bool
read_command(struct span words, struct arena *a, struct typed_command *out)
{
	*out = (struct typed_command){ .count = 0 };
	if (plain_words(words, a, out->words, &out->count) != OK || out->count == 0)
		return false;
	if (strcmp(out->words[0], "postroom") == 0) /* as it stands in a manual */
		memmove(out->words, out->words + 1, --out->count * sizeof(out->words[0]));
	if (out->count == 0)
		return false;
	out->whole = command_parse(out->count, out->words, a, &out->command, &out->complaint) == OK;
	if (!out->whole)
		return out->command.method != NULL;
	return out->command.kind == COMMAND_METHOD;
}

static void
add_command(struct menu *m)
{
	struct typed_command typed_command;
	struct menu_line *line;
	char text[MENU_TEXT_MAX];

	if (!read_command(typed(m), &m->found, &typed_command))
		return;
	snprintf(text, sizeof(text), "Command: %.*s", SPAN_FMT(typed(m)));
	if (!typed_command.whole)
		snprintf(text, sizeof(text), "Command: %.*s: %.*s",
			SPAN_FMT(typed_command.complaint.what),
			SPAN_FMT(typed_command.complaint.why));
	line = menu_line_add(m, text);
	line->found = true;
	line->runs = typed_command.whole;
	line->off = !typed_command.whole;
	line->help = typed_command.command.method->help;
}

/* Commands that begin with what is typed. */
static void
add_commands(struct menu *m)
{
	struct span words = typed(m);
	char text[MENU_TEXT_MAX];
	unsigned added = 0;

	for (size_t i = 0; words.len > 0 && i < CONTROL_METHOD_COUNT && added < COMMANDS_MAX; i++) {
		struct span name = span_of(control_methods[i].words);
		struct menu_line *line;
		struct buf usage;

		if (name.len <= words.len || !span_eq_nocase(span_range(name, 0, words.len), words))
			continue;
		buf_init(&usage, PRINT_MAX);
		command_usage(&control_methods[i], &usage);
		snprintf(text, sizeof(text), "%.*s",
			SPAN_FMT(span_trim(span_range(buf_span(&usage), 0,
				span_find(buf_span(&usage), '\n')))));
		buf_fini(&usage);
		line = menu_line_add(m, text);
		line->found = true;
		line->words = arena_printf(&m->found, "%.*s ", SPAN_FMT(name));
		line->help = control_methods[i].help;
		added++;
	}
}

/* ---- the lines ---- */

static void
add_last(struct console *c, struct menu *m)
{
	char text[MENU_TEXT_MAX];

	for (size_t i = c->said_count; i > 0; i--) {
		struct menu_line *line;

		snprintf(text, sizeof(text), "Again: %s", c->said[i - 1]);
		line = menu_line_add(m, text);
		line->words = span_of(c->said[i - 1]);
		line->help = "Words that were chosen before; Enter puts them into the line.";
	}
}

static void
build(struct menu *m)
{
	struct palette *p = m->palette;

	m->count = m->fixed;
	arena_reset(&m->found);
	add_command(m);
	add_commands(m);
	for (size_t i = 0; i < COUNT(p->found); i++)
		add_found(m, &p->found[i]);
}

static void
show_found(struct palette *p)
{
	build(p->menu);
	menu_narrow(p->menu);
	p->console->dirty = true;
}

/* ---- asking ---- */

static void ask(struct palette *p);

static void
answered(void *owner, struct link_reply *reply)
{
	struct found *f = owner;
	struct palette *p = f->palette;

	p->asked--;
	arena_reset(&f->arena);
	f->rows = json_find(reply->result, SPAN("rows"));
	if (f->rows)
		link_reply_keep(reply, &f->arena);
	if (p->asked == 0 && !span_eq(buf_span(&p->asked_for), typed(p->menu)))
		ask(p); /* which forgets what was found for other words: the lines are made after it */
	show_found(p);
}

/* An id has a digit and no blank. */
static bool
is_like_id(struct span words)
{
	bool digit = false;

	for (size_t i = 0; i < words.len; i++) {
		if (words.ptr[i] == ' ' || words.ptr[i] == '"')
			return false;
		digit |= ascii_is_digit(words.ptr[i]);
	}
	return digit;
}

static bool
ask_one(struct palette *p, struct found *f, struct span words)
{
	const struct source *from = f->source;
	struct params params;
	bool sent;
	struct arena a;

	if (!screen_may(p->console, from->method) || (from->id && !is_like_id(words)))
		return false;
	arena_init(&a, NULL);
	params_begin(&params);
	if (from->filter)
		json_put_member_string(&params.w, SPAN("filter"),
			arena_printf(&a, "%s%.*s", from->filter, SPAN_FMT(words)));
	else
		json_put_member_string(&params.w, span_of(from->param), words);
	json_put_member_u64(&params.w, SPAN("limit"), FOUND_ROWS);
	sent = params_send(&params, &p->console->link, from->method, answered, f);
	arena_reset(&a);
	return sent;
}

static void
ask(struct palette *p)
{
	struct span words = typed(p->menu);

	buf_clear(&p->asked_for);
	if (buf_put(&p->asked_for, words) != OK)
		buf_clear(&p->asked_for);
	for (size_t i = 0; i < COUNT(p->found); i++) {
		struct found *f = &p->found[i];

		arena_reset(&f->arena);
		f->rows = NULL;
		if (words.len >= FIND_FROM && p->console->state == CONSOLE_UP)
			p->asked += ask_one(p, f, words);
	}
}

void
palette_changed(struct console *c, struct menu *m)
{
	(void)c;
	if (m->palette->asked == 0)
		ask(m->palette);
	build(m);
}

/* ---- keys ---- */

/* The last word becomes KEY. */
static struct span
words_with(struct menu *m, struct span key, struct arena *a)
{
	struct span words = typed(m);
	size_t end = words.len;

	while (end > 0 && words.ptr[end - 1] != ' ')
		end--;
	return arena_printf(a, "%.*s%.*s ", SPAN_FMT(span_range(words, 0, end)), SPAN_FMT(key));
}

void
palette_complete(struct console *c, struct menu *m)
{
	const struct menu_line *line;
	struct span words = SPAN("");
	struct arena a;

	if (m->at >= m->shown_count)
		return;
	arena_init(&a, NULL);
	line = &m->lines[m->shown[m->at]];
	if (line->words.len > 0)
		words = arena_copy(&a, line->words);
	else if (line->key.len > 0)
		words = words_with(m, line->key, &a);
	else if (line->cli)
		words = arena_printf(&a, "%s ", line->cli);
	if (words.len > 0) {
		line_edit_set(&m->edit, words);
		m->at = m->top = 0;
		palette_changed(c, m);
		menu_narrow(m);
	}
	arena_reset(&a);
}

static void
remember(struct console *c, struct span words)
{
	size_t i = 0;

	if (words.len == 0 || words.len >= sizeof(c->said[0]))
		return;
	while (i < c->said_count && !span_eq(span_of(c->said[i]), words))
		i++;
	if (i == COUNT(c->said))
		i = 0; /* the oldest leaves */
	if (i < c->said_count)
		memmove(c->said[i], c->said[i + 1], (--c->said_count - i) * sizeof(c->said[0]));
	snprintf(c->said[c->said_count++], sizeof(c->said[0]), "%.*s", SPAN_FMT(words));
}

static void
run_typed(struct console *c, struct menu *m)
{
	struct typed_command typed_command;
	struct arena a;

	arena_init(&a, NULL);
	if (read_command(arena_copy(&a, typed(m)), &a, &typed_command) && typed_command.whole) {
		console_pop_modal(c);
		console_run_command(c, &typed_command.command);
	}
	arena_reset(&a);
}

bool
palette_choose(struct console *c, struct menu *m, const struct menu_line *line)
{
	if (line->words.len > 0) {
		palette_complete(c, m);
		return false;
	}
	remember(c, typed(m));
	if (!line->runs)
		return true;
	run_typed(c, m);
	return false;
}

/* ---- life ---- */

void
palette_close(struct menu *m)
{
	struct palette *p = m->palette;

	for (size_t i = 0; i < COUNT(p->found); i++) {
		server_link_forget(&p->console->link, &p->found[i]);
		arena_reset(&p->found[i].arena);
	}
	buf_fini(&p->asked_for);
}

void
menu_open_palette(struct console *c)
{
	struct menu *m = menu_new(" Command ");
	struct palette *p = ARENA_NEW(&m->modal.arena, struct palette);

	p->console = c;
	p->menu = m;
	buf_init(&p->asked_for, LINE_EDIT_MAX);
	for (size_t i = 0; i < COUNT(p->found); i++) {
		p->found[i] = (struct found){ .palette = p, .source = &sources[i] };
		arena_init(&p->found[i].arena, NULL);
	}
	m->palette = p;
	add_last(c, m);
	menu_add_actions(c, m);
	menu_add_screens(m, false);
	menu_add_acts(c, m);
	m->fixed = m->count;
	menu_show(c, m);
}
