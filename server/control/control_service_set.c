/*
 * control_service_set.c - settings of one service: `service set`, and `service lan` (SVC-04).
 *
 * Both are changes of the configuration file like `config set`: recorded, undone, previewed alike.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/control/control_undo.h"
#include "server/services.h"
#include "server/session/lan.h"

#define KEYS_MAX 8	/* keys of one service at once */
#define LAN_LINES_MAX 256

struct service_change {
	struct control_config config; /* first: what control_config.c works on */
	struct conf_change changes[KEYS_MAX];
	size_t count;
	struct span what; /* for the history of the file */
};

static struct service_change *
begin(struct control_call *call)
{
	struct service_change *sc = ARENA_NEW(&call->arena, struct service_change);
	struct span name = control_param(call, "name");
	enum service_name known;

	call->state = sc;
	if (!conf_service_named(name, &known)) {
		control_failf(call, RPC_NOT_FOUND, "name", "there is no service %.*s",
			SPAN_FMT(name));
		return NULL;
	}
	sc->what = arena_printf(
		&call->arena, "%s %.*s", call->request->method->words, SPAN_FMT(name));
	return control_config_begin(call, &sc->config) ? sc : NULL;
}

static bool
add(struct control_call *call, struct service_change *sc, struct span key, struct span value)
{
	if (sc->count >= KEYS_MAX)
		return control_fail(call, RPC_TOO_LARGE, "too many keys at once", NULL, "keys");
	sc->changes[sc->count++] = (struct conf_change){
		.key = arena_printf(&call->arena, "services.%.*s.%.*s",
			SPAN_FMT(control_param(call, "name")), SPAN_FMT(key)),
		.value = value };
	return true;
}

/* ---- service set ---- */

static bool
set_check(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "keys");
	struct service_change *sc = begin(call);

	for (size_t i = 0; sc && i < keys->count; i++) {
		struct span key = keys->pairs[i].key, value = keys->pairs[i].value;

		if (span_eq(key, SPAN("access")) || span_eq(key, SPAN("listen")))
			value = control_list_value(call, value, ";");
		else if (!span_eq(key, SPAN("max_connections")) &&
			!span_eq(key, SPAN("max_per_ip")) && !span_eq(key, SPAN("timeout")))
			return control_failf(call, RPC_INVALID, "keys",
				"a service has no %.*s (access, listen, max_connections, "
				"max_per_ip, timeout)",
				SPAN_FMT(key));
		if (!add(call, sc, key, value))
			return false;
	}
	return sc != NULL;
}

static bool
set_work(struct control_call *call)
{
	struct service_change *sc = call->state;

	return control_config_save(
		call, &sc->config, sc->changes, sc->count, arena_text(&call->arena, sc->what));
}

const struct control_handler control_do_service_set = {
	.check = set_check,
	.work = set_work,
	.work_kind = WORK_GENERAL,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.object = "the change",
	.unrecorded = true,
};

/* ---- service lan: the lines for our networks (SVC-04, ACC-07) ---- */

static struct span
lan_value(struct control_call *call, bool noauth)
{
	struct lan_line *lines = ARENA_ARRAY(&call->arena, struct lan_line, LAN_LINES_MAX);
	size_t count = lan_lines(lines, LAN_LINES_MAX);
	struct span *items = ARENA_ARRAY(&call->arena, struct span, count + 1);

	for (size_t i = 0; i < count; i++)
		items[i] = arena_printf(
			&call->arena, "%s%s", lines[i].text, noauth ? " noauth" : "");
	return control_list_json(call, items, count);
}

static bool
lan_check(struct control_call *call)
{
	struct service_change *sc = begin(call);

	return sc && add(call, sc, SPAN("access"),
			     lan_value(call, rpc_flag(call->request, "noauth")));
}

static struct span
lan_would(struct control_call *call, const struct rpc_request *request)
{
	return arena_printf(&call->arena, "would set services.%.*s.access to %.*s",
		SPAN_FMT(rpc_text(request, "name")),
		SPAN_FMT(lan_value(call, rpc_flag(request, "noauth"))));
}

const struct control_handler control_do_service_lan = {
	.check = lan_check,
	.work = set_work,
	.work_kind = WORK_GENERAL,
	.take = control_config_set_take,
	.change = control_config_set_change,
	.would = lan_would,
	.object = "the change",
	.unrecorded = true,
};
