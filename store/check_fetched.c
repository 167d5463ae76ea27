/*
 * check_fetched.c - collectors and fetched: each can be read, each row of a message is of a collector, and two names
 * have not one number.
 *
 * A row that goes costs a message that is fetched twice at most; nothing is lost by it.
 */
#include "store/check_run.h"
#include "store/fetched.h"
#include "store/ids.h"

typedef unsigned long long ull;

static void
visit_collector(struct check *c, const struct row *row)
{
	struct fetched_collector f;
	uint64_t last = 0;

	if (fetched_collector_decode(c->snap, row, &f) && row->key.len > 0 &&
		row->key.len <= FETCHED_NAME_MAX && id_set_count(&c->collectors_seen, f.id) == 0 &&
		id_last(c->snap, COUNTER_collector, &last) == OK && f.id <= last) {
		id_set_add(&c->collectors_seen, f.id);
		return;
	}
	check_say(c, true, "collectors: a row is damaged, or has the number of another");
	check_fix_delete(c, TABLE_collectors, row->key);
}

static void
visit_fetched(struct check *c, const struct row *row)
{
	struct fetched f;
	uint64_t id = 0;

	if (fetched_decode(c->snap, row, &id, &f) && id_set_count(&c->collectors_seen, id) > 0)
		return;
	check_say(c, true, "fetched %llu: damaged, or of no collector", (ull)id);
	check_fix_delete(c, TABLE_fetched, row->key);
}

void
check_fetched(struct check *c)
{
	check_walk(c, TABLE_collectors, visit_collector);
	check_walk(c, TABLE_fetched, visit_fetched);
}
