/*
 * shared_state.h - what is behind struct shared, for the shared*.c files alone.
 */
#ifndef SERVER_SHARED_STATE_H
#define SERVER_SHARED_STATE_H

#include <pthread.h>

#include "server/shared.h"

#define BUCKETS 4096 /* a power of two */
#define LOGIN_ID_SIZE 16
#define REMEMBERED_HASH_SIZE 32

/* Rows in buckets by a hash, and in one list by age. */
struct table {
	struct list buckets[BUCKETS];
	struct list by_age; /* the oldest first */
	size_t count;
};

struct shared {
	pthread_mutex_t lock;
	unsigned by_service[SHARED_SERVICES_MAX];
	uint64_t begun[SHARED_SERVICES_MAX]; /* since the start */
	unsigned total;
	struct list addresses[BUCKETS];
	struct list pop3_locks[BUCKETS];
	struct list recents[BUCKETS]; /* struct recent_row, by folder_id */
	struct list sessions; /* by rising id */
	struct list user_sessions[BUCKETS]; /* the same by user_id */
	unsigned session_count;
	uint64_t last_id;
	struct table attempts; /* struct attempt_row: of addresses, and of (user, address) */
	struct table users;    /* struct attempt_row: of users, wherever they come from */
	struct table rates;
	struct table sent; /* struct sent_row */
	struct table remembered;
	struct table popped; /* addresses that collected by POP3 */
	struct table people; /* users that did */
	struct table rules; /* struct rule_row */
	struct list rules_dirty; /* of them, not written yet */
	unsigned char *key; /* of this process, in locked memory */
};

/* Failed logins: of an address, of (user, address), or of a user. */
enum attempt_kind { ATTEMPT_ADDRESS, ATTEMPT_PAIR, ATTEMPT_USER };

struct attempt_row {
	struct list link, age;
	unsigned char id[LOGIN_ID_SIZE];
	unsigned char who[LOGIN_ID_SIZE]; /* the user's; zero in an address's row */
	enum attempt_kind kind;
	struct peer_key key;	      /* zero in a user's row */
	char address[PEER_TEXT_SIZE]; /* for people */
	char user[SHARED_USER_SIZE];
	unsigned failures; /* since they were forgotten: what the delay grows by */
	unsigned in_a_row; /* since the last success or lock: what locks */
	int64_t since_ms, last_ms;
	int64_t booked_ms;	 /* of a pair: when the last try that waits will be looked at */
	int64_t locked_until_ms; /* of a pair or a user */
	int64_t shown_until_ms;	 /* of a user: the latest lock of his pairs */
};

/* ---- shared_recents.c; the caller holds the lock ---- */

void recents_init(struct shared *sh);
void recents_fini(struct shared *sh);

void table_init(struct table *t);
uint64_t hash_bytes(const void *bytes, size_t size);

MUST_CHECK enum err shared_logins_init(struct shared *sh);
void shared_logins_fini(struct shared *sh);

/* ---- shared_attempts.c; the caller holds the lock ---- */

void attempts_fini(struct shared *sh);
void attempts_sweep(struct shared *sh, int64_t now_ms);
void attempt_drop(struct shared *sh, struct attempt_row *row);
/* How long a try still waits on this row. */
int64_t attempt_delay(const struct attempt_row *row, int64_t now_ms);
/* The rows of users again say what the locks of their pairs say. */
void attempts_show_users(struct shared *sh);
/* PEER NULL: of the user alone; USER empty: of the address. Letter case does not count. */
void login_id(const struct shared *sh, const struct peer *peer, struct span user,
	unsigned char out[LOGIN_ID_SIZE]);

/* ---- shared_rates.c; likewise ---- */

struct rate_row {
	struct list link, age; /* by age: when the minute began */
	struct peer_key key;
	char address[PEER_TEXT_SIZE];
	int64_t since_ms;
	unsigned count, refused; /* in this minute */
};

void rates_fini(struct shared *sh);
void rates_sweep(struct shared *sh, int64_t now_ms);
void rate_drop(struct shared *sh, struct rate_row *row);

/* ---- shared_popped.c; likewise ---- */

void popped_fini(struct shared *sh);
void popped_sweep(struct shared *sh, int64_t now_ms);

/* ---- shared_rules.c; likewise ---- */

void rules_init(struct shared *sh);
void rules_fini(struct shared *sh);

/* ---- shared_sent.c; likewise ---- */

void sent_fini(struct shared *sh);
void sent_sweep(struct shared *sh, int64_t now_ms);

#endif
