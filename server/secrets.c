/*
 * secrets.c - between the store's sealed bytes and the key.
 */
#include "server/secrets.h"

#include "conf/conf_types.h"
#include "server/host.h"
#include "server/log.h"
#include "server/secret_key.h"
#include "server/server.h"

_Static_assert(SECRET_PLAIN_MAX + CRYPTO_SEAL_MORE <= SECRET_SEALED_MAX, "a sealed one fits");

enum err
secret_seal(const struct host *host, struct span name, struct span plain, struct buf *sealed)
{
	if (!host->secret_key->kept)
		return ERR_DENIED;
	if (plain.len == 0 || plain.len > SECRET_PLAIN_MAX)
		return ERR_LIMIT;
	return crypto_seal(&host->secret_key->key, name, plain, sealed);
}

enum err
secret_read(struct host *host, struct snapshot *snap, struct span name, struct buf *out)
{
	struct sealed_secret secret;
	enum err err = secret_find(snap, name, &secret);

	if (err == OK)
		err = host->secret_key->kept ? crypto_unseal(&host->secret_key->key, name,
						       secret.sealed, out)
					     : ERR_DENIED;
	if (err != OK && err != ERR_NOT_FOUND)
		log_put(host->log,
			&(struct log_line){ .level = LEVEL_ERROR, .area = "security",
				.text = "a sealed secret cannot be read",
				.fields = { { "name", name, 0 },
					{ "why", err == ERR_DENIED
							? SPAN("another key: see secrets.key")
							: span_of(err_name(err)),
						0 } } });
	return err;
}

enum err
secret_of_conf(struct host *host, const struct secret *secret, struct buf *out)
{
	switch (secret->kind) {
	case SECRET_NONE:
		return OK;
	case SECRET_PLAIN:
		return buf_put(out, secret->value);
	case SECRET_FILE:
		return server_read_secret(host->server, secret->value, out);
	case SECRET_SEALED:
		break;
	}
	return host_snapshot(host) ? secret_read(host, host_snapshot(host), secret->value, out) : ERR_IO;
}
