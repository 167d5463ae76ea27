/*
 * control_folder_bin.c - `folder remove`, whose messages go to the bin, and `folder undelete`, which brings
 * back what was in a folder, and the folder where that is gone (RCY-01).
 */
#include "server/control/control_folders.h"
#include "store/bin.h"
#include "store/folder_jobs.h"

#define FORGET_ROWS 5000 /* what is kept of messages that left; more are housekeeping's */
#define RESTORE_JOB 200  /* messages of one job */

/* ---- remove ---- */

static enum err
foresee_folder(struct control_call *call, struct snapshot *snap, struct span name)
{
	struct control_place place;
	struct folder folder, f = {.folder_id = 0};
	uint64_t below = 0;
	enum err err = control_place_each(call, snap, name, &place, &folder);

	if (err != OK) {
		control_foresee(call, arena_printf(&call->arena, "%.*s: %s", SPAN_FMT(name),
					      call->skip_why ? call->skip_why : control_why(err)));
		call->skip_why = NULL;
		return err == ERR_NOT_FOUND || err == ERR_SYNTAX ? OK : err;
	}
	while ((err = folder_next(snap, place.user_id, f.folder_id, &f)) == OK)
		below += f.folder_id != folder.folder_id &&
			 folder_name_is_under(f.name, place.folder);
	call->foreseen_bytes += folder.bytes;
	control_foresee(call,
		arena_printf(&call->arena,
			"%.*s has %u message%s, %llu bytes: they go to the bin for users.bin_keep%s",
			SPAN_FMT(name), folder.messages + folder.held,
			folder.messages + folder.held == 1 ? "" : "s",
			(unsigned long long)folder.bytes,
			below ? "; the folders below it stay" : ""));
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum step
remove_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct rpc_value *names = rpc_value(call->request, "folders");
	struct control_slice slice = control_slice_begin();

	while (call->target_now < names->count) {
		enum err err = foresee_folder(call, snap, names->items[call->target_now++]);

		if (!control_fail_err(call, err, "folder"))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	return STEP_DONE;
}

/* At once where it is no large one; else its name is free at once, and the rest follows. */
static enum err
remove_each(struct control_call *call, struct txn *txn, struct span name)
{
	struct control_place place;
	struct bin_result binned;
	struct folder folder;
	bool gone = false;
	enum err err = control_place_each(call, txn_view(txn), name, &place, &folder);

	if (err != OK)
		return err;
	if (folder_name_eq(folder.name, SPAN("INBOX")) && place.user_id != FOLDER_OWNER_SHARED) {
		call->skip_why = "is the INBOX, which stays";
		return ERR_DENIED;
	}
	err = bin_take(txn, &folder, (struct uid_list){NULL, 0}, BIN_BLOCKS, &binned);
	if (err == OK && binned.all)
		err = folder_remove(txn, place.user_id, folder.folder_id, FORGET_ROWS, &gone);
	return err == OK && !gone ? folder_hide(txn, place.user_id, folder.folder_id) : err;
}

const struct control_handler control_do_folder_remove = {
	.foresee = remove_foresee,
	.each = remove_each,
	.object = "folder",
	.cannot = "folder undelete brings it back with its messages",
	.targets_job = 1,
};

/* ---- undelete ---- */

struct undelete {
	struct control_place place;
	bool begun;
	uint64_t bin_id;
	uint32_t after;
	struct arena scratch;
	struct span *keys;
	size_t count, size;
	uint64_t bytes;
	struct span *folders; /* their names, each once */
	size_t folder_count, folder_size;
};

static bool
undelete_check(struct control_call *call)
{
	struct undelete *u = ARENA_NEW(&call->arena, struct undelete);

	arena_init(&u->scratch, NULL);
	call->state = u;
	return true;
}

static enum err
undelete_begin(struct control_call *call, struct snapshot *snap)
{
	struct undelete *u = call->state;
	struct span name = control_param(call, "folder");
	struct folder bin;
	enum err err = control_place_find(
		call, snap, control_param(call, "user"), name.len ? name : SPAN("INBOX"), &u->place);

	u->begun = true;
	if (err != OK)
		return err;
	err = folder_find(snap, u->place.user_id, FOLDER_BIN, &bin);
	u->bin_id = err == OK ? bin.folder_id : 0;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* SPANS, or twice as many of them where all SIZE are taken. */
static struct span *
room_for_one(struct control_call *call, struct span *spans, size_t count, size_t *size)
{
	struct span *more;

	if (count < *size)
		return spans;
	*size = *size ? 2 * *size : 256;
	more = ARENA_ARRAY(&call->arena, struct span, *size);
	if (count > 0)
		memcpy(more, spans, count * sizeof(*more));
	return more;
}

static void
note_folder(struct control_call *call, struct span name)
{
	struct undelete *u = call->state;

	for (size_t i = u->folder_count; i > 0; i--) /* what went together lies together */
		if (span_eq(u->folders[i - 1], name))
			return;
	u->folders = room_for_one(call, u->folders, u->folder_count, &u->folder_size);
	u->folders[u->folder_count++] = arena_copy(&call->arena, name);
}

static void
take_entry(struct control_call *call, const struct entry *entry, const struct bin_item *item)
{
	struct undelete *u = call->state;
	bool named = rpc_has(call->request, "folder");

	if (named && !folder_name_is_under(item->folder_name, u->place.folder))
		return;
	u->keys = room_for_one(call, u->keys, u->count, &u->size);
	u->keys[u->count++] = arena_printf(&call->arena, "%u", entry->uid);
	u->bytes += entry->size;
	note_folder(call, item->folder_name);
}

/* STEP_DONE: u->keys are all of them. */
static enum step
walk_bin(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct undelete *u = call->state;
	struct bin_item item;
	struct entry entry;
	enum err err = OK;

	if (!u->begun && (err = undelete_begin(call, snap)) != OK)
		return control_fail_err(call, err, "folder") ? STEP_DONE : STEP_FAIL;
	while (u->bin_id && (err = entry_next(snap, u->bin_id, u->after, &entry)) == OK) {
		u->after = entry.uid;
		if (bin_item_get(snap, u->bin_id, &entry, &u->scratch, &item) == OK)
			take_entry(call, &entry, &item);
		arena_reset(&u->scratch);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err != OK && err != ERR_NOT_FOUND) {
		control_fail_err(call, err, "folder");
		return STEP_FAIL;
	}
	return STEP_DONE;
}

/* "12 messages of Work, Work/2026" */
static struct span
what_comes(struct control_call *call, uint64_t messages)
{
	const struct undelete *u = call->state;
	struct span first = u->folder_count > 0 ? u->folders[0] : SPAN("");

	if (u->folder_count > 1)
		return arena_printf(&call->arena, "%llu message%s of %.*s and %zu more folder%s",
			(unsigned long long)messages, messages == 1 ? "" : "s", SPAN_FMT(first),
			u->folder_count - 1, u->folder_count == 2 ? "" : "s");
	return arena_printf(&call->arena, "%llu message%s of %.*s", (unsigned long long)messages,
		messages == 1 ? "" : "s", SPAN_FMT(first));
}

static enum step
undelete_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct undelete *u = call->state;
	enum step step = walk_bin(call, snap);

	if (step != STEP_DONE)
		return step;
	call->foreseen_bytes = u->bytes;
	if (u->count == 0)
		control_foresee(call, SPAN("nothing of it is in the bin"));
	else
		control_foresee(call, arena_printf(&call->arena,
				      "%.*s come%s back from the bin; a folder that is gone is made "
				      "anew",
				      SPAN_FMT(what_comes(call, u->count)),
				      u->count == 1 ? "s" : ""));
	return STEP_DONE;
}

static enum step
undelete_read(struct control_call *call, struct snapshot *snap)
{
	const struct undelete *u = call->state;
	enum step step = walk_bin(call, snap);

	if (step == STEP_DONE && u->count == 0) {
		control_fail(call, RPC_NOT_FOUND, "nothing of it is in the bin",
			"message bin USER shows what is", "folder");
		return STEP_FAIL;
	}
	call->targets = u->keys;
	call->target_count = u->count;
	return step;
}

static enum err
undelete_each(struct control_call *call, struct txn *txn, struct span key)
{
	const struct undelete *u = call->state;
	struct folder to;
	uint32_t new_uid;
	uint64_t uid;

	if (span_u64(key, UINT32_MAX, &uid) != OK)
		return ERR_NOT_FOUND;
	return bin_restore(txn, u->place.user_id, (uint32_t)uid, &to, &new_uid);
}

static void
undelete_finish(struct control_call *call)
{
	call->note = arena_printf(&call->arena, "%.*s %s back", SPAN_FMT(what_comes(call, call->done)),
		call->done == 1 ? "is" : "are");
}

const struct control_handler control_do_folder_undelete = {
	.check = undelete_check,
	.foresee = undelete_foresee,
	.read = undelete_read,
	.each = undelete_each,
	.finish = undelete_finish,
	.object = "folder",
	.targets_job = RESTORE_JOB,
};
