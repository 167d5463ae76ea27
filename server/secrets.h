/*
 * secrets.h - sealed values of the store: read and made with the server's key (H65).
 *
 * What is sealed protects copies and backups of the store. Whoever can read the key's file, root
 * first of all, can read every secret.
 */
#ifndef SERVER_SECRETS_H
#define SERVER_SECRETS_H

#include "proto/base/buf.h"
#include "store/secrets.h"

struct host;
struct secret;

#define SECRET_PLAIN_MAX 512 /* bytes of a secret before it is sealed */

/* PLAIN as it may be stored under NAME. ERR_LIMIT: too long; ERR_DENIED: there is no key. */
MUST_CHECK enum err secret_seal(
	const struct host *host, struct span name, struct span plain, struct buf *sealed);
/*
 * The secret called NAME; OUT wipes. ERR_NOT_FOUND: none; ERR_DENIED: sealed with another key, or
 * there is none now; ERR_CORRUPT, ERR_IO. But for ERR_NOT_FOUND it has been logged.
 */
MUST_CHECK enum err secret_read(
	struct host *host, struct snapshot *snap, struct span name, struct buf *out);

/* What a setting says: the text itself, a file's, or a sealed one; none is empty. As above. */
MUST_CHECK enum err secret_of_conf(struct host *host, const struct secret *secret, struct buf *out);

#endif
