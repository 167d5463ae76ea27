/*
 * login_lock.h - what one failed or good try to log in does: counted, logged, locked (SEC-02, SEC-05).
 *
 * For every door behind which a password is asked: sessions by login.h, the control socket's `auth`.
 * All of them share the counters (H57). A lock holds
 *
 *   scope source   for (user, address), but not where that user logged in from that address within
 *                  30 days: who guesses can lock out himself alone
 *   scope user     for the user, wherever he comes from
 *
 * and in neither for this machine itself (SEC-04), unless lockout.apply_to_loopback.
 */
#ifndef SERVER_SESSION_LOGIN_LOCK_H
#define SERVER_SESSION_LOGIN_LOCK_H

#include "server/host.h"
#include "server/log.h"
#include "server/shared.h"

#define LOGIN_NOBODYS_ACCOUNT "nobody.invalid" /* whom PAM is asked about for those who may not */

struct login_try {
	struct host *host;
	const struct peer *peer;
	const char *service; /* its name in the file, or "control" */
	const char *session; /* "s17" */
	struct span user;    /* as counted: without a domain of ours */
};

/* What locks mean for a try of USER_ID (0: nobody) from PEER. Loop thread. */
struct lockout login_lockout(struct host *host, const struct peer *peer, uint64_t user_id);

/*
 * It failed for WHY, static text for the log alone, after it had been delayed. Counts it, locks where
 * it is due, and writes both to the security log.
 */
void login_failed(const struct login_try *t, const struct lockout *lockout, const char *why,
	int64_t delay_ms);

/* It was good: counting begins anew; logged where log.logins is on. */
void login_good(const struct login_try *t, int64_t delay_ms);

/* It came to no end: trouble of ours, or a limit. Counted as nothing, logged with WHY. */
void login_not_now(const struct login_try *t, const char *why);

#endif
