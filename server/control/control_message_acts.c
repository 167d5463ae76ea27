/*
 * control_message_acts.c - what is done to messages: hold, release, move, copy, remove, restore,
 * purge.
 *
 * A move takes the placement along, so it can be undone and keeps the POP3 unique id. What is
 * removed lies in the user's bin for users.bin_keep.
 */
#include "server/control/control_folders.h"
#include "server/control/control_mailbox.h"
#include "server/control/control_message_route.h"
#include "store/bin.h"
#include "store/forwards.h"
#include "store/message_ways.h"

#define FLAGS_FOLLOW (FLAGS_SYSTEM | FLAG_HELD) /* a message anywhere; keywords go by their names */

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
hold(struct control_call *call, struct txn *txn, struct span key, bool on)
{
	struct folder folder;
	struct message m;
	enum err err = find(call, txn, key, &folder, &m);

	return err == OK ? message_way_hold(txn, &folder, m.entry.uid, on) : err;
}

static enum err
hold_each(struct control_call *call, struct txn *txn, struct span key)
{
	return hold(call, txn, key, true);
}

static enum err
release_each(struct control_call *call, struct txn *txn, struct span key)
{
	return hold(call, txn, key, false);
}

const struct control_handler control_do_message_hold = {.each = hold_each, .object = "message"};
const struct control_handler control_do_message_release = {
	.each = release_each,
	.object = "message",
};

static enum err
bin(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder folder;
	struct message m;
	uint32_t bin_uid;
	enum err err = find(call, txn, key, &folder, &m);

	return err == OK ? message_way_bin(txn, &folder, m.entry.uid, &bin_uid) : err;
}

/* A copy inside the mailbox is an heir of the pair that M may be of (forwards.h). */
static enum err
tell_forwards(struct txn *txn, const struct message *m, uint64_t from_user_id,
	const struct placement *p)
{
	struct forward heir = {
		.copy_id = p->copy_id, .folder_id = p->folder_id, .uid = p->uid};

	if (p->user_id != from_user_id || from_user_id == FOLDER_OWNER_SHARED)
		return OK;
	return forward_copied(txn, p->user_id, m->entry.copy_id, &heir);
}

/*
 * Place M once more, in P's folder with its keywords. The spans of M die with the first write, so they are
 * copied.
 */
static enum err
place(struct control_call *call, struct txn *txn, const struct message *m, struct placement *p)
{
	struct content content = m->content;
	enum err err;

	content.header = arena_copy(&call->arena, m->content.header);
	content.derived = SPAN_NONE;
	p->content = &content;
	p->flags = m->entry.flags & FLAGS_FOLLOW;
	p->received_s = m->entry.received_s;
	p->first_ms = m->copy.first_ms;
	p->front = arena_copy(&call->arena, m->copy.front);
	err = message_place(txn, p);
	p->content = NULL;
	return err;
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

/* The message KEY, its keywords as words, and where it goes to. */
static enum err
find_both(struct control_call *call, struct txn *txn, struct span key, struct folder *folder,
	struct message *m, struct folder *to)
{
	enum err err = target(call, txn, to);

	return err == OK ? find(call, txn, key, folder, m) : err;
}

static enum err
copy_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder to, folder;
	struct placement p = {.user_id = 0};
	struct message m;
	enum err err;

	if (control_routed_is(call, &err))
		return err;
	err = find_both(call, txn, key, &folder, &m, &to);
	if (err == OK)
		err = message_keywords(
			txn_view(txn), folder.folder_id, &m.entry, &call->arena, &p.keywords);
	if (err != OK)
		return err;
	p.user_id = to.user_id;
	p.folder_id = to.folder_id;
	err = place(call, txn, &m, &p);
	return err == OK ? tell_forwards(txn, &m, folder.user_id, &p) : err;
}

/* M goes from FROM to the end of TO: the same copy, so its POP3 unique id stays (H27). */
static enum err
move(struct control_call *call, struct txn *txn, const struct message *m, const struct folder *from,
	const struct folder *to)
{
	struct placement p = {.user_id = to->user_id,
		.folder_id = to->folder_id,
		.flags = m->entry.flags & FLAGS_FOLLOW};
	enum err err = message_keywords(
		txn_view(txn), from->folder_id, &m->entry, &call->arena, &p.keywords);

	return err == OK ? message_way_move(txn, from, m->entry.uid, &p) : err;
}

static enum err
move_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder to, folder;
	struct message m;
	enum err err;

	if (control_routed_is(call, &err))
		return err == OK ? bin(call, txn, key) : err;
	err = find_both(call, txn, key, &folder, &m, &to);
	if (err == OK && folder.folder_id == to.folder_id) {
		call->skip_why = "is there already";
		return ERR_EXISTS;
	}
	return err == OK ? move(call, txn, &m, &folder, &to) : err;
}

const struct control_handler control_do_message_copy = {
	.check = control_routed_check,
	.ask = control_routed_ask,
	.each = copy_each,
	.object = "message",
	.cannot = "remove the copies",
};
const struct control_handler control_do_message_move = {
	.check = control_routed_check,
	.ask = control_routed_ask,
	.each = move_each,
	.object = "message",
};

/* ---- the bin ---- */

const struct control_handler control_do_message_remove = {.each = bin, .object = "message"};

static enum err
bin_find(struct control_call *call, struct txn *txn, struct span key, struct folder *bin,
	uint32_t *uid)
{
	struct control_place place;
	enum err err = control_place_find(
		call, txn_view(txn), control_param(call, "user"), MAILBOX_INBOX, &place);

	if (err == OK)
		err = folder_find(txn_view(txn), place.user_id, FOLDER_BIN, bin);
	return err == OK ? control_uid(key, uid) : err;
}

/* Back to the folder it came from, with its flags of then. */
static enum err
restore_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder bin, to;
	uint32_t uid, new_uid;
	enum err err = bin_find(call, txn, key, &bin, &uid);

	return err == OK ? bin_restore(txn, bin.user_id, uid, &to, &new_uid) : err;
}

const struct control_handler control_do_message_restore = {
	.each = restore_each,
	.object = "message",
};

/* RCY-03: out of the bin; or of a folder that is named, past the bin. */
static enum err
purge_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct folder where;
	struct message m;
	uint32_t uid = 0;
	size_t count = 0;
	enum err err;

	if (rpc_has(call->request, "folder")) {
		err = find(call, txn, key, &where, &m);
		uid = err == OK ? m.entry.uid : 0;
	} else {
		err = bin_find(call, txn, key, &where, &uid);
	}
	if (err == OK)
		err = message_expunge(
			txn, &where, (struct uid_list){&uid, 1}, BIN_KEEP_MIN_MS, &count);
	return err == OK && count == 0 ? ERR_NOT_FOUND : err;
}

const struct control_handler control_do_message_purge = {
	.each = purge_each,
	.object = "message",
	.cannot = "purged for good",
};
