/*
 * imap_sorted.c - keys of sorting and threading, taken out of a message once (RFC 5256, 2 and 3).
 */
#include "server/imap/imap_sorted.h"

#include <string.h>

#include "proto/base/utf8.h"
#include "proto/imap/imap_subject.h"
#include "proto/mail/header.h"

#define ROOM_FIRST 64
#define PUT_AT_ONCE (16u << 10) /* bytes of the answer */

struct sorted_message *
sorted_add(struct imap_find *f, struct sorted_messages *all, const struct find_message *m)
{
	struct sorted_message *to;

	if (all->count == all->room) {
		struct sorted_message *old = all->items;

		all->room = all->room ? 2 * all->room : ROOM_FIRST;
		if (f->arena.total + all->room * sizeof(*old) > FIND_MEMORY_MAX)
			return NULL;
		all->items = ARENA_ARRAY(&f->arena, struct sorted_message, all->room);
		if (all->count > 0)
			memcpy(all->items, old, all->count * sizeof(*old));
	}
	to = &all->items[all->count++];
	*to = (struct sorted_message){ .seq = m->seq, .uid = m->uid, .size = m->entry.size,
		.received_s = m->entry.received_s, .sent_s = m->entry.received_s };
	return to;
}

void
sorted_read_sent(struct sorted_message *to, const struct find_message *m)
{
	if (m->derived.mime.has_sent)
		to->sent_s = m->derived.mime.sent_s;
}

void
sorted_read_subject(struct imap_find *f, struct sorted_message *to, const struct find_message *m)
{
	buf_clear(&f->folded);
	if (mime_derived_put_text(&m->derived.mime, MIME_SUBJECT, &f->folded) != OK)
		buf_clear(&f->folded);
	to->subject = imap_base_subject(&f->arena, buf_span(&f->folded), &to->is_reply);
}

struct span
sorted_mailbox(struct imap_find *f, const struct find_message *m, enum mime_field field)
{
	struct span rest = m->derived.mime.fields[field].raw, name;
	struct header_mailbox first;
	bool in_group = false;
	enum header_element kind = header_next_element(&rest, &in_group, &first);

	if (kind != HEADER_MAILBOX && kind != HEADER_GROUP)
		return SPAN_NONE;
	name = kind == HEADER_GROUP ? first.display /* it stands where a mailbox does (RFC 9051, 7.5.2) */
				    : span_range(first.address, 0, span_find_last(first.address, '@'));
	buf_clear(&f->folded);
	if (utf8_put_folded(&f->folded, name) != OK)
		return SPAN_NONE;
	return arena_copy(&f->arena, buf_span(&f->folded));
}

struct span
sorted_raw(struct imap_find *f, const struct find_message *m, enum mime_field field)
{
	return arena_copy(&f->arena, m->derived.mime.fields[field].raw);
}

enum imap_turn
sorted_put(struct imap_session *s, struct buf *text)
{
	while (buf_span(text).len > 0) {
		struct span piece = span_range(buf_span(text), 0, PUT_AT_ONCE);

		if (imap_must_yield(s))
			return IMAP_MORE;
		imap_put(buf_put(imap_out(s), piece));
		buf_consume(text, piece.len);
	}
	return IMAP_DONE;
}
