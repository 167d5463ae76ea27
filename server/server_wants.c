/*
 * server_wants.c - the addresses that a configuration lists, service by service; opens nothing.
 */
#include <stdio.h>

#include "server/server_state.h"

static enum err
want_text(struct wants *wants, const struct service *service, struct span text,
	char fault[SERVER_LINE_MAX])
{
	struct want *want = &wants->items[wants->count];

	if (wants->count >= SERVER_LISTENERS_MAX) {
		snprintf(fault, SERVER_LINE_MAX, "too many listeners (at most %d)",
			SERVER_LISTENERS_MAX);
		return ERR_LIMIT;
	}
	if (listen_address_parse(text, &want->address) != OK) {
		snprintf(fault, SERVER_LINE_MAX,
			"listen %.*s: not an address (IP:PORT or unix:PATH)", SPAN_FMT(text));
		return ERR_SYNTAX;
	}
	want->service = service;
	wants->count++;
	return OK;
}

/* "*:25" is both families. */
static enum err
want_listen(struct wants *wants, const struct service *service, const struct conf_listen *listen,
	char fault[SERVER_LINE_MAX])
{
	static const char *const any[] = { "0.0.0.0", "[::]" };
	enum err err = OK;

	if (listen->kind != LISTEN_ANY)
		return want_text(wants, service, listen->text, fault);
	for (size_t i = 0; err == OK && i < COUNT(any); i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s:%u", any[i], listen->port);
		err = want_text(wants, service, span_of(text), fault);
	}
	return err;
}

static enum err
want_service(struct server *s, struct wants *wants, const struct service *service,
	const struct conf_service *row, char fault[SERVER_LINE_MAX])
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
		err = want_listen(wants, service, &row->listen.items[i], fault);
	return err;
}

static enum err
want_control(struct server *s, struct wants *wants, const struct conf *conf,
	char fault[SERVER_LINE_MAX])
{
	char text[LISTEN_TEXT_MAX];
	int n = snprintf(text, sizeof(text), "unix:%.*s", SPAN_FMT(conf->control));

	if (n < 0 || (size_t)n >= sizeof(text)) {
		snprintf(fault, SERVER_LINE_MAX, "control: the path is too long");
		return ERR_LIMIT;
	}
	s->states[SERVICE_COUNT] = SERVICE_RUNNING;
	return want_text(wants, &services[SERVICE_COUNT], span_of(text), fault);
}

enum err
server_wants(struct server *s, const struct conf *conf, struct wants *wants,
	char fault[SERVER_LINE_MAX])
{
	enum err err = want_control(s, wants, conf, fault);

	for (unsigned i = 0; err == OK && i < SERVICE_COUNT; i++) {
		const struct conf_service *row = conf_service(conf, (enum service_name)i);

		if (row && s->states[i] != SERVICE_STOPPED)
			err = want_service(s, wants, &services[i], row, fault);
	}
	return err;
}
