/*
 * collection_known.c - what is known of a mailbox: read by a worker, some rows at a time; and rows that change besides
 * messages, in slices of a job that nobody else waits for.
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- reading, on a worker ---- */

static enum err
read_slice(struct collection *c, bool *more)
{
	struct fetched *rows = malloc(COLLECTION_KNOWN_SLICE * sizeof(*rows));
	const unsigned char *after = c->known_count > 0 ? c->known[c->known_count - 1].row.hash : NULL;
	struct snapshot *snap;
	size_t count = 0;
	enum err err;

	ENSURE(rows);
	err = snapshot_open(c->o.host->store, &snap);
	if (err == OK) {
		err = fetched_read(snap, c->id, after, rows, COLLECTION_KNOWN_SLICE, &count);
		snapshot_close(&snap);
	}
	for (size_t i = 0; i < count; i++) {
		c->known = collection_grow(c->known, c->known_count, &c->known_room, sizeof(*c->known));
		c->known[c->known_count++] = (struct collection_known){ .row = rows[i] };
	}
	free(rows);
	*more = err == OK && count == COLLECTION_KNOWN_SLICE && c->known_count < COLLECTION_KNOWN_MAX;
	return err;
}

/* A test makes nothing: its number is looked up. */
static enum err
find_id(struct collection *c)
{
	struct fetched_collector found;
	struct snapshot *snap;
	enum err err = snapshot_open(c->o.host->store, &snap);

	if (err != OK)
		return err;
	err = fetched_collector_find(snap, c->o.conf->name, &found);
	c->id = err == OK ? found.id : 0;
	snapshot_close(&snap);
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
read_run(struct work *work)
{
	struct collection *c = LIST_ITEM(work, struct collection, reading);
	bool more = true;

	c->known_count = 0;
	work->result = c->o.looks ? find_id(c) : OK;
	while (more && work->result == OK && c->id != 0)
		work->result = read_slice(c, &more);
}

static void
fail(struct collection *c, enum err why)
{
	collection_error(c, "what was fetched before cannot be read: %s", err_name(why));
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

	c->reading = (struct work){ .loop = c->o.host->loop, .kind = WORK_GENERAL, .run = read_run,
		.done = read_done };
	err = workers_submit(c->o.host->workers, &c->reading);
	c->reads = err == OK;
	if (err != OK)
		fail(c, err);
}

/* ---- its number ---- */

static enum step
take_apply(struct store_job *job, struct txn *txn)
{
	struct collection *c = LIST_ITEM(job, struct collection, taking);

	return step_of(job, fetched_collector_take(txn, c->o.conf->name, &c->id));
}

static void
take_done(struct store_job *job, enum err result)
{
	struct collection *c = LIST_ITEM(job, struct collection, taking);

	c->takes = false;
	if (result == OK)
		read_known(c);
	else
		fail(c, result);
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
	c->changes[c->change_count++] = (struct collection_change){ *row, drop };
}

static enum step
write_apply(struct store_job *job, struct txn *txn)
{
	struct collection *c = LIST_ITEM(job, struct collection, writing);
	size_t at = (size_t)slice_begin(&c->place, txn), end = at + FETCHED_SLICE;
	enum err err = OK;

	for (; at < c->written_count && at < end && err == OK; at++)
		err = c->written[at].drop ? fetched_drop(txn, c->id, c->written[at].row.hash)
					  : fetched_put(txn, c->id, &c->written[at].row);
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
	free(c->written);
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
