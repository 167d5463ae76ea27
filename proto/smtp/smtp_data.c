/*
 * smtp_data.c - the text after DATA, in runs.
 *
 * A dot at a line's start is never text: it is taken out, or it ends the message. So nothing that
 * was held back ever has to be given out again, and every run points into the input.
 */
#include "proto/smtp/smtp_data.h"

#include <string.h>

void
smtp_data_init(struct smtp_data *d, size_t line_max)
{
	*d = (struct smtp_data){ .line_max = line_max };
}

static void
add_to_line(struct smtp_data *d, size_t len)
{
	d->line_len += len;
	if (d->line_len > d->line_max)
		d->long_line = true;
}

/* A dot at the start of a line was taken. What follows it; bytes used, none of them text. */
static enum parse
after_dot(struct smtp_data *d, struct span in, size_t *used)
{
	if (d->state == SMTP_DATA_DOT) {
		if (in.ptr[0] != '\r') {
			d->state = SMTP_DATA_MIDDLE; /* a stuffed dot; the line begins here */
			return PARSE_MORE;
		}
		d->state = SMTP_DATA_DOT_CR;
		++*used;
		in = span_from(in, 1);
		if (in.len == 0)
			return PARSE_MORE;
	}
	if (in.ptr[0] != '\n')
		return PARSE_BAD;
	d->state = SMTP_DATA_END;
	++*used;
	return PARSE_DONE;
}

/*
 * The rest of a line, of which the first byte is not a dot that starts it; *len bytes of text.
 * False: a bare CR or LF.
 */
static bool
take_line(struct smtp_data *d, struct span in, size_t *len)
{
	const char *lf = memchr(in.ptr, '\n', in.len);
	size_t end = lf ? (size_t)(lf - in.ptr) : in.len;
	const char *cr = memchr(in.ptr, '\r', end);
	bool had_cr = d->state == SMTP_DATA_CR;

	if (had_cr && end > 0)
		return false;
	if (cr && (size_t)(cr - in.ptr) + 1 != end)
		return false;
	if (lf && !cr && !had_cr)
		return false;
	add_to_line(d, end - (cr != NULL));
	if (lf) {
		d->state = SMTP_DATA_LINE_START;
		d->line_len = 0;
	} else if (!had_cr || end > 0) {
		d->state = cr ? SMTP_DATA_CR : SMTP_DATA_MIDDLE;
	}
	*len = end + (lf != NULL);
	return true;
}

/* Whole lines and the begin of one, up to a dot that starts a line. */
static enum parse
take_run(struct smtp_data *d, struct span in, struct span *text, size_t *used)
{
	size_t from = *used, at = from, len;

	while (at < in.len && !(d->state == SMTP_DATA_LINE_START && in.ptr[at] == '.')) {
		if (!take_line(d, span_from(in, at), &len))
			return PARSE_BAD;
		at += len;
	}
	*text = span_range(in, from, at);
	if (memchr(text->ptr, '\0', text->len))
		d->has_nul = true;
	if (at < in.len) {
		d->state = SMTP_DATA_DOT;
		at++;
	}
	*used = at;
	return PARSE_MORE;
}

enum parse
smtp_data_take(struct smtp_data *d, struct span in, struct span *text, size_t *used)
{
	enum parse parse = PARSE_MORE;

	*used = 0;
	*text = span_range(in, 0, 0);
	ENSURE(d->state != SMTP_DATA_END);
	if (in.len == 0)
		return PARSE_MORE;
	if (d->state == SMTP_DATA_DOT || d->state == SMTP_DATA_DOT_CR)
		parse = after_dot(d, in, used);
	if (parse != PARSE_MORE || *used == in.len)
		return parse;
	return take_run(d, in, text, used);
}

/* Text up to and with the first LF that has a dot behind it, or all of it. */
static size_t
unstuffed_length(struct span s)
{
	size_t at = 0;

	while (at < s.len) {
		at += span_find(span_from(s, at), '\n') + 1;
		if (at < s.len && s.ptr[at] == '.')
			return at;
	}
	return s.len;
}

static size_t
count_stuffed(struct span s, bool at_line_start)
{
	size_t count = at_line_start && s.len > 0 && s.ptr[0] == '.';

	for (size_t at = unstuffed_length(s); at < s.len;
		at += unstuffed_length(span_from(s, at)))
		count++;
	return count;
}

enum err
smtp_stuffing_put(struct smtp_stuffing *s, struct span piece, struct buf *out)
{
	struct span rest = piece;
	char *to;

	if (piece.len == 0)
		return OK;
	to = buf_reserve(out, piece.len + count_stuffed(piece, !s->in_line));
	if (!to)
		return ERR_LIMIT;
	while (rest.len > 0) {
		size_t len = unstuffed_length(rest);

		if (!s->in_line && rest.ptr[0] == '.')
			*to++ = '.';
		memcpy(to, rest.ptr, len);
		to += len;
		s->in_line = rest.ptr[len - 1] != '\n';
		rest = span_from(rest, len);
	}
	buf_added(out, (size_t)(to - (out->bytes + out->len)));
	s->after_cr = piece.ptr[piece.len - 1] == '\r';
	return OK;
}

enum err
smtp_stuffing_end(struct smtp_stuffing *s, struct buf *out)
{
	struct span end = !s->in_line ? SPAN(".\r\n")
		: s->after_cr         ? SPAN("\n.\r\n")
				      : SPAN("\r\n.\r\n");

	if (buf_put(out, end) != OK)
		return ERR_LIMIT;
	*s = (struct smtp_stuffing){ .in_line = false };
	return OK;
}
