/*
 * imap_cmd_append.c - APPEND, also of several messages (RFC 9051, 6.3.12; RFC 3502; RFC 4315).
 *
 *     BEGIN -> text -> NEXT -> text -> END -> all are whole -> one job -> OK [APPENDUID ...]
 *                                                 \-> many: laid down unseen, then one transfer
 *
 * Each message is an intake without a plan: its body goes to the writer as it comes, its memory is
 * counted. No pipeline is asked and no trace is left, since it is no mail under way but a copy that
 * its owner puts away; the log says where it went. All messages of one APPEND are there after its
 * job, or none.
 */
#include <stdlib.h>

#include "conf/conf.h"
#include "server/imap/append_binary.h"
#include "server/imap/append_text.h"
#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_quota.h"
#include "server/queue/intake_write.h"
#include "store/folder_jobs.h"
#include "store/message_transfer.h"
#include "store/seen.h"

#define APPEND_MESSAGES_MAX 1000	 /* of one APPEND */
#define APPEND_SMALL 50			 /* so many are placed in one slice */
#define APPEND_HELD_MAX (16u << 20)	 /* bytes of messages that are whole and wait for the last one */

struct appended {
	struct imap_appending *appending;
	struct appended *next;
	struct intake *intake;
	struct append_binary *binary; /* of a literal8; else NULL */
	bool whole, too_long;
	uint32_t flags;	       /* what the user may set */
	struct span keywords;  /* words with blanks between */
	uint32_t received_s;   /* 0: now */
};

/* One APPEND; in the command arena. */
struct imap_appending {
	struct imap_session *imap;
	struct imap_mailbox target;
	struct append_text text;
	struct appended *first, *last;
	size_t count, waiting; /* not whole yet */
	bool ended;	       /* the command is whole */
	bool gone;	       /* the session closed */
	enum err failed;

	/* the job's */
	struct store_job job;
	struct slice_place place;
	struct appended *at; /* the first message of the next slice */
	uint64_t hidden_id;  /* where many are laid down; 0: few */
	uint32_t uidvalidity, first_uid;
	struct message_transfer transfer;
};

/* ---- letting go ---- */

/* RESULT for all messages, but those of slices that were committed: they are written in any case. */
static void
end_messages(struct imap_appending *ap, enum err result)
{
	size_t i = 0;

	append_text_fini(&ap->text);
	for (struct appended *m = ap->first; m; m = m->next, i++) {
		if (m->whole)
			intake_written(m->intake, i < ap->place.before ? OK : result);
		intake_drop(&m->intake);
		if (m->binary)
			append_binary_fini(m->binary);
	}
	ap->first = NULL;
}

/* Nothing was written, and nothing will be. */
static void
refuse(struct imap_session *imap, struct imap_reply reply)
{
	if (imap->appending)
		end_messages(imap->appending, ERR_BUSY);
	imap->appending = NULL;
	imap_answer(imap, reply);
}

void
imap_append_drop(struct imap_session *imap)
{
	struct imap_appending *ap = imap->appending;

	imap->appending = NULL;
	if (!ap)
		return;
	ap->gone = true;
	if (!ap->job.apply) /* else its job ends it */
		end_messages(ap, ERR_BUSY);
}

/* ---- the answer ---- */

static struct span
appenduid_code(struct imap_session *imap, const struct imap_appending *ap)
{
	if (!(ap->target.rights & RIGHT_READ)) /* RFC 4315, 3 */
		return SPAN_NONE;
	if (ap->count == 1)
		return arena_printf(
			imap_arena(imap), "APPENDUID %u %u", ap->uidvalidity, ap->first_uid);
	return arena_printf(imap_arena(imap), "APPENDUID %u %u:%zu", ap->uidvalidity, ap->first_uid,
		ap->first_uid + ap->count - 1);
}

static struct imap_reply
reply_of(struct imap_session *imap, struct imap_appending *ap, enum err result)
{
	struct imap_reply reply = IMAP_OK("Appended");

	if (result == ERR_NOT_FOUND || result == ERR_DENIED)
		return imap_target_reply(&ap->target, result);
	if (result == ERR_LIMIT)
		return IMAP_NO("LIMIT", "The folder takes no more messages, or too many keywords");
	if (result != OK)
		return imap_reply_for(result);
	session_log(&imap->session, LEVEL_INFO, .text = "appended",
		.fields = { { "user", span_of(imap->session.record.user), 0 },
			{ "folder", imap_place_name(&ap->target.place, imap_arena(imap)), 0 },
			{ "uid", SPAN_NONE, ap->first_uid },
			{ "messages", SPAN_NONE, (int64_t)ap->count } });
	imap_quota_warn(imap, ap->target.user_id);
	reply.code = appenduid_code(imap, ap);
	return reply;
}

/* All is over: what is new is told, then the answer. */
static void
end_append(struct imap_appending *ap, enum err result)
{
	struct imap_session *imap = ap->imap;

	end_messages(ap, result);
	if (!ap->gone) {
		imap->appending = NULL;
		imap_dispatch_answered(imap, SPAN("APPEND"), reply_of(imap, ap, result));
	}
}

/* ---- the job ---- */

static enum err
place_one(struct imap_appending *ap, struct txn *txn, const struct appended *m, size_t number)
{
	const struct folder *target = &ap->target.folder;
	bool own_seen = seen_is_own(target, ap->imap->user_id) && ap->hidden_id == 0;
	struct content content;
	struct placement place = { .user_id = target->user_id, .folder_id = target->folder_id,
		.content = &content, .keywords = m->keywords, .flags = m->flags,
		.received_s = m->received_s };
	enum err err = intake_write_content(txn, m->intake, 1, &content);

	if (ap->hidden_id != 0) {
		place.user_id = FOLDER_OWNER_NOBODY;
		place.folder_id = ap->hidden_id;
	}
	if (own_seen)
		place.flags &= ~FLAG_SEEN;
	if (err == OK)
		err = message_place(txn, &place);
	if (err == OK && own_seen && (m->flags & FLAG_SEEN))
		err = seen_set(txn, target->folder_id, ap->imap->user_id, &place.uid, 1, true);
	if (number == 0) {
		ap->first_uid = place.uid;
		ap->uidvalidity = place.uidvalidity;
	}
	return err;
}

/* The folder and the right to put into it, as they are now. */
static enum err
check_target(struct imap_appending *ap, struct txn *txn)
{
	const struct folder *target = &ap->target.folder;
	struct folder folder;
	uint32_t rights;
	enum err err = folder_get(txn_view(txn), target->user_id, target->folder_id, &folder);

	if (err == OK)
		err = imap_rights_of(txn_view(txn), ap->imap->user_id, &folder, &rights);
	return err == OK && !(rights & RIGHT_INSERT) ? ERR_NOT_FOUND : err;
}

static enum step
append_run(struct store_job *job, struct txn *txn)
{
	struct imap_appending *ap = LIST_ITEM(job, struct imap_appending, job);
	uint64_t at = slice_begin(&ap->place, txn), number = 0;
	enum err err = check_target(ap, txn);

	if (at == 0)
		ap->hidden_id = 0;
	if (err == OK && at == 0 && ap->count > APPEND_SMALL)
		err = folder_make_hidden(txn, &ap->hidden_id);
	for (struct appended *m = ap->first; m && err == OK && number < at + APPEND_SMALL;
		m = m->next, number++)
		if (number >= at)
			err = place_one(ap, txn, m, (size_t)number);
	if (err != OK)
		return step_of(job, err);
	ap->place.at = number;
	return number < ap->count ? STEP_MORE : STEP_DONE;
}

static void
transfer_done(struct store_job *job, enum err result)
{
	struct imap_appending *ap = LIST_ITEM(job, struct imap_appending, transfer.job);
	struct imap_session *imap = ap->imap;

	ap->place.before = ap->count; /* all of them are written, somewhere */
	ap->first_uid = ap->transfer.first_uid;
	ap->uidvalidity = ap->transfer.uidvalidity;
	end_append(ap, result);
	imap_resume(imap);
}

/* Many messages lie where nobody sees them: one step puts them into the folder. */
static enum err
transfer_begin(struct imap_appending *ap)
{
	struct message_transfer *t = &ap->transfer;

	message_transfer_init(t);
	t->from_user_id = FOLDER_OWNER_NOBODY;
	t->from_folder_id = ap->hidden_id;
	t->to_user_id = ap->target.folder.user_id;
	t->to_folder_id = ap->target.folder.folder_id;
	t->move = true;
	t->keep_flags = FLAGS_SYSTEM | FLAGS_KEYWORDS;
	t->user_id = ap->imap->user_id;
	t->job.done = transfer_done;
	return imap_submit(ap->imap, &t->job);
}

static void
append_done(struct store_job *job, enum err result)
{
	struct imap_appending *ap = LIST_ITEM(job, struct imap_appending, job);
	struct imap_session *imap = ap->imap;

	if (result == OK && ap->hidden_id != 0) {
		ap->place.before = ap->count;
		result = transfer_begin(ap);
		if (result == OK) {
			session_release(&imap->session); /* the transfer holds it too */
			return;
		}
	}
	end_append(ap, result);
	imap_resume(imap);
}

static void
submit(struct imap_appending *ap)
{
	enum err err = ap->failed;

	if (err == OK) {
		ap->job = (struct store_job){ .apply = append_run, .done = append_done,
			.incoming = true };
		for (const struct appended *m = ap->first; m; m = m->next)
			ap->job.size_bytes += m->intake->mail.header.len +
				(size_t)(m->intake->body_size - m->intake->flushed);
		err = imap_submit(ap->imap, &ap->job);
	}
	if (err == OK)
		return;
	end_append(ap, err);
	if (ap->imap->session.waits)
		session_resume(&ap->imap->session);
	else
		imap_go_on(ap->imap);
}

/* ---- messages as they come ---- */

static void
on_whole(struct intake *in, enum err result)
{
	struct appended *m = in->holder;
	struct imap_appending *ap = m->appending;

	m->whole = true;
	ap->waiting--;
	if (result != OK && ap->failed == OK)
		ap->failed = result;
	if (ap->ended && ap->waiting == 0)
		submit(ap);
}

static void
on_room(struct intake *in)
{
	struct appended *m = in->holder;
	struct imap_appending *ap = m->appending;

	if (append_text_go_on(&ap->text, in) == OK)
		session_resume(&ap->imap->session);
}

static const struct intake_events events = { .room = on_room, .whole = on_whole };

/* RFC 4314, 4: what he may not set is left out. */
static uint32_t
flags_allowed(const struct imap_mailbox *target, uint32_t flags)
{
	if (!(target->rights & RIGHT_SEEN))
		flags &= ~FLAG_SEEN;
	if (!(target->rights & RIGHT_DELETED))
		flags &= ~FLAG_DELETED;
	if (!(target->rights & RIGHT_WRITE))
		flags &= FLAG_SEEN | FLAG_DELETED;
	return flags & FLAGS_SYSTEM;
}

static struct span
join_keywords(struct arena *a, const struct imap_flags *flags)
{
	struct buf words;
	struct span joined;
	bool ok = true;

	buf_init(&words, IMAP_COMMAND_MAX); /* they all came in one */
	for (size_t i = 0; i < flags->count && ok; i++)
		ok = (i == 0 || buf_put_char(&words, ' ') == OK) &&
			buf_put(&words, flags->keywords[i]) == OK;
	ENSURE(ok);
	joined = arena_copy(a, buf_span(&words));
	buf_fini(&words);
	return joined;
}

static void
message_begin(struct imap_appending *ap, const struct imap_append *options)
{
	struct imap_session *imap = ap->imap;
	struct appended *m = ARENA_NEW(imap_arena(imap), struct appended);

	m->appending = ap;
	m->intake = intake_open(imap->session.host, &events, m);
	if (options->binary) {
		m->binary = ARENA_NEW(imap_arena(imap), struct append_binary);
		append_binary_init(m->binary, options->size,
			(size_t)imap->session.conf->limits_header_size);
	}
	m->flags = flags_allowed(&ap->target, options->flags.flags);
	if (ap->target.rights & RIGHT_WRITE)
		m->keywords = join_keywords(imap_arena(imap), &options->flags);
	if (options->has_date && options->date.seconds > 0 && options->date.seconds <= UINT32_MAX)
		m->received_s = (uint32_t)options->date.seconds;
	if (ap->last)
		ap->last->next = m;
	else
		ap->first = m;
	ap->last = m;
	ap->count++;
	ap->text.cr = false;
	ap->text.as_is = options->binary;
	imap_server_take(&imap->machine, imap_out(imap));
}

/* The last message has all its text. False: it is refused. */
static bool
message_end(struct imap_appending *ap)
{
	struct intake *in = ap->last->intake;

	if (ap->last->binary && ap->last->binary->has_nul) {
		refuse(ap->imap, IMAP_NO("UNKNOWN-CTE", "NUL in a message of several parts"));
		return false;
	}
	if (in->mail.header_is_over || ap->last->too_long) {
		refuse(ap->imap, IMAP_NO("TOOBIG", "The header of the message is too long"));
		return false;
	}
	ap->waiting++;
	intake_text_close(in);
	intake_submit(in);
	return true;
}

static size_t
bytes_held(const struct imap_appending *ap)
{
	size_t held = 0;

	for (const struct appended *m = ap->first; m; m = m->next)
		held += m->intake->held;
	return held;
}

/* ---- events ---- */

static void
on_begin(struct imap_session *imap, const struct imap_append *options)
{
	struct imap_appending *ap = ARENA_NEW(imap_arena(imap), struct imap_appending);
	enum err err;

	session_set_doing(&imap->session, "APPEND");
	ap->imap = imap;
	err = imap_mailbox_find(imap, options->mailbox, RIGHT_INSERT, &ap->target);
	if (err != OK) {
		imap_answer(imap, imap_target_reply(&ap->target, err));
		return;
	}
	imap->appending = ap;
	message_begin(ap, options);
}

static void
on_next(struct imap_session *imap, const struct imap_append *options)
{
	struct imap_appending *ap = imap->appending;

	if (!message_end(ap))
		return;
	if (ap->count == APPEND_MESSAGES_MAX || bytes_held(ap) > APPEND_HELD_MAX)
		refuse(imap, IMAP_NO("LIMIT", "Too much for one APPEND: divide it"));
	else
		message_begin(ap, options);
}

static void
on_text(struct imap_session *imap, struct span text)
{
	struct imap_appending *ap = imap->appending;
	struct appended *m = ap->last;

	session_set_deadline(
		&imap->session, imap->session.conf->timeouts_imap_ms, CLOSE_IDLE);
	if (m->binary) {
		m->too_long |= append_binary_put(m->binary, text) != OK;
		text = buf_span(&m->binary->out);
	}
	if (append_text_put(&ap->text, m->intake, text) != OK)
		session_wait(&imap->session);
}

static void
on_end(struct imap_session *imap)
{
	struct imap_appending *ap = imap->appending;

	if (!message_end(ap))
		return;
	ap->ended = true;
	if (ap->waiting == 0)
		submit(ap);
	else
		session_wait(&imap->session);
}

void
imap_on_append(struct imap_session *imap, const struct imap_event *ev)
{
	switch (ev->kind) {
	case IMAP_APPEND_BEGIN:
		on_begin(imap, &ev->append);
		break;
	case IMAP_APPEND_TEXT:
		on_text(imap, ev->text);
		break;
	case IMAP_APPEND_NEXT:
		on_next(imap, &ev->append);
		break;
	case IMAP_APPEND_END:
		on_end(imap);
		break;
	default: /* IMAP_APPEND_ABORT */
		refuse(imap, ev->reply);
		break;
	}
}
