/*
 * edit_panel.c - see edit_panel.h.
 *
 * Before a text is saved it is asked for once more: where somebody else changed it meanwhile that is said, and only a second F2
 * writes over it.
 */
#include "tui/edit_panel.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HELP_ROWS 2

struct edit {
	struct screen *screen;
	struct line_edit edit;
	struct buf base; /* what the server has */
	size_t top;      /* the first line in view */
	uint32_t fault;  /* the line that is wrong, from 1; 0: none is known */
	int shown;
	bool known, asked, saving, warned, leaving, too_long;
};

static void apply(struct edit *e);

static const struct edit_class *
class_of(const struct edit *e)
{
	return e->screen->class->edit;
}

static bool
is_changed(const struct edit *e)
{
	return !span_eq(line_edit_text(&e->edit), buf_span(&e->base));
}

static size_t
line_of(struct span text, size_t at)
{
	size_t line = 0;

	for (size_t i = 0; i < at; i++)
		line += text.ptr[i] == '\n';
	return line;
}

/* Where line LINE begins; the end of the text where there are fewer. */
static size_t
begin_of(struct span text, size_t line)
{
	size_t at = 0;

	for (; line > 0 && at < text.len; at++)
		line -= text.ptr[at] == '\n';
	return at;
}

/* ---- what the server has ---- */

static void
take_text(struct edit *e, struct span text)
{
	bool mine = e->known && is_changed(e);

	buf_clear(&e->base);
	e->too_long = buf_put(&e->base, text) != OK;
	if (e->too_long)
		console_say(e->screen->console, STYLE_ERROR, "! the text is too long to be edited here: use `edit` of the command line");
	if (!mine)
		line_edit_set(&e->edit, buf_span(&e->base));
	if (!e->known)
		e->edit.at = 0;
	e->known = true;
}

static void
shown(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct edit *e = s->state;
	struct span text = json_text(json_find(reply->result, SPAN("text")));
	bool saving = e->saving, changed = e->known && !span_eq(text, buf_span(&e->base));

	e->asked = e->saving = false;
	s->console->dirty = true;
	if (reply->error) {
		if (s->console->state == CONSOLE_UP)
			console_say_error(s->console, reply->error);
		return;
	}
	take_text(e, text);
	if (changed && is_changed(e) && !e->warned) {
		e->warned = true;
		console_say(s->console, STYLE_WARNING, "~ somebody else changed this text meanwhile; F2 writes yours over it");
	} else if (saving) {
		apply(e);
	}
}

static void
ask(struct edit *e)
{
	struct screen *s = e->screen;
	struct buf params;

	if (!s->method || e->asked || s->console->state != CONSOLE_UP)
		return;
	buf_init(&params, CONTROL_LINE_MAX);
	if (console_put_params(s, s->method, NULL, NULL, &params))
		e->asked = server_link_call(&s->console->link, s->method->method, buf_span(&params), shown, s) != 0;
	buf_fini(&params);
}

/* ---- saving, checking ---- */

/* The text as a file that has no name; -1: there is no room for it. */
static int
text_file(struct edit *e)
{
	struct span text = line_edit_text(&e->edit);
	int fd = memfd_create("postroom-text", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < text.len) {
		ssize_t put = write(fd, text.ptr + done, text.len - done);

		if (put <= 0) {
			close(fd);
			fd = -1;
		} else {
			done += (size_t)put;
		}
	}
	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_SET);
	else
		console_say(e->screen->console, STYLE_ERROR, "! there is no memory to hand the text over");
	return fd;
}

static void
go_to_fault(struct edit *e, uint64_t line)
{
	e->fault = (uint32_t)line;
	if (line > 0)
		e->edit.at = begin_of(line_edit_text(&e->edit), (size_t)line - 1);
}

static void
saved(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct edit *e = s->state;

	s->console->dirty = true;
	if (reply->error) {
		go_to_fault(e, reply->error->line);
		console_say_error(s->console, reply->error);
		return;
	}
	e->fault = 0;
	e->warned = false;
	buf_clear(&e->base);
	print_put(&e->base, line_edit_text(&e->edit));
	console_tell_done(s->console, control_method_find(span_of(class_of(e)->save)), reply->result);
}

static void
previewed(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;

	if (reply->error)
		saved(owner, reply);
	else
		confirm_open(s->console, control_method_find(span_of(class_of(s->state)->save)), reply, saved, s);
	s->console->dirty = true;
}

static void
checked(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	const struct json *rows = json_find(reply->result, SPAN("rows")), *first = rows ? rows->first : NULL;
	uint64_t line = json_number_or(json_find(first, SPAN("line")), 0);

	s->console->dirty = true;
	go_to_fault(s->state, first ? line : 0);
	if (reply->error)
		console_say_error(s->console, reply->error);
	else if (first)
		console_say(s->console, json_truth(json_find(first, SPAN("warning"))) ? STYLE_WARNING : STYLE_ERROR,
			"%c line %llu: %.*s%s", json_truth(json_find(first, SPAN("warning"))) ? '~' : '!',
			(unsigned long long)line, SPAN_FMT(json_text(json_find(first, SPAN("what")))),
			rows->count > 1 ? "  (and more)" : "");
	else
		console_say(s->console, STYLE_OK, "nothing is wrong with it");
}

static void
asked(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;

	s->console->dirty = true;
	if (reply->error)
		console_say_error(s->console, reply->error);
	else
		console_show_answer(s->console, control_method_find(span_of(class_of(s->state)->ask)), reply->result);
}

/* METHOD with the text as its file. */
static void
do_with_text(struct edit *e, const char *method, const char *label, link_done *done, link_done *shown_first)
{
	static struct key_action action;
	struct rpc_pair pair = { done == asked ? SPAN("message") : SPAN("file"), SPAN("text") };
	struct act_values values = { &pair, (bool[]){ false }, 1, text_file(e), e->screen, done, shown_first };

	action = (struct key_action){ .label = label, .method = method };
	if (values.fd < 0)
		return;
	console_do_with(e->screen, &action, &values);
	close(values.fd);
}

static void
apply(struct edit *e)
{
	do_with_text(e, class_of(e)->save, "Save", saved, previewed);
}

/* A row of its own with the text, on which the trial is opened. */
static void
try_it(struct edit *e)
{
	const struct edit_class *class = class_of(e);
	struct span take = class->trial_take ? span_of(class->trial_take) : SPAN(""), name;
	const struct json *row = NULL, *under = e->screen->place->row;
	struct span all = line_edit_text(&e->edit); /* a line end makes a message of one line */
	struct json_writer w;
	struct arena a;
	struct buf text;

	arena_init(&a, NULL);
	buf_init(&text, CONTROL_LINE_MAX);
	json_writer_init(&w, &text);
	json_put_object(&w);
	json_put_member_string(&w, span_of(class->trial_field),
		arena_printf(&a, "%.*s%s", SPAN_FMT(all), all.len > 0 && all.ptr[all.len - 1] == '\n' ? "" : "\n"));
	while (take.len > 0) {
		(void)span_cut(take, ' ', &name, &take);
		if (json_find(under, name)) {
			json_put_name(&w, name);
			json_put_json(&w, json_find(under, name));
		}
	}
	json_put_close(&w);
	if (json_writer_end(&w) == OK && json_parse(&a, buf_span(&text), &row, NULL) == OK)
		console_open(e->screen->console, class->trial, row, SPAN("test"));
	buf_fini(&text);
	arena_reset(&a);
}

static void
save(struct edit *e)
{
	struct console *c = e->screen->console;

	if (c->state != CONSOLE_UP) {
		console_say(c, STYLE_ERROR, "! no server answers; the text is kept");
	} else if (class_of(e)->ask) {
		do_with_text(e, class_of(e)->ask, "Ask", asked, NULL);
	} else if (!class_of(e)->save) {
		try_it(e);
	} else if (e->too_long || !is_changed(e)) {
		console_say(c, STYLE_DIM, "nothing was changed");
	} else {
		e->saving = true;
		ask(e);
	}
}

/* ---- keys ---- */

/* To the same place of another line. */
static void
move_lines(struct edit *e, ptrdiff_t by)
{
	struct span text = line_edit_text(&e->edit);
	size_t begin = line_edit_begin(&e->edit, e->edit.at), in_line = e->edit.at - begin, end;
	ptrdiff_t line = (ptrdiff_t)line_of(text, begin) + by;

	begin = begin_of(text, line < 0 ? 0 : (size_t)line);
	begin = line_edit_begin(&e->edit, begin);
	end = line_edit_end(&e->edit, begin);
	e->edit.at = begin + in_line < end ? begin + in_line : end;
	while (e->edit.at > begin && e->edit.at < text.len && ((unsigned char)text.ptr[e->edit.at] & 0xc0) == 0x80)
		e->edit.at--;
}

static bool
edit_press(struct screen *s, const struct press *press)
{
	struct edit *e = s->state;

	e->leaving = e->leaving && (press->key == KEY_ESC || press->key == KEY_FN(10));
	switch (press->key) {
	case KEY_ARROW_DOWN: move_lines(e, 1); return true;
	case KEY_ARROW_UP: move_lines(e, -1); return true;
	case KEY_PAGE_DOWN: move_lines(e, e->shown); return true;
	case KEY_PAGE_UP: move_lines(e, -e->shown); return true;
	case KEY_FN(2): save(e); return true;
	case KEY_FN(3):
		if (class_of(e)->trial)
			try_it(e);
		return true;
	case KEY_FN(5):
		if (class_of(e)->check)
			do_with_text(e, class_of(e)->check, "Check", checked, checked);
		return true;
	default: return !e->too_long && line_edit_press(&e->edit, press);
	}
}

static bool
edit_may_leave(struct screen *s)
{
	struct edit *e = s->state;

	if (e->leaving || !class_of(e)->save || !is_changed(e))
		return true;
	e->leaving = true;
	console_say(s->console, STYLE_WARNING, "~ the text is not saved, Esc again leaves (F2 saves)");
	return false;
}

/* ---- drawing ---- */

/* LINE with the cursor's byte AT_BYTE in view (SIZE_MAX: not here); tabs are blanks. */
static void
draw_line(struct edit *e, struct rect at, struct span line, size_t at_byte, enum style style)
{
	struct cells *c = &e->screen->console->cells;
	struct line_edit one;

	line_edit_init(&one);
	line_edit_set(&one, span_range(line, 0, LINE_EDIT_MAX));
	for (size_t i = one.text.start; i < one.text.len; i++)
		if (one.text.bytes[i] == '\t')
			one.text.bytes[i] = ' ';
	one.at = at_byte != SIZE_MAX && at_byte < one.at ? at_byte : at_byte != SIZE_MAX ? one.at : 0;
	at.cols--; /* the cursor may stand behind the last one */
	if (at_byte == SIZE_MAX) {
		cells_put(c, at, line_edit_text(&one), style);
	} else {
		c->cursor_row = at.row;
		c->cursor_col = line_edit_draw(&one, c, at, style);
	}
	line_edit_fini(&one);
}

static void
edit_draw(struct screen *s, struct rect at)
{
	struct edit *e = s->state;
	struct cells *c = &s->console->cells;
	struct span text = line_edit_text(&e->edit), line;
	size_t here = line_of(text, e->edit.at), begin;
	int rows = at.rows - HELP_ROWS;

	cells_put_wrapped(c, (struct rect){ at.row + rows, 1, HELP_ROWS, at.cols - 1 }, span_of(class_of(e)->help), STYLE_DIM);
	if (!e->known) {
		cells_put(c, (struct rect){ at.row, 1, 1, at.cols - 1 },
			s->console->state == CONSOLE_UP ? SPAN("loading ...") : SPAN("no server"), STYLE_DIM);
		return;
	}
	e->shown = rows;
	if (here < e->top)
		e->top = here;
	if (here >= e->top + (size_t)rows)
		e->top = here - (size_t)rows + 1;
	begin = begin_of(text, e->top);
	for (int row = 0; row < rows && begin <= text.len; row++) {
		size_t no = e->top + (size_t)row;
		bool wrong = e->fault == no + 1;

		line = span_range(text, begin, line_edit_end(&e->edit, begin));
		if (wrong)
			cells_put(c, (struct rect){ at.row + row, 0, 1, 1 }, SPAN("!"), STYLE_ERROR);
		draw_line(e, (struct rect){ at.row + row, 1, 1, at.cols - 1 }, line,
			no == here ? e->edit.at - begin : SIZE_MAX,
			wrong ? STYLE_ERROR : no == here ? STYLE_FIELD : STYLE_PLAIN);
		begin += line.len + 1;
	}
}

static void
edit_title(struct screen *s, struct buf *out)
{
	struct edit *e = s->state;
	struct span text = line_edit_text(&e->edit);

	out->overflow |= buf_printf(out, "line %zu of %zu%s", line_of(text, e->edit.at) + 1, line_of(text, text.len) + 1,
				 class_of(e)->save && is_changed(e) ? ", not saved" : "") != OK;
}

static void
edit_bar(struct screen *s, struct buf *out)
{
	const struct edit_class *class = s->class->edit;

	print_put(out, class->save ? SPAN("F2 Save") : class->ask ? SPAN("F2 Ask") : SPAN("F2 Test"));
	print_put(out, class->save && class->trial ? SPAN("  F3 Test") : SPAN(""));
	print_put(out, class->check ? SPAN("  F5 Check") : SPAN(""));
	print_put(out, SPAN("  F9 Cmd  Esc Leave"));
}

/* ---- life ---- */

static void
edit_open(struct screen *s)
{
	struct edit *e = s->state;

	e->screen = s;
	e->known = !s->method;
	line_edit_init_lines(&e->edit, EDIT_PANEL_MAX);
	buf_init(&e->base, EDIT_PANEL_MAX);
}

static void
edit_close(struct screen *s)
{
	struct edit *e = s->state;

	line_edit_fini(&e->edit);
	buf_fini(&e->base);
}

static void
edit_enter(struct screen *s)
{
	struct edit *e = s->state;

	if (!e->known || !is_changed(e))
		ask(e);
}

static void
edit_whole(struct screen *s, struct buf *out)
{
	struct edit *e = s->state;

	print_put(out, line_edit_text(&e->edit));
}

const struct panel_class edit_panel = {
	.size = sizeof(struct edit),
	.open = edit_open,
	.close = edit_close,
	.enter = edit_enter,
	.press = edit_press,
	.draw = edit_draw,
	.title = edit_title,
	.may_leave = edit_may_leave,
	.whole = edit_whole,
	.bar_text = edit_bar,
};
