/*
 * routes.c - the filters of routes.
 */
#include "server/queue/routes.h"

enum side { SIDE_TO, SIDE_FROM };

/* One line, taken apart. */
struct filter {
	enum side side;
	bool denies;
	struct span pattern;
};

static struct filter
filter_of(struct span line)
{
	struct filter f = { .side = SIDE_TO };

	line = span_trim(line);
	if (span_starts(line, SPAN("!"))) {
		f.denies = true;
		line = span_trim(span_from(line, 1));
	}
	if (span_starts_nocase(line, SPAN("From:"))) {
		f.side = SIDE_FROM;
		line = span_trim(span_from(line, 5));
	}
	f.pattern = line;
	return f;
}

static bool
side_fits(const struct conf_route *route, enum side side, struct span text)
{
	bool allows_some = false, allowed = false;

	for (size_t i = 0; i < route->domains.count; i++) {
		struct filter f = filter_of(route->domains.items[i]);
		bool matches = f.side == side && span_match_wildcard(f.pattern, text);

		if (f.side != side)
			continue;
		if (f.denies && matches)
			return false;
		allows_some |= !f.denies;
		allowed |= matches;
	}
	return allowed || !allows_some;
}

struct span
route_domain(struct span address)
{
	return span_from(address, span_find_last(address, '@') + 1);
}

bool
route_fits(const struct conf_route *route, struct span sender, struct span recipient)
{
	return side_fits(route, SIDE_TO, route_domain(recipient)) &&
		side_fits(route, SIDE_FROM, sender.len > 0 ? sender : SPAN("<>"));
}

const struct conf_route *
route_choose(const struct conf_routes *routes, struct span sender, struct span recipient)
{
	for (size_t i = 0; i < routes->count; i++)
		if (route_fits(&routes->items[i], sender, recipient))
			return &routes->items[i];
	return NULL;
}

const struct conf_route *
route_named(const struct conf_routes *routes, struct span name)
{
	for (size_t i = 0; i < routes->count; i++)
		if (span_eq_nocase(routes->items[i].name, name))
			return &routes->items[i];
	return NULL;
}
