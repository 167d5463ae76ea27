/*
 * delivery_report.c - the parts of a report, one after another.
 *
 * Puts go on after a failure: the buffer remembers that something did not fit, and one look at the end
 * tells (buf.h).
 */
#include "proto/mail/delivery_report.h"

#include "proto/base/base64.h"
#include "proto/base/utf8.h"
#include "proto/mail/header.h"

#define BASE64_LINE 57 /* bytes of a line of 76 (RFC 2045, 6.8) */
#define ADDRESS_SHOWN_MAX 300 /* bytes of a name of a host */

static const struct {
	const char *word, *status, *says;
} actions[] = {
	[REPORT_FAILED] = { "failed", "5.0.0", "could not be delivered" },
	[REPORT_DELAYED] = { "delayed", "4.0.0", "is late" },
	[REPORT_DELIVERED] = { "delivered", "2.0.0", "was delivered" },
	[REPORT_RELAYED] = { "relayed", "2.0.0", "was handed on to a server that sends no reports" },
	[REPORT_EXPANDED] = { "expanded", "2.0.0", "was distributed to several people" },
};

static void
put(struct buf *out, struct span bytes)
{
	if (buf_put(out, bytes) != OK)
		out->overflow = true;
}

static void
put_clean(struct buf *out, struct span text, size_t max)
{
	for (size_t i = 0; i < text.len && i < max; i++) {
		char c = text.ptr[i];

		if (buf_put_char(out, c >= 0x20 && c < 0x7f ? c : '?') != OK)
			return;
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; /* upper case alone: RFC 3461, 4 */
}

enum err
xtext_put_decoded(struct buf *out, struct span xtext)
{
	for (size_t i = 0; i < xtext.len; i++) {
		char c = xtext.ptr[i];

		if (c == '+' && i + 2 < xtext.len && hex_value(xtext.ptr[i + 1]) >= 0 &&
			hex_value(xtext.ptr[i + 2]) >= 0) {
			c = (char)(16 * hex_value(xtext.ptr[i + 1]) + hex_value(xtext.ptr[i + 2]));
			i += 2;
		}
		if (buf_put_char(out, c >= 0x20 && c < 0x7f ? c : '?') != OK)
			return ERR_LIMIT;
	}
	return OK;
}

bool
report_status_is_valid(struct span text)
{
	size_t digits = 0, dots = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '.') {
			if (digits == 0 || ++dots > 2)
				return false;
			digits = 0;
		} else if (text.ptr[i] < '0' || text.ptr[i] > '9' || ++digits > 3) {
			return false;
		}
	}
	return dots == 2 && digits > 0 && text.ptr[1] == '.' &&
		(text.ptr[0] == '2' || text.ptr[0] == '4' || text.ptr[0] == '5');
}

struct span
delivery_report_cut(struct span body, size_t max)
{
	struct span front = span_range(body, 0, max);
	size_t end = span_find_last(front, '\n');

	if (front.len == body.len || end >= front.len)
		return front;
	return span_range(front, 0, end + 1);
}

/* ---- what the parts are made of ---- */

static struct span
status_of(const struct report_recipient *r)
{
	return report_status_is_valid(r->status) ? r->status : span_of(actions[r->action].status);
}

/* RFC 6533: an address beyond ASCII has a type of its own, and so has the part that names it. */
static bool
names_utf8(const struct delivery_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (!span_is_ascii(report->recipients[i].address))
			return true;
	return false;
}

static void
put_address(struct buf *out, struct span address)
{
	if (span_is_ascii(address) || span_has_control(address, SPAN_NONE) || !utf8_is_valid(address))
		put_clean(out, address, REPORT_REPLY_MAX);
	else
		put(out, span_range(address, 0, REPORT_REPLY_MAX));
}

/* The words, LF lines: what the caller says, then each recipient and why. */
static void
put_words(struct buf *out, const struct delivery_report *report)
{
	put(out, span_range(report->text, 0, REPORT_TEXT_MAX));
	for (size_t i = 0; i < report->count; i++) {
		const struct report_recipient *r = &report->recipients[i];

		put(out, SPAN("\n  <"));
		put_address(out, r->address);
		put(out, SPAN("> "));
		put(out, span_of(actions[r->action].says));
		put(out, SPAN("\n"));
		if (r->reply.len == 0)
			continue;
		put(out, SPAN("    "));
		if (r->remote.len > 0) {
			put_clean(out, r->remote, ADDRESS_SHOWN_MAX);
			put(out, SPAN(" said: "));
		}
		put_clean(out, r->reply, REPORT_REPLY_MAX);
		put(out, SPAN("\n"));
	}
}

/* May it stand in a text? A control or what is not UTF-8 becomes a mark. */
static void
put_text_char(struct buf *out, uint32_t code, bool valid)
{
	bool shown = valid && (code == '\t' || (code >= 0x20 && (code < 0x7f || code > 0x9f)));

	if (utf8_put(out, shown ? code : '?') != OK)
		out->overflow = true;
}

/* WORDS with CRLF lines under the limit of RFC 5322, 2.1.1. */
static void
put_lines(struct buf *out, struct span words)
{
	size_t start = buf_span(out).len;

	while (words.len > 0 && !out->overflow) {
		uint32_t code;
		bool valid = utf8_next(&words, &code);

		if (code == '\r' && words.len > 0 && words.ptr[0] == '\n')
			continue;
		if (code == '\n' || buf_span(out).len - start >= HEADER_LINE_MAX - 8) {
			put(out, SPAN("\r\n"));
			start = buf_span(out).len;
		}
		if (code != '\n')
			put_text_char(out, code, valid);
	}
	if (buf_span(out).len > start)
		put(out, SPAN("\r\n"));
}

static void
put_base64(struct buf *out, struct span bytes)
{
	for (size_t at = 0; at < bytes.len; at += BASE64_LINE) {
		if (base64_put(out, span_range(bytes, at, at + BASE64_LINE)) != OK)
			out->overflow = true;
		put(out, SPAN("\r\n"));
	}
}

/* ---- the header ---- */

/* Text of people as a field may have it. */
static void
put_subject(struct buf *out, struct span subject, enum err *bad)
{
	struct buf clean;

	buf_init(&clean, REPORT_REPLY_MAX);
	while (subject.len > 0) {
		uint32_t code;
		bool valid = utf8_next(&subject, &code);

		if (utf8_put(&clean, valid && utf8_is_printable(code) ? code : ' ') != OK)
			break;
	}
	if (*bad == OK)
		*bad = header_put_text(out, SPAN("Subject"), buf_span(&clean));
	buf_fini(&clean);
}

static enum err
put_header(struct buf *out, const struct delivery_report *report)
{
	enum err bad = OK;

	put(out, SPAN("Date: "));
	if (mail_date_put(out, report->date) != OK)
		return ERR_LIMIT;
	put(out, SPAN("\r\n"));
	if (bad == OK)
		bad = header_put(out, SPAN("From"), report->from);
	if (bad == OK)
		bad = header_put(out, SPAN("To"), report->to);
	put_subject(out, report->subject, &bad);
	put(out, SPAN("Message-ID: <"));
	put_clean(out, report->message_id, REPORT_REPLY_MAX);
	put(out, SPAN(">\r\n"
		"Auto-Submitted: auto-replied\r\n" /* RFC 3834, 5 */
		"MIME-Version: 1.0\r\n"));
	return bad;
}

bool
delivery_report_is_8bit(const struct delivery_report *report)
{
	if (!span_is_ascii(report->original_header) || !span_is_ascii(report->original_body))
		return true;
	return names_utf8(report) || (report->plain && !span_is_ascii(report->text));
}

static const char *
encoding_of(const struct delivery_report *report)
{
	return delivery_report_is_8bit(report) ? "8bit" : "7bit";
}

/* ---- RFC 3464 ---- */

static void
put_date(struct buf *out, const char *name, int64_t seconds, int offset_minutes)
{
	if (seconds <= 0)
		return;
	put(out, span_of(name));
	if (mail_date_put(out, (struct mail_date){ seconds, offset_minutes }) != OK)
		out->overflow = true;
	put(out, SPAN("\r\n"));
}

static void
put_original_recipient(struct buf *out, struct span orcpt)
{
	struct span type, address;

	if (!span_cut(orcpt, ';', &type, &address) || type.len == 0 || address.len == 0)
		return;
	put(out, SPAN("Original-Recipient: "));
	put_clean(out, type, ADDRESS_SHOWN_MAX);
	put(out, SPAN(";"));
	if (xtext_put_decoded(out, span_range(address, 0, REPORT_REPLY_MAX)) != OK)
		out->overflow = true;
	put(out, SPAN("\r\n"));
}

static void
put_recipient(struct buf *out, const struct report_recipient *r, int offset_minutes)
{
	bool said = r->remote.len > 0;

	put(out, SPAN("\r\n"));
	put_original_recipient(out, r->original);
	put(out, span_is_ascii(r->address) ? SPAN("Final-Recipient: rfc822;") :
		SPAN("Final-Recipient: utf-8;"));
	put_address(out, r->address);
	put(out, SPAN("\r\nAction: "));
	put(out, span_of(actions[r->action].word));
	put(out, SPAN("\r\nStatus: "));
	put(out, status_of(r));
	put(out, SPAN("\r\n"));
	if (said) {
		put(out, SPAN("Remote-MTA: dns;"));
		put_clean(out, span_range(r->remote, 0, span_find(r->remote, ' ')), ADDRESS_SHOWN_MAX);
		put(out, SPAN("\r\n"));
	}
	if (r->reply.len > 0) { /* what nobody said in SMTP has a type of ours (RFC 3464, 2.3.6) */
		put(out, said ? SPAN("Diagnostic-Code: smtp;") : SPAN("Diagnostic-Code: X-Postroom;"));
		put_clean(out, r->reply, REPORT_REPLY_MAX);
		put(out, SPAN("\r\n"));
	}
	put_date(out, "Last-Attempt-Date: ", r->last_try_s, offset_minutes);
	if (r->action == REPORT_DELAYED)
		put_date(out, "Will-Retry-Until: ", r->retry_until_s, offset_minutes);
}

static void
put_status(struct buf *out, const struct delivery_report *report)
{
	int offset_minutes = report->date.offset_minutes;

	put(out, SPAN("Reporting-MTA: dns;"));
	put_clean(out, report->host, ADDRESS_SHOWN_MAX);
	put(out, SPAN("\r\n"));
	if (report->envid.len > 0) {
		put(out, SPAN("Original-Envelope-Id: "));
		if (xtext_put_decoded(out, span_range(report->envid, 0, REPORT_REPLY_MAX)) != OK)
			out->overflow = true;
		put(out, SPAN("\r\n"));
	}
	put_date(out, "Arrival-Date: ", report->arrived_s, offset_minutes);
	for (size_t i = 0; i < report->count; i++)
		put_recipient(out, &report->recipients[i], offset_minutes);
}

static void
put_ended(struct buf *out, struct span text)
{
	put(out, text);
	if (text.len > 0 && text.ptr[text.len - 1] != '\n')
		put(out, SPAN("\r\n"));
}

/* The header, ended by its empty line. */
static void
put_original_header(struct buf *out, struct span header)
{
	size_t len = header.len;

	while (len >= 4 && span_eq(span_range(header, len - 4, len), SPAN("\r\n\r\n")))
		len -= 2;
	put_ended(out, span_range(header, 0, len));
	put(out, SPAN("\r\n"));
}

static void
put_border(struct buf *out, const struct delivery_report *report, const char *end)
{
	put(out, SPAN("\r\n--"));
	put_clean(out, report->boundary, 60);
	put(out, span_of(end));
	put(out, SPAN("\r\n"));
}

/* RFC 3462, 1: the third part is the message, or its header alone. */
static void
put_original(struct buf *out, const struct delivery_report *report)
{
	bool eightbit = !span_is_ascii(report->original_header) || !span_is_ascii(report->original_body);
	bool with_body = report->original_body.len > 0 || report->body_is_whole;

	if (report->original_header.len == 0)
		return;
	put_border(out, report, "");
	put(out, with_body ? SPAN("Content-Description: the message\r\nContent-Type: message/rfc822\r\n") :
		SPAN("Content-Description: header of the message\r\nContent-Type: text/rfc822-headers\r\n"));
	put(out, eightbit ? SPAN("Content-Transfer-Encoding: 8bit\r\n\r\n") :
		SPAN("Content-Transfer-Encoding: 7bit\r\n\r\n"));
	put_original_header(out, report->original_header);
	put_ended(out, report->original_body);
}

static void
put_words_part(struct buf *out, const struct delivery_report *report, struct span words)
{
	bool ascii = span_is_ascii(words);

	put_border(out, report, "");
	put(out, SPAN("Content-Description: what happened\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	put(out, ascii ? SPAN("Content-Transfer-Encoding: 7bit\r\n\r\n") :
		SPAN("Content-Transfer-Encoding: base64\r\n\r\n"));
	if (ascii)
		put_lines(out, words);
	else
		put_base64(out, words);
}

static void
put_multipart(struct buf *out, const struct delivery_report *report, struct span words)
{
	bool utf8 = names_utf8(report);

	if (buf_printf(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		"\tboundary=\"%.*s\"\r\nContent-Transfer-Encoding: %s\r\n", SPAN_FMT(report->boundary),
		encoding_of(report)) != OK)
		out->overflow = true;
	put(out, SPAN("\r\nThis is a report about a message, in the form of RFC 3464.\r\n"));
	put_words_part(out, report, words);
	put_border(out, report, "");
	put(out, SPAN("Content-Description: the same for programs\r\n"));
	put(out, utf8 ? SPAN("Content-Type: message/global-delivery-status\r\n"
			"Content-Transfer-Encoding: 8bit\r\n\r\n") :
		SPAN("Content-Type: message/delivery-status\r\n\r\n"));
	put_status(out, report);
	put_original(out, report);
	put_border(out, report, "--");
}

/* OUT-20: text alone, the message behind the words. */
static void
put_plain(struct buf *out, const struct delivery_report *report, struct span words)
{
	if (buf_printf(out, "Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: %s\r\n\r\n", encoding_of(report)) != OK)
		out->overflow = true;
	put_lines(out, words);
	if (report->original_header.len == 0)
		return;
	put(out, SPAN("\r\n---- the message ----\r\n\r\n"));
	put_lines(out, report->original_header);
	put(out, SPAN("\r\n"));
	put_lines(out, report->original_body);
}

enum err
delivery_report_put(struct buf *out, const struct delivery_report *report)
{
	struct buf words;
	enum err err = put_header(out, report);

	if (err != OK)
		return err;
	buf_init(&words, REPORT_TEXT_MAX + report->count * REPORT_RECIPIENT_SIZE);
	put_words(&words, report);
	if (words.overflow)
		out->overflow = true;
	if (report->plain)
		put_plain(out, report, buf_span(&words));
	else
		put_multipart(out, report, buf_span(&words));
	buf_fini(&words);
	return out->overflow ? ERR_LIMIT : OK;
}
