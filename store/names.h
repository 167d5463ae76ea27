/*
 * names.h - one name space for users, groups and lists: lower-case name -> kind and id.
 *
 * So that no two of them can be called the same (USR-02, GRP-01), and each can be walked in order.
 */
#ifndef STORE_NAMES_H
#define STORE_NAMES_H

#include "proto/base/span.h"

struct snapshot;
struct txn;

enum name_kind { NAME_NONE, NAME_USER, NAME_GROUP, NAME_LIST };

#define NAME_MAX_BYTES 64

struct name_row {
	uint8_t kind; /* enum name_kind */
	uint64_t id;
	struct span key; /* the name in lower case; lives in the snapshot */
};

/* What NAME is, whatever its case. ERR_NOT_FOUND. */
MUST_CHECK enum err name_find(struct snapshot *snap, struct span name, struct name_row *out);
/* The next after (before) NAME of that kind; the empty name is the front (the end). */
MUST_CHECK enum err name_after(
	struct snapshot *snap, enum name_kind kind, struct span name, struct name_row *out);
MUST_CHECK enum err name_before(
	struct snapshot *snap, enum name_kind kind, struct span name, struct name_row *out);
/*
 * ERR_EXISTS where anything has it, or where it is NAME_owner or NAME_digest of a list.
 * ERR_LIMIT over NAME_MAX_BYTES, ERR_SYNTAX for an empty one.
 */
MUST_CHECK enum err name_add(struct txn *txn, struct span name, enum name_kind kind, uint64_t id);
MUST_CHECK enum err name_remove(struct txn *txn, struct span name);

#endif
