/*
 * journal_report.c - a journal report and a plain copy, written.
 *
 * Puts go on after a failure: the buffer remembers that something did not fit (buf.h).
 */
#include "proto/mail/journal_report.h"

#include "proto/base/base64.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"

#define BASE64_LINE 57 /* bytes of a line of 76 (RFC 2045, 6.8) */

const char *const journal_word_texts[JOURNAL_WORDS] = {
	[JOURNAL_TO] = "To",
	[JOURNAL_CC] = "Cc",
	[JOURNAL_BCC] = "Bcc",
	[JOURNAL_RECIPIENT] = "Recipient",
};

static void
put(struct buf *out, struct span bytes)
{
	if (buf_put(out, bytes) != OK)
		out->overflow = true;
}

/* A value of a stranger: no control, and of a text that is no UTF-8 ASCII alone. */
static void
put_value(struct buf *out, struct span text)
{
	bool utf8 = utf8_is_valid(text);

	text = span_range(text, 0, JOURNAL_VALUE_MAX);
	while (utf8 && text.len > 0 && !utf8_is_valid(text)) /* cut inside a character */
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (buf_put_char(out, c < 0x20 || c == 0x7f || (c > 0x7f && !utf8) ? '?' : (char)c) != OK)
			return;
	}
}

static void
put_line(struct buf *out, const char *word, struct span value)
{
	put(out, span_of(word));
	put(out, SPAN(": "));
	put_value(out, value);
	put(out, SPAN("\r\n"));
}

static void
put_recipient(struct buf *out, const struct journal_recipient *r)
{
	static const char *const ways[] = { [JOURNAL_EXPANDED] = ", Expanded: ",
		[JOURNAL_FORWARDED] = ", Forwarded: " };

	put(out, span_of(journal_word_texts[r->word]));
	put(out, SPAN(": "));
	put_value(out, r->address);
	if (r->way != JOURNAL_DIRECT) {
		put(out, span_of(ways[r->way]));
		put_value(out, r->source);
	}
	put(out, SPAN("\r\n"));
}

/* As many as JOURNAL_TEXT_MAX leaves room for. */
enum err
journal_envelope_put(struct buf *out, const struct journal_envelope *e)
{
	size_t begin = buf_span(out).len, i;

	put_line(out, "Sender", e->sender.len > 0 ? e->sender : SPAN("<>"));
	put_line(out, "Subject", e->subject);
	put_line(out, "Message-Id", e->message_id);
	for (i = 0; i < e->count; i++) {
		if (buf_span(out).len - begin > JOURNAL_TEXT_MAX - 2 * JOURNAL_VALUE_MAX - 100)
			break;
		put_recipient(out, &e->recipients[i]);
	}
	if (i < e->count && buf_printf(out, "Recipients-Left-Out: %zu\r\n", e->count - i) != OK)
		return ERR_LIMIT;
	return out->overflow ? ERR_LIMIT : OK;
}

/* ---- the report ---- */

static enum err
put_header(struct buf *out, const struct journal_report *r)
{
	put(out, r->trace);
	put(out, SPAN("From: <"));
	put_value(out, r->from);
	put(out, SPAN(">\r\nTo: <"));
	put_value(out, r->to);
	put(out, SPAN(">\r\n"));
	if (header_put_text(out, SPAN("Subject"), r->envelope.subject) != OK)
		put(out, SPAN("Subject: (journal report)\r\n"));
	put(out, SPAN("Date: "));
	if (mail_date_put(out, r->date) != OK)
		return ERR_LIMIT;
	put(out, SPAN("\r\nMessage-ID: <"));
	put_value(out, r->message_id);
	put(out, SPAN(">\r\nAuto-Submitted: auto-generated\r\nX-MS-Journal-Report: \r\n"
		      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\""));
	put(out, r->boundary);
	put(out, SPAN("\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"));
	return out->overflow ? ERR_LIMIT : OK;
}

static void
put_base64(struct buf *out, struct span text)
{
	for (; text.len > 0; text = span_from(text, BASE64_LINE)) {
		if (base64_put(out, span_range(text, 0, BASE64_LINE)) != OK)
			out->overflow = true;
		put(out, SPAN("\r\n"));
	}
}

/* The text part is 7-bit, so that only the original decides what the way has to carry. */
static enum err
put_front(struct buf *out, const struct journal_report *r)
{
	struct buf text;
	enum err err;

	buf_init(&text, JOURNAL_TEXT_MAX);
	err = journal_envelope_put(&text, &r->envelope);
	put(out, SPAN("--"));
	put(out, r->boundary);
	if (span_is_ascii(buf_span(&text))) {
		put(out, SPAN("\r\nContent-Type: text/plain; charset=us-ascii\r\n"
			      "Content-Transfer-Encoding: 7bit\r\n\r\n"));
		put(out, buf_span(&text));
	} else {
		put(out, SPAN("\r\nContent-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: base64\r\n\r\n"));
		put_base64(out, buf_span(&text));
	}
	buf_fini(&text);
	put(out, SPAN("\r\n--"));
	put(out, r->boundary);
	put(out, SPAN("\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n\r\n"));
	return err == OK && out->overflow ? ERR_LIMIT : err;
}

enum err
journal_report_put(struct buf *header, struct buf *front, const struct journal_report *report)
{
	enum err err = put_header(header, report);

	return err == OK ? put_front(front, report) : err;
}

enum err
journal_report_put_end(struct buf *out, struct span boundary)
{
	put(out, SPAN("\r\n--"));
	put(out, boundary);
	put(out, SPAN("--\r\n"));
	return out->overflow ? ERR_LIMIT : OK;
}

enum err
journal_plain_put(struct buf *out, const struct journal_envelope *e)
{
	put(out, SPAN("X-Envelope-From: <"));
	put_value(out, e->sender);
	if (buf_printf(out, ">\r\nX-Envelope-Count: %zu\r\n", e->count) != OK)
		return ERR_LIMIT;
	for (size_t i = 0; i < e->count; i++) {
		put(out, SPAN("X-Envelope-To: <"));
		put_value(out, e->recipients[i].address);
		put(out, SPAN(">\r\n"));
	}
	return out->overflow ? ERR_LIMIT : OK;
}
