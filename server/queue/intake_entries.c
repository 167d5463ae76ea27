/*
 * intake_entries.c - from the copies of a plan to contents and groups of recipients.
 *
 * There are few of both, so they are looked up from front to back; of the recipients there may be thousands,
 * which cost one look each.
 */
#include "server/queue/intake_entries.h"

#include "proto/mail/message_no.h"
#include "server/queue/intake_derive.h"
#include "server/queue/intake_report.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/queued.h"

/* ---- contents ---- */

/* What a copy without a version gets: a header that is not there is the one before it. */
static struct span
header_of(const struct plan *plan, const struct plan_copy *copy)
{
	if (copy->kind == COPY_FOLDER || copy->kind == COPY_STORE)
		return plan->header;
	if (copy_is_outgoing(copy) && plan->header_outgoing.len > 0)
		return plan->header_outgoing;
	return plan->header_relayed.len > 0 ? plan->header_relayed : plan->header;
}

static const struct plan_version *
version_of(const struct plan *plan, const struct plan_copy *copy)
{
	return copy->version || !copy_is_outgoing(copy) ? copy->version : plan->outgoing;
}

/* The same bytes? Versions are often made one by one and come out alike. */
static bool
is_same(const struct intake_content *c, const struct plan_version *version, struct span header)
{
	const struct plan_piece *mine = c->version ? c->version->pieces : NULL;
	const struct plan_piece *others = version ? version->pieces : NULL;
	size_t count = c->version ? c->version->piece_count : 0;

	return count == (version ? version->piece_count : 0) && (count == 0 || mine == others) &&
		plan_headers_eq(c->header, header);
}

size_t
intake_content_of(const struct intake *in, const struct plan_copy *copy)
{
	const struct plan_version *version = version_of(&in->plan, copy);
	struct span header = version ? version->header : header_of(&in->plan, copy);
	size_t i = 0;

	while (i < in->content_count && !is_same(&in->contents[i], version, header))
		i++;
	return i;
}

/* A version's pieces as slices of what came (member 0) and of the bytes that it adds (member 1). */
static enum err
make_slices(struct intake *in, struct intake_content *c)
{
	const struct plan_version *version = c->version;
	uint64_t added = 0;

	if (version->piece_count > PLAN_PIECES_MAX)
		return ERR_LIMIT;
	c->texts = ARENA_ARRAY(&in->arena, struct span, version->piece_count);
	c->slices = ARENA_ARRAY(&in->arena, struct body_slice, version->piece_count);
	for (size_t i = 0; i < version->piece_count; i++) {
		const struct plan_piece *piece = &version->pieces[i];
		struct body_slice *slice = &c->slices[c->slice_count++];

		*slice = (struct body_slice){ 0, piece->from, piece->size };
		if (piece->text.len > 0) {
			*slice = (struct body_slice){ 1, added, piece->text.len };
			c->texts[c->text_count++] = piece->text;
			added += piece->text.len;
		} else if (piece->from > in->body_size || piece->size > in->body_size - piece->from) {
			return ERR_LIMIT;
		}
		c->needs_body |= slice->member == 0 && slice->size > 0;
		c->size += slice->size;
	}
	return OK;
}

static enum err
make_content(struct intake *in, const struct plan_copy *copy, struct intake_content *c)
{
	c->version = version_of(&in->plan, copy);
	c->header = c->version ? c->version->header : header_of(&in->plan, copy);
	if (c->version && c->version->piece_count > 0)
		return make_slices(in, c);
	c->size = in->body_size;
	c->needs_body = c->size > 0;
	return OK;
}

/* Readers of a mailbox want the record ready; a body that was put together gets it when it is asked for. */
static void
derive(struct intake *in, struct intake_content *c)
{
	if (c->slice_count > 0 || c->derived.len > 0)
		return;
	intake_derive_end(in, c->header);
	c->derived = arena_copy(&in->arena, buf_span(&in->derived));
}

/* The content of COPY, made where it is the first with it. */
static enum err
need_content(struct intake *in, const struct plan_copy *copy, size_t *no)
{
	enum err err = OK;

	*no = intake_content_of(in, copy);
	if (*no == in->content_count)
		err = make_content(in, copy, &in->contents[in->content_count++]);
	return err;
}

static enum err
make_placed(struct intake *in)
{
	enum err err = OK;
	size_t no;

	for (const struct plan_copy *copy = in->plan.copies; copy && err == OK; copy = copy->next) {
		if (copy->kind != COPY_FOLDER && copy->kind != COPY_STORE)
			continue;
		err = need_content(in, copy, &no);
		if (err == OK)
			derive(in, &in->contents[no]);
		in->contents[no].owners++;
	}
	return err;
}

bool
intake_needs_body(const struct intake *in)
{
	for (size_t i = 0; i < in->content_count; i++)
		if (in->contents[i].needs_body && !in->contents[i].left_out)
			return true;
	return false;
}

/* ---- entries ---- */

static enum intake_entry_kind
kind_of(const struct intake *in, const struct plan_copy *copy)
{
	if (copy->role != COPY_DELIVERY)
		return ENTRY_ROLE;
	if (copy->held)
		return ENTRY_HELD;
	if (copy_is_forward(copy))
		return ENTRY_FORWARD;
	return copy->route.len > 0 && (in->plan.header_outgoing.len > 0 || in->plan.outgoing)
		? ENTRY_LAN
		: ENTRY_OUTGOING;
}

static bool
is_of(const struct intake_entry *entry, const struct plan_copy *copy, enum intake_entry_kind kind,
	size_t content)
{
	const struct plan_copy *first = entry->copy;

	return entry->kind == kind && entry->content == content && first->role == copy->role &&
		first->report == copy->report && first->own_sender == copy->own_sender &&
		(!copy->own_sender || span_eq(first->sender, copy->sender));
}

static struct intake_entry *
need_entry(struct intake *in, const struct plan_copy *copy, enum intake_entry_kind kind,
	size_t content)
{
	struct intake_entry *entry;

	for (size_t i = 0; i < in->entry_count; i++)
		if (is_of(&in->entries[i], copy, kind, content))
			return &in->entries[i];
	entry = &in->entries[in->entry_count++];
	*entry = (struct intake_entry){ .kind = kind, .content = content, .copy = copy };
	in->contents[content].owners++;
	return entry;
}

/* Which entry each copy goes to, by its place among those that are queued; and how many go to each. */
static enum err
group(struct intake *in, enum intake_entry_kind kind, size_t *entry_of)
{
	enum err err = OK;
	size_t at = 0, content;

	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next) {
		struct intake_entry *entry;

		if (copy->kind != COPY_REMOTE)
			continue;
		if (kind_of(in, copy) == kind) {
			if ((err = need_content(in, copy, &content)) != OK)
				return err;
			entry = need_entry(in, copy, kind, content);
			entry->count++;
			entry_of[at] = (size_t)(entry - in->entries);
		}
		at++;
	}
	return OK;
}

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
fill_queued(struct intake *in, struct recipient **all, const struct plan_copy *copy,
	struct queued_recipient *row)
{
	row->address = copy->target;
	row->route = copy->route;
	row->next_try_ms = in->mail.arrived_ms;
	if (copy->role != COPY_DELIVERY) { /* who wrote the message hears nothing of it */
		row->notify = copy->report == QUEUED_REPORT_NONE ? QUEUED_NOTIFY_NEVER :
								   QUEUED_NOTIFY_FAILURE;
		return;
	}
	if (copy->recipient_no < in->mail.envelope.recipient_count) {
		row->orcpt = all[copy->recipient_no]->options.orcpt;
		row->notify = all[copy->recipient_no]->options.notify;
		if (intake_report_expanded(in, copy->recipient_no) || copy_is_forward(copy))
			row->notify = without_success(row->notify);
	}
}

static void
fill_entries(struct intake *in, const size_t *entry_of)
{
	struct recipient **all = recipients_by_number(in);
	size_t at = 0, from = 0;

	for (size_t i = 0; i < in->entry_count; i++) {
		in->entries[i].from = from;
		if (in->entries[i].kind == ENTRY_FORWARD && in->forwards_count == 0)
			in->forwards_from = from;
		if (in->entries[i].kind == ENTRY_FORWARD)
			in->forwards_count += in->entries[i].count;
		from += in->entries[i].count;
		in->entries[i].count = 0; /* counted again as they come */
	}
	in->forwards = ARENA_ARRAY(&in->arena, struct forward, in->forwards_count + 1);
	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next) {
		struct intake_entry *entry;
		size_t place;

		if (copy->kind != COPY_REMOTE)
			continue;
		entry = &in->entries[entry_of[at++]];
		place = entry->from + entry->count++;
		if (entry->kind == ENTRY_FORWARD)
			in->forwards[place - in->forwards_from].user_id = copy->user_id;
		fill_queued(in, all, copy, &in->queued[place]);
	}
}

enum err
intake_entries_make(struct intake *in)
{
	size_t *entry_of, contents = 3; /* as it came, for folders, for LANs, for the Internet */
	enum err err;

	in->queued_count = in->placed_count = in->entry_count = in->content_count = 0;
	in->forwards_from = in->forwards_count = 0;
	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next) {
		in->queued_count += copy->kind == COPY_REMOTE;
		in->placed_count += copy->kind == COPY_FOLDER && copy->role == COPY_DELIVERY;
	}
	for (const struct plan_version *version = in->plan.versions; version; version = version->next)
		contents++;
	in->contents = ARENA_ARRAY(&in->arena, struct intake_content, contents);
	in->entries = ARENA_ARRAY(&in->arena, struct intake_entry, in->queued_count);
	in->queued = ARENA_ARRAY(&in->arena, struct queued_recipient, in->queued_count);
	entry_of = ARENA_ARRAY(&in->arena, size_t, in->queued_count);
	err = make_placed(in);
	for (unsigned kind = 0; kind < ENTRY_KINDS && err == OK && in->queued_count > 0; kind++)
		err = group(in, (enum intake_entry_kind)kind, entry_of);
	if (err == OK && in->queued_count > 0)
		fill_entries(in, entry_of);
	return err;
}

const struct intake_entry *
intake_entry_of(const struct intake *in, enum intake_entry_kind kind)
{
	for (size_t i = 0; i < in->entry_count; i++)
		if (in->entries[i].kind == kind)
			return &in->entries[i];
	return NULL;
}

size_t
intake_entries_count(const struct intake *in, enum intake_entry_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < in->entry_count; i++)
		count += in->entries[i].kind == kind ? in->entries[i].count : 0;
	return count;
}

/* ---- numbers ---- */

/* Which entry has which number, in the trace. */
static void
note_entry(struct intake *in, const struct intake_entry *entry)
{
	static const enum note_code codes[ENTRY_KINDS] = { [ENTRY_LAN] = NOTE_WRITE_LAN,
		[ENTRY_HELD] = NOTE_WRITE_HELD, [ENTRY_FORWARD] = NOTE_WRITE_FORWARD };
	char id[MESSAGE_NO_SIZE];
	struct span no = message_no_format(entry->queue_id, id);

	if (entry->kind == ENTRY_ROLE)
		plan_note(&in->plan, NOTE_WRITE_ROLE,
			span_of(copy_role_words[entry->copy->role]), no);
	else if (entry->kind != ENTRY_OUTGOING)
		plan_note(&in->plan, codes[entry->kind],
			arena_printf(&in->arena, "%zu", entry->count), no);
}

enum err
intake_entries_number(struct intake *in)
{
	for (size_t i = 0; i < in->entry_count; i++) {
		struct intake_entry *entry = &in->entries[i];

		entry->queue_id = in->mail.message_no;
		if (i > 0 && message_no_next(in->host->store, &entry->queue_id) != OK)
			return ERR_BUSY;
	}
	in->held_why = arena_printf(
		&in->arena, OUT_HELD_WHY, (long long)in->host->conf->limits_user_recipients_hour);
	for (size_t i = 0; i < in->entry_count; i++)
		note_entry(in, &in->entries[i]);
	return OK;
}
