/*
 * control_referrers.c - see control_referrers.h.
 */
#include "server/control/control_referrers.h"

#include "server/generation.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/referrers.h"

struct went {
	unsigned mappings, members;
};

struct control_referrers {
	struct generation *generation; /* held: which domains are ours */
	struct went *went;             /* of each target: a job that runs again sets it again */
	size_t targets;
};

static void
release(void *arg)
{
	struct control_referrers *refs = arg;

	generation_release(&refs->generation);
}

struct control_referrers *
control_referrers_new(struct control_call *call)
{
	struct control_referrers *refs = ARENA_NEW(&call->arena, struct control_referrers);
	const struct rpc_request *r = call->request;

	refs->generation = generation_hold(call->host->generation);
	arena_on_reset(&call->arena, release, refs);
	refs->targets = 1;
	for (size_t i = 0; i < r->schema.count; i++)
		if (r->schema.items[i].type == CONTROL_TYPE_TARGETS && r->values[i].count > 0)
			refs->targets = r->values[i].count;
	refs->went = ARENA_ARRAY(&call->arena, struct went, refs->targets);
	return refs;
}

/* As a name, or as an address of ours. */
static bool
is_ours(const struct control_referrers *refs, const struct referrer *r)
{
	const struct conf *conf = generation_conf(refs->generation);
	struct span local, domain;

	return !span_cut(r->target, '@', &local, &domain) || conf_is_local(conf, local, domain);
}

static enum err
next_of_ours(struct snapshot *snap, const struct control_referrers *refs, struct span name,
	struct referrer *r)
{
	enum err err;

	do
		err = referrer_next(snap, name, r);
	while (err == OK && !is_ours(refs, r));
	return err;
}

/* --keep-references, where the method has it. */
static bool
keeps(const struct control_call *call)
{
	return control_schema_find(&call->request->schema, SPAN("keep_references")) &&
	       rpc_flag(call->request, "keep_references");
}

/* Over CONTROL_REFERRERS_MAX. */
static const char *
why_too_many(const struct control_call *call)
{
	return control_schema_find(&call->request->schema, SPAN("keep_references"))
		       ? "more than 1,000 mappings and lists point at it: remove these first, or "
			 "leave them (--keep-references)"
		       : "more than 1,000 mappings and lists point at it: remove these first";
}

/* ---- saying ---- */

static enum err
foresee_mapping(struct control_call *call, struct snapshot *snap, const struct referrer *r,
	bool keep)
{
	struct mapping m;
	enum err err = mapping_find(snap, r->id, &m);

	if (err != OK)
		return err;
	control_foresee(call, arena_printf(&call->arena, "%s %.*s -> %.*s%s",
				      keep ? "mapping" : "would remove mapping", SPAN_FMT(m.pattern),
				      SPAN_FMT(m.target), keep ? " would lead to nobody" : ""));
	return OK;
}

static enum err
foresee_member(struct control_call *call, struct snapshot *snap, const struct referrer *r,
	bool keep)
{
	struct maillist list;
	enum err err = maillist_find(snap, r->id, &list);

	if (err != OK)
		return err;
	control_foresee(call,
		arena_printf(&call->arena, keep ? "%.*s would stay in list %.*s, as nobody"
						: "would take %.*s out of list %.*s",
			SPAN_FMT(r->target), SPAN_FMT(list.name)));
	return OK;
}

enum err
control_referrers_foresee(struct control_call *call, struct snapshot *snap,
	const struct control_referrers *refs, struct span name)
{
	bool keep = keeps(call);
	struct referrer r;
	size_t count = 0;
	enum err err;

	referrer_begin(&r);
	while ((err = next_of_ours(snap, refs, name, &r)) == OK) {
		if (count++ == CONTROL_REFERRERS_MAX) /* where they stay, these are enough to see */
			return keep || control_failf(call, RPC_REFUSED, NULL, "%.*s: %s",
					       SPAN_FMT(name), why_too_many(call))
				       ? OK
				       : ERR_LIMIT;
		err = r.kind == REFERRER_MAPPING ? foresee_mapping(call, snap, &r, keep)
						 : foresee_member(call, snap, &r, keep);
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
	}
	return OK;
}

enum step
control_referrers_foresee_all(struct control_call *call, struct snapshot *snap,
	const struct control_referrers *refs)
{
	const struct rpc_value *names = rpc_value(call->request, "names");
	struct control_slice slice = control_slice_begin();

	while (call->target_now < names->count) {
		enum err err = control_referrers_foresee(
			call, snap, refs, names->items[call->target_now++]);

		if (err != OK && !control_fail_err(call, err, "object"))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	return STEP_DONE;
}

/* ---- doing ---- */

/* NEW_NAME: what they point at from now on; empty: they go. */
static enum err
all_of_ours(struct control_call *call, struct txn *txn, struct control_referrers *refs,
	struct span name, struct span new_name)
{
	struct went *went = &refs->went[call->target_now < refs->targets ? call->target_now : 0];
	struct referrer r;
	enum err err;

	*went = (struct went){0};
	referrer_begin(&r);
	while ((err = next_of_ours(txn_view(txn), refs, name, &r)) == OK) {
		if (went->mappings + went->members == CONTROL_REFERRERS_MAX) {
			call->skip_why = why_too_many(call);
			return ERR_LIMIT;
		}
		if (new_name.len > 0)
			err = referrer_rename(txn, &r, name, new_name, call->now_ms);
		else
			err = referrer_remove(txn, &r);
		if (err != OK)
			return err;
		went->mappings += r.kind == REFERRER_MAPPING;
		went->members += r.kind == REFERRER_LIST;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
control_referrers_remove(struct control_call *call, struct txn *txn,
	struct control_referrers *refs, struct span name)
{
	if (keeps(call))
		return OK;
	return all_of_ours(call, txn, refs, name, SPAN_NONE);
}

enum err
control_referrers_rename(struct control_call *call, struct txn *txn,
	struct control_referrers *refs, struct span name, struct span new_name)
{
	if (span_eq_nocase(name, new_name))
		return OK; /* they compare without case */
	return all_of_ours(call, txn, refs, name, new_name);
}

void
control_referrers_note(struct control_call *call, const struct control_referrers *refs)
{
	struct went all = {0};

	for (size_t i = 0; i < refs->targets; i++) {
		all.mappings += refs->went[i].mappings;
		all.members += refs->went[i].members;
	}
	if (all.mappings == 0 && all.members == 0)
		return;
	call->note = arena_printf(&call->arena, "%.*s, with %u mapping%s and %u membership%s",
		SPAN_FMT(call->note), all.mappings, all.mappings == 1 ? "" : "s", all.members,
		all.members == 1 ? "" : "s");
}
