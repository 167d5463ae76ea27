/*
 * keyset.c - see keyset.h. Open addressing; a removed entry keeps its slot until the set grows.
 */
#include "tui/keyset.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "proto/base/hash64.h"

#define KEYSET_FIRST 64

struct keyset_entry {
	char *text; /* NULL: free, or removed where `removed` says so */
	size_t len;
	bool removed;
};

void
keyset_fini(struct keyset *s)
{
	for (size_t i = 0; i < s->size; i++)
		free(s->slots[i].text);
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
static struct keyset_entry *
slot_of(const struct keyset *s, struct span key)
{
	size_t at = (size_t)hash_of(key) & (s->size - 1);

	for (;; at = (at + 1) & (s->size - 1)) {
		struct keyset_entry *e = &s->slots[at];

		if (!e->text && !e->removed)
			return e;
		if (e->text && span_eq((struct span){ e->text, e->len }, key))
			return e;
	}
}

bool
keyset_has(const struct keyset *s, struct span key)
{
	return s->size > 0 && slot_of(s, key)->text != NULL;
}

static void
put_entry(struct keyset *s, char *text, size_t len)
{
	struct keyset_entry *e = slot_of(s, (struct span){ text, len });

	*e = (struct keyset_entry){ text, len, false };
	s->count++;
	s->used++;
}

static void
grow(struct keyset *s)
{
	struct keyset old = *s;

	s->size = old.count * 2 >= KEYSET_FIRST / 2 ? old.size * 2 : KEYSET_FIRST;
	s->count = s->used = 0;
	s->slots = calloc(s->size, sizeof(*s->slots));
	ENSURE(s->slots);
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].text)
			put_entry(s, old.slots[i].text, old.slots[i].len);
	free(old.slots);
}

void
keyset_add(struct keyset *s, struct span key)
{
	char *text;

	if (keyset_has(s, key))
		return;
	if (s->used * 2 >= s->size)
		grow(s);
	text = strndup(key.ptr ? key.ptr : "", key.len);
	ENSURE(text);
	put_entry(s, text, key.len);
}

void
keyset_remove(struct keyset *s, struct span key)
{
	struct keyset_entry *e = s->size > 0 ? slot_of(s, key) : NULL;

	if (!e || !e->text)
		return;
	free(e->text);
	*e = (struct keyset_entry){ .removed = true };
	s->count--;
}

bool
keyset_next(const struct keyset *s, size_t *at, struct span *key)
{
	while (*at < s->size) {
		const struct keyset_entry *e = &s->slots[(*at)++];

		if (!e->text)
			continue;
		*key = (struct span){ e->text, e->len };
		return true;
	}
	return false;
}
