/*
 * server_listen.c - listeners by difference: what the configuration lists is open, no more.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/server_state.h"

#define BIND_TRIES 20 /* x BIND_WAIT_MS at start: a server that was killed is still going away */
#define BIND_WAIT_MS 50
#define LISTEN_RETRY_MS (30 * 1000) /* for an address that this machine does not have */

/* One address of one service that is open, or that this machine does not have yet (SVC-03). */
struct service_listener {
	struct listener base;
	struct list link;
	struct server *server;
	const struct service *service;
	bool wanted, fresh, absent;
	bool yielded; /* its port is lent to a new one, which may fail yet */
};

static struct service_listener *
of_link(struct list *link)
{
	return LIST_ITEM(link, struct service_listener, link);
}

/* ---- what listeners say ---- */

static void
on_accept(struct listener *l, int fd, const struct peer *peer)
{
	struct service_listener *sl = LIST_ITEM(l, struct service_listener, base);

	server_accept(sl->server, sl->service, fd, peer);
}

static void
on_pause(struct listener *l, int error)
{
	struct service_listener *sl = LIST_ITEM(l, struct service_listener, base);

	metric_add(&sl->server->metrics, accept_pauses, 1);
	log_put(server_front(sl->server)->log,
		&(struct log_line){ .level = LEVEL_ERROR, .area = "listen",
			.text = "cannot accept, resting",
			.fields = { { "address", span_of(l->address.text) },
				{ "why", span_of(strerror(error)) } } });
}

/* ---- listeners by difference ---- */

static struct service_listener *
find_listener(struct server *s, const struct service *service, const char *text)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (l->service == service && strcmp(l->base.address.text, text) == 0)
			return l;
	}
	return NULL;
}

static void
mark_wanted(struct server *s, const struct wants *wants)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners)
		of_link(at)->wanted = of_link(at)->fresh = of_link(at)->yielded = false;
	for (size_t i = 0; i < wants->count; i++) {
		struct service_listener *l = find_listener(
			s, wants->items[i].service, wants->items[i].address.text);

		if (l)
			l->wanted = true;
	}
}

/* ---- opening ---- */

static uint16_t
port_of(const struct listen_address *address)
{
	if (address->sockaddr.ss_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)&address->sockaddr)->sin_port;
	if (address->sockaddr.ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)(const void *)&address->sockaddr)->sin6_port;
	return 0;
}

/*
 * The same port in other clothes ("127.0.0.1:25" becomes "*:25"): what is not wanted any more lends
 * it, and takes it back if the rest fails. True: there was such a one.
 */
static bool
make_room(struct server *s, const struct listen_address *address)
{
	struct list *at, *following;
	bool any = false;

	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (l->wanted || l->absent || l->yielded || port_of(address) == 0 ||
			l->base.address.sockaddr.ss_family != address->sockaddr.ss_family ||
			port_of(&l->base.address) != port_of(address))
			continue;
		l->yielded = listener_yield(&l->base) == OK;
		any = any || l->yielded;
	}
	return any;
}

static enum err
bind_patiently(struct server *s, const struct listen_address *address, bool at_start, int *fd)
{
	enum err err = server_bind(s, address, fd);

	if (err == ERR_EXISTS && make_room(s, address))
		err = server_bind(s, address, fd);
	for (int i = 1; at_start && err == ERR_EXISTS && i < BIND_TRIES; i++) {
		usleep(BIND_WAIT_MS * 1000);
		err = server_bind(s, address, fd);
	}
	return err;
}

static void
say_why_not(const struct want *want, int error, char fault[SERVER_LINE_MAX])
{
	snprintf(fault, SERVER_LINE_MAX, "listen %s: %s (%s change %s%s%s)", want->address.text,
		strerror(error),
		error == EADDRINUSE ? "another server?" :
		error == EACCES	    ? "ports below 1024 need root;" :
				      "see the configuration;",
		want->service->is_control ? "" : "services.", want->service->name,
		want->service->is_control ? "" : ".listen");
}

static struct service_listener *
new_listener(struct server *s, const struct want *want)
{
	struct service_listener *l = calloc(1, sizeof(*l));

	ENSURE(l);
	l->server = s;
	l->service = want->service;
	l->wanted = true;
	l->absent = true;
	l->base.address = want->address;
	list_append(&s->listeners, &l->link);
	s->listener_count++;
	return l;
}

static void
set_open(struct service_listener *l, int fd)
{
	struct listen_address address = l->base.address;

	listener_init(&l->base, server_front(l->server)->loop, fd);
	l->base.address = address;
	l->base.on_accept = on_accept;
	l->base.on_pause = on_pause;
	l->absent = false;
	l->fresh = true;
}

/* SVC-03: at a start an address that this machine does not have costs that service alone. */
static enum err
open_want(struct server *s, const struct want *want, bool at_start, char fault[SERVER_LINE_MAX])
{
	struct service_listener *l = find_listener(s, want->service, want->address.text);
	int fd = -1;

	if (l && !l->absent)
		return OK;
	if (bind_patiently(s, &want->address, at_start, &fd) == OK) {
		set_open(l ? l : new_listener(s, want), fd);
		return OK;
	}
	if (errno == EADDRNOTAVAIL && l)
		return OK; /* still not; said already */
	say_why_not(want, errno, fault);
	if (errno != EADDRNOTAVAIL || !at_start)
		return ERR_IO;
	new_listener(s, want);
	server_complain(s, fault, "", "");
	return OK;
}

static void
drop_listener(struct server *s, struct service_listener *l)
{
	list_remove(&l->link);
	s->listener_count--;
	if (!l->absent)
		listener_stop(&l->base);
	free(l);
}

static enum err
open_all(struct server *s, const struct wants *wants, bool at_start, char fault[SERVER_LINE_MAX])
{
	enum err err = OK;

	for (size_t i = 0; err == OK && i < wants->count; i++)
		err = open_want(s, &wants->items[i], at_start, fault);
	return err;
}

/* Those that were closed to make room listen again; the new ones are gone before. */
static void
take_back(struct server *s)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (l->yielded && listener_reclaim(&l->base) != OK)
			server_complain(s, "listen", strerror(errno), l->base.address.text);
		l->yielded = false;
	}
}

static bool
has_listener(struct server *s, const struct service *service)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		if (of_link(at)->service == service && !of_link(at)->absent)
			return true;
	}
	return false;
}

static bool
has_absent(struct server *s, const struct service *service)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		if (of_link(at)->absent && (!service || of_link(at)->service == service))
			return true;
	}
	return false;
}

static void
set_states(struct server *s, const struct conf *conf)
{
	for (unsigned i = 0; i < SERVICE_COUNT; i++) {
		if (!conf_service(conf, (enum service_name)i))
			s->states[i] = SERVICE_ABSENT;
		else if (has_listener(s, &services[i]))
			s->states[i] = SERVICE_RUNNING;
		else if (has_absent(s, &services[i]))
			s->states[i] = SERVICE_FAILED;
		else if (s->states[i] != SERVICE_FAILED)
			s->states[i] = SERVICE_STOPPED;
	}
}

static void
drop_where(struct server *s, enum err err)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (err == OK ? !l->wanted : l->fresh)
			drop_listener(s, l);
	}
}

enum err
server_listen(struct server *s, const struct conf *conf, bool at_start, char fault[SERVER_LINE_MAX])
{
	struct wants *wants = calloc(1, sizeof(*wants));
	enum err err;

	ENSURE(wants);
	err = server_wants(s, conf, wants, fault);
	mark_wanted(s, wants);
	if (err == OK)
		err = open_all(s, wants, at_start, fault);
	drop_where(s, err);
	if (err == OK)
		set_states(s, conf);
	else
		take_back(s);
	free(wants);
	return err;
}

/* An address may come with its interface: looked at again until it is there. */
static void
on_retry(struct loop_timer *timer)
{
	struct server *s = LIST_ITEM(timer, struct server, listen_timer);
	char fault[SERVER_LINE_MAX] = "";

	if (server_listen(s, server_front(s)->conf, false, fault) != OK)
		server_complain(s, fault, "", "");
	server_listeners_start(s);
}

void
server_listeners_start(struct server *s)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (!l->fresh)
			continue;
		l->fresh = false;
		listener_start(&l->base);
		log_put(server_front(s)->log,
			&(struct log_line){ .level = LEVEL_INFO, .area = "listen",
				.text = "listening",
				.fields = { { "service", span_of(l->service->name) },
					{ "address", span_of(l->base.address.text) } } });
	}
	loop_timer_clear(&s->listen_timer);
	if (has_absent(s, NULL))
		loop_timer_set(server_front(s)->loop, &s->listen_timer, LISTEN_RETRY_MS);
}

void
server_listeners_init(struct server *s)
{
	list_init(&s->listeners);
	loop_timer_init(&s->listen_timer, on_retry);
}

void
server_listeners_close(struct server *s)
{
	struct list *at, *following;

	loop_timer_clear(&s->listen_timer);
	list_for_each(at, following, &s->listeners)
		drop_listener(s, of_link(at));
}

/* ---- service list, start, stop ---- */

enum service_state
server_service_state(struct server *s, const struct service *service)
{
	return s->states[service->number];
}

enum err
server_service_addresses(struct server *s, const struct service *service, struct buf *out)
{
	struct list *at, *following;
	bool first = true;

	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (l->service != service || l->absent)
			continue;
		if ((!first && buf_put(out, SPAN(", ")) != OK) ||
			buf_put(out, span_of(l->base.address.text)) != OK)
			return ERR_LIMIT;
		first = false;
	}
	return OK;
}

struct service_end {
	struct host *host;
	const struct service *service;
};

static void
end_sessions_of(void *arg)
{
	struct service_end *end = arg;

	session_close_all(end->host, end->service, CLOSE_ENDED);
	free(end);
}

enum err
server_service_stop(struct server *s, const struct service *service)
{
	struct list *at, *following;

	if (service->is_control)
		return ERR_DENIED; /* nobody could start it again */
	if (s->states[service->number] == SERVICE_ABSENT)
		return ERR_NOT_FOUND;
	list_for_each(at, following, &s->listeners) {
		if (of_link(at)->service == service)
			drop_listener(s, of_link(at));
	}
	s->states[service->number] = SERVICE_STOPPED;
	for (unsigned i = 0; i < s->loop_count; i++) {
		struct service_end *end = malloc(sizeof(*end));

		ENSURE(end);
		*end = (struct service_end){ &s->hosts[i], service };
		loop_post(end->host->loop, end_sessions_of, end);
	}
	return OK;
}

enum err
server_service_start(struct server *s, const struct service *service)
{
	char fault[SERVER_LINE_MAX] = "";
	enum err err;

	if (s->states[service->number] == SERVICE_ABSENT)
		return ERR_NOT_FOUND;
	if (!service->class)
		return ERR_DENIED;
	s->states[service->number] = SERVICE_RUNNING;
	err = server_listen(s, server_front(s)->conf, false, fault);
	if (err != OK) {
		s->states[service->number] = SERVICE_STOPPED;
		server_complain(s, "service", fault, "");
		return ERR_IO;
	}
	server_listeners_start(s);
	return OK;
}
