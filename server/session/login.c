/*
 * login.c - from credentials to a user, or not.
 *
 *     begin --delay--> look up --proof, remembered, app password--> done
 *                          |
 *                          +--hash on a worker--> done
 *                                     |
 *                                     +--PAM, on another (SEC-06)--> done; a refusal by the second
 */
#include "server/session/login.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/work.h"
#include "server/pipeline/names.h"
#include "server/server.h"
#include "server/services.h"
#include "server/session/app_password.h"
#include "server/session/door.h"
#include "server/session/login_lock.h"
#include "server/session/login_notes.h"
#include "server/session/login_proof.h"
#include "server/session/password.h"
#include "store/groups.h"

#define LOGIN_NAME_MAX 255 /* bytes of a name as given */
#define LOCKED "locked after failed logins"
#define PAM_STEP_MS 1000 /* what PAM refuses is told at the end of one of these (H58) */

struct login {
	struct work work; /* first: the worker sees nothing else move */
	struct session *session; /* NULL: cancelled */
	struct host *host;
	struct peer peer; /* the session's, which may be gone */
	struct loop_timer delay;
	struct loop_call call; /* without a delay: at the end of the turn */
	enum user_protocol protocol;
	login_done *done;
	bool at_work;
	struct login_try try;
	struct lockout lockout;
	char session_name[SESSION_NAME_SIZE];
	bool may; /* enabled, the protocol allowed, the address too */
	const char *why; /* static text, for the log alone: what speaks against it */
	int64_t delay_ms; /* that it had to wait before it was looked at (H57) */
	uint64_t user_id, revision;
	struct password_cost cost;
	struct sasl_login given; /* of a proof: its spans are the machine's, which waits */
	uint64_t app_id; /* the app password that it was; 0: none */
	bool renews_scram; /* the key is to be made, or to go: see auth.scram */
	size_t scram_len; /* of the new one */
	bool has_signature;
	unsigned char signature[CRYPTO_SHA256_SIZE];
	size_t name_len, password_len, hash_len;
	char name[LOGIN_NAME_MAX];
	char password[SASL_PASSWORD_MAX + 1]; /* one more, so that a longer one is no match */
	char hash[USER_HASH_MAX];
	char account[USER_NAME_MAX + 1]; /* whom PAM is asked about (USR-33) */
	bool caches;	    /* what PAM found right becomes the stored password (SEC-07) */
	bool pam_is_silent; /* it was asked and did not say */
	bool holds_back; /* refused, and not yet told */
	int64_t pam_since_ms;
	char rehash[PASSWORD_HASH_SIZE]; /* a better one, 0-terminated; "" where it is good enough */
	char scram[USER_SCRAM_SIZE];
};

static struct span
name_of(const struct login *l)
{
	return (struct span){ l->name, l->name_len };
}

static struct span
password_of(const struct login *l)
{
	return (struct span){ l->password, l->password_len };
}

static size_t
keep(char *out, size_t size, struct span text)
{
	size_t len = text.len < size ? text.len : size;

	if (len > 0)
		memcpy(out, text.ptr, len);
	return len;
}

static void
login_free(struct login *l)
{
	loop_timer_clear(&l->delay);
	loop_call_cancel(&l->call);
	explicit_bzero(l, sizeof(*l)); /* H66 */
	free(l);
}

/* Of this user now; asked again where the password was right, for others may have guessed meanwhile. */
static bool
is_locked(const struct login *l)
{
	return shared_login_is_locked(l->host->shared, &l->peer, name_of(l), &l->lockout,
		host_steady_ms(l->host));
}

/* The end of a try. L is gone afterwards. */
static void
finish(struct login *l, enum err result)
{
	struct session *s = l->session;

	l->try.user = name_of(l);
	if (result == OK && is_locked(l)) {
		result = ERR_DENIED;
		l->why = LOCKED;
	}
	if (result == ERR_DENIED || l->pam_is_silent) /* also where nobody waits for it (H57) */
		login_failed(&l->try, &l->lockout, l->why, l->delay_ms);
	else if (result != OK)
		login_not_now(&l->try, err_name(result));
	if (!s) {
		login_free(l);
		return;
	}
	if (result == OK) {
		login_good(&l->try, l->delay_ms);
		login_note(l->host, l->user_id, l->protocol, &l->peer, l->app_id);
	}
	l->done(s, result, l->user_id, name_of(l));
	login_free(l);
}

/* What is kept of a good password, as the settings ask for it now; ANEW: it is not the stored one. */
static void
renew(struct login *l, bool anew)
{
	struct scram_key key;

	if ((anew || password_is_weak((struct span){ l->hash, l->hash_len }, &l->cost)) &&
		password_hash(password_of(l), &l->cost, l->rehash) != OK)
		l->rehash[0] = '\0'; /* another time */
	if (anew)
		l->renews_scram = l->rehash[0] != '\0'; /* a key of the old one must not stay */
	if (!l->renews_scram || l->scram_len == 0)
		return;
	scram_key_make(password_of(l), &key);
	scram_key_put(&key, l->scram);
	explicit_bzero(&key, sizeof(key));
}

static void
work_run(struct work *work)
{
	struct login *l = LIST_ITEM(work, struct login, work);
	struct span hash = { l->hash, l->hash_len };

	work->result = password_check(hash, password_of(l), &l->cost);
	if (work->result == OK && l->may)
		renew(l, false);
}

static void
pam_run(struct work *work)
{
	struct login *l = LIST_ITEM(work, struct login, work);
	struct span account = l->may ? span_of(l->account) : SPAN(LOGIN_NOBODYS_ACCOUNT);

	work->result = server_pam_check(l->host->server, account, password_of(l));
	l->renews_scram = false; /* the stored password is another */
	if (work->result == OK && l->may && l->caches)
		renew(l, true);
}

static bool begin_work(struct login *l, enum work_kind kind);

/*
 * SEC-06: where the stored password did not fit, PAM may know it. It is asked about those, too, who may
 * not log in, under a name that no account has: the same work, and no account of theirs is counted on.
 */
static bool
wants_pam(const struct login *l, enum err result)
{
	return result == ERR_DENIED && l->work.kind == WORK_HASH && l->host->conf->auth_pam &&
		l->host->server;
}

static void
on_held_back(struct loop_timer *timer)
{
	struct login *l = LIST_ITEM(timer, struct login, delay);
	struct session *s = l->session;

	finish(l, ERR_DENIED);
	if (s)
		session_release(s);
}

/* A stack is quick about accounts that are not there: its time must not tell who is (H58). */
static bool
hold_back(struct login *l, enum err result)
{
	int64_t took_ms = loop_now_ms(l->host->loop) - l->pam_since_ms;
	int64_t wait_ms = PAM_STEP_MS - took_ms % PAM_STEP_MS;

	if (result != ERR_DENIED || l->work.kind != WORK_PAM || !l->session)
		return false;
	l->holds_back = true;
	loop_timer_init(&l->delay, on_held_back);
	loop_timer_set(l->host->loop, &l->delay, wait_ms);
	session_delay_deadline(l->session, wait_ms);
	return true;
}

static void
work_done(struct work *work, enum err result)
{
	struct login *l = LIST_ITEM(work, struct login, work);
	struct session *s = l->session;

	if (result == ERR_CORRUPT) {
		result = ERR_DENIED; /* a hash in no known form lets nobody in */
		l->why = l->user_id != 0 && l->may ? "no password is set" : l->why;
	}
	if (result == OK && !l->may)
		result = ERR_DENIED;
	if (wants_pam(l, result)) {
		l->pam_since_ms = loop_now_ms(l->host->loop);
		if (begin_work(l, WORK_PAM))
			return;
		result = ERR_BUSY; /* too many wait: it was not found wrong */
	}
	if (hold_back(l, result))
		return;
	l->pam_is_silent = l->work.kind == WORK_PAM && result == ERR_BUSY;
	if (l->pam_is_silent)
		l->why = "PAM gave no answer";
	if (result == OK && (l->rehash[0] != '\0' || l->renews_scram))
		login_renew(l->host, l->user_id, l->revision,
			&(struct login_renewed){ .hash = span_of(l->rehash),
				.scram = { l->scram, l->scram_len },
				.renews_scram = l->renews_scram });
	/* what PAM said is not remembered: nobody tells us when it changes */
	if (result == OK && s && l->work.kind == WORK_HASH && s->conf->auth_remember_ms > 0 &&
		!is_locked(l))
		shared_login_remember(l->host->shared, l->user_id, l->revision, password_of(l),
			host_steady_ms(l->host) + s->conf->auth_remember_ms);
	finish(l, result);
	if (s)
		session_release(s);
}

static bool
begin_work(struct login *l, enum work_kind kind)
{
	l->work = (struct work){ .loop = l->host->loop, .kind = kind,
		.run = kind == WORK_PAM ? pam_run : work_run, .done = work_done };
	list_init(&l->work.link);
	return workers_submit(l->host->workers, &l->work) == OK;
}

static void
hash_begin(struct login *l)
{
	if (!begin_work(l, WORK_HASH)) {
		finish(l, ERR_BUSY);
		return;
	}
	l->at_work = true;
	session_hold(l->session);
}

/* What keeps USER from logging in here; NULL: nothing but a wrong password. Static text. */
static const char *
user_may_not(struct login *l, struct snapshot *snap, const struct user *user)
{
	struct group group;

	if (!user->enabled)
		return "the user is disabled";
	if (!(user->protocols & (1u << l->protocol)))
		return "the user may not use this protocol";
	if (user->group != 0 && group_find(snap, user->group, &group) == OK && !group.enabled)
		return "the user's group is disabled";
	return door_allows_login(l->session->conf, l->session->service->number, &l->session->peer,
		       user->name)
		? NULL
		: "not from this address";
}

/* `anna`, or `anna@example.org` where that domain is ours. */
static struct span
local_name(const struct conf *conf, struct span name)
{
	struct span local_part, domain;

	if (!span_cut(name, '@', &local_part, &domain))
		return name;
	return conf_is_local(conf, local_part, domain) ? local_part : name;
}

/* What is needed of USER when the snapshot has gone. */
static void
user_keep(struct login *l, struct snapshot *snap, const struct user *user)
{
	l->why = is_locked(l) ? LOCKED : user_may_not(l, snap, user);
	l->may = l->why == NULL;
	if (l->may)
		l->why = "wrong password";
	l->user_id = user->user_id;
	l->revision = user->password_revision;
	l->name_len = keep(l->name, sizeof(l->name), user->name);
	snprintf(l->account, sizeof(l->account), "%.*s",
		SPAN_FMT(user->system_name.len > 0 ? user->system_name : user->name));
	l->caches = l->session->conf->auth_pam_cache;
	l->hash_len = user->password_hash.len <= sizeof(l->hash)
		? keep(l->hash, sizeof(l->hash), user->password_hash)
		: 0;
	l->renews_scram = l->session->conf->auth_scram != (user->scram.len > 0);
	l->scram_len = l->session->conf->auth_scram ? USER_SCRAM_SIZE : 0;
}

/* A password that needs no slow hash: one that was good a moment ago, or one that we made. */
static bool
is_quickly_right(struct login *l, struct snapshot *snap)
{
	if (!l->may)
		return false;
	/* a SCRAM key is made where the password is hashed: not passed by for that (auth.scram) */
	if (l->session->conf->auth_remember_ms > 0 && !l->renews_scram &&
		shared_login_is_remembered(l->host->shared, l->user_id, l->revision,
			password_of(l), host_steady_ms(l->host)))
		return true;
	l->app_id = app_password_which(snap, l->user_id, l->protocol, password_of(l));
	return l->app_id != 0;
}

static enum err
prove(struct login *l, struct snapshot *snap, const struct user *user)
{
	enum err err = login_proof(l->host, snap, user, &l->given, l->signature);

	if (err != OK && l->may)
		l->why = login_proof_why(&l->given, err);
	if (err == ERR_NOT_FOUND || !l->may)
		err = ERR_DENIED;
	l->has_signature = err == OK && l->given.mechanism == SASL_SCRAM_SHA_256;
	return err;
}

static void
look_up(struct login *l)
{
	struct snapshot *snap = host_snapshot(l->host);
	struct user user;
	enum err err;

	if (!snap) {
		finish(l, ERR_BUSY);
		return;
	}
	err = names_user(snap, name_of(l), &user);
	l->lockout = login_lockout(l->host, &l->peer, err == OK ? user.user_id : 0);
	if (err == OK)
		user_keep(l, snap, &user);
	if (err != OK && err != ERR_NOT_FOUND)
		finish(l, ERR_IO);
	else if (login_is_proof(&l->given))
		finish(l, prove(l, snap, err == OK ? &user : NULL));
	else if (is_quickly_right(l, snap))
		finish(l, OK);
	else
		hash_begin(l);
}

static void
on_delay(struct loop_timer *timer)
{
	look_up(LIST_ITEM(timer, struct login, delay));
}

static void
on_call(struct loop_call *call)
{
	look_up(LIST_ITEM(call, struct login, call));
}

/* `anna@example.org` counts and delays as `anna` does. */
static void
name_keep(struct login *l, struct span given)
{
	struct span name;

	l->name_len = keep(l->name, sizeof(l->name), given);
	name = local_name(l->session->conf, name_of(l));
	l->name_len = name.len;
}

struct login *
login_begin(struct session *s, enum user_protocol protocol, const struct sasl_login *credentials,
	login_done *done)
{
	struct login *l = calloc(1, sizeof(*l));
	bool for_another = credentials->authzid.len > 0 &&
		!span_eq_nocase(credentials->authzid, credentials->name);

	ENSURE(l);
	l->session = s;
	l->host = s->host;
	l->peer = s->peer;
	l->protocol = protocol;
	l->why = for_another ? "asks to act for another" : "no such user";
	l->done = done;
	l->cost = (struct password_cost){ (size_t)s->conf->auth_hash_memory,
		(unsigned)s->conf->auth_hash_passes };
	/* RFC 4616, 2: nobody here acts for another; "" is no user's name */
	name_keep(l, for_another ? SPAN_NONE : credentials->name);
	l->password_len = keep(l->password, sizeof(l->password), credentials->password);
	l->given = (struct sasl_login){ .mechanism = credentials->mechanism,
		.asked = credentials->asked, .proof = credentials->proof };
	loop_timer_init(&l->delay, on_delay);
	loop_call_init(&l->call, on_call);
	session_wait_is_idle(s);
	snprintf(l->session_name, sizeof(l->session_name), "%s", s->name);
	l->try = (struct login_try){ .host = s->host, .peer = &l->peer,
		.service = s->service->name, .session = l->session_name };
	l->delay_ms = shared_login_begin(
		s->host->shared, &s->peer, name_of(l), host_steady_ms(s->host));
	session_delay_deadline(s, l->delay_ms); /* the peer is not slow, we are */
	/* never from inside the call: the caller has yet to keep what we return */
	if (l->delay_ms > 0)
		loop_timer_set(s->host->loop, &l->delay, l->delay_ms);
	else
		loop_defer(s->host->loop, &l->call);
	return l;
}

void
login_cancel(struct login **at)
{
	struct login *l = *at;

	*at = NULL;
	if (!l)
		return;
	if (!l->at_work) {
		login_free(l);
		return;
	}
	session_release(l->session);
	l->session = NULL;
	if (l->holds_back)
		finish(l, ERR_DENIED); /* nobody waits for it any more */
}

struct span
login_signature(const struct login *l)
{
	return (struct span){ (const char *)l->signature, l->has_signature ? sizeof(l->signature) : 0 };
}

void
login_keys(struct session *s, struct span name, struct scram_key *out)
{
	login_scram_keys(s->host, local_name(s->conf, name), out);
}
