/*
 * contents.c - rows of header and body_id, with a count of their owners.
 *
 * The row is written once where the caller guessed the owners right: what a job adds and takes is
 * kept in the transaction and settled at the job's end.
 */
#include "store/contents.h"

#include "store/bodies.h"
#include "store/graves.h"
#include "store/ids.h"
#include "store/veil.h"

#define CONTENT_VERSION 2 /* veiled: a salt, then derived and header mixed (veil.h) */
#define CONTENT_PLAIN 1
#define FIXED_ROOM (RECORD_HEAD + 7 * 10) /* head, and seven varints at their longest */

/*
 * The numbers into FIXED, so that the size is known; then header and all straight into the
 * database.
 */
static enum err
content_put(struct txn *txn, const struct content *c, bool is_new)
{
	bool mixes = veil_is_on(txn_store(txn)) && !c->veiled, veils = mixes || c->veiled;
	struct veil_row veil = { TABLE_contents, c->content_id, 0,
		c->veiled ? c->salt : txn_now_ms(txn) };
	char fixed[FIXED_ROOM], *room;
	struct record_out out;
	struct span value;
	struct key key;
	size_t size, at;
	enum err err;

	record_begin(&out, fixed, sizeof(fixed), veils ? CONTENT_VERSION : CONTENT_PLAIN);
	record_put_varint(&out, c->body_id);
	record_put_varint(&out, c->body_size);
	record_put_varint(&out, c->owners);
	record_put_varint(&out, c->derived.len);
	if (veils)
		record_put_varint(&out, veil.salt);
	at = out.len;
	size = at + c->derived.len + c->header.len;
	key_u64(&key, c->content_id);
	err = is_new ? table_reserve_append(txn, TABLE_contents, &key, size, &room)
		     : table_reserve(txn, TABLE_contents, &key, size, &room);
	if (err != OK)
		return err;
	memcpy(room, fixed, out.len);
	out.bytes = room;
	out.max = size;
	record_put_raw(&out, c->derived);
	record_put_raw(&out, c->header);
	if (mixes && !out.overflow)
		veil_mix(txn_store(txn), &veil, room + at, size - at);
	return record_seal(&out, TABLE_contents, &key, &value);
}

static enum err
check_limits(const struct content *c)
{
	bool over = c->header.len > CONTENT_HEADER_MAX || c->derived.len > CONTENT_DERIVED_MAX ||
		c->body_size > CONTENT_SIZE_MAX - c->header.len;

	return over ? ERR_LIMIT : OK;
}

enum err
content_get(struct snapshot *snap, uint64_t content_id, struct content *out)
{
	struct veil_row veil = { .table = TABLE_contents, .id = content_id };
	struct record_in in;
	struct key key;
	uint64_t derived_len;
	bool veiled;
	enum err err;

	key_u64(&key, content_id);
	err = table_get_record(snap, TABLE_contents, &key, CONTENT_VERSION, &in);
	if (err != OK)
		return err;
	veiled = in.version == CONTENT_VERSION;
	*out = (struct content){ .content_id = content_id };
	out->body_id = record_take_varint(&in);
	out->body_size = record_take_varint(&in);
	out->owners = record_take_varint(&in);
	derived_len = record_take_varint(&in);
	if (veiled)
		veil.salt = record_take_varint(&in);
	if (in.bad || derived_len > record_left(&in))
		return table_damaged(snap, TABLE_contents, key_span(&key), "fields");
	out->header = record_take_rest(&in);
	out->salt = veil.salt;
	out->veiled = veiled && !veil_has_key(snapshot_store(snap));
	if (veiled)
		out->header = veil_lift(snap, &veil, out->header);
	out->derived = span_range(out->header, 0, derived_len);
	out->header = span_from(out->header, derived_len);
	return OK;
}

enum err
content_prev(struct snapshot *snap, uint64_t before, struct content *out)
{
	struct span bytes;
	struct key key;
	struct row row;
	uint64_t id;
	enum err err;

	*out = (struct content){ .content_id = before };
	key_u64(&key, before);
	err = table_seek_before(snap, TABLE_contents, &key, &row);
	if (err != OK)
		return err;
	bytes = row.key;
	if (key_take_u64(&bytes, &id) != OK)
		return table_damaged(snap, TABLE_contents, row.key, "key");
	err = content_get(snap, id, out);
	out->content_id = id;
	return err;
}

enum err
content_add(struct txn *txn, struct content *content, bool body_is_shared)
{
	enum err err = check_limits(content);

	if (err == OK && content->body_id)
		err = body_is_shared ? body_share(txn, content->body_id)
				     : body_claim(txn, content->body_id);
	if (err != OK)
		return err;
	content->content_id = id_next(txn, COUNTER_content);
	err = content_put(txn, content, true);
	if (err != OK)
		return err;
	ENSURE(content->owners <= INT32_MAX);
	return content_own(txn, content->content_id, -(int)content->owners);
}

enum err
content_own(struct txn *txn, uint64_t content_id, int change)
{
	struct content_pending *pending = txn_content_pending(txn);
	size_t i = pending->count;

	while (i > 0 && pending->rows[i - 1].content_id != content_id)
		i--;
	if (i > 0) {
		pending->rows[i - 1].change += change;
		return OK;
	}
	if (pending->count == CONTENT_OWN_PENDING)
		return ERR_LIMIT;
	pending->rows[pending->count].content_id = content_id;
	pending->rows[pending->count++].change = change;
	return OK;
}

/*
 * Change a row whose spans point into the map: the write would move them away under our hands, so a
 * copy in between. It happens once for a copied message, or when its derived part is made.
 */
static enum err
content_rewrite(struct txn *txn, struct content *c)
{
	c->header = arena_copy(txn_arena(txn), c->header);
	c->derived = arena_copy(txn_arena(txn), c->derived);
	return content_put(txn, c, false);
}

static enum err
settle_one(struct txn *txn, uint64_t content_id, int64_t change)
{
	uint64_t delay = txn_content_pending(txn)->waited ? 0 : GRAVE_DELAY_MS;
	struct content c;
	struct key key;
	enum err err = content_get(txn_view(txn), content_id, &c);

	key_u64(&key, content_id);
	if (err == OK && change < 0 && (uint64_t)-change > c.owners)
		err = table_damaged(txn_view(txn), TABLE_contents, key_span(&key),
			"fewer owners than gave it up");
	if (change < 0 && (err == ERR_CORRUPT || err == ERR_NOT_FOUND))
		return OK; /* who lets go of what is damaged need not fail: check sees to it */
	if (err != OK)
		return err;
	c.owners += (uint64_t)change;
	err = content_rewrite(txn, &c);
	if (err == OK && c.owners == 0)
		err = grave_add(txn, txn_now_ms(txn) + delay, GRAVE_CONTENT, content_id);
	return err;
}

enum err
content_settle(struct txn *txn)
{
	struct content_pending *pending = txn_content_pending(txn);
	enum err err = OK;

	for (size_t i = 0; i < pending->count && err == OK; i++)
		if (pending->rows[i].change != 0)
			err = settle_one(txn, pending->rows[i].content_id, pending->rows[i].change);
	pending->count = 0;
	return err;
}

enum err
content_set_derived(struct txn *txn, uint64_t content_id, struct span derived)
{
	struct content c;
	enum err err;

	if (derived.len > CONTENT_DERIVED_MAX)
		return ERR_LIMIT;
	err = content_get(txn_view(txn), content_id, &c);
	if (err == OK && c.veiled)
		err = ERR_DENIED;
	if (err != OK)
		return err;
	c.derived = derived;
	return content_rewrite(txn, &c);
}

enum err
content_delete(struct txn *txn, uint64_t content_id)
{
	struct key key;

	key_u64(&key, content_id);
	return table_delete(txn, TABLE_contents, &key);
}
