/*
 * control_prune_run.c - what prune rules match now: shown (`rule prune preview`, and the preview of a run),
 * and taken (`rule prune run`).
 */
#include "conf/conf.h"
#include "server/control/control_mailbox.h"
#include "server/task/task_prune.h"
#include "store/prune.h"

typedef unsigned long long ull;

/* Of one mailbox folder in a row, for the lines of a preview. */
struct tally {
	uint64_t user_id, folder_id;
	struct span text; /* "anna INBOX" */
	uint64_t messages, bytes;
};

struct looking {
	struct prune_scan scan;
	struct arena scratch;
	bool begun;
	bool sets_progress; /* of a run: what there is to look at */
	struct tally now, all;
	uint64_t users;
	/* of a walk over the mailboxes, for the progress */
	uint64_t at_user, messages;
};

static void
looking_free(void *arg)
{
	struct looking *l = arg;

	arena_reset(&l->scan.arena);
	arena_reset(&l->scratch);
}

static bool
look_check(struct control_call *call)
{
	struct looking *l = ARENA_NEW(&call->arena, struct looking);

	l->scan.now_ms = (uint64_t)call->now_ms;
	arena_init(&l->scan.arena, NULL);
	arena_init(&l->scratch, NULL);
	arena_on_reset(&call->arena, looking_free, l);
	call->state = l;
	return true;
}

/* The user that is named, once. */
static bool
look_begin(struct control_call *call, struct snapshot *snap)
{
	struct looking *l = call->state;
	struct user user = { .user_id = 0 };
	enum err err = OK;

	if (!l->begun && rpc_has(call->request, "user"))
		err = user_find_by_name(snap, control_param(call, "user"), &user);
	if (!l->begun)
		l->scan.only_user = user.user_id;
	l->begun = true;
	return control_fail_err(call, err, "user");
}

static enum step
look_some(struct control_call *call, struct snapshot *snap, prune_fn *fn)
{
	struct looking *l = call->state;
	bool more;
	enum err err;

	if (!look_begin(call, snap))
		return STEP_FAIL;
	err = prune_scan_some(snap, &l->scan, fn, call, &more);
	if (!control_fail_err(call, err, "mailboxes"))
		return STEP_FAIL;
	return more ? STEP_MORE : STEP_DONE;
}

/* ---- rule prune preview ---- */

struct looked_snap {
	struct control_call *call;
	struct snapshot *snap;
	struct control_slice slice;
};

/* What nobody is shown is not read. */
static bool
shows_heading(const struct control_rows *rows)
{
	return !rows->unseen && (control_rows_want(rows, "from") || control_rows_want(rows, "subject"));
}

static bool
put_found(void *arg, const struct prune_found *found)
{
	struct looked_snap *s = arg;
	struct looking *l = s->call->state;
	struct control_rows *rows = &s->call->rows;
	const struct entry *e = found->entry;
	struct control_heading h = { .from = SPAN("") };
	struct message m;
	struct copy copy;
	uint64_t first_ms = found->first_ms;

	if (shows_heading(rows) &&
		message_by_copy(s->snap, e->copy_id, &m.copy, &m.content) == OK)
		control_heading(&l->scratch, m.content.header, &h);
	if (first_ms == 0 && control_rows_want(rows, "received") &&
		copy_get(s->snap, e->copy_id, &copy) == OK)
		first_ms = copy.first_ms;
	control_row(rows, arena_printf(&l->scratch, "%llu.%llu.%u", (ull)found->user->user_id,
				  (ull)found->folder->folder_id, e->uid));
	control_put_text(rows, found->user->name);
	control_put_text(rows, found->folder->name);
	control_put_number(rows, e->uid);
	control_put_text(rows, h.from);
	control_put_text(rows, h.subject);
	control_put_time_ms(rows, (int64_t)first_ms);
	control_put_number(rows, e->size);
	control_put_number(rows, (int64_t)found->rule->rule_id);
	arena_reset(&l->scratch);
	return control_slice_is_over(&s->slice);
}

static enum step
preview_read(struct control_call *call, struct snapshot *snap)
{
	struct looked_snap s = { call, snap, control_slice_begin() };
	struct looking *l = call->state;
	bool more;
	enum err err;

	if (!look_begin(call, snap))
		return STEP_FAIL;
	err = prune_scan_some(snap, &l->scan, put_found, &s, &more);
	if (!control_fail_err(call, err, "mailboxes"))
		return STEP_FAIL;
	return more ? STEP_MORE : STEP_DONE;
}

const struct control_handler control_do_rule_prune_preview = {
	.check = look_check,
	.read = preview_read,
};

/* ---- the preview of a run ---- */

static void
end_tally(struct control_call *call)
{
	struct looking *l = call->state;

	if (l->now.messages > 0)
		control_foresee(call,
			arena_printf(&call->arena, "%.*s: %llu message%s, %llu bytes",
				SPAN_FMT(l->now.text), (ull)l->now.messages,
				l->now.messages == 1 ? "" : "s", (ull)l->now.bytes));
	l->now.messages = l->now.bytes = 0;
}

static bool
tally_found(void *arg, const struct prune_found *found)
{
	struct control_call *call = arg;
	struct looking *l = call->state;
	const struct folder *folder = found->folder;

	if (l->now.folder_id != folder->folder_id) {
		end_tally(call);
		l->users += l->now.user_id != folder->user_id;
		l->now = (struct tally){ .user_id = folder->user_id,
			.folder_id = folder->folder_id };
		l->now.text = arena_printf(&call->arena, "%.*s %.*s",
			SPAN_FMT(found->user->name), SPAN_FMT(folder->name));
	}
	l->now.messages++;
	l->now.bytes += found->entry->size;
	l->all.messages++;
	l->all.bytes += found->entry->size;
	return false;
}

static enum step
run_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct looking *l = call->state;
	enum step step = look_some(call, snap, tally_found);

	if (step == STEP_DONE) {
		end_tally(call);
		call->foreseen_bytes = l->all.bytes;
	}
	return step;
}

static struct span
run_would(struct control_call *call, const struct rpc_request *request)
{
	const struct looking *l = call->state;

	(void)request;
	if (l->all.messages == 0)
		return SPAN("would put nothing into the bin: no message matches a prune rule now");
	return arena_printf(&call->arena,
		"would put %llu message%s of %llu mailbox%s into the bin, where they stay for "
		"users.bin_keep",
		(ull)l->all.messages, l->all.messages == 1 ? "" : "s", (ull)l->users,
		l->users == 1 ? "" : "es");
}

/* ---- rule prune run ---- */

/* How many there are to look at, for the progress: a guess, since not every folder has a rule. */
static enum step
run_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct looking *l = call->state;
	struct folder_totals totals;
	struct user user;
	enum err err = OK;

	if (!look_begin(call, snap))
		return STEP_FAIL;
	if (l->scan.only_user != 0)
		l->at_user = l->scan.only_user - 1;
	while ((err = user_next(snap, l->at_user, &user)) == OK || err == ERR_CORRUPT) {
		l->at_user = user.user_id;
		if (err == OK && folder_totals(snap, user.user_id, &totals) == OK)
			l->messages += totals.messages;
		if (l->scan.only_user != 0)
			break;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	return STEP_DONE;
}

/* The log of changes says who had it done, and when; what was taken lies in the bins. */
static enum err
run_change(struct control_call *call, struct txn *txn)
{
	(void)call;
	(void)txn;
	return OK;
}

static bool
run_told(void *arg, const struct prune_run_figures *figures)
{
	struct control_call *call = arg;
	const struct looking *l = call->state;

	atomic_store(&call->progress_total, l->messages > 0 ? l->messages : 1);
	atomic_store(&call->progress_done,
		figures->looked < l->messages ? figures->looked : l->messages);
	return control_is_cancelled(call);
}

static void
run_done(void *arg, const struct prune_run_figures *figures, enum err result)
{
	struct control_call *call = arg;

	call->done = figures->taken;
	call->note = arena_printf(&call->arena,
		"%llu message%s pruned; `message bin USER` shows them, `message restore` brings "
		"them back",
		(ull)figures->taken, figures->taken == 1 ? "" : "s");
	if (result != OK)
		control_failf(call, result == ERR_BUSY ? RPC_BUSY : RPC_INTERNAL, NULL,
			"pruning ended after %llu messages: %s", (ull)figures->taken,
			control_why(result));
	else if (control_is_cancelled(call))
		control_failf(call, RPC_REFUSED, NULL, "cancelled after %llu messages",
			(ull)figures->taken);
	control_call_end(call);
}

static bool
run_wait(struct control_call *call)
{
	const struct looking *l = call->state;

	prune_run_start(call->host,
		&(struct prune_run_asker){ .arg = call,
			.only_user = l->scan.only_user,
			.told = run_told,
			.done = run_done });
	return true;
}

const struct control_handler control_do_rule_prune_run = {
	.check = look_check,
	.foresee = run_foresee,
	.would = run_would,
	.read = run_read,
	.change = run_change,
	.wait = run_wait,
	.cannot = "message restore brings back what is in the bin",
	.object = "mailboxes",
};
