/*
 * counts.c - figures of the directory in one record.
 */
#include "store/counts.h"

#include <string.h>

#include "store/table.h"

#define COUNTS_VERSION 1
#define COUNTS_ROOM (RECORD_HEAD + 8 * COUNT_COUNT)

static const char *const names[] = {
#define X(name) #name,
	STORE_COUNTS(X)
#undef X
};

const char *
count_name(enum store_count count)
{
	return names[count];
}

static void
counts_key(struct key *key)
{
	key_name(key, SPAN("directory"));
}

enum err
counts_get(struct snapshot *snap, struct counts *out)
{
	struct key key;
	struct record_in in;
	enum err err;

	memset(out, 0, sizeof(*out));
	counts_key(&key);
	err = table_get_record(snap, TABLE_counts, &key, COUNTS_VERSION, &in);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return err;
	for (size_t i = 0; i < COUNT_COUNT && record_left(&in) > 0; i++)
		out->at[i] = record_take_u64(&in);
	return record_end(&in);
}

enum err
counts_put(struct txn *txn, const struct counts *counts)
{
	char room[COUNTS_ROOM];
	struct record_out out;
	struct key key;

	counts_key(&key);
	record_begin(&out, room, sizeof(room), COUNTS_VERSION);
	for (size_t i = 0; i < COUNT_COUNT; i++)
		record_put_u64(&out, counts->at[i]);
	return table_put_record(txn, TABLE_counts, &key, &out);
}

enum err
counts_change(struct txn *txn, const struct counts *add, const struct counts *remove)
{
	struct counts counts;
	enum err err;

	if (memcmp(add, remove, sizeof(*add)) == 0)
		return OK;
	err = counts_get(txn_view(txn), &counts);
	if (err != OK) /* damaged figures stop no mail: check counts anew (H49) */
		return err == ERR_CORRUPT ? OK : err;
	for (size_t i = 0; i < COUNT_COUNT; i++)
		counts.at[i] += add->at[i] - remove->at[i];
	return counts_put(txn, &counts);
}
