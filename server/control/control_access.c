/*
 * control_access.c - access lines: what they say of an address, what they are, what they could be.
 *
 * access.test asks the door and the pipeline as a connection does (session/door.h), so it cannot
 * disagree with one by more than what changes between the two.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/control/control_call.h"
#include "server/control/control_notes.h"
#include "server/pipeline/names.h"
#include "server/server.h"
#include "server/services.h"
#include "server/session/door.h"
#include "server/session/lan.h"
#include "store/users.h"

#define LAN_LINES_MAX 256

/* ---- access test ---- */

struct asked {
	struct peer peer;
	bool is_lan, popped;
	struct span user; /* as stored; empty: nobody logs in */
	uint64_t user_id;
	struct snapshot *snap;
};

struct answers {
	bool connect, login, send, relay;
	struct plan plan;
};

static bool
peer_parse(struct control_call *call, struct peer *out)
{
	struct span text = control_param(call, "address");
	struct sockaddr_storage address = { .ss_family = AF_INET6 };
	struct in6_addr ip;
	bool is_v4;

	if (access_address(text, &ip, &is_v4) != OK)
		return control_failf(call, RPC_INVALID, "address",
			"%.*s is no address (192.0.2.1 or 2001:db8::1)", SPAN_FMT(text));
	if (IN6_IS_ADDR_V4MAPPED(&ip)) {
		address.ss_family = AF_INET;
		memcpy(&((struct sockaddr_in *)(void *)&address)->sin_addr, ip.s6_addr + 12, 4);
	} else {
		((struct sockaddr_in6 *)(void *)&address)->sin6_addr = ip;
	}
	peer_from_sockaddr(out, &address);
	return true;
}

static bool
asked_user(struct control_call *call, struct asked *a)
{
	struct span name = control_param(call, "user");
	struct user user;
	enum err err;

	if (name.len == 0)
		return true;
	err = names_user(a->snap, name, &user);
	if (err == ERR_NOT_FOUND)
		return control_failf(
			call, RPC_NOT_FOUND, "user", "there is no user %.*s", SPAN_FMT(name));
	if (err != OK)
		return control_fail_err(call, err, "the user");
	a->user = arena_copy(&call->arena, user.name);
	a->user_id = user.user_id;
	return true;
}

static bool
is_mail(const struct service *service)
{
	return service->number == SERVICE_smtp || service->number == SERVICE_submission ||
		service->number == SERVICE_submissions || service->number == SERVICE_lmtp;
}

static bool
has_login(const struct service *service)
{
	return service->login_first || service->number == SERVICE_smtp;
}

/* May it say MAIL there, and where may that mail go? */
static void
ask_mail(struct control_call *call, const struct asked *a, struct mail *mail,
	struct answers *out)
{
	struct pipeline_ask ask = { .conf = call->host->conf, .snap = a->snap, .mail = mail };
	static const struct mail_options none;
	struct address nobody = { .flags = ADDRESS_NULL };

	envelope_init(&mail->envelope, &call->arena, &nobody, &none);
	if (out->login) {
		mail->user_id = a->user_id;
		mail->user = a->user;
	}
	out->send = pipeline_run(&ask, AT_MAIL, &out->plan) == STAGE_NEXT;
	out->relay = out->send && out->plan.may_relay;
}

static void
ask_service(struct control_call *call, const struct asked *a, const struct service *service,
	struct answers *out)
{
	const struct conf *conf = call->host->conf;
	struct mail *mail = ARENA_NEW(&call->arena, struct mail);
	struct pipeline_ask ask = { .conf = conf, .snap = a->snap, .mail = mail };

	mail->arena = &call->arena;
	mail->session = SPAN("access");
	mail->hostname = host_name(conf, &call->arena);
	mail->peer_is_lan = a->is_lan;
	mail->popped = service->number == SERVICE_smtp && a->popped;
	mail->asks_nobody = true; /* as with explain */
	door_mail(mail, conf, service, &a->peer);
	plan_init(&out->plan, &call->arena);
	out->connect = pipeline_run(&ask, AT_CONNECT, &out->plan) == STAGE_NEXT;
	if (!out->connect)
		return;
	out->login = has_login(service) &&
		door_allows_login(conf, service->number, &a->peer, a->user);
	if (is_mail(service))
		ask_mail(call, a, mail, out);
}

/* The sentences that a trace would have, then why it may or may not relay. */
static struct span
why_of(struct control_call *call, const struct service *service, const struct answers *answers)
{
	struct span notes = plan_notes(&answers->plan), why = SPAN_NONE;
	struct note note;

	while (note_take(&notes, &note) == PARSE_DONE) {
		struct span line =
			control_note_text(&call->arena, note.code, note.found, note.because);

		if (note.code == NOTE_SENDER_NULL)
			continue; /* so we asked; it decides nothing */
		why = arena_printf(&call->arena, "%.*s%s%.*s", SPAN_FMT(why), why.len ? "; " : "",
			SPAN_FMT(line));
	}
	if (answers->send && is_mail(service))
		why = arena_printf(&call->arena, "%.*s; to others: %s, %s", SPAN_FMT(why),
			answers->relay ? "yes" : "no", answers->plan.relay_why);
	return why;
}

static void
put_flag(struct control_rows *rows, bool is_meant, bool value)
{
	if (is_meant)
		control_put_number(rows, value);
	else
		control_put_null(rows);
}

static void
test_row(struct control_call *call, const struct asked *a, const struct service *service)
{
	struct answers answers = { 0 };
	struct access_decision decision =
		door_access(call->host->conf, service->number, &a->peer, a->user);

	ask_service(call, a, service, &answers);
	control_row(&call->rows, span_of(service->name));
	control_put_text(&call->rows, span_of(service->name));
	control_put_number(&call->rows, answers.connect);
	put_flag(&call->rows, has_login(service), answers.login);
	put_flag(&call->rows, is_mail(service), answers.send);
	put_flag(&call->rows, is_mail(service), answers.relay);
	control_put_text(&call->rows, decision.line ? decision.line->text : SPAN_NONE);
	control_put_text(&call->rows, why_of(call, service, &answers));
}

/* The service that a call names; NULL, and the call failed, where the file does not name it. */
static const struct service *
configured(struct control_call *call, struct span name)
{
	const struct service *service = service_find(name);

	if (service && !service->is_control &&
		conf_service(call->host->conf, (enum service_name)service->number))
		return service;
	control_failf(call, RPC_NOT_FOUND, "service", "the configuration has no service %.*s",
		SPAN_FMT(name));
	return NULL;
}

static bool
asked_read(struct control_call *call, struct asked *a)
{
	a->snap = host_snapshot(call->host);
	if (!a->snap)
		return control_fail_err(call, ERR_BUSY, "the store");
	if (!peer_parse(call, &a->peer) || !asked_user(call, a))
		return false;
	a->popped = call->host->conf->smtp_pop_before_smtp > 0 &&
		shared_pop3_recent(call->host->shared, &a->peer,
			call->host->conf->smtp_pop_before_smtp * 60 * 1000,
			loop_now_ms(call->host->loop));
	a->is_lan = lan_has_address(&a->peer);
	return true;
}

/* Each service of the file, or the one that is named. */
static void
each_service(struct control_call *call, void (*row)(struct control_call *, const void *,
						const struct service *), const void *arg)
{
	struct span name = control_param(call, "service");
	const struct service *only = name.len > 0 ? configured(call, name) : NULL;

	for (unsigned i = 0; i < service_count && !call->failed; i++) {
		if (services[i].is_control || (only && only != &services[i]) ||
			!conf_service(call->host->conf, (enum service_name)i))
			continue;
		row(call, arg, &services[i]);
	}
}

static void
test_each(struct control_call *call, const void *arg, const struct service *service)
{
	test_row(call, arg, service);
}

static void
access_test(struct control_call *call)
{
	struct asked asked = { .user_id = 0 };

	if (asked_read(call, &asked))
		each_service(call, test_each, &asked);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_access_test = { .start = access_test };

/* ---- access list ---- */

static const char *
meaning_of(const struct access_line *line)
{
	if (line->deny)
		return line->user_count ? "refused: these users" : "refused";
	if (line->bits == 0 && !line->noauth && line->user_count == 0)
		return "everybody: may connect, and relays by login only";
	if (line->noauth)
		return line->user_count ? "these users, who need no login"
					: "allowed, without a login too";
	return line->user_count ? "allowed: these users" : "allowed";
}

/* Who fits no line (ACC-02, Q-52). */
static const char *
rest_of(const struct conf *conf, const struct service *service, size_t lines)
{
	if (lines == 0)
		return service->number == SERVICE_lmtp ? "this machine" : "allowed";
	if (service->number == SERVICE_smtp && conf->smtp_relay_check == RELAY_CLIENT_IP)
		return "may bring mail for here, and no other";
	return "refused";
}

static void
list_row(struct control_call *call, const struct service *service, size_t number, struct span line,
	const char *meaning)
{
	struct span key = arena_printf(&call->arena, "%s %zu", service->name, number);

	control_row(&call->rows, key);
	control_put_text(&call->rows, span_of(service->name));
	control_put_number(&call->rows, (int64_t)number);
	control_put_text(&call->rows, line);
	control_put_text(&call->rows, span_of(meaning));
}

static void
list_each(struct control_call *call, const void *arg, const struct service *service)
{
	struct access_list lines = door_lines(call->host->conf, service->number);

	(void)arg;
	for (size_t i = 0; i < lines.count; i++)
		list_row(call, service, i + 1, lines.items[i].text, meaning_of(&lines.items[i]));
	list_row(call, service, lines.count + 1, SPAN("(all others)"),
		rest_of(call->host->conf, service, lines.count));
}

static void
access_list(struct control_call *call)
{
	each_service(call, list_each, NULL);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_access_list = { .start = access_list };

/* ---- access lan ---- */

static void
access_lan(struct control_call *call)
{
	struct lan_line *lines = ARENA_ARRAY(&call->arena, struct lan_line, LAN_LINES_MAX);
	size_t count = lan_lines(lines, LAN_LINES_MAX);

	for (size_t i = 0; i < count; i++) {
		control_row(&call->rows, span_of(lines[i].text));
		control_put_text(&call->rows, span_of(lines[i].text));
		control_put_text(&call->rows, span_of(lines[i].what));
	}
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_access_lan = { .start = access_lan };
