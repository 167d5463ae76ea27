/*
 * arena.c - chunks of one page, larger ones where there is no pool and much to hold; cut from the front, given back together.
 */
#include "proto/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"

struct chunk {
	struct chunk *next;
	size_t size; /* of the whole chunk, this header included */
	_Alignas(max_align_t) char bytes[];
};

struct arena_hook {
	struct arena_hook *next;
	void (*fn)(void *);
	void *arg;
};

#define CHUNK_ROOM (ARENA_CHUNK_SIZE - sizeof(struct chunk))
#define GROWS_AT (256 * 1024)  /* bytes; an arena without a pool takes more at once then, and gives it back sooner */
#define GROWN_CHUNK (64 * 1024)

static noreturn void
out_of_memory(void)
{
	static const char text[] =
		"postroom: out of memory, ending (nothing acknowledged is lost)\n";

	fputs(text, stderr);
	abort();
}

void
chunk_pool_init(struct chunk_pool *pool, size_t free_max)
{
	*pool = (struct chunk_pool){ .free_max = free_max };
}

void
chunk_pool_fini(struct chunk_pool *pool)
{
	while (pool->free) {
		struct chunk *c = pool->free;

		pool->free = c->next;
		free(c);
	}
	pool->free_count = 0;
}

static struct chunk *
chunk_take(struct chunk_pool *pool, size_t size)
{
	struct chunk *c;

	if (size == ARENA_CHUNK_SIZE && pool && pool->free) {
		c = pool->free;
		pool->free = c->next;
		pool->free_count--;
	} else {
		c = malloc(size);
		if (!c)
			out_of_memory();
	}
	c->size = size;
	return c;
}

static void
chunk_give(struct chunk_pool *pool, struct chunk *c)
{
	if (c->size == ARENA_CHUNK_SIZE && pool && pool->free_count < pool->free_max) {
		c->next = pool->free;
		pool->free = c;
		pool->free_count++;
	} else {
		free(c);
	}
}

void
arena_init(struct arena *a, struct chunk_pool *pool)
{
	*a = (struct arena){ .pool = pool };
}

void
arena_reset(struct arena *a)
{
	while (a->hooks) { /* newest first: undo in reverse */
		struct arena_hook *h = a->hooks;

		a->hooks = h->next;
		h->fn(h->arg);
	}
	while (a->chunks) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		if (a->wipes)
			explicit_bzero(c->bytes, c->size - sizeof(*c));
		chunk_give(a->pool, c);
	}
	a->room = 0;
	a->total = 0;
}

/* A request too large for a page: a chunk of its own behind the first, whose room stays usable. */
static void *
alloc_large(struct arena *a, size_t size)
{
	size_t whole;
	struct chunk *c;

	if (__builtin_add_overflow(size, sizeof(struct chunk), &whole))
		out_of_memory();
	c = chunk_take(a->pool, whole);
	if (a->chunks) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = NULL;
		a->chunks = c;
		a->room = 0;
	}
	return c->bytes;
}

static void *
alloc_small(struct arena *a, size_t size)
{
	struct chunk *c = a->chunks;

	if (size > a->room) {
		c = chunk_take(a->pool, !a->pool && a->total >= GROWS_AT ? GROWN_CHUNK : ARENA_CHUNK_SIZE);
		c->next = a->chunks;
		a->chunks = c;
		a->room = c->size - sizeof(*c);
	}
	a->room -= size;
	return c->bytes + (c->size - sizeof(*c) - a->room - size);
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	size_t rounded;
	void *p;

	if (__builtin_add_overflow(size ? size : 1, align - 1, &rounded))
		out_of_memory();
	rounded &= ~(align - 1);
	a->total += rounded;
	p = rounded > CHUNK_ROOM ? alloc_large(a, rounded) : alloc_small(a, rounded);
	return memset(p, 0, size);
}

void *
arena_array(struct arena *a, size_t size, size_t count)
{
	size_t total;

	if (__builtin_mul_overflow(size, count, &total))
		out_of_memory();
	return arena_alloc(a, total);
}

struct span
arena_copy(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (s.len)
		memcpy(p, s.ptr, s.len);
	return (struct span){ p, s.len };
}

struct span
arena_lower(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		p[i] = ascii_lower(s.ptr[i]);
	return (struct span){ p, s.len };
}

const char *
arena_text(struct arena *a, struct span s)
{
	return arena_copy(a, s).ptr;
}

struct span
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	int len;
	char *p;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return SPAN_NONE;
	p = arena_alloc(a, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(p, (size_t)len + 1, format, args);
	va_end(args);
	return (struct span){ p, (size_t)len };
}

void
arena_on_reset(struct arena *a, void (*fn)(void *), void *arg)
{
	struct arena_hook *h = ARENA_NEW(a, struct arena_hook);

	*h = (struct arena_hook){ .next = a->hooks, .fn = fn, .arg = arg };
	a->hooks = h;
}
