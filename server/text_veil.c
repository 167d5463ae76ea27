/*
 * text_veil.c - see text_veil.h.
 */
#include "server/text_veil.h"

#include <fcntl.h>
#include <string.h>

_Static_assert(STORE_VEIL_NONCE == CRYPTO_NONCE_SIZE, "one nonce fits the other");

static void
mix(void *arg, const unsigned char nonce[STORE_VEIL_NONCE], char *bytes, size_t len)
{
	crypto_mix(arg, nonce, bytes, len);
}

struct store_veil
text_veil(const struct conf *conf, const struct crypto_key *secret, struct crypto_key *text_key)
{
	crypto_derive(secret, "messages", text_key);
	return (struct store_veil){ mix, text_key, conf->store_encrypt };
}

struct store_veil
text_veil_of_file(const struct conf *conf, struct crypto_key *text_key)
{
	struct crypto_key secret;
	struct store_veil veil = { NULL, NULL, false };
	char path[PATH_MAX];
	int fd;

	if (secret_key_path(conf, path) != OK)
		return veil;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd >= 0 && secret_key_read(fd, &secret) == OK)
		veil = text_veil(conf, &secret, text_key);
	explicit_bzero(&secret, sizeof(secret));
	return veil;
}
