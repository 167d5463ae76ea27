/*
 * imap_fetch_message.c - one message of a FETCH: found, and the values of which it has one.
 *
 * A message that left the folder but not the view is read from where it went (RFC 9051, 7.5.1: the
 * client may still count it). One that is damaged says what can be read of it (H49).
 */
#include "proto/imap/imap_response.h"
#include "server/imap/imap_fetch_inside.h"
#include "server/queue/collected.h"
#include "store/bodies.h"

#define DERIVED_ITEMS (IMAP_FETCH_ENVELOPE | IMAP_FETCH_BODY | IMAP_FETCH_BODYSTRUCTURE)

/* ---- loading ---- */

static void
on_derived(struct derive_work *w)
{
	struct fetch_task *task = LIST_ITEM(w, struct fetch_task, derive);

	task->derives = false;
	task->has_record = true; /* perhaps none: it is damaged, then */
	task->record = arena_copy(&task->scratch, w->record);
	imap_resume(task->session);
}

/* The body is large: a worker makes it. */
static enum imap_turn
derive(struct fetch_task *task)
{
	struct imap_session *imap = task->session;

	task->derive.content_id = task->message.content.content_id;
	task->derive.done = on_derived;
	if (derive_submit(imap->session.host, &task->derive) != OK)
		return IMAP_DONE;
	task->derives = true;
	session_hold(&imap->session);
	session_wait(&imap->session);
	return IMAP_WAIT;
}

static enum imap_turn
load_derived(struct fetch_task *task, struct snapshot *snap)
{
	struct fetch_message *m = &task->message;
	struct span made = SPAN_NONE;
	enum err err;

	if (task->has_record)
		err = mime_derived_open(task->record.len > 0 ? task->record : m->content.derived,
			m->content.header, &m->derived);
	else
		err = derived_of(snap, &m->content, DERIVE_AT_ONCE, &task->scratch, &m->derived,
			&made);
	if (err == ERR_LIMIT && !task->has_record)
		return derive(task);
	if (made.len > 0)
		derive_keep(task->session->session.host, m->content.content_id, made);
	m->has_derived = err == OK;
	return IMAP_DONE;
}

/* What the items need of the message, in this turn's snapshot. IMAP_WAIT: a worker makes it ready. */
static enum imap_turn
load(struct fetch_task *task)
{
	struct fetch_message *m = &task->message;
	struct snapshot *snap = imap_snapshot(task->session);
	enum err err = OK;

	m->loaded = true;
	m->has_text = m->has_derived = false;
	if (!task->wants_copy)
		return IMAP_DONE;
	err = snap ? copy_get(snap, m->entry.copy_id, &m->copy) : ERR_IO;
	if (err == OK && task->wants_text)
		err = content_get(snap, m->copy.content_id, &m->content);
	m->has_text = err == OK && !m->content.veiled;
	if (m->has_text && task->wants_derived && load_derived(task, snap) == IMAP_WAIT)
		return IMAP_WAIT;
	task->damaged |= !m->has_text || (task->wants_derived && !m->has_derived);
	return IMAP_DONE;
}

/* ---- values ---- */

static void
put_separator(struct buf *out, bool *first)
{
	if (!*first)
		imap_put(buf_put_char(out, ' '));
	*first = false;
}

/* In the zone of the server, whose days SEARCH goes by (RFC 9051, 6.4.4). */
static void
put_date(struct buf *out, int64_t seconds)
{
	imap_put(imap_put_date_time(out,
		(struct mail_date){ seconds, host_zone_minutes(seconds * 1000) }));
}

static void
put_derived(struct fetch_task *task, struct buf *out, bool *first)
{
	static const struct {
		unsigned item;
		struct span name;
		enum err (*put)(const struct mime_derived *d, struct buf *out);
	} values[] = {
		{ IMAP_FETCH_ENVELOPE, { "ENVELOPE ", 9 }, mime_derived_put_envelope },
		{ IMAP_FETCH_BODY, { "BODY ", 5 }, mime_derived_put_body },
		{ IMAP_FETCH_BODYSTRUCTURE, { "BODYSTRUCTURE ", 14 }, mime_derived_put_bodystructure },
	};

	for (size_t i = 0; i < COUNT(values); i++) {
		if (!(task->items & values[i].item))
			continue;
		put_separator(out, first);
		imap_put(buf_put(out, values[i].name));
		if (values[i].put(&task->message.derived, out) == ERR_CORRUPT)
			session_close(&task->session->session, CLOSE_TROUBLE); /* in mid-line */
	}
}

/* RFC 8474, 5; RFC 8514. Of a damaged copy nothing. */
static void
put_ids(struct fetch_task *task, struct buf *out, bool *first)
{
	const struct fetch_message *m = &task->message;

	if ((task->items & IMAP_FETCH_EMAILID) && m->has_text) {
		put_separator(out, first);
		imap_put(buf_printf(out, "EMAILID (E%llu)", (unsigned long long)m->copy.content_id));
	}
	if (task->items & IMAP_FETCH_THREADID) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("THREADID NIL")));
	}
	if ((task->items & IMAP_FETCH_SAVEDATE) && m->has_text) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("SAVEDATE ")));
		put_date(out, (int64_t)(m->copy.save_ms / 1000));
	}
}

/* Are the flags said? Also where it was this FETCH that set \Seen. */
static bool
shows_flags(const struct fetch_task *task, bool *told)
{
	*told = task->marks && imap_is_told(task->session, task->message.entry.modseq);
	return *told || (task->items & IMAP_FETCH_FLAGS);
}

static void
put_entry(struct fetch_task *task, struct buf *out, bool *first)
{
	const struct entry *e = &task->message.entry;
	bool told, flags = shows_flags(task, &told);

	if (task->items & IMAP_FETCH_UID) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("UID ")));
		imap_put(buf_put_u64(out, e->uid));
	}
	if (flags) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("FLAGS ")));
		imap_put(imap_flags_put(&task->flags, e, out));
	}
	if (task->items & IMAP_FETCH_INTERNALDATE) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("INTERNALDATE ")));
		put_date(out, e->received_s);
	}
	if (task->items & IMAP_FETCH_RFC822_SIZE) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("RFC822.SIZE ")));
		imap_put(buf_put_u64(out, e->size));
	}
	if ((task->items & IMAP_FETCH_MODSEQ) || /* RFC 7162, 3.1: with each change of flags */
		(told && (task->session->enabled & IMAP_ENABLED_CONDSTORE))) {
		put_separator(out, first);
		imap_put(buf_put(out, SPAN("MODSEQ (")));
		imap_put(buf_put_u64(out, e->modseq));
		imap_put(buf_put_char(out, ')'));
	}
}

static void
put_values(struct fetch_task *task)
{
	struct buf *out = imap_out(task->session);
	bool first = true, told;

	if (shows_flags(task, &told))
		imap_put_new_keywords(task->session, &task->flags.keywords);
	imap_put(buf_put(out, SPAN("* ")));
	imap_put(buf_put_u64(out, task->message.seq));
	imap_put(buf_put(out, SPAN(" FETCH (")));
	put_entry(task, out, &first);
	if (task->message.has_derived)
		put_derived(task, out, &first);
	put_ids(task, out, &first);
	if (task->fetch.count > 0 && !first)
		imap_put(buf_put_char(out, ' '));
}

/* ---- receipts ---- */

/* All of the message, or of its text; or the last piece of either. */
static bool
is_whole(const struct fetch_task *task, const struct imap_fetch_bytes *b)
{
	bool all = b->path_len == 0 &&
		(b->section == IMAP_SECTION_ALL || b->section == IMAP_SECTION_TEXT ||
			b->section == IMAP_SECTION_BINARY);
	uint64_t size = task->message.content.body_size;

	if (b->section != IMAP_SECTION_TEXT)
		size = task->message.entry.size;
	return all && (!b->partial || (b->from < size && b->length >= size - b->from));
}

/* the owner's first FETCH of a whole message, where the file says so; EXAMINE changes nothing. */
static void
tell_collected(struct fetch_task *task)
{
	const struct imap_session *imap = task->session;
	const struct imap_selected *sel = imap->selected;
	bool whole = false;

	if (!task->message.has_text || task->message.copy.receipt_no == 0 ||
		!imap->session.conf->headers_receipts_imap || sel->user_id != imap->user_id ||
		sel->examined)
		return;
	for (size_t i = 0; i < task->fetch.count && !whole; i++)
		whole = is_whole(task, &task->fetch.bytes[i]);
	if (whole)
		collected_submit(imap->session.host, imap->user_id, &task->message.copy.copy_id, 1);
}

/* ---- the line ---- */

static enum imap_turn
end_line(struct fetch_task *task)
{
	imap_put(buf_put(imap_out(task->session), SPAN(")\r\n")));
	tell_collected(task);
	if (task->pinned)
		body_unpin(task->session->session.host->store, task->pinned);
	task->pinned = 0;
	task->session->session.mid_reply = false;
	task->in_message = task->has_record = false;
	arena_reset(&task->scratch);
	return IMAP_DONE;
}

/* It goes on in a later turn: the body must stay until then (Q3). */
static void
pin(struct fetch_task *task)
{
	if (task->pinned || !task->message.has_text || task->message.content.body_id == 0)
		return;
	task->pinned = task->message.content.body_id;
	body_pin(task->session->session.host->store, task->pinned);
}

static enum imap_turn
put_rest(struct fetch_task *task)
{
	enum imap_turn turn = fetch_bytes_go_on(task);

	if (turn == IMAP_DONE)
		return end_line(task);
	pin(task);
	return turn;
}

static enum imap_turn
put_line(struct fetch_task *task)
{
	if (load(task) == IMAP_WAIT)
		return IMAP_WAIT;
	task->session->session.mid_reply = true; /* until its last byte is put (RFC 9051, 4.3) */
	put_values(task);
	task->item = 0;
	task->warm_until = 0;
	task->phase = FETCH_ITEM;
	task->message.seq = 0; /* the values are out */
	return put_rest(task);
}

enum imap_turn
fetch_message_go_on(struct fetch_task *task)
{
	if (task->message.seq != 0) /* it waited for its derived record */
		return put_line(task);
	if (!task->message.loaded && load(task) == IMAP_WAIT)
		return IMAP_WAIT;
	return put_rest(task);
}

/* The entry of a message of the view, wherever it is now. */
static bool
find_entry(struct fetch_task *task, uint32_t uid, struct entry *out)
{
	const struct imap_selected *sel = task->session->selected;
	const struct entry *e = entry_reader_find(&task->entries, uid);
	struct message gone;

	if (e) {
		*out = *e;
		return true;
	}
	if (message_find_gone(imap_snapshot(task->session), sel->folder_id, uid, sel->gone_modseq,
		    &gone) != OK)
		return false;
	*out = gone.entry;
	return true;
}

enum imap_turn
fetch_message_begin(struct fetch_task *task, uint32_t seq, uint32_t uid)
{
	struct fetch_message *m = &task->message;

	if (!find_entry(task, uid, &m->entry)) {
		task->missing++;
		return IMAP_DONE;
	}
	if (task->fetch.has_changed_since && m->entry.modseq <= task->fetch.changed_since)
		return IMAP_DONE; /* RFC 7162, 3.1.4.1 */
	m->seq = seq;
	task->in_message = true;
	return put_line(task);
}
