/*
 * veil.c - see veil.h.
 */
#include "store/veil.h"

#include <endian.h>

#include "store/lmdb_txn.h"
#include "store/store_dir.h"

#define META_VEIL "veil"  /* VEIL_MARK_SIZE zeros, mixed: tells one key from another */
#define VEIL_MARK_SIZE 16
#define VEIL_MARK_VERSION 1

bool
veil_is_on(const struct store *store)
{
	return store->options.veil.on && veil_has_key(store);
}

bool
veil_has_key(const struct store *store)
{
	return store->options.veil.mix != NULL;
}

void
veil_mix(const struct store *store, const struct veil_row *row, char *bytes, size_t len)
{
	struct {
		uint64_t id, salt;
		uint32_t part, table;
	} nonce = { htole64(row->id), htole64(row->salt), htole32(row->part),
		htole32((uint32_t)row->table) };

	_Static_assert(sizeof(nonce) == STORE_VEIL_NONCE, "all of it is filled");
	store->options.veil.mix(store->options.veil.arg, (const unsigned char *)&nonce, bytes, len);
}

struct span
veil_lift(struct snapshot *snap, const struct veil_row *row, struct span veiled)
{
	char *room;

	if (!veil_has_key(snap->store))
		return veiled;
	room = snapshot_copy(snap, veiled);
	veil_mix(snap->store, row, room, veiled.len);
	return (struct span){ room, veiled.len };
}

/* ---- which key ---- */

static const struct veil_row mark_row = { .table = TABLE_meta };

static void
make_mark(const struct store *store, char mark[VEIL_MARK_SIZE])
{
	memset(mark, 0, VEIL_MARK_SIZE);
	veil_mix(store, &mark_row, mark, VEIL_MARK_SIZE);
}

bool
store_lacks_key(const struct store *store)
{
	return store->lacks_key;
}

enum err
veil_check(struct snapshot *snap, struct store_fault *why)
{
	char mark[VEIL_MARK_SIZE];
	struct record_in in;
	struct key key;
	enum err err;

	key_name(&key, SPAN(META_VEIL));
	err = table_get_record(snap, TABLE_meta, &key, VEIL_MARK_VERSION, &in);
	if (err == ERR_NOT_FOUND)
		return OK;
	snap->store->lacks_key = err == OK && !veil_has_key(snap->store);
	if (snap->store->lacks_key)
		return snap->store->options.mode != STORE_SERVE ? OK : store_fault_set(why, ERR_DENIED,
			"%s: its messages are encrypted and there is no key (bring back the file of "
			"secrets.key)", snap->store->path);
	if (err != OK)
		return store_fault_set(why, ERR_CORRUPT, "%s: its row `veil` is damaged",
			snap->store->path);
	make_mark(snap->store, mark);
	if (span_eq(record_take_rest(&in), (struct span){ mark, sizeof(mark) }))
		return OK;
	return store_fault_set(why, ERR_DENIED,
		"%s: its messages are encrypted with another key (bring back the file of secrets.key that "
		"belongs to this store)",
		snap->store->path);
}

enum err
veil_mark(struct txn *txn)
{
	char room[RECORD_HEAD + VEIL_MARK_SIZE], mark[VEIL_MARK_SIZE];
	struct record_out out;
	struct span old;
	struct key key;
	enum err err;

	if (!veil_is_on(txn->view.store))
		return OK;
	key_name(&key, SPAN(META_VEIL));
	err = table_get(txn_view(txn), TABLE_meta, &key, &old);
	if (err != ERR_NOT_FOUND)
		return err;
	make_mark(txn->view.store, mark);
	record_begin(&out, room, sizeof(room), VEIL_MARK_VERSION);
	record_put_raw(&out, (struct span){ mark, sizeof(mark) });
	return table_put_record(txn, TABLE_meta, &key, &out);
}
