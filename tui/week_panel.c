/*
 * week_panel.c - see week_panel.h. The figures of the grid are reckoned here, the next runs by the server.
 */
#include "tui/week_panel.h"
#include "tui/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEEK_MINUTES (WEEK_DAYS * WEEK_HOURS * 60)

static const char day_words[] = "mon|tue|wed|thu|fri|sat|sun";

/* ---- reckoning ---- */

/* "09:30", or -1. */
static int
minutes_of(struct span text)
{
	uint64_t hours, minutes;
	struct span first, rest;

	text = span_trim(text);
	if (!span_cut(text, ':', &first, &rest) || span_u64(first, 24, &hours) != OK || span_u64(rest, 59, &minutes) != OK)
		return -1;
	return hours * 60 + minutes <= 24 * 60 ? (int)(hours * 60 + minutes) : -1;
}

static void
count_one(unsigned counts[WEEK_DAYS][WEEK_HOURS], int day, int64_t second)
{
	int64_t minute = (day * 24 * 60 + second / 60) % WEEK_MINUTES;

	counts[minute / (24 * 60)][minute / 60 % WEEK_HOURS]++;
}

void
week_count(const struct week_plan *p, unsigned counts[WEEK_DAYS][WEEK_HOURS])
{
	int64_t to = p->to < p->from ? (p->to + 24 * 60) * 60 : p->to * 60;

	if (p->to == 24 * 60 && p->from < p->to)
		to--; /* 0:00 belongs to the next day */
	memset(counts, 0, sizeof(counts[0]) * WEEK_DAYS);
	for (int day = 0; day < WEEK_DAYS; day++) {
		struct span rest = span_of(p->at), one;

		if (!(p->days >> day & 1))
			continue;
		while (rest.len > 0) {
			(void)span_cut(rest, ';', &one, &rest);
			if (minutes_of(one) >= 0)
				count_one(counts, day, minutes_of(one) * 60);
		}
		for (int64_t at = p->from * 60; !p->at[0] && p->every_s > 0 && at <= to; at += p->every_s)
			count_one(counts, day, at);
	}
}

bool
week_is_changed(const struct week *w)
{
	const struct week_plan *a = &w->base, *b = &w->plan;

	return a->days != b->days || a->from != b->from || a->to != b->to || a->every_s != b->every_s ||
		a->enabled != b->enabled || strcmp(a->at, b->at) != 0;
}

static void
put_day_words(unsigned days, struct buf *out)
{
	struct span rest = span_of(day_words), word;

	for (int i = 0; rest.len > 0; i++) {
		(void)span_cut(rest, '|', &word, &rest);
		if (days >> i & 1)
			out->overflow |= buf_printf(out, "%s%.*s", buf_span(out).len ? "," : "", SPAN_FMT(word)) != OK;
	}
}

/* ---- what the server has ---- */

static void
read_plan(const struct json *row, struct week_plan *p)
{
	const struct json *days = json_find(row, SPAN("days")), *at = json_find(row, SPAN("at"));
	struct span rest = span_of(day_words), word;
	size_t len = 0;

	*p = (struct week_plan){ .every_s = (int64_t)json_number_or(json_find(row, SPAN("every")), 0),
		.enabled = json_truth(json_find(row, SPAN("enabled"))) };
	for (int i = 0; rest.len > 0; i++) {
		(void)span_cut(rest, '|', &word, &rest);
		for (const struct json *day = days ? days->first : NULL; day; day = day->next)
			p->days |= span_eq(day->text, word) ? 1u << i : 0;
	}
	p->from = minutes_of(json_text(json_find(row, SPAN("from"))));
	p->to = minutes_of(json_text(json_find(row, SPAN("to"))));
	p->from = p->from < 0 ? 0 : p->from;
	p->to = p->to < 0 ? 24 * 60 : p->to;
	for (const struct json *time = at ? at->first : NULL; time; time = time->next)
		if (len + time->text.len + 2 < sizeof(p->at))
			len += (size_t)snprintf(p->at + len, sizeof(p->at) - len, "%s%.*s", len ? ";" : "", SPAN_FMT(time->text));
}

static void ask(struct week *w);

static void
runs_came(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct week *w = s->state;

	w->asked = false;
	s->console->dirty = true;
	if (reply->error) {
		console_say_error(s->console, reply->error);
	} else {
		arena_reset(&w->arena);
		w->runs = json_find(reply->result, SPAN("rows"));
		link_reply_keep(reply, &w->arena);
	}
	if (w->again)
		ask(w);
}

/* All keys of the plan, or what was changed of it, as members. */
static void
put_keys(const struct week *w, bool changed, struct json_writer *out)
{
	const struct week_plan *p = &w->plan, *b = &w->base;
	struct arena a;
	struct buf days;

	arena_init(&a, NULL);
	buf_init(&days, WEEK_TEXT_MAX);
	put_day_words(p->days, &days);
	json_put_object(out);
	if (!changed || p->enabled != b->enabled)
		json_put_member_string(out, SPAN("enabled"), p->enabled ? SPAN("yes") : SPAN("no"));
	if (!changed || p->days != b->days)
		json_put_member_string(out, SPAN("days"), buf_span(&days));
	if (!changed || p->from != b->from)
		json_put_member_string(out, SPAN("from"), arena_printf(&a, "%02d:%02d", p->from / 60, p->from % 60));
	if (!changed || p->to != b->to)
		json_put_member_string(out, SPAN("to"), arena_printf(&a, "%02d:%02d", p->to / 60, p->to % 60));
	if (!changed || p->every_s != b->every_s)
		json_put_member_string(out, SPAN("every"), arena_printf(&a, "%llds", (long long)p->every_s));
	if (!changed || strcmp(p->at, b->at) != 0)
		json_put_member_string(out, SPAN("at"), span_of(p->at));
	json_put_close(out);
	buf_fini(&days);
	arena_reset(&a);
}

/* METHOD with the schedule's name and its keys. */
static bool
call(struct week *w, const char *method, bool changed, link_done *done)
{
	struct screen *s = w->screen;
	struct params p;

	params_begin(&p);
	json_put_member_string(&p.w, SPAN("name"), s->place->key);
	json_put_name(&p.w, SPAN("keys"));
	put_keys(w, changed, &p.w);
	return params_send(&p, &s->console->link, method, done, s);
}

static void
ask(struct week *w)
{
	w->again = w->asked;
	if (w->asked || w->screen->console->state != CONSOLE_UP)
		return;
	w->asked = call(w, "schedule.next", false, runs_came);
}

/* ---- changing ---- */

static void
changed(struct week *w)
{
	week_count(&w->plan, w->counts);
	w->screen->console->dirty = true;
	ask(w);
}

static void
begin_here(struct screen *s)
{
	struct week *w = s->state;

	w->plan.from = w->hour * 60;
	changed(w);
}

static void
end_here(struct screen *s)
{
	struct week *w = s->state;

	w->plan.to = (w->hour + 1) * 60;
	changed(w);
}

static void
switch_it(struct screen *s)
{
	struct week *w = s->state;

	w->plan.enabled = !w->plan.enabled;
	changed(w);
}

/* "15m", "1h", "90s"; 0: none. False: it is none of these. */
static bool
read_every(struct span text, int64_t *every_s)
{
	static const char units[] = "smhd";
	static const int64_t seconds[] = { 1, 60, 3600, WEEK_DAY_S };
	const char *unit = text.len > 0 ? strchr(units, text.ptr[text.len - 1]) : NULL;
	uint64_t number;

	if (span_u64(unit ? span_range(text, 0, text.len - 1) : text, 7 * WEEK_DAY_S, &number) != OK || (!unit && number > 0))
		return false;
	*every_s = (int64_t)number * (unit ? seconds[unit - units] : 1);
	return *every_s <= 7 * WEEK_DAY_S;
}

static void
every_done(struct screen *s, struct span text)
{
	struct week *w = s->state;

	if (!read_every(span_trim(text), &w->plan.every_s)) {
		console_say(s->console, STYLE_ERROR, "! an interval is 15m, 1h, 2d; 0 for none");
		return;
	}
	if (w->plan.every_s > 0)
		w->plan.at[0] = '\0'; /* one or the other */
	changed(w);
}

static void
ask_every(struct screen *s)
{
	const struct week *w = s->state;
	struct buf now;

	buf_init(&now, WEEK_TEXT_MAX);
	print_interval(&now, (uint64_t)w->plan.every_s);
	console_ask(s->console, "every (15m, 1h)", buf_span(&now), NULL, every_done);
	buf_fini(&now);
}

static void
at_done(struct screen *s, struct span text)
{
	struct week *w = s->state;
	struct span rest = text, one;

	while (rest.len > 0) {
		(void)span_cut(rest, ';', &one, &rest);
		if (minutes_of(one) < 0) {
			console_say(s->console, STYLE_ERROR, "! %.*s is no time: 08:00;12:30", SPAN_FMT(one));
			return;
		}
	}
	snprintf(w->plan.at, sizeof(w->plan.at), "%.*s", SPAN_FMT(span_range(text, 0, sizeof(w->plan.at) - 1)));
	changed(w);
}

/* Fixed times; the hour under the cursor is offered. */
static void
ask_at(struct screen *s)
{
	const struct week *w = s->state;
	struct arena a;

	arena_init(&a, NULL);
	console_ask(s->console, "at (08:00;12:30)",
		arena_printf(&a, "%s%s%02d:00", w->plan.at, w->plan.at[0] ? ";" : "", w->hour), NULL, at_done);
	arena_reset(&a);
}

static void
saved(void *owner, struct link_reply *reply)
{
	struct screen *s = owner;
	struct week *w = s->state;

	s->console->dirty = true;
	if (reply->error) {
		console_say_error(s->console, reply->error);
		return;
	}
	w->base = w->plan;
	console_tell_done(s->console, control_method_find(SPAN("schedule.set")), reply->result);
	ask(w);
}

static void
save(struct screen *s)
{
	struct week *w = s->state;
	struct console *c = s->console;
	const struct control_method *method = control_method_find(SPAN("schedule.set"));

	if (!control_method_allowed(method, c->rights, c->read_only))
		console_say(c, STYLE_ERROR, "! this is not allowed: it wants the right %s", control_right_name(method->right));
	else if (!week_is_changed(w))
		console_say(c, STYLE_DIM, "nothing was changed");
	else if (!call(w, method->method, true, saved))
		console_say(c, STYLE_ERROR, "! no server answers: nothing was done");
}

/* ---- the panel ---- */

static void
week_open(struct screen *s)
{
	struct week *w = s->state;

	w->screen = s;
	arena_init(&w->arena, NULL);
	read_plan(s->place->row, &w->base);
	w->plan = w->base;
	w->hour = w->plan.from / 60 % WEEK_HOURS;
	week_count(&w->plan, w->counts);
}

static void
week_close(struct screen *s)
{
	struct week *w = s->state;

	arena_reset(&w->arena);
}

static void
week_enter(struct screen *s)
{
	ask(s->state);
}

static bool
week_act(struct screen *s, enum act act)
{
	struct week *w = s->state;

	switch (act) {
	case ACT_DOWN: w->day = (w->day + 1) % WEEK_DAYS; break;
	case ACT_UP: w->day = (w->day + WEEK_DAYS - 1) % WEEK_DAYS; break;
	case ACT_RIGHT: w->hour = (w->hour + 1) % WEEK_HOURS; break;
	case ACT_LEFT: w->hour = (w->hour + WEEK_HOURS - 1) % WEEK_HOURS; break;
	case ACT_FIRST: w->day = 0; break;
	case ACT_LAST: w->day = WEEK_DAYS - 1; break;
	case ACT_MARK:
		w->plan.days ^= 1u << w->day;
		changed(w);
		break;
	case ACT_MARK_ALL:
		w->plan.days = (1u << WEEK_DAYS) - 1;
		changed(w);
		break;
	case ACT_RELOAD: ask(w); break;
	default: return false;
	}
	s->console->dirty = true;
	return true;
}

static bool
week_press(struct screen *s, const struct press *press)
{
	struct week *w = s->state;

	w->leaving = w->leaving && (press->key == KEY_ESC || press->key == KEY_FN(10) || press->key == 'q');
	if (press->key == KEY_FN(2))
		save(s);
	return press->key == KEY_FN(2);
}

static bool
week_may_leave(struct screen *s)
{
	struct week *w = s->state;

	if (w->leaving || !week_is_changed(w))
		return true;
	w->leaving = true;
	console_say(s->console, STYLE_WARNING, "~ the schedule is not saved, Esc again leaves (F2 saves)");
	return false;
}

static void
week_bar(struct screen *s, struct buf *out)
{
	(void)s;
	print_put(out, SPAN("F1? Help  F2 Save  space Day  * All days  F9: Cmd  F10q Back"));
}

static const enum act week_acts[] = { ACT_DOWN, ACT_UP, ACT_RIGHT, ACT_LEFT, ACT_FIRST, ACT_LAST, ACT_MARK, ACT_MARK_ALL,
	ACT_RELOAD, ACT_NONE };

const struct panel_class week_panel = {
	.size = sizeof(struct week),
	.open = week_open,
	.close = week_close,
	.enter = week_enter,
	.press = week_press,
	.act = week_act,
	.draw = week_draw,
	.may_leave = week_may_leave,
	.bar_text = week_bar,
	.acts = week_acts,
};

const struct screen_class screen_week = {
	.name = "week",
	.title = "Week",
	.panel = &week_panel,
	.subject = "name",
	.keys = (const struct key_action[]){
		{ 'B', "From here", "schedule.set", .run = begin_here, .help = "The window begins with the hour under the cursor." },
		{ 'T', "To here", "schedule.set", .run = end_here, .help = "The window ends with the hour under the cursor." },
		{ 'I', "Interval", "schedule.set", .run = ask_every, .help = "How often in the window." },
		{ 'A', "Fixed times", "schedule.set", .run = ask_at, .help = "Times of the day instead of an interval." },
		{ 'E', "On/off", "schedule.set", .run = switch_it, .help = "A schedule that is off never fires." },
		{ 0 } },
	.help = "How often the schedule fires in each hour of the week. space: the day counts or not; F2 saves.",
};
