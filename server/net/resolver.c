/*
 * resolver.c - from a question to a look-up to an answer.
 *
 *     resolver_ask --post--> on_question: cache, or a look-up that has begun, or a new one
 *                                |                        |
 *     done <------post------ deliver <------ on_channel, or the deadline of the look-up
 *
 * All but asking, delivering and cancelling happens on the front loop. A request is a question on its way;
 * all requests are in one list, behind a lock, so that none is lost when the loops have ended.
 */
#include "server/net/resolver.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/ascii.h"
#include "proto/base/buf.h"
#include "server/net/resolver_inside.h"

#define SERVERS_TEXT_MAX 1000 /* bytes of all servers as one text */

struct resolver_request {
	struct list link; /* in resolver.requests */
	struct list wait; /* in lookup.waiting */
	struct resolver *resolver;
	struct loop *asker;
	struct resolver_question *question; /* the asker's; NULL: cancelled */
	struct resolver_blob *blob;
	bool crowded;
	enum dns_type type;
	size_t len;
	char name[DNS_NAME_MAX + 1]; /* in lower case */
};

/* One question to the servers. At its deadline nobody waits for it any more, and it is an orphan. */
struct lookup {
	struct list link;
	struct list waiting;
	struct resolver *resolver;
	struct loop_timer deadline;
	bool orphan, again;
	enum dns_type type;
	size_t len;
	char name[DNS_NAME_MAX + 1];
};

struct resolver {
	struct loop *front;
	struct channel *channel;
	struct resolver_cache *cache;
	struct resolver_options options; /* but for its servers: */
	struct buf servers;
	struct stat resolv_conf;
	int64_t looked_ms, silent_since_ms;
	struct list lookups;
	size_t lookup_count;
	bool remaking;
	struct resolver_stats stats;
	pthread_mutex_t lock; /* of what follows */
	struct list requests;
	size_t request_count;
};

static struct span
lookup_name(const struct lookup *l)
{
	return (struct span){ l->name, l->len };
}

/* ---- requests: any loop ---- */

static void
request_free(struct resolver_request *request)
{
	struct resolver *r = request->resolver;

	pthread_mutex_lock(&r->lock);
	list_remove(&request->link);
	r->request_count--;
	pthread_mutex_unlock(&r->lock);
	resolver_blob_release(&request->blob);
	free(request);
}

/* On the loop that asked. */
static void
deliver(void *arg)
{
	struct resolver_request *request = arg;
	struct resolver_question *q = request->question;

	if (q) {
		q->request = NULL;
		q->done(q, &request->blob->answer);
	}
	request_free(request);
}

static void
answer(struct resolver_request *request, struct resolver_blob *blob)
{
	request->blob = resolver_blob_hold(blob);
	loop_post(request->asker, deliver, request);
}

static void
answer_err(struct resolver_request *request, enum err err)
{
	request->blob = resolver_blob_new(err, NULL);
	loop_post(request->asker, deliver, request);
}

static void on_question(void *arg);

void
resolver_ask(struct resolver *r, struct loop *asker, struct resolver_question *q, struct span name,
	enum dns_type type)
{
	struct resolver_request *request = calloc(1, sizeof(*request));
	bool can_be = dns_name_is_valid(name);

	ENSURE(request && !q->request);
	*request = (struct resolver_request){ .resolver = r, .asker = asker, .question = q,
		.type = type };
	list_init(&request->wait);
	if (can_be && name.ptr[name.len - 1] == '.')
		name.len--;
	for (size_t i = 0; can_be && i < name.len; i++)
		request->name[i] = ascii_lower(name.ptr[i]);
	request->len = can_be ? name.len : 0;
	q->request = request;
	pthread_mutex_lock(&r->lock);
	list_append(&r->requests, &request->link);
	request->crowded = ++r->request_count > RESOLVER_QUESTIONS_MAX;
	pthread_mutex_unlock(&r->lock);
	if (can_be && !request->crowded)
		loop_post(r->front, on_question, request);
	else
		answer_err(request, can_be ? ERR_BUSY : ERR_NOT_FOUND);
}

void
resolver_cancel(struct resolver_question *q)
{
	if (!q->request)
		return;
	q->request->question = NULL;
	q->request = NULL;
}

/* ---- look-ups: the front loop ---- */

static void
lookup_free(struct lookup *l)
{
	list_remove(&l->link);
	l->resolver->lookup_count--;
	loop_timer_clear(&l->deadline);
	free(l);
}

static void
answer_all(struct lookup *l, struct resolver_blob *blob)
{
	struct list *link;

	while ((link = list_take_first(&l->waiting)))
		answer(LIST_ITEM(link, struct resolver_request, wait), blob);
}

/* What the look-up found, for all who wait and, unless it was given up, for those to come. */
static void
settle(struct lookup *l, struct resolver_blob *blob)
{
	struct resolver *r = l->resolver;

	r->stats.failed += blob->answer.err == ERR_IO;
	resolver_cache_put(r->cache, lookup_name(l), l->type, blob, loop_now_ms(r->front));
	answer_all(l, blob);
	resolver_blob_release(&blob);
}

static void
note_silence(struct resolver *r)
{
	if (r->silent_since_ms == 0)
		r->silent_since_ms = loop_now_ms(r->front);
}

static void
on_deadline(struct loop_timer *timer)
{
	struct lookup *l = LIST_ITEM(timer, struct lookup, deadline);

	note_silence(l->resolver);
	l->orphan = true;
	settle(l, resolver_blob_new(ERR_IO, NULL));
}

static struct resolver_blob *
read_message(struct lookup *l, struct span message)
{
	static const enum err errs[] = { [DNS_FOUND] = OK, [DNS_NO_DATA] = ERR_NOT_FOUND,
		[DNS_NO_NAME] = ERR_NOT_FOUND, [DNS_FAILED] = ERR_IO };
	struct resolver_blob *blob;
	struct dns_answer found;
	struct arena arena;

	arena_init(&arena, NULL);
	if (dns_message_parse(&arena, message, lookup_name(l), l->type, &found) == PARSE_DONE)
		blob = resolver_blob_new(errs[found.result], &found);
	else
		blob = resolver_blob_new(ERR_IO, NULL);
	arena_reset(&arena);
	return blob;
}

static void
on_channel(void *arg, enum channel_says says, struct span message)
{
	struct lookup *l = arg;
	struct resolver *r = l->resolver;

	if (says == CHANNEL_CLOSED && r->remaking && !l->orphan) {
		l->again = true;
		return;
	}
	if (says == CHANNEL_SILENCE)
		note_silence(r);
	else if (says != CHANNEL_CLOSED)
		r->silent_since_ms = 0;
	if (!l->orphan && says != CHANNEL_CLOSED)
		settle(l, says == CHANNEL_ANSWER ? read_message(l, message)
						 : resolver_blob_new(ERR_IO, NULL));
	lookup_free(l);
}

static struct lookup *
find_lookup(struct resolver *r, const struct resolver_request *request)
{
	struct list *at, *following;

	list_for_each(at, following, &r->lookups) {
		struct lookup *l = LIST_ITEM(at, struct lookup, link);

		if (!l->orphan && l->type == request->type &&
			span_eq(lookup_name(l), (struct span){ request->name, request->len }))
			return l;
	}
	return NULL;
}

static struct lookup *
lookup_new(struct resolver *r, const struct resolver_request *request)
{
	struct lookup *l = calloc(1, sizeof(*l));

	ENSURE(l);
	l->resolver = r;
	l->type = request->type;
	l->len = request->len;
	memcpy(l->name, request->name, request->len);
	list_init(&l->waiting);
	loop_timer_init(&l->deadline, on_deadline);
	loop_timer_set(r->front, &l->deadline, RESOLVER_WAIT_MS);
	list_append(&r->lookups, &l->link);
	r->lookup_count++;
	r->stats.lookups++;
	return l;
}

/* ---- the channel ---- */

/* A channel by the servers of the options, or those that a copy of resolv.conf names. */
static struct channel *
open_channel(struct resolver *r, const char **fault)
{
	struct resolver_options options = r->options;
	char path[RESOLV_COPY_PATH_SIZE];
	struct channel *channel = NULL;
	int copy = r->servers.len == 0 ? resolv_conf_copy(&options, path) : -1;

	*fault = "resolv.conf cannot be opened";
	if (copy >= 0)
		options.resolv_conf = path;
	/* c-ares takes a file that it cannot open for an empty one, and would ask 127.0.0.1 */
	if (copy >= 0 || r->servers.len > 0 || !r->channel)
		channel = channel_open(r->front, &options, buf_span(&r->servers), fault);
	if (copy >= 0)
		close(copy);
	return channel;
}

/* A channel in the place of the old one; what is under way is asked once more. */
static enum err
remake(struct resolver *r, const char **fault)
{
	struct channel *next = open_channel(r, fault);
	struct list *at, *following;

	if (!next)
		return ERR_IO;
	r->remaking = true;
	channel_close(&r->channel);
	r->remaking = false;
	r->channel = next;
	r->silent_since_ms = 0;
	r->stats.channels++;
	list_for_each(at, following, &r->lookups) {
		struct lookup *l = LIST_ITEM(at, struct lookup, link);

		if (!l->again)
			continue;
		l->again = false;
		channel_ask(r->channel, l->name, l->type, on_channel, l);
	}
	return OK;
}

static bool
resolv_conf_changed(struct resolver *r)
{
	struct stat now = { 0 };

	if (r->servers.len > 0 || loop_now_ms(r->front) - r->looked_ms < RESOLVER_LOOK_MS)
		return false;
	r->looked_ms = loop_now_ms(r->front);
	if (stat(r->options.resolv_conf, &now) != 0)
		return false; /* while it is being replaced */
	if (now.st_ino == r->resolv_conf.st_ino && now.st_size == r->resolv_conf.st_size &&
		now.st_mtim.tv_sec == r->resolv_conf.st_mtim.tv_sec &&
		now.st_mtim.tv_nsec == r->resolv_conf.st_mtim.tv_nsec)
		return false;
	r->resolv_conf = now;
	return true;
}

static void
look_at_channel(struct resolver *r)
{
	bool silent = r->silent_since_ms != 0 &&
		loop_now_ms(r->front) - r->silent_since_ms >= RESOLVER_SILENCE_MS;
	const char *fault;

	if ((!resolv_conf_changed(r) && !silent) || remake(r, &fault) == OK)
		return;
	r->silent_since_ms = 0; /* the old one stays; again in a minute, or when the file changes */
	if (r->options.on_fault)
		r->options.on_fault(r->options.arg, fault);
}

static void
on_question(void *arg)
{
	struct resolver_request *request = arg;
	struct resolver *r = request->resolver;
	struct resolver_blob *known = resolver_cache_find(r->cache,
		(struct span){ request->name, request->len }, request->type,
		loop_now_ms(r->front));
	struct lookup *l;

	r->stats.asked++;
	if (known) {
		r->stats.from_cache++;
		answer(request, known);
		return;
	}
	l = find_lookup(r, request);
	if (l) {
		list_append(&l->waiting, &request->wait);
		return;
	}
	if (r->lookup_count >= RESOLVER_LOOKUPS_MAX) {
		answer_err(request, ERR_BUSY);
		return;
	}
	look_at_channel(r);
	l = lookup_new(r, request);
	list_append(&l->waiting, &request->wait);
	channel_ask(r->channel, l->name, l->type, on_channel, l);
}

/* ---- open, configure, close ---- */

static enum err
put_servers(const struct resolver_options *options, struct buf *out)
{
	enum err err = OK;

	for (size_t i = 0; i < options->server_count && err == OK; i++) {
		if (i > 0)
			err = buf_put_char(out, ',');
		if (err == OK)
			err = buf_put(out, options->servers[i]);
	}
	return err;
}

enum err
resolver_configure(struct resolver *r, const struct resolver_options *options)
{
	struct resolver_options before = r->options;
	struct buf servers, old = r->servers;
	const char *fault;

	buf_init(&servers, SERVERS_TEXT_MAX);
	if (put_servers(options, &servers) != OK) {
		buf_fini(&servers);
		return ERR_SYNTAX;
	}
	if (r->channel && span_eq(buf_span(&servers), buf_span(&old)) &&
		options->timeout_ms == before.timeout_ms) {
		buf_fini(&servers);
		return OK;
	}
	r->options = *options;
	r->options.servers = NULL; /* theirs; ours is the text */
	r->servers = servers;
	if (remake(r, &fault) == OK) {
		buf_fini(&old);
		resolver_cache_close(&r->cache); /* the new servers are asked what the old did not know */
		r->cache = resolver_cache_open();
		return OK;
	}
	r->options = before;
	r->servers = old;
	buf_fini(&servers);
	return ERR_IO;
}

enum err
resolver_open(struct loop *front, const struct resolver_options *options, struct resolver **out,
	const char **fault)
{
	struct resolver *r = calloc(1, sizeof(*r));

	ENSURE(r);
	r->front = front;
	list_init(&r->lookups);
	list_init(&r->requests);
	pthread_mutex_init(&r->lock, NULL);
	buf_init(&r->servers, SERVERS_TEXT_MAX);
	r->cache = resolver_cache_open();
	r->looked_ms = loop_now_ms(front);
	if (stat(options->resolv_conf, &r->resolv_conf) != 0)
		r->resolv_conf.st_ino = 0; /* there is none yet */
	*fault = "dns.servers or resolv.conf cannot be used";
	if (resolver_configure(r, options) == OK) {
		*out = r;
		return OK;
	}
	resolver_close(&r);
	return ERR_IO;
}

void
resolver_close(struct resolver **at)
{
	struct resolver *r = *at;
	struct list *link, *following;

	*at = NULL;
	if (!r)
		return;
	channel_close(&r->channel); /* frees the look-ups */
	list_for_each(link, following, &r->requests) {
		struct resolver_request *request = LIST_ITEM(link, struct resolver_request, link);

		if (request->question)
			request->question->request = NULL;
		request_free(request);
	}
	resolver_cache_close(&r->cache);
	buf_fini(&r->servers);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

struct resolver_stats
resolver_stats(const struct resolver *r)
{
	struct resolver_stats stats = r->stats;

	stats.names = resolver_cache_count(r->cache);
	stats.under_way = r->lookup_count;
	return stats;
}
