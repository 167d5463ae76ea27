/*
 * keyset.c - see keyset.h. Open addressing over a list; a removed entry keeps its place until it grows.
 */
#include "tui/keyset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proto/base/hash64.h"

#define KEYSET_FIRST 64

struct keyset_entry {
	char *text; /* NULL: removed */
	size_t len;
};

void
keyset_fini(struct keyset *s)
{
	for (size_t i = 0; i < s->used; i++)
		free(s->entries[i].text);
	free(s->entries);
	free(s->slots);
	*s = (struct keyset){ 0 };
}

/* Keys are text from outside: none of it may choose where it stands. */
static uint64_t
hash_of(struct span key)
{
	static struct hash64_key secret;

	if (!secret.k0 && getrandom(&secret, sizeof(secret), GRND_NONBLOCK) < 0)
		secret.k0 = 1;
	return hash64(secret, key);
}

/* The slot of KEY, or the free one where it would stand. */
static uint32_t *
slot_of(const struct keyset *s, struct span key)
{
	size_t at = (size_t)hash_of(key) & (s->size - 1);

	for (;; at = (at + 1) & (s->size - 1)) {
		const struct keyset_entry *e = s->slots[at] ? &s->entries[s->slots[at] - 1] : NULL;

		if (!e || (e->text && span_eq((struct span){ e->text, e->len }, key)))
			return &s->slots[at];
	}
}

bool
keyset_has(const struct keyset *s, struct span key)
{
	return s->size > 0 && *slot_of(s, key) != 0;
}

/* Twice the room, without what was removed. */
static void
grow(struct keyset *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->used; i++)
		if (s->entries[i].text)
			s->entries[kept++] = s->entries[i];
	s->used = kept;
	s->room = kept * 2 > KEYSET_FIRST ? kept * 2 : KEYSET_FIRST;
	s->size = KEYSET_FIRST * 2;
	while (s->size < s->room * 2)
		s->size *= 2;
	s->entries = realloc(s->entries, s->room * sizeof(*s->entries));
	free(s->slots);
	s->slots = calloc(s->size, sizeof(*s->slots));
	ENSURE(s->entries && s->slots);
	for (size_t i = 0; i < s->used; i++)
		*slot_of(s, (struct span){ s->entries[i].text, s->entries[i].len }) =
			(uint32_t)i + 1;
}

void
keyset_add(struct keyset *s, struct span key)
{
	char *text;

	if (keyset_has(s, key))
		return;
	if (s->used == s->room)
		grow(s);
	text = strndup(key.ptr ? key.ptr : "", key.len);
	ENSURE(text);
	s->entries[s->used++] = (struct keyset_entry){ text, key.len };
	*slot_of(s, key) = (uint32_t)s->used;
	s->count++;
}

void
keyset_remove(struct keyset *s, struct span key)
{
	uint32_t place = s->size > 0 ? *slot_of(s, key) : 0;

	if (!place)
		return;
	free(s->entries[place - 1].text); /* its slot stays taken, so that others are found past it */
	s->entries[place - 1].text = NULL;
	s->count--;
}

bool
keyset_next(const struct keyset *s, size_t *at, struct span *key)
{
	while (*at < s->used) {
		const struct keyset_entry *e = &s->entries[(*at)++];

		if (!e->text)
			continue;
		*key = (struct span){ e->text, e->len };
		return true;
	}
	return false;
}
