/*
 * intake_write.c - a plan becomes rows, in one transaction.
 *
 * apply() may run again (commit.h): it uses nothing up, and it allocates nothing, for the arena belongs to
 * the loop.
 */
#include "server/queue/intake_write.h"

#include <stdio.h>
#include <string.h>

#include "proto/mime/encoded_word.h"
#include "server/pipeline/forged.h"
#include "server/pipeline/journal_sort.h"
#include "server/pipeline/names.h"
#include "server/pipeline/receipt_wish.h"
#include "server/queue/intake_entries.h"
#include "server/queue/intake_journal.h"
#include "server/queue/intake_report.h"
#include "server/queue/refusals.h"
#include "store/questions.h"
#include "store/bodies.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/traces.h"

#define SUBJECT_MAX 512 /* bytes of a decoded subject that queue and trace are given */

/* ---- on the loop ---- */

static void
prepare_trace(struct intake *in)
{
	struct list *at, *following;
	struct span notes = plan_notes(&in->plan);

	buf_fini(&in->recipients); /* of a plan that was given up */
	buf_fini(&in->subject);
	buf_init(&in->recipients, INTAKE_TRACE_MAX);
	list_for_each(at, following, &in->mail.envelope.recipients) {
		struct recipient *recipient = LIST_ITEM(at, struct recipient, link);

		if (trace_recipient_put(&in->recipients, recipient->address.text) != OK)
			break;
	}
	buf_init(&in->subject, SUBJECT_MAX);
	/* with store.encrypt no text of a message stands where it is not encrypted (SEC-08) */
	if (in->mail.facts.subject.ptr && !in->host->conf->store_encrypt &&
		encoded_word_decode(&in->subject, in->mail.facts.subject) != OK)
		in->subject.overflow = false; /* what fitted is enough */
	in->notes = arena_alloc(&in->arena, notes.len + 2 * NOTE_SIZE_MAX);
	if (notes.len > 0)
		memcpy(in->notes, notes.ptr, notes.len);
	in->notes_len = notes.len;
}

/* Of a version the range of what came that it is, in memory; a worker has hashed others. */
static struct archive_body
archived_body(struct intake *in, const struct intake_content *c)
{
	struct archive_body body = { in->spans, in->flushed == 0 ? in->span_count : 0, c->size,
		&in->digest };
	struct span *spans;
	uint64_t at = 0;

	if (in->kept.begun)
		body.digest = &in->kept;
	if (in->kept.begun || c->slice_count == 0)
		return body;
	body.digest = ARENA_NEW(&in->arena, struct archive_digest);
	body.spans = spans = ARENA_ARRAY(&in->arena, struct span, body.count + 1);
	for (size_t i = 0; i < body.count; at += in->spans[i++].len) {
		uint64_t from = c->slices[0].from > at ? c->slices[0].from - at : 0;
		uint64_t to = c->slices[0].from + c->slices[0].size > at ?
			c->slices[0].from + c->slices[0].size - at : 0;

		spans[i] = span_range(in->spans[i], (size_t)(from < in->spans[i].len ? from : in->spans[i].len),
			(size_t)(to < in->spans[i].len ? to : in->spans[i].len));
	}
	if (c->slice_count > 1 || c->text_count > 0)
		body.count = 0;
	return body;
}

static void
prepare_archive(struct intake *in)
{
	const struct plan_copy *copy = in->plan.copies;
	struct archive_body body;

	in->archive = NULL;
	while (copy && copy->kind != COPY_STORE)
		copy = copy->next;
	if (!copy)
		return;
	in->archive_content = intake_content_of(in, copy);
	body = archived_body(in, &in->contents[in->archive_content]);
	in->archive = archive_order_new(in->plan.archive_mail ? in->plan.archive_mail : &in->mail,
		in->contents[in->archive_content].header, &body, in->plan.archive_direction);
}

enum err
intake_prepare(struct intake *in)
{
	enum err err = intake_entries_make(in);

	in->admin = arena_copy(&in->arena, in->host->conf->main_administrator);
	if (err == OK)
		err = intake_entries_number(in);
	if (err == OK)
		prepare_trace(in);
	if (err == OK)
		prepare_archive(in);
	return err;
}

/* ---- on the writer thread ---- */

struct writing {
	struct txn *txn;
	struct intake *in;
	struct span notes;
	size_t noted;      /* of these, what the note of a folder that has gone follows */
	bool journal_lost; /* its copies are left out: a seat has gone */
};

static enum err
find_own_folder(struct snapshot *view, const struct plan_copy *copy, struct folder *out)
{
	struct user user;
	enum err err = names_user_by_id(view, copy->user_id, &user);

	return err == OK ? folder_find(view, copy->user_id, copy->folder, out) : err;
}

/* The folder of a copy as it is now; the Main Administrator's INBOX where it is gone. */
static enum err
find_folder(struct writing *w, const struct plan_copy *copy, struct folder *out)
{
	struct snapshot *view = txn_view(w->txn);
	struct user user;
	enum err err = find_own_folder(view, copy, out);

	if (err != ERR_NOT_FOUND)
		return err;
	err = names_user(view, w->in->admin, &user);
	if (err == OK)
		err = folder_find(view, user.user_id, SPAN("INBOX"), out);
	if (err == OK && w->notes.len + NOTE_SIZE_MAX <= NOTES_MAX)
		w->notes.len = w->noted + note_encode(w->in->notes + w->noted,
			NOTE_WRITE_GONE, copy->target, user.name);
	return err == ERR_NOT_FOUND ? ERR_IO : err;
}

static bool
is_left_out(const struct writing *w, const struct plan_copy *copy)
{
	return w->journal_lost && copy->role == COPY_JOURNAL;
}

static enum err
settle_journal(struct writing *w)
{
	enum err err = intake_journal_settle(w->txn, w->in, &w->journal_lost);

	if (w->journal_lost && w->notes.len + NOTE_SIZE_MAX <= NOTES_MAX)
		w->notes.len += note_encode(w->in->notes + w->in->notes_len, NOTE_JOURNAL_LATE,
			w->in->plan.journal->lacks->address, SPAN_NONE);
	w->noted = w->notes.len;
	return err;
}

/* LMTP can tell each recipient: ERR_NOT_FOUND where one has gone, before anything is written. */
static enum err
check_folders(struct writing *w)
{
	struct folder folder;
	enum err err = OK;

	if (w->in->mail.via != MAIL_VIA_LMTP)
		return OK;
	for (const struct plan_copy *copy = w->in->plan.copies; copy && err == OK; copy = copy->next)
		if (copy->kind == COPY_FOLDER && copy->role == COPY_DELIVERY)
			err = find_own_folder(txn_view(w->txn), copy, &folder);
	return err;
}

static enum err
write_body(struct txn *txn, struct intake *in, uint64_t *body_id)
{
	struct body_source source = { in->spans, in->span_count };

	if (in->flushed == 0)
		return body_add(txn, source, body_id);
	*body_id = in->body_id;
	if (in->body_size == in->flushed)
		return OK;
	return body_write(txn, in->body_id, in->flushed, source);
}

enum err
intake_write_content(
	struct txn *txn, struct intake *in, uint64_t owners, struct content *out)
{
	enum err err;

	*out = (struct content){ .header = in->mail.header, .derived = buf_span(&in->derived),
		.body_size = in->body_size, .owners = owners };
	err = write_body(txn, in, &out->body_id);
	return err == OK ? content_add(txn, out, false) : err;
}

/* Of all that wait for CONTENT's body: is it there, has it an owner? */
struct base {
	uint64_t body_id;
	bool is_shared;
};

/* The body of a version: ranges of what came, and its own bytes. */
static enum err
join_body(struct writing *w, const struct intake_content *c, struct base *base, uint64_t *body_id)
{
	struct body_member members[] = { { base->body_id, base->is_shared }, { 0, false } };
	struct body_source texts = { c->texts, c->text_count };
	struct body_join join = { members, COUNT(members), c->slices, c->slice_count };
	enum err err = body_add(w->txn, texts, &members[1].body_id);

	*body_id = members[1].body_id;
	if (!c->needs_body || err != OK)
		return err;
	if (members[1].body_id == 0)
		join.member_count = 1;
	base->is_shared = true;
	return body_join_add(w->txn, &join, body_id);
}

static enum err
write_content(struct writing *w, struct intake_content *c, struct base *base)
{
	bool is_shared = base->is_shared;
	enum err err = OK;

	c->row = (struct content){ .header = c->header, .derived = c->derived, .body_size = c->size,
		.owners = c->owners, .body_id = base->body_id };
	if (c->slice_count > 0) {
		is_shared = false;
		err = join_body(w, c, base, &c->row.body_id);
	} else {
		base->is_shared = base->body_id != 0;
	}
	return err == OK ? content_add(w->txn, &c->row, is_shared) : err;
}

static enum err
write_contents(struct writing *w)
{
	struct base base = { 0, false };
	enum err err = OK;

	if (intake_needs_body(w->in))
		err = write_body(w->txn, w->in, &base.body_id);
	else if (w->in->flushed > 0) /* nobody keeps it */
		err = body_abandon(w->txn, w->in->body_id);
	for (size_t i = 0; i < w->in->content_count && err == OK; i++)
		if (!w->in->contents[i].left_out)
			err = write_content(w, &w->in->contents[i], &base);
	return err;
}

/*
 * Where the copy of a pair is; of one that went elsewhere, for its user is gone, nothing. Both come in the same
 * order, from *AT on; but for a user who was set otherwise between two RCPT, who may have more of one than of
 * the other: what is of nobody is passed over, and is not sent.
 */
static void
note_pair(struct writing *w, size_t *at, const struct plan_copy *copy, const struct placement *place)
{
	size_t count = w->in->forwards_count, i = *at;
	struct forward *f = w->in->forwards;

	while (i < count && f[i].user_id != copy->user_id)
		f[i++].copy_id = 0;
	if (i == count)
		return;
	*at = i + 1;
	f[i].copy_id = 0;
	if (place->user_id == copy->user_id) {
		f[i].copy_id = place->copy_id;
		f[i].folder_id = place->folder_id;
		f[i].uid = place->uid;
	}
}

static enum err
write_copies(struct writing *w)
{
	size_t pairs = 0;

	for (const struct plan_copy *copy = w->in->plan.copies; copy; copy = copy->next) {
		struct placement place = { .front = w->in->plan.front,
			.received_s = (uint32_t)(w->in->mail.arrived_ms / 1000),
			.receipt_no = w->in->plan.receipt && copy->role == COPY_DELIVERY &&
					copy_wants_receipt(copy) ?
				w->in->mail.message_no : 0 };
		struct folder folder;
		enum err err;

		if (copy->kind != COPY_FOLDER || is_left_out(w, copy))
			continue;
		if ((err = find_folder(w, copy, &folder)) != OK)
			return err;
		place.content = &w->in->contents[intake_content_of(w->in, copy)].row;
		if (copy->version && copy->version->front.len > 0)
			place.front = copy->version->front;
		place.user_id = folder.user_id;
		place.folder_id = folder.folder_id;
		if ((err = message_place(w->txn, &place)) != OK)
			return err;
		if (copy->forwards)
			note_pair(w, &pairs, copy, &place);
	}
	return OK;
}

/* What of the entry is as the message came. */
static struct queued
entry_of_mail(const struct intake *in)
{
	const struct mail *mail = &in->mail;
	const struct mail_options *options = &mail->envelope.options;

	return (struct queued){ .sender = mail->envelope.reverse_path.text,
		.received_ms = mail->arrived_ms, .auth_user = mail->user,
		.source = span_of(mail->service), .peer = span_of(mail->peer.text),
		.session = mail->session, .subject = buf_span(&in->subject),
		.ret = (uint8_t)options->ret, .envid = options->envid,
		.eightbit = in->has_8bit || options->body == BODY_8BITMIME, .utf8 = options->smtputf8,
		.ours = in->plan.standing != STANDING_STRANGER || mail->via == MAIL_VIA_LOCAL,
		.report = mail->report, .forged = mail_is_forged(mail),
		.receipt = in->plan.receipt_sent };
}

static enum err
write_entry(struct writing *w, const struct intake_entry *entry)
{
	const struct intake_content *content = &w->in->contents[entry->content];
	struct queued q = entry_of_mail(w->in);

	q.queue_id = entry->queue_id;
	q.content_id = content->row.content_id;
	q.size_bytes = content->header.len + content->size;
	for (size_t i = 0; i < content->text_count; i++)
		q.eightbit |= !span_is_ascii(content->texts[i]);
	if (entry->copy->own_sender) {
		q.sender = entry->copy->sender;
		q.forged = false;
	}
	if (entry->copy->report != QUEUED_REPORT_NONE)
		q.report = entry->copy->report;
	if (entry->kind == ENTRY_ROLE) {
		q.envid = SPAN_NONE;
		q.receipt = false;
		q.utf8 &= !span_is_ascii(content->header); /* a report of the journal is 7-bit around it */
	}
	q.held = entry->kind == ENTRY_HELD;
	if (q.held) {
		q.held_since_ms = w->in->mail.arrived_ms;
		q.held_why = w->in->held_why;
	}
	return queued_add(w->txn, &q, w->in->queued + entry->from, entry->count);
}

/* The entry of the archive, and its number in the trace. */
static enum err
write_archive(struct writing *w)
{
	char number[24];
	uint64_t id;
	enum err err;

	if (!w->in->archive)
		return OK;
	err = archive_order_write(
		w->txn, w->in->archive, w->in->contents[w->in->archive_content].row.content_id, &id);
	if (err != OK || w->notes.len + NOTE_SIZE_MAX > NOTES_MAX)
		return err;
	snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	w->notes.len += note_encode(
		w->in->notes + w->notes.len, NOTE_WRITE_ARCHIVED, span_of(number), SPAN_NONE);
	return OK;
}

/* The user may have gone meanwhile, or forwards no more. */
static enum err
write_pair(struct writing *w, struct forward *f)
{
	struct queued_outcome gone = { .state = QUEUED_GONE, .now_ms = w->in->mail.arrived_ms,
		.text = SPAN("store and forward was switched off") };
	struct user user;
	bool entry_gone;
	enum err err = user_find(txn_view(w->txn), f->user_id, &user);

	if (err == OK && f->copy_id != 0 && forward_acts(&user))
		return forward_put(w->txn, f);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return queued_note(w->txn, f->queue_id, f->recipient_no, &gone, &entry_gone);
}

static enum err
write_pairs(struct writing *w, const struct intake_entry *entry)
{
	struct forward *forwards = w->in->forwards + (entry->from - w->in->forwards_from);
	enum err err = OK;

	for (size_t i = 0; i < entry->count && err == OK; i++) {
		forwards[i].queue_id = entry->queue_id;
		forwards[i].recipient_no = (uint32_t)i + 1;
		err = write_pair(w, &forwards[i]);
	}
	return err;
}

static enum err
write_queued(struct writing *w)
{
	enum err err = OK;

	for (size_t i = 0; i < w->in->entry_count && err == OK; i++) {
		const struct intake_entry *entry = &w->in->entries[i];

		if (is_left_out(w, entry->copy))
			continue;
		err = write_entry(w, entry);
		if (err == OK && entry->kind == ENTRY_FORWARD)
			err = write_pairs(w, entry);
	}
	return err;
}

/* What a reply to Ask says (DLR-07); its question may have gone meanwhile. */
static enum err
write_answer(struct writing *w)
{
	const struct plan_answer *answer = &w->in->plan.answer;
	enum err err = OK;

	if (answer->question_no != 0)
		err = question_reply_put(w->txn, answer->question_no,
			answer->fetch ? QUESTION_FETCH : QUESTION_REMOVE, w->in->mail.user);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
intake_write(struct txn *txn, struct intake *in)
{
	struct writing w = { .txn = txn, .in = in, .notes = { in->notes, in->notes_len } };
	enum err err = check_folders(&w);

	if (err == OK)
		err = settle_journal(&w);
	if (err == OK)
		err = write_contents(&w);
	if (err == OK)
		err = write_copies(&w);
	if (err == OK)
		err = write_archive(&w);
	if (err == OK)
		err = write_queued(&w);
	if (err == OK)
		err = write_answer(&w);
	if (err == OK)
		err = intake_trace_write(txn, in, w.notes);
	if (err == OK && in->fetched)
		err = fetched_put(txn, in->fetched->collector_id, &in->fetched->row);
	if (err == OK && in->beside)
		err = in->beside(in->beside_arg, txn);
	return err;
}

enum step
intake_apply(struct store_job *job, struct txn *txn)
{
	struct intake *in = LIST_ITEM(job, struct intake, job);
	enum err err = intake_write(txn, in);

	if (err == OK)
		err = intake_report_write(txn, in);
	if (err == OK)
		err = refusals_write(txn, in->refusals);
	return step_of(job, err);
}
