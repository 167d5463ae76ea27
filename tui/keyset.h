/*
 * keyset.h - a set of keys: the marked rows of a table.
 */
#ifndef TUI_KEYSET_H
#define TUI_KEYSET_H

#include "proto/base/span.h"

struct keyset {
	struct keyset_entry *slots; /* a power of two; NULL: empty */
	size_t size, count, used;   /* used: with those that were removed */
};

void keyset_fini(struct keyset *s); /* empty, can be used again */
bool keyset_has(const struct keyset *s, struct span key);
void keyset_add(struct keyset *s, struct span key); /* copies it */
void keyset_remove(struct keyset *s, struct span key);
/* Key by key: *at starts as 0. False at the end. */
bool keyset_next(const struct keyset *s, size_t *at, struct span *key);

#endif
