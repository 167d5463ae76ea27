/*
 * text_panel.c - see text_panel.h. A screen with this panel names its method; its parameters come
 * from the place, and it is asked again when the store changes.
 */
#include "tui/text_panel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_LINES_MAX 200000

struct text {
	struct buf text;
	struct span *lines;
	size_t count, top, at, bookmark;
	int left, shown;
	bool wrap, known, stale, asked, fixed;
	int64_t asked_ms;
	struct buf search;
};

static void
split_lines(struct text *t)
{
	struct span rest = buf_span(&t->text), line;

	free(t->lines);
	t->lines = NULL;
	t->count = 0;
	for (size_t i = 0; i < rest.len; i++)
		t->count += rest.ptr[i] == '\n';
	t->lines = calloc(t->count + 1, sizeof(*t->lines));
	ENSURE(t->lines);
	t->count = 0;
	while (rest.len > 0 && t->count < TEXT_LINES_MAX) {
		(void)span_next_line(&rest, &line);
		t->lines[t->count++] = line;
	}
	if (t->at >= t->count)
		t->at = t->count ? t->count - 1 : 0;
}

static void
set_text(struct text *t, struct span text)
{
	buf_clear(&t->text);
	if (buf_put(&t->text, text) != OK)
		buf_clear(&t->text);
	split_lines(t);
	t->known = true;
}

static void
answered(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct print_style style = s->console->style;
	struct text *t = s->state;
	struct buf text;

	style.width -= style.width > 2 ? 2 : 0; /* the margin */
	t->asked = false;
	s->console->dirty = true;
	if (reply->error) {
		if (reply->error->code != RPC_GONE || s->console->state == CONSOLE_UP)
			console_say_error(s->console, reply->error);
		return;
	}
	buf_init(&text, PRINT_MAX);
	if (s->class->parts)
		print_letter(&text, s->method, reply->result, s->class->parts, &style);
	else
		print_reply(&text, s->method, reply->result, NULL, false, &style);
	set_text(t, buf_span(&text));
	buf_fini(&text);
}

static void
ask(struct screen *s)
{
	struct text *t = s->state;
	struct buf params;

	if (!s->method || t->asked || s->console->state != CONSOLE_UP)
		return;
	buf_init(&params, CONTROL_LINE_MAX);
	if (console_put_params(s, s->method, NULL, NULL, &params)) {
		t->asked = server_link_call(&s->console->link, s->method->method,
				   buf_span(&params), answered, s) != 0;
		t->asked_ms = s->console->now_ms;
	}
	buf_fini(&params);
}

static void
text_open(struct screen *s)
{
	struct text *t = s->state;

	buf_init(&t->text, PRINT_MAX);
	t->text.wipes = true; /* mail, and passwords that are shown once */
	buf_init(&t->search, LINE_EDIT_MAX);
	t->wrap = true;
}

static void
text_close(struct screen *s)
{
	struct text *t = s->state;

	buf_fini(&t->text);
	buf_fini(&t->search);
	free(t->lines);
}

static void
text_enter(struct screen *s)
{
	const struct text *t = s->state;

	if (!s->class->parts || !t->known)
		ask(s);
}

static void
text_changed(struct screen *s, bool store)
{
	struct text *t = s->state;

	t->stale |= store && !s->class->parts;
	if (t->stale && s->console->now_ms - t->asked_ms >= 1000) {
		t->stale = false;
		ask(s);
	}
}

/* ---- search ---- */

static void
search_from(struct screen *s, int step)
{
	struct text *t = s->state;
	struct span word = buf_span(&t->search);

	if (word.len == 0)
		return;
	for (size_t i = t->at + (size_t)(ptrdiff_t)step; i < t->count; i += (size_t)(ptrdiff_t)step)
		if (span_find_span_nocase(t->lines[i], word) < t->lines[i].len) {
			t->at = i;
			return;
		}
	console_say(s->console, STYLE_WARNING, "no match");
}

static void
search_done(struct screen *s, struct span word)
{
	struct text *t = s->state;

	buf_clear(&t->search);
	if (buf_put(&t->search, word) == OK)
		search_from(s, 1);
}

/* ---- keys ---- */

static void
move_by(struct text *t, ptrdiff_t lines)
{
	if (lines < 0 && (size_t)-lines > t->at)
		t->at = 0;
	else
		t->at += (size_t)lines;
	if (t->at >= t->count)
		t->at = t->count ? t->count - 1 : 0;
}

static bool
text_act(struct screen *s, enum act act)
{
	struct text *t = s->state;

	switch (act) {
	case ACT_DOWN: move_by(t, 1); break;
	case ACT_UP: move_by(t, -1); break;
	case ACT_PAGE_DOWN: move_by(t, t->shown); break;
	case ACT_PAGE_UP: move_by(t, -t->shown); break;
	case ACT_HALF_DOWN: move_by(t, t->shown / 2); break;
	case ACT_HALF_UP: move_by(t, -(t->shown / 2)); break;
	case ACT_FIRST: t->at = 0; break;
	case ACT_LAST: t->at = t->count ? t->count - 1 : 0; break;
	case ACT_LEFT: t->left = t->left > 8 ? t->left - 8 : 0; break;
	case ACT_RIGHT: t->left += 8; break;
	case ACT_BOOKMARK:
		t->bookmark = t->at;
		console_say(s->console, STYLE_DIM, "bookmark at line %zu; ' comes back to it", t->at + 1);
		break;
	case ACT_BOOKMARK_GO: t->at = t->bookmark < t->count ? t->bookmark : t->at; break;
	case ACT_WRAP: t->wrap = !t->wrap; break;
	case ACT_RELOAD: ask(s); break;
	case ACT_SEARCH:
		console_ask(s->console, "search", buf_span(&t->search), NULL, search_done);
		break;
	case ACT_SEARCH_NEXT: search_from(s, 1); break;
	case ACT_SEARCH_BACK: search_from(s, -1); break;
	default: return false;
	}
	return true;
}

/* ---- drawing ---- */

static int
draw_line(struct screen *s, struct rect at, struct span line, bool here)
{
	const struct text *t = s->state;
	struct cells *c = &s->console->cells;
	enum style style = here ? STYLE_CURSOR : STYLE_PLAIN;
	int used = 0;

	if (!t->wrap) {
		cells_fill(c, (struct rect){ at.row, at.col, 1, at.cols }, style);
		cells_put(c, at, span_from(line, (size_t)t->left), style);
		return 1;
	}
	do {
		int indent = used > 0 && at.cols > 30 ? 4 : 0;
		size_t end = cells_fitting(c, line, at.cols - indent);

		cells_fill(c, (struct rect){ at.row + used, at.col, 1, at.cols }, style);
		cells_put(c, (struct rect){ at.row + used, at.col + indent, 1, at.cols - indent },
			span_range(line, 0, end), style);
		line = span_from(line, end);
		used++;
	} while (line.len > 0 && used < at.rows);
	return used;
}

/* Draw from t->top on; false: wrapped lines pushed the cursor out of sight. */
static bool
draw_from_top(struct screen *s, struct rect at)
{
	const struct text *t = s->state;
	int row = 0;

	for (size_t i = t->top; i < t->count && row < at.rows; i++) {
		struct rect to = { at.row + row, 1, at.rows - row, at.cols - 1 };

		if (i == t->at)
			s->console->cells.cursor_row = to.row;
		row += draw_line(s, to, t->lines[i], i == t->at);
		if (row >= at.rows && i < t->at)
			return false;
	}
	return true;
}

static void
text_draw(struct screen *s, struct rect at)
{
	struct text *t = s->state;

	t->shown = at.rows;
	if (t->at < t->top)
		t->top = t->at;
	if (t->at >= t->top + (size_t)at.rows)
		t->top = t->at - (size_t)at.rows + 1;
	if (t->count == 0)
		cells_put(&s->console->cells, (struct rect){ at.row, 1, 1, at.cols - 1 },
			s->method && !screen_may(s->console, s->method->method) ?
				SPAN("your rights do not show this") :
			!t->known ? SPAN("loading ...") :
				    SPAN("nothing here"),
			STYLE_DIM);
	while (!draw_from_top(s, at)) {
		t->top++;
		cells_fill(&s->console->cells, at, STYLE_PLAIN);
	}
}

static void
text_title(struct screen *s, struct buf *out)
{
	const struct text *t = s->state;

	if (t->count > 0)
		out->overflow |= buf_printf(out, "line %zu of %zu", t->at + 1, t->count) != OK;
}

static const enum act text_acts[] = { ACT_DOWN, ACT_UP, ACT_PAGE_DOWN, ACT_PAGE_UP, ACT_HALF_DOWN,
	ACT_HALF_UP, ACT_FIRST, ACT_LAST, ACT_LEFT, ACT_RIGHT, ACT_WRAP, ACT_RELOAD, ACT_SEARCH,
	ACT_SEARCH_NEXT, ACT_SEARCH_BACK, ACT_BOOKMARK, ACT_BOOKMARK_GO, ACT_NONE };

static void
text_copy(struct screen *s, struct buf *out)
{
	const struct text *t = s->state;

	if (t->at < t->count)
		print_put(out, t->lines[t->at]);
}

static void
text_whole(struct screen *s, struct buf *out)
{
	const struct text *t = s->state;

	print_put(out, buf_span(&t->text));
}

const struct panel_class text_panel = {
	.size = sizeof(struct text),
	.open = text_open,
	.close = text_close,
	.enter = text_enter,
	.changed = text_changed,
	.act = text_act,
	.draw = text_draw,
	.title = text_title,
	.copy = text_copy,
	.whole = text_whole,
	.acts = text_acts,
};

static const struct screen_class screen_answer = {
	.name = "answer",
	.title = "Answer",
	.panel = &text_panel,
};

void
text_panel_show(struct console *c, struct span title, struct span text)
{
	struct screen *s = console_open(c, &screen_answer, NULL, title);

	set_text(s->state, text);
}
