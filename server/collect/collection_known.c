/*
 * collection_known.c - what is known of a mailbox: read by a worker, some rows at a time; and rows that change besides
 * messages, in slices of a job that nobody else waits for.
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

#include "server/generation.h"
#include "server/log.h"
#include "store/store.h"

void *
collection_grow(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room > 0 ? 2 * *room : 64;
	items = realloc(items, *room * size);
	ENSURE(items); /* out of memory ends the process, see arena.h; counts are limited */
	return items;
}

/* ---- memory that takes long to free ---- */

void
collection_give_back(struct collection *c, void *block)
{
	if (!block)
		return;
	memcpy(block, &c->old, sizeof(c->old)); /* each has room for a pointer */
	c->old = block;
}

/* What a worker is to free, before it is asked; what the loop gives back meanwhile waits for the next one. */
static void
take_blocks(struct collection *c)
{
	c->given_back = c->old;
	c->old = NULL;
}

/* On a worker. */
static void
free_blocks(struct collection *c)
{
	while (c->given_back) {
		void *block = c->given_back;

		memcpy(&c->given_back, block, sizeof(c->given_back));
		free(block);
	}
}

static void
free_run(struct work *work)
{
	free_blocks(LIST_ITEM(work, struct collection, reading));
}

void
collection_free_blocks(struct collection *c, void (*done)(struct work *work, enum err result))
{
	take_blocks(c);
	c->reading = (struct work){ .loop = c->o.host->loop, .kind = WORK_GENERAL, .run = free_run, .done = done };
	if (c->given_back && workers_submit(c->o.host->workers, &c->reading) == OK)
		return;
	free_blocks(c);
	done(&c->reading, OK);
}

/* ---- reading, on a worker ---- */

static enum err
read_slice(struct collection *c, bool *more)
{
	struct fetched *rows = malloc(COLLECTION_KNOWN_SLICE * sizeof(*rows));
	const unsigned char *after = c->known_count > 0 ? c->known[c->known_count - 1].row.hash : NULL;
	struct snapshot *snap;
	size_t count = COLLECTION_KNOWN_SLICE;
	enum err err;

	ENSURE(rows);
	err = snapshot_open(c->o.host->store, &snap);
	if (err == OK) {
		err = fetched_read(snap, c->id, after, rows, &count);
		snapshot_close(&snap);
	}
	for (size_t i = 0; err == OK && i < count; i++) {
		c->known = collection_grow(c->known, c->known_count, &c->known_room, sizeof(*c->known));
		c->known[c->known_count++] = (struct collection_known){ .row = rows[i] };
		c->has_asides |= rows[i].state == FETCHED_ASIDE;
		collection_anew_see(c, &rows[i]);
	}
	free(rows);
	*more = err == OK && count == COLLECTION_KNOWN_SLICE && c->known_count < COLLECTION_KNOWN_MAX;
	return err;
}

/* A test makes nothing: its number is looked up. */
static enum err
find_id(struct collection *c)
{
	char label[FETCHED_LABEL_MAX + 1];
	struct fetched_file file = collect_file(generation_conf(c->o.generation));
	struct fetched_ask ask = { c->o.conf->name, collect_account(c->o.conf, label), host_now_ms(c->o.host), &file };
	struct snapshot *snap;
	enum err err = snapshot_open(c->o.host->store, &snap);

	if (err != OK)
		return err;
	err = fetched_collector_look(snap, &ask, &c->entry);
	c->id = err == OK ? c->entry.id : 0;
	snapshot_close(&snap);
	return err;
}

static void
read_run(struct work *work)
{
	struct collection *c = LIST_ITEM(work, struct collection, reading);
	bool more = true;

	free_blocks(c);
	c->known_count = 0;
	c->has_asides = false;
	c->anew.low = c->anew.high = 0;
	work->result = c->o.looks ? find_id(c) : OK;
	while (more && work->result == OK && c->id != 0)
		work->result = read_slice(c, &more);
	if (work->result == OK)
		c->questions = collection_read_questions(c);
}

static void
fail(struct collection *c, enum err why)
{
	collection_error(c, "what was fetched before cannot be read from the store (%s): see `postroom check`", err_name(why));
	collection_cut(c);
	collection_look(c);
}

static void
read_done(struct work *work, enum err result)
{
	struct collection *c = LIST_ITEM(work, struct collection, reading);

	c->reads = false;
	if (result == OK)
		result = work->result;
	if (result != OK) {
		fail(c, result);
		return;
	}
	c->has_known = true;
	collection_look(c);
	collection_go(c);
}

static void
read_known(struct collection *c)
{
	enum err err;

	collection_begin_rules(c);
	take_blocks(c);
	c->reading = (struct work){ .loop = c->o.host->loop, .kind = WORK_GENERAL, .run = read_run,
		.done = read_done };
	err = workers_submit(c->o.host->workers, &c->reading);
	c->reads = err == OK;
	if (err == OK)
		return;
	free_blocks(c);
	fail(c, err);
}

/* ---- its number: from now on rows follow whatever name the collector gets ---- */

static enum step
take_apply(struct store_job *job, struct txn *txn)
{
	struct collection *c = LIST_ITEM(job, struct collection, taking);
	char label[FETCHED_LABEL_MAX + 1];
	struct fetched_file file = collect_file(generation_conf(c->o.generation));
	struct fetched_ask ask = { c->o.conf->name, collect_account(c->o.conf, label), host_now_ms(c->o.host), &file };

	return step_of(job, fetched_collector_enter(txn, &ask, &c->entry));
}

/* INM-05: ids of one mailbox say nothing of another. */
static void
log_moved(const struct collection *c)
{
	log_put(c->o.host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "collect",
		.text = "another mailbox: what was fetched from the one before is not known of it, and is kept for 30 days",
		.fields = { { "collector", c->o.conf->name, 0 }, { "before", span_of(c->entry.before), 0 } } });
}

static void
take_done(struct store_job *job, enum err result)
{
	struct collection *c = LIST_ITEM(job, struct collection, taking);

	c->takes = false;
	if (result != OK) {
		fail(c, result);
		return;
	}
	c->id = c->entry.id;
	if (c->entry.moved)
		log_moved(c);
	read_known(c);
}

void
collection_know(struct collection *c)
{
	enum err err;

	c->has_known = false;
	if (c->o.looks || c->id != 0) {
		read_known(c);
		return;
	}
	c->taking = (struct store_job){ .apply = take_apply, .done = take_done,
		.inbox = c->o.host->inbox, .size_bytes = 200 };
	err = store_submit(c->o.host->store, &c->taking);
	c->takes = err == OK;
	if (err != OK)
		fail(c, err);
}

struct collection_known *
collection_known_find(struct collection *c, const unsigned char hash[FETCHED_HASH_SIZE])
{
	size_t low = 0, high = c->known_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(c->known[middle].row.hash, hash, FETCHED_HASH_SIZE) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->known_count && memcmp(c->known[low].row.hash, hash, FETCHED_HASH_SIZE) == 0
		? &c->known[low] : NULL;
}

/* ---- changes ---- */

void
collection_change(struct collection *c, const struct fetched *row, bool drop)
{
	if (c->o.looks)
		return;
	c->changes = collection_grow(c->changes, c->change_count, &c->change_room, sizeof(*c->changes));
	c->changes[c->change_count++] = (struct collection_change){ *row, drop, false };
}

void
collection_change_gone(struct collection *c, struct collection_known *known, uint32_t gone_s)
{
	known->row.gone_s = gone_s;
	collection_change(c, &known->row, false);
	if (c->change_count > 0)
		c->changes[c->change_count - 1].only_gone = true;
}

static enum err
note_gone(struct collection *c, struct txn *txn, const struct fetched *listed)
{
	struct fetched row;
	enum err err = fetched_find(txn_view(txn), c->id, listed->hash, &row);

	if (err != OK)
		return err == ERR_IO ? err : OK;
	row.gone_s = listed->gone_s;
	return fetched_put(txn, c->id, &row);
}

/* Removed: what else the row says stays. What was never stored needs none; nor what no id names, for its like may come. */
static enum err
note_removed(struct collection *c, struct txn *txn, const unsigned char *hash)
{
	struct fetched row;
	enum err err = fetched_find(txn_view(txn), c->id, hash, &row);

	if (err == ERR_IO)
		return err;
	if (err != OK || !fetched_is_here(&row) || row.mark == 0)
		return fetched_drop(txn, c->id, hash);
	row.state = FETCHED_REMOVED;
	return fetched_put(txn, c->id, &row);
}

static enum err
write_one(struct collection *c, struct txn *txn, const struct collection_change *change)
{
	if (change->drop)
		return fetched_drop(txn, c->id, change->row.hash);
	if (change->only_gone)
		return note_gone(c, txn, &change->row);
	if (change->row.state == FETCHED_REMOVED)
		return note_removed(c, txn, change->row.hash);
	return fetched_put(txn, c->id, &change->row);
}

static enum step
write_apply(struct store_job *job, struct txn *txn)
{
	struct collection *c = LIST_ITEM(job, struct collection, writing);
	size_t at = (size_t)slice_begin(&c->place, txn), end = at + FETCHED_SLICE;
	enum err err = OK;

	for (; at < c->written_count && at < end && err == OK; at++)
		err = write_one(c, txn, &c->written[at]);
	c->place.at = at;
	return err == OK && at < c->written_count ? STEP_MORE : step_of(job, err);
}

static void
write_done(struct store_job *job, enum err result)
{
	struct collection *c = LIST_ITEM(job, struct collection, writing);

	if (result != OK) /* the next collection finds it as it is, and does it again */
		log_put(c->o.host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "collect",
			.text = "what is known of a mailbox was not written",
			.fields = { { "collector", c->o.conf->name, 0 },
				{ "why", span_of(err_name(result)), 0 } } });
	collection_give_back(c, c->written);
	c->written = NULL;
	c->writes = false;
	collection_look(c);
}

void
collection_write_changes(struct collection *c)
{
	enum err err;

	if (c->writes || c->change_count == 0)
		return;
	c->written = c->changes;
	c->written_count = c->change_count;
	c->changes = NULL;
	c->change_count = c->change_room = 0;
	c->place = (struct slice_place){ 0 };
	c->writing = (struct store_job){ .apply = write_apply, .done = write_done,
		.inbox = c->o.host->inbox, .size_bytes = 64 * FETCHED_SLICE, .patient = true };
	c->writes = true;
	err = store_submit(c->o.host->store, &c->writing);
	if (err != OK)
		write_done(&c->writing, err);
}
