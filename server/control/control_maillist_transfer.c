/*
 * control_maillist_transfer.c - `maillist import` and `maillist export`: forwardings as lines
 * "localname remoteaddress" (LST-10, LST-11).
 *
 * One file can serve every office: --skip-to X leaves out what leads to X, a domain or an address, and
 * --remove-to X removes what is there to X as well. --replace lets a forwarding that is there lead
 * where the file says.
 */
#include <stdio.h>

#include "proto/control/mapping_lines.h"
#include "server/control/control_maillists.h"
#include "server/control/control_referrers.h"
#include "server/control/control_transfer.h"
#include "store/names.h"

struct lists_in {
	struct transfer_in in; /* first: transfer_in_*() know it */
	struct control_referrers *refs;
	size_t left_out; /* lines that lead to --skip-to or --remove-to */
	char after[MAILLIST_NAME_MAX + 1];
};

static bool
in_check(struct control_call *call)
{
	struct lists_in *in = ARENA_NEW(&call->arena, struct lists_in);

	transfer_in_init(call, &in->in);
	in->refs = control_referrers_new(call);
	call->state = in;
	return true;
}

/* ---- work: the lines, without those that are another office's ---- */

static bool
is_elsewhere(const struct control_call *call, struct span address)
{
	struct span skip = control_param(call, "skip_to"), gone = control_param(call, "remove_to");

	return (skip.len > 0 && forwarding_leads_to(address, skip)) ||
	       (gone.len > 0 && forwarding_leads_to(address, gone));
}

static bool
in_work(struct control_call *call)
{
	struct lists_in *in = call->state;
	struct transfer_in *t = &in->in;
	size_t kept = 0;

	if (!transfer_in_lines(call, t))
		return false;
	for (size_t i = 0; i < t->count; i++) {
		struct forwarding_line line;
		const char *why;
		enum err err = forwarding_line_parse(&t->scratch, t->items[i].line, &line, &why);

		if (err != OK && call->foresees)
			control_foresee(call, arena_printf(&call->arena, "%.*s %s",
						      SPAN_FMT(t->keys[i]), why));
		if (err == OK && is_elsewhere(call, line.address)) {
			in->left_out++;
		} else {
			t->items[kept] = t->items[i];
			t->keys[kept++] = t->keys[i];
		}
		arena_reset(&t->scratch);
	}
	t->count = t->lines = kept;
	return true;
}

/* ---- read: what --remove-to takes away ---- */

/* Does LIST forward to --remove-to? Its member is then *to. */
static enum err
leads_away(struct control_call *call, struct snapshot *snap, const struct maillist *list,
	struct list_member *to)
{
	enum err err;

	if (list->kind != MAILLIST_FORWARDING)
		return ERR_NOT_FOUND;
	err = maillist_member_after(snap, list->list_id, SPAN_NONE, to);
	if (err == OK && !forwarding_leads_to(to->member, control_param(call, "remove_to")))
		err = ERR_NOT_FOUND;
	return err;
}

static enum err
removal_look(struct control_call *call, struct snapshot *snap, const struct maillist *list)
{
	struct lists_in *in = call->state;
	struct list_member to;
	struct span key;
	enum err err = leads_away(call, snap, list, &to);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	key = arena_printf(&call->arena, "forwarding %.*s -> %.*s", SPAN_FMT(list->name),
		SPAN_FMT(to.member));
	if (call->foresees)
		control_foresee(call, arena_printf(&call->arena, "would remove %.*s", SPAN_FMT(key)));
	return transfer_in_add(
		       call, &in->in, (struct transfer_item){.id = list->list_id}, key)
		       ? OK
		       : ERR_LIMIT;
}

static enum step
old_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct lists_in *in = call->state;
	struct maillist list;
	enum err err = ERR_NOT_FOUND;

	while (rpc_has(call->request, "remove_to") &&
		(err = maillist_after(snap, span_of(in->after), &list)) == OK) {
		snprintf(in->after, sizeof(in->after), "%.*s", SPAN_FMT(list.name));
		err = removal_look(call, snap, &list);
		if (err != OK)
			break;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	transfer_in_targets(call, &in->in);
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "list");
	return STEP_FAIL;
}

static enum step
in_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct lists_in *in = call->state;
	enum step step = old_read(call, snap);

	if (step == STEP_DONE)
		control_foresee(call, arena_printf(&call->arena,
					      "would import up to %zu line%s, and leave out %zu",
					      in->in.lines, in->in.lines == 1 ? "" : "s",
					      in->left_out));
	return step;
}

/* ---- each ---- */

static enum err
forwarding_add(struct control_call *call, struct txn *txn, struct span name, struct span member)
{
	struct maillist list = {.name = name, .kind = MAILLIST_FORWARDING};
	uint64_t list_id;
	enum err err = maillist_add(txn, &list, call->now_ms, &list_id);

	if (err != OK) {
		call->skip_why = control_list_name_why(err);
		return err;
	}
	return maillist_member_add(txn, list_id, member, call->now_ms);
}

/* There is one of that name: it leads there, or it is to. */
static enum err
forwarding_follow(
	struct control_call *call, struct txn *txn, uint64_t list_id, struct span member)
{
	struct maillist list;
	struct list_member old;
	enum err err = maillist_find(txn_view(txn), list_id, &list);

	if (err != OK)
		return err;
	if (list.kind != MAILLIST_FORWARDING) {
		call->skip_why = "a list that is no forwarding has this name";
		return ERR_EXISTS;
	}
	err = maillist_member_after(txn_view(txn), list_id, SPAN_NONE, &old);
	if (err == OK && span_eq_nocase(old.member, member))
		return OK;
	if (err == OK && !rpc_flag(call->request, "replace")) {
		call->skip_why = "a forwarding has this name, and leads elsewhere (--replace)";
		return ERR_EXISTS;
	}
	if (err == OK)
		err = maillist_member_remove(txn, list_id, old.member);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return maillist_member_add(txn, list_id, member, call->now_ms);
}

static enum err
line_in(struct control_call *call, struct txn *txn, struct span text)
{
	struct lists_in *in = call->state;
	struct forwarding_line line;
	struct name_row row;
	struct span member;
	enum err err = forwarding_line_parse(&in->in.scratch, text, &line, &call->skip_why);

	if (err == OK)
		err = control_member(&in->in.scratch, txn_view(txn), line.address, &member,
			&call->skip_why);
	if (err != OK)
		return err;
	call->skip_why = NULL;
	err = name_find(txn_view(txn), line.name, &row);
	if (err == OK && row.kind == NAME_LIST)
		return forwarding_follow(call, txn, row.id, member);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return forwarding_add(call, txn, line.name, member);
}

static enum err
removal(struct control_call *call, struct txn *txn, uint64_t list_id)
{
	struct lists_in *in = call->state;
	struct list_member to;
	struct maillist list;
	struct span name;
	enum err err = maillist_find(txn_view(txn), list_id, &list);

	if (err == OK)
		err = leads_away(call, txn_view(txn), &list, &to); /* it may have changed since */
	if (err != OK)
		return err;
	name = arena_copy(&call->arena, list.name);
	err = maillist_remove(txn, list_id);
	if (err == OK)
		err = control_referrers_remove(call, txn, in->refs, name);
	call->job_parts += err == OK; /* only what comes in is counted */
	return err;
}

static enum err
in_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct lists_in *in = call->state;
	const struct transfer_item *item = &in->in.items[call->target_now];

	(void)key;
	arena_reset(&in->in.scratch);
	return item->id ? removal(call, txn, item->id) : line_in(call, txn, item->line);
}

static void
in_finish(struct control_call *call)
{
	const struct lists_in *in = call->state;

	transfer_in_note(call, &in->in);
	if (in->left_out > 0)
		call->note = arena_printf(&call->arena, "%.*s, %zu left out",
			SPAN_FMT(call->note), in->left_out);
}

const struct control_handler control_do_maillist_import = {
	.check = in_check,
	.work = in_work,
	.work_kind = WORK_LONG,
	.read = old_read,
	.foresee = in_foresee,
	.each = in_each,
	.finish = in_finish,
	.object = "list",
};

/* ---- out ---- */

/* The next forwarding that leads somewhere. */
static enum err
list_out(struct transfer_out *t, struct snapshot *snap)
{
	struct list_member to = {.member = SPAN_NONE};
	struct maillist list;
	enum err err;

	do {
		err = maillist_after(snap, t->name, &list);
		if (err != OK)
			return err;
		transfer_out_name(t, list.name);
		err = list.kind == MAILLIST_FORWARDING
			      ? maillist_member_after(snap, list.list_id, SPAN_NONE, &to)
			      : ERR_NOT_FOUND;
	} while (err == ERR_NOT_FOUND);
	if (err != OK)
		return err;
	return forwarding_line_put(&t->text, &(struct forwarding_line){list.name, to.member});
}

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	return transfer_out_read(call, snap, list_out, "list");
}

const struct control_handler control_do_maillist_export = {
	.check = transfer_out_check,
	.read = export_read,
	.spill = transfer_out_spill,
};
