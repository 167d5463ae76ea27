/*
 * conf_check_collect.c - how the mail of collectors finds users: keys against each other ("Check Order", INM-13).
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_check.h"
#include "conf/yaml_tree.h"
#include "proto/base/ascii.h"
#include "proto/mail/lan_target.h"

struct checking {
	const struct yaml_tree *tree;
	struct conf_faults *faults;
	size_t place;
	const struct conf_collector *collector;
};

static struct span
key_of(const struct checking *c, const char *name, char key[CONF_KEY_MAX])
{
	snprintf(key, CONF_KEY_MAX, "collecting.collectors.%zu%s%s", c->place, name[0] ? "." : "", name);
	return span_of(key);
}

static void
fault(const struct checking *c, const char *name, const char *why)
{
	char key[CONF_KEY_MAX];
	struct span text = key_of(c, name, key);

	conf_fault_add(c->faults, yaml_place_of(c->tree, text), text, "%s", why);
}

/* Each step once at most, and one at least; what stands behind `stop` is not read. */
static void
check_order(const struct checking *c)
{
	static const char *const steps[] = { "special", "standard", "received" };
	const struct conf_list *order = &c->collector->order;
	unsigned counts[COUNT(steps)] = { 0 }, all = 0;

	for (size_t i = 0; i < order->count; i++)
		for (size_t n = 0; n < COUNT(steps); n++)
			counts[n] += span_eq_nocase(order->items[i], span_of(steps[n]));
	for (size_t n = 0; n < COUNT(steps); n++) {
		all += counts[n];
		if (counts[n] > 1)
			fault(c, "order", "a step may be named once: special, standard, received");
	}
	if (all == 0)
		fault(c, "order", "no step is named: special, standard, received");
	else if (span_eq_nocase(order->items[0], SPAN("stop")))
		fault(c, "order", "nothing is read before it stops");
}

static bool
is_field_name(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (ascii_is_control(name.ptr[i]) || ascii_is_8bit(name.ptr[i]) || name.ptr[i] == ' ')
			return false;
	return name.len > 0;
}

/* NAME, or NAME: TEMPLATE with one '*' (INM-11). */
static void
check_special(const struct checking *c)
{
	const struct conf_list *all = &c->collector->special_headers;

	for (size_t i = 0; i < all->count; i++) {
		struct span name, template;

		span_cut(all->items[i], ':', &name, &template);
		template = span_trim(template);
		if (!is_field_name(span_trim(name)))
			fault(c, "special_headers", "an item is the name of a field, or NAME: TEMPLATE");
		else if (template.len > 0 && (span_find(template, '*') == template.len ||
						     span_find(template, '*') != span_find_last(template, '*')))
			fault(c, "special_headers", "a template has one '*', where the address stands: account-*");
	}
}

static bool
is_address(struct span text)
{
	struct address address;
	struct arena arena;
	bool is;

	arena_init(&arena, NULL);
	is = address_parse(&arena, text, &address) == OK && !(address.flags & ADDRESS_NO_DOMAIN);
	arena_reset(&arena);
	return is;
}

static void
check_route(const struct checking *c)
{
	const struct conf_collector *one = c->collector;
	struct lan_target server;

	if (one->route == COLLECTOR_ALL && one->target.len == 0)
		fault(c, "", "route: all wants a user, list or address in target");
	if (one->route == COLLECTOR_LAN && !is_address(one->target))
		fault(c, "", "route: lan wants an address in target");
	if (one->route == COLLECTOR_LAN && lan_target_parse(one->target_server, &server) != OK)
		fault(c, "", "route: lan wants HOST or HOST:PORT in target_server");
	if (span_find(one->marker, '*') == one->marker.len) /* INM-20 */
		fault(c, "marker", "has no '*', where the name stands: {*}");
}

/* INM-07: it is allowed, and a mistake mostly. */
static void
check_accepted(const struct checking *c)
{
	const struct conf_collector *one = c->collector;
	char key[CONF_KEY_MAX];
	struct span text = key_of(c, "", key);

	if (one->accepted.count > 0 || !one->enabled || one->route == COLLECTOR_ALL || one->route == COLLECTOR_LAN ||
		one->route == COLLECTOR_SUBJECT || (one->kind != COLLECTOR_POP3 && one->kind != COLLECTOR_IMAP))
		return;
	conf_warning_add(c->faults, yaml_place_of(c->tree, text), text,
		"without accepted domains all of its mail is without recipients: accepted: [DOMAIN]");
}

/* HOST:PORT, as routes have it; an IPv6 address has more colons than one. */
static void
check_server(const struct checking *c)
{
	struct span server = c->collector->server;
	size_t colon = span_find(server, ':');

	if (colon < server.len && span_find_last(server, ':') == colon)
		fault(c, "server", "is a host alone: its port stands in `port`");
}

/* NET-02; of one that cannot log in as it says (INM-02). */
static void
check_wire(const struct checking *c)
{
	const struct conf_collector *one = c->collector;
	char key[CONF_KEY_MAX];
	struct span text = key_of(c, "timeout", key);

	if (one->kind != COLLECTOR_POP3 && one->kind != COLLECTOR_IMAP)
		return;
	check_server(c);
	if (one->timeout_ms < TIMEOUT_SENSIBLE_MIN || one->timeout_ms > TIMEOUT_SENSIBLE_MAX)
		conf_warning_add(c->faults, yaml_place_of(c->tree, text), text, TIMEOUT_SENSIBLE_TEXT);
	text = key_of(c, "auth", key);
	if (one->auth == COLLECTOR_AUTH_XOAUTH2 && one->token_command.count == 0)
		conf_warning_add(c->faults, yaml_place_of(c->tree, text), text,
			"xoauth2 without token_command sends the password as a token");
	if (one->token_command.count > 0 && one->auth != COLLECTOR_AUTH_XOAUTH2)
		conf_warning_add(c->faults, yaml_place_of(c->tree, text), text,
			"token_command without auth: xoauth2 sends the token as a password");
}

static bool
is_same_mailbox(const struct conf_collector *a, const struct conf_collector *b)
{
	return a->enabled && b->enabled && a->kind == b->kind && a->port == b->port &&
		(a->kind == COLLECTOR_POP3 || a->kind == COLLECTOR_IMAP) && span_eq_nocase(a->server, b->server) &&
		span_eq(a->username, b->username) &&
		(a->kind == COLLECTOR_POP3 || span_eq(a->folder, b->folder));
}

/* Each knows only what it fetched itself. */
static void
check_alone(const struct checking *c, const struct conf_collectors *all)
{
	char key[CONF_KEY_MAX];
	struct span text = key_of(c, "", key);

	for (size_t i = 0; i < c->place; i++) {
		if (!is_same_mailbox(&all->items[i], c->collector))
			continue;
		conf_warning_add(c->faults, yaml_place_of(c->tree, text), text,
			"the same mailbox as %.*s: what is left there (leave_days) comes twice",
			SPAN_FMT(all->items[i].name));
		return;
	}
}

void
conf_check_collecting(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults)
{
	for (size_t i = 0; i < conf->collectors.count; i++) {
		const struct checking c = { tree, faults, i, &conf->collectors.items[i] };

		check_order(&c);
		check_special(&c);
		check_route(&c);
		check_accepted(&c);
		check_alone(&c, &conf->collectors);
		check_wire(&c);
	}
}
