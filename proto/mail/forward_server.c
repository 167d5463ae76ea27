/*
 * forward_server.c - see forward_server.h.
 */
#include "proto/mail/forward_server.h"

#include "proto/base/ascii.h"

/* SASL takes no NUL, and what holds a control was not meant. */
static bool
has_control(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (ascii_is_control(text.ptr[i]))
			return true;
	return false;
}

enum err
forward_server_parse(struct span text, struct forward_server *out)
{
	size_t at = span_find_last(text, '@');
	struct span login = span_range(text, 0, at), host = text;
	size_t colon = span_find(login, ':');

	*out = (struct forward_server){ .account = SPAN("") };
	if (at < text.len) {
		host = span_from(text, at + 1);
		out->account = span_range(login, 0, colon);
		if (colon < login.len)
			out->password = span_from(login, colon + 1);
		if (out->account.len == 0 || has_control(login))
			return ERR_SYNTAX;
		if (out->account.len > FORWARD_ACCOUNT_MAX ||
			out->password.len > FORWARD_ACCOUNT_MAX)
			return ERR_LIMIT;
	}
	return lan_target_parse(host, &out->target);
}

struct span
forward_server_format(struct arena *a, const struct forward_server *server)
{
	struct span host = lan_target_format(a, &server->target);

	if (server->account.len == 0)
		return host;
	return arena_printf(a, "%.*s@%.*s", SPAN_FMT(server->account), SPAN_FMT(host));
}

bool
forward_route_take(struct span route, uint64_t *user_id)
{
	return forward_route_is(route) &&
		span_u64(span_from(route, sizeof(FORWARD_ROUTE_PREFIX) - 1), UINT64_MAX,
			user_id) == OK;
}
