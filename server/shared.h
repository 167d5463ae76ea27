/*
 * shared.h - what is counted once for all loops.
 *
 * Connections by service and address, login attempts and delays, remembered logins, POP3 locks, the
 * register of sessions. One lock, held for a table look-up, never over a call that can wait. Every
 * function may be called from any thread. Times are the monotonic ms of the caller's loop.
 */
#ifndef SERVER_SHARED_H
#define SERVER_SHARED_H

#include "proto/base/list.h"
#include "server/net/peer.h"

#define SHARED_DELAY_FIRST_MS 1000 /* after the first failed login (H57) */
#define SHARED_DELAY_MAX_MS (60 * 1000)
#define SHARED_DELAY_FORGET_MS (30 * 60 * 1000) /* a quiet time that forgives all */
#define SHARED_ATTEMPTS_MAX 20000		/* rows; the oldest goes first */
#define SHARED_REMEMBERED_MAX 20000
#define SHARED_SERVICES_MAX 16
#define SHARED_USER_SIZE 64 /* of a name in the register; longer ones are cut */

struct shared;
struct service;

MUST_CHECK enum err shared_open(struct shared **out);
void shared_close(struct shared **sh);

/* ---- connections (H32) ---- */

struct connection_limits {
	unsigned max_connections; /* of this service */
	unsigned max_per_ip;
	unsigned max_before_login; /* of one address, on services where one logs in */
	unsigned max_total;	   /* of all services; the control socket is not counted */
};

/*
 * Count one more of SERVICE. ERR_LIMIT: refuse it, nothing was counted. What limits one address does
 * not hold for peers of this machine: a filter, a test or a web mailer may open many.
 */
MUST_CHECK enum err shared_connection_begin(struct shared *sh, const struct service *service,
	const struct peer *peer, const struct connection_limits *limits);
void shared_connection_logged_in(struct shared *sh, const struct service *service,
	const struct peer *peer);
void shared_connection_end(struct shared *sh, const struct service *service,
	const struct peer *peer, bool logged_in);
unsigned shared_connections(struct shared *sh, unsigned service); /* by its number */

/* ---- guessing (H57) ---- */

/*
 * How long a login of USER from PEER must wait before it is looked at; 0: not at all. Unknown users
 * are counted like known ones. The delay of an address and that of (user, address) both hold.
 */
int64_t shared_login_delay_ms(struct shared *sh, const struct peer *peer, struct span user,
	int64_t now_ms);
/* One more failure; returns how many in a row (user, address) has. */
unsigned shared_login_failed(struct shared *sh, const struct peer *peer, struct span user,
	int64_t now_ms);
void shared_login_good(struct shared *sh, const struct peer *peer, struct span user,
	int64_t now_ms);
void shared_login_forgive(struct shared *sh, struct span user); /* `user unlock` */

/* ---- remembered logins (H63) ---- */

/*
 * REVISION is the password's; a changed one never matches. Only a keyed hash is kept, under a key
 * of this process in locked memory.
 */
bool shared_login_is_remembered(struct shared *sh, uint64_t user_id, uint64_t revision,
	struct span password, int64_t now_ms);
void shared_login_remember(struct shared *sh, uint64_t user_id, uint64_t revision,
	struct span password, int64_t until_ms);
void shared_login_drop(struct shared *sh, uint64_t user_id); /* password changed, locked, disabled */

/* ---- POP3 locks ---- */

MUST_CHECK enum err shared_pop3_lock(struct shared *sh, uint64_t user_id); /* ERR_BUSY: taken */
void shared_pop3_unlock(struct shared *sh, uint64_t user_id);

/* ---- the register of sessions ---- */

struct shared_session {
	struct list link;
	uint64_t id; /* given by shared_session_add(); s1, s2, ... */
	unsigned loop;
	const struct service *service;
	const char *doing; /* static text */
	const char *tls;   /* "TLSv1.2" or "" */
	int64_t since_ms;  /* wall clock */
	uint64_t user_id;  /* 0: not logged in */
	char user[SHARED_USER_SIZE];
	struct peer peer;
};

void shared_session_add(struct shared *sh, struct shared_session *row); /* fills id */
void shared_session_remove(struct shared *sh, struct shared_session *row);
void shared_session_set_user(struct shared *sh, struct shared_session *row, uint64_t user_id,
	struct span user);
void shared_session_set_doing(struct shared *sh, struct shared_session *row, const char *doing);
void shared_session_set_tls(struct shared *sh, struct shared_session *row, const char *version);
unsigned shared_session_count(struct shared *sh);
/* Copies of at most MAX rows with id above AFTER_ID, lowest first; returns how many. */
size_t shared_session_list(struct shared *sh, uint64_t after_id, struct shared_session *rows,
	size_t max);
MUST_CHECK enum err shared_session_find(struct shared *sh, uint64_t id, struct shared_session *out);

uint64_t shared_session_of_user(struct shared *sh, uint64_t user_id); /* the first one, or 0 */

/* Forget what has expired; a task runs it each minute. */
void shared_sweep(struct shared *sh, int64_t now_ms);

#endif
