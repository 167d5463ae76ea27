/*
 * names.h - whom an address or a name means here: users, groups, addresses elsewhere.
 *
 * Reads the store through a snapshot and copies what it finds, so nothing here points into it.
 */
#ifndef SERVER_PIPELINE_NAMES_H
#define SERVER_PIPELINE_NAMES_H

#include "conf/conf.h"
#include "proto/mail/address.h"
#include "store/users.h"

struct snapshot;

enum name_target {
	TARGET_USER,    /* user_id and user */
	TARGET_ADDRESS, /* an address elsewhere */
	TARGET_NOONE,   /* swallowed */
};

struct name {
	struct name *next;
	enum name_target target;
	uint64_t user_id;
	struct span user;
	struct span address;
	const char *why; /* TARGET_ADDRESS: why it is elsewhere; static text */
};

/* Whom one recipient means. Grows up to MAX names: then ERR_LIMIT. */
struct names {
	struct arena *arena;
	struct name *first, **end;
	size_t count, max;
};

void names_init(struct names *names, struct arena *arena, size_t max);
MUST_CHECK enum err names_add(struct names *names, const struct name *name);

/*
 * The user of that name, with what his group forces upon him (GRP-03, 04). ERR_NOT_FOUND. His spans
 * point into the snapshot.
 */
MUST_CHECK enum err names_user(struct snapshot *snap, struct span name, struct user *out);
MUST_CHECK enum err names_user_by_id(struct snapshot *snap, uint64_t user_id, struct user *out);

/* The Main Administrator (ADM-01), or where there is no such user the first administrator. */
MUST_CHECK enum err names_main_administrator(
	const struct conf *conf, struct snapshot *snap, struct user *out);

/*
 * Expand NAME from step 2 of RTE-01 on: a group, Everyone, Admins, No-one, a user. Mappings are not
 * looked at again. ERR_NOT_FOUND: it is none of them. ERR_LIMIT.
 */
MUST_CHECK enum err names_expand(struct snapshot *snap, struct span name, struct names *names);

/*
 * May USER write as ADDRESS (H12)? His name at any domain of ours, his reply address, or an
 * address that a mapping sends to him.
 */
bool names_may_use(const struct conf *conf, struct snapshot *snap, const struct user *user,
	const struct address *address);

#endif
