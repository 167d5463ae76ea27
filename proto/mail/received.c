/*
 * received.c - writing our trace field; what the client said is cleaned on the way.
 */
#include "proto/mail/received.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/mail/header.h"

#define CLIENT_NAME_MAX 255 /* bytes of a HELO or PTR name that are shown */
#define TLS_TEXT_MAX 128    /* bytes of the comment about TLS, or a collector */

struct span
received_protocol(const struct received *r)
{
	/* LMTP, SMTPUTF8; then authenticated, encrypted */
	static const char *const words[2][2][4] = {
		{ { "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" },
			{ "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" } },
		{ { "LMTP", "LMTPS", "LMTPA", "LMTPSA" },
			{ "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA" } },
	};
	unsigned index = (r->authenticated ? 2u : 0) | (r->encrypted ? 1u : 0);

	if (!r->esmtp && !r->lmtp)
		return SPAN("SMTP");
	return span_of(words[r->lmtp][r->smtputf8][index]);
}

/* The bytes that a host name or address literal can have; anything else becomes '?' (H11). */
static enum err
put_name(struct buf *out, struct span name)
{
	name = span_range(name, 0, CLIENT_NAME_MAX);
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool shown = ascii_is_alnum(c) || (c != '\0' && strchr(".-_:[]", c));

		if (buf_put_char(out, shown ? c : '?') != OK)
			return ERR_LIMIT;
	}
	return OK;
}

/* Text of our own for a comment: printable, and no bracket that would end it. */
static enum err
put_comment(struct buf *out, struct span text)
{
	text = span_range(text, 0, TLS_TEXT_MAX);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool shown = c >= ' ' && c < 0x7f && c != '(' && c != ')' && c != '\\';

		if (buf_put_char(out, shown ? c : '?') != OK)
			return ERR_LIMIT;
	}
	return OK;
}

static bool
puts_ok(struct buf *out, struct span a, struct span b)
{
	return buf_put(out, a) == OK && buf_put(out, b) == OK;
}

static enum err
put_address(struct buf *out, struct span address)
{
	if (buf_put(out, SPAN("[")) != OK)
		return ERR_LIMIT;
	if (span_find(address, ':') < address.len && buf_put(out, SPAN("IPv6:")) != OK)
		return ERR_LIMIT;
	if (put_name(out, address) != OK)
		return ERR_LIMIT;
	return buf_put(out, SPAN("]"));
}

/* RFC 5321, 4.4: From-domain and TCP-info */
static enum err
put_from(struct buf *out, const struct received *r)
{
	if (r->hide_addresses)
		return OK;
	if (buf_put(out, SPAN("from ")) != OK ||
		put_name(out, r->helo.len ? r->helo : SPAN("unknown")) != OK)
		return ERR_LIMIT;
	if (r->client_address.len > 0) {
		if (buf_put(out, SPAN(" (")) != OK || put_name(out, r->client_name) != OK)
			return ERR_LIMIT;
		if (r->client_name.len > 0 && buf_put(out, SPAN(" ")) != OK)
			return ERR_LIMIT;
		if (put_address(out, r->client_address) != OK || buf_put(out, SPAN(")")) != OK)
			return ERR_LIMIT;
	}
	return buf_put(out, SPAN("\r\n\t"));
}

static enum err
put_by(struct buf *out, const struct received *r)
{
	bool hidden = r->by.len == 0 || (r->hide_addresses && r->by.ptr[0] == '[');

	if (buf_put(out, SPAN("by ")) != OK ||
		put_name(out, hidden ? SPAN("localhost") : r->by) != OK)
		return ERR_LIMIT;
	if (!puts_ok(out, SPAN(" with "), r->with.len > 0 ? r->with : received_protocol(r)))
		return ERR_LIMIT;
	if (r->collector.len > 0 && (buf_put(out, SPAN(" (collector ")) != OK ||
		put_comment(out, r->collector) != OK || buf_put(out, SPAN(")")) != OK))
		return ERR_LIMIT;
	if (r->tls.len == 0)
		return OK;
	if (buf_put(out, SPAN("\r\n\t(using ")) != OK || put_comment(out, r->tls) != OK)
		return ERR_LIMIT;
	return buf_put(out, SPAN(")"));
}

/* An address beyond ASCII is not named: the header would need SMTPUTF8 for our own line (RFC 6531, 3.7.3). */
static enum err
put_id_and_for(struct buf *out, const struct received *r)
{
	bool named = r->for_address.len > 0 && span_is_ascii(r->for_address);

	if (r->id.len > 0 && !puts_ok(out, SPAN("\r\n\tid "), r->id))
		return ERR_LIMIT;
	if (named && (!puts_ok(out, SPAN("\r\n\tfor <"), r->for_address) ||
			      buf_put(out, SPAN(">")) != OK))
		return ERR_LIMIT;
	return buf_put(out, SPAN(";\r\n\t"));
}

enum err
received_put(struct buf *out, const struct received *r)
{
	if (buf_put(out, SPAN("Received: ")) != OK || put_from(out, r) != OK ||
		put_by(out, r) != OK || put_id_and_for(out, r) != OK ||
		mail_date_put(out, r->date) != OK)
		return ERR_LIMIT;
	return buf_put(out, SPAN("\r\n"));
}

enum err
received_put_trace(struct buf *out, struct span header, size_t max)
{
	struct header_field field;
	enum err err = OK;

	while (err == OK && header_next(&header, &field)) {
		if (!span_eq_nocase(field.name, SPAN("Received")))
			continue;
		if (field.raw.len > max)
			break;
		max -= field.raw.len;
		err = buf_put(out, field.raw);
	}
	return err;
}
