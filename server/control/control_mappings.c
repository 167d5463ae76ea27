/*
 * control_mappings.c - mappings of address patterns to targets: list, add, set, remove.
 */
#include <stdio.h>
#include <string.h>

#include "server/control/control_fields.h"
#include "server/control/control_maillists.h"
#include "store/mappings.h"

#define FOUND_MAX 1000 /* mappings of one pattern */

struct found {
	uint64_t ids[FOUND_MAX];
	size_t count;
	struct span target; /* only with this target; empty: all */
};

struct mapping_walk {
	uint64_t after;
};

static void
mapping_row(struct control_rows *rows, const struct mapping *m)
{
	char key[24];

	snprintf(key, sizeof(key), "%llu", (unsigned long long)m->mapping_id);
	control_row(rows, span_of(key));
	control_put_text(rows, m->pattern);
	control_put_text(rows, m->target);
	control_put_text(rows, span_of(mapping_when_words[m->when]));
	control_put_text(rows, m->collect.ptr ? m->collect : SPAN(""));
	control_put_text(rows, m->comment.ptr ? m->comment : SPAN(""));
	control_put_text(rows, span_of(key));
}

static enum step
mapping_list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct mapping_walk *walk = call->state;
	struct mapping m;
	enum err err;

	if (!walk)
		walk = call->state = ARENA_NEW(&call->arena, struct mapping_walk);
	while ((err = mapping_next(snap, walk->after, &m)) == OK) {
		walk->after = m.mapping_id;
		mapping_row(&call->rows, &m);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "mapping");
	return STEP_FAIL;
}

const struct control_handler control_do_mapping_list = {.read = mapping_list_read};

static enum err
mapping_words(struct control_call *call, enum err err)
{
	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID,
			"this is no address pattern, or the comment is too long",
			"write name, name@domain, ~@domain, with * and ? as wildcards", "address");
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "there is such a mapping already", NULL, NULL);
	return err;
}

/* A target may come later, or be a slip: the answer says that it is nobody now. */
static enum err
look_at_target(struct control_call *call, struct txn *txn, struct span target)
{
	struct span *nobody = ARENA_NEW(&call->arena, struct span);
	const char *kind;
	enum err err = control_member_kind(txn_view(txn), target, &kind);

	call->state = nobody;
	if (err == OK && strcmp(kind, "nobody") == 0 && !span_eq_nocase(target, MAPPING_REMOTE))
		*nobody = arena_copy(&call->arena, target);
	return err;
}

static void
tell_of_target(struct control_call *call)
{
	const struct span *nobody = call->state;

	if (nobody->len > 0)
		call->note = arena_printf(&call->arena, "%.*s, but nobody is called %.*s",
			SPAN_FMT(call->note), SPAN_FMT(*nobody));
}

static enum err
mapping_add_change(struct control_call *call, struct txn *txn)
{
	struct mapping m = {
		.pattern = control_param(call, "address"),
		.target = control_param(call, "target"),
		.collect = control_param(call, "collect"),
		.comment = control_param(call, "comment"),
	};
	struct span when = control_param(call, "when");
	uint64_t id;
	enum err err;

	for (uint8_t i = 0; when.len && mapping_when_words[i]; i++)
		if (span_eq(when, span_of(mapping_when_words[i])))
			m.when = i;
	if (control_characters(m.comment) > MAPPING_COMMENT_MAX) {
		control_fail(
			call, RPC_INVALID, "a comment has at most 80 characters", NULL, "comment");
		return ERR_LIMIT;
	}
	call->job_done = 1;
	err = mapping_words(call, mapping_add(txn, &m, call->now_ms, &id));
	return err == OK ? look_at_target(call, txn, m.target) : err;
}

const struct control_handler control_do_mapping_add = {
	.change = mapping_add_change,
	.finish = tell_of_target,
	.object = "mapping",
};

static enum err
find_one(void *arg, const struct mapping *m)
{
	struct found *f = arg;

	if (f->target.len && !span_eq_nocase(f->target, m->target))
		return OK;
	if (f->count == FOUND_MAX)
		return ERR_LIMIT;
	f->ids[f->count++] = m->mapping_id;
	return OK;
}

static enum err
mapping_look_up(struct control_call *call, struct txn *txn, struct found *f)
{
	enum err err;

	*f = (struct found){.target = control_param(call, "target")};
	err = mapping_each_pattern(txn_view(txn), control_param(call, "address"), find_one, f);
	if (err == OK && f->count == 0)
		err = ERR_NOT_FOUND;
	control_fail_err(call, err, "mapping");
	return err;
}

static enum err
mapping_remove_change(struct control_call *call, struct txn *txn)
{
	struct found *f = ARENA_NEW(&call->arena, struct found);
	enum err err = mapping_look_up(call, txn, f);

	for (size_t i = 0; err == OK && i < f->count; i++)
		err = mapping_remove(txn, f->ids[i]);
	call->job_done = f->count;
	return err;
}

const struct control_handler control_do_mapping_remove = {
	.change = mapping_remove_change,
	.object = "mapping",
};

static enum err
mapping_set_change(struct control_call *call, struct txn *txn)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct found *f = ARENA_NEW(&call->arena, struct found);
	struct mapping m;
	enum err err = mapping_look_up(call, txn, f);

	if (err == OK && f->count > 1) {
		control_fail(call, RPC_REFUSED, "several mappings have this address and target",
			NULL, NULL);
		err = ERR_EXISTS;
	}
	if (err == OK)
		err = mapping_find(txn_view(txn), f->ids[0], &m);
	for (size_t i = 0; err == OK && i < keys->count; i++) {
		struct rpc_pair pair = keys->pairs[i];

		if (span_eq(pair.key, SPAN("address")))
			pair.key = SPAN("pattern");
		err = control_set_field(call, &mapping_table, &m, &pair);
	}
	call->job_done = 1;
	if (err == OK) {
		fields_copy(&mapping_table, &m, &call->arena);
		err = mapping_words(call, mapping_set(txn, &m, call->now_ms));
	}
	return err == OK ? look_at_target(call, txn, m.target) : err;
}

const struct control_handler control_do_mapping_set = {
	.change = mapping_set_change,
	.finish = tell_of_target,
	.object = "mapping",
};
