/*
 * check_bodies.c - bodies, what is made of them, and those on their way.
 *
 * Contents name bodies and joins, joins name bodies. What nobody names must lie in a grave; what is named must
 * be there as often as its row of owners says.
 */
#include "store/bodies.h"

#include "store/body_joins.h"
#include "store/check_run.h"
#include "store/graves.h"

typedef unsigned long long ull;

/* ---- owners ---- */

static enum err
fix_shares(struct txn *txn, const struct check_fix *fix)
{
	uint64_t have = fix->n[1];
	bool was_last;
	enum err err = OK;

	for (; err == OK && have < fix->n[2]; have++)
		err = body_share(txn, fix->n[0]);
	for (; err == OK && have > fix->n[2]; have--)
		err = body_unshare(txn, fix->n[0], &was_last);
	return err;
}

static bool
body_is_arriving(struct check *c, uint64_t body_id)
{
	struct span value;
	struct key key;

	key_u64(&key, body_id);
	return table_get(c->snap, TABLE_arriving, &key, &value) == OK;
}

static void
check_body(struct check *c, uint64_t body_id)
{
	size_t named = id_set_count(&c->bodies_named, body_id);
	struct check_fix *fix;
	uint64_t extra = 0;

	if (named == 0) {
		if (body_is_arriving(c, body_id) || id_set_count(&c->bodies_buried, body_id) > 0)
			return;
		check_say(c, !c->joins_lost, "bodies %llu: nobody owns it", (ull)body_id);
		if (!c->joins_lost)
			check_bury(c, GRAVE_BODY, body_id);
		return;
	}
	if (body_extra_owners(c->snap, body_id, &extra) == OK && extra == named - 1)
		return;
	check_say(c, !c->joins_lost, "bodies %llu: %zu contents have it, its row says %llu", (ull)body_id,
		named, (ull)extra + 1);
	if (c->joins_lost)
		return;
	fix = check_fix_add(c, fix_shares, SPAN_NONE, SPAN_NONE);
	fix->n[0] = body_id;
	fix->n[1] = extra;
	fix->n[2] = named - 1;
}

/* Each once: from its first piece to the first of the next. */
static void
check_plain(struct check *c)
{
	struct key at;
	struct row row;
	uint64_t body_id = 0;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(c->snap, TABLE_bodies, &at, &row)) == OK) {
		body_id = check_id(&row);
		check_body(c, body_id);
		if (body_id == UINT64_MAX)
			return;
		key_u64(&at, body_id + 1);
	}
	if (err != ERR_NOT_FOUND)
		check_say(c, false, "bodies: cannot be walked behind %llu: %s", (ull)body_id,
			err_name(err));
}

/* ---- joins ---- */

/* Its members are owned by it, whoever owns it. */
static void
visit_join(struct check *c, const struct row *row)
{
	uint64_t id = check_id(row), members[BODY_JOIN_MEMBERS_MAX];
	size_t count;

	if (body_join_members(c->snap, id, members, &count) != OK) {
		check_say(c, false, "body_joins %llu: damaged", (ull)id);
		c->joins_lost = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		id_set_add(&c->bodies_named, members[i]);
}

static void
visit_join_owners(struct check *c, const struct row *row)
{
	check_body(c, check_id(row));
}

/* ---- on their way (Q1) ---- */

static enum err
fix_abandon(struct txn *txn, const struct check_fix *fix)
{
	return body_abandon(txn, fix->n[0]);
}

/* Nobody is sending while repair runs, so one whose time cannot be read goes like an old one. */
static void
visit_arriving(struct check *c, const struct row *row)
{
	uint64_t id = check_id(row), since_ms;
	bool named = id_set_count(&c->bodies_named, id) > 0;

	if (!named && body_arrived_ms(c->snap, row, &since_ms) == OK)
		return;
	check_say(c, true, "arriving %llu: %s", (ull)id, named ? "has an owner" : "damaged");
	if (named)
		check_fix_delete(c, TABLE_arriving, row->key);
	else
		check_fix_add(c, fix_abandon, SPAN_NONE, SPAN_NONE)->n[0] = id;
}

void
check_bodies(struct check *c)
{
	check_walk(c, TABLE_body_joins, visit_join);
	check_walk(c, TABLE_body_joins, visit_join_owners);
	check_plain(c);
	check_walk(c, TABLE_arriving, visit_arriving);
}
