/*
 * names.h - whom an address or a name means here: users, groups, addresses elsewhere.
 *
 * Reads the store through a snapshot and copies what it finds, so nothing here points into it.
 */
#ifndef SERVER_PIPELINE_NAMES_H
#define SERVER_PIPELINE_NAMES_H

#include "conf/conf.h"
#include "proto/mail/address.h"
#include "server/pipeline/mail.h"
#include "server/pipeline/plan.h"
#include "store/users.h"

struct snapshot;

enum name_target {
	TARGET_USER,    /* user_id and user */
	TARGET_ADDRESS, /* an address elsewhere */
	TARGET_NOONE,   /* swallowed */
	TARGET_BOUNCE,  /* nobody: the sender is told by a report */
};

struct name {
	struct name *next;
	enum name_target target;
	uint64_t user_id;
	struct span user;
	bool acts;        /* TARGET_USER: his mailbox has something to decide (mailbox_step.h) */
	bool forwards;    /* TARGET_USER: store and forward */
	struct user_watch watch; /* TARGET_USER */
	struct span address;
	struct span route; /* TARGET_ADDRESS: "lan:host:port"; empty: by the Internet */
	bool member;      /* of a list or a group */
	bool by_rule;     /* an SMTP rule names it, not the recipient */
	bool needs_right; /* TARGET_ADDRESS: the sender needs the right to reach the Internet */
	bool lives_elsewhere; /* TARGET_NOONE: collected, and somebody else's (MAP-11, MAP-18) */
	const char *why;  /* not TARGET_USER: why it goes elsewhere or nowhere; static text */
};

/* Whom one recipient means. Grows up to MAX names: then ERR_LIMIT. */
struct names {
	struct arena *arena;
	struct name *first, **end;
	size_t count, max;
};

void names_init(struct names *names, struct arena *arena, size_t max);
MUST_CHECK enum err names_add(struct names *names, const struct name *name);
/* The mailbox of USER, as a MEMBER or by himself, and what of his fields a later stage wants. */
MUST_CHECK enum err names_add_user(struct names *names, const struct user *user, bool member);

/* What leads to a name. */
enum want_by {
	WANT_OWN,    /* the recipient's own local-part (MAP-13) */
	WANT_NAMED,  /* the server writes to that user (mail.to_users) */
	WANT_MAPPED, /* a mapping that fits the recipient */
	WANT_REST,   /* ~@domain, for nobody else knows the recipient (MAP-05) */
	WANT_SENDER, /* a mapping that fits the sender (MAP-10) */
	WANT_RULE,   /* an SMTP rule sends the message there */
	WANT_COLLECTED, /* a collector or a download rule does (mail.targets) */
};

/* A name that is still to be looked up, from step 2 of RTE-01 on. */
struct name_want {
	struct name_want *next;
	enum want_by by;
	struct span text;    /* a user, group or list, an address, *REMOTE */
	struct span pattern; /* of the mapping; or empty */
};

struct name_wants {
	struct arena *arena;
	struct name_want *first, **end;
	size_t count;
};

void wants_init(struct name_wants *wants, struct arena *arena);
/* Copies both texts. */
void wants_add(struct name_wants *wants, enum want_by by, struct span text, struct span pattern);

enum name_builtin { BUILTIN_NONE, BUILTIN_NO_ONE, BUILTIN_EVERYONE, BUILTIN_ADMINS };
enum name_builtin names_builtin(struct span name); /* LST-07 */
bool names_is_robot(struct span name); /* Mailer_Daemon, ListServer: the server itself (ADM-14) */

/*
 * The users of a group, of Everyone (USR-24) or of Admins, one after another, each with what his
 * group forces upon him. *at is 0 at the start. ERR_NOT_FOUND at the end. Everyone and Admins walk
 * all users; the mailbox of the journal is not of Everyone (JRN-02).
 */
MUST_CHECK enum err names_member_next(
	struct snapshot *snap, uint64_t group_id, uint64_t *at, struct user *out);
MUST_CHECK enum err names_builtin_next(const struct conf *conf, struct snapshot *snap,
	enum name_builtin builtin, uint64_t *at, struct user *out);

/*
 * The user of that name, with what his group forces upon him (GRP-03, 04). ERR_NOT_FOUND. His spans
 * point into the snapshot.
 */
MUST_CHECK enum err names_user(struct snapshot *snap, struct span name, struct user *out);
MUST_CHECK enum err names_user_by_id(struct snapshot *snap, uint64_t user_id, struct user *out);

/* The Main Administrator (ADM-01), or where there is no such user the first administrator. */
MUST_CHECK enum err names_main_administrator(
	const struct conf *conf, struct snapshot *snap, struct user *out);

/* The collector of collected mail; NULL for other mail, and where mail->collect names none. */
const struct conf_collector *names_collector(const struct conf *conf, const struct mail *mail);
/* Do its accepted domains fit ADDRESS (INM-06)? Domains compare as A-labels. */
bool names_accepts(const struct conf_collector *collector, const struct address *address);
/* The target that the recipient ADDRESS of collected mail stands for (collected_who.h); NULL: it is an address. */
const struct mail_target *names_target(const struct mail *mail, const struct address *address);
/* Is the domain of ADDRESS valid (LOC-03)? By what the collector accepts, else by domains.local. */
bool names_is_valid(
	const struct conf *conf, const struct mail *mail, const struct address *address);
/* Is "[192.0.2.1]" one of OWN? */
bool names_is_own_literal(const struct own_addresses *own, struct span domain);

/*
 * May USER write as ADDRESS (H12)? His name at any domain of ours, his reply address, one of his
 * identities (USR-21), or an address that a mapping sends to him.
 */
bool names_may_use(const struct conf *conf, struct snapshot *snap, const struct user *user,
	const struct address *address);

#endif
