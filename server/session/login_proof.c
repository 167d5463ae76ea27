/*
 * login_proof.c - a proof against the secret that is kept.
 */
#include "server/session/login_proof.h"

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/net/random.h"
#include "server/pipeline/names.h"
#include "server/secret_key.h"
#include "server/secrets.h"

/* ---- CRAM-MD5, APOP ---- */

/* The secret of KIND into OUT; false where he has none that can be read. */
static bool
read_secret(struct host *host, struct snapshot *snap, const struct user *user, const char *kind,
	struct buf *out)
{
	char name[USER_SECRET_NAME_SIZE];
	uint64_t user_id = user ? user->user_id : 0; /* who is nobody costs a look too */

	return secret_read(host, snap, user_secret_name(user_id, kind, name), out) == OK && user;
}

/* What a proof comes to where the secret is there (HAS) or not; told apart in the log alone. */
static enum err
proven(bool right, bool has)
{
	return !has ? ERR_NOT_FOUND : right ? OK : ERR_DENIED;
}

static enum err
prove_cram(const struct buf *secret, bool has, const struct sasl_login *given)
{
	struct crypto_hmac_md5 key = { .inner = { 0 } };
	unsigned char digest[CRYPTO_MD5_SIZE];
	bool same;

	has = has && buf_span(secret).len == sizeof(key);
	if (has)
		memcpy(&key, buf_span(secret).ptr, sizeof(key));
	crypto_hmac_md5(&key, given->asked, digest);
	same = crypto_same(digest, given->proof.ptr, sizeof(digest));
	explicit_bzero(&key, sizeof(key));
	return proven(same, has);
}

static enum err
prove_apop(const struct buf *secret, bool has, const struct sasl_login *given)
{
	unsigned char digest[CRYPTO_MD5_SIZE];
	bool same;

	crypto_md5(given->asked, buf_span(secret), digest);
	same = crypto_same(digest, given->proof.ptr, sizeof(digest));
	return proven(same, has && buf_span(secret).len > 0);
}

static enum err
prove_md5(struct host *host, struct snapshot *snap, const struct user *user,
	const struct sasl_login *given)
{
	bool cram = given->mechanism == SASL_CRAM_MD5;
	struct buf secret;
	bool has;
	enum err err;

	buf_init(&secret, SECRET_PLAIN_MAX);
	secret.wipes = true;
	has = read_secret(host, snap, user, cram ? LEGACY_CRAM_MD5 : LEGACY_APOP, &secret) &&
	      host->conf->auth_recoverable;
	err = given->proof.len != CRYPTO_MD5_SIZE ? ERR_DENIED
	      : cram				  ? prove_cram(&secret, has, given)
						  : prove_apop(&secret, has, given);
	buf_fini(&secret);
	return err;
}

/* ---- SCRAM-SHA-256 ---- */

static enum err
prove_scram(struct host *host, const struct user *user, const struct sasl_login *given,
	unsigned char signature[CRYPTO_SHA256_SIZE])
{
	struct scram_key key = { .iterations = SCRAM_ITERATIONS };
	bool has = user && host->conf->auth_scram && scram_key_take(user->scram, &key);
	bool right = given->proof.len == CRYPTO_SHA256_SIZE &&
		     scram_proof_is_right(&key, given->asked, given->proof, signature);

	explicit_bzero(&key, sizeof(key));
	return proven(right, has);
}

void
login_scram_keys(struct host *host, struct span name, struct scram_key *out)
{
	struct snapshot *snap = host_snapshot(host);
	struct user user;
	char fake[SCRAM_SALT_SIZE];

	scram_fake_salt(&host->secret_key->key, name, fake); /* also where it is not needed */
	if (snap && names_user(snap, name, &user) == OK && scram_key_take(user.scram, out))
		return;
	*out = (struct scram_key){ .iterations = SCRAM_ITERATIONS };
	memcpy(out->salt, fake, sizeof(fake));
}

/* ---- all of them ---- */

enum err
login_proof(struct host *host, struct snapshot *snap, const struct user *user,
	const struct sasl_login *given, unsigned char signature[CRYPTO_SHA256_SIZE])
{
	return given->mechanism == SASL_SCRAM_SHA_256 ? prove_scram(host, user, given, signature)
						      : prove_md5(host, snap, user, given);
}

const char *
login_proof_why(const struct sasl_login *given, enum err err)
{
	if (given->mechanism == SASL_SCRAM_SHA_256)
		return err == ERR_NOT_FOUND
			? "no SCRAM key yet: a login that sends the password makes it"
			: "wrong password";
	return err == ERR_NOT_FOUND
		? "no password for CRAM-MD5 or APOP: postroom user legacy makes one"
		: "not the password that was made for CRAM-MD5 or APOP";
}

unsigned
login_mechanisms(const struct conf *conf)
{
	return SASL_SEND_PASSWORD |
	       (conf->auth_recoverable ? SASL_BIT(SASL_CRAM_MD5) | SASL_BIT(SASL_APOP) : 0) |
	       (conf->auth_scram ? SASL_BIT(SASL_SCRAM_SHA_256) : 0);
}

void
login_nonce(const struct host *host, struct sasl_nonce *out)
{
	int len = snprintf(out->text, sizeof(out->text), "%016llx%016llx.%lld",
		(unsigned long long)random_u64(), (unsigned long long)random_u64(),
		(long long)(host_now_ms(host) / 1000));

	ENSURE(len > 0 && len < (int)sizeof(out->text));
	out->len = (size_t)len;
}
