/*
 * resolver.h - questions to name servers, from any loop, and a cache of their answers (H69, NET-05).
 *
 * One channel of c-ares on the front loop asks for all; a question of another loop goes there by
 * loop_post and its answer comes back the same way, so `done` runs on the loop that asked, always
 * later. Equal questions share one look-up. Answers are kept for their time, negative ones too, at least 5 s
 * and at most a day; failures for 5 s. The channel is made anew when the servers in the file or in
 * resolv.conf change, and when no server has said anything for RESOLVER_SILENCE_MS.
 *
 *     a look-up   dns.timeout a try, RESOLVER_WAIT_MS in all
 *
 * Nothing here decides: what a failed look-up means is up to who asks (H69: it defers, never bounces).
 */
#ifndef SERVER_NET_RESOLVER_H
#define SERVER_NET_RESOLVER_H

#include "proto/base/err.h"
#include "proto/dns/dns_message.h"
#include "server/net/loop.h"

#define RESOLVER_WAIT_MS 30000	      /* of one look-up, all tries and servers */
#define RESOLVER_SILENCE_MS 60000     /* all servers failed for so long: another channel */
#define RESOLVER_LOOK_MS 5000	      /* between two looks at resolv.conf */
#define RESOLVER_LOOKUPS_MAX 1000     /* under way; beyond it ERR_BUSY */
#define RESOLVER_QUESTIONS_MAX 10000  /* that wait for an answer, of all loops; beyond it ERR_BUSY */
#define RESOLVER_CACHE_NAMES 10000
#define RESOLVER_CACHE_BYTES (16 * 1024 * 1024)

struct resolver;
struct resolver_request;

struct resolver_answer {
	enum err err; /* OK; ERR_NOT_FOUND: no such name or record; ERR_IO: nobody could say; ERR_BUSY */
	const struct dns_record *records; /* of the type that was asked for; OK: at least one */
	size_t count;
};

/* Embedded in whoever asks; zeroed at first. Not to be moved or freed while a question is under way. */
struct resolver_question {
	/* ANSWER lives for this call only. The question may be asked again, or freed, in it. */
	void (*done)(struct resolver_question *q, const struct resolver_answer *answer);
	struct resolver_request *request; /* the resolver's own */
};

struct resolver_options {
	const struct span *servers; /* "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53" */
	size_t server_count;	    /* 0: those of resolv_conf */
	int64_t timeout_ms;	    /* of one try */
	const char *resolv_conf;    /* a path that outlives the resolver */
	/* Front loop: opens that path for reading, or -1. NULL: as open() does. */
	int (*open_file)(void *arg, const char *path);
	/* Front loop: the channel could not be made anew, the old one stays; TEXT is static. May be NULL. */
	void (*on_fault)(void *arg, const char *text);
	void *arg;
};

/* FRONT is the loop that asks. ERR_IO: no channel; *fault (static) says why. */
MUST_CHECK enum err resolver_open(struct loop *front, const struct resolver_options *options,
	struct resolver **out, const char **fault);
/* No loop runs any more. What waits is dropped without an answer. */
void resolver_close(struct resolver **r);

/* Front loop: from now on these. What cannot be used (ERR_SYNTAX, ERR_IO) leaves the old ones. */
MUST_CHECK enum err resolver_configure(struct resolver *r, const struct resolver_options *options);

/*
 * Ask for NAME (without search domains); ASKER is the loop of this thread. Exactly one `done` follows, on
 * ASKER and never in this call, unless it is cancelled. A name that cannot be is ERR_NOT_FOUND.
 */
void resolver_ask(struct resolver *r, struct loop *asker, struct resolver_question *q,
	struct span name, enum dns_type type);
/* On the loop that asked; no `done` comes. No effect where nothing is under way. */
void resolver_cancel(struct resolver_question *q);

/* For `status` and tests; front loop. */
struct resolver_stats {
	uint64_t asked, from_cache, lookups, failed, channels;
	size_t names, under_way;
};
struct resolver_stats resolver_stats(const struct resolver *r);

#endif
