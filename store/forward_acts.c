/*
 * forward_acts.c - what happens to pairs: a copy leaves, a recipient ends. What a user changes: forward_marks.c.
 */
#include "store/forward_rows.h"

#include "store/contents.h"
#include "store/folders.h"
#include "store/graves.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/traces.h"

/* ---- cancelling ---- */

static enum err
trace_cancelled(struct txn *txn, uint64_t queue_id, struct span why)
{
	struct trace t = { .message_no = queue_id, .time_ms = (int64_t)txn_now_ms(txn),
		.service = SPAN("queue"), .text = why };
	enum err err = trace_append(txn, &t);

	return err == ERR_NOT_FOUND ? OK : err; /* gone by age */
}

/* One act may cancel more than a job keeps in mind: what it has is then written first. */
static enum err
room_for_owners(struct txn *txn)
{
	return txn_content_pending(txn)->count < CONTENT_OWN_PENDING ? OK : content_settle(txn);
}

/* The recipient is to be sent no more. An undo does not bring it back: its text may be gone by then. */
static enum err
cancel(struct txn *txn, const struct forward *f, struct span why)
{
	struct change_recorder *recorder = txn_recorder(txn);
	struct queued_outcome gone = { .state = QUEUED_GONE, .now_ms = (int64_t)txn_now_ms(txn),
		.text = why };
	bool entry_gone;
	enum err err;

	txn_set_recorder(txn, NULL);
	err = room_for_owners(txn);
	if (err == OK)
		err = queued_note(txn, f->queue_id, f->recipient_no, &gone, &entry_gone);
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT)
		err = OK; /* what cannot be read cannot be sent */
	if (err == OK)
		err = trace_cancelled(txn, f->queue_id, why);
	txn_set_recorder(txn, recorder);
	return err;
}

enum err
forward_untie(struct txn *txn, uint64_t queue_id, uint32_t recipient_no)
{
	struct forward f;
	enum err err;

	while ((err = forward_row_first(txn_view(txn), queue_id, recipient_no, &f)) == OK) {
		err = forward_row_drop(txn, &f);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* ---- a copy leaves ---- */

/* True: the pair is tied to a copy that is there. Heirs that are not, of a COPY that crashed, go. */
static enum err
has_heir(struct txn *txn, const struct forward *left, bool *out)
{
	struct snapshot *snap = txn_view(txn);
	struct forward first, f;
	enum err err;

	*out = false;
	while ((err = forward_row_first(snap, left->queue_id, left->recipient_no, &first)) == OK) {
		*out = forward_find(snap, first.user_id, first.copy_id, &f) == OK &&
			forward_is_there(snap, &f);
		if (*out)
			return OK;
		err = forward_row_drop(txn, &first);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

enum err
forward_left(struct txn *txn, uint64_t user_id, uint64_t copy_id)
{
	struct forward f;
	bool heir;
	enum err err = forward_find(txn_view(txn), user_id, copy_id, &f);

	if (err != OK)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	err = forward_row_drop(txn, &f);
	if (err == OK)
		err = has_heir(txn, &f, &heir);
	if (err != OK || heir)
		return err;
	return cancel(txn, &f, SPAN("store and forward cancelled: the message left the mailbox"));
}

enum err
forward_mend(struct txn *txn, const struct forward *f, bool cancels)
{
	bool heir;
	enum err err = forward_row_drop(txn, f);

	if (err == OK)
		err = has_heir(txn, f, &heir);
	if (err != OK || heir || !cancels)
		return err;
	return cancel(txn, f, SPAN("store and forward cancelled: the message is not in the mailbox"));
}

enum err
forwards_left_folder(struct txn *txn, uint64_t user_id, uint64_t folder_id)
{
	struct forward f = { .copy_id = 0 };
	enum err err;

	while ((err = forward_next(txn_view(txn), user_id, f.copy_id, &f)) == OK) {
		if (f.folder_id == folder_id)
			err = forward_left(txn, user_id, f.copy_id);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* ---- the recipient ends ---- */

enum err
forward_taken(struct txn *txn, uint64_t queue_id, uint32_t recipient_no)
{
	struct forward f;
	struct folder folder;
	size_t count;
	bool there;
	enum err err = forward_tied(txn_view(txn), queue_id, recipient_no, &f);

	if (err != OK)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	there = forward_is_there(txn_view(txn), &f);
	err = forward_untie(txn, queue_id, recipient_no);
	if (err != OK || !there)
		return err;
	err = folder_get(txn_view(txn), f.user_id, f.folder_id, &folder);
	return err == OK ? message_expunge(txn, &folder, (struct uid_list){ &f.uid, 1 },
				   GRAVE_DELAY_MS, &count)
			 : err;
}

/* ---- the user changes ---- */

enum forward_turn
forward_turn_of(const struct user *before, const struct user *after)
{
	if (!forward_acts(before))
		return FORWARD_STAYS;
	if (!forward_acts(after))
		return FORWARD_ENDS;
	return span_eq(before->store_forward_address, after->store_forward_address) &&
			span_eq(before->store_forward_server, after->store_forward_server)
		? FORWARD_STAYS
		: FORWARD_TURNS;
}

enum err
forward_end(struct txn *txn, const struct forward *f)
{
	enum err err = forward_row_drop(txn, f); /* also where the queue knows nothing of it */

	if (err == OK)
		err = forward_untie(txn, f->queue_id, f->recipient_no);
	return err == OK ? cancel(txn, f,
				   SPAN("store and forward cancelled: it was switched off for the user"))
			 : err;
}

enum err
forward_turn(struct txn *txn, const struct forward *f, const struct queued_redirect *to)
{
	struct change_recorder *recorder = txn_recorder(txn);
	enum err err;

	txn_set_recorder(txn, NULL);
	err = queued_redirect(txn, f->queue_id, f->recipient_no, to);
	txn_set_recorder(txn, recorder);
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT || err == ERR_DENIED ? OK : err;
}
