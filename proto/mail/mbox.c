/*
 * mbox.c - quoting for mbox, byte by byte at the front of a line, in spans behind it; and the way back.
 */
#include "proto/mail/mbox.h"

#include <string.h>

#include "proto/mail/mail_date.h"

#define FROM "From "

static enum err
put_quotes(struct mbox_put *m, struct buf *out)
{
	enum err err = OK;

	for (; m->quotes > 0 && err == OK; m->quotes--)
		err = buf_put_char(out, '>');
	return err;
}

/* The front of the line is decided: what was held back goes, with one '>' more where QUOTES. */
static enum err
decide(struct mbox_put *m, bool quotes, struct buf *out)
{
	enum err err;

	m->quotes += quotes;
	err = put_quotes(m, out);
	if (err == OK)
		err = buf_put(out, (struct span){ FROM, m->matched });
	m->matched = 0;
	m->in_line = true;
	m->is_ended = false;
	return err;
}

static enum err
front(struct mbox_put *m, char c, struct buf *out, bool *taken)
{
	*taken = true;
	if (m->matched == 0 && c == '>') {
		m->quotes++;
		return OK;
	}
	if (c != FROM[m->matched]) {
		*taken = false;
		return decide(m, false, out);
	}
	m->matched++;
	return m->matched == sizeof(FROM) - 1 ? decide(m, true, out) : OK;
}

static enum err
put_cr(struct mbox_put *m, struct buf *out)
{
	bool held = m->cr;

	m->cr = false;
	return held ? buf_put_char(out, '\r') : OK;
}

/* As much as lies before the next CR or LF, and that one. */
static enum err
inside(struct mbox_put *m, struct span *text, struct buf *out)
{
	size_t n = span_find_any(*text, SPAN("\r\n"));
	enum err err = OK;

	if (n > 0 || text->ptr[0] == '\r')
		err = put_cr(m, out);
	if (err == OK)
		err = buf_put(out, span_range(*text, 0, n));
	m->is_ended = false;
	*text = span_from(*text, n);
	if (text->len == 0 || err != OK)
		return err;
	if (text->ptr[0] == '\r') {
		m->cr = true;
	} else {
		m->cr = m->in_line = false;
		m->is_ended = true;
		err = buf_put_char(out, '\n');
	}
	*text = span_from(*text, 1);
	return err;
}

/* "Sun Nov 22 14:00:05 2026" of "Sun, 22 Nov 2026 14:00:05 +0000". */
static enum err
put_time(struct span date, struct buf *out)
{
	struct span word[5];
	size_t n = 0;

	while (n < COUNT(word) && span_cut(date, ' ', &word[n], &date))
		n++;
	if (n < COUNT(word))
		return ERR_SYNTAX;
	return buf_printf(out, "%.*s %.*s %2.*s %.*s %.*s\n", SPAN_FMT(span_range(word[0], 0, 3)),
		SPAN_FMT(word[2]), SPAN_FMT(word[1]), SPAN_FMT(word[4]), SPAN_FMT(word[3]));
}

enum err
mbox_begin(struct mbox_put *m, struct span sender, int64_t time_s, struct buf *out)
{
	struct buf date;
	enum err err;

	*m = (struct mbox_put){ .is_ended = true };
	buf_init(&date, 64);
	err = mail_date_put(&date, (struct mail_date){ time_s, 0 });
	if (err == OK)
		err = buf_printf(out, FROM "%.*s ",
			SPAN_FMT(sender.len > 0 ? sender : SPAN("MAILER-DAEMON")));
	if (err == OK)
		err = put_time(buf_span(&date), out);
	buf_fini(&date);
	return err;
}

enum err
mbox_text(struct mbox_put *m, struct span text, struct buf *out)
{
	enum err err = OK;

	while (text.len > 0 && err == OK) {
		bool taken = false;

		if (!m->in_line)
			err = front(m, text.ptr[0], out, &taken);
		if (taken)
			text = span_from(text, 1);
		else if (err == OK)
			err = inside(m, &text, out);
	}
	return err;
}

enum err
mbox_end(struct mbox_put *m, struct buf *out)
{
	bool held = m->quotes > 0 || m->matched > 0;
	enum err err = held ? decide(m, false, out) : OK;

	if (err == OK)
		err = put_cr(m, out);
	if (err == OK && !m->is_ended)
		err = buf_put_char(out, '\n');
	return err == OK ? buf_put_char(out, '\n') : err;
}

/* ---- reading ---- */

size_t
mbox_border(struct span text, size_t from)
{
	while (from < text.len) {
		size_t at = from + span_find_span(span_from(text, from), SPAN("\nFrom "));

		if (at >= text.len)
			return text.len;
		if (at > 0 && (text.ptr[at - 1] == '\n' || (at > 1 && text.ptr[at - 1] == '\r' &&
								   text.ptr[at - 2] == '\n')))
			return at + 1;
		from = at + 1;
	}
	return text.len;
}

struct span
mbox_trim(struct span text)
{
	size_t end = text.len;

	if (end == 0 || text.ptr[--end] != '\n')
		return text;
	end -= end > 0 && text.ptr[end - 1] == '\r';
	return end > 0 && text.ptr[end - 1] == '\n' ? span_range(text, 0, end) : text;
}

struct span
mbox_unquote(struct arena *a, struct span text)
{
	char *to = arena_alloc(a, text.len + 1);
	struct span line;
	size_t n = 0;

	span_cut(text, '\n', &line, &text);
	while (text.len > 0) {
		size_t end = span_find(text, '\n'), quotes = 0;

		end = end < text.len ? end + 1 : end;
		line = span_range(text, 0, end);
		while (quotes < line.len && line.ptr[quotes] == '>')
			quotes++;
		if (quotes > 0 && span_starts(span_from(line, quotes), SPAN("From ")))
			line = span_from(line, 1);
		memcpy(to + n, line.ptr, line.len);
		n += line.len;
		text = span_from(text, end);
	}
	return (struct span){ to, n };
}
