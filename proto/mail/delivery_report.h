/*
 * delivery_report.h - what became of a message, for who sent it (RFC 3462, 3464, 3461 section 6).
 *
 * Values in, a whole message out: words for people, message/delivery-status for programs, and the header
 * of the message reported about with as much of its body as the caller gives. With `plain` (OUT-20) it is
 * text alone. Every text may come from a stranger: what is not printable ASCII in a field of ours becomes
 * '?' (H11), so nothing that a peer said can begin a field or a part.
 */
#ifndef PROTO_MAIL_DELIVERY_REPORT_H
#define PROTO_MAIL_DELIVERY_REPORT_H

#include "proto/base/buf.h"
#include "proto/mail/mail_date.h"

#define REPORT_TEXT_MAX 10000   /* bytes of the words for people; what is beyond is cut */
#define REPORT_REPLY_MAX 900    /* bytes of a reply that a field takes; likewise */
#define REPORT_RECIPIENT_SIZE 6000 /* bytes that one recipient takes at most */

enum report_action { /* RFC 3464, 2.3.3 */
	REPORT_FAILED,
	REPORT_DELAYED,
	REPORT_DELIVERED,
	REPORT_RELAYED,
	REPORT_EXPANDED,
};

struct report_recipient {
	enum report_action action;
	struct span address;  /* whom it was for */
	struct span original; /* ORCPT as given, "rfc822;anna+2Bx@example.org" in xtext; may be empty */
	struct span status;   /* "5.1.1"; where it is none, that of the action: "5.0.0" */
	struct span remote;   /* the host that answered, "mx.test 192.0.2.1:25"; empty: the reason is ours */
	struct span reply;    /* what it said, "550 5.1.1 Nobody", or our reason */
	int64_t last_try_s;      /* Unix time; 0: never tried */
	int64_t retry_until_s;   /* REPORT_DELAYED; 0: not said */
};

struct delivery_report {
	struct span from, to;   /* addresses, without brackets */
	struct span message_id; /* without brackets */
	struct span boundary;   /* 1 to 60 letters and digits that no part may hold: random ones */
	struct mail_date date;
	struct span subject; /* UTF-8 */
	struct span text;    /* for people, UTF-8, lines end in LF; the recipients follow it */
	struct span host;    /* who reports */
	struct span envid;   /* ENVID as given, xtext; may be empty */
	int64_t arrived_s;   /* when the message came */
	const struct report_recipient *recipients;
	size_t count;
	struct span original_header; /* of the message, its empty line may be there or not; empty: left out */
	struct span original_body;   /* the front of its body, or nothing */
	bool body_is_whole;          /* and that was all of it */
	bool plain;
};

/* Append it. ERR_LIMIT: OUT is full. ERR_SYNTAX: an address of ours or a subject that no header may hold. */
MUST_CHECK enum err delivery_report_put(struct buf *out, const struct delivery_report *report);

/* Does it need BODY=8BITMIME (RFC 6152)? */
bool delivery_report_is_8bit(const struct delivery_report *report);

/* The front of BODY, at most MAX bytes, that ends with a whole line where there is one. */
struct span delivery_report_cut(struct span body, size_t max);

/* Append xtext decoded (RFC 3461, 4); what is not xtext is taken as it is, what may not be shown as '?'. */
MUST_CHECK enum err xtext_put_decoded(struct buf *out, struct span xtext);

/* Is TEXT a status code, class "." subject "." detail (RFC 3463, 2)? */
bool report_status_is_valid(struct span text);

#endif
