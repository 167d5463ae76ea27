/*
 * bin_sweep.c - the end of a message's time in the bin.
 */
#include "store/bin_rows.h"
#include "store/lmdb_txn.h"
#include "store/message_pass.h"
#include "store/rows.h"

#define SWEEP_MESSAGES 150 /* expunged in a slice */
#define SWEEP_BINS 300     /* looked at in a slice */
#define SWEEP_ROUNDS 12    /* of a full store: from 30 days to minutes */

struct sweeping {
	struct txn *txn;
	struct bin_sweep *state;
	uint64_t before_ms;
	struct folder bin;
	struct folder_room room;
};

/* Is the entry old enough to go? Its copy tells where the row does not. */
static enum err
is_due(struct sweeping *s, const struct entry *e, bool *due)
{
	struct origin o;
	struct copy copy;
	enum err err = origin_of(txn_view(s->txn), s->bin.folder_id, e->uid, &o);

	*due = err == OK && o.removed_ms != 0 && o.removed_ms < s->before_ms;
	if (err == ERR_CORRUPT || (err == OK && o.removed_ms != 0))
		return OK; /* of a damaged one nobody knows the time: it waits for check */
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	err = copy_get(txn_view(s->txn), e->copy_id, &copy);
	*due = err != OK || copy.save_ms < s->before_ms; /* damaged: check has told of it */
	return err == ERR_IO ? err : OK;
}

/* Rows that hold for nothing any more: those before the one of FIRST_UID. */
static enum err
forget_origins(struct sweeping *s, uint32_t first_uid)
{
	struct key prefix, key;
	struct row row;
	struct origin o;
	enum err err = origin_of(txn_view(s->txn), s->bin.folder_id, first_uid, &o);
	uint32_t keep = err == OK ? o.first_uid : 0;

	key_u64(&prefix, s->bin.folder_id);
	while (err == OK) {
		uint32_t uid;
		struct span at;

		err = table_seek(txn_view(s->txn), TABLE_binned, &prefix, &row);
		if (err != OK || !row_has_prefix(&row, &prefix))
			break;
		at = span_from(row.key, prefix.len);
		if (key_take_u32(&at, &uid) != OK || uid >= keep)
			break;
		key_name(&key, row.key);
		err = table_delete(s->txn, TABLE_binned, &key);
	}
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* The first messages of the bin whose time is over. */
static enum err
sweep_messages(struct sweeping *s, size_t *count)
{
	uint32_t uids[SWEEP_MESSAGES];
	struct entry entry = { .uid = 0 };
	bool due = true;
	enum err err = OK;

	for (*count = 0; *count < SWEEP_MESSAGES && due; *count += due) {
		err = entry_next(txn_view(s->txn), s->bin.folder_id, entry.uid, &entry);
		if (err == OK)
			err = is_due(s, &entry, &due);
		if (err != OK)
			break;
		if (due) {
			uids[*count] = entry.uid;
			s->state->freed_bytes += entry.size;
		}
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (*count == 0)
		return forget_origins(s, err == OK ? entry.uid : UINT32_MAX);
	return message_expunge(s->txn, &s->bin, (struct uid_list){ uids, *count }, 0, count);
}

static enum err
forget_bin(struct txn *txn, uint64_t bin_id)
{
	struct key prefix;
	bool more;

	key_u64(&prefix, bin_id);
	return rows_purge(txn, TABLE_binned, &prefix, SWEEP_MESSAGES, &more);
}

/* The bin of the first row behind state->at. Rows whose bin is gone go as well. */
static enum err
sweep_bin(struct sweeping *s, size_t *count)
{
	struct origin o;
	struct key key;
	struct row row;
	enum err err;

	*count = 0;
	if (s->state->at == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64(&key, s->state->at + 1);
	err = table_seek(txn_view(s->txn), TABLE_binned, &key, &row);
	if (err == OK)
		err = origin_take(txn_view(s->txn), &row, &o);
	if (err == OK || err == ERR_CORRUPT) {
		s->state->at = o.bin_id; /* a damaged one is for check, others wait behind it */
		if (err == OK)
			err = folder_load(s->txn, o.user_id, o.bin_id, &s->bin, &s->room);
		if (err == ERR_NOT_FOUND)
			return forget_bin(s->txn, o.bin_id);
	} else {
		return err;
	}
	if (err == OK)
		err = sweep_messages(s, count);
	if (*count > 0)
		s->state->at = o.bin_id - 1; /* at it again */
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* How old what goes in this round is at least. */
static uint64_t
round_age_ms(const struct bin_sweep *state)
{
	uint64_t keep = state->keep_ms > BIN_KEEP_MIN_MS ? state->keep_ms : BIN_KEEP_MIN_MS;

	return state->round < SWEEP_ROUNDS ? keep >> state->round : 0;
}

/* The walk is over. A full store begins another, until it has what it wants. */
static bool
next_round(struct txn *txn, struct bin_sweep *state)
{
	bool wants = store_is_full(txn_store(txn)) &&
		     state->freed_bytes < room_wanted(txn_store(txn));

	state->at = 0;
	return wants && state->round++ < SWEEP_ROUNDS;
}

enum err
bin_sweep_some(struct txn *txn, struct bin_sweep *state, bool *more)
{
	struct sweeping s = { .txn = txn, .state = state };
	uint64_t now_ms = txn_now_ms(txn), age_ms = round_age_ms(state);
	size_t count;

	s.before_ms = now_ms > age_ms ? now_ms - age_ms : 0;
	*more = true;
	for (unsigned i = 0; i < SWEEP_BINS; i++) {
		enum err err = sweep_bin(&s, &count);

		if (err == ERR_NOT_FOUND)
			*more = next_round(txn, state);
		if (err != OK || count > 0)
			return err == ERR_NOT_FOUND ? OK : err;
	}
	return OK;
}
