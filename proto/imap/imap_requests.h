/*
 * imap_requests.h - arguments of SELECT, STORE and ID.
 */
#ifndef PROTO_IMAP_IMAP_REQUESTS_H
#define PROTO_IMAP_IMAP_REQUESTS_H

#include "proto/imap/imap_args.h"

#define IMAP_ID_PAIRS_MAX 30 /* RFC 2971, 3.3 */

/* " mailbox [(CONDSTORE | QRESYNC (...))]" (RFC 9051, 6.3.2; RFC 7162, 3.1.8 and 3.2.5). */
struct imap_select {
	struct span mailbox; /* as it came, see imap_name_of() */
	bool condstore, qresync;
	uint32_t uidvalidity; /* the rest with qresync */
	uint64_t modseq;
	bool has_known;
	struct imap_seqset known; /* uids, without '*' */
	bool has_pairs;           /* numbers and their uids: the n-th of one is the n-th of the other */
	struct imap_seqset pair_numbers, pair_uids;
};

MUST_CHECK bool imap_take_select(struct imap_cursor *c, struct imap_select *out);

/* " set [(UNCHANGEDSINCE n)] [+|-]FLAGS[.SILENT] flags" (RFC 9051, 6.4.6; RFC 7162, 3.1.3). */
enum imap_store_op { IMAP_STORE_REPLACE, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

struct imap_store {
	struct imap_seqset set;
	enum imap_store_op op;
	bool silent;
	bool has_unchanged_since;
	uint64_t unchanged_since;
	struct imap_flags flags; /* IMAP_FLAG_RECENT is refused */
};

MUST_CHECK bool imap_take_store(struct imap_cursor *c, struct imap_store *out);

/* " NIL" or " (name value ...)" (RFC 2971). */
struct imap_id {
	struct imap_id_pair {
		struct span name, value; /* value.ptr NULL: NIL */
	} pairs[IMAP_ID_PAIRS_MAX];
	size_t count;
};

MUST_CHECK bool imap_take_id(struct imap_cursor *c, struct imap_id *out);

#endif
