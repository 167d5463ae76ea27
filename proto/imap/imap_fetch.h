/*
 * imap_fetch.h - what FETCH asks for (RFC 9051, 6.4.5; RFC 7162, 3.1.4; RFC 3516; RFC 8474; RFC 8514).
 *
 * Things that are one value a message are bits; bytes of a message are items, each with the name that
 * goes before it in the answer, made once: so a message costs no formatting.
 */
#ifndef PROTO_IMAP_IMAP_FETCH_H
#define PROTO_IMAP_IMAP_FETCH_H

#include "proto/imap/imap_args.h"

#define IMAP_PATH_MAX 64         /* numbers of BODY[1.2.3...]; deeper than any part (H8) */
#define IMAP_FETCH_BYTES_MAX 100 /* items of one FETCH that are bytes */

#define IMAP_FETCH_UID (1u << 0)
#define IMAP_FETCH_FLAGS (1u << 1)
#define IMAP_FETCH_INTERNALDATE (1u << 2)
#define IMAP_FETCH_RFC822_SIZE (1u << 3)
#define IMAP_FETCH_ENVELOPE (1u << 4)
#define IMAP_FETCH_BODY (1u << 5) /* the structure without extensions */
#define IMAP_FETCH_BODYSTRUCTURE (1u << 6)
#define IMAP_FETCH_MODSEQ (1u << 7)
#define IMAP_FETCH_EMAILID (1u << 8)
#define IMAP_FETCH_THREADID (1u << 9)
#define IMAP_FETCH_SAVEDATE (1u << 10)

enum imap_section {
	IMAP_SECTION_ALL,         /* all of the message, or the body of the part */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,      /* HEADER.FIELDS */
	IMAP_SECTION_FIELDS_NOT,  /* HEADER.FIELDS.NOT */
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME,        /* of a part */
	IMAP_SECTION_BINARY,      /* decoded */
	IMAP_SECTION_BINARY_SIZE, /* its size alone */
};

struct imap_fetch_bytes {
	enum imap_section section;
	const uint32_t *path; /* of the part */
	size_t path_len;      /* 0: the message */
	const struct span *fields;
	size_t field_count;
	bool partial;
	uint64_t from, length; /* of `partial`; bytes */
	struct span name;      /* "BODY[1.MIME]<0>": stands before the value */
};

struct imap_fetch {
	struct imap_seqset set;
	unsigned items; /* IMAP_FETCH_ bits */
	struct imap_fetch_bytes *bytes;
	size_t count;
	bool sets_seen; /* one of them is not PEEK */
	bool has_changed_since, vanished; /* RFC 7162: VANISHED, of UID FETCH alone */
	uint64_t changed_since;
};

/*
 * All of the arguments of FETCH: " set items [(modifiers)]". UID: of UID FETCH, which asks for UID too.
 * False: see imap_cursor_err(). What is found lives in the cursor's arena.
 */
MUST_CHECK bool imap_take_fetch(struct imap_cursor *c, bool uid, struct imap_fetch *out);

#endif
