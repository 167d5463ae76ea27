/*
 * imap_cmd_create.c - CREATE (RFC 9051, 6.3.4), with CREATE-SPECIAL-USE (RFC 6154, 3).
 */
#include "server/imap/folder_uses.h"
#include "server/imap/imap_job.h"
#include "server/imap/imap_target.h"

struct create {
	struct imap_job job; /* first */
	struct imap_target target;
	uint32_t uses;
	bool use_is_taken;
	uint64_t folder_id;
};

static enum step
create_run(struct store_job *job, struct txn *txn)
{
	struct create *task = LIST_ITEM(imap_job_of(job), struct create, job);
	enum err err = imap_target_may_make(txn_view(txn), task->job.asker_id, &task->target);

	task->use_is_taken = false;
	if (err == OK)
		err = imap_target_make_parents(txn, &task->target);
	if (err == OK)
		err = folder_make(txn, task->target.owner_id, task->target.name, &task->folder_id);
	if (err == OK && task->uses != 0) {
		err = folder_set_attributes(
			txn, task->target.owner_id, task->folder_id, task->uses, 0);
		task->use_is_taken = err == ERR_EXISTS;
	}
	return step_of(job, err);
}

static enum imap_turn
create_answer(struct imap_session *imap, const struct create *task)
{
	struct imap_reply reply = IMAP_OK("Created");

	if (task->use_is_taken)
		return imap_end(imap, IMAP_NO("USEATTR", "Another folder is used for that"));
	if (task->job.result != OK)
		return imap_folder_no(imap, task->job.result);
	reply.code = arena_printf(imap_arena(imap), "MAILBOXID (F%llu)",
		(unsigned long long)task->folder_id); /* RFC 8474, 4.1 */
	return imap_end(imap, reply);
}

/* " (USE (\Sent))", RFC 6154, 3. *known: no use but ours was named. */
static bool
take_uses(struct imap_cursor *args, uint32_t *out, bool *known)
{
	struct span word;

	*known = true;
	if (imap_at_end(args))
		return true;
	if (!imap_take_space(args) || !imap_take_open(args) ||
		!imap_take_word(args, SPAN("USE")) || !imap_take_space(args) ||
		!imap_take_open(args))
		return false;
	while (!imap_take_close(args)) {
		uint32_t use = 0;

		if (*out && !imap_take_space(args))
			return false;
		if (!imap_take_char(args, '\\') || !imap_take_atom(args, &word))
			return false;
		for (size_t i = 0; i < FOLDER_USES; i++)
			if (span_eq_nocase(word, folder_uses[i].attribute))
				use = folder_uses[i].bit;
		*known &= use != 0;
		*out |= use ? use : UINT32_C(1) << 31;
	}
	return imap_take_close(args) && imap_take_end(args);
}

enum imap_turn
imap_cmd_create(struct imap_session *imap, struct imap_cursor *args)
{
	struct create *task = imap->run->task;
	struct imap_place place;
	struct span name;
	bool known;
	enum err err;

	if (task)
		return create_answer(imap, task);
	task = imap_task(imap, sizeof(*task));
	if (!imap_take_space(args) || !imap_take_astring(args, &name) ||
		!take_uses(args, &task->uses, &known))
		return imap_bad_arguments(imap, args);
	if (!known)
		return imap_end(imap, IMAP_NO("USEATTR", "No folder is used for that here"));
	err = imap_target_take(imap, name, &place, &task->target);
	if (err == ERR_NOT_FOUND && place.space != IMAP_SPACE_OWN)
		err = ERR_DENIED;
	if (err == OK && imap_place_is_inbox(&place))
		err = ERR_EXISTS;
	if (err != OK)
		return imap_folder_no(imap, err);
	return imap_job_submit(imap, &task->job, create_run);
}
