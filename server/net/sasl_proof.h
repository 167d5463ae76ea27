/*
 * sasl_proof.h - what a server elsewhere is shown instead of a password: of CRAM-MD5 and SCRAM-SHA-256.
 *
 * SCRAM takes 50 ms and more of arithmetic, so it is made on a worker, both alike.
 */
#ifndef SERVER_NET_SASL_PROOF_H
#define SERVER_NET_SASL_PROOF_H

#include "proto/base/arena.h"
#include "proto/sasl/sasl_client.h"
#include "server/net/crypto.h"
#include "server/net/work.h"

struct sasl_proof {
	void (*done)(struct sasl_proof *p, enum err result); /* ERR_BUSY: no worker had time */
	bool lent; /* to a worker: not to be moved or freed */

	/* After `done`; see sasl_client_prove(). */
	struct span proof, signature;

	/* Its own. */
	struct work work;
	struct arena arena;
	struct span password, salt, text;
	unsigned iterations;
	unsigned char proof_bytes[CRYPTO_SHA256_SIZE], signature_bytes[CRYPTO_SHA256_SIZE];
};

/*
 * On LOOP; `done` follows and never in this call, where it says true. False: no worker has time. P was zeroed once;
 * PASSWORD lives until `done`, what TASK says is copied.
 */
MUST_CHECK bool sasl_proof_begin(struct sasl_proof *p, struct loop *loop, struct workers *workers,
	const struct sasl_task *task, struct span password);
void sasl_proof_fini(struct sasl_proof *p); /* wipes; not while it is lent */

void sasl_nonce_make(struct sasl_nonce *nonce);

#endif
