/*
 * control_store_forward.c - see control_store_forward.h.
 */
#include "server/control/control_store_forward.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "proto/mail/forward_server.h"
#include "server/generation.h"
#include "server/pipeline/names.h"
#include "server/queue/outgoing.h"
#include "server/secret_key.h"
#include "server/secrets.h"
#include "server/session/lan.h"
#include "store/forwards.h"
#include "store/queued.h"

#define PENDING_MAX 100000 /* that `user show` counts */
#define WARNINGS_MAX 8

/* ---- setting ---- */

static bool
is_address(struct control_call *call, struct span text)
{
	struct address address;

	return text.len <= QUEUED_ADDRESS_MAX && address_parse(&call->arena, text, &address) == OK &&
		!(address.flags & ADDRESS_NO_DOMAIN);
}

/* A password stays where account and host do: another host is not sent it. */
static bool
same_account(const struct user *old, const struct forward_server *server)
{
	struct forward_server before;

	return forward_server_parse(old->store_forward_server, &before) == OK &&
		span_eq(before.account, server->account) &&
		span_eq_nocase(before.target.host, server->target.host);
}

static const char *
take_server(struct control_call *call, const struct user *old, struct user *user,
	struct control_forward *f)
{
	struct forward_server server;
	enum err err = forward_server_parse(user->store_forward_server, &server);

	if (err == ERR_LIMIT)
		return "store_forward_server: account and password have at most 255 bytes each";
	if (err != OK)
		return "store_forward_server is [user:password@]host[:port], an IPv6 address in brackets";
	control_call_wipes(call, server.password);
	if (f->given.len > 0 && server.account.len == 0)
		return "a password wants an account: store_forward_server=user@host[:port]";
	if (f->given.len > 0 && server.password.len > 0)
		return "the password stands in store_forward_server too: give it once";
	if (f->given.len > FORWARD_ACCOUNT_MAX)
		return "the password has at most 255 bytes";
	f->in_field = server.password.len > 0;
	f->password = f->in_field ? server.password : f->given;
	f->drops = f->password.len == 0 && !same_account(old, &server);
	user->store_forward_server = forward_server_format(&call->arena, &server);
	return f->password.len > 0 && !call->host->secret_key->kept
		? "there is no key to seal the password with: see secrets.key in the configuration"
		: NULL;
}

static bool
is_as_before(const struct user *old, const struct user *user)
{
	return span_eq(old->store_forward_address, user->store_forward_address) &&
		span_eq(old->store_forward_server, user->store_forward_server);
}

static const char *
blame(struct control_forward *f, const char *field, const char *why)
{
	f->field = field;
	return why;
}

const char *
control_forward_take(struct control_call *call, const struct user *old, struct user *user,
	struct control_forward *f)
{
	*f = (struct control_forward){ .given = f->given, .field = "store_forward_server" };
	if (f->given.len == 0 && is_as_before(old, user))
		return NULL;
	if (user->store_forward_address.len > 0 && !is_address(call, user->store_forward_address))
		return blame(f, "store_forward_address", "store_forward_address is no address");
	if (user->store_forward_server.len > 0)
		return take_server(call, old, user, f);
	f->drops = true;
	return f->given.len > 0 ? "a password wants store_forward_server=user@host[:port]" : NULL;
}

enum err
control_forward_seal(
	struct control_call *call, struct txn *txn, uint64_t user_id, const struct control_forward *f)
{
	char text[USER_SECRET_NAME_SIZE];
	struct span name = forward_secret_name(user_id, text);
	struct buf sealed;
	enum err err = OK;

	if (f->password.len > 0) {
		buf_init(&sealed, SECRET_SEALED_MAX);
		err = secret_seal(call->host, name, f->password, &sealed);
		if (err == OK)
			err = secret_put(txn, name, buf_span(&sealed), call->now_ms);
		buf_fini(&sealed);
	} else if (f->drops) {
		err = secret_remove(txn, name);
		err = err == ERR_NOT_FOUND ? OK : err;
	}
	return err;
}

/* ---- warnings ---- */

struct warnings {
	struct arena *a;
	const struct conf *conf;
	struct snapshot *snap;
	const struct user *user; /* as his group leaves him */
	struct span lines[WARNINGS_MAX];
	size_t count;
};

static void
warn(struct warnings *w, struct span line)
{
	if (w->count < WARNINGS_MAX)
		w->lines[w->count++] = line;
}

static bool
holds_smtp(struct span list)
{
	struct span part;

	while (field_list_next(&list, &part))
		if (span_starts_nocase(part, SPAN("SMTP:")))
			return true;
	return false;
}

/* SNF-08: which way is the mail for him taken elsewhere, before it is his? */
static void
warn_of_rules(struct warnings *w)
{
	struct span domain = conf_default_domain(w->conf);
	struct lan_query query = { .domain_is_valid = true, .smtp = true, .pop3 = true };
	const struct lan_rule *rule;
	struct address own;

	query.to = &own;
	if (address_parse(w->a, arena_printf(w->a, "%.*s@%.*s", SPAN_FMT(w->user->name),
				SPAN_FMT(domain)),
		    &own) != OK)
		return;
	rule = lan_rules_match(&w->conf->lan_rules, &query, false);
	if (rule)
		warn(w, arena_printf(w->a,
			"LAN rule %u takes the mail of %.*s before store and forward: remove one of them",
			(unsigned)rule->line, SPAN_FMT(own.text)));
}

static void
warn_of_forwarding(struct warnings *w)
{
	const struct user *u = w->user;

	if (u->forward && u->forward_to.len > 0)
		warn(w, SPAN("forward_to takes the mail before store and forward: switch one of them "
			     "off"));
	if (holds_smtp(u->assistants))
		warn(w, SPAN("an assistant by SMTP: gets the mail that store and forward sends too"));
}

static void
warn_of_account(struct warnings *w)
{
	char name[USER_SECRET_NAME_SIZE];
	struct forward_server server;
	struct sealed_secret secret;

	if (forward_server_parse(w->user->store_forward_server, &server) != OK ||
		server.account.len == 0)
		return;
	if (secret_find(w->snap, forward_secret_name(w->user->user_id, name), &secret) != OK)
		warn(w, SPAN("the account of store_forward_server has no password: give "
			     "user@host and --password-stdin"));
}

/* Is HOST, an address as it is written, one that LISTEN takes connections at? */
static bool
is_listened(const struct conf_listen *listen, struct span host, bool is_any)
{
	bool is_v6 = span_find(host, ':') < host.len;
	char text[sizeof("[IPv6:]") + INET6_ADDRSTRLEN + 1];
	struct own_addresses own = { .count = 1 };
	int len = snprintf(text, sizeof(text), is_v6 ? "[IPv6:%.*s]" : "[%.*s]", SPAN_FMT(host));

	if (len < 0 || (size_t)len >= sizeof(text))
		return false;
	if (is_any)
		lan_own_addresses(&own);
	else
		memcpy(own.ip[0], &listen->addr, sizeof(own.ip[0]));
	return names_is_own_literal(&own, (struct span){ text, (size_t)len });
}

static bool
listens_at(const struct conf *conf, const struct conf_listen *listen, const struct lan_target *target)
{
	static const struct in6_addr any_v4 = { { { [10] = 0xff, [11] = 0xff } } };
	bool is_any = listen->kind == LISTEN_ANY ||
		memcmp(&listen->addr, &any_v4, sizeof(any_v4)) == 0 ||
		memcmp(&listen->addr, &in6addr_any, sizeof(in6addr_any)) == 0;

	if (listen->kind == LISTEN_UNIX || listen->port != target->port)
		return false;
	return span_eq_nocase(target->host, SPAN("localhost")) ||
		(conf->hostname.len > 0 && span_eq_nocase(target->host, conf->hostname)) ||
		is_listened(listen, target->host, is_any);
}

/* What would come back here for good, and waits to be given up. */
static void
warn_of_self(struct warnings *w)
{
	const struct conf_services *services = &w->conf->services;
	struct forward_server server;
	struct address to;

	if (forward_server_parse(w->user->store_forward_server, &server) != OK)
		return;
	for (size_t i = 0; i < services->count; i++)
		for (size_t j = 0; j < services->items[i].listen.count; j++)
			if (listens_at(w->conf, &services->items[i].listen.items[j], &server.target)) {
				warn(w, SPAN("store_forward_server is this server itself: the mail would "
					     "only wait, name another one"));
				return;
			}
	if (address_parse(w->a, w->user->store_forward_address, &to) == OK &&
		conf_is_local(w->conf, to.local_part, to.domain) &&
		names_may_use(w->conf, w->snap, w->user, &to))
		warn(w, SPAN("store_forward_address is an address of this mailbox itself: the other "
			     "server must not send its mail here"));
}

static void
warn_of_forward(struct warnings *w)
{
	const struct user *u = w->user;

	if ((u->store_forward_address.len > 0) != (u->store_forward_server.len > 0))
		warn(w, SPAN("store and forward wants both store_forward_address and "
			     "store_forward_server"));
	if (!forward_acts(u))
		return;
	warn_of_rules(w);
	warn_of_forwarding(w);
	warn_of_account(w);
	warn_of_self(w);
}

/* LAN-14: who should hear of trouble with it would not. */
static void
warn_of_admin(struct warnings *w)
{
	struct user admin;

	if (holds_smtp(w->user->forward_to) &&
		names_main_administrator(w->conf, w->snap, &admin) == OK &&
		admin.user_id == w->user->user_id)
		warn(w, SPAN("the Main Administrator's mail goes out by LAN forwarding: errors about "
			     "it may not reach him"));
}

static void
find_warnings(struct warnings *w)
{
	warn_of_forward(w);
	warn_of_admin(w);
}

void
control_forward_warn(struct control_call *call, uint64_t user_id, const struct control_forward *f)
{
	struct snapshot *snap = host_snapshot(call->host);
	struct user user;
	struct warnings w = { .a = &call->arena, .conf = call->host->conf, .snap = snap,
		.user = &user };

	outgoing_look_again(call->host); /* another target is tried at once */
	if (!snap || call->failed || names_user_by_id(snap, user_id, &user) != OK)
		return;
	find_warnings(&w);
	if (f->in_field)
		warn(&w, SPAN("others can read a password among the words of a command: give "
			      "user@host and --password-stdin"));
	for (size_t i = 0; i < w.count; i++)
		call->note = arena_printf(&call->arena, "%.*s; warning: %.*s", SPAN_FMT(call->note),
			SPAN_FMT(w.lines[i]));
}

void
control_forward_put(struct control_call *call, struct snapshot *snap, const struct user *user)
{
	struct json_writer *w = &call->json;
	struct warnings warnings = { .a = &call->arena, .conf = generation_conf(call->generation),
		.snap = snap, .user = user };
	uint64_t pending = 0;

	if (forward_count(snap, user->user_id, PENDING_MAX, &pending) != OK)
		pending = 0;
	json_put_member_u64(w, SPAN("store_forward_pending"), pending);
	find_warnings(&warnings);
	json_put_name(w, SPAN("warnings"));
	json_put_array(w);
	for (size_t i = 0; i < warnings.count; i++)
		json_put_string(w, warnings.lines[i]);
	json_put_close(w);
}
