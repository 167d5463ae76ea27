/*
 * imap_list.h - what LIST, LSUB and STATUS ask for, and which names a pattern is for (RFC 9051, 6.3.9 and
 * 6.3.11; RFC 5258, 5819, 6154, 8440).
 */
#ifndef PROTO_IMAP_IMAP_LIST_H
#define PROTO_IMAP_IMAP_LIST_H

#include "proto/imap/imap_args.h"

#define IMAP_PATTERNS_MAX 100 /* of one LIST */
#define IMAP_PATTERN_MAX 1024 /* bytes, the reference included */

/* ---- STATUS ---- */

#define IMAP_STATUS_MESSAGES (1u << 0)
#define IMAP_STATUS_RECENT (1u << 1) /* RFC 3501; always 0 for rev2 */
#define IMAP_STATUS_UIDNEXT (1u << 2)
#define IMAP_STATUS_UIDVALIDITY (1u << 3)
#define IMAP_STATUS_UNSEEN (1u << 4)
#define IMAP_STATUS_DELETED (1u << 5)         /* RFC 9051; RFC 9208, 4.1.4 */
#define IMAP_STATUS_SIZE (1u << 6)            /* RFC 8438 */
#define IMAP_STATUS_HIGHESTMODSEQ (1u << 7)   /* RFC 7162 */
#define IMAP_STATUS_APPENDLIMIT (1u << 8)     /* RFC 7889 */
#define IMAP_STATUS_MAILBOXID (1u << 9)       /* RFC 8474 */
#define IMAP_STATUS_DELETED_STORAGE (1u << 10) /* RFC 9208, 4.1.4 */
#define IMAP_STATUS_ITEMS 11

/* The name of the item whose bit is 1 << INDEX. */
struct span imap_status_name(unsigned index);
/* "(MESSAGES UNSEEN)" */
MUST_CHECK bool imap_take_status_items(struct imap_cursor *c, unsigned *out);

/* ---- LIST ---- */

/* Which are chosen. */
#define IMAP_LIST_SUBSCRIBED (1u << 0)
#define IMAP_LIST_REMOTE (1u << 1)
#define IMAP_LIST_RECURSIVEMATCH (1u << 2)
#define IMAP_LIST_SPECIAL_USE (1u << 3)
/* What is told of each; the first and the last of these have the same bit as above. */
#define IMAP_LIST_CHILDREN (1u << 4)
#define IMAP_LIST_STATUS (1u << 5)
#define IMAP_LIST_MYRIGHTS (1u << 6)

struct imap_list {
	bool extended;    /* options or several patterns: RFC 5258's form, "" is no question */
	unsigned select;  /* IMAP_LIST_ bits of the selection */
	unsigned returns; /* IMAP_LIST_SUBSCRIBED, _SPECIAL_USE, _CHILDREN, _STATUS, _MYRIGHTS */
	unsigned status;  /* IMAP_STATUS_ bits */
	struct span reference;
	struct span *patterns; /* as they came */
	size_t count;
};

/* All of the arguments of LIST; of LSUB (LSUB: reference and one pattern). */
MUST_CHECK bool imap_take_list(struct imap_cursor *c, struct imap_list *out);
MUST_CHECK bool imap_take_lsub(struct imap_cursor *c, struct imap_list *out);

/*
 * REFERENCE and WIRE as one pattern in UTF-8 (UTF8: they are already), in A. ERR_SYNTAX, ERR_LIMIT: no
 * name can be like it.
 */
MUST_CHECK enum err imap_list_pattern(struct arena *a, struct span reference, struct span wire,
	bool utf8, struct span *pattern);

/*
 * Is PATTERN for NAME? '*' is any run, '%' any without '/'; INBOX at the front of NAME in any case. For
 * the newest '*' and the newest '%' one place to go back to, no more (H25).
 */
bool imap_list_match(struct span pattern, struct span name);

#endif
