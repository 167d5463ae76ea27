/*
 * sasl_proof.c - CRAM-MD5's and SCRAM's arithmetic, on a worker.
 */
#include "server/net/sasl_proof.h"

#include <string.h>

#include "server/net/random.h"

#define NONCE_LETTERS 24

void
sasl_nonce_make(struct sasl_nonce *nonce)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[NONCE_LETTERS];

	random_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		nonce->text[i] = letters[bytes[i] & 63];
	nonce->len = sizeof(bytes);
}

static struct sasl_proof *
of_work(struct work *work)
{
	return LIST_ITEM(work, struct sasl_proof, work);
}

static void
run_cram(struct work *work)
{
	struct sasl_proof *p = of_work(work);
	struct crypto_hmac_md5 key;

	crypto_hmac_md5_key(p->password, &key);
	crypto_hmac_md5(&key, p->text, p->proof_bytes);
	p->proof = (struct span){ (char *)p->proof_bytes, CRYPTO_MD5_SIZE };
	p->signature = SPAN_NONE;
	explicit_bzero(&key, sizeof(key));
}

/* RFC 5802, 3: ClientProof := ClientKey XOR HMAC(StoredKey, AuthMessage). */
static void
run_scram(struct work *work)
{
	struct sasl_proof *p = of_work(work);
	unsigned char salted[CRYPTO_SHA256_SIZE], client[CRYPTO_SHA256_SIZE],
		stored[CRYPTO_SHA256_SIZE], server[CRYPTO_SHA256_SIZE];
	struct span salted_key = { (char *)salted, sizeof(salted) };

	crypto_pbkdf2_sha256(p->password, p->salt, p->iterations, salted);
	crypto_hmac_sha256(salted_key, SPAN("Client Key"), client);
	crypto_sha256((struct span){ (char *)client, sizeof(client) }, stored);
	crypto_hmac_sha256((struct span){ (char *)stored, sizeof(stored) }, p->text, p->proof_bytes);
	for (size_t i = 0; i < sizeof(client); i++)
		p->proof_bytes[i] ^= client[i];
	crypto_hmac_sha256(salted_key, SPAN("Server Key"), server);
	crypto_hmac_sha256((struct span){ (char *)server, sizeof(server) }, p->text, p->signature_bytes);
	p->proof = (struct span){ (char *)p->proof_bytes, CRYPTO_SHA256_SIZE };
	p->signature = (struct span){ (char *)p->signature_bytes, CRYPTO_SHA256_SIZE };
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	explicit_bzero(stored, sizeof(stored));
	explicit_bzero(server, sizeof(server));
}

static void
on_done(struct work *work, enum err result)
{
	struct sasl_proof *p = of_work(work);

	p->lent = false;
	p->done(p, result);
}

bool
sasl_proof_begin(struct sasl_proof *p, struct loop *loop, struct workers *workers,
	const struct sasl_task *task, struct span password)
{
	ENSURE(!p->lent);
	arena_reset(&p->arena);
	p->password = password;
	p->salt = arena_copy(&p->arena, task->salt);
	p->text = arena_copy(&p->arena, task->text);
	p->iterations = task->iterations;
	p->work = (struct work){ .loop = loop, .kind = WORK_GENERAL, .done = on_done,
		.run = task->mechanism == SASL_CLIENT_CRAM_MD5 ? run_cram : run_scram };
	list_init(&p->work.link);
	p->lent = workers_submit(workers, &p->work) == OK;
	return p->lent;
}

void
sasl_proof_fini(struct sasl_proof *p)
{
	ENSURE(!p->lent);
	arena_reset(&p->arena);
	explicit_bzero(p->proof_bytes, sizeof(p->proof_bytes));
	explicit_bzero(p->signature_bytes, sizeof(p->signature_bytes));
}
