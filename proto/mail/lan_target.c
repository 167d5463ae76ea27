/*
 * lan_target.c - hosts with ports, and the forms they are written in.
 */
#include "proto/mail/lan_target.h"

#include <string.h>

static bool
is_ipv6(struct span text)
{
	char literal[64];
	static const struct span front = { "[IPv6:", 6 };

	if (text.len == 0 || text.len > sizeof(literal) - front.len - 1)
		return false;
	memcpy(literal, front.ptr, front.len);
	memcpy(literal + front.len, text.ptr, text.len);
	literal[front.len + text.len] = ']';
	return domain_is_literal((struct span){ literal, front.len + text.len + 1 });
}

static enum err
take_port(struct span rest, uint16_t *port)
{
	uint64_t number = LAN_PORT;

	if (rest.len > 0 && (rest.ptr[0] != ':' || span_u64(span_from(rest, 1), 65535, &number) != OK))
		return ERR_SYNTAX;
	*port = (uint16_t)number;
	return number > 0 ? OK : ERR_SYNTAX;
}

enum err
lan_target_parse(struct span text, struct lan_target *out)
{
	bool bracketed = span_starts(text, SPAN("["));
	size_t end = span_find(text, bracketed ? ']' : ':');

	if (bracketed && end == text.len)
		return ERR_SYNTAX;
	out->host = span_range(text, bracketed, end);
	if (bracketed ? !is_ipv6(out->host) : !domain_is_valid(out->host))
		return ERR_SYNTAX;
	return take_port(span_from(text, end + bracketed), &out->port);
}

struct span
lan_target_format(struct arena *a, const struct lan_target *target)
{
	bool bracketed = span_find(target->host, ':') < target->host.len;
	struct span host = arena_lower(a, target->host);

	return arena_printf(a, bracketed ? "[%.*s]:%u" : "%.*s:%u", SPAN_FMT(host),
		(unsigned)target->port);
}

bool
lan_route_take(struct span route, struct lan_target *out)
{
	return span_starts_nocase(route, SPAN(LAN_ROUTE_PREFIX)) &&
		lan_target_parse(span_from(route, sizeof(LAN_ROUTE_PREFIX) - 1), out) == OK;
}

/* The one '@' form: the host is the domain too. */
static struct span
at_host(struct arena *a, struct span user, struct span host)
{
	bool is_v6 = span_find(host, ':') < host.len;

	return arena_printf(a, is_v6 ? "%.*s@[IPv6:%.*s]" : "%.*s@%.*s", SPAN_FMT(user), SPAN_FMT(host));
}

enum err
lan_forward_parse(struct arena *a, struct span text, struct address *to, struct lan_target *out)
{
	struct span rest = span_from(text, 5), user;
	size_t at = span_find_last(rest, '@');

	if (!span_starts_nocase(text, SPAN("SMTP:")))
		return ERR_NOT_FOUND;
	if (at == rest.len || lan_target_parse(span_from(rest, at + 1), out) != OK)
		return ERR_SYNTAX;
	user = span_range(rest, 0, at);
	if (span_find(user, '@') == user.len)
		user = at_host(a, user, out->host);
	return address_parse(a, user, to) == OK && to->domain.len > 0 ? OK : ERR_SYNTAX;
}
