/*
 * source_net_auth.c - the account of a collector: its password or token, and what they prove.
 *
 * A password is opened when it is needed and wiped with the connection (H66).
 */
#include "server/collect/source_net.h"
#include "server/secrets.h"

/* ---- access tokens (XOAUTH2) ---- */

static void
on_token(struct token_question *q, const struct token_answer *answer)
{
	struct source_net *n = LIST_ITEM(q, struct source_net, token);

	buf_clear(&n->secret);
	if (answer->err == OK && buf_put(&n->secret, answer->token) == OK) {
		n->token_number = answer->number;
		source_net_dial(n);
		return;
	}
	source_net_close(n, SOURCE_OWN, answer->err == OK ? "what token_command printed is too long for a token" : answer->why);
}

void
source_net_get_token(struct source_net *n)
{
	if (n->conf->token_command.count == 0) {
		source_net_dial(n);
		return;
	}
	n->problem.way = SOURCE_WANTS_TOKEN;
	n->token.done = on_token;
	token_ask(n->host, &n->token, n->conf->token_command.items, n->conf->token_command.count);
}

enum err
source_net_account(struct source_net *n, struct sasl_account *account, struct sasl_nonce *nonce)
{
	bool has_token = n->conf->token_command.count > 0;

	if (!has_token)
		buf_clear(&n->secret);
	if (!has_token && secret_of_conf(n->host, &n->conf->password, &n->secret) != OK) {
		source_net_close(n, SOURCE_OWN,
			"the password of the collector cannot be read (collect set --password-stdin)");
		return ERR_IO;
	}
	*account = (struct sasl_account){ n->conf->username, buf_span(&n->secret), n->name, n->port };
	sasl_nonce_make(nonce);
	return OK;
}

/* ---- proofs ---- */

static void
on_proof(struct sasl_proof *p, enum err result)
{
	struct source_net *n = LIST_ITEM(p, struct source_net, proof);

	if (n->closing)
		loop_defer(n->host->loop, &n->call);
	else if (result != OK)
		source_net_close(n, SOURCE_OWN, "this machine is too busy to log in there, the next run tries again");
	else
		n->events->proved(n, p->proof, p->signature);
}

void
source_net_prove_init(struct source_net *n)
{
	n->proof.done = on_proof;
	arena_init(&n->proof.arena, NULL);
}

void
source_net_prove(struct source_net *n, const struct sasl_task *task)
{
	if (!sasl_proof_begin(&n->proof, n->host->loop, n->host->workers, task, buf_span(&n->secret)))
		source_net_close(n, SOURCE_OWN, "this machine is too busy to log in there, the next run tries again");
}

void
source_net_apop(struct source_net *n, struct span timestamp, char digest[2 * CRYPTO_MD5_SIZE + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char md5[CRYPTO_MD5_SIZE];

	crypto_md5(timestamp, buf_span(&n->secret), md5);
	for (size_t i = 0; i < sizeof(md5); i++) {
		digest[2 * i] = digits[md5[i] >> 4];
		digest[2 * i + 1] = digits[md5[i] & 15];
	}
	digest[2 * CRYPTO_MD5_SIZE] = '\0';
}
