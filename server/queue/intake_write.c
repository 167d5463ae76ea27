/*
 * intake_write.c - a plan becomes rows, in one transaction.
 *
 * apply() may run again (commit.h): it uses nothing up, and it allocates nothing, for the arena belongs to
 * the loop.
 */
#include "server/queue/intake_write.h"

#include <string.h>

#include "proto/mail/message_no.h"
#include "proto/mime/encoded_word.h"
#include "server/pipeline/forged.h"
#include "server/pipeline/names.h"
#include "server/pipeline/receipt_wish.h"
#include "server/queue/intake_derive.h"
#include "server/queue/intake_report.h"
#include "server/queue/refusals.h"
#include "store/bodies.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/traces.h"

#define SUBJECT_MAX 512 /* bytes of a decoded subject that queue and trace are given */

/* ---- on the loop ---- */

static struct recipient **
recipients_by_number(struct intake *in)
{
	struct envelope *envelope = &in->mail.envelope;
	struct recipient **all =
		ARENA_ARRAY(&in->arena, struct recipient *, envelope->recipient_count + 1);
	struct list *at, *following;
	size_t i = 0;

	list_for_each(at, following, &envelope->recipients)
		all[i++] = LIST_ITEM(at, struct recipient, link);
	return all;
}

/* RFC 3461, 5.2.7: the expansion is reported. That alone was asked for: then nothing else is. */
static uint32_t
without_success(uint32_t notify)
{
	notify &= ~(uint32_t)QUEUED_NOTIFY_SUCCESS;
	return notify != 0 ? notify : QUEUED_NOTIFY_NEVER;
}

static void
add_queued(struct intake *in, struct recipient **all, const struct plan_copy *copy)
{
	struct queued_recipient *row = &in->queued[in->queued_count++];

	row->address = copy->target;
	row->route = copy->route;
	row->next_try_ms = in->mail.arrived_ms;
	if (copy->recipient_no < in->mail.envelope.recipient_count) {
		row->orcpt = all[copy->recipient_no]->options.orcpt;
		row->notify = all[copy->recipient_no]->options.notify;
		if (intake_report_expanded(in, copy->recipient_no) || copy_is_forward(copy))
			row->notify = without_success(row->notify);
	}
}

static enum intake_entry_kind
entry_of(const struct intake *in, const struct plan_copy *copy)
{
	if (copy->held)
		return ENTRY_HELD;
	if (copy_is_forward(copy))
		return ENTRY_FORWARD;
	return copy->route.len > 0 && in->plan.header_outgoing.len > 0 ? ENTRY_LAN : ENTRY_OUTGOING;
}

static void
add_entry(struct intake *in, struct recipient **all, enum intake_entry_kind kind)
{
	struct intake_entry *entry = &in->entries[kind];

	entry->from = in->queued_count;
	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next) {
		if (copy->kind != COPY_REMOTE || entry_of(in, copy) != kind)
			continue;
		if (kind == ENTRY_FORWARD)
			in->forwards[in->queued_count - entry->from].user_id = copy->user_id;
		add_queued(in, all, copy);
	}
	entry->count = in->queued_count - entry->from;
}

static void
prepare_queued(struct intake *in)
{
	struct recipient **all = NULL;

	in->queued_count = in->placed_count = 0;
	memset(in->entries, 0, sizeof(in->entries));
	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next) {
		in->queued_count += copy->kind == COPY_REMOTE;
		in->placed_count += copy->kind == COPY_FOLDER;
	}
	if (in->queued_count == 0)
		return;
	all = recipients_by_number(in);
	in->queued = ARENA_ARRAY(&in->arena, struct queued_recipient, in->queued_count);
	in->forwards = ARENA_ARRAY(&in->arena, struct forward, in->plan.forward_count + 1);
	in->queued_count = 0;
	for (int kind = 0; kind < INTAKE_ENTRIES; kind++)
		add_entry(in, all, kind);
}

/* Which entry has which number, in the trace. */
static void
note_entry(struct intake *in, enum note_code code, const struct intake_entry *entry)
{
	char id[MESSAGE_NO_SIZE];

	if (entry->count > 0)
		plan_note(&in->plan, code, arena_printf(&in->arena, "%zu", entry->count),
			message_no_format(entry->queue_id, id));
}

/* Numbers for the entries. ERR_BUSY: none is to be had now. */
static enum err
prepare_numbers(struct intake *in)
{
	bool own_is_given = false;

	for (int kind = 0; kind < INTAKE_ENTRIES; kind++) {
		struct intake_entry *entry = &in->entries[kind];

		entry->queue_id = in->mail.message_no;
		if (entry->count > 0 && own_is_given &&
			message_no_next(in->host->store, &entry->queue_id) != OK)
			return ERR_BUSY;
		own_is_given |= entry->count > 0;
	}
	in->held_why = arena_printf(
		&in->arena, OUT_HELD_WHY, (long long)in->host->conf->limits_user_recipients_hour);
	note_entry(in, NOTE_WRITE_LAN, &in->entries[ENTRY_LAN]);
	note_entry(in, NOTE_WRITE_HELD, &in->entries[ENTRY_HELD]);
	note_entry(in, NOTE_WRITE_FORWARD, &in->entries[ENTRY_FORWARD]);
	return OK;
}

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
	in->notes = arena_alloc(&in->arena, notes.len + NOTE_SIZE_MAX);
	if (notes.len > 0)
		memcpy(in->notes, notes.ptr, notes.len);
	in->notes_len = notes.len;
}

enum err
intake_prepare(struct intake *in)
{
	in->admin = arena_copy(&in->arena, in->host->conf->main_administrator);
	prepare_queued(in);
	if (prepare_numbers(in) != OK)
		return ERR_BUSY;
	prepare_trace(in);
	if (in->placed_count > 0)
		intake_derive_end(in, in->plan.header);
	return OK;
}

/* ---- on the writer thread ---- */

/* The headers that one message may have; each that is there is a content, on one body. */
enum header_kind { HEADER_FOLDERS, HEADER_RELAYED, HEADER_OUTGOING, HEADER_KINDS };

struct writing {
	struct txn *txn;
	struct intake *in;
	struct content contents[HEADER_KINDS];
	struct span notes;
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
		w->notes.len = w->in->notes_len + note_encode(w->in->notes + w->in->notes_len,
			NOTE_WRITE_GONE, copy->target, user.name);
	return err == ERR_NOT_FOUND ? ERR_IO : err;
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
		if (copy->kind == COPY_FOLDER)
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

/* A header that is not there is the one before it. */
static enum header_kind
header_kind(const struct plan *plan, enum header_kind kind)
{
	if (kind == HEADER_OUTGOING && plan->header_outgoing.len > 0)
		return HEADER_OUTGOING;
	return kind != HEADER_FOLDERS && plan->header_relayed.len > 0 ? HEADER_RELAYED : HEADER_FOLDERS;
}

static struct content *
entry_content(struct writing *w, enum intake_entry_kind kind)
{
	return &w->contents[header_kind(
		&w->in->plan,
		kind == ENTRY_LAN || kind == ENTRY_FORWARD ? HEADER_RELAYED : HEADER_OUTGOING)];
}

static enum err
write_content(struct writing *w, enum header_kind kind, uint64_t *body_id, bool *body_is_shared)
{
	const struct plan *plan = &w->in->plan;
	const struct span headers[] = { plan->header, plan->header_relayed, plan->header_outgoing };
	struct content *content = &w->contents[kind];
	enum err err;

	if (content->owners == 0)
		return OK;
	content->header = headers[kind];
	if (kind == HEADER_FOLDERS)
		content->derived = buf_span(&w->in->derived);
	content->body_id = *body_id;
	content->body_size = w->in->body_size;
	err = content_add(w->txn, content, *body_is_shared);
	*body_is_shared = *body_id != 0;
	return err;
}

/* One content for each header that somebody gets. */
static enum err
write_contents(struct writing *w)
{
	bool body_is_shared = false;
	uint64_t body_id;
	enum err err;

	memset(w->contents, 0, sizeof(w->contents)); /* apply() may run again */
	w->contents[HEADER_FOLDERS].owners = w->in->placed_count;
	for (int kind = 0; kind < INTAKE_ENTRIES; kind++)
		if (w->in->entries[kind].count > 0)
			entry_content(w, kind)->owners++;
	if (w->in->placed_count + w->in->queued_count == 0) /* nobody keeps it */
		return w->in->flushed > 0 ? body_abandon(w->txn, w->in->body_id) : OK;
	err = write_body(w->txn, w->in, &body_id);
	for (int kind = 0; kind < HEADER_KINDS && err == OK; kind++)
		err = write_content(w, kind, &body_id, &body_is_shared);
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
	size_t count = w->in->entries[ENTRY_FORWARD].count, i = *at;
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
		struct placement place = { .content = &w->contents[HEADER_FOLDERS], .front = w->in->plan.front,
			.received_s = (uint32_t)(w->in->mail.arrived_ms / 1000),
			.receipt_no = w->in->plan.receipt && copy_wants_receipt(copy) ?
				w->in->mail.message_no : 0 };
		struct folder folder;
		enum err err;

		if (copy->kind != COPY_FOLDER)
			continue;
		if ((err = find_folder(w, copy, &folder)) != OK)
			return err;
		place.user_id = folder.user_id;
		place.folder_id = folder.folder_id;
		if ((err = message_place(w->txn, &place)) != OK)
			return err;
		if (copy->forwards)
			note_pair(w, &pairs, copy, &place);
	}
	return OK;
}

static enum err
write_entry(struct writing *w, enum intake_entry_kind kind)
{
	const struct intake_entry *entry = &w->in->entries[kind];
	const struct content *content = entry_content(w, kind);
	const struct mail *mail = &w->in->mail;
	const struct mail_options *options = &mail->envelope.options;
	struct queued q = { .queue_id = entry->queue_id,
		.sender = mail->envelope.reverse_path.text, .content_id = content->content_id,
		.size_bytes = content->header.len + w->in->body_size,
		.received_ms = mail->arrived_ms, .auth_user = mail->user,
		.source = span_of(mail->service), .peer = span_of(mail->peer.text),
		.session = mail->session, .subject = buf_span(&w->in->subject),
		.ret = (uint8_t)options->ret, .envid = options->envid,
		.eightbit = w->in->has_8bit || options->body == BODY_8BITMIME, .utf8 = options->smtputf8,
		.ours = w->in->plan.standing != STANDING_STRANGER || mail->via == MAIL_VIA_LOCAL,
		.report = mail->report, .forged = mail_is_forged(mail),
		.receipt = w->in->plan.receipt_sent, .held = kind == ENTRY_HELD };

	if (entry->count == 0)
		return OK;
	if (q.held) {
		q.held_since_ms = mail->arrived_ms;
		q.held_why = w->in->held_why;
	}
	return queued_add(w->txn, &q, w->in->queued + entry->from, entry->count);
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
write_pairs(struct writing *w)
{
	const struct intake_entry *entry = &w->in->entries[ENTRY_FORWARD];
	enum err err = OK;

	for (size_t i = 0; i < entry->count && err == OK; i++) {
		struct forward *f = &w->in->forwards[i];

		f->queue_id = entry->queue_id;
		f->recipient_no = (uint32_t)i + 1;
		err = write_pair(w, f);
	}
	return err;
}

static enum err
write_queued(struct writing *w)
{
	enum err err = OK;

	for (int kind = 0; kind < INTAKE_ENTRIES && err == OK; kind++)
		err = write_entry(w, kind);
	return err == OK ? write_pairs(w) : err;
}

enum err
intake_write(struct txn *txn, struct intake *in)
{
	struct writing w = { .txn = txn, .in = in, .notes = { in->notes, in->notes_len } };
	enum err err = check_folders(&w);

	if (err == OK)
		err = write_contents(&w);
	if (err == OK)
		err = write_copies(&w);
	if (err == OK)
		err = write_queued(&w);
	if (err == OK)
		err = intake_trace_write(txn, in, w.notes);
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
