/*
 * signing_inside.h - between signing.c, which chooses and remembers, and signing_work.c, which signs.
 */
#ifndef SERVER_QUEUE_SIGNING_INSIDE_H
#define SERVER_QUEUE_SIGNING_INSIDE_H

#include "proto/auth/dkim.h"
#include "server/net/crypto.h"
#include "server/net/work.h"
#include "server/queue/signing.h"
#include "store/dkim_keys.h"

#define SIGNING_LINES_MAX (DKIM_ALGORITHMS * DKIM_FIELD_MAX)

/* What is asked of a worker. All is the op's own. */
struct signing_op {
	struct work work;
	struct list link; /* struct signer.ops */
	struct host *host;
	struct signing *asker; /* NULL: it does not want it any more */
	struct arena arena;
	struct signing_request request;
	unsigned char id[CRYPTO_SHA256_SIZE]; /* of the text and the keys */
	struct dkim_key keys[DKIM_ALGORITHMS];
	size_t key_count;
	struct dkim_names names;
	int64_t now_ms, expire_ms;
	struct buf lines;
	enum err err; /* OK: as far as the keys could be used */
};

void signing_run(struct work *work);

#endif
