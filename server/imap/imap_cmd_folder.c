/*
 * imap_cmd_folder.c - DELETE, SUBSCRIBE, UNSUBSCRIBE (RFC 9051, 6.3.5, 6.3.7, 6.3.8).
 */
#include "server/imap/imap_job.h"
#include "server/imap/imap_target.h"
#include "store/changes.h"
#include "store/folder_jobs.h"
#include "store/subscriptions.h"

/* ---- DELETE ---- */

/*
 * Its messages go to the owner's bin, its children stay (RFC 9051, 6.3.5). The name is free from the
 * first commit on; the answer waits until all is done.
 */
struct delete_task {
	struct folder_removal removal; /* its apply runs inside ours */
	enum step (*remove)(struct store_job *job, struct txn *txn);
	struct imap_session *imap;
	uint64_t asker_id;
	struct change_start start;
	enum err result;
};

static struct delete_task *
delete_of(struct store_job *job)
{
	return LIST_ITEM(job, struct delete_task, removal.job);
}

/* The first slice: may he, and the line in the log of changes. */
static enum step
delete_first(struct delete_task *task, struct txn *txn, const struct folder *folder)
{
	struct store_job *job = &task->removal.job;
	struct change_recorder recorder;
	uint32_t rights;
	enum step step;
	enum err err = imap_rights_of(txn_view(txn), task->asker_id, folder, &rights);

	if (err == OK && !(rights & RIGHT_DELETE))
		err = ERR_DENIED;
	if (err == OK)
		err = change_begin(&recorder, txn, &task->start);
	if (err != OK)
		return step_of(job, err);
	step = task->remove(job, txn);
	if (step == STEP_FAIL)
		return step;
	err = change_end(&recorder);
	return err == OK ? step : step_of(job, err);
}

static enum step
delete_run(struct store_job *job, struct txn *txn)
{
	struct delete_task *task = delete_of(job);
	struct folder folder;
	enum err err = folder_get(
		txn_view(txn), task->removal.user_id, task->removal.folder_id, &folder);

	if (err == OK)
		return delete_first(task, txn, &folder);
	return task->remove(job, txn); /* it is nobody's by now, or gone */
}

static void
delete_done(struct store_job *job, enum err result)
{
	struct delete_task *task = delete_of(job);

	task->result = result;
	imap_resume(task->imap);
}

static enum imap_turn
delete_answer(struct imap_session *imap, const struct delete_task *task)
{
	if (task->result == ERR_DENIED) /* or it became INBOX, which it cannot */
		return imap_mailbox_no(imap, ERR_DENIED);
	if (task->result != OK)
		return imap_folder_no(imap, task->result);
	log_put(imap->session.host->log,
		&(struct log_line){ .level = LEVEL_INFO, .area = "security",
			.session = imap->session.name, .text = "a folder was removed",
			.fields = { { "user", task->start.who, 0 },
				{ "object", task->start.object, 0 } } });
	return imap_end(imap, IMAP_OK("Deleted"));
}

static enum imap_turn
delete_begin(struct imap_session *imap, struct delete_task *task, const struct imap_mailbox *box)
{
	enum err err;

	task->imap = imap;
	task->asker_id = imap->user_id;
	task->start = (struct change_start){ .who = span_of(imap->session.record.user),
		.via = SPAN("imap"), .what = SPAN("folder.remove"),
		.object = imap_place_name(&box->place, imap_arena(imap)),
		.now_ms = host_now_ms(imap->session.host),
		.cannot = SPAN("the messages of a removed folder are in the bin") };
	folder_removal_init(&task->removal);
	task->remove = task->removal.job.apply;
	task->removal.user_id = box->user_id;
	task->removal.folder_id = box->folder.folder_id;
	task->removal.job.apply = delete_run;
	task->removal.job.done = delete_done;
	err = imap_submit(imap, &task->removal.job);
	return err == OK ? IMAP_WAIT : imap_fail(imap, err);
}

enum imap_turn
imap_cmd_delete(struct imap_session *imap, struct imap_cursor *args)
{
	struct delete_task *task = imap->run->task;
	struct imap_mailbox box;
	struct span name;
	enum err err;

	if (task)
		return delete_answer(imap, task);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	err = imap_mailbox_find(imap, name, RIGHT_DELETE, &box);
	if (err != OK)
		return imap_mailbox_no(imap, err);
	if (imap_place_is_inbox(&box.place))
		return imap_end(imap, IMAP_NO("CANNOT", "INBOX stays"));
	return delete_begin(imap, imap_task(imap, sizeof(*task)), &box);
}

/* ---- SUBSCRIBE, UNSUBSCRIBE ---- */

struct subscribe {
	struct imap_job job; /* first */
	struct span name;
	bool on;
};

static enum step
subscribe_run(struct store_job *job, struct txn *txn)
{
	struct subscribe *task = LIST_ITEM(imap_job_of(job), struct subscribe, job);

	return step_of(job, subscription_set(txn, task->job.asker_id, task->name, task->on));
}

/* The name as LIST has it: a user's name in the letters that he was made with. */
static struct span
name_to_subscribe(struct imap_session *imap, struct imap_place *place)
{
	struct snapshot *snap = imap_snapshot(imap);
	struct user user;

	if (snap && place->space == IMAP_SPACE_OTHERS &&
		user_find_by_name(snap, place->owner, &user) == OK)
		place->owner = user.name;
	return arena_copy(imap_arena(imap), imap_place_name(place, imap_arena(imap)));
}

/* A name may be subscribed that no folder has: LIST says then that there is none (RFC 9051, 6.3.7). */
static enum imap_turn
subscribe(struct imap_session *imap, struct imap_cursor *args, bool on)
{
	struct subscribe *task = imap->run->task;
	struct imap_place place;
	struct span name;

	if (task)
		return task->job.result == OK
			? imap_end(imap, on ? IMAP_OK("Subscribed") : IMAP_OK("Unsubscribed"))
			: imap_folder_no(imap, task->job.result);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	if (imap_place_take(name, imap_is_utf8(imap), imap_arena(imap), &place) != OK)
		return imap_folder_no(imap, ERR_SYNTAX);
	task = imap_task(imap, sizeof(*task));
	task->name = name_to_subscribe(imap, &place);
	task->on = on;
	return imap_job_submit(imap, &task->job, subscribe_run);
}

enum imap_turn
imap_cmd_subscribe(struct imap_session *imap, struct imap_cursor *args)
{
	return subscribe(imap, args, true);
}

enum imap_turn
imap_cmd_unsubscribe(struct imap_session *imap, struct imap_cursor *args)
{
	return subscribe(imap, args, false);
}
