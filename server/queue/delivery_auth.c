/*
 * delivery_auth.c - the account of a route, and what it proves to a server (OUT-06).
 *
 * The password is opened when it is needed and wiped with the delivery (H66).
 */
#include "conf/conf.h"
#include "server/host.h"
#include "server/queue/delivery.h"
#include "server/secrets.h"

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
	sasl_nonce_make(&config->nonce);
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
on_proof(struct sasl_proof *p, enum err result)
{
	struct delivery *d = LIST_ITEM(p, struct delivery, proof);

	if (d->next != NEXT_NOTHING) {
		loop_defer(d->host->loop, &d->closing);
		return;
	}
	if (result != OK) {
		delivery_blame(d, 0, SPAN("4.3.2"), SPAN("too busy to log in"), SMTP_STAGE_AUTH);
		delivery_close(d, NEXT_ADDRESS);
		return;
	}
	smtp_client_prove(&d->smtp, p->proof, p->signature, stream_out(&d->stream));
	delivery_go_on(d);
}

void
delivery_prove(struct delivery *d, const struct sasl_task *task)
{
	d->proof.done = on_proof;
	if (!sasl_proof_begin(&d->proof, d->host->loop, d->host->workers, task, buf_span(&d->secret)))
		on_proof(&d->proof, ERR_BUSY);
}

void
delivery_auth_fini(struct delivery *d)
{
	token_cancel(&d->token);
	buf_wipe(&d->secret);
	if (!d->proof.lent)
		sasl_proof_fini(&d->proof);
}
