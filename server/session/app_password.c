/*
 * app_password.c - made, hashed, recognised.
 */
#include "server/session/app_password.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "server/net/random.h"

#define LETTERS "abcdefghijkmnpqrstuvwxyz23456789" /* 32: none that is taken for another */
#define LENGTH 24
#define GROUP 4

_Static_assert(sizeof(LETTERS) == 33, "five bits a letter");
_Static_assert(APP_PASSWORD_SIZE == LENGTH + LENGTH / GROUP, "groups, dashes between, a 0");

void
app_password_make(char out[APP_PASSWORD_SIZE])
{
	unsigned char bytes[LENGTH];
	size_t at = 0;

	random_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < LENGTH; i++) {
		if (i > 0 && i % GROUP == 0)
			out[at++] = '-';
		out[at++] = LETTERS[bytes[i] % 32];
	}
	out[at] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
}

bool
app_password_hash(uint64_t user_id, struct span text, unsigned char out[APP_HASH_SIZE])
{
	char plain[8 + LENGTH];
	size_t len = 0;
	bool ok = true;

	for (int i = 0; i < 8; i++)
		plain[len++] = (char)(user_id >> (8 * i));
	for (size_t i = 0; i < text.len && ok; i++) {
		char c = ascii_lower(text.ptr[i]);

		if (c == '-' || c == ' ')
			continue;
		ok = len < sizeof(plain) && c != '\0' && strchr(LETTERS, c);
		if (ok)
			plain[len++] = c;
	}
	ok = ok && len == sizeof(plain);
	if (ok)
		crypto_sha256((struct span){ plain, len }, out);
	explicit_bzero(plain, sizeof(plain));
	return ok;
}

uint64_t
app_password_which(struct snapshot *snap, uint64_t user_id, enum user_protocol protocol,
	struct span text)
{
	struct app_password app = { .app_id = 0 };
	unsigned char hash[APP_HASH_SIZE];
	uint64_t found = 0;

	if (!app_password_hash(user_id, text, hash))
		return 0;
	while (!found && app_password_next(snap, user_id, app.app_id, &app) == OK) {
		if (app.hash.len == sizeof(hash) && (app.protocols & (1u << protocol)) &&
			crypto_same(app.hash.ptr, hash, sizeof(hash)))
			found = app.app_id;
	}
	explicit_bzero(hash, sizeof(hash));
	return found;
}
