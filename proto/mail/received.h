/*
 * received.h - our own trace field (RFC 5321, 4.4; SMT-17).
 */
#ifndef PROTO_MAIL_RECEIVED_H
#define PROTO_MAIL_RECEIVED_H

#include "proto/base/buf.h"
#include "proto/base/span.h"
#include "proto/mail/mail_date.h"

struct received {
	struct span helo;           /* as the client said it; cleaned when it is written */
	struct span client_name;    /* from a PTR look-up, verified or "unknown"; may be empty */
	struct span client_address; /* "192.0.2.1", "2001:db8::1"; empty on a Unix socket */
	struct span by;             /* our host name */
	struct span id;             /* message number, as message_no.h writes it */
	struct span for_address;    /* address.text; empty or not ASCII: no `for` (SMT-21) */
	struct span tls;            /* "TLSv1.2 with cipher ..." for a comment; may be empty */
	struct mail_date date;
	bool esmtp;          /* EHLO, not HELO */
	bool lmtp;           /* LHLO (RFC 2033) */
	bool encrypted;      /* TLS is active */
	bool authenticated;
	bool smtputf8;
	struct span with;      /* not empty: in place of the protocol above: "POP3" */
	struct span collector; /* its name, for a comment; may be empty */
	bool hide_addresses; /* SVC-05: nothing of the client, no address of ours */
};

/* SMTP, ESMTP, ESMTPS, ..., LMTP, LMTPS, ... (RFC 3848), UTF8SMTP... (RFC 6531, 4.3). Static text. */
struct span received_protocol(const struct received *r);

/* Append the whole field, folded, ended by CRLF. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err received_put(struct buf *out, const struct received *r);

/*
 * Append the Received fields of HEADER as they are, the first that have room in MAX bytes: what is made of a message
 * and runs in a circle ends as that would (H16). ERR_LIMIT: OUT is full.
 */
MUST_CHECK enum err received_put_trace(struct buf *out, struct span header, size_t max);

#endif
