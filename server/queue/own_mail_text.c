/*
 * own_mail_text.c - what a message of our own looks like.
 */
#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "proto/mail/mail_date.h"
#include "server/queue/own_mail.h"

#define LINE_MAX_BYTES 990 /* of text; RFC 5322, 2.1.1 allows 998 */

bool
own_mail_is_ascii(const struct own_mail *mail)
{
	return span_is_ascii(mail->text);
}

/* What is no text becomes a blank; the subject may hold a name that somebody chose (H11). */
static enum err
put_subject(struct buf *out, struct span subject)
{
	char bytes[OWN_MAIL_SUBJECT_MAX + 4];
	struct buf clean = { .bytes = bytes, .size = sizeof(bytes), .max = sizeof(bytes) };
	uint32_t code;

	while (subject.len > 0 && buf_span(&clean).len < OWN_MAIL_SUBJECT_MAX) {
		bool valid = utf8_next(&subject, &code);

		if (utf8_put(&clean, valid && utf8_is_printable(code) ? code : ' ') != OK)
			return ERR_LIMIT;
	}
	return header_put_text(out, SPAN("Subject"), buf_span(&clean));
}

static enum err
put_header(struct buf *out, const struct own_mail *mail, const struct own_mail_header *h)
{
	struct mail_date date = { h->now_ms / 1000, h->zone_minutes };
	enum err err = buf_put(out, SPAN("Date: "));

	if (err == OK)
		err = mail_date_put(out, date);
	if (err == OK)
		err = buf_put(out, SPAN("\r\n"));
	if (err == OK)
		err = header_put(out, SPAN("From"), h->from);
	if (err == OK)
		err = header_put(out, SPAN("To"), h->to);
	if (err == OK)
		err = put_subject(out, mail->subject);
	if (err == OK)
		err = buf_printf(out, "Message-ID: <%.*s>\r\n", SPAN_FMT(h->message_id));
	if (err == OK && !h->by_person) /* RFC 3834, 5 */
		err = buf_put(out, SPAN("Auto-Submitted: auto-generated\r\n"));
	if (err == OK)
		err = buf_printf(out,
			"MIME-Version: 1.0\r\n"
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: %s\r\n\r\n",
			own_mail_is_ascii(mail) ? "7bit" : "8bit");
	return err;
}

/* May it stand in the text? A control or what is not UTF-8 becomes a mark. */
static bool
is_text(uint32_t code, bool valid)
{
	return valid && (code == '\t' || (code >= 0x20 && (code < 0x7f || code > 0x9f)));
}

/* One line, in pieces where it is too long. */
static enum err
put_line(struct buf *out, struct span line)
{
	size_t start = buf_span(out).len;
	enum err err = OK;

	while (line.len > 0 && err == OK) {
		uint32_t code;
		bool valid = utf8_next(&line, &code);

		if (buf_span(out).len - start >= LINE_MAX_BYTES) {
			err = buf_put(out, SPAN("\r\n"));
			start = buf_span(out).len;
		}
		if (err == OK)
			err = utf8_put(out, is_text(code, valid) ? code : '?');
	}
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

enum err
own_mail_put(struct buf *out, const struct own_mail *mail, const struct own_mail_header *header)
{
	struct span rest = mail->text, line;
	enum err err = put_header(out, mail, header);

	while (rest.len > 0 && err == OK) {
		(void)span_cut(rest, '\n', &line, &rest);
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		err = put_line(out, line);
	}
	return err;
}
