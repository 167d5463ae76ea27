/*
 * check_forwards.c - forwards and forward_copies: each pair has its message in the user's mailbox and its
 * recipient in the queue.
 *
 * Where the message is not, the recipient is cancelled, as if it had left; not where entries could not be
 * read, for then what is in the queue may be all that is left of it.
 */
#include "store/check_run.h"
#include "proto/mail/forward_server.h"
#include "store/forward_rows.h"
#include "store/queued.h"

typedef unsigned long long ull;

static enum err
fix_pair(struct txn *txn, const struct check_fix *fix)
{
	struct forward f = { .user_id = fix->n[0], .copy_id = fix->n[1], .queue_id = fix->n[2],
		.recipient_no = (uint32_t)(fix->n[3] >> 1) };

	return forward_mend(txn, &f, fix->n[3] & 1);
}

static void
mend_pair(struct check *c, const struct forward *f, bool cancel)
{
	struct check_fix *fix = check_fix_add(c, fix_pair, SPAN_NONE, SPAN_NONE);

	fix->n[0] = f->user_id;
	fix->n[1] = f->copy_id;
	fix->n[2] = f->queue_id;
	fix->n[3] = (uint64_t)f->recipient_no << 1 | cancel;
}

/* The row that leads from the queue to the copy. */
static enum err
fix_back(struct txn *txn, const struct check_fix *fix)
{
	struct span key = fix->key;
	struct forward f;
	uint64_t user_id, copy_id;
	enum err err = key_take_u64(&key, &user_id);

	if (err == OK)
		err = key_take_u64(&key, &copy_id);
	if (err == OK)
		err = forward_find(txn_view(txn), user_id, copy_id, &f);
	return err == OK ? forward_put(txn, &f) : err;
}

/* Does the recipient wait, by store and forward for that user? */
static bool
recipient_waits(struct check *c, const struct forward *f)
{
	struct queued_recipient r;
	uint64_t user_id;

	return queued_recipient_find(c->snap, f->queue_id, f->recipient_no, &r) == OK &&
		r.state != QUEUED_GONE && forward_route_take(r.route, &user_id) &&
		user_id == f->user_id;
}

/* Of a COPY that is being laid down, or was when the server died: housekeeping takes it. */
static bool
is_laid_down(struct check *c, const struct forward *f)
{
	struct folder folder;

	return folder_get(c->snap, FOLDER_OWNER_NOBODY, f->folder_id, &folder) == OK;
}

static void
visit_forward(struct check *c, const struct row *row)
{
	struct forward_mark mark;
	struct span value;
	struct forward f;
	struct key back;

	if (forward_mark_decode(c->snap, row, &mark))
		return;
	if (!forward_decode(c->snap, row, &f)) {
		check_say(c, true, "forwards %llu: damaged", (ull)check_id(row));
		check_fix_delete(c, TABLE_forwards, row->key);
		return;
	}
	forward_copies_key(&back, &f);
	if (!recipient_waits(c, &f)) {
		check_say(c, true, "forwards %llu: copy %llu has no recipient %llu/%lu in the queue",
			(ull)f.user_id, (ull)f.copy_id, (ull)f.queue_id, (unsigned long)f.recipient_no);
		mend_pair(c, &f, false);
	} else if (table_get(c->snap, TABLE_forward_copies, &back, &value) != OK) {
		check_say(c, true, "forwards %llu: copy %llu is not in forward_copies",
			(ull)f.user_id, (ull)f.copy_id);
		check_fix_add(c, fix_back, row->key, SPAN_NONE);
	} else if (!forward_is_there(c->snap, &f) && !is_laid_down(c, &f)) {
		check_say(c, true, "forwards %llu: copy %llu is not in the mailbox", (ull)f.user_id,
			(ull)f.copy_id);
		mend_pair(c, &f, !c->blocks_lost);
	}
}

static void
visit_copy(struct check *c, const struct row *row)
{
	struct forward f, there;

	if (forward_copy_decode(row, &f) &&
		forward_find(c->snap, f.user_id, f.copy_id, &there) == OK &&
		there.queue_id == f.queue_id && there.recipient_no == f.recipient_no)
		return;
	check_say(c, true, "forward_copies %llu: damaged, or of no pair", (ull)check_id(row));
	check_fix_delete(c, TABLE_forward_copies, row->key);
}

void
check_forwards(struct check *c)
{
	check_walk(c, TABLE_forwards, visit_forward);
	check_walk(c, TABLE_forward_copies, visit_copy);
}
