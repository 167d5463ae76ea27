/*
 * address.h - a mailbox, parsed once to local-part and domain (RFC 5321, 4.1.2; RFC 6531).
 *
 * Whatever decides about an address decides on this value, never on the text again (H9): the source
 * route is gone, quoting is undone, the domain is lower case without a final dot. '%' and '!' mean
 * nothing; they are flagged so that policy can refuse them (SMT-13). Every address that reaches the
 * store, a log or the wire came out of address_parse*() or address_with_domain(), which all end in
 * address_is_valid() (H10).
 */
#ifndef PROTO_MAIL_ADDRESS_H
#define PROTO_MAIL_ADDRESS_H

#include "proto/base/arena.h"
#include "proto/base/span.h"

#define ADDRESS_LOCAL_PART_MAX 64 /* bytes, RFC 5321, 4.5.3.1.1; quoting undone */
#define ADDRESS_DOMAIN_MAX 255    /* bytes, RFC 5321, 4.5.3.1.2 */
#define ADDRESS_LABEL_MAX 63      /* bytes, RFC 1035, 2.3.4 */
#define ADDRESS_PATH_MAX 1024     /* bytes looked at, with a source route; RFC 5321 asks for 256 */

enum address_flags {
	ADDRESS_NULL = 1 << 0,      /* <>, the null reverse-path; all spans are empty */
	ADDRESS_NO_DOMAIN = 1 << 1, /* just a local-part; gets the default domain (SMT-02) */
	ADDRESS_LITERAL = 1 << 2,   /* the domain is [192.0.2.1] or [IPv6:...], brackets kept */
	ADDRESS_ROUTED = 1 << 3,    /* there was a source route; it was dropped */
	ADDRESS_PERCENT = 1 << 4,   /* '%' in the local-part */
	ADDRESS_BANG = 1 << 5,      /* '!' in the local-part */
	ADDRESS_AT = 1 << 6,        /* '@' in the local-part, which was quoted */
	ADDRESS_QUOTED = 1 << 7,    /* the local-part needs quotes when it is written */
	ADDRESS_UTF8 = 1 << 8,      /* bytes above 0x7f: needs SMTPUTF8 */
};

struct address {
	struct span local_part; /* quoting undone, letter case as given */
	struct span domain;     /* lower case; empty with ADDRESS_NO_DOMAIN or ADDRESS_NULL */
	struct span text;       /* local-part@domain as it goes on the wire, without brackets */
	struct span key;        /* `text` in lower case (ASCII): the form for every look-up */
	unsigned flags;         /* enum address_flags */
};

/*
 * Parse a mailbox without angle brackets, TEXT whole: `anna@example.org`, `"a b"@example.org`,
 * `anna@[192.0.2.1]`, `anna`. The spans of *out live in A. ERR_SYNTAX, ERR_LIMIT.
 */
MUST_CHECK enum err address_parse(struct arena *a, struct span text, struct address *out);

/*
 * Parse a path from the front of IN: `<anna@example.org>`, `<@a.test,@b.test:anna@example.org>`,
 * `<>` (ADDRESS_NULL). *used counts the brackets; what follows is the caller's.
 */
MUST_CHECK enum err address_parse_path(
	struct arena *a, struct span in, struct address *out, size_t *used);

/* The same local-part at DOMAIN: completes ADDRESS_NO_DOMAIN (SMT-02), or maps to another. */
MUST_CHECK enum err address_with_domain(
	struct arena *a, const struct address *from, struct span domain, struct address *out);

/* *out lives in A: how an address outlives the command it came with. */
struct address address_copy(struct arena *a, const struct address *from);

/* All of it obeys the grammar and the limits, and the parts agree with each other (H10). */
bool address_is_valid(const struct address *address);
bool address_is_null(const struct address *address);
bool address_eq(const struct address *a, const struct address *b); /* by key */

/* A host name: labels of letters, digits, '-', '_' or UTF-8, no final dot; at most 255 bytes. */
bool domain_is_valid(struct span domain);
/* [192.0.2.1] or [IPv6:2001:db8::1] */
bool domain_is_literal(struct span domain);

#endif
