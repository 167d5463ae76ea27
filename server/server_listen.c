/*
 * server_listen.c - listeners by difference: what the configuration lists is open, no more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/server_state.h"

#define BIND_TRIES 20 /* x BIND_WAIT_MS at start: a server that was killed is still going away */
#define BIND_WAIT_MS 50

struct service_listener {
	struct listener base;
	struct list link;
	struct server *server;
	const struct service *service;
	bool wanted, fresh;
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

static enum err
bind_patiently(struct server *s, const struct listen_address *address, bool at_start, int *fd)
{
	enum err err = server_bind(s, address, fd);

	for (int i = 1; at_start && err == ERR_EXISTS && i < BIND_TRIES; i++) {
		usleep(BIND_WAIT_MS * 1000);
		err = server_bind(s, address, fd);
	}
	return err;
}

static enum err
add_listener(struct server *s, const struct service *service, const struct listen_address *address,
	bool at_start, char fault[SERVER_LINE_MAX])
{
	struct service_listener *l = find_listener(s, service, address->text);
	int fd = -1;

	if (l) {
		l->wanted = true;
		return OK;
	}
	if (s->listener_count >= SERVER_LISTENERS_MAX) {
		snprintf(fault, SERVER_LINE_MAX, "too many listeners (at most %d)",
			SERVER_LISTENERS_MAX);
		return ERR_LIMIT;
	}
	if (bind_patiently(s, address, at_start, &fd) != OK) {
		snprintf(fault, SERVER_LINE_MAX, "listen %s: %s (%s change %s%s%s)", address->text,
			strerror(errno),
			errno == EADDRINUSE ? "another server?" :
			errno == EACCES	    ? "ports below 1024 need root;" :
					      "see the configuration;",
			service->is_control ? "" : "services.", service->name,
			service->is_control ? "" : ".listen");
		return ERR_IO;
	}
	l = calloc(1, sizeof(*l));
	ENSURE(l);
	listener_init(&l->base, server_front(s)->loop, fd);
	l->base.address = *address;
	l->base.on_accept = on_accept;
	l->base.on_pause = on_pause;
	l->server = s;
	l->service = service;
	l->wanted = l->fresh = true;
	list_append(&s->listeners, &l->link);
	s->listener_count++;
	return OK;
}

static void
drop_listener(struct server *s, struct service_listener *l)
{
	list_remove(&l->link);
	s->listener_count--;
	listener_stop(&l->base);
	free(l);
}

static enum err
add_text(struct server *s, const struct service *service, struct span text, bool at_start,
	char fault[SERVER_LINE_MAX])
{
	struct listen_address address;

	if (listen_address_parse(text, &address) != OK) {
		snprintf(fault, SERVER_LINE_MAX,
			"listen %.*s: not an address (IP:PORT or unix:PATH)", SPAN_FMT(text));
		return ERR_SYNTAX;
	}
	return add_listener(s, service, &address, at_start, fault);
}

/* "*:25" is both families. */
static enum err
add_conf_listen(struct server *s, const struct service *service, const struct conf_listen *listen,
	bool at_start, char fault[SERVER_LINE_MAX])
{
	static const char *const any[] = { "0.0.0.0", "[::]" };
	enum err err = OK;

	if (listen->kind != LISTEN_ANY)
		return add_text(s, service, listen->text, at_start, fault);
	for (size_t i = 0; err == OK && i < COUNT(any); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s:%u", any[i], listen->port);
		err = add_text(s, service, span_of(text), at_start, fault);
	}
	return err;
}

static enum err
add_service(struct server *s, const struct service *service, const struct conf_service *row,
	bool at_start, char fault[SERVER_LINE_MAX])
{
	enum err err = OK;

	if (!service->class) {
		log_put(server_front(s)->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "listen",
				.text = "this service is not built yet",
				.fields = { { "service", span_of(service->name) } } });
		s->states[service->number] = SERVICE_FAILED;
		return OK;
	}
	for (size_t i = 0; err == OK && i < row->listen.count; i++)
		err = add_conf_listen(s, service, &row->listen.items[i], at_start, fault);
	return err;
}

static enum err
add_control(struct server *s, const struct conf *conf, bool at_start, char fault[SERVER_LINE_MAX])
{
	char text[LISTEN_TEXT_MAX];
	int n = snprintf(text, sizeof(text), "unix:%.*s", SPAN_FMT(conf->control));

	if (n < 0 || (size_t)n >= sizeof(text)) {
		snprintf(fault, SERVER_LINE_MAX, "control: the path is too long");
		return ERR_LIMIT;
	}
	s->states[SERVICE_COUNT] = SERVICE_RUNNING;
	return add_text(s, &services[SERVICE_COUNT], span_of(text), at_start, fault);
}

static enum err
add_all(struct server *s, const struct conf *conf, bool at_start, char fault[SERVER_LINE_MAX])
{
	enum err err = add_control(s, conf, at_start, fault);

	for (unsigned i = 0; err == OK && i < SERVICE_COUNT; i++) {
		const struct conf_service *row = conf_service(conf, (enum service_name)i);

		if (row && s->states[i] != SERVICE_STOPPED)
			err = add_service(s, &services[i], row, at_start, fault);
	}
	return err;
}

static bool
has_listener(struct server *s, const struct service *service)
{
	struct list *at, *following;

	list_for_each(at, following, &s->listeners) {
		if (of_link(at)->service == service)
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
		else if (s->states[i] != SERVICE_FAILED)
			s->states[i] = SERVICE_STOPPED;
	}
}

enum err
server_listen(struct server *s, const struct conf *conf, bool at_start, char fault[SERVER_LINE_MAX])
{
	struct list *at, *following;
	enum err err;

	list_for_each(at, following, &s->listeners)
		of_link(at)->wanted = of_link(at)->fresh = false;
	err = add_all(s, conf, at_start, fault);
	list_for_each(at, following, &s->listeners) {
		struct service_listener *l = of_link(at);

		if (err == OK ? !l->wanted : l->fresh)
			drop_listener(s, l);
	}
	if (err == OK)
		set_states(s, conf);
	return err;
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
}

void
server_listeners_close(struct server *s)
{
	struct list *at, *following;

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

		if (l->service != service)
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
