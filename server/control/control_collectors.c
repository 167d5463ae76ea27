/*
 * control_collectors.c - collectors of the file by command: add, set, remove, on, off.
 *
 * A collector that is renamed keeps what it knows: what it fetched, and the mappings that name it, follow in the same
 * change and undo. LAN rules are a text of the administrator's own, and have to be changed by hand first.
 */
#include "conf/lan_rules.h"
#include "server/collect/collect_account.h"
#include "server/control/control_items.h"
#include "server/generation.h"
#include "store/fetched.h"
#include "store/mappings.h"

#define MAPPINGS_FOLLOW_MAX 1000 /* of one collector: what one change may write */

static const struct item_kind a_collector = {
	SETTING_COLLECTORS, "collecting.collectors", "collector", NULL, "collector."};

/* The mappings that name the collector which is renamed or removed. */
struct collector_change {
	struct span name; /* empty: nothing follows */
	uint64_t after;
	uint64_t ids[MAPPINGS_FOLLOW_MAX];
	size_t count;
	uint64_t more; /* beyond these */
	const char *before; /* the account that it is pointed away from; NULL: it stays there */
	bool knows;	    /* of messages there */
};

static enum err
follow(struct txn *txn, uint64_t id, const struct collector_change *cc, struct span new_name,
	int64_t now_ms)
{
	struct mapping m;
	enum err err = mapping_find(txn_view(txn), id, &m);

	if (err == ERR_NOT_FOUND || (err == OK && !span_eq_nocase(m.collect, cc->name)))
		return OK; /* changed meanwhile */
	if (err != OK)
		return err;
	m.collect = new_name;
	err = mapping_set(txn, &m, now_ms);
	return err == ERR_EXISTS ? OK : err; /* there is one like it already */
}

static enum err
change_store(struct control_call *call, struct txn *txn)
{
	const struct item_change *ic = call->state;
	const struct collector_change *cc = ic->more;
	enum err err = control_seals_change(call, txn, &ic->seals);

	if (err == OK && ic->new_name.len > 0)
		err = fetched_rename(txn, ic->config.object, ic->new_name);
	if (err == OK && cc->before && rpc_flag(call->request, "same_mailbox"))
		err = fetched_collector_free(txn, ic->new_name.len > 0 ? ic->new_name : ic->config.object);
	for (size_t i = 0; ic->new_name.len > 0 && i < cc->count && err == OK; i++)
		err = follow(txn, cc->ids[i], cc, ic->new_name, call->now_ms);
	return err;
}

static struct item_change *
begin(struct control_call *call)
{
	struct item_change *ic = control_item_begin(call, &a_collector);

	ic->more = ARENA_NEW(&call->arena, struct collector_change);
	ic->config.also = change_store;
	return ic;
}

/* ---- what is known there ---- */

static bool
knows_any(struct snapshot *snap, struct span name)
{
	struct fetched_collector c;
	struct fetched first;
	size_t count = 1;

	return fetched_collector_find(snap, name, &c) == OK && fetched_read(snap, c.id, NULL, &first, &count) == OK &&
		count > 0;
}

/* ---- who names it ---- */

static enum step
look_for_mappings(struct control_call *call, struct snapshot *snap)
{
	const struct item_change *ic = call->state;
	struct control_slice slice = control_slice_begin();
	struct collector_change *cc = ic->more;
	struct mapping m;
	enum err err;

	if (cc->before && cc->after == 0)
		cc->knows = knows_any(snap, ic->config.object);
	if (cc->name.len == 0)
		return STEP_DONE;
	while ((err = mapping_next(snap, cc->after, &m)) == OK) {
		cc->after = m.mapping_id;
		if (!span_eq_nocase(m.collect, cc->name))
			continue;
		if (cc->count < MAPPINGS_FOLLOW_MAX)
			cc->ids[cc->count++] = m.mapping_id;
		else
			cc->more++;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "mapping");
	return STEP_FAIL;
}

/* "2 mappings"; empty: none. */
static struct span
mappings_text(struct control_call *call, uint64_t count)
{
	if (count == 0)
		return SPAN("");
	return arena_printf(&call->arena, "%llu mapping%s", (unsigned long long)count,
		count == 1 ? "" : "s");
}

static enum step
foresee(struct control_call *call, struct snapshot *snap)
{
	const struct item_change *ic = call->state;
	const struct collector_change *cc = ic->more;
	enum step step = look_for_mappings(call, snap);

	if (step == STEP_DONE && cc->count > 0)
		control_foresee(call, arena_printf(&call->arena, "%.*s %s",
			SPAN_FMT(mappings_text(call, cc->count + cc->more)),
			ic->new_name.len > 0 ? "would name the new one" :
					       "would name a collector that is not there"));
	return step == STEP_DONE ? control_config_foresee(call, snap) : step;
}

static void
tell(struct control_call *call)
{
	const struct item_change *ic = call->state;
	const struct collector_change *cc = ic->more;
	uint64_t left = ic->new_name.len > 0 ? cc->more : cc->count + cc->more;

	control_item_tell(call);
	if (ic->new_name.len > 0 && cc->count > 0)
		call->note = arena_printf(&call->arena, "%.*s, with %.*s", SPAN_FMT(call->note),
			SPAN_FMT(mappings_text(call, cc->count)));
	if (cc->before && cc->knows && !rpc_flag(call->request, "same_mailbox"))
		call->note = arena_printf(&call->arena, "%.*s; what was fetched from %s is not known there, and is known again "
			"if it goes back within 30 days (the same mailbox under a new name: --same-mailbox)",
			SPAN_FMT(call->note), cc->before);
	if (left > 0)
		call->note = arena_printf(&call->arena, "%.*s; %.*s still name%s %.*s",
			SPAN_FMT(call->note), SPAN_FMT(mappings_text(call, left)), left == 1 ? "s" : "",
			SPAN_FMT(cc->name));
}

/* ---- what a new one wants ---- */

static bool
wants(struct control_call *call, const char *key, const char *why)
{
	return control_item_key(call, key, SPAN("")).len > 0 ||
		control_fail(call, RPC_INVALID, why, "see: postroom help collect add", key);
}

/* A mailbox that can never be fetched is not what anybody asks for. */
static bool
is_whole(struct control_call *call)
{
	struct span kind = control_item_key(call, "kind", SPAN("pop3"));

	if (span_eq(kind, SPAN("spool")))
		return wants(call, "path", "a collector of kind spool wants path=FOLDER");
	if (span_eq(kind, SPAN("smtp")))
		return true;
	return wants(call, "server", "a collector wants server=HOST") &&
		wants(call, "username", "a collector wants username= of the mailbox");
}

static bool
collect_add_check(struct control_call *call)
{
	return is_whole(call) && control_item_add(call, begin(call), control_param(call, "name"));
}
CONTROL_ITEM_METHOD(collect_add, "the collector", CONTROL_ITEM_STEPS);

/* ---- set ---- */

/* The first LAN rule that names it; 0: none. */
static uint32_t
lan_line_of(const struct lan_rules *rules, struct span name)
{
	for (size_t i = 0; i < rules->count; i++)
		for (size_t n = 0; n < rules->items[i].source_count; n++)
			if (rules->items[i].sources[n].from == 0 &&
				span_eq_nocase(rules->items[i].sources[n].name, name))
				return rules->items[i].line;
	return 0;
}

static bool
renames(struct control_call *call, struct item_change *ic, struct span old)
{
	uint32_t line = lan_line_of(&call->host->conf->lan_rules, old);
	struct collector_change *cc = ic->more;

	if (span_eq_nocase(old, ic->new_name))
		return true; /* they compare without case */
	if (line > 0)
		return control_failf(call, RPC_REFUSED, "name",
			"the LAN rules name %.*s in line %u: give them the new name, or its number, first",
			SPAN_FMT(old), (unsigned)line);
	cc->name = old;
	return true;
}

/* The account that it is pointed away from by the pairs of the request, for people; NULL: it is the same. */
static const char *
account_before(struct control_call *call, const struct conf_collector *now)
{
	char *before = arena_alloc(&call->arena, FETCHED_LABEL_MAX + 1);
	struct conf_collector then = *now;
	struct span text = control_item_key(call, "port", SPAN_NONE);
	uint64_t port = 0; /* its default */

	if (text.ptr && (text.len == 0 || span_u64(text, UINT16_MAX, &port) == OK))
		then.port = (int64_t)port;
	then.server = control_item_key(call, "server", now->server);
	then.username = control_item_key(call, "username", now->username);
	then.folder = control_item_key(call, "folder", now->folder);
	then.path = control_item_key(call, "path", now->path);
	collect_account(now, before);
	return collect_account_mark(&then) == collect_account_mark(now) ? NULL : before;
}

static bool
collect_set_check(struct control_call *call)
{
	size_t i = control_item_find(call, &a_collector, control_param(call, "name"), true);
	struct item_change *ic;

	if (i == SIZE_MAX)
		return false;
	ic = begin(call);
	((struct collector_change *)ic->more)->before =
		account_before(call, &call->host->conf->collectors.items[i]);
	return control_item_set(call, ic, i) &&
		(ic->new_name.len == 0 || renames(call, ic, ic->config.object));
}
CONTROL_ITEM_METHOD(collect_set, "the collector", .read = look_for_mappings, .foresee = foresee,
	.finish = tell);

/* ---- remove ---- */

static bool
collect_remove_check(struct control_call *call)
{
	struct item_change *ic = begin(call);
	struct collector_change *cc = ic->more;

	if (!control_items_remove(call, ic))
		return false;
	if (rpc_value(call->request, "names")->count == 1)
		cc->name = ic->config.object;
	return true;
}
CONTROL_ITEM_METHOD(collect_remove, "the collector", .read = look_for_mappings, .foresee = foresee,
	.finish = tell);

/* ---- on, off ---- */

static bool
switch_check(struct control_call *call, bool on)
{
	struct item_change *ic = begin(call);
	size_t places[ITEM_CHANGES_MAX], count;

	if (!control_item_places(call, &a_collector, places, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		(void)control_item_change(call, ic,
			(struct conf_change){ .value = on ? SPAN("yes") : SPAN("no"),
				.key = arena_printf(&call->arena, "%.*s.enabled",
					SPAN_FMT(control_item_path(call, &a_collector, places[i]))) });
	ic->config.object = control_item_object(call, &a_collector, places, count);
	return control_config_begin(call, &ic->config);
}

static bool
collect_on_check(struct control_call *call)
{
	return switch_check(call, true);
}
CONTROL_ITEM_METHOD(collect_on, "the collector", CONTROL_ITEM_STEPS);

static bool
collect_off_check(struct control_call *call)
{
	return switch_check(call, false);
}
CONTROL_ITEM_METHOD(collect_off, "the collector", CONTROL_ITEM_STEPS);
