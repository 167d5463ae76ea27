/*
 * body_joins.c - one row a join: its members, then its slices in order.
 */
#include "store/body_joins.h"

#include "store/bodies.h"
#include "store/graves.h"
#include "store/ids.h"

#define JOIN_VERSION 1
#define FIXED_ROOM (RECORD_HEAD + (2 + BODY_JOIN_MEMBERS_MAX) * 10) /* varints at their longest */
#define SLICE_ROOM 30

/* ---- writing ---- */

static enum err
own_member(struct txn *txn, const struct body_member *member)
{
	if (body_is_join(member->body_id) || member->body_id == 0)
		return ERR_LIMIT;
	return member->is_shared ? body_share(txn, member->body_id) : body_claim(txn, member->body_id);
}

static size_t
slices_used(const struct body_join *join)
{
	size_t used = 0;

	for (size_t i = 0; i < join->slice_count; i++)
		used += join->slices[i].size > 0;
	return used;
}

enum err
body_join_add(struct txn *txn, const struct body_join *join, uint64_t *body_id)
{
	size_t size = FIXED_ROOM + join->slice_count * SLICE_ROOM;
	struct record_out out;
	struct key key;
	enum err err = OK;

	if (join->member_count > BODY_JOIN_MEMBERS_MAX || join->slice_count > BODY_JOIN_SLICES_MAX)
		return ERR_LIMIT;
	*body_id = id_next(txn, COUNTER_body_join) | BODY_JOIN_MARK;
	key_u64(&key, *body_id);
	record_begin(&out, arena_alloc(txn_arena(txn), size), size, JOIN_VERSION);
	record_put_varint(&out, join->member_count);
	for (size_t i = 0; i < join->member_count && err == OK; i++) {
		record_put_varint(&out, join->members[i].body_id);
		err = own_member(txn, &join->members[i]);
	}
	record_put_varint(&out, slices_used(join));
	for (size_t i = 0; i < join->slice_count; i++) {
		ENSURE(join->slices[i].member < join->member_count);
		if (join->slices[i].size == 0)
			continue;
		record_put_varint(&out, join->slices[i].member);
		record_put_varint(&out, join->slices[i].from);
		record_put_varint(&out, join->slices[i].size);
	}
	return err == OK ? table_append_record(txn, TABLE_body_joins, &key, &out) : err;
}

/* ---- reading ---- */

struct join_in {
	struct record_in in;
	uint64_t members[BODY_JOIN_MEMBERS_MAX];
	size_t member_count;
	uint64_t slices_left;
};

static enum err
damaged(struct snapshot *snap, uint64_t body_id)
{
	struct key key;

	key_u64(&key, body_id);
	return table_damaged(snap, TABLE_body_joins, key_span(&key), "fields");
}

static enum err
join_open(struct snapshot *snap, uint64_t body_id, struct join_in *j)
{
	struct key key;
	enum err err;

	key_u64(&key, body_id);
	err = table_get_record(snap, TABLE_body_joins, &key, JOIN_VERSION, &j->in);
	if (err != OK)
		return err;
	j->member_count = record_take_varint(&j->in);
	if (j->member_count > BODY_JOIN_MEMBERS_MAX)
		return damaged(snap, body_id);
	for (size_t i = 0; i < j->member_count; i++) {
		j->members[i] = record_take_varint(&j->in);
		if (body_is_join(j->members[i]))
			return damaged(snap, body_id);
	}
	j->slices_left = record_take_varint(&j->in);
	return j->in.bad || j->slices_left > BODY_JOIN_SLICES_MAX ? damaged(snap, body_id) : OK;
}

/* False behind the last one; *bad: it makes no sense. */
static bool
join_next(struct join_in *j, struct body_slice *out, bool *bad)
{
	*bad = false;
	if (j->slices_left == 0)
		return false;
	j->slices_left--;
	out->member = record_take_varint(&j->in);
	out->from = record_take_varint(&j->in);
	out->size = record_take_varint(&j->in);
	*bad = j->in.bad || out->member >= j->member_count;
	return !*bad;
}

enum err
body_join_find(struct snapshot *snap, uint64_t body_id, uint64_t offset, struct body_place *out)
{
	struct body_slice slice;
	struct join_in j;
	bool bad = false;
	enum err err = join_open(snap, body_id, &j);

	while (err == OK && join_next(&j, &slice, &bad)) {
		if (offset < slice.size) {
			*out = (struct body_place){ j.members[slice.member], slice.from + offset,
				slice.size - offset };
			return OK;
		}
		offset -= slice.size;
	}
	if (err == OK && bad)
		return damaged(snap, body_id);
	return err == OK ? ERR_NOT_FOUND : err;
}

enum err
body_join_size(struct snapshot *snap, uint64_t body_id, uint64_t *size)
{
	struct body_slice slice;
	struct join_in j;
	bool bad = false;
	enum err err = join_open(snap, body_id, &j);

	*size = 0;
	while (err == OK && join_next(&j, &slice, &bad))
		*size += slice.size;
	return err == OK && bad ? damaged(snap, body_id) : err;
}

enum err
body_join_members(struct snapshot *snap, uint64_t body_id, uint64_t *ids, size_t *count)
{
	struct join_in j;
	enum err err = join_open(snap, body_id, &j);

	*count = 0;
	if (err != OK)
		return err;
	*count = j.member_count;
	memcpy(ids, j.members, j.member_count * sizeof(*ids));
	return OK;
}

/* ---- the end ---- */

static enum err
member_give_up(struct txn *txn, uint64_t body_id)
{
	bool was_last;
	enum err err = body_unshare(txn, body_id, &was_last);

	return err == OK && was_last ? grave_add(txn, txn_now_ms(txn), GRAVE_BODY, body_id) : err;
}

enum err
body_join_give_up(struct txn *txn, uint64_t body_id, size_t *rows)
{
	uint64_t members[BODY_JOIN_MEMBERS_MAX];
	struct key key;
	size_t count;
	enum err err = body_join_members(txn_view(txn), body_id, members, &count);

	*rows -= count < *rows ? count : *rows;
	key_u64(&key, body_id);
	for (size_t i = 0; i < count && err == OK; i++)
		err = member_give_up(txn, members[i]);
	if (err == OK)
		err = table_delete(txn, TABLE_body_joins, &key);
	return err == ERR_NOT_FOUND ? OK : err;
}
