/*
 * site_auth.c - what users of a site log in with besides their password.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/secrets.h"
#include "server/session/app_password.h"
#include "server/session/login_proof.h"
#include "tests/harness/site.h"

struct giving {
	struct store_job job;
	struct site *site;
	const char *user, *kind, *text;
	enum err (*give)(struct giving *, struct txn *, struct user *);
};

static enum step
giving_apply(struct store_job *job, struct txn *txn)
{
	struct giving *g = LIST_ITEM(job, struct giving, job);
	struct user user;
	enum err err = user_find_by_name(txn_view(txn), span_of(g->user), &user);

	return step_of(job, err == OK ? g->give(g, txn, &user) : err);
}

static void
give(struct giving *g)
{
	g->job.apply = giving_apply;
	if (store_run_job_now(g->site->host.store, &g->job) == OK)
		return;
	fprintf(stderr, "%s cannot be given to %s\n", g->text, g->user);
	exit(1);
}

static enum err
give_legacy(struct giving *g, struct txn *txn, struct user *user)
{
	char name[USER_SECRET_NAME_SIZE];
	struct span secret = span_of(g->text), called = user_secret_name(user->user_id, g->kind, name);
	struct crypto_hmac_md5 key;
	struct buf sealed;
	enum err err;

	crypto_hmac_md5_key(secret, &key);
	if (strcmp(g->kind, LEGACY_CRAM_MD5) == 0)
		secret = (struct span){ (const char *)&key, sizeof(key) };
	buf_init(&sealed, SECRET_SEALED_MAX);
	err = secret_seal(&g->site->host, called, secret, &sealed);
	if (err == OK)
		err = secret_put(txn, called, buf_span(&sealed), 1000);
	buf_fini(&sealed);
	return err;
}

void
site_add_legacy(struct site *site, const char *user, const char *kind, const char *secret)
{
	give(&(struct giving){ .site = site, .user = user, .kind = kind, .text = secret,
		.give = give_legacy });
}

static enum err
give_app(struct giving *g, struct txn *txn, struct user *user)
{
	unsigned char hash[APP_HASH_SIZE];
	struct app_password app = { .user_id = user->user_id, .label = SPAN("phone"),
		.hash = { (const char *)hash, sizeof(hash) }, .protocols = 1u << USER_POP3 };

	if (!app_password_hash(user->user_id, span_of(g->text), hash))
		return ERR_SYNTAX;
	return app_password_add(txn, &app, 1000, &app.app_id);
}

void
site_add_app_password(struct site *site, const char *user, const char *text)
{
	give(&(struct giving){ .site = site, .user = user, .text = text, .give = give_app });
}

static enum err
give_scram(struct giving *g, struct txn *txn, struct user *user)
{
	struct scram_key key = { .iterations = 4096 };
	char bytes[USER_SCRAM_SIZE], hash[USER_HASH_MAX];
	size_t len = user->password_hash.len;

	memcpy(hash, user->password_hash.ptr, len); /* the row's own lies in the map */
	memcpy(key.salt, "0123456789abcdef", sizeof(key.salt));
	scram_key_from(span_of(g->text), &key);
	scram_key_put(&key, bytes);
	return user_set_password(txn, user->user_id, (struct span){ hash, len },
		(struct span){ bytes, sizeof(bytes) }, 1000);
}

void
site_set_scram(struct site *site, const char *user, const char *password)
{
	give(&(struct giving){ .site = site, .user = user, .text = password, .give = give_scram });
}
