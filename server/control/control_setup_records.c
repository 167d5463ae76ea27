/*
 * control_setup_records.c - which records a domain needs, what the resolver says of them, and `setup records`.
 */
#include "server/control/control_setup.h"

#include "conf/conf.h"
#include "proto/base/ascii.h"
#include "server/control/control_dkim.h"

const char *const setup_state_words[] = { "", "ok", "missing", "wrong", "unknown" };

static void judge_mx(struct setup_record *r);
static void judge_spf(struct setup_record *r);
static void judge_dkim(struct setup_record *r);
static void judge_dmarc(struct setup_record *r);

static const struct {
	enum dns_type type;
	const char *purpose;
	void (*judge)(struct setup_record *r); /* of what was found */
} kinds[SETUP_KINDS] = {
	[SETUP_MX] = { DNS_MX, "where mail for the domain goes", judge_mx },
	[SETUP_SPF] = { DNS_TXT, "who may send for the domain (RFC 7208)", judge_spf },
	[SETUP_DKIM] = { DNS_TXT, "a key that signs (RFC 6376)", judge_dkim },
	[SETUP_DMARC] = { DNS_TXT, "what others do with mail that fails both (RFC 7489)", judge_dmarc },
};

enum dns_type
setup_type(enum setup_kind kind)
{
	return kinds[kind].type;
}

const char *
setup_purpose(enum setup_kind kind)
{
	return kinds[kind].purpose;
}

/* ---- which there should be ---- */

static void
add(struct setup_asked *all, enum setup_kind kind, struct span domain, struct span name,
	struct span value)
{
	struct arena *a = &all->call->arena;

	if (all->count == SETUP_RECORDS_MAX) {
		all->full = true;
		return;
	}
	all->records[all->count++] = (struct setup_record){ .all = all, .kind = kind,
		.domain = domain, .name = name, .value = arena_copy(a, value) };
}

static bool
has_relay(const struct conf *conf)
{
	for (size_t i = 0; i < conf->outgoing_routes.count; i++)
		if (conf->outgoing_routes.items[i].kind == ROUTE_RELAY)
			return true;
	return false;
}

/* A retired key has no place here any more; its record may stay as long as one likes. */
static enum err
add_keys(struct setup_asked *all, struct snapshot *snap, struct span domain)
{
	struct arena *a = &all->call->arena;
	struct dkim_key key = { .algorithm = 0 };
	enum err err;

	while ((err = dkim_key_next_of(snap, domain, &key)) == OK)
		if (dkim_key_state(&key, all->call->now_ms) != DKIM_KEY_RETIRED)
			add(all, SETUP_DKIM, domain, dkim_record_name(a, &key),
				dkim_record_text(a, &key));
	return err == ERR_NOT_FOUND ? OK : err;
}

static bool
add_domain(struct setup_asked *all, struct snapshot *snap, struct span domain)
{
	struct control_call *call = all->call;
	struct arena *a = &call->arena;

	domain = arena_lower(a, domain);
	add(all, SETUP_MX, domain, domain, host_name(call->host->conf, a));
	/* a relay sends from addresses of its own: who they are is to be added by hand */
	add(all, SETUP_SPF, domain, domain,
		has_relay(call->host->conf) ? SPAN("v=spf1 mx ~all") : SPAN("v=spf1 mx -all"));
	if (!control_fail_err(call, add_keys(all, snap, domain), "DKIM key"))
		return false;
	add(all, SETUP_DMARC, domain, arena_printf(a, "_dmarc.%.*s", SPAN_FMT(domain)),
		arena_printf(a, "v=DMARC1; p=none; rua=mailto:postmaster@%.*s", SPAN_FMT(domain)));
	return true;
}

static bool
add_all(struct setup_asked *all)
{
	struct control_call *call = all->call;
	const struct conf_list *local = &call->host->conf->domains_local;
	struct snapshot *snap = host_snapshot(call->host);
	struct span domain;

	if (!snap)
		return control_fail_err(call, ERR_BUSY, "the store");
	if (rpc_has(call->request, "domain"))
		return control_dkim_domain(call, &domain) && add_domain(all, snap, domain);
	for (size_t i = 0; i < local->count && !all->full; i++)
		if (dkim_name_is_valid(local->items[i], DKIM_KEY_DOMAIN_MAX) &&
			!add_domain(all, snap, local->items[i]))
			return false;
	return true;
}

/* ---- what there is ---- */

static void
say(struct setup_record *r, enum setup_state state, const char *why)
{
	r->state = state;
	r->why = span_of(why);
}

static void
judge_mx(struct setup_record *r)
{
	for (size_t i = 0; i < r->found_count; i++)
		if (span_eq_nocase(r->found[i], r->value)) {
			say(r, SETUP_OK, "");
			return;
		}
	say(r, SETUP_WRONG, "the mail of the domain goes to other hosts");
}

/* There must be one that begins with WORD, whatever it says then: the policy is the domain's own. */
static void
judge_one(struct setup_record *r, struct span word)
{
	size_t count = 0;
	struct span rest;

	for (size_t i = 0; i < r->found_count; i++) {
		rest = span_from(r->found[i], word.len);
		count += span_starts_nocase(r->found[i], word) &&
			 (rest.len == 0 || ascii_is_blank(rest.ptr[0]) || rest.ptr[0] == ';');
	}
	if (count == 1)
		say(r, SETUP_OK, "");
	else if (count == 0)
		say(r, SETUP_MISSING, "");
	else
		say(r, SETUP_WRONG, "there are several, and none counts then");
}

static void
judge_spf(struct setup_record *r)
{
	judge_one(r, SPAN("v=spf1"));
}

static void
judge_dmarc(struct setup_record *r)
{
	judge_one(r, SPAN("v=DMARC1"));
}

static void
judge_dkim(struct setup_record *r)
{
	struct span want = dkim_tag(r->value, SPAN("p")), have;

	say(r, SETUP_WRONG, "there is no key in it");
	for (size_t i = 0; i < r->found_count; i++) {
		have = dkim_tag(r->found[i], SPAN("p"));
		if (dkim_keys_are_same(want, have)) {
			say(r, SETUP_OK, "");
			return;
		}
		if (have.len > 0)
			say(r, SETUP_WRONG, "it is another key");
	}
}

static void
on_answer(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct setup_record *r = LIST_ITEM(q, struct setup_record, question);
	struct setup_asked *all = r->all;
	struct arena *a = &all->call->arena;

	for (size_t i = 0; i < answer->count && i < SETUP_FOUND_MAX; i++)
		r->found[r->found_count++] = arena_copy(a, answer->records[i].text);
	if (answer->err == OK)
		kinds[r->kind].judge(r);
	else if (answer->err == ERR_NOT_FOUND)
		say(r, SETUP_MISSING, "");
	else
		say(r, SETUP_UNKNOWN, "no name server could say");
	if (--all->open == 0)
		all->done(all);
}

void
setup_begin(struct control_call *call, bool ask, void (*done)(struct setup_asked *all))
{
	struct setup_asked *all = ARENA_NEW(&call->arena, struct setup_asked);

	all->call = call;
	all->done = done;
	all->records = ARENA_ARRAY(&call->arena, struct setup_record, SETUP_RECORDS_MAX);
	if (!add_all(all)) {
		control_call_end(call);
		return;
	}
	all->open = ask ? all->count : 0;
	if (all->open == 0) {
		done(all);
		return;
	}
	for (size_t i = 0; i < all->count; i++) {
		struct setup_record *r = &all->records[i];

		r->question.done = on_answer;
		resolver_ask(call->host->resolver, call->host->loop, &r->question, r->name,
			kinds[r->kind].type);
	}
}

/* ---- setup records ---- */

static void
records_done(struct setup_asked *all)
{
	struct control_call *call = all->call;
	struct control_rows *rows = &call->rows;

	for (size_t i = 0; i < all->count; i++) {
		const struct setup_record *r = &all->records[i];

		control_row(rows, arena_printf(&call->arena, "%zu", i + 1));
		control_put_text(rows, r->name);
		control_put_text(rows, setup_type(r->kind) == DNS_MX ? SPAN("MX") : SPAN("TXT"));
		control_put_text(rows, span_of(setup_state_words[r->state]));
		control_put_text(rows, r->why);
		control_put_text(rows, r->value);
		control_put_list(rows, r->found, r->found_count);
		control_put_text(rows, r->domain);
		control_put_text(rows, span_of(setup_purpose(r->kind)));
		control_put_number(rows, r->state == SETUP_OK);
	}
	control_rows_end(rows);
	control_call_end(call);
}

static void
records_start(struct control_call *call)
{
	setup_begin(call, true, records_done);
}

const struct control_handler control_do_setup_records = {.start = records_start};
