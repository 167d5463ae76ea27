/*
 * control_messages.c - messages of a mailbox: list, the bin. Reading one is in control_message_show.c.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/control/control_folders.h"
#include "server/control/control_mailbox.h"
#include "store/bin.h"

struct message_walk {
	uint32_t after;
	int64_t keep_ms; /* of the bin */
	struct arena scratch;
};

typedef void put_row_fn(struct control_call *call, struct snapshot *snap,
	const struct folder *folder, const struct entry *entry, const struct message *m);

static void
list_row(struct control_call *call, struct snapshot *snap, const struct folder *folder,
	const struct entry *entry, const struct message *m)
{
	struct message_walk *walk = call->state;
	struct control_rows *rows = &call->rows;
	struct span flags[CONTROL_FLAGS_MAX];
	struct control_heading h = {0};
	char key[16];

	(void)snap;
	(void)folder;
	snprintf(key, sizeof(key), "%u", entry->uid);
	if (m)
		control_heading(&walk->scratch, m->content.header, &h);
	control_row(rows, span_of(key));
	control_put_number(rows, entry->uid);
	control_put_text(rows, m ? h.from : SPAN("(damaged)"));
	control_put_text(rows, m ? h.subject : SPAN("(damaged)"));
	control_put_time_ms(rows, h.date_ms ? h.date_ms : (int64_t)entry->received_s * 1000);
	control_put_number(rows, entry->size);
	control_put_list(rows, flags, control_flags(entry->flags, flags));
	control_put_number(rows, (entry->flags & FLAG_HELD) != 0);
}

static void
bin_row(struct control_call *call, struct snapshot *snap, const struct folder *bin,
	const struct entry *entry, const struct message *m)
{
	struct message_walk *walk = call->state;
	struct control_rows *rows = &call->rows;
	struct control_heading h = {0};
	struct bin_item item = {0};
	char key[16];

	if (m)
		control_heading(&walk->scratch, m->content.header, &h);
	if (bin_item_get(snap, bin->folder_id, entry, &walk->scratch, &item) != OK ||
		item.folder_name.len == 0)
		item.folder_name = SPAN("(gone)");
	snprintf(key, sizeof(key), "%u", entry->uid);
	control_row(rows, span_of(key));
	control_put_text(rows, span_of(key));
	control_put_text(rows, item.folder_name);
	control_put_text(rows, m ? h.from : SPAN("(damaged)"));
	control_put_text(rows, m ? h.subject : SPAN("(damaged)"));
	control_put_number(rows, entry->size);
	control_put_time_ms(rows, (int64_t)item.removed_ms);
	control_put_time_ms(rows, (int64_t)item.removed_ms + walk->keep_ms);
}

static enum step
folder_read(struct control_call *call, struct snapshot *snap, const struct folder *folder,
	put_row_fn *put)
{
	struct control_slice slice = control_slice_begin();
	struct message_walk *walk = call->state;
	struct entry entry;
	struct message m;
	enum err err;

	call->rows.expected = (uint64_t)folder->messages + folder->held;
	while ((err = entry_next(snap, folder->folder_id, walk->after, &entry)) == OK) {
		enum err found = message_find(snap, folder->folder_id, entry.uid, &m);

		walk->after = entry.uid;
		put(call, snap, folder, &entry, found == OK ? &m : NULL);
		arena_reset(&walk->scratch);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "message");
	return STEP_FAIL;
}

static bool
walk_check(struct control_call *call)
{
	struct message_walk *walk = ARENA_NEW(&call->arena, struct message_walk);

	walk->keep_ms = call->host->conf->users_bin_keep_ms;
	arena_init(&walk->scratch, NULL);
	call->state = walk;
	return true;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct folder folder;

	if (control_folder(call, snap, control_param(call, "user"), control_param(call, "folder"),
		    &folder) != OK)
		return STEP_FAIL;
	return folder_read(call, snap, &folder, list_row);
}

const struct control_handler control_do_message_list = {
	.check = walk_check,
	.read = list_read,
};

static enum step
bin_read(struct control_call *call, struct snapshot *snap)
{
	struct control_place place;
	struct folder bin;

	if (control_place_find(call, snap, control_param(call, "user"), MAILBOX_INBOX, &place) != OK)
		return STEP_FAIL;
	if (folder_find(snap, place.user_id, FOLDER_BIN, &bin) != OK)
		return STEP_DONE; /* nothing was ever removed */
	return folder_read(call, snap, &bin, bin_row);
}

const struct control_handler control_do_message_bin = {.check = walk_check, .read = bin_read};

/* ---- the bins of all users ---- */

struct bins_walk {
	uint64_t after;
	int64_t keep_ms;
	struct arena scratch;
};

static bool
bins_check(struct control_call *call)
{
	struct bins_walk *walk = ARENA_NEW(&call->arena, struct bins_walk);

	walk->keep_ms = call->host->conf->users_bin_keep_ms;
	arena_init(&walk->scratch, NULL);
	call->state = walk;
	return true;
}

static enum err
bins_row(struct control_call *call, struct snapshot *snap, const struct user *user)
{
	struct bins_walk *walk = call->state;
	struct bin_item item = { 0 };
	struct folder bin;
	struct entry entry;
	enum err err = folder_find(snap, user->user_id, FOLDER_BIN, &bin);

	if (err == OK && bin.messages + bin.held == 0)
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = entry_next(snap, bin.folder_id, 0, &entry);
	if (err != OK)
		return err;
	if (bin_item_get(snap, bin.folder_id, &entry, &walk->scratch, &item) != OK)
		item.removed_ms = 0; /* damaged: null */
	arena_reset(&walk->scratch);
	control_row(&call->rows, user->name);
	control_put_text(&call->rows, user->name);
	control_put_number(&call->rows, (int64_t)bin.messages + bin.held);
	control_put_number(&call->rows, (int64_t)bin.bytes);
	control_put_time_ms(&call->rows, (int64_t)item.removed_ms);
	control_put_time_ms(
		&call->rows, item.removed_ms ? (int64_t)item.removed_ms + walk->keep_ms : 0);
	return OK;
}

static enum step
bins_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct bins_walk *walk = call->state;
	struct user user;
	enum err err;

	while ((err = user_next(snap, walk->after, &user)) == OK || err == ERR_CORRUPT) {
		walk->after = user.user_id;
		if (err == OK && user.removed_ms == 0 && bins_row(call, snap, &user) == ERR_IO)
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	return err == ERR_NOT_FOUND ? STEP_DONE : STEP_FAIL;
}

const struct control_handler control_do_message_bins = { .check = bins_check, .read = bins_read };
