/*
 * dkim.h - the signer's side of DKIM: RFC 6376, with RFC 8301 (SHA-256 only, RSA of 1024 bits at the least)
 * and RFC 8463 (ed25519-sha256).
 *
 * Pure: it gives the bytes to hash and takes the hash and the signature; keys and hashes are elsewhere.
 *
 *     dkim_body_feed ... dkim_body_end    canonical body  -> SHA-256 -> bh=
 *     dkim_field_begin                    canonical header and the field with an empty b= -> SHA-256
 *     dkim_field_end                      the signature of that hash -> b=, the field is whole
 *
 * Several signatures of one message do not cover each other: each begins from the same header.
 */
#ifndef PROTO_AUTH_DKIM_H
#define PROTO_AUTH_DKIM_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/span.h"

#define DKIM_HASH_SIZE 32
#define DKIM_SELECTOR_MAX 63  /* bytes; ours are one or more labels */
#define DKIM_FIELDS_MAX 300   /* entries of h= */
#define DKIM_NAMES_MAX 100    /* names that can be chosen for h= */
#define DKIM_FIELD_MAX 16384  /* bytes of a DKIM-Signature field */
#define DKIM_RECORD_MAX 2048  /* bytes of the text of a key's record */
#define DKIM_LINE_MAX 76      /* bytes of a folded line, its CRLF apart */

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_ED25519_SHA256, DKIM_ALGORITHMS };
enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED }; /* RFC 6376, 3.4 */

/* Takes bytes, in order, that are to be hashed. */
typedef void dkim_hash(void *arg, struct span bytes);

/* "rsa-sha256"; as tag a=. */
struct span dkim_algorithm_name(enum dkim_algorithm algorithm);
/* Labels of letters, digits, '-' and '_' (RFC 6376, 3.1: a selector is one or more); at most MAX bytes. */
bool dkim_name_is_valid(struct span name, size_t max);

/* ---- the body, in pieces of any size ---- */

#define DKIM_BODY_ROOM 512

struct dkim_body {
	enum dkim_canon canon;
	dkim_hash *hash;
	void *arg;
	uint64_t ends;  /* line ends that came and may be the last */
	bool blank, cr; /* a blank of relaxed, a CR: what follows decides */
	bool some;      /* anything was passed on */
	size_t len;     /* in `room`, which gathers small pieces */
	char room[DKIM_BODY_ROOM];
};
void dkim_body_init(struct dkim_body *b, enum dkim_canon canon, dkim_hash *hash, void *arg);
void dkim_body_feed(struct dkim_body *b, struct span piece);
void dkim_body_end(struct dkim_body *b);

/* ---- the field ---- */

/*
 * Which fields: all that are there of NAMES; and of OVERSIGNED one more than there are, so that none can be
 * added (RFC 6376, 8.15). From is always among both.
 */
struct dkim_names {
	const struct span *names, *oversigned;
	size_t name_count, oversigned_count;
};

struct dkim_signing {
	enum dkim_algorithm algorithm;
	enum dkim_canon header_canon, body_canon;
	struct span domain, selector; /* A-labels */
	struct dkim_names sign;
	int64_t time_s, expires_s; /* 0: not told */
	unsigned char body_hash[DKIM_HASH_SIZE];
};

/*
 * Append to FIELD "DKIM-Signature: ... b=" for HEADER (whole lines, with or without the empty one), and give HASH
 * what the signature is made of. ERR_SYNTAX: a domain, selector or name that cannot stand there (H11), or no From;
 * ERR_LIMIT: more than DKIM_FIELDS_MAX fields, or FIELD is full. FIELD is then to be thrown away.
 */
MUST_CHECK enum err dkim_field_begin(const struct dkim_signing *s, struct span header,
	struct buf *field, dkim_hash *hash, void *arg);
/* The rest of it, with its CRLF. */
MUST_CHECK enum err dkim_field_end(struct buf *field, struct span signature);

/* Append the canonical form of one field, its CRLF included (RFC 6376, 3.4.1, 3.4.2). RAW has it too. */
void dkim_header_canon(enum dkim_canon canon, struct span raw, dkim_hash *hash, void *arg);

/* ---- what is published (RFC 6376, 3.6.1; RFC 8463, 4) ---- */

/* Append "v=DKIM1; k=rsa; p=...". KEY is SubjectPublicKeyInfo in DER, of ed25519 the 32 bytes. */
MUST_CHECK enum err dkim_record_put(
	enum dkim_algorithm algorithm, struct span key, struct buf *out);

/*
 * The value of TAG in a tag-list such as RECORD (RFC 6376, 3.2), folds around it taken off; ptr NULL where it is
 * not there. DMARC and MTA-STS use the same form.
 */
struct span dkim_tag(struct span record, struct span tag);
/* Do two p= values hold the same key? Blanks in them do not count. */
bool dkim_keys_are_same(struct span a, struct span b);

#endif
