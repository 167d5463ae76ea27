/*
 * downgrade.h - a stored message looked at by a worker, for a server that takes less than we have (RFC 6152, RFC 6531).
 *
 *     downgrading_begin --> done, on the loop --> err OK: `made` says what it has and what would have to change
 *
 * What was found is kept as long as somebody holds it: who sends it, and who signs it meanwhile.
 */
#ifndef SERVER_QUEUE_DOWNGRADE_H
#define SERVER_QUEUE_DOWNGRADE_H

#include "proto/mime/mime_downgrade.h"
#include "server/host.h"
#include "server/net/work.h"
#include "server/queue/signing.h"

#define DOWNGRADE_SLICE_MS 8 /* of a worker under one snapshot (H44) */

struct downgrade {
	unsigned holders; /* of one loop */
	struct arena arena;
	struct mime_downgrade plan;
};
struct downgrade *downgrade_hold(struct downgrade *d);
void downgrade_release(struct downgrade **d); /* *d may be NULL */

/* In whoever asks; zeroed at first. While `lent` it stays where it is, and holds the body pinned. */
struct downgrading {
	void (*done)(struct downgrading *g);
	bool lent;
	enum err err;	       /* ERR_CORRUPT, ERR_IO: it cannot be read; ERR_BUSY: not now */
	struct downgrade *made; /* the asker's, if err is OK */

	/* What follows is its own. */
	struct work work;
	struct store *store;
	uint64_t content_id, body_id;
};
/* `done` always follows, perhaps before it returns. Loop thread. */
void downgrading_begin(
	struct downgrading *g, struct host *host, uint64_t content_id, uint64_t body_id);

/* The body as it is to be sent, for signing.h; BODY_ID as it is stored. */
struct signing_body downgrade_signing_body(struct downgrade *d, uint64_t body_id);

#endif
