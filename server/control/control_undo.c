/*
 * control_undo.c - who changed what, and taking it back.
 *
 * A change of the store is undone by the images that its rows had; one of the configuration file by
 * the file's history (control_config.c).
 */
#include <stdio.h>

#include "server/control/control_guard.h"
#include "server/control/control_undo.h"

#include "server/queue/outgoing.h"

#define EFFECTS_MAX 50
#define CHANGES_LISTED 10000
#define PASSED_MAX 100 /* clashes that an undo without an id passes over */
#define PASSED_SHOWN 3

struct undo_walk {
	uint64_t before;
};

static enum step
undo_list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct undo_walk *walk = call->state;
	struct change c;
	enum err err = OK;

	if (!walk)
		walk = call->state = ARENA_NEW(&call->arena, struct undo_walk);
	while (call->rows.total < CHANGES_LISTED &&
		(err = change_prev(snap, walk->before, &c)) == OK) {
		char id[24];

		walk->before = c.change_id;
		snprintf(id, sizeof(id), "%llu", (unsigned long long)c.change_id);
		control_row(&call->rows, span_of(id));
		control_put_text(&call->rows, span_of(id));
		control_put_time_ms(&call->rows, c.time_ms);
		control_put_text(&call->rows, c.who);
		control_put_text(&call->rows, c.what);
		control_put_text(&call->rows, c.object.ptr ? c.object : SPAN(""));
		control_put_text(&call->rows, span_of(change_state_words[c.state]));
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == OK || err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "change");
	return STEP_FAIL;
}

const struct control_handler control_do_undo_list = {.read = undo_list_read};

/* Not for `undo` without an id: an undo itself, another's, or one without a way back. */
static bool
undo_is_for(const struct control_call *call, const struct change *c)
{
	return !c->undo_of && c->state == CHANGE_CAN_UNDO &&
	       span_eq(c->who, span_of(call->who.name));
}

/* "change 12: cannot, too many rows to be kept" */
static struct span
undo_cannot(struct control_call *call, const struct change *c)
{
	return arena_printf(&call->arena, "change %llu: %s%s%.*s",
		(unsigned long long)c->change_id, change_state_words[c->state],
		c->reason.len ? ", " : "", SPAN_FMT(c->reason));
}

/* What an undo without an id leaves standing. */
struct passed {
	struct span said; /* which, and why; or empty */
	bool no_way_back; /* one of them is the caller's own and cannot be undone */
};

static void
pass_over(struct control_call *call, const struct change *c, struct span why, struct passed *passed)
{
	passed->said = arena_printf(&call->arena, "%.*s%schange %llu was passed over, %.*s",
		SPAN_FMT(passed->said), passed->said.len ? "; " : "", (unsigned long long)c->change_id,
		SPAN_FMT(why));
}

/* The caller's own, newer than the one that will be undone: he may think of it. */
static bool
undo_is_missed(const struct control_call *call, const struct change *c)
{
	return !c->undo_of && c->state == CHANGE_CANNOT && span_eq(c->who, span_of(call->who.name));
}

/*
 * Mail moves by itself: who wants a message back that has left meanwhile does not want the change before taken
 * back in its place. A retry changes nothing that he would miss.
 */
static bool
undo_came_too_late(struct control_call *call, const struct change *c)
{
	if (!span_starts(c->what, SPAN("queue.")) || span_eq(c->what, SPAN("queue.retry")))
		return false;
	control_failf(call, RPC_CLASH, "id",
		"the last change, %.*s %.*s, comes too late: that mail has gone on since (an older one: undo list, undo ID)",
		SPAN_FMT(c->what), SPAN_FMT(c->object));
	return true;
}

/*
 * The caller's last change that can be undone and that nothing later stands upon: a clash, and what has
 * no way back, is passed over, and PASSED says which.
 */
static enum err
undo_find_last(
	struct control_call *call, struct snapshot *snap, struct change *c, struct passed *passed)
{
	unsigned clashes = 0, missed = 0;
	uint64_t number = 0;
	enum err err = OK;

	while (clashes < PASSED_MAX && (err = change_prev(snap, number, c)) == OK) {
		struct buf clash;

		number = c->change_id;
		passed->no_way_back |= undo_is_missed(call, c);
		if (undo_is_missed(call, c) && missed++ < PASSED_SHOWN)
			pass_over(call, c, arena_printf(&call->arena, "it has no way back: %.*s",
				SPAN_FMT(c->what)), passed);
		if (!undo_is_for(call, c))
			continue;
		buf_init(&clash, 512);
		err = change_undo_check(snap, number, &clash);
		if (err == ERR_EXISTS && undo_came_too_late(call, c)) {
			buf_fini(&clash);
			return ERR_NOT_FOUND;
		}
		if (err == ERR_EXISTS && ++clashes <= PASSED_SHOWN)
			pass_over(call, c, arena_printf(&call->arena, "changed since: %.*s",
				SPAN_FMT(buf_span(&clash))), passed);
		buf_fini(&clash);
		if (err != ERR_EXISTS)
			return err;
	}
	if (clashes > 0)
		control_failf(call, RPC_CLASH, "id", "no older change can be undone; %.*s",
			SPAN_FMT(passed->said));
	return ERR_NOT_FOUND;
}

/* The change that is asked for by its number, or the caller's last one that can be undone. */
static enum err
undo_find(struct control_call *call, struct snapshot *snap, struct change *c, struct passed *passed)
{
	uint64_t number = 0;

	*passed = (struct passed){ SPAN(""), false };
	if (!rpc_has(call->request, "id"))
		return undo_find_last(call, snap, c, passed);
	if (span_u64(control_param(call, "id"), UINT64_MAX, &number) != OK)
		return ERR_NOT_FOUND;
	return change_find(snap, number, c);
}

/* Taking back wants the right that the change itself wanted. */
static bool
undo_may(struct control_call *call, const struct change *c)
{
	const struct control_method *m = control_method_find(c->what);

	if (m && call->is_locked && control_guard_has_part(m)) {
		control_guard_refuse(&call->error, m);
		call->failed = true;
		return false;
	}
	if (!m || control_rights_have(call->who.rights, m->right))
		return true;
	return control_failf(call, RPC_NO_PERMISSION, control_right_name(m->right),
		"to undo %.*s the same right is wanted as to do it", SPAN_FMT(c->what));
}

static enum err
put_effects(struct json_writer *w, struct snapshot *snap, const struct change *c)
{
	struct change_row row;
	enum err err = OK;

	json_put_name(w, SPAN("effects"));
	json_put_array(w);
	for (uint64_t i = 0; i < c->rows && i < EFFECTS_MAX; i++) {
		struct arena a;

		err = change_row_find(snap, c->change_id, i, &row);
		if (err != OK)
			break;
		arena_init(&a, NULL);
		json_put_string(w, arena_printf(&a, "%.*s: %s", SPAN_FMT(row.table),
					   row.existed && row.exists ? "as it was before"
					   : row.existed	     ? "back again"
								     : "removed"));
		arena_reset(&a);
	}
	json_put_close(w);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum step
undo_preview_read(struct control_call *call, struct snapshot *snap)
{
	struct json_writer *w = &call->json;
	struct control_undo *u = ARENA_NEW(&call->arena, struct control_undo);
	struct change c;
	struct passed passed;
	struct buf clash;
	char id[24];
	enum err err = undo_find(call, snap, &c, &passed);

	if (!control_fail_err(call, err, "change that can be undone"))
		return STEP_FAIL;
	if (!undo_may(call, &c))
		return STEP_FAIL;
	call->state = u;
	if (c.state != CHANGE_CAN_UNDO)
		u->cannot = undo_cannot(call, &c);
	u->change_id = c.change_id;
	buf_init(&clash, 512);
	err = change_undo_check(snap, c.change_id, &clash);
	snprintf(id, sizeof(id), "%llu", (unsigned long long)c.change_id);
	json_put_object(w);
	json_put_member_string(w, SPAN("token"), span_of(id));
	json_put_member_string(w, SPAN("id"), span_of(id));
	json_put_member_string(w, SPAN("what"),
		arena_printf(&call->arena, "%.*s %.*s", SPAN_FMT(c.what), SPAN_FMT(c.object)));
	json_put_member_string(w, SPAN("who"), c.who);
	json_put_member_string(w, SPAN("state"), span_of(change_state_words[c.state]));
	if (put_effects(w, snap, &c) != OK)
		control_fail_err(call, ERR_CORRUPT, "the change");
	json_put_name(w, SPAN("clashes"));
	json_put_array(w);
	if (err == ERR_EXISTS)
		json_put_string(w, buf_span(&clash));
	json_put_close(w);
	json_put_close(w);
	u->would = arena_printf(&call->arena, "would undo: %.*s (change %s)%s%.*s%s%.*s",
		SPAN_FMT(control_did(&call->arena, c.what, c.object)), id,
		err == ERR_EXISTS ? "; it cannot, changed since: " : "",
		SPAN_FMT(err == ERR_EXISTS ? buf_span(&clash) : SPAN("")),
		passed.said.len ? "; " : "", SPAN_FMT(passed.said));
	buf_fini(&clash);
	return call->failed ? STEP_FAIL : STEP_DONE;
}

const struct control_handler control_do_undo_preview = {.read = undo_preview_read};

/* Without a preview nobody has seen that it would be an older change than he thinks of: it is not taken back then. */
static bool
undo_is_meant(struct control_call *call, const struct passed *passed, const struct change *c)
{
	if (!passed->no_way_back)
		return true;
	return control_failf(call, RPC_REFUSED, "id",
		"a change of yours since then has no way back; the newest that has one is %llu, %.*s (undo %llu)",
		(unsigned long long)c->change_id,
		SPAN_FMT(control_did(&call->arena, c->what, c->object)),
		(unsigned long long)c->change_id);
}

static enum step
undo_read(struct control_call *call, struct snapshot *snap)
{
	struct control_undo *u = call->state;
	struct change c;
	struct passed passed;
	enum err err = undo_find(call, snap, &c, &passed);

	if (!control_fail_err(call, err, "change that can be undone"))
		return STEP_FAIL;
	u->passed = passed.said;
	if (!undo_may(call, &c) || !undo_is_meant(call, &passed, &c))
		return STEP_FAIL;
	u->change_id = c.change_id;
	u->config_no = c.config_no;
	u->note = arena_printf(&call->arena, "%s: %.*s%s%.*s%s",
		c.undo_of ? "done again" : "undone",
		SPAN_FMT(control_did(&call->arena, c.what, c.object)),
		u->passed.len ? " (" : "", SPAN_FMT(u->passed), u->passed.len ? ")" : "");
	if (c.state == CHANGE_CAN_UNDO)
		return STEP_DONE;
	control_failf(call, RPC_REFUSED, "id", "%.*s", SPAN_FMT(undo_cannot(call, &c)));
	return STEP_FAIL;
}

/* The file of rules that the change is about; NULL: the configuration, or a file of a later version. */
static struct control_rules *
rules_of(struct control_undo *u)
{
	uint64_t file = control_file_of(u->config_no);

	return file >= CONTROL_FILE_RULES && file - CONTROL_FILE_RULES < RULE_FILE_COUNT ?
		&u->rules[file - CONTROL_FILE_RULES] : NULL;
}

static bool
undo_rules(struct control_call *call, struct control_undo *u, struct control_rules *rules)
{
	if (!control_rules_undo(call, rules, (uint32_t)u->config_no))
		return false;
	u->config.number = control_rules_no(rules);
	return true;
}

/* After the file was put back: the file's own change is in the log already. */
static bool
undo_spill(struct control_call *call)
{
	struct control_undo *u = call->state;

	if (call->failed || !u->config_no || u->file_done)
		return !call->failed;
	u->file_done = true;
	return rules_of(u) ? undo_rules(call, u, rules_of(u)) :
		control_config_undo(call, &u->config, (uint32_t)u->config_no);
}

static enum err
undo_change(struct control_call *call, struct txn *txn)
{
	struct control_undo *u = call->state;
	struct change_start start = {.who = span_of(call->who.name),
		.via = span_of(call->who.via),
		.now_ms = call->now_ms};
	uint64_t undo_id = 0;
	struct buf clash;
	enum err err;

	if (u->config_no)
		return control_config_record(call, txn, &u->config, u->change_id);
	buf_init(&clash, 512);
	err = change_undo(txn, u->change_id, &start, &clash, &undo_id);
	if (err == ERR_EXISTS)
		control_failf(call, RPC_CLASH, "id", "changed since: %.*s",
			SPAN_FMT(buf_span(&clash)));
	else if (err == ERR_DENIED)
		control_failf(call, RPC_REFUSED, "id", "change %llu: %s%s%.*s",
			(unsigned long long)u->change_id, control_why(err),
			u->passed.len ? "; " : "", SPAN_FMT(u->passed));
	buf_fini(&clash);
	call->job_done = 1;
	call->job_change_id = undo_id;
	call->can_undo = err == OK;
	return err;
}

static bool
undo_check(struct control_call *call)
{
	struct control_undo *u = ARENA_NEW(&call->arena, struct control_undo);

	call->state = u;
	for (enum rule_file file = 0; file < RULE_FILE_COUNT; file++)
		control_rules_begin(call, &u->rules[file], file);
	return control_config_begin(call, &u->config);
}

static void
undo_finish(struct control_call *call)
{
	struct control_undo *u = call->state;

	call->note = u->note;
	outgoing_look_again(call->host); /* a user's other server may be another one again */
}

static bool
undo_take(struct control_call *call)
{
	struct control_undo *u = call->state;

	if (!u->config_no)
		return true;
	return rules_of(u) ? control_rules_take(call, rules_of(u)) :
		control_config_take(call, &u->config);
}

const struct control_handler control_do_undo_apply = {
	.check = undo_check,
	.read = undo_read,
	.spill = undo_spill,
	.take = undo_take,
	.change = undo_change,
	.finish = undo_finish,
	.object = "change",
	.unrecorded = true,
};
