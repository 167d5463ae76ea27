/*
 * arena.h - memory of one lifetime, freed at once.
 *
 * Command, session, message, configuration each have one. Small requests are cut from chunks; the
 * chunks come from a pool (one a thread), since malloc keeps what is freed. A pool is not locked:
 * an arena and its pool belong to one thread at a time. An arena without a pool takes its chunks
 * from the system.
 *
 * Allocation never fails: out of memory ends the process, which is safe because nothing is
 * acknowledged before it is on disk (house: a reply is a promise). What a peer can make large is
 * checked against a named limit first.
 */
#ifndef PROTO_BASE_ARENA_H
#define PROTO_BASE_ARENA_H

#include <stddef.h>

#include "proto/base/span.h"

#define ARENA_CHUNK_SIZE 4096 /* bytes, one page; larger requests get a chunk of their own */

struct chunk;
struct chunk_pool {
	struct chunk *free;
	size_t free_count;
	size_t free_max; /* more than this go back to the system */
};

struct arena_hook;
struct arena {
	struct chunk *chunks;
	struct chunk_pool *pool;
	struct arena_hook *hooks;
	size_t room;  /* bytes left at the end of the first chunk */
	size_t total; /* bytes asked for since the last reset */
	bool wipes;   /* all of it is overwritten at a reset: it may hold secrets (H66) */
};

void chunk_pool_init(struct chunk_pool *pool, size_t free_max);
void chunk_pool_fini(struct chunk_pool *pool);

/* POOL may be NULL. An arena that holds nothing owns no memory. */
void arena_init(struct arena *a, struct chunk_pool *pool);
/* Run the hooks backwards, then give back all memory. The arena can be used again. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type, never NULL, and no other's, even where SIZE is 0. */
void *arena_alloc(struct arena *a, size_t size);
#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_array((a), sizeof(type), (n)))
void *arena_array(struct arena *a, size_t size, size_t count);

/* How a span outlives its bytes. The copy is 0-terminated beyond its length. */
struct span arena_copy(struct arena *a, struct span s);
struct span arena_lower(struct arena *a, struct span s); /* copy with ASCII letters in lower case */
const char *arena_text(struct arena *a, struct span s);  /* copy as a C string; cut at a NUL */
struct span arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);

/* FN(ARG) runs at the next reset: for an fd, a TLS context, secret bytes to wipe. */
void arena_on_reset(struct arena *a, void (*fn)(void *), void *arg);

#endif
