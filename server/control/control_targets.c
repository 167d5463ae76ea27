/*
 * control_targets.c - see control_targets.h.
 */
#include "server/control/control_targets.h"

#include "proto/mail/address.h"
#include "proto/mail/lan_target.h"
#include "server/generation.h"
#include "server/pipeline/names.h"
#include "store/fields.h"
#include "store/mappings.h"
#include "store/names.h"

struct checking {
	struct control_call *call;
	struct snapshot *snap;
	const struct conf *conf;
	const char *field;
};

static const char *
say(struct checking *c, const char *what, struct span target)
{
	struct arena *a = &c->call->arena;

	return arena_text(a, arena_printf(a,
		"%.*s is %s: %s takes users, addresses and SMTP:user@domain@host[:port]", SPAN_FMT(target),
		what, c->field));
}

static enum err
stop_at_one(void *arg, const struct mapping *mapping)
{
	(void)mapping;
	*(bool *)arg = true;
	return ERR_EXISTS;
}

static bool
is_mapped(struct checking *c, struct span name, struct span domain)
{
	struct mapping_query query = { .local_part = name, .domain = domain, .domain_is_valid = true,
		.from = MAPPING_SMTP };
	bool found = false;

	return mapping_each_match(c->snap, &query, stop_at_one, &found) == ERR_EXISTS && found;
}

/* What else NAME is, where no user has it; NULL: a user, or nobody yet. */
static const char *
what_else(struct checking *c, struct span name, struct span domain)
{
	struct name_row row;

	if (names_builtin(name) != BUILTIN_NONE)
		return "a group";
	if (names_is_robot(name))
		return "the server itself";
	if (name_find(c->snap, name, &row) == OK)
		return row.kind == NAME_USER ? NULL : row.kind == NAME_GROUP ? "a group" : "a list";
	return is_mapped(c, name, domain) ? "a mapping" : NULL;
}

static const char *
check_target(struct checking *c, struct span target)
{
	struct arena *a = &c->call->arena;
	struct lan_target server;
	struct address to;
	const char *what;
	enum err err = lan_forward_parse(a, target, &to, &server);

	if (err == OK)
		return NULL;
	if (err == ERR_SYNTAX || span_find_any(target, SPAN(" \t<>\"")) < target.len ||
		address_parse(a, target, &to) != OK)
		return say(c, "no address", target);
	if (to.flags & ADDRESS_NO_DOMAIN)
		to.domain = conf_default_domain(c->conf);
	else if (!conf_is_local(c->conf, to.local_part, to.domain))
		return NULL;
	what = what_else(c, to.local_part, to.domain);
	return what ? say(c, what, target) : NULL;
}

static const char *
check_list(struct checking *c, struct span before, struct span list)
{
	const char *why = NULL;
	struct span part;

	if (span_eq(before, list))
		return NULL;
	while (!why && field_list_next(&list, &part))
		why = check_target(c, part);
	return why;
}

const char *
control_targets_refuse(struct control_call *call, struct snapshot *snap, const struct user *old,
	const struct user *user, const char **field)
{
	const struct {
		const char *field;
		struct span before, now;
	} rows[] = {
		{ "assistants", old->assistants, user->assistants },
		{ "forward_to", old->forward_to, user->forward_to },
		{ "size_over_to", old->size_over_to, user->size_over_to },
		{ "size_under_to", old->size_under_to, user->size_under_to },
	};
	struct checking c = { .call = call, .snap = snap, .conf = generation_conf(call->generation) };
	const char *why = NULL;

	for (size_t i = 0; i < COUNT(rows) && !why; i++) {
		c.field = *field = rows[i].field;
		why = check_list(&c, rows[i].before, rows[i].now);
	}
	return why;
}
