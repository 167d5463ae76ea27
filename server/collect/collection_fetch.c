/*
 * collection_fetch.c - one message: its text goes into an intake as it comes (collection_text.c); then for whom it is, what
 * scripts say, and the commit, in which its row is written too (INM-03).
 *
 *     ordered --text--> whole --> gathered --> planned --> scripts --> submitted --> on disk --> removed there, or left
 *                         |                      |                                      |
 *                         +-- known after all    +-- refused: for the Main Administrator +-- not stored: stays there
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

#include "server/log.h"
#include "server/metrics.h"
#include "server/rule_hits.h"

struct collection_fetch *
collection_fetch_new(struct collection *c, const struct collection_item *item)
{
	struct collection_fetch *f = aligned_alloc(_Alignof(struct collection_fetch), sizeof(*f));

	ENSURE(f);
	*f = (struct collection_fetch){ .c = c, .item = *item };
	list_append(&c->fetches, &f->link);
	c->fetch_count++;
	return f;
}

void
collection_fetch_free(struct collection_fetch *f)
{
	struct collection *c = f->c;

	collection_plan_unmark(f);
	scripts_cancel(&f->scripts);
	intake_drop(&f->intake);
	list_remove(&f->link);
	c->fetch_count--;
	c->held -= f->held;
	free(f);
	collection_look(c);
}

/* What has come whole is stored all the same; the rest comes again. */
void
collection_fetches_cut(struct collection *c)
{
	struct list *at, *following;

	list_for_each(at, following, &c->fetches) {
		struct collection_fetch *f = LIST_ITEM(at, struct collection_fetch, link);

		if (!f->whole)
			collection_fetch_free(f);
	}
	c->order_count = 0;
	c->text_waits = false;
}

/* ---- the end of one ---- */

/* What is fetched and stays there is marked as seen. */
static void
settle_left(struct collection_fetch *f)
{
	struct collection *c = f->c;

	if (c->o.conf->kind == COLLECTOR_IMAP && c->o.conf->mark_seen)
		collection_keep(c, f->item.number);
}

static void
settle_stored(struct collection_fetch *f)
{
	struct collection *c = f->c;

	if (c->source_is_over || c->closing)
		return; /* removed the next time: its row is there */
	if (!collection_leaves(c) || f->item.removes)
		collection_remove(c, f->item.has_hash ? f->item.hash : NULL, f->item.number);
	else
		settle_left(f);
}

static struct fetched
row_of(const struct collection *c, const struct collection_item *item, enum fetched_state state)
{
	uint32_t now_s = collection_now_s(c);
	struct fetched row = { .first_s = item->first_s ? item->first_s : now_s, .fetched_s = now_s,
		.state = (uint8_t)state, .epoch = item->by_header ? 0 : c->epoch };

	memcpy(row.hash, item->hash, sizeof(row.hash));
	return row;
}

/* It is here, or will be with the row. */
static struct fetched
row_stored(const struct collection_fetch *f)
{
	struct fetched row = row_of(f->c, &f->item, f->item.removes ? FETCHED_TO_GO : FETCHED_STORED);

	row.mark = f->like;
	return row;
}

/* It did not come, and its header was not asked for either. */
static void
not_had(struct collection *c, const struct collection_item *item, const char *why, struct span more)
{
	collection_item_error(c, item, why, more);
	if (!c->end.offer.has_head)
		collection_anew_unsure(c, item);
}

/* It stays there, and is tried again after a day (TRB-06). */
static void
set_aside(struct collection_fetch *f, const char *why, struct span more)
{
	not_had(f->c, &f->item, why, more);
	collection_set_aside(f->c, &f->item);
	collection_fetch_free(f);
}

/* MORE may live in F. */
static void
put_off(struct collection_fetch *f, const char *why, struct span more)
{
	struct collection *c = f->c;
	struct collection_item again = f->item;

	if (again.tries + 1 >= COLLECTION_TRIES || c->fetches_none) {
		not_had(c, &again, why, more);
		collection_fetch_free(f);
		return;
	}
	collection_fetch_free(f);
	again.tries++;
	again.state = ITEM_WANTED; /* its header is not asked for again */
	c->items = collection_grow(c->items, c->item_count, &c->item_room, sizeof(*c->items));
	c->items[c->item_count] = again;
	c->wanted = collection_grow(c->wanted, c->wanted_count, &c->wanted_room, sizeof(*c->wanted));
	c->wanted[c->wanted_count++] = (uint32_t)c->item_count++;
}

static void
log_fetched(const struct collection_fetch *f)
{
	const struct mail *mail = &f->intake->mail;

	log_put(f->c->o.host->log,
		&(struct log_line){ .level = LEVEL_INFO, .area = "collect", .message = mail->id,
			.text = "fetched",
			.fields = { { "collector", mail->collect, 0 }, { "number", .number = f->item.number },
				{ "from", mail->envelope.reverse_path.text, 0 },
				{ "recipients", .number = (int64_t)mail->envelope.recipient_count },
				{ "size", .number = (int64_t)mail->size },
				{ "copies", .number = (int64_t)f->intake->plan.copy_count } } });
}

static void
count_stored(struct collection_fetch *f)
{
	struct host *host = f->c->o.host;

	metric_add(host->metrics, delivered, f->intake->placed_count);
	metric_add(host->metrics, queued, f->intake->queued_count);
	rule_hits_count(host, &f->intake->mail, &f->intake->plan);
	atomic_fetch_add(&f->c->shown.fetched, 1);
	metric_add(host->metrics, collected, 1);
	metric_add(host->metrics, collected_bytes, f->intake->mail.size);
	log_fetched(f);
}

/* What it means for the others. */
static void
on_not_stored(struct collection_fetch *f, enum err result)
{
	struct collection *c = f->c;

	if (result == ERR_BUSY) {
		put_off(f, "the store has too much to write, the next run tries again", SPAN_NONE);
		return;
	}
	if (result == ERR_FULL || ++c->io_errors >= COLLECTION_IO_ERRORS_MAX) {
		if (!c->fetches_none)
			collection_tell_no_room(c, result);
		collection_stop_fetching(c);
		atomic_fetch_add(&c->shown.failed, 1);
		collection_fetch_free(f);
	} else {
		set_aside(f, "it could not be stored, and stays there (postroom log show --level error)",
			span_of(err_name(result)));
	}
}

static void
on_done(struct intake *in, enum err result)
{
	struct collection_fetch *f = in->holder;
	struct collection *c = f->c;

	c->storing--;
	if (result == OK) {
		f->is_marked = false; /* it stays so for the others */
		c->io_errors = 0;
		count_stored(f);
		settle_stored(f);
		collection_fetch_free(f);
	} else {
		on_not_stored(f, result);
	}
	collection_resume(c);
	collection_pump(c);
}

/* ---- what becomes of it ---- */

static void
submit(struct collection_fetch *f)
{
	struct intake *in = f->intake;
	struct fetched_order *order = ARENA_NEW(&in->arena, struct fetched_order);

	if (f->item.has_hash) {
		*order = (struct fetched_order){ f->c->id, row_stored(f) };
		in->fetched = order;
	}
	f->submitted = true;
	f->c->storing++;
	intake_submit(in);
}

/* The pipeline would not have it; it was accepted long ago, so it is kept. */
static void
keep(struct collection_fetch *f)
{
	struct span why = arena_copy(&f->intake->arena, f->intake->plan.reply.text);
	enum err err = collection_plan_keep(f);

	if (err != OK) {
		set_aside(f, "it is refused here, and stays there for another try tomorrow", why);
		return;
	}
	f->kept_aside = true;
	collection_item_error(f->c, &f->item, "it is refused here, and was kept for the Main Administrator", why);
	submit(f);
}

static void
obey(struct collection_fetch *f, enum err said)
{
	struct collection *c = f->c;

	if (said == OK)
		submit(f);
	else if (said == ERR_DENIED)
		keep(f);
	else
		put_off(f, "it could not be taken now, the next run tries again",
			f->intake->plan.reply.text);
	collection_pump(c);
}

static void
on_scripts(struct scripts_question *q)
{
	struct collection_fetch *f = LIST_ITEM(q, struct collection_fetch, scripts);

	obey(f, collection_plan_end(f));
}

/* A double of another: nothing of it is written but its row. */
static void
pass_over(struct collection_fetch *f)
{
	struct collection *c = f->c;
	struct fetched row = row_stored(f);

	if (f->item.has_hash)
		collection_change(c, &row, false);
	settle_stored(f);
	collection_fetch_free(f);
	collection_pump(c);
}

/* It is stored already, as ROW. */
static void
pass_known(struct collection_fetch *f, const struct fetched *row)
{
	struct collection *c = f->c;

	if (!c->source_is_over && !c->closing && !collection_settle_known(c, row, f->item.number))
		settle_left(f);
	collection_fetch_free(f);
	collection_pump(c);
}

static void
decide(struct collection_fetch *f)
{
	const struct fetched *known = collection_same_known(f);
	bool is_double = false;
	enum err err;

	if (known) {
		pass_known(f, known);
		return;
	}
	err = collection_plan_front(f, &is_double);
	if (err == OK && is_double) {
		pass_over(f);
		return;
	}
	f->scripts = (struct scripts_question){ .done = on_scripts };
	if (err == OK && scripts_ask(f->c->o.host, &f->scripts, &f->intake->mail, &f->intake->plan))
		return;
	obey(f, err == OK ? collection_plan_end(f) : err);
}

static void
gather(struct collection_fetch *f)
{
	if (intake_gather(f->intake))
		decide(f);
}

static void
on_room(struct intake *in)
{
	struct collection_fetch *f = in->holder;

	collection_resume(f->c);
}

static void
on_gathered(struct intake *in)
{
	gather(in->holder);
}

const struct intake_events collection_intake_events = { .done = on_done, .room = on_room,
	.gathered = on_gathered };

/* The text is whole. */
static void
end_text(struct collection_fetch *f)
{
	bool is_cut;

	f->whole = true;
	if (f->passes) {
		set_aside(f, "it is larger than limits.message_size, and stays there: raise that, or remove it there",
			SPAN_NONE);
		return;
	}
	if (!f->intake)
		collection_text_open(f);
	if (!f->begun && !collection_text_first(f)) {
		put_off(f, "there is no memory for it now, the next run tries again (limits.memory_in_flight)", SPAN_NONE);
		return;
	}
	is_cut = f->intake->mail.header_is_over; /* the rest of it was not kept */
	if (intake_text_end(f->intake) != OK)
		put_off(f, "the store is too busy for it, the next run tries again", SPAN_NONE);
	else if (is_cut)
		set_aside(f, "its header is over limits.header_size, and it stays there: raise that, or remove it there",
			SPAN_NONE);
	else
		gather(f);
}

void
collection_fetch_end(struct collection_fetch *f, enum source_result result, struct span answer)
{
	struct collection *c = f->c;

	if (result == SOURCE_DONE) {
		end_text(f);
		return;
	}
	if (result == SOURCE_BROKEN) {
		set_aside(f, "it is no message, and stays there", answer);
		return;
	}
	if (result != SOURCE_GONE)
		not_had(c, &f->item, "it cannot be fetched", answer);
	collection_fetch_free(f);
}
