/*
 * ids.c - numbers that only rise.
 *
 * Message numbers: `next` runs towards `mark`, which is on disk. With less than half a block left,
 * the next commit moves the mark; where no commit is under way, the writer is woken to make one.
 */
#include "store/ids.h"

#include "store/lmdb_txn.h"

enum err
id_last(struct snapshot *snap, enum store_counter counter, uint64_t *out)
{
	struct counters counters;
	enum err err = counters_load(snap, &counters);

	if (err == OK)
		*out = counters.last[counter];
	return err;
}

uint64_t
id_next(struct txn *txn, enum store_counter counter)
{
	return ++txn->counters.last[counter];
}

uint32_t
id_next_uidvalidity(struct txn *txn)
{
	uint64_t *last = &txn->counters.last[COUNTER_uidvalidity];
	uint64_t now_s = txn->now_ms / 1000;

	if (now_s > UINT32_MAX) /* a clock that is far off must not make it wrap */
		now_s = 0;
	*last = now_s > *last ? now_s : *last + 1;
	return (uint32_t)*last;
}

void
id_jump(struct txn *txn)
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (i != COUNTER_uidvalidity) /* 32 bits, and it follows the clock */
			txn->counters.last[i] += ID_JUMP;
	txn->counters.message_no_mark += ID_JUMP;
}

static void
ask_for_block(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	if (!store->reserve_numbers) {
		store->reserve_numbers = true;
		pthread_cond_signal(&store->work);
	}
	pthread_mutex_unlock(&store->lock);
}

enum err
message_no_next(struct store *store, uint64_t *out)
{
	uint64_t number = atomic_load(&store->message_no_next), mark;

	do {
		mark = atomic_load(&store->message_no_mark);
		if (number >= mark) {
			ask_for_block(store);
			return ERR_BUSY;
		}
	} while (!atomic_compare_exchange_weak(&store->message_no_next, &number, number + 1));
	if (mark - number == MESSAGE_NO_BLOCK / 2)
		ask_for_block(store);
	*out = number;
	return OK;
}
