/*
 * resolver_inside.h - the parts of the resolver, for resolver*.c alone: the cache and the channel.
 */
#ifndef SERVER_NET_RESOLVER_INSIDE_H
#define SERVER_NET_RESOLVER_INSIDE_H

#include <stdatomic.h>

#include "server/net/resolver.h"

/* ---- an answer that cache and questions share, in one block of memory ---- */

struct resolver_blob {
	_Atomic unsigned holds;
	size_t size; /* bytes of the block */
	uint32_t ttl_s;
	struct resolver_answer answer;
	struct dns_record records[];
};

struct resolver_blob *resolver_blob_new(enum err err, const struct dns_answer *answer); /* held once */
struct resolver_blob *resolver_blob_hold(struct resolver_blob *blob);
void resolver_blob_release(struct resolver_blob **blob); /* any thread */

/* ---- resolver_cache.c: by name and type, the one that was not asked for longest goes first ---- */

struct resolver_cache;
struct resolver_cache *resolver_cache_open(void);
void resolver_cache_close(struct resolver_cache **c);
/* NULL: not there, or its time is over. Not held for the caller. */
struct resolver_blob *resolver_cache_find(
	struct resolver_cache *c, struct span name, enum dns_type type, int64_t now_ms);
void resolver_cache_put(struct resolver_cache *c, struct span name, enum dns_type type,
	struct resolver_blob *blob, int64_t now_ms);
size_t resolver_cache_count(const struct resolver_cache *c);

/* ---- resolver_conf.c ---- */

#define RESOLV_COPY_PATH_SIZE 32
/* A copy of resolv.conf in memory, and the path by which c-ares finds it while it is open; -1: cannot be read. */
int resolv_conf_copy(const struct resolver_options *options, char path[RESOLV_COPY_PATH_SIZE]);

/* ---- resolver_channel.c: c-ares, and the only file that knows it ---- */

enum channel_says {
	CHANNEL_ANSWER,	 /* a message came that answers the question */
	CHANNEL_FAILED,	 /* servers answered, but do not know */
	CHANNEL_SILENCE, /* none answered */
	CHANNEL_CLOSED,	 /* channel_close() came first */
};

struct channel;
struct channel *channel_open(struct loop *loop, const struct resolver_options *options,
	struct span servers, const char **fault); /* NULL: *fault says why */
void channel_close(struct channel **c);		  /* all that is under way hears CHANNEL_CLOSED */
/* DONE may come within this call. MESSAGE lives for the call of DONE. */
void channel_ask(struct channel *c, const char *name, enum dns_type type,
	void (*done)(void *arg, enum channel_says says, struct span message), void *arg);

#endif
