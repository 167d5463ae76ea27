/*
 * store_make.h - making a store where there is none, and knowing ours from a foreign one. For
 * store.c.
 */
#ifndef STORE_STORE_MAKE_H
#define STORE_STORE_MAKE_H

#include "store/lmdb_txn.h"

/*
 * If there is no data file: write schema and seal under a temporary name, sync, rename, sync the
 * directory (H50). A crash leaves either no data file or a whole one.
 */
MUST_CHECK enum err store_make(struct store *store, struct store_fault *why);

/* The first page of the data file looks like LMDB's. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err store_look(const char *dir, struct store_fault *why);

/* The row that says what this is. ERR_CORRUPT: foreign or newer; `why` says which. */
MUST_CHECK enum err store_schema_check(struct snapshot *snap, struct store_fault *why);

/* The last commit is the one that its seal names (H48). */
MUST_CHECK enum err store_seal_check(struct snapshot *snap, struct store_fault *why);

/* Open the environment in DIR with the largest map that the system gives. LMDB's code. */
int store_env_open(struct store *store, const char *dir, unsigned flags);

#endif
