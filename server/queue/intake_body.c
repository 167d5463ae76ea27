/*
 * intake_body.c - the body of a message in memory, and on its way to the writer.
 */
#include "server/queue/intake_body.h"

#include <stdlib.h>
#include <string.h>

#include "server/metrics.h"
#include "store/bodies.h"

#define BLOCK_FIRST (2 * BODY_PIECE_DATA)  /* bytes: a message of 4 KB and a bit */
#define BLOCK_NEXT  (16 * BODY_PIECE_DATA) /* bytes */
#define PIECE_BLOCKS_MAX 32                /* blocks that one job takes */

struct body_block {
	struct list link;
	size_t len, size;
	char bytes[];
};

/* Full blocks on their way into the store; freed in done(). */
struct piece_job {
	struct store_job job;
	struct intake *in;
	struct list blocks;
	struct span spans[PIECE_BLOCKS_MAX];
	size_t count;
	uint64_t at; /* bytes of the body before these */
};

void
intake_charge(struct intake *in, size_t size)
{
	in->held += size;
	metric_add(in->host->metrics, memory_in_flight, size);
}

void
intake_uncharge(struct intake *in, size_t size)
{
	in->held -= size;
	metric_add(in->host->metrics, memory_in_flight, -(int64_t)size);
}

bool
intake_is_crowded(const struct intake *in)
{
	return metric_get(in->host->metrics, memory_in_flight) >
		in->host->conf->limits_memory_in_flight;
}

static struct body_block *
last_block(struct intake *in)
{
	if (list_is_empty(&in->blocks))
		return NULL;
	return LIST_ITEM(in->blocks.prev, struct body_block, link);
}

static struct body_block *
block_add(struct intake *in, size_t size)
{
	struct body_block *block = malloc(sizeof(*block) + size);

	ENSURE(block);
	block->len = 0;
	block->size = size;
	list_append(&in->blocks, &block->link);
	intake_charge(in, size);
	return block;
}

void
intake_body_put(struct intake *in, struct span text)
{
	struct body_block *block = last_block(in);

	in->has_8bit = in->has_8bit || !span_is_ascii(text);
	while (text.len > 0) {
		size_t room, take;

		if (!block || block->len == block->size)
			block = block_add(in, in->body_size == 0 ? BLOCK_FIRST : BLOCK_NEXT);
		room = block->size - block->len;
		take = text.len < room ? text.len : room;
		memcpy(block->bytes + block->len, text.ptr, take);
		block->len += take;
		in->body_size += take;
		text = span_from(text, take);
	}
}

static void
blocks_free(struct intake *in, struct list *blocks)
{
	struct list *link;

	while ((link = list_take_first(blocks))) {
		struct body_block *block = LIST_ITEM(link, struct body_block, link);

		intake_uncharge(in, block->size);
		free(block);
	}
}

void
intake_body_free(struct intake *in)
{
	blocks_free(in, &in->blocks);
}

void
intake_body_spans(struct intake *in)
{
	struct list *at, *following;
	size_t count = 0;

	list_for_each(at, following, &in->blocks)
		count++;
	in->spans = ARENA_ARRAY(&in->arena, struct span, count + 1);
	in->span_count = 0;
	list_for_each(at, following, &in->blocks) {
		struct body_block *block = LIST_ITEM(at, struct body_block, link);

		in->spans[in->span_count++] = (struct span){ block->bytes, block->len };
	}
	in->mail.body = (struct mail_content){ .size = in->failed == OK ? in->body_size : 0,
		.stored = in->flushed, .body_id = in->body_id, .spans = in->spans,
		.span_count = in->span_count };
	if (in->failed != OK) /* it is not all there, and will not be written */
		in->mail.body.stored = in->mail.body.span_count = 0;
}

static enum step
piece_apply(struct store_job *job, struct txn *txn)
{
	struct piece_job *piece = LIST_ITEM(job, struct piece_job, job);
	struct intake *in = piece->in;
	enum err err;

	if (piece->at == 0) {
		in->body_id = 0;
		if ((err = body_begin(txn, &in->body_id)) != OK)
			return step_of(job, err);
	}
	if (in->body_id == 0)
		return step_of(job, ERR_IO); /* the first piece failed */
	return step_of(job, body_write(txn, in->body_id, piece->at,
				    (struct body_source){ piece->spans, piece->count }));
}

static void
piece_done(struct store_job *job, enum err result)
{
	struct piece_job *piece = LIST_ITEM(job, struct piece_job, job);
	struct intake *in = piece->in;

	blocks_free(in, &piece->blocks);
	free(piece);
	intake_piece_done(in, result);
}

/* Take full blocks off the front, as many as one job carries. */
static struct piece_job *
piece_new(struct intake *in)
{
	struct piece_job *piece = calloc(1, sizeof(*piece));

	ENSURE(piece);
	piece->in = in;
	piece->at = in->flushed;
	list_init(&piece->blocks);
	while (!list_is_empty(&in->blocks) && piece->count < PIECE_BLOCKS_MAX) {
		struct body_block *block = LIST_ITEM(in->blocks.next, struct body_block, link);

		if (block->len < block->size)
			break;
		list_remove(&block->link);
		list_append(&piece->blocks, &block->link);
		piece->spans[piece->count++] = (struct span){ block->bytes, block->len };
		piece->job.size_bytes += block->len;
	}
	piece->job.apply = piece_apply;
	piece->job.done = piece_done;
	piece->job.inbox = in->host->inbox;
	piece->job.incoming = true;
	return piece;
}

/* Give full blocks to the writer. False where there are none, or enough jobs are under way. */
static bool
flush(struct intake *in)
{
	struct piece_job *piece;
	enum err err;

	if (in->jobs >= INTAKE_JOBS_MAX || in->failed != OK)
		return false;
	piece = piece_new(in);
	if (piece->count == 0) {
		free(piece);
		return false;
	}
	in->jobs++;
	in->flushed += piece->job.size_bytes;
	err = store_submit(in->host->store, &piece->job);
	if (err != OK)
		piece_done(&piece->job, err);
	return true;
}

static size_t
bytes_waiting(const struct intake *in)
{
	return (size_t)(in->body_size - in->flushed);
}

/* The whole pieces of a last block that is not full can go; what is left gets a small one. */
static void
part_last_block(struct intake *in)
{
	struct body_block *block = last_block(in), *rest;
	size_t tail = block ? block->len % BODY_PIECE_DATA : 0;

	if (!block || block->len < BODY_PIECE_DATA || block->len == block->size)
		return;
	block->len -= tail;
	intake_uncharge(in, block->size - block->len);
	block->size = block->len;
	if (tail == 0)
		return;
	rest = block_add(in, BLOCK_FIRST);
	memcpy(rest->bytes, block->bytes + block->len, tail);
	rest->len = tail;
}

bool
intake_body_has_room(struct intake *in, size_t size)
{
	struct body_block *block = last_block(in);

	if (in->failed != OK)
		return true; /* it is thrown away */
	if (block && block->size - block->len >= size)
		return true;
	if (bytes_waiting(in) >= INTAKE_PIECE && !flush(in))
		return false;
	if (!intake_is_crowded(in))
		return true;
	part_last_block(in);
	if (flush(in) || in->jobs > 0)
		return false;
	/* Nothing of ours can be moved away: what one read brings is granted, so everybody gets on. */
	return true;
}

static enum step
abandon_apply(struct store_job *job, struct txn *txn)
{
	struct intake *in = LIST_ITEM(job, struct intake, job);

	return step_of(job, body_abandon(txn, in->body_id));
}

static void
abandon_done(struct store_job *job, enum err result)
{
	(void)result; /* where it failed, housekeeping sweeps the body after a day */
	intake_piece_done(LIST_ITEM(job, struct intake, job), OK);
}

void
intake_body_abandon(struct intake *in)
{
	in->job = (struct store_job){ .apply = abandon_apply, .done = abandon_done,
		.inbox = in->host->inbox };
	in->jobs++;
	in->flushed = 0;
	if (store_submit(in->host->store, &in->job) != OK)
		abandon_done(&in->job, ERR_BUSY);
}
