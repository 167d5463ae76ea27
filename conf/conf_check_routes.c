/*
 * conf_check_routes.c - the ways out, each against itself.
 */
#include <stdio.h>

#include "conf/conf_check.h"
#include "conf/conf_value.h"
#include "conf/yaml_tree.h"
#include "proto/mail/forward_server.h"

struct at {
	const struct yaml_tree *tree;
	struct conf_faults *faults;
	char key[CONF_KEY_MAX];
};

static void
fault(const struct at *at, const char *what)
{
	conf_fault_add(at->faults, yaml_place_of(at->tree, span_of(at->key)), span_of(at->key), "%s", what);
}

/* keep, always ADDRESS, nonlocal ADDRESS (OUT-12). */
static bool
is_return_address(struct span text)
{
	struct span word, address;

	if (span_eq(text, SPAN("keep")))
		return true;
	return span_cut(text, ' ', &word, &address) &&
	       (span_eq(word, SPAN("always")) || span_eq(word, SPAN("nonlocal"))) &&
	       span_find(address, '@') > 0 && span_find(address, '@') < address.len &&
	       span_find_any(address, SPAN(" \t")) == address.len;
}

/* H56: no search for the program, no shell. */
static void
check_token_command(const struct at *at, const struct conf_route *route)
{
	if (!span_starts(route->token_command.items[0], SPAN("/")))
		fault(at, "token_command begins with the path of a program");
	if (route->username.len == 0)
		fault(at, "token_command wants a username, too");
	if (route->password.kind != SECRET_NONE)
		fault(at, "a route has a password or a token_command, not both");
}

/*
 * A filter that can fit nothing lets mail wait, or go another way, without a word (OUT-08). What stands
 * for recipients is a domain alone; of a From: line an address.
 */
static bool
is_filter(struct span line)
{
	line = span_trim(line);
	if (span_starts(line, SPAN("!")))
		line = span_trim(span_from(line, 1));
	if (!span_starts_nocase(line, SPAN("From:")))
		return line.len > 0 && span_find_any(line, SPAN(" \t!@<>")) == line.len;
	line = span_trim(span_from(line, sizeof("From:") - 1));
	return line.len > 0 && span_find_any(line, SPAN(" \t!")) == line.len;
}

static void
check_filters(const struct at *at, struct conf_list domains)
{
	for (size_t i = 0; i < domains.count; i++)
		if (!is_filter(domains.items[i]))
			conf_fault_add(at->faults, yaml_place_of(at->tree, span_of(at->key)), span_of(at->key),
				"domains: \"%.*s\" is none of domain, !domain, From: address, !From: address",
				SPAN_FMT(domains.items[i]));
}

/* Names that the filter `route:` of the queue means otherwise. */
static bool
is_taken_name(struct span name)
{
	return span_eq_nocase(name, SPAN("lan")) || span_eq_nocase(name, SPAN("snf"));
}

static void
check_route(const struct at *at, const struct conf_route *route)
{
	bool named = route->servers.count > 0;

	if ((route->path.len > 0) != (route->kind == ROUTE_SPOOL))
		fault(at, "a route of kind spool wants the path of its folder, and no other kind has one");
	if (named != (route->kind == ROUTE_RELAY) && route->kind != ROUTE_SPOOL)
		conf_warning_add(at->faults, yaml_place_of(at->tree, span_of(at->key)), span_of(at->key),
			named ? "a direct route finds its servers by MX: servers means nothing"
			      : "a relay without servers sends nothing");
	if (route_is_lan(route->name))
		fault(at, "a name that begins with " LAN_ROUTE_PREFIX " or " FORWARD_ROUTE_PREFIX
			  " means a server of LAN forwarding");
	if (is_taken_name(route->name))
		fault(at, "the names lan and snf mean LAN forwarding and store and forward");
	check_filters(at, route->domains);
	if (route->token_command.count > 0)
		check_token_command(at, route);
	if (!is_return_address(route->return_address))
		fault(at, "return_address is keep, always ADDRESS or nonlocal ADDRESS");
}

void
conf_check_routes(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults)
{
	struct at at = { .tree = tree, .faults = faults };

	for (size_t i = 0; i < conf->outgoing_routes.count; i++) {
		snprintf(at.key, sizeof(at.key), "outgoing.routes.%zu", i);
		check_route(&at, &conf->outgoing_routes.items[i]);
	}
}
