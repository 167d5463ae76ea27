/*
 * resolver_channel.c - c-ares on a loop: its sockets are watched, its clock is a deadline of the loop.
 *
 * It sends the question, with an id and a port of chance, and asks again where nothing comes or an answer
 * was cut; an answer that came from elsewhere, bears another id or another question is passed over there.
 * What is in an answer is read by proto/dns.
 */
#include <ares.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "proto/base/buf.h"
#include "server/net/resolver_inside.h"

#define TRIES 3	       /* rounds over the servers, each twice as patient; RESOLVER_WAIT_MS ends them */
#define SERVERS_MAX 1024 /* bytes of all names of servers */

/* A socket of c-ares. It stays in the list when it is closed, for the next one. */
struct watch {
	struct loop_io io;
	struct list link;
	struct channel *channel;
	bool used;
};

struct channel {
	ares_channel ares;
	struct loop *loop;
	struct list watches;
	struct loop_timer patience;
};

struct query {
	void (*done)(void *arg, enum channel_says says, struct span message);
	void *arg;
};

static void
set_patience(struct channel *c)
{
	struct timeval tv, *wait = ares_timeout(c->ares, NULL, &tv);

	if (!wait)
		loop_timer_clear(&c->patience);
	else
		loop_timer_set(c->loop, &c->patience,
			(int64_t)wait->tv_sec * 1000 + wait->tv_usec / 1000 + 1);
}

static void
on_patience(struct loop_timer *timer)
{
	struct channel *c = LIST_ITEM(timer, struct channel, patience);

	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_patience(c);
}

static void
on_ready(struct loop_io *io, unsigned ready)
{
	struct watch *w = LIST_ITEM(io, struct watch, io);
	struct channel *c = w->channel;
	int fd = io->fd;

	ares_process_fd(c->ares, ready & (LOOP_READ | LOOP_ERROR) ? fd : ARES_SOCKET_BAD,
		ready & (LOOP_WRITE | LOOP_ERROR) ? fd : ARES_SOCKET_BAD);
	set_patience(c);
}

static struct watch *
watch_of(struct channel *c, int fd)
{
	struct list *at, *following;
	struct watch *spare = NULL;

	list_for_each(at, following, &c->watches) {
		struct watch *w = LIST_ITEM(at, struct watch, link);

		if (w->used && w->io.fd == fd)
			return w;
		if (!w->used)
			spare = w;
	}
	if (!spare) {
		spare = calloc(1, sizeof(*spare));
		ENSURE(spare);
		spare->channel = c;
		list_append(&c->watches, &spare->link);
	}
	loop_io_init(&spare->io, fd, on_ready);
	spare->used = true;
	return spare;
}

static void
on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct watch *w = watch_of(arg, fd);

	loop_io_watch(w->channel->loop, &w->io,
		(readable ? LOOP_READ : 0u) | (writable ? LOOP_WRITE : 0u));
	w->used = readable || writable;
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct query query = *(struct query *)arg;
	struct span message = { (const char *)bytes, bytes && len > 0 ? (size_t)len : 0 };

	(void)timeouts;
	free(arg);
	if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED)
		query.done(query.arg, CHANNEL_CLOSED, SPAN_NONE);
	else if (status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND)
		query.done(query.arg, message.len ? CHANNEL_ANSWER : CHANNEL_FAILED, message);
	else if (status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED)
		query.done(query.arg, CHANNEL_SILENCE, SPAN_NONE);
	else
		query.done(query.arg, CHANNEL_FAILED, SPAN_NONE);
}

void
channel_ask(struct channel *c, const char *name, enum dns_type type,
	void (*done)(void *arg, enum channel_says says, struct span message), void *arg)
{
	struct query *query = malloc(sizeof(*query));

	ENSURE(query);
	*query = (struct query){ done, arg };
	ares_query(c->ares, name, 1, (int)type, on_answer, query);
	set_patience(c);
}

static int
open_ares(struct channel *c, const struct resolver_options *options, struct span servers)
{
	struct ares_options o = { .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = (int)options->timeout_ms, .tries = TRIES,
		.sock_state_cb = on_socket, .sock_state_cb_data = c,
		.resolvconf_path = (char *)(uintptr_t)options->resolv_conf };
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
		ARES_OPT_RESOLVCONF | ARES_OPT_NOROTATE;
	char text[SERVERS_MAX];
	int rc;

	if (servers.len >= sizeof(text))
		return ARES_EBADSTR;
	rc = ares_init_options(&c->ares, &o, mask);
	if (rc != ARES_SUCCESS || servers.len == 0)
		return rc;
	memcpy(text, servers.ptr, servers.len);
	text[servers.len] = '\0';
	rc = ares_set_servers_ports_csv(c->ares, text);
	if (rc != ARES_SUCCESS)
		ares_destroy(c->ares);
	return rc;
}

struct channel *
channel_open(struct loop *loop, const struct resolver_options *options, struct span servers,
	const char **fault)
{
	struct channel *c = calloc(1, sizeof(*c));
	int rc = ares_library_init(ARES_LIB_INIT_ALL);

	ENSURE(c);
	c->loop = loop;
	list_init(&c->watches);
	loop_timer_init(&c->patience, on_patience);
	if (rc == ARES_SUCCESS) {
		rc = open_ares(c, options, servers);
		if (rc == ARES_SUCCESS)
			return c;
		ares_library_cleanup();
	}
	*fault = ares_strerror(rc);
	free(c);
	return NULL;
}

void
channel_close(struct channel **at)
{
	struct channel *c = *at;
	struct list *link;

	if (!c)
		return;
	*at = NULL;
	ares_destroy(c->ares);
	ares_library_cleanup();
	loop_timer_clear(&c->patience);
	while ((link = list_take_first(&c->watches))) {
		struct watch *w = LIST_ITEM(link, struct watch, link);

		loop_io_watch(c->loop, &w->io, 0);
		free(w);
	}
	free(c);
}
