/*
 * signing.h - DKIM signatures of a message that leaves, the last step before the wire: whatever changes the text
 * comes before it.
 *
 *     signing_ask --> NONE    nothing to put in front; signing_note() says why
 *                 --> READY   s->lines stand in front of the header; the same text was signed a moment ago
 *                 --> LATER   no worker is free: defer the message, unsigned it might be refused elsewhere
 *                 --> WAIT    a worker signs; s->done follows on this loop, s->answer is one of the others
 *
 * Signed is what is ours (queued.ours): mail of a stranger that is forwarded under a domain of ours must not get our
 * name. The domain of the one From address decides; without a key there, the nearest domain above it that has one
 * (dkim.subdomains). Of each algorithm the newest key that signs at this moment is used. Loop thread, any loop.
 */
#ifndef SERVER_QUEUE_SIGNING_H
#define SERVER_QUEUE_SIGNING_H

#include "proto/base/buf.h"
#include "server/host.h"
#include "server/pipeline/note.h"

#define SIGNING_KEPT 64		      /* signed texts that a loop remembers */
#define SIGNING_KEPT_MS 600000	      /* for so long */
#define SIGNING_UNDER_WAY_MAX 1000    /* of a loop; beyond it SIGNING_LATER */
#define SIGNING_SLICE_MS 8	      /* of a worker under one snapshot (H44) */

enum signing_answer { SIGNING_NONE, SIGNING_READY, SIGNING_LATER, SIGNING_WAIT };

/* A body that is not sent as it is stored (8BITMIME downgrade). Without dot-stuffing. */
struct signing_body {
	/* Worker. *piece lives until the next call, or until SNAP closes (then it has been used). At the end it is
	 * empty. NULL: the body as it is stored. */
	enum err (*next)(void *arg, struct snapshot *snap, struct span *piece);
	void (*release)(void *arg); /* loop: it is not called any more; may be NULL */
	void *arg;
};

struct signing_request {
	struct span header; /* as it is sent, with or without the empty line; copied */
	uint64_t body_id;   /* 0: an empty body */
	struct signing_body body;
	bool ours;
};

struct signing_op;

/* In whoever asks; zeroed at first. */
struct signing {
	void (*done)(struct signing *s);
	enum signing_answer answer;
	struct buf lines; /* whole fields with their CRLF */
	const char *why;  /* SIGNING_NONE, static text */
	struct span domain, keys; /* for the note; in `names` */
	struct buf names;
	struct signing_op *op;
};

enum signing_answer signing_ask(
	struct host *host, struct signing *s, const struct signing_request *request);
/* Gives back what S holds; a worker that is at it does not call `done` any more. May be called twice. */
void signing_end(struct signing *s);

/* What the trace says of it: NOTE_DKIM_SIGNED or NOTE_DKIM_UNSIGNED. The spans live as S. */
enum note_code signing_note(const struct signing *s, struct span *found, struct span *because);

/* With the host; no worker is at work any more. May be NULL. */
void signer_close(struct signer **signer);

#endif
