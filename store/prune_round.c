/*
 * prune_round.c - when the next round is.
 */
#include "store/prune_round.h"

#include "store/table.h"

#define ROUND_VERSION 1
#define ROUND_ROOM (RECORD_HEAD + 4 * 8)
#define ROUND_KEY SPAN("next")

static uint64_t
within_bounds(uint64_t every_ms)
{
	if (every_ms < PRUNE_EVERY_MIN_MS)
		return PRUNE_EVERY_MIN_MS;
	return every_ms < PRUNE_EVERY_MAX_MS ? every_ms : PRUNE_EVERY_MAX_MS;
}

struct prune_round
prune_round_after(const struct prune_round *before, uint64_t count, uint64_t now_ms)
{
	struct prune_round r = { .last_ms = now_ms, .last_count = count };
	uint64_t every_ms = within_bounds(before->every_ms);

	if (count == 0)
		every_ms *= 2;
	else if (count >= PRUNE_MUCH)
		every_ms /= 2;
	r.every_ms = within_bounds(every_ms);
	r.next_ms = now_ms + r.every_ms;
	return r;
}

struct prune_round
prune_round_soon(const struct prune_round *before, uint64_t now_ms)
{
	struct prune_round r = *before;

	r.every_ms = PRUNE_EVERY_FIRST_MS;
	if (r.next_ms > now_ms + PRUNE_EVERY_MIN_MS || r.next_ms == 0)
		r.next_ms = now_ms + PRUNE_EVERY_MIN_MS;
	return r;
}

enum err
prune_round_get(struct snapshot *snap, struct prune_round *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct prune_round){ .every_ms = PRUNE_EVERY_FIRST_MS };
	key_name(&key, ROUND_KEY);
	err = table_get_record(snap, TABLE_prune_round, &key, ROUND_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	out->next_ms = record_take_u64(&in);
	out->every_ms = record_take_u64(&in);
	out->last_ms = record_take_u64(&in);
	out->last_count = record_take_u64(&in);
	return record_end(&in);
}

enum err
prune_round_put(struct txn *txn, const struct prune_round *round)
{
	char room[ROUND_ROOM];
	struct record_out out;
	struct key key;

	key_name(&key, ROUND_KEY);
	record_begin(&out, room, sizeof(room), ROUND_VERSION);
	record_put_u64(&out, round->next_ms);
	record_put_u64(&out, round->every_ms);
	record_put_u64(&out, round->last_ms);
	record_put_u64(&out, round->last_count);
	return table_put_record(txn, TABLE_prune_round, &key, &out);
}
