/*
 * line_edit.c - see line_edit.h.
 */
#include "tui/line_edit.h"

#include <string.h>

void
line_edit_init(struct line_edit *e)
{
	*e = (struct line_edit){ .max = LINE_EDIT_MAX };
	buf_init(&e->text, e->max);
	e->text.wipes = true;
}

void
line_edit_init_lines(struct line_edit *e, size_t max)
{
	*e = (struct line_edit){ .max = max, .lines = true };
	buf_init(&e->text, max);
	e->text.wipes = true;
}

void
line_edit_fini(struct line_edit *e)
{
	buf_wipe(&e->text);
	e->at = 0;
}

void
line_edit_set(struct line_edit *e, struct span text)
{
	buf_clear(&e->text);
	if (buf_put(&e->text, text) != OK)
		buf_clear(&e->text);
	e->at = buf_span(&e->text).len;
}

static size_t
step_back(struct span text, size_t at)
{
	while (at > 0 && ((unsigned char)text.ptr[--at] & 0xc0) == 0x80)
		;
	return at;
}

static size_t
step_on(struct span text, size_t at)
{
	while (at < text.len && ++at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
		;
	return at;
}

/* Put TEXT in place of the bytes FROM to TO. */
static void
replace(struct line_edit *e, size_t from, size_t to, struct span text)
{
	struct span old = line_edit_text(e);
	struct buf made;

	if (old.len - (to - from) + text.len > e->max)
		return;
	buf_init(&made, e->max);
	made.wipes = true;
	if (buf_put(&made, span_range(old, 0, from)) != OK || buf_put(&made, text) != OK ||
		buf_put(&made, span_from(old, to)) != OK) {
		buf_wipe(&made);
		return;
	}
	buf_wipe(&e->text);
	e->text = made;
	e->at = from + text.len;
}

/* What is typed or pasted: no controls; a line feed separates as ';' does where there is one line. */
static void
insert(struct line_edit *e, struct span text)
{
	struct buf clean;

	buf_init(&clean, e->max);
	clean.wipes = true;
	while (text.len > 0 && !clean.overflow) {
		struct span before = text;
		uint32_t code;
		bool valid = utf8_next(&text, &code);
		struct span one = span_range(before, 0, before.len - text.len);

		if (!e->lines && (code == '\n' || code == '\t'))
			one = code == '\n' ? SPAN(";") : SPAN(" ");
		else if (!valid || code == 0x7f || (code < 0x20 && code != '\n' && code != '\t'))
			continue;
		if (e->number && (one.len != 1 || one.ptr[0] < '0' || one.ptr[0] > '9'))
			continue;
		clean.overflow |= buf_put(&clean, one) != OK;
	}
	if (!clean.overflow)
		replace(e, e->at, e->at, buf_span(&clean));
	buf_wipe(&clean);
}

static void
insert_code(struct line_edit *e, uint32_t code)
{
	struct buf one;

	buf_init(&one, 8);
	if (utf8_put(&one, code) == OK)
		insert(e, buf_span(&one));
	buf_wipe(&one);
}

static size_t
word_back(struct span text, size_t at)
{
	while (at > 0 && text.ptr[at - 1] == ' ')
		at--;
	while (at > 0 && text.ptr[at - 1] != ' ' && text.ptr[at - 1] != '\n')
		at--;
	return at;
}

size_t
line_edit_begin(const struct line_edit *e, size_t at)
{
	struct span text = line_edit_text(e);

	while (at > 0 && !(e->lines && text.ptr[at - 1] == '\n'))
		at--;
	return at;
}

size_t
line_edit_end(const struct line_edit *e, size_t at)
{
	struct span text = line_edit_text(e);

	return e->lines ? at + span_find(span_from(text, at), '\n') : text.len;
}

bool
line_edit_press(struct line_edit *e, const struct press *press)
{
	struct span text = line_edit_text(e);

	switch (press->key) {
	case KEY_ARROW_LEFT: e->at = step_back(text, e->at); return true;
	case KEY_ARROW_RIGHT: e->at = step_on(text, e->at); return true;
	case KEY_START:
	case KEY_CTRL_A: e->at = line_edit_begin(e, e->at); return true;
	case KEY_FINISH:
	case KEY_CTRL_E: e->at = line_edit_end(e, e->at); return true;
	case KEY_RUBOUT: replace(e, step_back(text, e->at), e->at, SPAN("")); return true;
	case KEY_DELETE:
		text = span_range(text, 0, step_on(text, e->at));
		replace(e, e->at, text.len, SPAN(""));
		return true;
	case KEY_CTRL_U: replace(e, line_edit_begin(e, e->at), e->at, SPAN("")); return true;
	case KEY_CTRL_K: replace(e, e->at, line_edit_end(e, e->at), SPAN("")); return true;
	case KEY_CTRL_W: replace(e, word_back(text, e->at), e->at, SPAN("")); return true;
	case KEY_PASTED: insert(e, press->text); return true;
	case KEY_RETURN:
		if (e->lines)
			insert(e, SPAN("\n"));
		return e->lines;
	default: break;
	}
	if (press->key < 0x20 || press->key >= KEY_SPECIAL)
		return false;
	insert_code(e, press->key);
	return true;
}

int
line_edit_draw(const struct line_edit *e, struct cells *c, struct rect at, enum style style)
{
	struct span text = line_edit_text(e), from = text;
	size_t begin = 0;
	int col = at.col;

	cells_fill(c, (struct rect){ at.row, at.col, 1, at.cols }, style);
	if (e->secret) {
		for (size_t i = 0; i < text.len; i = step_on(text, i), col++)
			cells_put(c, (struct rect){ at.row, col, 1, at.col + at.cols - col },
				SPAN("*"), style);
		return col < at.col + at.cols ? col : at.col + at.cols - 1;
	}
	/* what is left of the cursor must fit */
	while (cells_width(c, span_range(text, begin, e->at)) >= at.cols)
		begin = step_on(text, begin);
	from = span_from(text, begin);
	cells_put(c, at, from, style);
	return at.col + cells_width(c, span_range(text, begin, e->at));
}
