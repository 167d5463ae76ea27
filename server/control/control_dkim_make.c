/*
 * control_dkim_make.c - keys that sign mail are made: the first ones of a domain, and those that follow.
 *
 * A worker makes and seals them, since an RSA key takes seconds; nothing but sealed bytes is kept (H65, H66).
 * New keys have selectors of their own, so that both records can be published side by side.
 */
#include <time.h>

#include "conf/conf.h"
#include "server/control/control_dkim.h"
#include "server/net/crypto.h"
#include "server/secret_key.h"
#include "store/store.h"

struct making {
	struct dkim_key keys[DKIM_ALGORITHMS];
	size_t count, total;
	bool wanted[DKIM_ALGORITHMS];
	unsigned bits;
	bool rotates;
	struct span domain, base; /* of the selectors */
	int64_t from_ms;	  /* 0: when it is told */
};

/* "20261122": what is published is told apart by the day it was made. */
static struct span
today(struct control_call *call)
{
	time_t now = (time_t)(call->now_ms / 1000);
	struct tm tm;

	gmtime_r(&now, &tm);
	return arena_printf(
		&call->arena, "%04d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static struct making *
making_new(struct control_call *call)
{
	struct making *m = ARENA_NEW(&call->arena, struct making);

	call->state = m;
	m->bits = CRYPTO_RSA_BITS_MIN;
	m->base = today(call);
	if (rpc_has(call->request, "selector") && !control_dkim_selector(call, &m->base))
		return NULL;
	if (!control_dkim_domain(call, &m->domain))
		return NULL;
	if (!call->host->secret_key->kept) {
		control_fail(call, RPC_REFUSED, "there is no key to seal with",
			"see secrets.key in the configuration and the log of the start", NULL);
		return NULL;
	}
	return m;
}

static bool
add_check(struct control_call *call)
{
	struct making *m = making_new(call);
	struct span algorithm = control_param(call, "algorithm");

	if (!m)
		return false;
	m->bits = (unsigned)rpc_number(call->request, "bits", m->bits);
	if (m->bits < CRYPTO_RSA_BITS_MIN || m->bits > CRYPTO_RSA_BITS_MAX)
		return control_failf(call, RPC_INVALID, "bits", "an RSA key has %d to %d bits",
			CRYPTO_RSA_BITS_MIN, CRYPTO_RSA_BITS_MAX);
	m->wanted[DKIM_RSA_SHA256] = !span_eq(algorithm, SPAN("ed25519"));
	m->wanted[DKIM_ED25519_SHA256] = !span_eq(algorithm, SPAN("rsa"));
	m->from_ms = rpc_flag(call->request, "now") ? call->now_ms : 0;
	return true;
}

static bool
rotate_check(struct control_call *call)
{
	struct making *m = making_new(call);
	int64_t after_ms = call->host->conf->dkim_rotate_after_ms;

	if (!m)
		return false;
	if (rpc_has(call->request, "after"))
		after_ms = (int64_t)rpc_number(call->request, "after", 0) * 1000;
	m->from_ms = call->now_ms + after_ms;
	m->rotates = true;
	return true;
}

/* A rotation makes what the domain has: an algorithm that signs, and as many bits. */
static bool
look_at_present(struct control_call *call, struct making *m)
{
	struct dkim_key key = { .algorithm = 0 };
	struct snapshot *snap;
	bool some = false;
	enum err err = snapshot_open(call->host->store, &snap);

	if (err != OK)
		return control_fail_err(call, err, "the store");
	while ((err = dkim_key_next_of(snap, m->domain, &key)) == OK) {
		if (dkim_key_state(&key, call->now_ms) == DKIM_KEY_RETIRED)
			continue;
		some = m->wanted[key.algorithm] = true;
		if (key.algorithm == DKIM_RSA_SHA256 && key.bits > m->bits)
			m->bits = (unsigned)key.bits;
	}
	snapshot_close(&snap);
	if (err != ERR_NOT_FOUND)
		return control_fail_err(call, err, "DKIM key");
	return some || control_fail(call, RPC_NOT_FOUND, "the domain has no key that could be followed",
			       "postroom dkim add DOMAIN", "domain");
}

static bool
seal(struct control_call *call, struct dkim_key *key, struct span private)
{
	char name[DKIM_KEY_NAME_SIZE];
	struct buf sealed;
	enum err err;

	buf_init(&sealed, DKIM_KEY_SEALED_MAX);
	err = crypto_seal(
		&call->host->secret_key->key, dkim_key_name(key, name), private, &sealed);
	if (err == OK)
		key->sealed = arena_copy(&call->arena, buf_span(&sealed));
	buf_fini(&sealed);
	return control_fail_err(call, err, "DKIM key");
}

static bool
make_one(struct control_call *call, struct making *m, enum dkim_algorithm algorithm)
{
	struct dkim_key *key = &m->keys[m->count++];
	struct buf private, public;
	enum err err;

	*key = (struct dkim_key){ .domain = m->domain, .selector = m->base,
		.algorithm = (uint8_t)algorithm, .made_ms = call->now_ms, .from_ms = m->from_ms,
		.bits = algorithm == DKIM_RSA_SHA256 ? m->bits : 256 };
	if (m->total > 1 || !rpc_has(call->request, "selector"))
		key->selector = arena_printf(&call->arena, "%.*s-%s", SPAN_FMT(m->base),
			dkim_key_algorithm_words[algorithm]);
	if (key->selector.len > DKIM_KEY_SELECTOR_MAX)
		return control_fail(call, RPC_INVALID, "the selector is too long", NULL, "selector");
	buf_init(&private, CRYPTO_PRIVATE_MAX);
	private.wipes = true;
	buf_init(&public, CRYPTO_PUBLIC_MAX);
	err = crypto_signer_make((enum crypto_signer)algorithm, m->bits, &private, &public);
	key->public = arena_copy(&call->arena, buf_span(&public));
	if (control_fail_err(call, err, "DKIM key"))
		seal(call, key, buf_span(&private));
	buf_wipe(&private);
	buf_fini(&public);
	return !call->failed;
}

static bool
make_work(struct control_call *call)
{
	struct making *m = call->state;

	if (m->rotates && !look_at_present(call, m))
		return false;
	for (enum dkim_algorithm i = 0; i < DKIM_ALGORITHMS; i++)
		m->total += m->wanted[i];
	if (call->foresees)
		return true;
	atomic_store(&call->progress_total, m->total);
	for (enum dkim_algorithm i = 0; i < DKIM_ALGORITHMS; i++) {
		if (m->wanted[i] && (control_is_cancelled(call) || !make_one(call, m, i)))
			return false;
		atomic_store(&call->progress_done, m->count);
	}
	return true;
}

static enum err
make_change(struct control_call *call, struct txn *txn)
{
	const struct making *m = call->state;
	struct dkim_key other;
	enum err err = OK;

	for (size_t i = 0; i < m->count && err == OK; i++) {
		err = dkim_key_find(txn_view(txn), m->domain, m->keys[i].selector, &other);
		if (err == OK) {
			control_fail(call, RPC_CLASH, "the domain has a key of this selector",
				"give another one with --selector", "selector");
			return ERR_EXISTS;
		}
		if (err == ERR_NOT_FOUND)
			err = control_dkim_put(txn, &m->keys[i]);
		if (err == OK && m->from_ms != 0)
			err = control_dkim_end_others(txn, &m->keys[i], m->from_ms);
	}
	call->job_done = m->count;
	return err;
}

static void
make_finish(struct control_call *call)
{
	const struct making *m = call->state;
	struct span names = m->keys[0].selector;

	for (size_t i = 1; i < m->count; i++)
		names = arena_printf(&call->arena, "%.*s and %.*s", SPAN_FMT(names),
			SPAN_FMT(m->keys[i].selector));
	if (m->from_ms == 0)
		call->note = arena_printf(&call->arena,
			"%.*s made; publish what `postroom setup dns %.*s` shows, then: postroom dkim use %.*s",
			SPAN_FMT(names), SPAN_FMT(m->domain), SPAN_FMT(m->domain));
	else
		call->note = arena_printf(&call->arena,
			"%.*s made, signing from %.*s on; publish what `postroom setup dns %.*s` shows before",
			SPAN_FMT(names), SPAN_FMT(control_time(&call->arena, m->from_ms)),
			SPAN_FMT(m->domain));
}

static enum step
make_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct making *m = call->state;

	(void)snap;
	control_foresee(call,
		arena_printf(&call->arena, "%zu key(s) for %.*s are made", m->total,
			SPAN_FMT(m->domain)));
	if (m->from_ms != 0)
		control_foresee(call, arena_printf(&call->arena, "they sign from %.*s on",
			SPAN_FMT(control_time(&call->arena, m->from_ms))));
	return STEP_DONE;
}

const struct control_handler control_do_dkim_add = {
	.check = add_check,
	.work = make_work,
	.work_kind = WORK_LONG,
	.foresee = make_foresee,
	.change = make_change,
	.finish = make_finish,
	.object = "DKIM key",
};

const struct control_handler control_do_dkim_rotate = {
	.check = rotate_check,
	.work = make_work,
	.work_kind = WORK_LONG,
	.foresee = make_foresee,
	.change = make_change,
	.finish = make_finish,
	.object = "DKIM key",
};
