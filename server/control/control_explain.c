/*
 * control_explain.c - what would happen to a message, and where an address goes: the pipeline asked
 * in all its phases, its plan printed and dropped. Nothing is written, so it cannot disagree with a
 * delivery by more than what changes between the two (H88).
 *
 * The pipeline needs the configuration of a turn and is quick, so it runs on the loop; the file of
 * --message is read on a worker before that.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "proto/mail/header.h"
#include "server/control/control_explain.h"
#include "server/control/control_notes.h"
#include "server/control/rule_trial.h"
#include "server/pipeline/collected_who.h"
#include "server/pipeline/names.h"
#include "server/session/lan.h"
#include "store/users.h"

#define STRANGER "192.0.2.1" /* RFC 5737: an address that nobody has */

static void
mail_service(struct control_call *call, struct explained *e, enum mail_via via)
{
	const struct conf *conf = call->host->conf;
	const struct conf_service *row = NULL;

	static const struct {
		const char *name;
		enum service_name number; /* SERVICE_COUNT: no service in the file */
	} rows[] = {
		[MAIL_VIA_MX] = {"smtp", SERVICE_smtp},
		[MAIL_VIA_SUBMISSION] = {"submission", SERVICE_submission},
		[MAIL_VIA_LMTP] = {"lmtp", SERVICE_lmtp},
		[MAIL_VIA_POP3] = {"pop3", SERVICE_COUNT},
		[MAIL_VIA_LOCAL] = {"local", SERVICE_COUNT},
	};

	e->mail.service = rows[via].name;
	if (rows[via].number != SERVICE_COUNT)
		row = conf_service(conf, rows[via].number);
	if (row)
		e->mail.access = row->access;
}

void
explained_begin(struct control_call *call, struct explained *e, enum mail_via via)
{
	e->mail = (struct mail){.arena = &call->arena,
		.via = via,
		.session = SPAN("explain"),
		.hostname = host_name(call->host->conf, &call->arena),
		.helo = SPAN("explain.test"),
		.esmtp = true,
		.id = SPAN("0"),
		.arrived_ms = call->now_ms,
		.now_ms = e->now_ms ? e->now_ms : call->now_ms,
		.header = e->header,
		.size = e->size,
		.asks_nobody = true};
	e->mail.body = (struct mail_content){.size = e->body.len, .spans = &e->body, .span_count = 1};
	e->mail.derived = e->derived;
	e->mail.scripts = e->scripts;
	mail_service(call, e, via);
	snprintf(e->mail.peer.text, sizeof(e->mail.peer.text), STRANGER);
	memcpy(e->mail.peer.ip, (uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 1}, 16);
	e->mail.peer.is_ipv4 = true;
	if (via != MAIL_VIA_MX && via != MAIL_VIA_SUBMISSION) { /* nobody connects */
		e->mail.peer.is_unix = true;
		snprintf(e->mail.peer.text, sizeof(e->mail.peer.text), "%s",
			via == MAIL_VIA_LMTP ? "unix" : "who wrote it");
	}
	if (via == MAIL_VIA_POP3 || via == MAIL_VIA_LOCAL)
		e->mail.helo = SPAN_NONE;
	e->mail.zone_minutes = host_zone_minutes(e->mail.now_ms);
	lan_own_addresses(&e->mail.own);
	pipeline_read_header(call->host->conf, &e->mail);
	plan_init(&e->plan, &call->arena);
}

static bool
sender_parse(struct control_call *call, struct explained *e, struct span from)
{
	struct mail_options options = {.has_size = e->size != 0, .size = e->size};
	struct address sender = {.flags = ADDRESS_NULL};
	enum err err = OK;

	if (from.len > 0 && !span_eq(from, SPAN("<>")))
		err = address_parse(&call->arena, from, &sender);
	if (err != OK)
		return control_failf(
			call, RPC_INVALID, "from", "%.*s is no address", SPAN_FMT(from));
	envelope_init(&e->mail.envelope, &call->arena, &sender, &options);
	return true;
}

static bool
parse_recipients(struct control_call *call, struct explained *e, const struct explain_ask *asked,
	struct address **out)
{
	struct address *all = ARENA_ARRAY(&call->arena, struct address, asked->count);

	for (size_t i = 0; i < asked->count; i++)
		if (address_parse(&call->arena, asked->to[i], &all[i]) != OK)
			return control_failf(
				call, RPC_INVALID, "to", "%.*s is no address", SPAN_FMT(asked->to[i]));
	e->to = asked->to;
	e->to_count = asked->count;
	*out = all;
	return true;
}

/* As its collection does it. */
static bool
find_recipients(struct control_call *call, struct explained *e, struct snapshot *snap, struct address **out)
{
	const struct collected_ask ask = {.conf = call->host->conf, .snap = snap, .mail = &e->mail,
		.collector = names_collector(call->host->conf, &e->mail)};
	struct span *to;

	if (!ask.collector)
		return control_fail(call, RPC_INVALID, "it is not said who collects it",
			"give --collect NAME, or recipients by --to", "collect");
	if (!control_fail_err(call, collected_who(&ask, &e->plan, out, &e->to_count), "the store"))
		return false;
	to = ARENA_ARRAY(&call->arena, struct span, e->to_count);
	for (size_t i = 0; i < e->to_count; i++)
		to[i] = (*out)[i].text;
	e->to = to;
	return true;
}

/* All phases in order, as an SMTP session would ask them. */
static bool
run_phases(struct control_call *call, struct explained *e, const struct explain_ask *asked)
{
	struct pipeline_ask ask = {
		.conf = call->host->conf, .snap = host_snapshot(call->host), .mail = &e->mail};
	struct address *addresses, from;
	struct span sender = asked->from;

	if (!ask.snap)
		return control_fail_err(call, ERR_BUSY, "the store");
	if (!(e->from_header ? find_recipients(call, e, ask.snap, &addresses)
				 : parse_recipients(call, e, asked, &addresses)))
		return false;
	if (e->from_header && sender.len == 0) {
		collected_return_path(&e->mail, &from);
		sender = from.text;
	}
	if (!sender_parse(call, e, sender))
		return false;
	e->refused = ARENA_ARRAY(&call->arena, struct plan_reply, e->to_count);
	e->verdict = (e->front ? pipeline_run_front : pipeline_run_all)(
		&ask, addresses, e->to_count, e->refused, &e->plan, &e->at);
	return true;
}

static bool
ask_as_user(struct control_call *call, struct explained *e, struct span name)
{
	struct snapshot *snap = host_snapshot(call->host);
	struct user user;
	enum err err = snap ? user_find_by_name(snap, name, &user) : ERR_BUSY;

	if (!control_fail_err(call, err, "user"))
		return false;
	e->mail.user_id = user.user_id;
	e->mail.user = arena_copy(&call->arena, user.name);
	e->mail.user_sent =
		shared_sent(call->host->shared, user.user_id, host_steady_ms(call->host));
	e->mail.tls = SPAN("TLSv1.2");
	return true;
}

/* Collected by the collector of that name; without one by any. */
static bool
ask_as_collected(struct control_call *call, struct explained *e, struct span collect)
{
	e->mail.collect = collect;
	if (collect.len == 0 || names_collector(call->host->conf, &e->mail))
		return true;
	return control_failf(call, RPC_NOT_FOUND, "collect", "no collector is called %.*s",
		SPAN_FMT(collect));
}

/* A client at that address, by SMTP. */
static bool
ask_as_peer(struct control_call *call, struct explained *e, struct span text)
{
	struct peer *peer = &e->mail.peer;
	struct in6_addr address;

	if (text.len == 0)
		return true;
	if (peer->is_unix || text.len >= sizeof(peer->text) ||
		access_address(text, &address, &peer->is_ipv4) != OK)
		return control_failf(call, RPC_INVALID, "peer", "%.*s is no address of a client",
			SPAN_FMT(text));
	memcpy(peer->ip, &address, sizeof(peer->ip));
	snprintf(peer->text, sizeof(peer->text), "%.*s", SPAN_FMT(text));
	e->mail.peer_is_lan = lan_has_address(peer);
	return true;
}

bool
explained_run(struct control_call *call, struct explained *e, const struct explain_ask *ask)
{
	explained_begin(call, e, ask->via);
	if (ask->user.len > 0 && !ask_as_user(call, e, ask->user))
		return false;
	if (!ask_as_collected(call, e, ask->collect) || !ask_as_peer(call, e, ask->peer))
		return false;
	return run_phases(call, e, ask);
}

struct span
explained_target(struct control_call *call, const struct plan_copy *c)
{
	if (c->kind != COPY_FOLDER)
		return c->target;
	if (span_eq_nocase(c->folder, SPAN("INBOX")))
		return c->user;
	return arena_printf(
		&call->arena, "%.*s/%.*s", SPAN_FMT(c->user), SPAN_FMT(c->folder));
}

enum mail_via
explain_via(struct control_call *call)
{
	struct span via = control_param(call, "via");

	if (span_eq(via, SPAN("pop3")) || rpc_has(call->request, "collect"))
		return MAIL_VIA_POP3;
	if (span_eq(via, SPAN("local")))
		return MAIL_VIA_LOCAL;
	if (span_eq(via, SPAN("lmtp")))
		return MAIL_VIA_LMTP;
	return rpc_has(call->request, "auth") ? MAIL_VIA_SUBMISSION : MAIL_VIA_MX;
}

/* ---- explain ---- */

static const char *const copy_words[] = { /* of a copy for a recipient; else its role's */
	[COPY_FOLDER] = "mailbox",
	[COPY_REMOTE] = "remote",
	[COPY_DISCARD] = "discard",
	[COPY_BOUNCE] = "bounce",
	[COPY_STORE] = "archive",
};

static const char *
stage_word(enum phase at)
{
	return at == AT_CONNECT ? "connect"
	       : at == AT_MAIL	? "mail"
	       : at == AT_RCPT	? "rcpt"
				: "data";
}

static void
put_one_reply(struct json_writer *w, const struct plan_reply *reply, const char *stage)
{
	json_put_member_string(w, SPAN("stage"), span_of(stage));
	json_put_member_u64(w, SPAN("code"), reply->code);
	json_put_member_string(w, SPAN("enhanced"), span_of(reply->enhanced));
	json_put_member_string(w, SPAN("text"), reply->text);
}

bool
explained_is_accepted(const struct explained *e)
{
	return e->verdict == STAGE_NEXT || e->verdict == STAGE_STOP;
}

void
explained_put_reply(struct json_writer *w, const struct explained *e)
{
	static const struct plan_reply accepted = {250, "2.0.0", {"accepted", 8}};
	bool ok = explained_is_accepted(e);

	json_put_name(w, SPAN("reply"));
	json_put_object(w);
	put_one_reply(w, ok ? &accepted : &e->plan.reply, ok ? "end" : stage_word(e->at));
	json_put_close(w);
}

static void
put_refused(struct json_writer *w, const struct explained *e)
{
	json_put_name(w, SPAN("refused"));
	json_put_array(w);
	for (size_t i = 0; i < e->to_count; i++) {
		if (e->refused[i].code == 0)
			continue;
		json_put_object(w);
		json_put_member_string(w, SPAN("recipient"), e->to[i]);
		put_one_reply(w, &e->refused[i], "rcpt");
		json_put_close(w);
	}
	json_put_close(w);
}

static const char *
copy_word(const struct plan_copy *c)
{
	return c->role == COPY_DELIVERY ? copy_words[c->kind] : copy_role_words[c->role];
}

/* What is refused at its end makes none, whatever its recipients were told before. */
size_t
explained_put_copies(struct control_call *call, const struct explained *e, int role)
{
	const struct plan_copy *copies = explained_is_accepted(e) ? e->plan.copies : NULL;
	struct json_writer *w = &call->json;
	size_t shown = 0, count = 0;

	json_put_name(w, SPAN("copies"));
	json_put_array(w);
	for (const struct plan_copy *c = copies; c; c = c->next) {
		if ((role >= 0 && (int)c->role != role) || count++ >= EXPLAIN_COPIES_MAX)
			continue;
		shown++;
		json_put_object(w);
		json_put_member_string(w, SPAN("kind"), span_of(copy_word(c)));
		json_put_member_string(w, SPAN("target"), explained_target(call, c));
		json_put_member_string(w, SPAN("because"),
			control_note_text(&call->arena, c->why, c->found, c->because));
		json_put_member_string(w, SPAN("recipient"), c->recipient);
		json_put_member_bool(w, SPAN("held"), c->held);
		json_put_close(w);
	}
	json_put_close(w);
	json_put_member_u64(w, SPAN("more"), count - shown);
	return count;
}

/* Only a collected message says by itself who sent it to whom. */
static bool
is_given(struct control_call *call, const char *name)
{
	return rpc_has(call->request, name) ||
		control_failf(call, RPC_INVALID, name, "%s is missing: give --%s", name, name);
}

bool
explain_work(struct control_call *call)
{
	struct explained *e = ARENA_NEW(&call->arena, struct explained);

	call->state = e;
	e->from_header = explain_via(call) == MAIL_VIA_POP3 && !rpc_has(call->request, "to") &&
		rpc_has(call->request, "message");
	if (!e->from_header && (!is_given(call, "from") || !is_given(call, "to")))
		return false;
	if (!control_read_time(call, "at", &e->now_ms) || !explained_read(call, e))
		return false;
	e->size = rpc_number(call->request, "size", e->size);
	return true;
}

/* What was asked, as it was understood. */
static void
put_asked(struct json_writer *w, const struct explained *e)
{
	struct span from = e->mail.envelope.reverse_path.text;

	json_put_name(w, SPAN("asked"));
	json_put_object(w);
	json_put_member_string(w, SPAN("from"), from.len ? from : SPAN("<>"));
	json_put_name(w, SPAN("to"));
	json_put_array(w);
	for (size_t i = 0; i < e->to_count; i++)
		json_put_string(w, e->to[i]);
	json_put_close(w);
	json_put_member_string(w, SPAN("via"), span_of(e->mail.service));
	json_put_name(w, SPAN("auth"));
	if (e->mail.user.len)
		json_put_string(w, e->mail.user);
	else
		json_put_null(w);
	json_put_member_u64(w, SPAN("size"), e->size);
	json_put_close(w);
}

static struct explain_ask
ask_of(struct control_call *call)
{
	const struct rpc_value *to = rpc_value(call->request, "to");

	return (struct explain_ask){explain_via(call), control_param(call, "from"),
		control_param(call, "auth"), control_param(call, "collect"), to->items, to->count,
		control_param(call, "peer")};
}

static void
on_scripts(struct scripts_question *q)
{
	struct explained *e = LIST_ITEM(q, struct explained, question);

	e->scripts = e->mail.scripts;
	control_call_go(e->call, CALL_READ);
}

/* Scripts are run as for a message; then the pipeline is asked from its beginning, with their answers. */
bool
explain_scripts(struct control_call *call)
{
	struct explained *e = call->state;
	struct explain_ask ask = ask_of(call);
	bool waits, ok;

	e->front = true;
	ok = explained_run(call, e, &ask) && e->verdict == STAGE_NEXT;
	e->front = false;
	if (!ok)
		return false;
	e->call = call;
	e->question = (struct scripts_question){.done = on_scripts, .explains = true};
	waits = scripts_ask(call->host, &e->question, &e->mail, &e->plan);
	e->scripts = e->mail.scripts;
	return waits;
}

bool
explain_run(struct control_call *call)
{
	struct explain_ask ask = ask_of(call);

	return explained_run(call, call->state, &ask);
}

static void
explain_finish(struct control_call *call)
{
	struct explained *e = call->state;
	struct json_writer *w = &call->json;

	if (!explain_run(call))
		return;
	json_put_object(w);
	put_asked(w, e);
	explained_put_reply(w, e);
	(void)explained_put_copies(call, e, EXPLAIN_EVERY_ROLE);
	put_refused(w, e);
	control_put_notes(w, SPAN("steps"), plan_notes(&e->plan));
	json_put_close(w);
}

const struct control_handler control_do_explain = {
	.work = explain_work,
	.work_kind = WORK_GENERAL,
	.ask = explain_scripts,
	.finish = explain_finish,
};
