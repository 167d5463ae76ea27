/*
 * delivery_auth.c - the account of a route, and what it proves to a server (OUT-06).
 *
 * The password is opened when it is needed and wiped with the delivery (H66). SCRAM takes 50 ms and
 * more of arithmetic, on a worker.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/host.h"
#include "server/net/crypto.h"
#include "server/net/random.h"
#include "server/queue/delivery.h"
#include "server/secrets.h"
#include "server/session/scram.h"

#define NONCE_BYTES 18

struct delivery_proof {
	struct scram_key key;
	struct span password, salt, text;
	unsigned iterations;
	unsigned char proof[CRYPTO_SHA256_SIZE], signature[CRYPTO_SHA256_SIZE];
};

static void
make_nonce(struct sasl_nonce *nonce)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bytes[NONCE_BYTES * 4 / 3];

	random_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		nonce->text[i] = letters[bytes[i] & 63];
	nonce->len = sizeof(bytes);
}

enum err
delivery_account(struct delivery *d, struct smtp_client_config *config)
{
	const struct delivery_host *at = &d->hosts[d->host_at - 1];

	if (d->route.username.len == 0)
		return OK;
	config->account_has_token = d->route.token_command.count > 0; /* it is in `secret` already */
	if (!config->account_has_token)
		buf_clear(&d->secret);
	if (!config->account_has_token &&
		secret_of_conf(d->host, &d->route.password, &d->secret) != OK) {
		delivery_blame(d, 0, SPAN("4.3.5"),
			SPAN("the password of the route cannot be read (route set --password-stdin)"),
			SMTP_STAGE_CONNECT);
		return ERR_IO;
	}
	config->account = (struct sasl_account){ d->route.username, buf_span(&d->secret), at->name,
		at->port };
	make_nonce(&config->nonce);
	return OK;
}

/* ---- access tokens (XOAUTH2, RFC 7628) ---- */

static void
on_token(struct token_question *q, const struct token_answer *answer)
{
	struct delivery *d = LIST_ITEM(q, struct delivery, token);

	buf_clear(&d->secret);
	if (answer->err == OK && buf_put(&d->secret, answer->token) == OK) {
		d->token_number = answer->number;
		d->after_token(d);
		return;
	}
	delivery_blame(d, 0, SPAN("4.7.0"),
		answer->err == OK ? SPAN("the token is too long") : span_of(answer->why), SMTP_STAGE_CONNECT);
	delivery_fail(d, false);
}

void
delivery_get_token(struct delivery *d, void (*next)(struct delivery *))
{
	if (d->route.token_command.count == 0) {
		next(d);
		return;
	}
	d->after_token = next;
	d->token.done = on_token;
	token_ask(d->host, &d->token, d->route.token_command.items, d->route.token_command.count);
}

bool
delivery_token_refused(struct delivery *d, unsigned code)
{
	if (d->route.token_command.count == 0 || code / 100 != 5)
		return false;
	token_refused(d->host, d->token_number);
	if (d->token_again)
		return false;
	d->token_again = true;
	return true;
}

/* ---- proofs ---- */

static void
prove_cram(struct delivery *d, const struct sasl_task *task)
{
	struct crypto_hmac_md5 key;
	unsigned char proof[CRYPTO_MD5_SIZE];

	crypto_hmac_md5_key(buf_span(&d->secret), &key);
	crypto_hmac_md5(&key, task->text, proof);
	smtp_client_prove(&d->smtp, (struct span){ (char *)proof, sizeof(proof) }, SPAN_NONE,
		stream_out(&d->stream));
	explicit_bzero(&key, sizeof(key));
}

/* RFC 5802, 3: ClientProof := ClientKey XOR HMAC(StoredKey, AuthMessage). */
static void
run_scram(struct work *work)
{
	struct delivery_proof *p = LIST_ITEM(work, struct delivery, work)->proof;
	unsigned char salted[CRYPTO_SHA256_SIZE], client[CRYPTO_SHA256_SIZE],
		stored[CRYPTO_SHA256_SIZE], server[CRYPTO_SHA256_SIZE];
	struct span salted_key = { (char *)salted, sizeof(salted) };

	crypto_pbkdf2_sha256(p->password, p->salt, p->iterations, salted);
	crypto_hmac_sha256(salted_key, SPAN("Client Key"), client);
	crypto_sha256((struct span){ (char *)client, sizeof(client) }, stored);
	crypto_hmac_sha256((struct span){ (char *)stored, sizeof(stored) }, p->text, p->proof);
	for (size_t i = 0; i < sizeof(client); i++)
		p->proof[i] ^= client[i];
	crypto_hmac_sha256(salted_key, SPAN("Server Key"), server);
	crypto_hmac_sha256((struct span){ (char *)server, sizeof(server) }, p->text, p->signature);
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(client, sizeof(client));
	explicit_bzero(stored, sizeof(stored));
	explicit_bzero(server, sizeof(server));
}

static void
scram_done(struct work *work, enum err result)
{
	struct delivery *d = LIST_ITEM(work, struct delivery, work);
	struct delivery_proof *p = d->proof;

	d->work_lent = false;
	if (d->next != NEXT_NOTHING) {
		loop_defer(d->host->loop, &d->closing);
		return;
	}
	if (result != OK) {
		delivery_blame(d, 0, SPAN("4.3.2"), SPAN("too busy to log in"), SMTP_STAGE_AUTH);
		delivery_close(d, NEXT_ADDRESS);
		return;
	}
	smtp_client_prove(&d->smtp, (struct span){ (char *)p->proof, sizeof(p->proof) },
		(struct span){ (char *)p->signature, sizeof(p->signature) }, stream_out(&d->stream));
	delivery_go_on(d);
}

static void
prove_scram(struct delivery *d, const struct sasl_task *task)
{
	if (!d->proof)
		d->proof = ARENA_NEW(&d->arena, struct delivery_proof);
	d->proof->password = buf_span(&d->secret);
	d->proof->salt = arena_copy(&d->arena, task->salt);
	d->proof->text = arena_copy(&d->arena, task->text);
	d->proof->iterations = task->iterations;
	d->work = (struct work){ .loop = d->host->loop, .kind = WORK_GENERAL, .run = run_scram,
		.done = scram_done };
	list_init(&d->work.link);
	d->work_lent = true;
	if (workers_submit(d->host->workers, &d->work) != OK)
		scram_done(&d->work, ERR_BUSY);
}

void
delivery_prove(struct delivery *d, const struct sasl_task *task)
{
	if (task->mechanism == SASL_CLIENT_CRAM_MD5)
		prove_cram(d, task);
	else
		prove_scram(d, task);
}

void
delivery_auth_fini(struct delivery *d)
{
	token_cancel(&d->token);
	buf_wipe(&d->secret);
	if (d->proof)
		explicit_bzero(d->proof, sizeof(*d->proof));
}
