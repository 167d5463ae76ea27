/*
 * control_services.c - services, and the clock of tests.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "server/control/control_call.h"
#include "server/server.h"

#define ADDRESSES_MAX 4096

static const char *const tls_words[] = {
	[TLS_NONE] = "none",
	[TLS_STARTTLS] = "starttls",
	[TLS_IMPLICIT] = "implicit",
};

/* The commas of "a, b" become rows of a list. */
static void
put_addresses(struct control_call *call, const struct service *service)
{
	struct span items[32], rest, head;
	size_t count = 0;
	struct buf text;

	buf_init(&text, ADDRESSES_MAX);
	if (server_service_addresses(call->host->server, service, &text) != OK)
		buf_clear(&text);
	rest = buf_span(&text);
	while (rest.len > 0 && count < COUNT(items)) {
		span_cut(rest, ',', &head, &rest);
		items[count++] = span_trim(head);
	}
	control_put_list(&call->rows, items, count);
	buf_fini(&text);
}

static int64_t
max_connections(const struct conf *conf, const struct service *service)
{
	for (unsigned i = 0; i < SERVICE_COUNT; i++) {
		const struct conf_service *row = conf_service(conf, i);

		if (row && span_eq(span_of(service_names[i]), span_of(service->name)))
			return conf_service_max_connections(conf, row);
	}
	return service->is_control ? conf->limits_consoles : 0;
}

static void
service_list(struct control_call *call)
{
	for (unsigned i = 0; i < service_count; i++) {
		const struct service *service = &services[i];
		enum service_state state = server_service_state(call->host->server, service);

		if (state == SERVICE_ABSENT && !service->is_control)
			continue;
		control_row(&call->rows, span_of(service->name));
		control_put_text(&call->rows, span_of(service->name));
		control_put_number(&call->rows, state == SERVICE_RUNNING || service->is_control);
		put_addresses(call, service);
		control_put_text(&call->rows, span_of(tls_words[service->tls]));
		control_put_number(
			&call->rows, shared_connections(call->host->shared, service->number));
		control_put_number(&call->rows, max_connections(call->host->conf, service));
	}
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_service_list = {.start = service_list};

/* SVC-02: what a mail server should not be without. Static text, or "". */
static const char *
required_service(struct span name)
{
	if (span_eq(name, SPAN("smtp")))
		return "; until then no mail comes in from outside";
	if (span_eq(name, SPAN("pop3")))
		return "; until then nobody collects mail by POP3";
	return "";
}

static const char *
stop_warns(struct control_call *call, const struct rpc_request *request)
{
	const char *text = required_service(rpc_text(request, "name"));

	(void)call;
	return text[0] ? text + 2 : NULL;
}

static void
service_switch(struct control_call *call, const char *note,
	enum err (*act)(struct server *, const struct service *))
{
	const struct service *service = service_find(control_param(call, "name"));
	enum err err = ERR_NOT_FOUND;

	if (service && service->is_control)
		control_fail(call, RPC_REFUSED, "the control socket always runs", NULL, "name");
	else if (service)
		err = act(call->host->server, service);
	if (err == ERR_NOT_FOUND)
		control_fail(
			call, RPC_NOT_FOUND, "no such service in the configuration", NULL, "name");
	if (control_fail_err(call, err, "the service")) {
		struct span name = span_of(service->name);

		call->done = 1;
		call->note = arena_printf(&call->arena, "service %.*s %s %.*s%s", SPAN_FMT(name),
			note, SPAN_FMT(name),
			act == server_service_stop ? required_service(name) : "");
	}
	control_call_end(call);
}

static void
service_start(struct control_call *call)
{
	service_switch(
		call, "runs; the way back is: postroom service stop", server_service_start);
}

static void
service_stop(struct control_call *call)
{
	service_switch(
		call, "stopped; the way back is: postroom service start", server_service_stop);
}

const struct control_handler control_do_service_start = {.start = service_start};
const struct control_handler control_do_service_stop = {
	.start = service_stop, .warns = stop_warns};

static void
clock_advance(struct control_call *call)
{
	uint64_t seconds = rpc_number(call->request, "by", 0);
	enum err err = ERR_LIMIT;

	if (seconds <= INT64_MAX / 1000)
		err = server_clock_advance(call->host->server, (int64_t)seconds * 1000);
	if (err == ERR_DENIED)
		control_fail(call, RPC_REFUSED, "the clock is not a test clock",
			"set testing: { clock: yes } in the configuration and restart", NULL);
	if (control_fail_err(call, err, "the clock")) {
		call->done = 1;
		call->note = SPAN("the clock has been advanced");
	}
	control_call_end(call);
}

const struct control_handler control_do_clock_advance = {.start = clock_advance};
