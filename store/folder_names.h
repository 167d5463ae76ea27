/*
 * folder_names.h - the index of folders by name, for the files that write folders.
 *
 * One row without a value for each folder: user_id, name, a 0 byte, folder_id. A user has up to 10,000 folders,
 * and to walk them takes 2 ms: too much for a job that asks for several names, or a program that asks for all.
 */
#ifndef STORE_FOLDER_NAMES_H
#define STORE_FOLDER_NAMES_H

#include "store/folders.h"

/* The name alone, INBOX in capitals, as keys have it (also that of subscriptions). */
void folder_name_put(struct key *key, struct span name);
/* The key of FOLDER's row in folder_names. ERR_LIMIT: no folder can be called so. */
MUST_CHECK enum err folder_name_key(struct key *key, const struct folder *folder);
/* FOLDER has this name from now on. */
MUST_CHECK enum err folder_name_add(struct txn *txn, const struct folder *folder);
/* It has not: KEY is of folder_name_key(). */
MUST_CHECK enum err folder_name_drop(struct txn *txn, const struct key *key);

/* What folder_find() finds, by a walk over all folders of the user: for check, which trusts no index. */
MUST_CHECK enum err folder_find_by_walk(
	struct snapshot *snap, uint64_t user_id, struct span name, struct folder *out);

#endif
