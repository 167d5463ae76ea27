/*
 * referrers.c - what points at a name.
 *
 * A row of `targets`: the target in lower case, a 0 byte, kind u8, id u64; no value.
 */
#include "store/referrers.h"

#include "proto/base/ascii.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/table.h"

#define TAIL 10 /* bytes behind the target: 0, kind, id */

static void
put_lower(struct key *key, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		key_put_u8(key, (uint8_t)ascii_lower(text.ptr[i]));
}

bool
referrer_key(struct key *out, struct span target, enum referrer_kind kind, uint64_t id)
{
	if (target.len == 0 || target.len > REFERRER_TARGET_MAX ||
		span_find(target, '\0') < target.len)
		return false;
	key_begin(out);
	put_lower(out, target);
	key_put_u8(out, 0);
	key_put_u8(out, (uint8_t)kind);
	key_put_u64(out, id);
	return true;
}

static bool
referrer_take(struct span key, struct referrer *out)
{
	struct span tail = span_from(key, key.len > TAIL ? key.len - TAIL : 0);
	uint8_t zero;

	if (key.len <= TAIL || key_take_u8(&tail, &zero) != OK || zero != 0 ||
		key_take_u8(&tail, &out->kind) != OK || key_take_u64(&tail, &out->id) != OK)
		return false;
	key_name(&out->at, key);
	out->target = (struct span){ out->at.bytes, key.len - TAIL };
	return true;
}

bool
referrer_source(struct span key, enum store_table *table, struct key *source)
{
	struct referrer r;

	if (!referrer_take(key, &r))
		return false;
	*table = r.kind == REFERRER_MAPPING ? TABLE_mappings : TABLE_list_members;
	key_u64(source, r.id);
	if (r.kind == REFERRER_LIST)
		key_put_bytes(source, r.target);
	return r.kind == REFERRER_MAPPING || r.kind == REFERRER_LIST;
}

/* Where the walk goes on: at the front of NAME, or behind the last row. */
static void
walk_key(struct key *key, struct span name, const struct referrer *r)
{
	*key = r->at;
	if (r->at.len == 0)
		put_lower(key, name);
	key_put_u8(key, 0);
}

enum err
referrer_next(struct snapshot *snap, struct span name, struct referrer *r)
{
	struct key key, alone, with_domain;
	struct row row;
	enum err err;

	if (name.len == 0 || name.len >= REFERRER_TARGET_MAX)
		return ERR_NOT_FOUND;
	key_begin(&alone);
	put_lower(&alone, name);
	with_domain = alone;
	key_put_u8(&alone, 0);
	key_put_u8(&with_domain, '@');
	walk_key(&key, name, r);
	err = table_seek(snap, TABLE_targets, &key, &row);
	if (err == OK && !row_has_prefix(&row, &alone) && !row_has_prefix(&row, &with_domain)) {
		if (span_cmp(row.key, key_span(&with_domain)) > 0)
			return ERR_NOT_FOUND;
		err = table_seek(snap, TABLE_targets, &with_domain, &row); /* "anna-b" lies between */
		if (err == OK && !row_has_prefix(&row, &with_domain))
			return ERR_NOT_FOUND;
	}
	if (err != OK)
		return err;
	return referrer_take(row.key, r) ? OK : ERR_CORRUPT;
}

enum err
referrer_remove(struct txn *txn, const struct referrer *r)
{
	return r->kind == REFERRER_MAPPING ? mapping_remove(txn, r->id)
					   : maillist_member_remove(txn, r->id, r->target);
}

static enum err
mapping_retarget(struct txn *txn, uint64_t mapping_id, struct span target, int64_t now_ms)
{
	struct mapping m;
	enum err err = mapping_find(txn_view(txn), mapping_id, &m);

	if (err != OK)
		return err;
	m.target = target;
	err = mapping_set(txn, &m, now_ms);
	return err == ERR_EXISTS ? mapping_remove(txn, mapping_id) : err;
}

static enum err
member_retarget(struct txn *txn, const struct referrer *r, struct span target, int64_t now_ms)
{
	enum err err = maillist_member_remove(txn, r->id, r->target);

	if (err == OK)
		err = maillist_member_add(txn, r->id, target, now_ms);
	return err == ERR_EXISTS ? OK : err;
}

enum err
referrer_rename(struct txn *txn, const struct referrer *r, struct span name, struct span new_name,
	int64_t now_ms)
{
	struct span domain = span_from(r->target, name.len); /* "" or "@domain" */
	char room[REFERRER_TARGET_MAX];
	struct span target = { room, new_name.len + domain.len };

	if (target.len > sizeof(room))
		return ERR_LIMIT;
	memcpy(room, new_name.ptr, new_name.len);
	if (domain.len > 0)
		memcpy(room + new_name.len, domain.ptr, domain.len);
	return r->kind == REFERRER_MAPPING ? mapping_retarget(txn, r->id, target, now_ms)
					   : member_retarget(txn, r, target, now_ms);
}
