/*
 * shared.h - what is counted once for all loops.
 *
 * Connections by service and address, login attempts and delays, remembered logins, POP3 locks, the
 * register of sessions. One lock, held for a table look-up, never over a call that can wait. Every
 * function may be called from any thread. Times are those of host_steady_ms().
 */
#ifndef SERVER_SHARED_H
#define SERVER_SHARED_H

#include "proto/base/list.h"
#include "server/net/peer.h"

#define SHARED_DELAY_FIRST_MS 1000 /* after the first failed login (H57) */
#define SHARED_DELAY_MAX_MS (60 * 1000)
#define SHARED_DELAY_FORGET_MS (30 * 60 * 1000) /* a quiet time that forgives all */
#define SHARED_ATTEMPTS_MAX 20000 /* addresses and (user, address), and as many users; the oldest goes */
#define SHARED_RATES_MAX 20000	  /* addresses; the oldest goes first */
#define SHARED_RATE_MS (60 * 1000)
#define SHARED_SENT_MAX 20000 /* users; who sent longest ago goes first */
#define SHARED_SENT_MS (60 * 60 * 1000)
#define SHARED_REMEMBERED_MAX 20000
#define SHARED_SERVICES_MAX 16
#define SHARED_POPPED_MAX 20000
#define SHARED_POPPED_KEEP_MS (24 * 60 * 60 * 1000) /* what smtp.pop_before_smtp may be at most */
#define SHARED_PEOPLE_MAX 100000
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
uint64_t shared_connections_begun(struct shared *sh, unsigned service); /* since the start */

/*
 * How fast one address may connect: at most LIMIT in a minute, 0: as it likes; not counted for peers
 * of this machine. ERR_LIMIT: refuse it.
 */
MUST_CHECK enum err shared_connection_rate(struct shared *sh, const struct peer *peer,
	unsigned limit, int64_t now_ms);

/* ---- guessing made slow (H57), and locked (SEC-02) ---- */

/* What the configuration says of locks, and whether one would hold this try. */
struct lockout {
	unsigned attempts; /* failures in a row that lock; 0: none do */
	int64_t lock_ms;
	bool of_user; /* the user for all addresses; else (user, address) */
	bool exempt;  /* no lock holds this try: see login_lockout() */
};

struct login_failure {
	unsigned in_a_row; /* of (user, address) */
	bool locks;	   /* this one did it */
};

/*
 * How long a login of USER from PEER must wait before it is looked at; 0: not at all. Unknown users
 * are counted like known ones. The delay of an address and that of (user, address) both hold.
 */
int64_t shared_login_delay_ms(struct shared *sh, const struct peer *peer, struct span user,
	int64_t now_ms);
/* The same for a try that will wait so long: the next of (user, address) waits for its turn behind it. */
int64_t shared_login_begin(struct shared *sh, const struct peer *peer, struct span user,
	int64_t now_ms);
/* Does a lock hold this try? Asked before the password is looked at, and again after it was right. */
bool shared_login_is_locked(struct shared *sh, const struct peer *peer, struct span user,
	const struct lockout *lockout, int64_t now_ms);
/* One more failure. A lock under way is not made longer by it. */
struct login_failure shared_login_failed(struct shared *sh, const struct peer *peer,
	struct span user, const struct lockout *lockout, int64_t now_ms);
/* Failures in a row begin anew; a lock stays (SEC-03). */
void shared_login_good(struct shared *sh, const struct peer *peer, struct span user,
	int64_t now_ms);
void shared_login_forgive(struct shared *sh, struct span user); /* `user unlock` */
/* Until when USER is locked, for all or for some addresses; 0: not (USR-20). */
int64_t shared_user_locked_until(struct shared *sh, struct span user, int64_t now_ms);

/* ---- what is slowed, locked or refused now: `block list` ---- */

struct shared_block {
	char address[PEER_TEXT_SIZE]; /* as peer_range_text() has it; "*": any */
	char user[SHARED_USER_SIZE];  /* "*": whoever comes from there */
	const char *why;	      /* static text */
	bool is_rate;		      /* connections are refused, not logins */
	unsigned failures;	      /* or connections refused */
	int64_t since_ms, until_ms;
};

/* All of them, in no order; *out is the caller's to free. Returns how many. */
size_t shared_block_list(struct shared *sh, int64_t now_ms, struct shared_block **out);
/*
 * Forget what was counted of an address (ADDRESS NULL: of any) and a user (empty: of all there, and
 * of its connections). False: there was nothing.
 */
bool shared_block_remove(struct shared *sh, const struct peer_key *address, struct span user);

/* ---- recipients elsewhere that a user addressed within the last hour ---- */

/* COUNT more; returns how many there were before. */
uint64_t shared_sent_take(struct shared *sh, uint64_t user_id, size_t count, int64_t now_ms);
void shared_sent_give_back(struct shared *sh, uint64_t user_id, size_t count);
uint64_t shared_sent(struct shared *sh, uint64_t user_id, int64_t now_ms);
/* Is it time to tell somebody that he is over the limit? True once an hour. */
bool shared_sent_tell(struct shared *sh, uint64_t user_id, int64_t now_ms);
/* The same of a script that failed: a user's, or the site's (0). */
bool shared_script_tell(struct shared *sh, uint64_t user_id, int64_t now_ms);

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

/* ---- which messages a session was told of first (RFC 3501, 2.3.2) ---- */

/*
 * A session opens FOLDER_ID, of whose uids all below STORED were told as the store says: from now on it
 * is known here how far sessions are ahead of that.
 */
void shared_recent_begin(struct shared *sh, uint64_t folder_id, uint32_t stored);
/*
 * The first uid that no session was told of, at least KNOWN. If TAKE, the caller tells of all below
 * UIDNEXT: between begin and end.
 */
uint32_t shared_recent_from(
	struct shared *sh, uint64_t folder_id, uint32_t known, uint32_t uidnext, bool take);
/*
 * A session that began ends, or a write of the mark to the store, up to WRITTEN (0: a session's end).
 * Returns what is to be written now, which ends with another call; 0: nothing.
 */
uint32_t shared_recent_end(struct shared *sh, uint64_t folder_id, uint32_t written);

/* ---- who collects mail by POP3 (SMT-05, POP-06) ---- */

/* A login that was answered with +OK, and its end. */
void shared_pop3_came(struct shared *sh, const struct peer *peer, uint64_t user_id);
void shared_pop3_left(struct shared *sh, const struct peer *peer, int64_t now_ms);
/* Is somebody logged in from that address, or was, until at most WITHIN_MS ago? */
bool shared_pop3_recent(struct shared *sh, const struct peer *peer, int64_t within_ms,
	int64_t now_ms);
/* Somebody looks at his mail by IMAP; different users who did by either, since the last connection (SCH-06). */
void shared_person_came(struct shared *sh, uint64_t user_id);
size_t shared_people(struct shared *sh);
void shared_people_forget(struct shared *sh);

/* ---- the register of sessions ---- */

struct shared_session {
	struct list link;
	struct list of_user; /* those of one user, by a hash of user_id */
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
/* The same, unless the user has MAX sessions besides: ERR_LIMIT then, and nothing is changed. */
MUST_CHECK enum err shared_session_take_user(struct shared *sh, struct shared_session *row,
	uint64_t user_id, struct span user, unsigned max);
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
