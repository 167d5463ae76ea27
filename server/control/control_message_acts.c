/*
 * control_message_acts.c - what is done to messages: hold, release, move, copy, remove, restore,
 * purge.
 *
 * A move takes the placement along, so it can be undone and keeps the POP3 unique id. What is
 * removed lies in the user's bin for users.bin_keep.
 */
#include "server/control/control_mailbox.h"
#include "store/graves.h"
#include "store/message_ways.h"

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
	enum err err = find(call, txn, key, &folder, &m);

	return err == OK ? message_way_flags(txn, &folder, m.entry.uid, change) : err;
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

const struct control_handler control_do_message_hold = {.each = hold_each, .object = "message"};
const struct control_handler control_do_message_release = {
	.each = release_each,
	.object = "message",
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

/* M goes from FROM to the end of TO: the same copy, so its POP3 unique id stays (H27). */
static enum err
move(struct control_call *call, struct txn *txn, const struct message *m, const struct folder *from,
	const struct folder *to, struct span keywords, uint32_t flags)
{
	struct placement p = {.user_id = to->user_id,
		.folder_id = to->folder_id,
		.flags = flags,
		.keywords = arena_copy(&call->arena, keywords)};

	return message_way_move(txn, from, m->entry.uid, &p);
}

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
	return err == OK ? move(call, txn, &m, &folder, &to, m.copy.keywords, m.entry.flags) : err;
}

const struct control_handler control_do_message_copy = {
	.each = copy_each,
	.object = "message",
	.cannot = "remove the copies",
};
const struct control_handler control_do_message_move = {
	.each = move_each,
	.object = "message",
};

/* ---- the bin ---- */

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder bin, folder;
	struct message m;
	enum err err =
		control_folder_make(call, txn, control_param(call, "user"), FOLDER_BIN, &bin);

	if (err == OK)
		err = find(call, txn, key, &folder, &m);
	if (err != OK)
		return err;
	return move(call, txn, &m, &folder, &bin,
		arena_printf(&call->arena, "%llu %u %u %.*s", (unsigned long long)folder.folder_id,
			m.entry.uid, m.entry.flags, SPAN_FMT(m.copy.keywords)),
		m.entry.flags | FLAG_HELD);
}

const struct control_handler control_do_message_remove = {.each = remove_each, .object = "message"};

static enum err
bin_find(struct control_call *call, struct txn *txn, struct span key, struct folder *bin,
	struct message *m)
{
	struct folder inbox;
	uint32_t uid;
	enum err err = control_folder(
		call, txn_view(txn), control_param(call, "user"), MAILBOX_INBOX, &inbox);

	if (err == OK)
		err = folder_find(txn_view(txn), inbox.user_id, FOLDER_BIN, bin);
	if (err == OK)
		err = control_uid(key, &uid);
	return err == OK ? message_find(txn_view(txn), bin->folder_id, uid, m) : err;
}

/* Back to the folder it came from, or to INBOX where that is gone, with its flags of then. */
static enum err
restore_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct span folder_id, uid, flags_text, keywords;
	struct folder bin, to;
	struct message m;
	uint64_t id = 0, flags = 0;
	enum err err = bin_find(call, txn, key, &bin, &m);

	if (err != OK)
		return err;
	span_cut(m.copy.keywords, ' ', &folder_id, &keywords);
	span_cut(keywords, ' ', &uid, &keywords);
	span_cut(keywords, ' ', &flags_text, &keywords);
	if (span_u64(flags_text, UINT32_MAX, &flags) != OK)
		flags = 0;
	if (span_u64(folder_id, UINT64_MAX, &id) != OK ||
		folder_get(txn_view(txn), bin.user_id, id, &to) != OK)
		err = folder_find(txn_view(txn), bin.user_id, MAILBOX_INBOX, &to);
	return err == OK ? move(call, txn, &m, &bin, &to, keywords, (uint32_t)flags) : err;
}

const struct control_handler control_do_message_restore = {
	.each = restore_each,
	.object = "message",
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
