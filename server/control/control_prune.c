/*
 * control_prune.c - prune rules: list, show, add, set, remove, status. What they find is in
 * control_prune_run.c.
 */
#include "server/control/control_fields.h"
#include "store/prune_round.h"
#include "store/prune_rules.h"
#include "store/users.h"

#define DAY_S (24 * 3600)

/* ---- list, show ---- */

/* Of whom it is: null for everybody's. In the call's arena. */
static enum err
rule_user(struct control_call *call, struct snapshot *snap, const struct prune_rule *rule,
	struct span *out)
{
	struct user user;
	enum err err = OK;

	*out = SPAN_NONE;
	if (rule->user_id == PRUNE_FOR_ALL)
		return OK;
	err = user_find(snap, rule->user_id, &user);
	if (err == OK)
		*out = arena_copy(&call->arena, user.name);
	else if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		*out = SPAN("(gone)");
	return err == ERR_IO ? err : OK;
}

static struct span
rule_key(struct arena *a, const struct prune_rule *rule)
{
	return arena_printf(a, "%llu", (unsigned long long)rule->rule_id);
}

static void
rule_row(struct control_call *call, const struct prune_rule *rule, struct span user)
{
	struct control_rows *rows = &call->rows;

	control_row(rows, rule_key(&call->arena, rule));
	control_put_number(rows, (int64_t)rule->rule_id);
	control_put_text(rows, user);
	control_put_text(rows, rule->folder);
	control_put_number(rows, (int64_t)rule->age);
	control_put_number(rows, (int64_t)rule->size);
	control_put_text(rows, span_of(prune_read_words[rule->read]));
	control_put_text(rows, span_of(prune_flagged_words[rule->flagged]));
	control_put_number(rows, rule->deleted);
	control_put_number(rows, rule->spam);
}

/* The user that is named, or PRUNE_FOR_ALL; *named says which. */
static enum err
asked_user(struct control_call *call, struct snapshot *snap, uint64_t *user_id, bool *named)
{
	struct user user = { .user_id = PRUNE_FOR_ALL };
	enum err err = OK;

	*named = rpc_has(call->request, "user");
	if (*named)
		err = user_find_by_name(snap, control_param(call, "user"), &user);
	*user_id = user.user_id;
	control_fail_err(call, err, "user");
	return err;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct prune_rule rule = { .user_id = 0 };
	uint64_t user_id;
	struct span user;
	bool named;
	enum err err = asked_user(call, snap, &user_id, &named);

	while (err == OK && (err = prune_rule_next(snap, &rule)) == OK) {
		if (named && rule.user_id != user_id)
			continue;
		err = rule_user(call, snap, &rule, &user);
		if (err == OK)
			rule_row(call, &rule, user);
	}
	if (err == ERR_NOT_FOUND && !call->failed)
		return STEP_DONE;
	control_fail_err(call, err, "prune rule");
	return STEP_FAIL;
}

const struct control_handler control_do_rule_prune_list = { .read = list_read };

static enum err
find_rule(struct snapshot *snap, struct span key, struct prune_rule *out)
{
	uint64_t id;

	if (span_u64(key, UINT64_MAX - 1, &id) != OK)
		return ERR_NOT_FOUND;
	return prune_rule_find(snap, id, out);
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct prune_rule rule;
	struct span user = SPAN_NONE;
	enum err err = find_rule(snap, control_param(call, "id"), &rule);

	if (err == OK)
		err = rule_user(call, snap, &rule, &user);
	if (!control_fail_err(call, err, "prune rule"))
		return STEP_FAIL;
	json_put_object(w);
	json_put_member_u64(w, SPAN("id"), rule.rule_id);
	json_put_name(w, SPAN("user"));
	if (user.ptr)
		json_put_string(w, user);
	else
		json_put_null(w);
	control_put_fields(w, &prune_rule_table, &rule, NULL);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_rule_prune_show = { .read = show_read };

/* ---- status ---- */

static enum step
status_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct prune_rule rule = { .user_id = 0 };
	struct prune_round round;
	enum err err = prune_round_get(snap, &round), found = prune_rule_next(snap, &rule);

	if (!control_fail_err(call, err, "prune rule"))
		return STEP_FAIL;
	json_put_object(w);
	json_put_member_bool(w, SPAN("rules"), found != ERR_NOT_FOUND);
	control_put_time(w, SPAN("next"),
		found == ERR_NOT_FOUND		     ? 0
		: (int64_t)round.next_ms < call->now_ms ? call->now_ms
							: (int64_t)round.next_ms);
	json_put_member_u64(w, SPAN("every"), round.every_ms / 1000);
	control_put_time(w, SPAN("last"), (int64_t)round.last_ms);
	json_put_member_u64(w, SPAN("last_count"), round.last_count);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_rule_prune_status = { .read = status_read };

/* ---- add, set, remove ---- */

static enum err
rule_words(struct control_call *call, enum err err)
{
	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID, "no folder can be called so",
			"write INBOX, a folder's name, or * alone for every folder", "folder");
	else if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "there is such a prune rule already", NULL, NULL);
	else if (err == ERR_LIMIT)
		control_failf(call, RPC_INVALID, NULL,
			"at most %d prune rules of a user and %d in all, ages up to %d days and "
			"folders of %d bytes",
			PRUNE_RULES_A_USER, PRUNE_RULES_MAX, PRUNE_AGE_MAX, PRUNE_FOLDER_MAX);
	return err;
}

/* "50kB" as bytes, "30d" as days: the store's fields are plain numbers. */
static struct span
plain_value(struct control_call *call, const struct rpc_pair *pair)
{
	uint64_t number;

	if (span_eq(pair->key, SPAN("size")) && control_parse_size(pair->value, &number) == OK)
		return arena_printf(&call->arena, "%llu", (unsigned long long)number);
	if (span_eq(pair->key, SPAN("age")) && pair->value.len > 0 &&
		pair->value.ptr[pair->value.len - 1] == 'd' &&
		control_parse_duration(pair->value, &number) == OK)
		return arena_printf(&call->arena, "%llu", (unsigned long long)(number / DAY_S));
	return pair->value;
}

static enum err
take_keys(struct control_call *call, struct prune_rule *rule)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	enum err err = OK;

	for (size_t i = 0; err == OK && i < keys->count; i++) {
		struct rpc_pair pair = keys->pairs[i];

		pair.value = plain_value(call, &pair);
		err = control_set_field(call, &prune_rule_table, rule, &pair);
	}
	return err;
}

/* What a rule says is done soon, whatever the pace was. */
static enum err
round_soon(struct txn *txn)
{
	struct prune_round round;
	enum err err = prune_round_get(txn_view(txn), &round);

	if (err != OK && err != ERR_CORRUPT)
		return err;
	round = prune_round_soon(&round, txn_now_ms(txn));
	return prune_round_put(txn, &round);
}

static enum err
add_change(struct control_call *call, struct txn *txn)
{
	struct prune_rule rule = prune_rule_default(PRUNE_FOR_ALL);
	uint64_t *id = ARENA_NEW(&call->arena, uint64_t);
	bool named;
	enum err err = asked_user(call, txn_view(txn), &rule.user_id, &named);

	call->state = id;
	call->job_done = 1;
	if (err == OK)
		err = take_keys(call, &rule);
	if (err == OK)
		err = rule_words(call, prune_rule_add(txn, &rule, call->now_ms, id));
	return err == OK ? round_soon(txn) : err;
}

static void
add_finish(struct control_call *call)
{
	const uint64_t *id = call->state;

	call->note = arena_printf(
		&call->arena, "prune rule %llu added", (unsigned long long)*id);
}

const struct control_handler control_do_rule_prune_add = {
	.change = add_change,
	.finish = add_finish,
	.object = "prune rule",
	.tries = true,
};

static enum err
set_change(struct control_call *call, struct txn *txn)
{
	struct prune_rule rule;
	enum err err = find_rule(txn_view(txn), control_param(call, "id"), &rule);

	call->job_done = 1;
	if (err == OK)
		err = take_keys(call, &rule);
	if (err == OK)
		err = rule_words(call, prune_rule_set(txn, &rule, call->now_ms));
	return err == OK ? round_soon(txn) : err;
}

const struct control_handler control_do_rule_prune_set = {
	.change = set_change,
	.object = "prune rule",
	.tries = true,
};

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct prune_rule rule;
	enum err err = find_rule(txn_view(txn), key, &rule);

	(void)call;
	return err == OK ? prune_rule_remove(txn, &rule) : err;
}

const struct control_handler control_do_rule_prune_remove = {
	.each = remove_each,
	.object = "prune rule",
};
