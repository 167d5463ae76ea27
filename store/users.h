/*
 * users.h - users: one row a user, and the table of names that users, groups and lists share.
 *
 *      add ---> live ---remove---> in the bin ---purge---> gone
 *                ^                    |
 *                +------restore-------+        (ERR_EXISTS where the name was taken meanwhile)
 *
 * A user in the bin keeps row, folders and messages, but his name is free (USR-13; kept for
 * users.bin_keep). Names compare without case and are kept as they were typed.
 *
 * Spans in a struct user point into the snapshot they were read from. In a write transaction they
 * die with the next write: copy what is needed longer (user_copy).
 *
 * Errors, unless said otherwise: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, and for writes ERR_FULL.
 */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include "store/fields.h"
#include "store/user_fields.h"

struct snapshot;
struct txn;

enum user_protocol { /* a bit each in user.protocols, USR-22 */
	USER_POP3,
	USER_IMAP,
	USER_SMTP,
	USER_CONSOLE,
	USER_PASSWORD,
	USER_LDAP,
	USER_PROTOCOL_COUNT,
};
#define USER_PROTOCOLS_ALL ((1u << USER_PROTOCOL_COUNT) - 1)
extern const char *const user_protocol_words[]; /* pop3 imap smtp console password ldap */

enum user_size_action { USER_SIZE_COPY, USER_SIZE_REDIRECT }; /* RTE-09 */
extern const char *const user_size_actions[];

struct user {
	uint64_t user_id; /* the key, not a field */
	struct span name, comment, full_name;
	uint64_t group; /* group_id; 0 is none, USR-18 */
	bool enabled, admin;
	uint64_t quota_mb;
	uint32_t protocols;
	struct span assistants, forward_to; /* "a;b", RTE-02, RTE-06 */
	bool assistant_redirect, forward;
	uint64_t size_over_kb, size_under_kb; /* 0: that rule is off, RTE-09 */
	uint8_t size_over_action, size_under_action;
	struct span size_over_to, size_under_to;
	bool send_internet, receive_internet;
	uint64_t max_out_kb; /* 0: no limit */
	bool monitor, everyone, no_signature;
	struct span reply_address, store_forward_address, store_forward_server, system_name;
	struct span identities; /* "a;b": addresses he may write as besides his own, USR-21 */
	struct span password_hash;  /* as crypt(3) writes it; empty: no password logs in */
	uint64_t password_revision; /* rises with every change, never falls (H63) */
	int64_t password_changed_ms;
	struct span scram; /* key of SCRAM-SHA-256, or empty (H63) */
	int64_t created_ms, changed_ms, removed_ms;
	uint64_t revision; /* rises with every user_set, to see a clash of two editors */
};

extern const struct field_table user_table;

/* A user with the defaults: enabled, every protocol, may send and receive, in Everyone. */
void user_init(struct user *user);
void user_copy(struct user *user, struct arena *arena); /* its spans, into ARENA */

/* 1 to 32 of letters, digits, . _ - (USR-02), and no reserved name. Pure. */
bool user_name_is_valid(struct span name);
bool user_name_is_reserved(struct span name); /* robots, Everyone, No-one, Admins, *x */

/* One in the bin is found by id (removed_ms is set), never by name. */
MUST_CHECK enum err user_find(struct snapshot *snap, uint64_t user_id, struct user *out);
MUST_CHECK enum err user_find_by_name(struct snapshot *snap, struct span name, struct user *out);

/*
 * Paging in order of the lower-case name: the first live user after (before) NAME, which need not
 * exist; the empty name is the front (the end). ERR_NOT_FOUND when there is no more.
 */
MUST_CHECK enum err user_after(struct snapshot *snap, struct span name, struct user *out);
MUST_CHECK enum err user_before(struct snapshot *snap, struct span name, struct user *out);
/*
 * The first after USER_ID by id, those in the bin included: for scans. At ERR_CORRUPT
 * out->user_id is the damaged one, so that a scan can go on behind it.
 */
MUST_CHECK enum err user_next(struct snapshot *snap, uint64_t user_id, struct user *out);

struct user_counts {
	uint64_t live, in_bin;
};
MUST_CHECK enum err user_count(struct snapshot *snap, struct user_counts *out); /* O(1) */
/* Is there a live, enabled administrator other than USER_ID (USR-15)? Walks the users. */
MUST_CHECK enum err user_other_admin(struct snapshot *snap, uint64_t user_id, bool *out);

/*
 * Add USER (user_id, revision and times are set here) with an empty INBOX and the folders of
 * folders_make_special(). ERR_SYNTAX for a name that is not valid, ERR_EXISTS where a user, group or
 * list has it (USR-02), ERR_LIMIT for a text that is too long or at USERS_MAX.
 */
#define USERS_MAX 1000000
MUST_CHECK enum err user_add(
	struct txn *txn, const struct user *user, int64_t now_ms, uint64_t *user_id);
/*
 * Write the whole of USER, found by user_id; the name and the times of birth and removal stay as
 * they are. ERR_EXISTS where the stored revision is not user->revision (somebody else saved
 * first); ERR_DENIED where it would leave no administrator (USR-15).
 */
MUST_CHECK enum err user_set(struct txn *txn, const struct user *user, int64_t now_ms);
/*
 * Both are copied; SCRAM is the key of the same password, or empty. The password revision rises. App
 * passwords and legacy passwords are others, and stay.
 */
MUST_CHECK enum err user_set_password(
	struct txn *txn, uint64_t user_id, struct span hash, struct span scram, int64_t now_ms);
/* ERR_SYNTAX, ERR_EXISTS as user_add. A change of case alone is allowed. */
MUST_CHECK enum err user_rename(
	struct txn *txn, uint64_t user_id, struct span name, int64_t now_ms);
/* To the bin. ERR_DENIED for the last administrator (USR-15). */
MUST_CHECK enum err user_remove(struct txn *txn, uint64_t user_id, int64_t now_ms);
MUST_CHECK enum err user_restore(struct txn *txn, uint64_t user_id, int64_t now_ms);
/*
 * Purge users that went to the bin before BEFORE_MS: one slice of a patient job. *AT is its place,
 * a user_id, 0 at the start; *more is true while something is left to do.
 */
MUST_CHECK enum err users_purge_bin(
	struct txn *txn, int64_t before_ms, uint64_t *at, bool *more);

#endif
