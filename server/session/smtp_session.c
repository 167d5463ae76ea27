/*
 * smtp_session.c - feeds the SMTP machine, asks the pipeline, hands messages to intake.
 *
 *     input -> smtp_server_next -> event -> (pipeline | login | intake) -> answer
 *
 * One transaction is one intake; between transactions a session holds none. It knows no SMTP grammar
 * (proto/smtp) and decides nothing about mail (pipeline).
 */
#include "server/session/smtp_session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "proto/smtp/smtp_server.h"
#include "server/queue/intake.h"
#include "server/queue/refusals.h"
#include "server/services.h"
#include "server/session/lan.h"
#include "server/session/login.h"
#include "store/store.h"

#define SMTP_BAD_COMMANDS_MAX 20 /* then 421 */
#define LAST_WORDS(lit) { (lit), sizeof(lit) - 1 }
#define SMTP_RATE_FREE_MS (60 * 1000) /* of DATA before the rate counts (H20) */

struct smtp_session {
	struct session session; /* first */
	struct smtp_server machine;
	struct intake *intake; /* from MAIL to the answer to the message */
	struct login *login;
	struct span hostname, helo; /* session arena */
	uint64_t user_id;
	struct span user; /* session arena */
	size_t unknown_recipients;
	int64_t data_since_ms; /* when DATA began */
	uint64_t data_bytes;
	size_t held_at, held_len, held_used; /* text that waits for room, in the input */
	bool holds_text;
};

static struct smtp_session *
smtp_of(struct session *s)
{
	return LIST_ITEM(s, struct smtp_session, session);
}

static bool
is_submission(const struct smtp_session *smtp)
{
	return strcmp(smtp->session.service->name, "smtp") != 0;
}

static const struct conf_service *
service_conf(const struct session *s)
{
	return conf_service(s->conf, (enum service_name)s->service->number);
}

static int64_t
idle_ms(const struct smtp_session *smtp)
{
	const struct conf_service *service = service_conf(&smtp->session);

	return service ? conf_service_timeout_ms(smtp->session.conf, service)
		       : smtp->session.conf->timeouts_client_ms;
}

/* ---- answers and deadlines ---- */

/* H20: a deadline for each command, which bytes do not move. */
static void
await_command(struct smtp_session *smtp)
{
	session_set_deadline(&smtp->session, idle_ms(smtp), CLOSE_IDLE);
}

/* H20: what came so far buys time at limits.rate_min after the first minute. */
static void
await_text(struct smtp_session *smtp)
{
	int64_t rate = smtp->session.conf->limits_rate_min;
	int64_t now_ms = loop_now_ms(smtp->session.host->loop);
	int64_t left_ms = idle_ms(smtp), bought_ms;

	if (rate > 0) {
		bought_ms = smtp->data_since_ms + SMTP_RATE_FREE_MS +
			(int64_t)smtp->data_bytes * 1000 / rate - now_ms;
		if (bought_ms < left_ms)
			left_ms = bought_ms > 1 ? bought_ms : 1;
	}
	session_set_deadline(&smtp->session, left_ms, CLOSE_TOO_SLOW);
}

static void
answer(struct smtp_session *smtp, struct smtp_reply reply)
{
	struct session *s = &smtp->session;

	smtp_server_answer(&smtp->machine, reply, stream_out(&s->stream));
	arena_reset(&s->command);
	await_command(smtp);
}

static struct smtp_reply
reply_of(const struct plan_reply *reply)
{
	return (struct smtp_reply){ reply->code, reply->enhanced, reply->text };
}

/* ---- the machine's configuration ---- */

static struct span
own_hostname(struct session *s)
{
	char name[256] = "localhost";

	if (s->conf->hostname.len > 0)
		return arena_copy(&s->arena, s->conf->hostname);
	if (gethostname(name, sizeof(name) - 1) != 0)
		name[0] = '\0';
	return arena_copy(&s->arena, span_of(name));
}

static struct smtp_server_config
machine_config(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;
	const struct conf *conf = s->conf;

	return (struct smtp_server_config){
		.hostname = smtp->hostname,
		.message_size = (uint64_t)conf->limits_message_size,
		.command_line = (size_t)conf->limits_command_line,
		.line_length = (size_t)conf->limits_line_length,
		.recipients = (unsigned)conf->limits_recipients,
		.bad_commands = SMTP_BAD_COMMANDS_MAX,
		.starttls = session_can_tls(s),
		.auth = true,
		.auth_in_clear = peer_is_loopback(&s->peer), /* H67: it never leaves this machine */
		.dsn = conf->smtp_dsn,
	};
}

static void
take_conf(struct smtp_session *smtp)
{
	if (!session_take_conf(&smtp->session))
		return;
	smtp->hostname = own_hostname(&smtp->session);
	smtp->machine.config = machine_config(smtp);
}

/* ---- a transaction ---- */

static void
end_transaction(struct smtp_session *smtp)
{
	intake_drop(&smtp->intake);
	smtp->holds_text = false;
}

/* The facts of this connection, for the pipeline. */
static void
fill_mail(struct smtp_session *smtp, struct mail *mail)
{
	struct session *s = &smtp->session;
	const struct conf_service *service = service_conf(s);

	mail->via = is_submission(smtp) ? MAIL_VIA_SUBMISSION : MAIL_VIA_MX;
	mail->service = s->service->name;
	if (service)
		mail->access = service->access;
	mail->session = span_of(s->name);
	mail->hostname = smtp->hostname;
	mail->peer = s->peer;
	mail->peer_is_lan =
		s->conf->smtp_relay_check == RELAY_LAN && lan_has_address(&s->peer);
	mail->helo = smtp->helo;
	if (stream_is_secure(&s->stream))
		mail->tls = arena_printf(mail->arena, "%s with cipher %s",
			stream_tls_version(&s->stream), stream_tls_cipher(&s->stream));
	mail->esmtp = smtp->machine.esmtp;
	mail->user_id = smtp->user_id;
	mail->user = smtp->user;
}

static struct pipeline_ask
ask_of(struct smtp_session *smtp)
{
	return (struct pipeline_ask){ .conf = smtp->session.conf,
		.snap = host_snapshot(smtp->session.host),
		.mail = &smtp->intake->mail };
}

static void
log_refusal(struct smtp_session *smtp, const struct plan_reply *reply, struct span recipient)
{
	session_log(&smtp->session, LEVEL_INFO, .text = "refused",
		.fields = { { "code", SPAN_NONE, reply->code }, { "reason", reply->text, 0 },
			{ "peer", span_of(smtp->session.peer.text), 0 },
			{ "from", smtp->intake->mail.envelope.reverse_path.text, 0 },
			{ "to", recipient, 0 } });
}

/* Ask one phase; false where the answer has been given: a refusal. */
static bool
ask_pipeline(struct smtp_session *smtp, enum phase phase, struct pipeline_ask *ask)
{
	struct plan *plan = &smtp->intake->plan;
	enum verdict verdict;

	if (!ask->snap) {
		answer(smtp, smtp_reply_for(ERR_BUSY));
		return false;
	}
	verdict = pipeline_run(ask, phase, plan);
	if (verdict == STAGE_NEXT)
		return true;
	refusals_note(smtp->session.host, &smtp->intake->mail, plan, ask->recipient.text);
	log_refusal(smtp, &plan->reply, ask->recipient.text);
	answer(smtp, reply_of(&plan->reply));
	return false;
}

static const struct intake_events intake_events;

static void
begin_intake(struct smtp_session *smtp)
{
	end_transaction(smtp);
	smtp->intake = intake_open(smtp->session.host, &intake_events, smtp);
	fill_mail(smtp, &smtp->intake->mail);
}

/* May this peer talk to us at all? Asked before the greeting (ACC-08). */
static void
on_connect(struct smtp_session *smtp)
{
	struct pipeline_ask ask;

	begin_intake(smtp);
	ask = ask_of(smtp);
	if (ask_pipeline(smtp, AT_CONNECT, &ask))
		answer(smtp, (struct smtp_reply){ 220, "",
				      arena_printf(&smtp->session.command, "%.*s ESMTP Postroom",
					      SPAN_FMT(smtp->hostname)) });
	end_transaction(smtp);
}

static void
on_mail(struct smtp_session *smtp, const struct smtp_command *command)
{
	struct pipeline_ask ask;
	struct mail *mail;

	if (store_is_full(smtp->session.host->store)) {
		answer(smtp, smtp_reply_for(ERR_FULL)); /* H43 */
		return;
	}
	begin_intake(smtp);
	mail = &smtp->intake->mail;
	envelope_init(&mail->envelope, mail->arena, &command->path, &command->mail);
	mail->size = command->mail.has_size ? command->mail.size : 0;
	ask = ask_of(smtp);
	if (ask_pipeline(smtp, AT_CONNECT, &ask) && ask_pipeline(smtp, AT_MAIL, &ask))
		answer(smtp, SMTP_REPLY(250, "2.1.0", "Sender OK"));
	else
		end_transaction(smtp);
}

/* H58: who tries names goes away after some. */
static bool
guesses_too_much(struct smtp_session *smtp)
{
	return smtp->unknown_recipients >=
		(size_t)smtp->session.conf->limits_unknown_recipients;
}

static void
on_rcpt(struct smtp_session *smtp, const struct smtp_command *command)
{
	struct intake *in = smtp->intake;
	struct pipeline_ask ask = ask_of(smtp);
	size_t unknown = in->plan.unknown;

	if (guesses_too_much(smtp)) {
		answer(smtp, SMTP_REPLY(421, "4.7.0", "Too many unknown recipients"));
		return;
	}
	ask.recipient = address_copy(&in->arena, &command->path);
	if (!ask_pipeline(smtp, AT_RCPT, &ask)) {
		smtp->unknown_recipients += in->plan.unknown - unknown;
		return;
	}
	if (envelope_add_recipient(&in->mail.envelope, &ask.recipient, &command->recipient,
		    (size_t)smtp->session.conf->limits_recipients, NULL) != OK) {
		answer(smtp, SMTP_REPLY(452, "4.5.3", "Too many recipients"));
		return;
	}
	answer(smtp, SMTP_REPLY(250, "2.1.5", "Recipient OK"));
}

static void
on_data(struct smtp_session *smtp)
{
	session_set_doing(&smtp->session, "DATA");
	answer(smtp, SMTP_REPLY(354, "", "End with a dot on a line of its own"));
	smtp->data_since_ms = loop_now_ms(smtp->session.host->loop);
	smtp->data_bytes = 0;
	await_text(smtp);
}

/* False: no room now; the text stays in the input until there is. */
static bool
on_text(struct smtp_session *smtp, struct span in, struct span text, size_t used)
{
	if (intake_text(smtp->intake, text) != OK) {
		smtp->holds_text = true;
		smtp->held_at = (size_t)(text.ptr - in.ptr);
		smtp->held_len = text.len;
		smtp->held_used = used;
		session_wait(&smtp->session);
		return false;
	}
	smtp->data_bytes += text.len;
	return true;
}

static void
on_room(struct intake *in)
{
	struct smtp_session *smtp = in->holder;

	session_resume(&smtp->session);
}

static void
on_message_end(struct smtp_session *smtp)
{
	struct intake *in = smtp->intake;
	struct pipeline_ask ask;
	bool goes_on;

	session_set_doing(&smtp->session, "commit");
	if (intake_text_end(in) != OK) {
		answer(smtp, smtp_reply_for(ERR_BUSY));
		end_transaction(smtp);
		return;
	}
	ask = ask_of(smtp);
	goes_on = ask_pipeline(smtp, AT_END, &ask);
	if (!goes_on) {
		end_transaction(smtp);
		return;
	}
	session_set_deadline(&smtp->session, 0, CLOSE_NONE);
	session_wait(&smtp->session);
	intake_submit(in);
}

static void
log_accepted(struct smtp_session *smtp, const struct intake *in)
{
	session_log(&smtp->session, LEVEL_INFO, .message = in->mail.id, .text = "accepted",
		.fields = { { "from", in->mail.envelope.reverse_path.text, 0 },
			{ "recipients", SPAN_NONE,
				(int64_t)in->mail.envelope.recipient_count },
			{ "size", SPAN_NONE, (int64_t)in->mail.size },
			{ "copies", SPAN_NONE, (int64_t)in->plan.copy_count },
			{ "user", in->mail.user, 0 } });
}

/* H40: only here, after the commit, does the peer get his 250. */
static void
on_done(struct intake *in, enum err result)
{
	struct smtp_session *smtp = in->holder;
	struct smtp_reply reply = smtp_reply_for(result);

	if (result == OK) {
		reply.text = arena_printf(&in->arena, "Accepted as %.*s", SPAN_FMT(in->mail.id));
		log_accepted(smtp, in);
	} else {
		session_log(&smtp->session, LEVEL_WARNING, .message = in->mail.id,
			.text = "not taken", .fields = { { "why", span_of(err_name(result)), 0 } });
	}
	session_set_doing(&smtp->session, "");
	answer(smtp, reply);
	end_transaction(smtp);
	session_resume(&smtp->session);
}

static const struct intake_events intake_events = { .done = on_done, .room = on_room };

/* The machine refused it by itself: too big, a line too long, a NUL, a bare line end. */
static void
on_message_refused(struct smtp_session *smtp, struct smtp_reply reply)
{
	if (smtp->intake) {
		struct plan *plan = &smtp->intake->plan;

		plan_refuse(plan, reply.code, reply.enhanced, "");
		plan->reply.text = reply.text;
		smtp->intake->mail.size = smtp->data_bytes;
		refusals_note(smtp->session.host, &smtp->intake->mail, plan, SPAN_NONE);
		log_refusal(smtp, &plan->reply, SPAN_NONE);
	}
	end_transaction(smtp);
	answer(smtp, reply);
}

/* ---- who it is ---- */

static void
on_hello(struct smtp_session *smtp, const struct smtp_command *command)
{
	smtp->helo = arena_copy(&smtp->session.arena, command->argument);
	answer(smtp, smtp_reply_for(OK));
}

static void
on_login(struct session *s, enum err result, uint64_t user_id, struct span name)
{
	struct smtp_session *smtp = smtp_of(s);

	smtp->login = NULL;
	if (result == OK) {
		smtp->user_id = user_id;
		smtp->user = arena_copy(&s->arena, name);
		session_set_user(s, user_id, name);
		answer(smtp, SMTP_REPLY(235, "2.7.0", "Logged in"));
	} else if (result == ERR_DENIED) {
		answer(smtp, SMTP_REPLY(535, "5.7.8", "Wrong name or password"));
	} else {
		answer(smtp, SMTP_REPLY(454, "4.7.0", "Cannot check that now"));
	}
	session_resume(s);
}

static void
on_auth(struct smtp_session *smtp, const struct sasl_login *credentials)
{
	session_set_doing(&smtp->session, "AUTH");
	session_wait(&smtp->session);
	smtp->login = login_begin(&smtp->session, USER_SMTP, credentials, on_login);
}

static void
on_starttls(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;

	answer(smtp, SMTP_REPLY(220, "2.0.0", "Begin TLS now"));
	end_transaction(smtp);
	if (session_start_tls(s) != OK)
		session_close(s, CLOSE_INJECTED);
}

/* ---- events ---- */

static enum close_reason
close_reason_of(enum smtp_close why)
{
	static const enum close_reason reasons[] = {
		[SMTP_CLOSE_NONE] = CLOSE_PEER,
		[SMTP_CLOSE_QUIT] = CLOSE_QUIT,
		[SMTP_CLOSE_REFUSED] = CLOSE_REFUSED,
		[SMTP_CLOSE_BARE_LINE_END] = CLOSE_BARE_LINE,
		[SMTP_CLOSE_NUL] = CLOSE_BAD_INPUT,
		[SMTP_CLOSE_EARLY_BYTES] = CLOSE_OUT_OF_TURN,
		[SMTP_CLOSE_BAD_COMMANDS] = CLOSE_TOO_MANY_ERRORS,
		[SMTP_CLOSE_AUTH_FAILURES] = CLOSE_LOGIN_FAILED,
		[SMTP_CLOSE_OUTPUT] = CLOSE_STUCK,
	};

	return reasons[why];
}

static void
on_vrfy(struct smtp_session *smtp, const struct smtp_command *command)
{
	if (command->verb == SMTP_VERB_EXPN) /* H58 */
		answer(smtp, SMTP_REPLY(502, "5.5.1", "Not offered here"));
	else
		answer(smtp, SMTP_REPLY(252, "2.5.2", "Send some mail, I will try"));
}

static void
on_event(struct smtp_session *smtp, struct smtp_event *ev)
{
	switch (ev->kind) {
	case SMTP_CONNECT:
		on_connect(smtp);
		break;
	case SMTP_HELLO:
		on_hello(smtp, &ev->command);
		break;
	case SMTP_MAIL:
		on_mail(smtp, &ev->command);
		break;
	case SMTP_RCPT:
		on_rcpt(smtp, &ev->command);
		break;
	case SMTP_DATA:
		on_data(smtp);
		break;
	case SMTP_MESSAGE_END:
		on_message_end(smtp);
		break;
	case SMTP_MESSAGE_REFUSED:
		on_message_refused(smtp, ev->reply);
		break;
	case SMTP_RESET:
		end_transaction(smtp);
		break;
	case SMTP_AUTH:
		on_auth(smtp, &ev->login);
		break;
	case SMTP_VRFY:
		on_vrfy(smtp, &ev->command);
		break;
	case SMTP_QUIT:
		answer(smtp, SMTP_REPLY(221, "2.0.0", "Goodbye"));
		break;
	case SMTP_SETTLED:
		answer(smtp, ev->reply);
		break;
	case SMTP_CLOSE:
		session_close(&smtp->session, close_reason_of(ev->why));
		break;
	case SMTP_NEED_BYTES:
	case SMTP_NEED_REPLY:
	case SMTP_TEXT:
	case SMTP_STARTTLS:
		break;
	}
}

/* Text that had to wait: once more. False: it still has to. */
static bool
retry_text(struct smtp_session *smtp)
{
	struct span in = stream_peek(&smtp->session.stream);
	struct span text = span_range(in, smtp->held_at, smtp->held_at + smtp->held_len);

	smtp->holds_text = false;
	if (!on_text(smtp, in, text, smtp->held_used))
		return false;
	stream_consume(&smtp->session.stream, smtp->held_used);
	return true;
}

/* One event. False: nothing more to do until something comes. */
static bool
step(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;
	struct span in = stream_peek(&s->stream);
	struct smtp_event ev = { 0 };
	size_t used = smtp_server_next(&smtp->machine, in, &ev);

	if (ev.kind == SMTP_TEXT) {
		if (!on_text(smtp, in, ev.text, used))
			return false;
	} else if (ev.kind == SMTP_STARTTLS) {
		stream_consume(&s->stream, used); /* before anybody asks whether more was sent (H3) */
		on_starttls(smtp);
		return false;
	} else if (ev.kind != SMTP_NEED_BYTES && ev.kind != SMTP_NEED_REPLY) {
		on_event(smtp, &ev);
	}
	stream_consume(&s->stream, used);
	if (ev.kind == SMTP_NEED_BYTES && used == 0)
		return false;
	return ev.kind != SMTP_NEED_REPLY && !s->waits && !session_is_closing(s);
}

static void
smtp_input(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);

	if (smtp->machine.state != SMTP_STATE_DATA)
		take_conf(smtp);
	if (smtp->holds_text && !retry_text(smtp))
		return;
	while (!stream_is_full(&s->stream) && step(smtp))
		continue;
	if (session_is_closing(s) || s->waits)
		return;
	if (smtp->machine.state == SMTP_STATE_DATA)
		await_text(smtp);
	if (stream_at_eof(&s->stream))
		session_close(s, CLOSE_PEER);
}

static void
smtp_open(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);
	struct smtp_server_config config;

	smtp->hostname = own_hostname(s);
	config = machine_config(smtp);
	smtp_server_init(&smtp->machine, &config, &s->command, stream_is_secure(&s->stream));
	await_command(smtp);
	smtp_input(s);
}

static void
smtp_secured(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);

	smtp_server_tls_started(&smtp->machine); /* H3: forgets all that was said in clear */
	smtp->machine.config = machine_config(smtp);
	smtp->helo = SPAN_NONE;
	smtp->user_id = 0;
	smtp->user = SPAN_NONE;
	await_command(smtp);
}

static void
smtp_close(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);

	login_cancel(&smtp->login);
	end_transaction(smtp);
	smtp_server_fini(&smtp->machine);
}

const struct session_class smtp_session_class = {
	.name = "smtp",
	.size = sizeof(struct smtp_session),
	.open = smtp_open,
	.input = smtp_input,
	.secured = smtp_secured,
	.close = smtp_close,
	.busy_text = LAST_WORDS("421 4.7.0 Too many connections\r\n"),
	.timeout_text = LAST_WORDS("421 4.4.2 Too slow\r\n"),
	.shutdown_text = LAST_WORDS("421 4.3.2 Service is shutting down\r\n"),
};
