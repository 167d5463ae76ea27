/*
 * header.h - the header section of a message: walking, finding, checking, writing (RFC 5322).
 *
 * A header is a span of whole lines; the empty line after it may be part of it or not. Nothing is
 * copied: fields point into the header. A line that is neither a field nor a continuation is passed
 * over. Each function takes time in step with the header's length.
 */
#ifndef PROTO_MAIL_HEADER_H
#define PROTO_MAIL_HEADER_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/span.h"

#define HEADER_SIZE_MAX 1048576       /* bytes of a header section (H7) */
#define HEADER_FIELDS_MAX 1000        /* fields (H7) */
#define HEADER_FIELD_SIZE_MAX 65536   /* bytes of a field with its name and folds (H7) */
#define HEADER_ADDRESSES_MAX 10000    /* addresses of a field that are looked at (H7) */
#define HEADER_RECEIVED_MAX 50        /* more is a loop: 554 5.4.6 (H16) */
#define HEADER_LINE_MAX 998           /* bytes of a line that we write, RFC 5322, 2.1.1 */

/*
 * Where the header ends, found while the message comes in pieces. Zero-initialise it; the search
 * goes on over piece borders.
 */
struct header_end {
	unsigned matched; /* of CR LF CR LF, a message that begins with CRLF has an empty header */
	bool started;
	bool found;
};
/* Bytes of PIECE that belong to the header, its empty line included; sets `found` at the end. */
size_t header_end_find(struct header_end *end, struct span piece);

struct header_field {
	struct span name;
	struct span value; /* after the colon, folds and all, without the last CRLF, trimmed */
	struct span raw;   /* the whole field with its CRLF */
};

/* Take the next field from *rest. False at the end of the header. */
bool header_next(struct span *rest, struct header_field *field);

/* What one walk over a header tells; all that intake and the pipeline ask of every message. */
struct header_facts {
	size_t fields;
	size_t received;        /* Received fields (H16) */
	size_t from_fields;     /* H12 asks for exactly one on submission */
	bool has_date, has_message_id, has_bcc;
	struct span from, sender, to, subject, message_id, date; /* the first; ptr NULL: none */
};

struct header_limits {
	size_t size;       /* bytes of the section */
	size_t fields;
	size_t field_size; /* bytes of a field with its name and folds */
};

/* ERR_LIMIT: over LIMITS, NULL: those of H7 above (*facts is then filled as far as it got). */
MUST_CHECK enum err header_check(
	struct span header, const struct header_limits *limits, struct header_facts *facts);

/* The value of the first field NAME, trimmed but not unfolded; ptr NULL where there is none. */
struct span header_find(struct span header, struct span name);
size_t header_count(struct span header, struct span name);

/* Append VALUE with its line ends taken out: a fold becomes its blanks (RFC 5322, 2.2.3). */
MUST_CHECK enum err header_unfold(struct buf *out, struct span value);

/*
 * Append "NAME: VALUE" CRLF. H11: ERR_SYNTAX where NAME is no field name, or VALUE holds CR, LF,
 * NUL or invalid UTF-8; ERR_LIMIT where the line would be over HEADER_LINE_MAX or OUT is full.
 */
MUST_CHECK enum err header_put(struct buf *out, struct span name, struct span value);

/*
 * The same for text of people under a NAME of ours: what ASCII cannot say, "=?" and what is too long
 * become encoded words (RFC 2047, 2), folded. ERR_SYNTAX: a control or invalid UTF-8. ERR_LIMIT.
 */
MUST_CHECK enum err header_put_text(struct buf *out, struct span name, struct span value);

/*
 * Append HEADER without the fields that NAMES match (wildcards, any case): Bcc on submission
 * (SMT-21), trust marks from outside (H13). Lines that are no field are kept.
 */
MUST_CHECK enum err header_put_without(
	struct buf *out, struct span header, const struct span *names, size_t name_count);
extern const struct span header_trust_names[]; /* what later code believes; strip at entry (H13) */
extern const size_t header_trust_count;

/* One address of a From, To, Cc field. Spans point into the value that was walked. */
struct header_mailbox {
	struct span display; /* the name, quotes and folds and all; empty where there is none */
	struct span address; /* addr-spec without blanks around it; not validated */
	struct span raw;     /* all of the element, with comments */
};

/*
 * Take the next mailbox from *rest, an address-list (RFC 5322, 3.4) as it is in the wild: groups
 * are opened, comments skipped, what cannot be read is passed over. False at the end. The caller
 * counts up to HEADER_ADDRESSES_MAX.
 */
bool header_next_mailbox(struct span *rest, struct header_mailbox *mailbox);

/*
 * The same with the groups told (RFC 9051, 7.5.2): HEADER_GROUP has its name in `display`, and a
 * HEADER_GROUP_END follows its mailboxes, always. *in_group is false before the first call.
 */
enum header_element { HEADER_END, HEADER_MAILBOX, HEADER_GROUP, HEADER_GROUP_END };
enum header_element header_next_element(
	struct span *rest, bool *in_group, struct header_mailbox *mailbox);

#endif
