/*
 * archive_addresses.c - each address of the archive, and in which blocks it is: for what is looked for by a pattern.
 *
 *	"*"                       -> first u32, last u32 block of messages with addresses that have no row; then where a
 *	                             sweep goes on, empty when none is due
 *	role, lower-case address  -> first u32, last u32 block
 *
 * Where "*" is not there the archive began before this table was: it is not asked then.
 */
#include "proto/base/ascii.h"
#include "store/archive_inside.h"
#include "store/traces.h"

#define ALL SPAN("*")
#define ROW_SIZE 8
#define NO_BLOCK UINT32_MAX

struct range {
	uint32_t first, last;
	struct span rest;
};

static enum err
range_get(struct snapshot *snap, const struct key *key, struct range *out)
{
	enum err err = table_get(snap, TABLE_archive_addresses, key, &out->rest);

	if (err != OK)
		return err;
	return key_take_u32(&out->rest, &out->first) == OK && key_take_u32(&out->rest, &out->last) == OK
		? OK : table_damaged(snap, TABLE_archive_addresses, key_span(key), "blocks");
}

static enum err
range_put(struct txn *txn, const struct key *key, const struct range *range)
{
	struct key value; /* numbers as keys have them; what follows is a key or nothing */

	key_begin(&value);
	key_put_u32(&value, range->first);
	key_put_u32(&value, range->last);
	key_put_bytes(&value, range->rest);
	return table_put(txn, TABLE_archive_addresses, key, key_span(&value));
}

static void
key_all(struct key *key)
{
	key_name(key, ALL);
}

/* ---- writing ---- */

static enum err
touch(struct txn *txn, const struct key *key, uint32_t block)
{
	struct range range;
	enum err err = range_get(txn_view(txn), key, &range);

	if (err == OK && range.first != NO_BLOCK && range.last == block)
		return OK;
	if (err != OK)
		range = (struct range){ .first = NO_BLOCK };
	if (range.first == NO_BLOCK)
		range.first = block;
	range.last = block;
	return err == OK || err == ERR_NOT_FOUND || err == ERR_CORRUPT ? range_put(txn, key, &range) : err;
}

static enum err
touch_address(struct txn *txn, enum archive_role role, struct span address, uint32_t block)
{
	struct key key;

	if (address.len > ARCHIVE_ADDRESS_MAX) {
		key_all(&key);
		return touch(txn, &key, block);
	}
	key_begin(&key);
	key_put_u8(&key, (uint8_t)role);
	key_put_bytes(&key, arena_lower(txn_arena(txn), address));
	return touch(txn, &key, block);
}

enum err
archive_addresses_begin(struct txn *txn)
{
	struct key key;

	key_all(&key);
	return range_put(txn, &key, &(struct range){ .first = NO_BLOCK });
}

enum err
archive_addresses_add(struct txn *txn, uint64_t id, const struct archive_message *m)
{
	uint32_t block = (uint32_t)(id / ARCHIVE_BLOCK);
	struct span rest = m->recipients, address;
	unsigned count = 0;
	struct range all;
	struct key key;
	enum err err;

	key_all(&key);
	err = range_get(txn_view(txn), &key, &all);
	if (err == ERR_NOT_FOUND) /* it began before */
		return OK;
	if (err == OK)
		err = touch_address(txn, ARCHIVE_FROM, m->from, block);
	while (err == OK && count++ < ARCHIVE_ADDRESSES_MAX && trace_recipient_next(&rest, &address))
		err = touch_address(txn, ARCHIVE_TO, address, block);
	if (err == OK && rest.len > 0)
		err = touch(txn, &key, block);
	return err;
}

/* ---- reading ---- */

enum err
archive_addresses_all(struct snapshot *snap, struct archive_address *out)
{
	struct range range;
	struct key key;
	enum err err;

	key_all(&key);
	err = range_get(snap, &key, &range);
	*out = (struct archive_address){ .first = range.first, .last = range.last };
	out->is_none = err == OK && range.first == NO_BLOCK;
	return err;
}

enum err
archive_address_next(struct snapshot *snap, enum archive_role role, struct span behind,
	struct archive_address *out)
{
	struct span at;
	struct row row;
	struct key key;
	uint8_t has;
	enum err err;

	key_begin(&key);
	key_put_u8(&key, (uint8_t)role);
	if (behind.ptr) {
		key_put_bytes(&key, behind);
		key_put_u8(&key, 0);
	}
	err = table_seek(snap, TABLE_archive_addresses, &key, &row);
	if (err != OK)
		return err;
	*out = (struct archive_address){ .text = row.key };
	at = row.value;
	if (key_take_u8(&out->text, &has) != OK || has != role)
		return ERR_NOT_FOUND;
	if (key_take_u32(&at, &out->first) != OK || key_take_u32(&at, &out->last) != OK) {
		out->first = 0; /* anywhere */
		out->last = NO_BLOCK;
	}
	return OK;
}

/* ---- sweeping ---- */

enum err
archive_addresses_due(struct txn *txn)
{
	struct range all;
	struct key key;
	enum err err;

	key_all(&key);
	err = range_get(txn_view(txn), &key, &all);
	if (err != OK)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	if (all.rest.len > 0)
		return OK;
	all.rest = ALL; /* the first is behind it */
	return range_put(txn, &key, &all);
}

/* Rows behind KEY that end before BLOCK go; KEY becomes where it goes on. ERR_NOT_FOUND: the end. */
static enum err
sweep_some(struct txn *txn, uint32_t block, unsigned most, struct key *key)
{
	enum err err = OK;

	for (; most > 0 && err == OK; most--) {
		uint32_t last = 0;
		struct span at;
		struct row row;

		key_put_u8(key, 0);
		err = table_seek(txn_view(txn), TABLE_archive_addresses, key, &row);
		if (err != OK)
			break;
		at = span_from(row.value, sizeof(last));
		key_name(key, row.key);
		if (key_take_u32(&at, &last) != OK || last < block)
			err = table_delete(txn, TABLE_archive_addresses, key);
	}
	return err;
}

enum err
archive_addresses_sweep(struct txn *txn, uint32_t block, unsigned most, bool *more)
{
	struct key key, all;
	struct range range;
	enum err err;

	*more = false;
	key_all(&all);
	err = range_get(txn_view(txn), &all, &range);
	if (err != OK || range.rest.len == 0)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	key_name(&key, range.rest);
	err = sweep_some(txn, block, most, &key);
	*more = err == OK;
	range.rest = *more ? key_span(&key) : SPAN_NONE;
	return err == OK || err == ERR_NOT_FOUND ? range_put(txn, &all, &range) : err;
}
