/*
 * collection_doubles.c - see collection_doubles.h. Open addressing; a key that goes lets those behind it move up.
 */
#include "server/collect/collection_doubles.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256

static const unsigned char none[COLLECTED_DOUBLE_SIZE];

static bool
is_free(const struct collection_doubles *d, size_t at)
{
	return memcmp(d->keys[at], none, sizeof(none)) == 0;
}

/* A key is a hash: its first bytes are as good as any. */
static size_t
home_of(const struct collection_doubles *d, const unsigned char *key)
{
	uint64_t start;

	memcpy(&start, key, sizeof(start));
	return (size_t)start & (d->room - 1);
}

/* Where KEY is, or would be. */
static size_t
place_of(const struct collection_doubles *d, const unsigned char *key)
{
	size_t at = home_of(d, key);

	while (!is_free(d, at) && memcmp(d->keys[at], key, sizeof(none)) != 0)
		at = (at + 1) & (d->room - 1);
	return at;
}

static void
put(struct collection_doubles *d, const unsigned char *key)
{
	memcpy(d->keys[place_of(d, key)], key, sizeof(none));
}

static void
grow(struct collection_doubles *d)
{
	struct collection_doubles larger = { .count = d->count, .room = d->room > 0 ? 2 * d->room : ROOM_FIRST };

	larger.keys = calloc(larger.room, sizeof(*larger.keys));
	ENSURE(larger.keys);
	for (size_t at = 0; at < d->room; at++)
		if (!is_free(d, at))
			put(&larger, d->keys[at]);
	free(d->keys);
	*d = larger;
}

enum doubles_add
collection_doubles_add(struct collection_doubles *d, const unsigned char key[COLLECTED_DOUBLE_SIZE])
{
	if (d->room > 0 && !is_free(d, place_of(d, key)))
		return DOUBLES_THERE;
	if (d->count == COLLECTION_DOUBLES_MAX)
		return DOUBLES_FULL;
	if (2 * (d->count + 1) > d->room)
		grow(d);
	put(d, key);
	d->count++;
	return DOUBLES_ADDED;
}

void
collection_doubles_remove(struct collection_doubles *d, const unsigned char key[COLLECTED_DOUBLE_SIZE])
{
	unsigned char moved[COLLECTED_DOUBLE_SIZE];
	size_t at = place_of(d, key);

	memset(d->keys[at], 0, sizeof(none));
	d->count--;
	for (at = (at + 1) & (d->room - 1); !is_free(d, at); at = (at + 1) & (d->room - 1)) {
		memcpy(moved, d->keys[at], sizeof(moved));
		memset(d->keys[at], 0, sizeof(none));
		put(d, moved);
	}
}

void
collection_doubles_fini(struct collection_doubles *d)
{
	free(d->keys);
	*d = (struct collection_doubles){ 0 };
}
