/*
 * collect_fake.c - steps of a mailbox in memory.
 */
#include "tests/unit/collect_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/loop.h"

#define LINE "a line of a large message, which is as long as this one is..\r\n"

struct fake_box fake_box;

enum fake_state { FAKE_STARTS, FAKE_READY, FAKE_LISTS, FAKE_OPEN, FAKE_CLOSES, FAKE_OVER };

struct fake {
	struct source s;
	enum fake_state state;
	bool posted, waits, freed, cut;
	size_t list_at;
	struct { enum source_order order; uint32_t number; } orders[SOURCE_AHEAD];
	size_t order_count;
	char *text;
	size_t text_len, text_at;
	bool marked[FAKE_MESSAGES];
};

static void step(void *arg);

static void
post(struct fake *f)
{
	if (f->posted || f->waits)
		return;
	f->posted = true;
	loop_post(f->s.host->loop, step, f);
}

static void
over(struct fake *f, enum source_fault fault, const char *why)
{
	struct source_problem problem = { .fault = fault };

	snprintf(problem.why, sizeof(problem.why), "%s", why);
	snprintf(problem.remote, sizeof(problem.remote), "pop.isp.test 192.0.2.7:110");
	f->state = FAKE_OVER;
	f->s.events->over(&f->s, &problem);
}

static void
close_box(struct fake *f)
{
	for (size_t i = 0; i < fake_box.count && !fake_box.lies; i++)
		fake_box.messages[i].gone |= f->marked[i];
	if (fake_box.unanswered)
		over(f, SOURCE_LOST, "pop.isp.test: no answer to QUIT");
	else
		over(f, SOURCE_FINE, "");
}

static void
start(struct fake *f)
{
	struct source_offer offer = { .count = fake_left(), .bytes = SOURCE_SIZE_UNKNOWN,
		.has_sizes = !fake_box.no_sizes, .has_unique = !fake_box.no_unique,
		.has_head = !fake_box.no_head, .epoch = fake_box.epoch, .remote = "pop.isp.test 192.0.2.7:110",
		.tls = "TLSv1.2, verified" };

	fake_box.starts++;
	if (fake_box.silent)
		return;
	if (fake_box.locked > 0) {
		fake_box.locked--;
		over(f, SOURCE_LOCKED, "pop.isp.test: -ERR maildrop already locked");
		return;
	}
	f->state = FAKE_READY;
	f->s.ahead = fake_box.ahead ? fake_box.ahead : 1;
	f->s.events->ready(&f->s, &offer);
}

static size_t
size_of(const struct fake_message *m)
{
	return strlen(m->text) + m->repeat * (sizeof(LINE) - 1);
}

static void
list_one(struct fake *f)
{
	char unique[40];
	const struct fake_message *m;
	struct source_item item = { 0 };

	while (f->list_at < fake_box.count && fake_box.messages[f->list_at].gone)
		f->list_at++;
	if (f->list_at == fake_box.count) {
		f->state = FAKE_OPEN;
		f->s.events->listed(&f->s, !fake_box.no_unique);
		return;
	}
	m = &fake_box.messages[f->list_at++];
	item.number = (uint32_t)f->list_at;
	item.size = fake_box.no_sizes ? SOURCE_SIZE_UNKNOWN : fake_box.size_said ? fake_box.size_said : size_of(m);
	item.unwanted = m->unwanted;
	if (fake_box.epoch != 0)
		snprintf(unique, sizeof(unique), "%u.%zu", (unsigned)fake_box.epoch, f->list_at);
	else if (fake_box.ids != 0)
		snprintf(unique, sizeof(unique), "other-%u-%zu", (unsigned)fake_box.ids, f->list_at);
	else
		snprintf(unique, sizeof(unique), "uid-%zu", f->list_at);
	if (!fake_box.no_unique)
		item.unique = span_of(m->unique ? m->unique : unique);
	f->s.events->item(&f->s, &item);
}

static void
load_text(struct fake *f, const struct fake_message *m, bool head)
{
	const char *end = strstr(m->text, "\r\n\r\n");
	size_t len = strlen(m->text), line = sizeof(LINE) - 1;

	if (head && end)
		len = (size_t)(end + 4 - m->text);
	f->text_len = head ? len : size_of(m);
	f->text = malloc(f->text_len + 1);
	memcpy(f->text, m->text, len);
	for (size_t at = len; at < f->text_len; at += line)
		memcpy(f->text + at, LINE, line);
	f->text_at = 0;
}

static void
answer(struct fake *f, enum source_result result)
{
	uint32_t number = f->orders[0].number;
	enum source_order order = f->orders[0].order;

	free(f->text);
	f->text = NULL;
	memmove(f->orders, f->orders + 1, --f->order_count * sizeof(f->orders[0]));
	f->s.events->answered(&f->s, number, order, result, result == SOURCE_DONE ? SPAN_NONE : SPAN("-ERR no"));
}

static void
give_text(struct fake *f)
{
	size_t piece = fake_box.piece ? fake_box.piece : f->text_len;
	struct span text = span_range((struct span){ f->text, f->text_len }, f->text_at, f->text_at + piece);

	if (f->text_at == f->text_len) {
		answer(f, SOURCE_DONE);
	} else if (f->s.events->text(&f->s, f->orders[0].number, text)) {
		f->text_at += text.len;
	} else {
		f->waits = true;
	}
}

static void
do_order(struct fake *f)
{
	size_t place = f->orders[0].number - 1;
	struct fake_message *m = &fake_box.messages[place];

	if (f->text) {
		give_text(f);
		return;
	}
	if (fake_box.on_order)
		fake_box.on_order(f->orders[0].order, place);
	if (place + 1 == fake_box.stalls_at) {
		f->waits = true;
		fake_box.stalls++;
		return;
	}
	switch (f->orders[0].order) {
	case SOURCE_HEAD:
		fake_box.heads++;
		if (fake_box.no_head)
			answer(f, SOURCE_CANNOT);
		else if (m->head_answers != SOURCE_DONE)
			answer(f, m->head_answers);
		else
			load_text(f, m, true);
		break;
	case SOURCE_FETCH:
		fake_box.fetches++;
		if (m->answers != SOURCE_DONE)
			answer(f, m->answers);
		else
			load_text(f, m, false);
		break;
	case SOURCE_REMOVE:
		fake_box.removes++;
		f->marked[place] = true;
		answer(f, SOURCE_DONE);
		break;
	case SOURCE_KEEP:
		answer(f, SOURCE_DONE);
		break;
	}
}

static void
step(void *arg)
{
	struct fake *f = arg;

	f->posted = false;
	if (f->freed) {
		source_release(&f->s);
		return;
	}
	if (f->state == FAKE_OVER)
		return;
	fake_box.steps++;
	if (f->cut || (fake_box.cut_at > 0 && fake_box.steps > fake_box.cut_at)) {
		fake_box.cut_at = 0;
		fake_box.cuts += !f->cut;
		over(f, SOURCE_LOST, "pop.isp.test: the connection was lost");
		return;
	}
	if (f->state == FAKE_STARTS)
		start(f);
	else if (f->state == FAKE_LISTS)
		list_one(f);
	else if (f->order_count > 0)
		do_order(f);
	else if (f->state == FAKE_CLOSES)
		close_box(f);
	if (f->state != FAKE_OVER && (f->state == FAKE_LISTS || f->state == FAKE_CLOSES || f->order_count > 0))
		post(f);
}

static void
fake_start(struct source *s)
{
	post((struct fake *)s);
}

static void
fake_list(struct source *s)
{
	struct fake *f = (struct fake *)s;

	f->state = FAKE_LISTS;
	f->list_at = 0;
	post(f);
}

static void
fake_order(struct source *s, enum source_order order, uint32_t number)
{
	struct fake *f = (struct fake *)s;

	ENSURE(f->order_count < s->ahead && f->order_count < SOURCE_AHEAD);
	f->orders[f->order_count].order = order;
	f->orders[f->order_count++].number = number;
	if (f->order_count > fake_box.most_orders)
		fake_box.most_orders = (unsigned)f->order_count;
	post(f);
}

static void
fake_resume(struct source *s)
{
	struct fake *f = (struct fake *)s;

	f->waits = false;
	post(f);
}

static void
fake_close(struct source *s)
{
	struct fake *f = (struct fake *)s;

	f->state = FAKE_CLOSES;
	post(f);
}

static void
fake_cut(struct source *s)
{
	struct fake *f = (struct fake *)s;

	f->cut = true;
	f->waits = false;
	post(f);
}

static void
fake_free(struct source *s)
{
	struct fake *f = (struct fake *)s;

	free(f->text);
	f->freed = true;
	if (!f->posted)
		source_release(s);
}

const struct source_kind fake_source = { .with = "POP3", .size = sizeof(struct fake), .start = fake_start,
	.list = fake_list, .order = fake_order, .resume = fake_resume, .close = fake_close, .cut = fake_cut,
	.free = fake_free };

size_t
fake_left(void)
{
	size_t count = 0;

	for (size_t i = 0; i < fake_box.count; i++)
		count += !fake_box.messages[i].gone;
	return count;
}
