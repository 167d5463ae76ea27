/*
 * control_message_acts.c - what is done to messages: hold, release, move, copy, remove, restore,
 * purge.
 *
 * The header and body of a message never change and are shared, so a move is a new placement and an
 * expunge in one transaction. What is removed lies in the user's bin for users.bin_keep.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/control/control_mailbox.h"
#include "store/graves.h"

#define BIN_SWEEP 50 /* rows whose time is over that one removal takes along */
#define ORIGIN_SIZE 64

/* The message KEY of the call's folder. */
static enum err
find(struct control_call *call, struct txn *txn, struct span key, struct folder *folder,
	struct message *m)
{
	uint32_t uid;
	enum err err = control_folder(call, txn_view(txn), control_param(call, "user"),
		control_param(call, "folder"), folder);

	if (err == OK)
		err = control_uid(key, &uid);
	return err == OK ? message_find(txn_view(txn), folder->folder_id, uid, m) : err;
}

static enum err
set_flags(struct control_call *call, struct txn *txn, struct span key, struct flag_change change)
{
	struct folder folder;
	struct message m;
	uint64_t modseq;
	enum err err = find(call, txn, key, &folder, &m);

	if (err != OK)
		return err;
	return message_set_flags(txn, &folder, (struct uid_list){&m.entry.uid, 1}, change, &modseq);
}

static enum err
hold_each(struct control_call *call, struct txn *txn, struct span key)
{
	return set_flags(call, txn, key, (struct flag_change){.add = FLAG_HELD});
}

static enum err
release_each(struct control_call *call, struct txn *txn, struct span key)
{
	return set_flags(call, txn, key, (struct flag_change){.remove = FLAG_HELD});
}

#define HOLD_CANNOT "hold and release undo each other"

const struct control_handler control_do_message_hold = {
	.each = hold_each,
	.object = "message",
	.cannot = HOLD_CANNOT,
};
const struct control_handler control_do_message_release = {
	.each = release_each,
	.object = "message",
	.cannot = HOLD_CANNOT,
};

/* Place M once more, in TO. The spans of M die with the first write, so they are copied. */
static enum err
place(struct control_call *call, struct txn *txn, const struct message *m, const struct folder *to,
	struct span keywords, uint32_t flags)
{
	struct content content = m->content;
	struct placement p = {.user_id = to->user_id,
		.folder_id = to->folder_id,
		.content = &content,
		.flags = flags,
		.received_s = m->entry.received_s};

	content.header = arena_copy(&call->arena, m->content.header);
	content.derived = SPAN_NONE;
	p.front = arena_copy(&call->arena, m->copy.front);
	p.keywords = arena_copy(&call->arena, keywords);
	return message_place(txn, &p);
}

/* The target of move and copy. It is made first, since making it moves the spans of a message. */
static enum err
target(struct control_call *call, struct txn *txn, struct folder *to)
{
	struct span user = control_param(call, "to_user");

	if (!rpc_has(call->request, "to_user") && !rpc_has(call->request, "to_folder")) {
		control_fail(call, RPC_INVALID, "where to? give to_folder or to_user", NULL,
			"to_folder");
		return ERR_SYNTAX;
	}
	return control_folder_make(call, txn, user.len ? user : control_param(call, "user"),
		control_param(call, "to_folder"), to);
}

static enum err
copy_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder to, folder;
	struct message m;
	enum err err = target(call, txn, &to);

	if (err == OK)
		err = find(call, txn, key, &folder, &m);
	return err == OK ? place(call, txn, &m, &to, m.copy.keywords, m.entry.flags) : err;
}

/* The folder row again: placing may have changed it. */
static enum err
expunge(struct txn *txn, const struct folder *where, uint32_t uid)
{
	struct folder folder;
	size_t count;
	enum err err = folder_get(txn_view(txn), where->user_id, where->folder_id, &folder);

	if (err != OK)
		return err;
	return message_expunge(txn, &folder, (struct uid_list){&uid, 1}, GRAVE_DELAY_MS, &count);
}

static enum err
move_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder to, folder;
	struct message m;
	enum err err = target(call, txn, &to);

	if (err == OK)
		err = find(call, txn, key, &folder, &m);
	if (err == OK && folder.folder_id == to.folder_id) {
		call->skip_why = "is there already";
		return ERR_EXISTS;
	}
	if (err == OK)
		err = place(call, txn, &m, &to, m.copy.keywords, m.entry.flags);
	return err == OK ? expunge(txn, &folder, m.entry.uid) : err;
}

#define MOVE_CANNOT "move the messages back"

const struct control_handler control_do_message_copy = {
	.each = copy_each,
	.object = "message",
	.cannot = "remove the copies",
};
const struct control_handler control_do_message_move = {
	.each = move_each,
	.object = "message",
	.cannot = MOVE_CANNOT,
};

/* ---- the bin ---- */

static bool
bin_check(struct control_call *call)
{
	int64_t *oldest = ARENA_NEW(&call->arena, int64_t);

	*oldest = call->now_ms - call->host->conf->users_bin_keep_ms;
	call->state = oldest;
	return true;
}

/* Removals keep the bin small: what was in it too long goes, the oldest first. */
static enum err
bin_sweep(struct txn *txn, const struct folder *bin, int64_t oldest_ms)
{
	struct entry entry;
	struct copy copy;
	enum err err = OK;

	for (int i = 0; i < BIN_SWEEP && err == OK; i++) {
		if (entry_next(txn_view(txn), bin->folder_id, 0, &entry) != OK)
			return OK;
		if (copy_get(txn_view(txn), entry.copy_id, &copy) == OK &&
			(int64_t)copy.save_ms >= oldest_ms)
			return OK;
		err = expunge(txn, bin, entry.uid);
	}
	return err;
}

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder bin, folder;
	struct message m;
	char origin[ORIGIN_SIZE];
	enum err err =
		control_folder_make(call, txn, control_param(call, "user"), MAILBOX_BIN, &bin);

	if (err == OK)
		err = bin_sweep(txn, &bin, *(int64_t *)call->state);
	if (err == OK)
		err = find(call, txn, key, &folder, &m);
	if (err != OK)
		return err;
	snprintf(origin, sizeof(origin), "%llu %u %u", (unsigned long long)folder.folder_id,
		m.entry.uid, m.entry.flags);
	err = place(call, txn, &m, &bin, span_of(origin), m.entry.flags | FLAG_HELD);
	return err == OK ? expunge(txn, &folder, m.entry.uid) : err;
}

static void
remove_finish(struct control_call *call)
{
	call->note = SPAN("in the bin; message restore brings them back");
}

const struct control_handler control_do_message_remove = {
	.check = bin_check,
	.each = remove_each,
	.finish = remove_finish,
	.object = "message",
	.cannot = "message restore brings them back",
};

static enum err
bin_find(struct control_call *call, struct txn *txn, struct span key, struct folder *bin,
	struct message *m)
{
	struct folder inbox;
	uint32_t uid;
	enum err err = control_folder(
		call, txn_view(txn), control_param(call, "user"), MAILBOX_INBOX, &inbox);

	if (err == OK)
		err = folder_find(txn_view(txn), inbox.user_id, MAILBOX_BIN, bin);
	if (err == OK)
		err = control_uid(key, &uid);
	return err == OK ? message_find(txn_view(txn), bin->folder_id, uid, m) : err;
}

/* Back to the folder it came from, or to INBOX where that is gone. */
static enum err
restore_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct span folder_id, flags_text, rest;
	struct folder bin, to;
	struct message m;
	uint64_t id = 0, flags = 0;
	enum err err = bin_find(call, txn, key, &bin, &m);

	if (err != OK)
		return err;
	span_cut(m.copy.keywords, ' ', &folder_id, &rest);
	span_cut(rest, ' ', &rest, &flags_text);
	if (span_u64(flags_text, UINT32_MAX, &flags) != OK)
		flags = 0;
	if (span_u64(folder_id, UINT64_MAX, &id) != OK ||
		folder_get(txn_view(txn), bin.user_id, id, &to) != OK)
		err = folder_find(txn_view(txn), bin.user_id, MAILBOX_INBOX, &to);
	if (err == OK)
		err = place(call, txn, &m, &to, SPAN_NONE, (uint32_t)flags);
	return err == OK ? expunge(txn, &bin, m.entry.uid) : err;
}

const struct control_handler control_do_message_restore = {
	.each = restore_each,
	.object = "message",
	.cannot = "remove them again",
};

static enum err
purge_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder bin;
	struct message m;
	enum err err = bin_find(call, txn, key, &bin, &m);

	return err == OK ? expunge(txn, &bin, m.entry.uid) : err;
}

const struct control_handler control_do_message_purge = {
	.each = purge_each,
	.object = "message",
	.cannot = "purged for good",
};
