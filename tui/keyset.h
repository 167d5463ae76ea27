/*
 * keyset.h - a set of keys: the marked rows of a table.
 */
#ifndef TUI_KEYSET_H
#define TUI_KEYSET_H

#include "proto/base/span.h"

struct keyset {
	struct keyset_entry *entries; /* in the order they were added */
	size_t used, room, count;     /* used: with those that were removed */
	uint32_t *slots;              /* places in entries, from 1; a power of two of them */
	size_t size;
};

void keyset_fini(struct keyset *s); /* empty, can be used again */
bool keyset_has(const struct keyset *s, struct span key);
void keyset_add(struct keyset *s, struct span key); /* copies it */
void keyset_remove(struct keyset *s, struct span key);
/* Key by key, in the order they were added: *at starts as 0. False at the end. */
bool keyset_next(const struct keyset *s, size_t *at, struct span *key);

#endif
