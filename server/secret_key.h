/*
 * secret_key.h - the key that seals what must be recovered (H65): 64 hex digits in a file of their
 * own, 0600, outside the store and its backups. The warden makes it at the first start.
 */
#ifndef SERVER_SECRET_KEY_H
#define SERVER_SECRET_KEY_H

#include <limits.h>

#include "server/net/crypto.h"

struct conf;
struct warden_rights;

struct secret_key {
	struct crypto_key key;
	bool kept; /* from its file; else a key of this process that must seal nothing */
};

/* secrets.key of the configuration, or secrets.key beside the folder of the store. ERR_LIMIT. */
MUST_CHECK enum err secret_key_path(const struct conf *conf, char out[PATH_MAX]);

/*
 * Where there is none, write one that belongs to the server's user. ERR_IO with errno. A file that
 * is there is left alone.
 */
MUST_CHECK enum err secret_key_make(const char *path, const struct warden_rights *rights);

/* FD is closed. ERR_SYNTAX: not a key; ERR_DENIED: others may read it; ERR_IO with errno. */
MUST_CHECK enum err secret_key_read(int fd, struct crypto_key *out);

#endif
