/*
 * veil.h - text of messages that casual reading of the file does not show (SEC-08).
 *
 * Pieces of bodies, and headers, are mixed with a stream of bytes that depends on a key, the row and a
 * salt; mixing twice gives the text back. Who mixes is told by store_options, so that no
 * cipher is known here. What was written before stays readable, also when it is turned off again;
 * without the key, what is veiled is unreadable for good. It hides, it does not prove: checksums
 * cover what is stored.
 */
#ifndef STORE_VEIL_H
#define STORE_VEIL_H

#include "proto/base/span.h"
#include "store/schema.h"

struct snapshot;
struct store;
struct store_fault;
struct txn;

/* The row that a stream of bytes is for: table, id, part of it, and the salt that lies beside it. */
struct veil_row {
	enum store_table table;
	uint64_t id;
	uint32_t part;
	uint64_t salt;
};

bool veil_is_on(const struct store *store); /* for what is written from now on */
bool veil_has_key(const struct store *store); /* for what was written so */

void veil_mix(const struct store *store, const struct veil_row *row, char *bytes, size_t len);

/*
 * VEILED as it was, in memory of the snapshot's. Without a key (a check by hand) it stays as it is, so
 * that sizes and checksums can still be told.
 */
struct span veil_lift(struct snapshot *snap, const struct veil_row *row, struct span veiled);

/* At the start: is it the key that this store was veiled with? ERR_DENIED; *why has the text. */
MUST_CHECK enum err veil_check(struct snapshot *snap, struct store_fault *why);
/* In the first commit: where it is on, remember which key. */
MUST_CHECK enum err veil_mark(struct txn *txn);

#endif
