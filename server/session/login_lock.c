/*
 * login_lock.c - see login_lock.h.
 */
#include "server/session/login_lock.h"

#include "conf/conf.h"
#include "server/metrics.h"
#include "store/logins.h"

#define PLACE_KNOWN_MS (30ll * 24 * 3600 * 1000) /* H57 */
#define MINUTE_MS (60 * 1000)

static bool
is_known_place(struct host *host, const struct peer *peer, uint64_t user_id)
{
	struct snapshot *snap = host_snapshot(host);
	char place[PEER_TEXT_SIZE];
	struct logins logins;

	peer_range_text(peer, place);
	return snap && logins_find(snap, user_id, &logins) == OK &&
		logins_knows(&logins, span_of(place), host_now_ms(host) - PLACE_KNOWN_MS);
}

struct lockout
login_lockout(struct host *host, const struct peer *peer, uint64_t user_id)
{
	const struct conf *conf = host->conf;
	struct lockout lockout = { .attempts = (unsigned)conf->lockout_attempts,
		.lock_ms = conf->lockout_minutes * MINUTE_MS,
		.of_user = conf->lockout_scope == LOCKOUT_USER };

	lockout.exempt = peer_is_here(peer) && !conf->lockout_apply_to_loopback;
	if (is_known_place(host, peer, user_id) && !lockout.of_user)
		lockout.exempt = true;
	return lockout;
}

/* One line of the security log. */
static void
log_try(const struct login_try *t, enum log_level level, const char *text, const char *why,
	int64_t delay_ms)
{
	log_put(t->host->log,
		&(struct log_line){ .level = level, .area = "security", .session = t->session,
			.text = text,
			.fields = { { "user", t->user, 0 },
				{ "address", span_of(t->peer->text), 0 },
				{ "service", span_of(t->service), 0 },
				{ why ? "why" : NULL, span_of(why ? why : ""), 0 },
				{ why && delay_ms > 0 ? "delayed_ms" : NULL, .number = delay_ms } } });
}

static void
log_lock(const struct login_try *t, const struct lockout *lockout)
{
	char range[PEER_TEXT_SIZE];

	peer_range_text(t->peer, range);
	log_put(t->host->log,
		&(struct log_line){ .level = LEVEL_WARNING, .area = "security",
			.session = t->session, .text = "locked",
			.fields = { { "user", t->user, 0 },
				{ "address", lockout->of_user ? SPAN("any") : span_of(range), 0 },
				{ "service", span_of(t->service), 0 },
				{ "failures", .number = lockout->attempts },
				{ "minutes", .number = lockout->lock_ms / MINUTE_MS } } });
}

void
login_failed(const struct login_try *t, const struct lockout *lockout, const char *why,
	int64_t delay_ms)
{
	struct login_failure failure = shared_login_failed(
		t->host->shared, t->peer, t->user, lockout, host_steady_ms(t->host));

	metric_add(t->host->metrics, logins_failed, 1);
	log_try(t, LEVEL_WARNING, "login failed", why, delay_ms);
	if (!failure.locks)
		return;
	metric_add(t->host->metrics, locks, 1);
	log_lock(t, lockout);
}

void
login_good(const struct login_try *t, int64_t delay_ms)
{
	shared_login_good(t->host->shared, t->peer, t->user, host_steady_ms(t->host));
	metric_add(t->host->metrics, logins, 1);
	if (t->host->conf->log_logins)
		log_try(t, LEVEL_INFO, "login", NULL, delay_ms);
}

void
login_not_now(const struct login_try *t, const char *why)
{
	metric_add(t->host->metrics, logins_failed, 1);
	log_try(t, LEVEL_WARNING, "login failed", why, 0);
}
