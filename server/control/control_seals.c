/*
 * control_seals.c - see control_seals.h.
 */
#include "server/control/control_seals.h"

#include "server/control/control_password.h"
#include "server/secrets.h"

#define SEALS_TRIED 1000

static bool
is_sealed_as(const struct secret *secret, struct span name)
{
	return secret->kind == SECRET_SEALED && span_eq(secret->value, name);
}

/* How many passwords of the file are kept under NAME? */
static size_t
uses_of(const struct conf *conf, struct span name)
{
	size_t uses = is_sealed_as(&conf->socks_password, name);

	for (size_t i = 0; i < conf->connections.count; i++)
		uses += is_sealed_as(&conf->connections.items[i].password, name);
	for (size_t i = 0; i < conf->outgoing_routes.count; i++)
		uses += is_sealed_as(&conf->outgoing_routes.items[i].password, name);
	for (size_t i = 0; i < conf->collectors.count; i++)
		uses += is_sealed_as(&conf->collectors.items[i].password, name);
	return uses;
}

struct span
control_seals_own(const struct conf *conf, const struct secret *secret, const char *prefix)
{
	return secret->kind == SECRET_SEALED && span_starts(secret->value, span_of(prefix)) &&
			uses_of(conf, secret->value) == 1 ?
		secret->value :
		SPAN("");
}

/* A name that nothing else uses. */
static struct span
free_name(struct control_call *call, const char *prefix, struct span item)
{
	struct span sealed = arena_printf(&call->arena, "%s%.*s", prefix, SPAN_FMT(item));

	for (unsigned i = 2; i < SEALS_TRIED && uses_of(call->host->conf, sealed) > 0; i++)
		sealed = arena_printf(&call->arena, "%s%.*s.%u", prefix, SPAN_FMT(item), i);
	return sealed;
}

bool
control_seals_take(struct control_call *call, struct control_seals *s, const struct secret *old,
	struct span item, bool *points)
{
	struct span own = old ? control_seals_own(call->host->conf, old, s->prefix) : SPAN("");

	*points = false;
	if (!rpc_has(call->request, "password"))
		return true;
	if (!control_can_seal(call))
		return false;
	*points = own.len == 0;
	s->name = own.len > 0 ? arena_copy(&call->arena, own) : free_name(call, s->prefix, item);
	return true;
}

void
control_seals_erase(
	struct control_call *call, struct control_seals *s, const struct secret *secret)
{
	struct span own = control_seals_own(call->host->conf, secret, s->prefix);

	if (own.len > 0 && !span_eq(own, s->name) && s->erased_count < CONTROL_SEALS_MAX)
		s->erased[s->erased_count++] = arena_copy(&call->arena, own);
}

enum err
control_seals_store(struct control_call *call, struct txn *txn, struct span name)
{
	struct buf sealed;
	enum err err;

	buf_init(&sealed, SECRET_SEALED_MAX);
	err = secret_seal(call->host, name, control_param(call, "password"), &sealed);
	if (err == OK)
		err = secret_put(txn, name, buf_span(&sealed), call->now_ms);
	buf_fini(&sealed);
	return err;
}

enum err
control_seals_change(struct control_call *call, struct txn *txn, const struct control_seals *s)
{
	enum err err = OK;

	for (size_t i = 0; i < s->erased_count && err == OK; i++) {
		err = secret_remove(txn, s->erased[i]);
		if (err == ERR_NOT_FOUND)
			err = OK; /* the file named one that is not there */
	}
	return err == OK && s->name.len > 0 ? control_seals_store(call, txn, s->name) : err;
}

struct span
control_seals_value(struct control_call *call, const struct control_seals *s)
{
	return arena_printf(&call->arena, "{ sealed: %.*s }", SPAN_FMT(s->name));
}

bool
control_seals_may_be_key(struct control_call *call, struct span value)
{
	return value.len == 0 || value.ptr[0] == '{' ||
		control_fail(call, RPC_INVALID, "a password is not given as a key",
			"use --password-stdin, or password='{file: PATH}'", "password");
}
