/*
 * imap_fetch_bytes.c - BODY[...] and BINARY[...]: bytes of a message, by the offsets of its derived record.
 *
 * A message is what its copy has in front, its header, its body, one behind the other; offsets count from
 * its first byte. Nothing is parsed here but the fields of a header.
 */
#include <string.h>

#include "proto/imap/imap_response.h"
#include "proto/mail/header.h"
#include "server/imap/imap_fetch_inside.h"
#include "server/session/body_warm.h"
#include "store/bodies.h"

#define DECODE_ROOM BODY_PIECE_DATA /* bytes that are decoded at once, and what comes of them */

/* ---- the bytes ---- */

static uint64_t
head_size(const struct fetch_message *m)
{
	return m->copy.front.len + m->content.header.len;
}

static uint64_t
whole_size(const struct fetch_message *m)
{
	return head_size(m) + m->content.body_size;
}

/* From AT to END, or to the end of a piece. */
static enum err
read_at(struct fetch_task *task, uint64_t at, uint64_t end, struct span *out)
{
	const struct fetch_message *m = &task->message;
	enum err err = OK;

	if (at < m->copy.front.len)
		*out = span_from(m->copy.front, (size_t)at);
	else if (at < head_size(m))
		*out = span_from(m->content.header, (size_t)(at - m->copy.front.len));
	else
		err = body_read(imap_snapshot(task->session), m->content.body_id, at - head_size(m),
			out);
	if (err == OK && out->len == 0)
		err = ERR_CORRUPT;
	if (err == OK)
		*out = span_range(*out, 0, end - at);
	return err;
}

static bool
is_cold(struct fetch_task *task, uint64_t at)
{
	const struct fetch_message *m = &task->message;

	return at >= head_size(m) && m->content.body_id != 0 &&
		body_warm(&task->session->session, imap_snapshot(task->session), m->content.body_id,
			at - head_size(m), &task->warm_until);
}

/* A literal has no NUL (RFC 9051, 9): a message that holds one all the same shows '?'. */
static void
put_text(struct buf *out, struct span bytes)
{
	char *room;

	if (span_find(bytes, '\0') == bytes.len) {
		imap_put(buf_put(out, bytes));
		return;
	}
	room = buf_reserve(out, bytes.len);
	if (!room)
		return;
	for (size_t i = 0; i < bytes.len; i++)
		room[i] = bytes.ptr[i] ? bytes.ptr[i] : '?';
	buf_added(out, bytes.len);
}

/* What was promised and cannot be read: filled up, and the answer says NO (H49). */
static void
put_filling(struct fetch_task *task)
{
	static const char filling[] = "????????????????????????????????????????????????????????????????";
	struct buf *out = imap_out(task->session);

	task->damaged = true;
	while (task->at < task->end && !out->overflow) {
		uint64_t left = task->end - task->at;
		size_t some = left < sizeof(filling) - 1 ? (size_t)left : sizeof(filling) - 1;

		imap_put(buf_put(out, (struct span){ filling, some }));
		task->at += some;
		if (stream_is_full(&task->session->session.stream))
			return;
	}
}

static enum imap_turn
send_bytes(struct fetch_task *task)
{
	struct buf *out = imap_out(task->session);

	while (task->at < task->end) {
		struct span piece;

		if (is_cold(task, task->at))
			return IMAP_WAIT;
		if (!task->message.has_text || read_at(task, task->at, task->end, &piece) != OK) {
			put_filling(task);
		} else {
			put_text(out, piece);
			task->at += piece.len;
		}
		if (imap_must_yield(task->session))
			return IMAP_MORE;
	}
	return IMAP_DONE;
}

/* ---- sections ---- */

/* A range of the message. ERR_NOT_FOUND: it has no such part. */
struct section {
	uint64_t at, end;
	enum mime_encoding encoding;
};

static enum err
find_part(struct fetch_task *task, const struct imap_fetch_bytes *b, struct section *out)
{
	const struct fetch_message *m = &task->message;
	uint64_t front = m->copy.front.len;
	struct mime_part part;
	enum err err = m->has_derived ? mime_part_find(&m->derived, b->path, b->path_len, &part)
				      : ERR_CORRUPT;

	if (err == OK && (b->section == IMAP_SECTION_HEADER || b->section == IMAP_SECTION_TEXT ||
				 b->section == IMAP_SECTION_FIELDS ||
				 b->section == IMAP_SECTION_FIELDS_NOT))
		err = part.kind == MIME_MESSAGE ? mime_part_inner(&m->derived, &part, &part)
						: ERR_NOT_FOUND;
	if (err != OK)
		return err;
	out->encoding = part.kind == MIME_LEAF ? part.encoding : MIME_7BIT;
	if (b->section == IMAP_SECTION_ALL || b->section == IMAP_SECTION_TEXT ||
		b->section == IMAP_SECTION_BINARY || b->section == IMAP_SECTION_BINARY_SIZE) {
		out->at = front + part.body_offset;
		out->end = out->at + part.body_size;
	} else {
		out->at = front + part.header_offset;
		out->end = out->at + part.header_size;
	}
	return out->end <= whole_size(m) ? OK : ERR_CORRUPT;
}

static enum err
find_section(struct fetch_task *task, const struct imap_fetch_bytes *b, struct section *out)
{
	const struct fetch_message *m = &task->message;

	*out = (struct section){ 0, 0, MIME_7BIT };
	if (!m->has_text)
		return ERR_CORRUPT;
	if (b->path_len > 0)
		return find_part(task, b, out);
	out->at = b->section == IMAP_SECTION_TEXT ? head_size(m) : 0;
	out->end = b->section == IMAP_SECTION_HEADER || b->section == IMAP_SECTION_FIELDS ||
			b->section == IMAP_SECTION_FIELDS_NOT
		? head_size(m)
		: whole_size(m);
	return OK;
}

static void
put_name(struct fetch_task *task, const struct imap_fetch_bytes *b)
{
	struct buf *out = imap_out(task->session);

	if (task->item > 0)
		imap_put(buf_put_char(out, ' '));
	imap_put(buf_put(out, b->name));
	imap_put(buf_put_char(out, ' '));
}

static enum imap_turn
put_nil(struct fetch_task *task, const struct imap_fetch_bytes *b)
{
	put_name(task, b);
	imap_put(buf_put(imap_out(task->session),
		b->section == IMAP_SECTION_BINARY_SIZE ? SPAN("0") : SPAN("NIL")));
	return IMAP_DONE;
}

/* ---- HEADER.FIELDS ---- */

static bool
is_named(const struct imap_fetch_bytes *b, struct span name)
{
	for (size_t i = 0; i < b->field_count; i++)
		if (span_eq_nocase(name, b->fields[i]))
			return true;
	return false;
}

/* The fields of HEADER that B asks for, added to *count spans of the task. */
static void
pick_fields(struct fetch_task *task, const struct imap_fetch_bytes *b, struct span header,
	size_t *count)
{
	bool wanted = b->section == IMAP_SECTION_FIELDS;
	struct header_field field;

	while (header_next(&header, &field)) {
		struct span *last = *count > 0 ? &task->spans[*count - 1] : NULL;

		if (is_named(b, field.name) != wanted)
			continue;
		if (last && last->ptr + last->len == field.raw.ptr)
			last->len += field.raw.len;
		else if (*count < FETCH_SPANS_MAX - 1)
			task->spans[(*count)++] = field.raw;
	}
}

static void
put_spans(struct fetch_task *task, const struct imap_fetch_bytes *b, size_t count)
{
	struct buf *out = imap_out(task->session);
	uint64_t total = 0, from = b->partial ? b->from : 0, left;

	for (size_t i = 0; i < count; i++)
		total += task->spans[i].len;
	left = total > from ? total - from : 0;
	if (b->partial && left > b->length)
		left = b->length;
	imap_put(imap_put_literal_head(out, left, false));
	for (size_t i = 0; i < count && left > 0; i++) {
		struct span part = span_from(task->spans[i], from < task->spans[i].len
				? (size_t)from
				: task->spans[i].len);

		from -= task->spans[i].len - part.len;
		part = span_range(part, 0, (size_t)(left < part.len ? left : part.len));
		put_text(out, part);
		left -= part.len;
	}
}

/*
 * The header of a message inside lies in pieces; what is over MIME_PART_HEADER_MAX nobody looks at (H7).
 * SPAN_NONE: it cannot be read.
 */
static struct span
gather(struct fetch_task *task, const struct section *s)
{
	uint64_t whole = s->end - s->at;
	size_t size = whole < MIME_PART_HEADER_MAX ? (size_t)whole : MIME_PART_HEADER_MAX, len = 0;
	struct span piece;

	if (!task->inner_header)
		task->inner_header = arena_alloc(imap_arena(task->session), MIME_PART_HEADER_MAX);
	while (len < size) {
		if (read_at(task, s->at + len, s->at + size, &piece) != OK)
			return SPAN_NONE;
		memcpy(task->inner_header + len, piece.ptr, piece.len);
		len += piece.len;
	}
	return (struct span){ task->inner_header, len };
}

static enum imap_turn
put_fields(struct fetch_task *task, const struct imap_fetch_bytes *b, const struct section *s)
{
	size_t count = 0;

	if (b->path_len > 0 && is_cold(task, s->at))
		return IMAP_WAIT;
	put_name(task, b);
	if (b->path_len == 0) {
		pick_fields(task, b, task->message.copy.front, &count);
		pick_fields(task, b, task->message.content.header, &count);
	} else {
		pick_fields(task, b, gather(task, s), &count);
	}
	task->spans[count++] = SPAN("\r\n"); /* RFC 9051, 6.4.5: always there */
	put_spans(task, b, count);
	return IMAP_DONE;
}

/* ---- BINARY ---- */

/* Decode what follows at task->at; *out has what came of it. False: it cannot be read. */
static bool
decode_some(struct fetch_task *task, struct buf *out)
{
	struct span piece;

	if (task->at == task->end)
		return mime_decoder_end(&task->decoder, out) == OK;
	if (!task->message.has_text || read_at(task, task->at, task->end, &piece) != OK)
		return false;
	piece = span_range(piece, 0, DECODE_ROOM);
	task->at += piece.len;
	return mime_decoder_put(&task->decoder, piece, out) == OK;
}

static void
begin_decoding(struct fetch_task *task, enum mime_encoding encoding)
{
	mime_decoder_init(&task->decoder, encoding);
	task->at = task->start;
}

static void
end_counting(struct fetch_task *task, const struct imap_fetch_bytes *b)
{
	struct buf *out = imap_out(task->session);
	uint64_t left = task->counted;

	put_name(task, b);
	if (b->section == IMAP_SECTION_BINARY_SIZE) {
		imap_put(buf_put_u64(out, left));
		task->left = 0;
		return;
	}
	task->skip = b->partial ? b->from : 0;
	left = left > task->skip ? left - task->skip : 0;
	task->left = b->partial && left > b->length ? b->length : left;
	imap_put(imap_put_literal_head(out, task->left, task->has_nul)); /* RFC 3516, 4.2 */
}

/* One after the other: counting, then sending. Both read the same pieces. */
static enum imap_turn
run_decoder(struct fetch_task *task, bool sends)
{
	char room[DECODE_ROOM + MIME_DECODER_HELD];
	bool is_last = false;

	while (!is_last && !(sends && task->left == 0)) {
		struct buf some = { .bytes = room, .size = sizeof(room), .max = sizeof(room) };
		struct span got;

		if (is_cold(task, task->at))
			return IMAP_WAIT;
		is_last = task->at == task->end;
		if (!decode_some(task, &some)) {
			task->damaged = is_last = true;
			task->at = task->end;
		}
		got = buf_span(&some);
		if (!sends) {
			task->counted += got.len;
			task->has_nul |= span_find(got, '\0') < got.len;
		} else {
			uint64_t skip = task->skip < got.len ? task->skip : got.len;

			got = span_from(got, (size_t)skip);
			got = span_range(got, 0, (size_t)(task->left < got.len ? task->left : got.len));
			task->skip -= skip;
			task->left -= got.len;
			imap_put(buf_put(imap_out(task->session), got));
		}
		if (!is_last && imap_must_yield(task->session))
			return IMAP_MORE;
	}
	return IMAP_DONE;
}

static enum imap_turn
begin_binary(struct fetch_task *task, const struct imap_fetch_bytes *b, const struct section *s)
{
	if (s->encoding == MIME_ENCODING_UNKNOWN) { /* RFC 3516, 4.3 */
		task->unknown_cte = true;
		return put_nil(task, b);
	}
	task->start = s->at;
	task->end = s->end;
	task->counted = 0;
	task->has_nul = false;
	begin_decoding(task, s->encoding);
	task->phase = FETCH_COUNT;
	return IMAP_MORE;
}

/* ---- one item after the other ---- */

/* IMAP_DONE: it is out. IMAP_MORE: its bytes follow, as task->phase says. IMAP_WAIT: begin once more. */
static enum imap_turn
begin_item(struct fetch_task *task, const struct imap_fetch_bytes *b)
{
	struct section s;
	enum err err = find_section(task, b, &s);

	if (err != OK) {
		task->damaged |= err == ERR_CORRUPT;
		return put_nil(task, b);
	}
	if (b->section == IMAP_SECTION_FIELDS || b->section == IMAP_SECTION_FIELDS_NOT)
		return put_fields(task, b, &s);
	if (b->section == IMAP_SECTION_BINARY || b->section == IMAP_SECTION_BINARY_SIZE)
		return begin_binary(task, b, &s);
	if (b->partial) {
		s.at = b->from < s.end - s.at ? s.at + b->from : s.end;
		s.end = b->length < s.end - s.at ? s.at + b->length : s.end;
	}
	put_name(task, b);
	imap_put(imap_put_literal_head(imap_out(task->session), s.end - s.at, false));
	task->at = s.at;
	task->end = s.end;
	task->phase = FETCH_BYTES;
	return IMAP_MORE;
}

static enum imap_turn
go_on_decoding(struct fetch_task *task, const struct imap_fetch_bytes *b)
{
	enum mime_encoding encoding = task->decoder.encoding;
	enum imap_turn turn;

	if (task->phase == FETCH_COUNT) {
		turn = run_decoder(task, false);
		if (turn != IMAP_DONE)
			return turn;
		end_counting(task, b);
		begin_decoding(task, encoding);
		task->phase = FETCH_DECODE;
	}
	return run_decoder(task, true);
}

enum imap_turn
fetch_bytes_go_on(struct fetch_task *task)
{
	for (; task->item < task->fetch.count; task->item++) {
		const struct imap_fetch_bytes *b = &task->fetch.bytes[task->item];
		enum imap_turn turn = IMAP_DONE;

		if (task->phase == FETCH_ITEM && begin_item(task, b) == IMAP_WAIT)
			return IMAP_WAIT;
		if (task->phase == FETCH_BYTES)
			turn = send_bytes(task);
		else if (task->phase != FETCH_ITEM)
			turn = go_on_decoding(task, b);
		if (turn != IMAP_DONE)
			return turn;
		task->phase = FETCH_ITEM;
		task->warm_until = 0;
		if (imap_must_yield(task->session)) { /* a header may be a MiB, and items a hundred */
			task->item++;
			return IMAP_MORE;
		}
	}
	return IMAP_DONE;
}
