/*
 * imap_cmd_status.c - STATUS (RFC 9051, 6.3.11), with the items of RFC 7162, 7889, 8438, 8474 and 9208.
 */
#include "conf/conf.h"
#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_status.h"
#include "store/entries.h"
#include "store/seen.h"

/* ---- one folder ---- */

bool
imap_tally_go_on(struct imap_session *imap, struct snapshot *snap, const struct folder *folder,
	unsigned items, struct imap_tally *tally)
{
	struct entry_block block;
	unsigned from;

	if (!(items & IMAP_STATUS_DELETED_STORAGE) || folder->deleted == 0)
		return true;
	while (entry_block_next(snap, folder->folder_id, tally->after_uid, &block, &from) == OK) {
		for (unsigned i = from; i < block.count; i++)
			if ((block.entries[i].flags & (FLAG_DELETED | FLAG_HELD)) == FLAG_DELETED)
				tally->deleted_bytes += block.entries[i].size;
		tally->after_uid = block.entries[block.count - 1].uid;
		if (imap_must_yield(imap))
			return false;
	}
	return true;
}

static enum err
count_unseen(struct imap_session *imap, struct snapshot *snap, const struct folder *folder,
	uint64_t *out)
{
	uint32_t unseen = folder->unseen;
	enum err err = OK;

	if (seen_is_own(folder, imap->user_id))
		err = seen_count_unseen(snap, folder->folder_id, imap->user_id, &unseen);
	*out = unseen;
	return err;
}

/* What is counted in entries. */
struct counted {
	uint64_t unseen, recent;
};

static enum err
count(struct imap_session *imap, struct snapshot *snap, const struct folder *folder, unsigned items,
	struct counted *out)
{
	enum err err = OK;

	*out = (struct counted){ .unseen = 0 };
	if (items & IMAP_STATUS_UNSEEN)
		err = count_unseen(imap, snap, folder, &out->unseen);
	if (err == OK && (items & IMAP_STATUS_RECENT) && imap_recent_is_said(imap))
		err = imap_recent_count(imap, snap, folder, &out->recent);
	return err;
}

static void
put_item(struct imap_session *imap, const struct folder *folder, unsigned bit,
	const struct imap_tally *tally, const struct counted *counted)
{
	struct buf *out = imap_out(imap);
	uint64_t value = 0;

	switch (bit) {
	case IMAP_STATUS_MESSAGES:
		value = folder->messages;
		break;
	case IMAP_STATUS_UIDNEXT:
		value = folder->uidnext;
		break;
	case IMAP_STATUS_UIDVALIDITY:
		value = folder->uidvalidity;
		break;
	case IMAP_STATUS_UNSEEN:
		value = counted->unseen;
		break;
	case IMAP_STATUS_DELETED:
		value = folder->deleted;
		break;
	case IMAP_STATUS_SIZE: /* at least the sum of RFC822.SIZE (RFC 8438, 1) */
		value = folder->bytes;
		break;
	case IMAP_STATUS_HIGHESTMODSEQ:
		value = folder->highest_modseq;
		break;
	case IMAP_STATUS_APPENDLIMIT:
		value = (uint64_t)imap->session.conf->limits_message_size;
		break;
	case IMAP_STATUS_DELETED_STORAGE:
		value = tally->deleted_bytes;
		break;
	case IMAP_STATUS_MAILBOXID:
		imap_put(buf_printf(out, "(F%llu)", (unsigned long long)folder->folder_id));
		return;
	default: /* RECENT */
		value = counted->recent;
		break;
	}
	imap_put(buf_put_u64(out, value));
}

enum err
imap_status_put(struct imap_session *imap, struct span name, const struct folder *folder,
	unsigned items, const struct imap_tally *tally)
{
	struct buf *out = imap_out(imap);
	const char *between = "";
	struct counted counted;
	enum err err = count(imap, imap_snapshot(imap), folder, items, &counted);

	if (err != OK)
		return err;
	imap_put(buf_put(out, SPAN("* STATUS ")));
	imap_put(imap_put_mailbox(out, name, imap_is_utf8(imap)));
	imap_put(buf_put(out, SPAN(" (")));
	for (unsigned i = 0; i < IMAP_STATUS_ITEMS; i++) {
		if (!(items & (1u << i)))
			continue;
		imap_put(buf_printf(out, "%s%.*s ", between, SPAN_FMT(imap_status_name(i))));
		put_item(imap, folder, 1u << i, tally, &counted);
		between = " ";
	}
	imap_put(buf_put(out, SPAN(")\r\n")));
	return OK;
}

/* ---- the command ---- */

struct status {
	struct span wire;
	unsigned items;
	struct imap_tally tally;
};

static enum imap_turn
status_go_on(struct imap_session *imap, struct status *task)
{
	struct imap_mailbox mailbox;
	enum err err = imap_mailbox_open(imap, task->wire, &mailbox);

	if (err != OK)
		return imap_mailbox_no(imap, err);
	if (!imap_tally_go_on(
		    imap, imap_snapshot(imap), &mailbox.folder, task->items, &task->tally))
		return IMAP_MORE;
	err = imap_status_put(imap, imap_place_name(&mailbox.place, imap_arena(imap)),
		&mailbox.folder, task->items, &task->tally);
	return err == OK ? imap_end(imap, IMAP_OK("That is its status")) : imap_fail(imap, err);
}

enum imap_turn
imap_cmd_status(struct imap_session *imap, struct imap_cursor *args)
{
	struct status *task = imap->run->task;

	if (task)
		return status_go_on(imap, task);
	task = imap->run->task = ARENA_NEW(imap_arena(imap), struct status);
	if (!imap_take_space(args) || !imap_take_astring(args, &task->wire) ||
		!imap_take_space(args) || !imap_take_status_items(args, &task->items) ||
		!imap_take_end(args))
		return imap_bad_arguments(imap, args);
	if (task->items & IMAP_STATUS_HIGHESTMODSEQ) /* RFC 7162, 3.1 */
		imap_use_condstore(imap);
	return status_go_on(imap, task);
}
