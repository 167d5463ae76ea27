/*
 * imap_cmd_folder.c - CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051, 6.3.4 to 6.3.8).
 *
 * Names are taken apart on the loop; what is there and what the user may do is looked at by the job
 * that changes it, so nothing can happen between.
 */
#include "server/imap/imap_job.h"
#include "server/imap/imap_mailbox.h"
#include "store/subscriptions.h"

/* A folder's name and who owns it. */
struct target {
	uint64_t owner_id;
	struct span name; /* in the command arena */
};

/* A name from the arguments, as a place where a folder may be. ERR_NOT_FOUND: no such owner, or a level. */
static enum err
take_target(struct imap_session *imap, struct span wire, struct imap_place *place,
	struct target *out)
{
	struct snapshot *snap = imap_snapshot(imap);
	enum err err = imap_place_take(wire, imap_is_utf8(imap), imap_arena(imap), place);

	if (err != OK)
		return ERR_SYNTAX;
	out->name = place->folder;
	err = snap ? imap_place_owner(snap, imap->user_id, place, &out->owner_id) : ERR_IO;
	return err == OK && place->folder.len == 0 ? ERR_NOT_FOUND : err;
}

/*
 * What ASKER may do in the nearest parent of NAME that is there (RFC 4314, 4). Where there is none: the
 * owner everything, an administrator in Shared/ too.
 */
static enum err
rights_above(struct snapshot *view, uint64_t asker_id, const struct target *target,
	uint32_t *rights)
{
	struct folder none = { .user_id = target->owner_id }, parent = none;
	enum err err = ERR_NOT_FOUND;

	for (struct span name = imap_parent_name(target->name); name.len > 0 && err == ERR_NOT_FOUND;
		name = imap_parent_name(name))
		err = folder_find(view, target->owner_id, name, &parent);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return imap_rights_of(view, asker_id, err == OK ? &parent : &none, rights);
}

static enum err
may_make(struct snapshot *view, uint64_t asker_id, const struct target *target)
{
	uint32_t rights;
	enum err err = rights_above(view, asker_id, target, &rights);

	return err == OK && !(rights & RIGHT_CREATE) ? ERR_DENIED : err;
}

/* The folder TARGET, where ASKER has WANTED in it; as imap_mailbox_find() has the errors. */
static enum err
find_target(struct snapshot *view, uint64_t asker_id, const struct target *target,
	uint32_t wanted, struct folder *out)
{
	uint32_t rights = 0;
	enum err err = folder_find(view, target->owner_id, target->name, out);

	if (err == OK)
		err = imap_rights_of(view, asker_id, out, &rights);
	if (err != OK || (rights & wanted) == wanted)
		return err;
	return rights & RIGHT_LOOKUP ? ERR_DENIED : ERR_NOT_FOUND;
}

/* The levels above NAME that are not there (RFC 9051, 6.3.4). */
static enum err
make_parents(struct txn *txn, const struct target *target)
{
	enum err err = OK;

	for (size_t at = span_find(target->name, '/'); at < target->name.len && err == OK;
		at += 1 + span_find(span_from(target->name, at + 1), '/')) {
		struct span name = span_range(target->name, 0, at);
		struct folder folder;
		uint64_t id;

		err = folder_find(txn_view(txn), target->owner_id, name, &folder);
		if (err == ERR_NOT_FOUND)
			err = folder_make(txn, target->owner_id, name, &id);
	}
	return err;
}

static bool
is_inbox(const struct imap_place *place)
{
	return place->space != IMAP_SPACE_SHARED && span_eq(place->folder, SPAN("INBOX"));
}

/* What the errors of changing folders are called. */
static enum imap_turn
folder_no(struct imap_session *imap, enum err err)
{
	switch (err) {
	case ERR_EXISTS:
		return imap_end(imap, IMAP_NO("ALREADYEXISTS", "There is a folder of that name"));
	case ERR_LIMIT:
		return imap_end(imap, IMAP_NO("LIMIT", "Too many folders, or the name is too long"));
	case ERR_SYNTAX:
		return imap_end(imap, IMAP_NO("CANNOT", "No folder can be called so"));
	default:
		return imap_mailbox_no(imap, err);
	}
}

/* ---- CREATE ---- */

static const struct {
	const char *word;
	uint32_t use;
} uses[] = {
	{ "\\Sent", FOLDER_USE_SENT },
	{ "\\Drafts", FOLDER_USE_DRAFTS },
	{ "\\Trash", FOLDER_USE_TRASH },
	{ "\\Junk", FOLDER_USE_JUNK },
	{ "\\Archive", FOLDER_USE_ARCHIVE },
};

struct create {
	struct imap_job job; /* first */
	struct target target;
	uint32_t uses;
	bool use_is_taken;
	uint64_t folder_id;
};

static enum step
create_run(struct store_job *job, struct txn *txn)
{
	struct create *task = LIST_ITEM(imap_job_of(job), struct create, job);
	enum err err = may_make(txn_view(txn), task->job.asker_id, &task->target);

	task->use_is_taken = false;
	if (err == OK)
		err = make_parents(txn, &task->target);
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
		return folder_no(imap, task->job.result);
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
		for (size_t i = 0; i < COUNT(uses); i++)
			if (span_eq_nocase(word, span_of(uses[i].word + 1)))
				use = uses[i].use;
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
	err = take_target(imap, name, &place, &task->target);
	if (err == ERR_NOT_FOUND && place.space != IMAP_SPACE_OWN)
		err = ERR_DENIED;
	if (err == OK && is_inbox(&place))
		err = ERR_EXISTS;
	if (err != OK)
		return folder_no(imap, err);
	return imap_job_submit(imap, &task->job, create_run);
}

/* ---- RENAME ---- */

struct rename {
	struct imap_job job; /* first */
	struct target from, to;
};

static enum step
rename_run(struct store_job *job, struct txn *txn)
{
	struct rename *task = LIST_ITEM(imap_job_of(job), struct rename, job);
	struct folder folder;
	enum err err = find_target(
		txn_view(txn), task->job.asker_id, &task->from, RIGHT_DELETE, &folder);

	if (err == OK)
		err = may_make(txn_view(txn), task->job.asker_id, &task->to);
	if (err == OK && folder_name_is_under(task->to.name, task->from.name))
		err = ERR_DENIED;
	if (err == OK)
		err = make_parents(txn, &task->to);
	if (err == OK)
		err = folder_rename(txn, task->from.owner_id, folder.folder_id, task->to.name);
	return step_of(job, err);
}

enum imap_turn
imap_cmd_rename(struct imap_session *imap, struct imap_cursor *args)
{
	struct rename *task = imap->run->task;
	struct imap_place from, to;
	struct span name, new_name;
	enum err err;

	if (task)
		return task->job.result == OK ? imap_end(imap, IMAP_OK("Renamed"))
					      : folder_no(imap, task->job.result);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_space(args) ||
		!imap_take_astring(args, &new_name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	task = imap_task(imap, sizeof(*task));
	err = take_target(imap, name, &from, &task->from);
	if (err == OK)
		err = take_target(imap, new_name, &to, &task->to);
	if (err != OK)
		return folder_no(imap, err);
	if (task->from.owner_id != task->to.owner_id)
		return imap_end(imap,
			IMAP_NO("CANNOT", "A folder stays with its owner: copy its messages"));
	return imap_job_submit(imap, &task->job, rename_run);
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
			: folder_no(imap, task->job.result);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	if (imap_place_take(name, imap_is_utf8(imap), imap_arena(imap), &place) != OK)
		return folder_no(imap, ERR_SYNTAX);
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
