/*
 * conf_check.c - values against each other.
 */
#include "conf/conf_check.h"

#include <stdio.h>
#include <string.h>

#include "conf/archive_rules.h"
#include "conf/blocklist.h"
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "conf/lan_threads.h"
#include "proto/mail/forward_server.h"
#include "proto/mail/header_edit.h"

#define MESSAGE_SIZE_LEAST (64 * 1024)
#define COMMAND_LINE_LEAST 1100
#define POP3_TIMEOUT_LEAST_MS (10 * 60 * 1000)

struct checking {
	const struct conf *conf;
	const struct yaml_tree *tree;
	struct conf_faults *faults;
};

static struct yaml_place
place(const struct checking *c, const char *key)
{
	return yaml_place_of(c->tree, span_of(key));
}

static void
check_tls(struct checking *c)
{
	const struct conf *conf = c->conf;

	if (conf->tls_certificate.len > 0 && conf->tls_key.len == 0)
		conf_fault_add(c->faults, place(c, "tls.certificate"), SPAN("tls.key"),
			"is missing, though there is a certificate");
	if (conf->tls_key.len > 0 && conf->tls_certificate.len == 0)
		conf_fault_add(c->faults, place(c, "tls.key"), SPAN("tls.certificate"),
			"is missing, though there is a key");
}

/* LOC-01. */
static void
check_domains(struct checking *c)
{
	const struct conf *conf = c->conf;
	struct span domain = conf_default_domain(conf);

	if (conf->domains_default.len == 0 && conf->domains_local.count == 0)
		return;
	if (!conf_is_local(conf, SPAN("postmaster"), domain))
		conf_warning_add(c->faults, place(c, "domains.default"), SPAN("domains.default"),
			"%.*s is not among domains.local", SPAN_FMT(domain));
}

static bool
is_for_everybody(const struct access_line *line)
{
	return line->bits == 0 && !line->deny && line->user_count == 0;
}

static bool
listens_outside(const struct conf_service *service)
{
	for (size_t i = 0; i < service->listen.count; i++) {
		const struct conf_listen *listen = &service->listen.items[i];
		bool is_loopback = listen->kind == LISTEN_UNIX ||
				   (listen->kind == LISTEN_INET && listen->addr.s6_addr[12] == 127) ||
				   (listen->kind == LISTEN_INET6 &&
					   IN6_IS_ADDR_LOOPBACK(&listen->addr));

		if (!is_loopback)
			return true;
	}
	return false;
}

/* SMT-14. */
static void
check_blocklists(struct checking *c)
{
	const struct conf_list *lists = &c->conf->smtp_blocklists;
	struct blocklist list;
	char key[CONF_KEY_MAX];
	const char *why;

	for (size_t i = 0; i < lists->count; i++) {
		if (blocklist_parse(lists->items[i], &list, &why) == OK)
			continue;
		snprintf(key, sizeof(key), "smtp.blocklists.%zu", i);
		conf_fault_add(c->faults, place(c, key), SPAN("smtp.blocklists"), "%s", why);
	}
}

/* */
static void
check_archive_rules(struct checking *c)
{
	const struct conf_list *lines = &c->conf->archive_rules;
	struct archive_rule rule;
	char key[CONF_KEY_MAX];
	const char *why;

	for (size_t i = 0; i < lines->count; i++) {
		if (archive_rule_parse(lines->items[i], &rule, &why) == OK)
			continue;
		snprintf(key, sizeof(key), "archive.rules.%zu", i);
		conf_fault_add(c->faults, place(c, key), SPAN("archive.rules"), "%s", why);
	}
}

/* The servers that names are asked of cannot be names themselves. */
static void
check_dns(struct checking *c)
{
	const struct conf_list *servers = &c->conf->dns_servers;

	for (size_t i = 0; i < servers->count; i++) {
		struct span host = servers->items[i];
		struct in6_addr address;
		bool is_v4;
		char key[CONF_KEY_MAX];

		if (span_starts(host, SPAN("[")))
			host = span_range(host, 1, span_find(host, ']'));
		else if (span_find(host, ':') == span_find_last(host, ':'))
			host = span_range(host, 0, span_find(host, ':'));
		if (access_address(host, &address, &is_v4) == OK)
			continue;
		snprintf(key, sizeof(key), "dns.servers.%zu", i);
		conf_fault_add(c->faults, place(c, key), SPAN("dns.servers"),
			"%.*s is not an address", SPAN_FMT(servers->items[i]));
	}
}

/* May strangers connect to the MX side? Its lines refuse nobody under relay_check client_ip. */
static bool
is_open_to_all(const struct conf *conf)
{
	const struct conf_service *smtp = conf_service(conf, SERVICE_smtp);
	bool open;

	if (smtp == NULL || !listens_outside(smtp))
		return false;
	open = smtp->access.count == 0 || conf->smtp_relay_check == RELAY_CLIENT_IP;
	for (size_t i = 0; i < smtp->access.count && !open; i++)
		open = is_for_everybody(&smtp->access.items[i]);
	return open;
}

/* SMT-07: an open relay, asked for in so many words. */
static void
check_noauth(struct checking *c)
{
	static const enum service_name names[] = { SERVICE_smtp, SERVICE_submission,
		SERVICE_submissions };

	for (size_t n = 0; n < COUNT(names); n++) {
		const struct conf_service *service = conf_service(c->conf, names[n]);
		char key[64];

		snprintf(key, sizeof(key), "services.%s.access", service_names[names[n]]);
		for (size_t i = 0; service != NULL && i < service->access.count; i++)
			if (is_for_everybody(&service->access.items[i]) &&
				service->access.items[i].noauth)
				conf_warning_add(c->faults, place(c, key), span_of(key),
					"strangers can send to the Internet through this server: "
					"noauth for everybody");
	}
}

/* ADM-05: what no office knows would be nobody's. */
static void
check_unknown(struct checking *c)
{
	if (c->conf->collecting_unknown_do == UNKNOWN_REMOTE)
		conf_warning_add(c->faults, place(c, "collecting.unknown.do"),
			SPAN("collecting.unknown.do"),
			"collected mail for unknown names is dropped without a trace: one office of those "
			"that share a domain must not have remote");
}

/* SMT-06. */
static void
check_smtp(struct checking *c)
{
	const struct conf *conf = c->conf;

	if ((conf->smtp_require_auth || conf->smtp_pop_before_smtp > 0) &&
		conf->smtp_auth_for_local && is_open_to_all(conf))
		conf_warning_add(c->faults, place(c, "smtp.auth_for_local"),
			SPAN("smtp.auth_for_local"),
			"port open to all, yet mail from other servers is refused without AUTH");
	if (conf->smtp_relay_check == RELAY_FROM || conf->smtp_relay_check == RELAY_NONE)
		conf_warning_add(c->faults, place(c, "smtp.relay_check"), SPAN("smtp.relay_check"),
			"strangers can send to the Internet through this server");
	check_noauth(c);
}

/* POP-02, IMP-03: nobody could log in. */
static void
check_logins(struct checking *c)
{
	const struct conf *conf = c->conf;
	const struct {
		bool required;
		const char *key;
	} rows[] = {
		{conf->pop3_require_apop, "pop3.require_apop"},
		{conf->imap_require_cram_md5, "imap.require_cram_md5"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].required && !conf->auth_recoverable && !conf->auth_scram)
			conf_warning_add(c->faults, place(c, rows[i].key), span_of(rows[i].key),
				"without auth.recoverable or auth.scram nobody could log in");
}

static bool
is_same_listen(const struct conf_listen *a, const struct conf_listen *b)
{
	if (a->kind == LISTEN_UNIX || b->kind == LISTEN_UNIX)
		return a->kind == b->kind && span_eq(a->path, b->path);
	if (a->port != b->port || a->port == 0)
		return false;
	return a->kind == LISTEN_ANY || b->kind == LISTEN_ANY ||
	       memcmp(&a->addr, &b->addr, sizeof(a->addr)) == 0;
}

/* The first listener of the file that is the same as number J of service I, but before it. */
static const struct conf_service *
taken_by(const struct conf *conf, size_t i, size_t j)
{
	const struct conf_listen *listen = &conf->services.items[i].listen.items[j];

	for (size_t k = 0; k <= i; k++) {
		const struct conf_service *other = &conf->services.items[k];
		size_t count = k == i ? j : other->listen.count;

		for (size_t n = 0; n < count; n++)
			if (is_same_listen(listen, &other->listen.items[n]))
				return other;
	}
	return NULL;
}

static void
check_service(struct checking *c, size_t i)
{
	const struct conf_service *service = &c->conf->services.items[i];
	char key[CONF_KEY_MAX];

	for (size_t j = 0; j < service->listen.count; j++) {
		const struct conf_service *other = taken_by(c->conf, i, j);
		int len = snprintf(key, sizeof(key), "services.%s.listen",
			service_names[service->name]);
		char item[CONF_KEY_MAX + 24];

		snprintf(item, sizeof(item), "%s.%zu", key, j);
		if (other != NULL)
			conf_fault_add(c->faults, place(c, item), (struct span){ key, (size_t)len },
				"%.*s is taken by %s",
				SPAN_FMT(service->listen.items[j].text), service_names[other->name]);
	}
}

/* Below these a standard is broken; a test or a closed site may want it all the same. */
static void
check_minimums(struct checking *c)
{
	const struct conf *conf = c->conf;
	const struct {
		const char *key, *why;
		int64_t is, least;
	} rows[] = {
		{ "limits.message_size", "less than the 64KB of RFC 5321, 4.5.3.1.7",
			conf->limits_message_size > 0 ? conf->limits_message_size : INT64_MAX,
			MESSAGE_SIZE_LEAST },
		{ "limits.command_line", "less than our extensions need (RFC 5321, 4.5.3.1.4)",
			conf->limits_command_line, COMMAND_LINE_LEAST },
		{ "timeouts.pop3", "less than the 10m of RFC 1939, 3", conf->timeouts_pop3_ms,
			POP3_TIMEOUT_LEAST_MS },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].is < rows[i].least)
			conf_warning_add(c->faults, place(c, rows[i].key), span_of(rows[i].key),
				"%s", rows[i].why);
}

static void
check_timeouts(struct checking *c)
{
	int64_t ms = c->conf->timeouts_client_ms;

	if (ms < TIMEOUT_SENSIBLE_MIN || ms > TIMEOUT_SENSIBLE_MAX)
		conf_warning_add(c->faults, place(c, "timeouts.client"), SPAN("timeouts.client"),
			TIMEOUT_SENSIBLE_TEXT);
}

/* The text in member "name" of an item, which is its first row in all named shapes. */
static struct span
name_of(const struct conf_shape *shape, const struct conf_items *list, size_t i)
{
	const char *item = (const char *)list->items + i * shape->size;

	return *(const struct span *)(const void *)(item + shape->rows[0].offset);
}

static void
check_names(struct checking *c, const struct setting *row)
{
	const struct conf_shape *shape = conf_shape_of(row->type);
	const struct conf_items *list = (const void *)((const char *)c->conf + row->offset);
	char key[CONF_KEY_MAX];

	if (strcmp(shape->rows[0].key, "name") != 0)
		return;
	for (size_t i = 0; i < list->count; i++) {
		struct span name = name_of(shape, list, i);

		snprintf(key, sizeof(key), "%s.%zu", row->key, i);
		if (name.len > 0 && span_find(name, '.') < name.len)
			conf_fault_add(c->faults, place(c, key), span_of(key),
				"a name must not have a dot");
		for (size_t j = 0; j < i; j++)
			if (name.len > 0 && span_eq_nocase(name, name_of(shape, list, j))) {
				conf_fault_add(c->faults, place(c, key), span_of(key),
					"the name %.*s is taken", SPAN_FMT(name));
				break;
			}
	}
}

/* HDR-01. */
static void
check_modifiers(struct checking *c)
{
	const struct conf_list *lines = &c->conf->headers_outgoing;
	struct header_modifier modifier;
	char key[CONF_KEY_MAX];

	for (size_t i = 0; i < lines->count; i++) {
		if (header_modifier_parse(lines->items[i], &modifier) == OK)
			continue;
		snprintf(key, sizeof(key), "headers.outgoing.%zu", i);
		conf_fault_add(c->faults, place(c, key), SPAN("headers.outgoing"),
			"a line is `Field: data`, or `Field:` to remove it");
	}
}

/* LAN-06. */
static void
check_lan(struct checking *c)
{
	struct span bad;

	if (lan_threads_check(c->conf->lan_threads, &bad) != OK)
		conf_fault_add(c->faults, place(c, "lan.threads"), SPAN("lan.threads"),
			"%.*s is not like 192.0.2.1:25-5", SPAN_FMT(bad));
}

void
conf_check(const struct conf *conf, const struct yaml_tree *tree, struct conf_faults *faults)
{
	struct checking c = { conf, tree, faults };

	check_tls(&c);
	check_domains(&c);
	check_logins(&c);
	check_smtp(&c);
	check_unknown(&c);
	check_dns(&c);
	check_blocklists(&c);
	check_archive_rules(&c);
	check_minimums(&c);
	check_timeouts(&c);
	conf_check_journal(conf, tree, faults);
	conf_check_routes(conf, tree, faults);
	check_lan(&c);
	check_modifiers(&c);
	for (size_t i = 0; i < conf->services.count; i++)
		check_service(&c, i);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (setting_is_shape(settings[i].type))
			check_names(&c, &settings[i]);
	conf_check_connections(conf, tree, faults);
	conf_check_collecting(conf, tree, faults);
}
