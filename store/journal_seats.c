/*
 * journal_seats.c - rows of addresses that the journal covers.
 */
#include "store/journal_seats.h"

#include "store/counts.h"
#include "store/rows.h"

const char *const seat_kind_words[] = { "internal", "external", NULL };

#define SEAT_FIELDS(X)                                                                             \
	X(kind, 1, FIELD_WORD, 1, seat_kind_words, FIELD_SHOWN)                                    \
	X(since_ms, 2, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                   \
	X(last_ms, 3, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags)                                                      \
	FIELD_ROW(journal_seat, name, tag, kind, max, words, flags)
	SEAT_FIELDS(X)
#undef X
};

static const struct journal_seat defaults;

const struct field_table journal_seat_table = { fields, COUNT(fields), &defaults,
	sizeof(struct journal_seat) };

static bool
is_key(struct span address)
{
	return address.len > 0 && address.len <= JOURNAL_ADDRESS_MAX;
}

/* ---- reading ---- */

enum err
journal_seat_find(struct snapshot *snap, struct span address, struct journal_seat *out)
{
	struct key key;
	enum err err;

	if (!is_key(address))
		return ERR_NOT_FOUND;
	key_name(&key, address);
	err = row_get_fields(snap, TABLE_journal_seats, &key, &journal_seat_table, out);
	out->address = address;
	return err;
}

enum err
journal_seat_next(struct snapshot *snap, struct journal_seat *out)
{
	struct key key;
	struct row row;
	enum err err;

	key_name(&key, out->address);
	if (out->address.len > 0)
		key_put_u8(&key, 0); /* behind it */
	err = table_seek(snap, TABLE_journal_seats, &key, &row);
	if (err == OK)
		err = row_fields(snap, TABLE_journal_seats, &row, &journal_seat_table, out);
	if (err == OK)
		out->address = row.key;
	return err;
}

enum err
journal_seat_count(struct snapshot *snap, uint64_t used[SEAT_KINDS])
{
	struct counts counts;
	enum err err = counts_get(snap, &counts);

	used[SEAT_INTERNAL] = err == OK ? counts.at[COUNT_seats_internal] : 0;
	used[SEAT_EXTERNAL] = err == OK ? counts.at[COUNT_seats_external] : 0;
	return err;
}

/* ---- writing ---- */

static enum err
seat_put(struct txn *txn, const struct journal_seat *seat)
{
	struct key key;

	key_name(&key, seat->address);
	return row_put_fields(txn, TABLE_journal_seats, &key, &journal_seat_table, seat);
}

enum err
journal_seat_note(struct txn *txn, struct span address, enum seat_kind kind, int64_t now_ms)
{
	struct journal_seat seat;
	uint64_t used[SEAT_KINDS];
	enum err err = journal_seat_find(txn_view(txn), address, &seat);

	if (err == OK && seat.kind == kind) {
		if (now_ms - seat.last_ms < JOURNAL_LAST_STEP_MS)
			return OK;
		seat.last_ms = now_ms;
		return seat_put(txn, &seat);
	}
	if (!is_key(address) || (err != OK && err != ERR_NOT_FOUND && err != ERR_CORRUPT))
		return is_key(address) ? err : OK;
	err = journal_seat_count(txn_view(txn), used);
	if (err != OK || used[kind] >= JOURNAL_SEATS_MAX)
		return err;
	seat = (struct journal_seat){
		.address = address, .kind = (uint8_t)kind, .since_ms = now_ms, .last_ms = now_ms };
	return seat_put(txn, &seat);
}

enum err
journal_seat_remove(struct txn *txn, struct span address)
{
	struct key key;

	if (!is_key(address))
		return ERR_NOT_FOUND;
	key_name(&key, address);
	return row_delete(txn, TABLE_journal_seats, &key);
}
