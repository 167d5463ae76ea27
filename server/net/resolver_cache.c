/*
 * resolver_cache.c - answers for as long as their senders say.
 *
 * A table of chains under a key of this process, so that nobody outside can make names collide; bounded
 * in names and in bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/base/hash64.h"
#include "server/net/random.h"
#include "server/net/resolver_inside.h"

#define BUCKETS 16384 /* a power of two above RESOLVER_CACHE_NAMES */

struct entry {
	struct entry *next; /* in its chain */
	struct list age;    /* the latest used first */
	struct resolver_blob *blob;
	int64_t until_ms;
	uint64_t hash;
	enum dns_type type;
	size_t len;
	char name[];
};

struct resolver_cache {
	struct hash64_key key;
	struct list ages;
	size_t count, bytes;
	struct entry *buckets[BUCKETS];
};

/* ---- blobs ---- */

static size_t
text_bytes(const struct dns_answer *answer)
{
	size_t bytes = 0;

	for (size_t i = 0; i < answer->count; i++)
		bytes += answer->records[i].text.len;
	return bytes;
}

struct resolver_blob *
resolver_blob_new(enum err err, const struct dns_answer *answer)
{
	size_t count = answer ? answer->count : 0;
	size_t size = sizeof(struct resolver_blob) + count * sizeof(struct dns_record) +
		(answer ? text_bytes(answer) : 0);
	struct resolver_blob *blob = malloc(size);
	char *text;

	ENSURE(blob);
	*blob = (struct resolver_blob){ .holds = 1, .size = size,
		.ttl_s = answer ? answer->ttl_s : DNS_TTL_MIN_S,
		.answer = { err, blob->records, count } };
	text = (char *)&blob->records[count];
	for (size_t i = 0; i < count; i++) {
		struct span from = answer->records[i].text;

		blob->records[i] = answer->records[i];
		blob->records[i].text = (struct span){ text, from.len };
		if (from.len > 0)
			memcpy(text, from.ptr, from.len);
		text += from.len;
	}
	return blob;
}

struct resolver_blob *
resolver_blob_hold(struct resolver_blob *blob)
{
	atomic_fetch_add(&blob->holds, 1);
	return blob;
}

void
resolver_blob_release(struct resolver_blob **blob)
{
	if (*blob && atomic_fetch_sub(&(*blob)->holds, 1) == 1)
		free(*blob);
	*blob = NULL;
}

/* ---- the table ---- */

struct resolver_cache *
resolver_cache_open(void)
{
	struct resolver_cache *c = calloc(1, sizeof(*c));

	ENSURE(c);
	random_fill(&c->key, sizeof(c->key));
	list_init(&c->ages);
	return c;
}

static struct entry **
find_slot(struct resolver_cache *c, uint64_t hash, struct span name, enum dns_type type)
{
	struct entry **at = &c->buckets[hash & (BUCKETS - 1)];

	while (*at &&
		((*at)->hash != hash || (*at)->type != type ||
			!span_eq((struct span){ (*at)->name, (*at)->len }, name)))
		at = &(*at)->next;
	return at;
}

static size_t
weight(const struct entry *entry)
{
	return sizeof(*entry) + entry->len + entry->blob->size;
}

static void
drop(struct resolver_cache *c, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->next;
	list_remove(&entry->age);
	c->count--;
	c->bytes -= weight(entry);
	resolver_blob_release(&entry->blob);
	free(entry);
}

static void
drop_oldest(struct resolver_cache *c)
{
	struct entry *oldest = LIST_ITEM(c->ages.prev, struct entry, age);

	drop(c, find_slot(c, oldest->hash, (struct span){ oldest->name, oldest->len }, oldest->type));
}

void
resolver_cache_close(struct resolver_cache **c)
{
	while (*c && !list_is_empty(&(*c)->ages))
		drop_oldest(*c);
	free(*c);
	*c = NULL;
}

struct resolver_blob *
resolver_cache_find(struct resolver_cache *c, struct span name, enum dns_type type, int64_t now_ms)
{
	struct entry **at = find_slot(c, hash64(c->key, name), name, type);

	if (!*at)
		return NULL;
	if (now_ms >= (*at)->until_ms) {
		drop(c, at);
		return NULL;
	}
	list_remove(&(*at)->age);
	list_prepend(&c->ages, &(*at)->age);
	return (*at)->blob;
}

void
resolver_cache_put(struct resolver_cache *c, struct span name, enum dns_type type,
	struct resolver_blob *blob, int64_t now_ms)
{
	uint64_t hash = hash64(c->key, name);
	struct entry **at = find_slot(c, hash, name, type);
	struct entry *entry = malloc(sizeof(*entry) + name.len);

	ENSURE(entry);
	if (*at)
		drop(c, at);
	*entry = (struct entry){ .blob = resolver_blob_hold(blob), .hash = hash, .type = type,
		.until_ms = now_ms + (int64_t)blob->ttl_s * 1000, .len = name.len };
	if (name.len > 0)
		memcpy(entry->name, name.ptr, name.len);
	entry->next = c->buckets[hash & (BUCKETS - 1)];
	c->buckets[hash & (BUCKETS - 1)] = entry;
	list_prepend(&c->ages, &entry->age);
	c->count++;
	c->bytes += weight(entry);
	while (c->count > RESOLVER_CACHE_NAMES || c->bytes > RESOLVER_CACHE_BYTES)
		drop_oldest(c);
}

size_t
resolver_cache_count(const struct resolver_cache *c)
{
	return c->count;
}
