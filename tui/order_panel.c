/*
 * order_panel.c - see order_panel.h. Whether an order makes sense is the server's to say: a preview of `collect set`.
 */
#include "tui/order_panel.h"

#include <stdio.h>
#include <string.h>

#define ORDER_TEXT_MAX 256

static const char usual[] = "special;stop-if-any;standard;stop-if-any;received";

static const struct {
	const char *word, *help;
} steps[] = {
	{ "special", "the special fields, those that read_special says" },
	{ "standard", "To, Cc, Apparently-To, Resent-To, Resent-Cc" },
	{ "received", "`for <address>` in Received, those that read_received says" },
	{ "stop-if-any", "ends here if anybody of ours was found above" },
	{ "stop", "ends here" },
};

struct order {
	unsigned char base[ORDER_STEPS_MAX], now[ORDER_STEPS_MAX]; /* places in `steps` */
	size_t base_count, count, at;
	bool known, asked, leaving;
};

/* "special;standard" or a list of them; unknown words are left out. */
static void
take_word(struct order *o, struct span word)
{
	for (size_t i = 0; i < COUNT(steps); i++)
		if (span_eq(span_trim(word), span_of(steps[i].word)) && o->count < ORDER_STEPS_MAX)
			o->now[o->count++] = (unsigned char)i;
}

static void
keep_as_base(struct order *o)
{
	memcpy(o->base, o->now, sizeof(o->base));
	o->base_count = o->count;
}

static bool
is_changed(const struct order *o)
{
	return o->count != o->base_count || memcmp(o->now, o->base, o->count) != 0;
}

/* ---- the server ---- */

static void
shown(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct order *o = s->state;
	const struct json *order = json_find(reply->result, SPAN("order"));

	o->asked = false;
	s->console->dirty = true;
	if (reply->error) {
		console_say_error(s->console, reply->error);
		return;
	}
	if (o->known && is_changed(o))
		return;
	o->count = 0;
	for (const struct json *at = order ? order->first : NULL; at; at = at->next)
		take_word(o, at->text);
	keep_as_base(o);
	o->known = true;
}

static void
order_enter(struct screen *s)
{
	struct order *o = s->state;
	struct buf params;

	if (o->asked || s->console->state != CONSOLE_UP)
		return;
	buf_init(&params, CONTROL_LINE_MAX);
	if (console_put_params(s, s->method, NULL, NULL, &params))
		o->asked = server_link_call(&s->console->link, s->method->method, buf_span(&params), shown, s) != 0;
	buf_fini(&params);
}

static void
put_call(const struct screen *s, struct json_writer *w)
{
	const struct order *o = s->state;
	struct buf text;

	buf_init(&text, ORDER_TEXT_MAX);
	for (size_t i = 0; i < o->count; i++)
		text.overflow |= buf_printf(&text, "%s%s", i ? ";" : "", steps[o->now[i]].word) != OK;
	json_put_object(w);
	json_put_member_string(w, SPAN("name"), s->place->key);
	json_put_name(w, SPAN("keys"));
	json_put_object(w);
	json_put_member_string(w, SPAN("order"), buf_span(&text));
	json_put_close(w);
	json_put_close(w);
	buf_fini(&text);
}

static void
checked(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;

	s->console->dirty = true;
	if (reply->error)
		console_say_error(s->console, reply->error);
	else
		console_say(s->console, STYLE_OK, "the order can be used; F2 saves it");
}

static void
saved(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;

	s->console->dirty = true;
	if (reply->error) {
		console_say_error(s->console, reply->error);
		return;
	}
	keep_as_base(s->state);
	console_tell_done(s->console, control_method_find(SPAN("collect.set")), reply->result);
}

/* The order as it stands here: shown only (CHECK), or saved. */
static void
send_order(struct screen *s, bool check)
{
	struct console *c = s->console;
	struct json_writer w;
	struct buf params;

	buf_init(&params, CONTROL_LINE_MAX);
	json_writer_init(&w, &params);
	if (check) {
		json_put_object(&w);
		json_put_member_string(&w, SPAN("method"), SPAN("collect.set"));
		json_put_name(&w, SPAN("params"));
	}
	put_call(s, &w);
	if (check)
		json_put_close(&w);
	if (json_writer_end(&w) != OK || server_link_call(&c->link, check ? "preview" : "collect.set", buf_span(&params),
						 check ? checked : saved, s) == 0)
		console_say(c, STYLE_ERROR, "! no server answers: nothing was done");
	buf_fini(&params);
}

/* ---- keys ---- */

static void
check_order(struct screen *s)
{
	send_order(s, true);
}

static void
set_default(struct screen *s)
{
	struct order *o = s->state;
	struct span rest = span_of(usual), word;

	o->count = o->at = 0;
	while (rest.len > 0) {
		(void)span_cut(rest, ';', &word, &rest);
		take_word(o, word);
	}
	console_say(s->console, STYLE_DIM, "as it is by default; F2 saves it");
}

static void
move_step(struct screen *s, int by)
{
	struct order *o = s->state;
	size_t to = o->at + (size_t)(ptrdiff_t)by;
	unsigned char word;

	if (to >= o->count)
		return;
	word = o->now[o->at];
	o->now[o->at] = o->now[to];
	o->now[to] = word;
	o->at = to;
}

static void
move_up(struct screen *s)
{
	move_step(s, -1);
}

static void
move_down(struct screen *s)
{
	move_step(s, 1);
}

static void
add_step(struct screen *s)
{
	struct order *o = s->state;
	size_t at = o->count > 0 ? o->at + 1 : 0;

	if (o->count == ORDER_STEPS_MAX) {
		console_say(s->console, STYLE_WARNING, "an order has at most %d steps", ORDER_STEPS_MAX);
		return;
	}
	memmove(o->now + at + 1, o->now + at, o->count - at);
	o->now[at] = 3; /* stop-if-any; space makes it another */
	o->count++;
	o->at = at;
}

static void
remove_step(struct screen *s)
{
	struct order *o = s->state;

	if (o->count == 0)
		return;
	memmove(o->now + o->at, o->now + o->at + 1, o->count - o->at - 1);
	o->count--;
	o->at -= o->at > 0 && o->at == o->count;
}

static bool
order_act(struct screen *s, enum act act)
{
	struct order *o = s->state;

	switch (act) {
	case ACT_DOWN: o->at += o->at + 1 < o->count; break;
	case ACT_UP: o->at -= o->at > 0; break;
	case ACT_FIRST: o->at = 0; break;
	case ACT_LAST: o->at = o->count > 0 ? o->count - 1 : 0; break;
	case ACT_MARK:
		if (o->count > 0)
			o->now[o->at] = (unsigned char)((o->now[o->at] + 1u) % COUNT(steps));
		break;
	case ACT_RELOAD: order_enter(s); break;
	default: return false;
	}
	s->console->dirty = true;
	return true;
}

static bool
order_press(struct screen *s, const struct press *press)
{
	struct order *o = s->state;

	o->leaving = o->leaving && (press->key == KEY_ESC || press->key == KEY_FN(10) || press->key == 'q');
	if (press->key != KEY_FN(2))
		return false;
	if (is_changed(o))
		send_order(s, false);
	else
		console_say(s->console, STYLE_DIM, "nothing was changed");
	return true;
}

static bool
order_may_leave(struct screen *s)
{
	struct order *o = s->state;

	if (o->leaving || !is_changed(o))
		return true;
	o->leaving = true;
	console_say(s->console, STYLE_WARNING, "~ the order is not saved, Esc again leaves (F2 saves)");
	return false;
}

static void
order_bar(struct screen *s, struct buf *out)
{
	(void)s;
	print_put(out, SPAN("F1? Help  F2 Save  space Another step  F9: Cmd  F10q Back"));
}

static void
order_draw(struct screen *s, struct rect at)
{
	struct order *o = s->state;
	struct cells *c = &s->console->cells;

	cells_put(c, (struct rect){ at.row, 1, 1, at.cols - 1 },
		o->known ? SPAN("Who a message is for is read in this order:") : SPAN("loading ..."), STYLE_DIM);
	for (size_t i = 0; i < o->count && (int)i + 2 < at.rows; i++) {
		struct rect to = { at.row + 2 + (int)i, 0, 1, at.cols };
		bool here = i == o->at;
		char text[120];

		snprintf(text, sizeof(text), "%c  %zu  %-13s %s", here ? '>' : ' ', i + 1, steps[o->now[i]].word, steps[o->now[i]].help);
		cells_put_field(c, to, span_of(text), here ? STYLE_CURSOR : STYLE_PLAIN, false);
		if (here)
			c->cursor_row = to.row;
	}
	if (o->known && o->count == 0)
		cells_put(c, (struct rect){ at.row + 2, 3, 1, at.cols - 3 }, SPAN("nothing is read: D sets the default"), STYLE_WARNING);
}

static void
order_title(struct screen *s, struct buf *out)
{
	print_put(out, is_changed(s->state) ? SPAN("not saved") : SPAN(""));
}

static const enum act order_acts[] = { ACT_DOWN, ACT_UP, ACT_FIRST, ACT_LAST, ACT_MARK, ACT_RELOAD, ACT_NONE };

const struct panel_class order_panel = {
	.size = sizeof(struct order),
	.enter = order_enter,
	.press = order_press,
	.act = order_act,
	.draw = order_draw,
	.title = order_title,
	.may_leave = order_may_leave,
	.bar_text = order_bar,
	.acts = order_acts,
};

const struct screen_class screen_order = {
	.name = "order",
	.title = "Reading order",
	.panel = &order_panel,
	.method = "collect.show",
	.subject = "name",
	.keys = (const struct key_action[]){
		{ 'C', "Check order", "collect.set", .run = check_order, .help = "Ask the server whether the order can be used; nothing is changed." },
		{ 'D', "Set default", "collect.set", .run = set_default, .help = "Special, stop if any, standard, stop if any, Received." },
		{ 'K', "Move up", "collect.set", .run = move_up, .help = "The step is read earlier." },
		{ 'J', "Move down", "collect.set", .run = move_down, .help = "The step is read later." },
		{ 'c', "Add", "collect.set", .run = add_step, .help = "A step below this one; space makes it another." },
		{ 'd', "Remove", "collect.set", .run = remove_step, .help = "Take this step out." },
		{ 0 } },
	.help = "In which order the header of collected mail is read to find out who it is for. Nothing changes before F2.",
};
