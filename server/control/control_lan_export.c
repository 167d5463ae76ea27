/*
 * control_lan_export.c - "create LAN forwarding rules to forward to this server" (LOC-09): a line for each
 * local address, for pasting into another server's rules.
 *
 * Users, lists and groups have an address in each of our domains; mappings have the one they are about.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "proto/mail/lan_target.h"
#include "server/control/control_transfer.h"
#include "server/host.h"
#include "store/groups.h"
#include "store/maillists.h"
#include "store/mappings.h"
#include "store/users.h"

#define LAN_PATTERN_MAX 400 /* bytes of one pattern */

enum phase_of_export { EXPORT_USERS, EXPORT_LISTS, EXPORT_GROUPS, EXPORT_MAPPINGS, EXPORT_ENDS };

struct lan_out {
	struct transfer_out out; /* first; its `layout` is the phase */
	struct span server;
	struct span *domains;
	size_t domain_count;
};

/* ---- what is asked for ---- */

static bool
is_plain_domain(struct span entry)
{
	return span_find_any(entry, SPAN("@*?")) == entry.len && domain_is_valid(entry);
}

static void
add_domain(struct lan_out *l, struct span domain)
{
	for (size_t i = 0; i < l->domain_count; i++)
		if (span_eq_nocase(l->domains[i], domain))
			return;
	l->domains[l->domain_count++] = domain;
}

static bool
take_domains(struct control_call *call, struct lan_out *l)
{
	const struct conf *conf = call->host->conf;
	struct span only = control_param(call, "domain");
	const struct conf_list *local = &conf->domains_local;

	l->domains = ARENA_ARRAY(&call->arena, struct span, local->count + 1);
	if (only.len > 0 && !conf_is_local(conf, SPAN("postmaster"), only))
		return control_failf(call, RPC_INVALID, "domain",
			"%.*s is not ours (domains.local)", SPAN_FMT(only));
	if (only.len > 0) {
		add_domain(l, only);
		return true;
	}
	for (size_t i = 0; i < local->count; i++)
		if (is_plain_domain(local->items[i]))
			add_domain(l, arena_copy(&call->arena, local->items[i]));
	if (l->domain_count == 0 && is_plain_domain(conf_default_domain(conf)))
		add_domain(l, arena_copy(&call->arena, conf_default_domain(conf)));
	return l->domain_count > 0 ||
		control_fail(call, RPC_REFUSED, "no domain here has a name of its own",
			"see domains.local, or name one with --domain", "domain");
}

/* Our name, and the port where others hand mail over. */
static struct span
our_server(struct control_call *call)
{
	const struct conf_service *smtp = conf_service(call->host->conf, SERVICE_smtp);
	struct span name = host_name(call->host->conf, &call->arena);

	for (size_t i = 0; smtp && i < smtp->listen.count; i++)
		if (smtp->listen.items[i].kind != LISTEN_UNIX && smtp->listen.items[i].port != LAN_PORT &&
			smtp->listen.items[i].port != 0)
			return arena_printf(&call->arena, "%.*s:%u", SPAN_FMT(name),
				(unsigned)smtp->listen.items[i].port);
	return name;
}

static bool
export_check(struct control_call *call)
{
	struct lan_out *l = ARENA_NEW(&call->arena, struct lan_out);
	struct lan_target target;

	if (!transfer_out_begin(call, &l->out))
		return false;
	l->server = rpc_has(call->request, "server") ? control_param(call, "server") : our_server(call);
	if (lan_target_parse(l->server, &target) != OK)
		return control_failf(call, RPC_INVALID, "server",
			"%.*s is no server, like 192.0.2.1:25", SPAN_FMT(l->server));
	return take_domains(call, l) &&
		control_fail_err(call,
			buf_printf(&l->out.text, "# Every address of %.*s: for the LAN rules of another server\n",
				SPAN_FMT(host_name(call->host->conf, &call->arena))),
			"the rules");
}

/* ---- lines ---- */

/* A blank or '#' would end the field. */
static bool
can_be_written(struct span pattern)
{
	return pattern.len > 0 && pattern.len <= LAN_PATTERN_MAX && pattern.ptr[0] != '#' &&
		pattern.ptr[0] != '(' && span_find_any(pattern, SPAN(" \t\"")) == pattern.len;
}

static enum err
put_line(struct lan_out *l, struct span pattern)
{
	if (!can_be_written(pattern))
		return buf_printf(&l->out.text, "# no rule can name %.*s\n", SPAN_FMT(pattern));
	return buf_printf(&l->out.text, "%-32.*s %.*s\n", SPAN_FMT(pattern), SPAN_FMT(l->server));
}

/* NAME at each of our domains. */
static enum err
put_name(struct lan_out *l, struct span name)
{
	enum err err = OK;

	for (size_t i = 0; i < l->domain_count && err == OK; i++) {
		char pattern[LAN_PATTERN_MAX + 1];
		int n = snprintf(pattern, sizeof(pattern), "%.*s@%.*s", SPAN_FMT(name),
			SPAN_FMT(l->domains[i]));

		if (n > 0 && (size_t)n < sizeof(pattern))
			err = put_line(l, (struct span){pattern, (size_t)n});
	}
	return err;
}

/* A pattern of a mapping, which the rules of LAN forwarding read alike. */
static enum err
put_mapping(struct lan_out *l, const struct mapping *m)
{
	size_t at = span_find_last(m->pattern, '@');

	if (m->when == MAPPING_SENDER)
		return OK; /* it is about who writes */
	if (at == m->pattern.len)
		return put_name(l, m->pattern);
	for (size_t i = 0; i < l->domain_count; i++)
		if (span_match_wildcard(span_from(m->pattern, at + 1), l->domains[i]))
			return put_line(l, m->pattern);
	return OK; /* about a domain that is not ours, or not asked for */
}

/* ---- one after another ---- */

static enum err
next_of_phase(struct lan_out *l, struct snapshot *snap)
{
	struct maillist list;
	struct mapping m;
	struct group group;
	struct user user;
	struct span name = SPAN_NONE;
	enum err err = ERR_NOT_FOUND;

	if (l->out.layout == EXPORT_MAPPINGS) {
		err = mapping_next(snap, l->out.after, &m);
		if (err != OK)
			return err;
		l->out.after = m.mapping_id;
		return put_mapping(l, &m);
	}
	if (l->out.layout == EXPORT_USERS && (err = user_after(snap, l->out.name, &user)) == OK)
		name = user.name;
	if (l->out.layout == EXPORT_LISTS && (err = maillist_after(snap, l->out.name, &list)) == OK)
		name = list.name;
	if (l->out.layout == EXPORT_GROUPS && (err = group_after(snap, l->out.name, &group)) == OK)
		name = group.name;
	if (err != OK)
		return err;
	transfer_out_name(&l->out, name);
	return maillist_is_builtin(name) ? OK : put_name(l, name);
}

static enum err
lan_out(struct transfer_out *t, struct snapshot *snap)
{
	struct lan_out *l = (struct lan_out *)t;
	enum err err = next_of_phase(l, snap);

	while (err == ERR_NOT_FOUND && ++t->layout < EXPORT_ENDS) {
		t->name = SPAN_NONE;
		err = next_of_phase(l, snap);
	}
	return err;
}

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	return transfer_out_read(call, snap, lan_out, "address");
}

const struct control_handler control_do_route_lan_export = {
	.check = export_check,
	.read = export_read,
	.spill = transfer_out_spill,
};
