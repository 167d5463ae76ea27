/*
 * archive_prove.h - is the archive what was archived: the chain (store/archive.h), and each message against its digest.
 */
#ifndef SERVER_ARCHIVE_ARCHIVE_PROVE_H
#define SERVER_ARCHIVE_ARCHIVE_PROVE_H

#include "server/net/crypto.h"
#include "store/archive.h"

struct archive_prove {
	struct archive_verify chain;
	bool in_body; /* of the message chain.last_id */
	struct crypto_sha256_stream stream;
	unsigned char header[ARCHIVE_HASH_SIZE], want[ARCHIVE_HASH_SIZE];
	uint64_t body_id, at, size;
	uint64_t unread; /* messages that are encrypted, and there is no key: the chain alone was looked at */
};

/*
 * A piece of a body further, or a row. ERR_NOT_FOUND: the end, all of it holds. ERR_SYNTAX: a break, in
 * chain.fault_id and chain.fault. ERR_IO.
 */
MUST_CHECK enum err archive_prove_next(struct snapshot *snap, struct archive_prove *p);

#endif
