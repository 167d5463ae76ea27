/*
 * smtp_session.c - feeds the SMTP machine and tells who is there; smtp_transaction.c does the mail.
 *
 *     input -> smtp_server_next -> event -> (pipeline | login | intake) -> answer
 *
 * It knows no SMTP grammar (proto/smtp).
 */
#include "server/session/smtp_session.h"

#include <string.h>

#include "server/session/door.h"
#include "server/session/login_proof.h"
#include "server/session/protocol_log.h"
#include "server/session/smtp_inside.h"

#define SMTP_BAD_COMMANDS_MAX 20 /* then 421 */
#define LMTP_RECIPIENTS_MAX 1000 /* a reply each after the final dot: they fit into the output (H35) */
#define LAST_WORDS(lit) { (lit), sizeof(lit) - 1 }
#define SMTP_RATE_FREE_MS (60 * 1000) /* of DATA before the rate counts (H20) */

static struct smtp_session *
smtp_of(struct session *s)
{
	return LIST_ITEM(s, struct smtp_session, session);
}

static int64_t
idle_ms(const struct smtp_session *smtp)
{
	const struct conf_service *service = smtp_service_conf(&smtp->session);

	return service ? conf_service_timeout_ms(smtp->session.conf, service)
		       : smtp->session.conf->timeouts_client_ms;
}

/* ---- answers and deadlines ---- */

/* H20: a deadline for each command, which bytes do not move; before login one for all of it. */
static void
await_command(struct smtp_session *smtp)
{
	if (smtp->session.service->login_first && !smtp->may_send)
		return;
	session_set_deadline(&smtp->session, idle_ms(smtp), CLOSE_IDLE);
}

/* H20: what came so far buys time at limits.rate_min after the first minute. */
void
smtp_await_text(struct smtp_session *smtp)
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

void
smtp_answer(struct smtp_session *smtp, struct smtp_reply reply)
{
	struct session *s = &smtp->session;
	size_t mark = protocol_log_mark(s);

	smtp_server_answer(&smtp->machine, reply, stream_out(&s->stream));
	protocol_log_own(s, mark, reply.code == 334);
	arena_reset(&s->command);
	await_command(smtp);
}

void
smtp_answer_each(struct smtp_session *smtp, const struct smtp_reply *replies)
{
	struct session *s = &smtp->session;
	size_t mark = protocol_log_mark(s);

	smtp_server_answer_each(&smtp->machine, replies, stream_out(&s->stream));
	protocol_log_own(s, mark, false);
	arena_reset(&s->command);
	await_command(smtp);
}

/* ---- the machine's configuration ---- */

static struct smtp_server_config
machine_config(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;
	const struct conf *conf = s->conf;
	bool lmtp = smtp_is_lmtp(s);
	unsigned recipients = (unsigned)conf->limits_recipients;

	return (struct smtp_server_config){
		.hostname = smtp->hostname,
		.message_size = (uint64_t)conf->limits_message_size,
		.command_line = (size_t)conf->limits_command_line,
		.line_length = (size_t)conf->limits_line_length,
		.recipients = lmtp && recipients > LMTP_RECIPIENTS_MAX ? LMTP_RECIPIENTS_MAX : recipients,
		.bad_commands = SMTP_BAD_COMMANDS_MAX,
		.auth_failures = (unsigned)conf->limits_auth_failures,
		.starttls = session_can_tls(s),
		/* who speaks LMTP is trusted by its address, or not at all */
		.mechanisms = lmtp ? 0 : login_mechanisms(conf),
		.auth_in_clear = s->peer.is_unix || /* H67 */
			door_access(conf, s->service->number, &s->peer, SPAN_NONE).answer ==
				ACCESS_ALLOW_NOAUTH,
		.dsn = conf->smtp_dsn,
		.lmtp = lmtp,
	};
}

static void
take_conf(struct smtp_session *smtp)
{
	if (!session_take_conf(&smtp->session))
		return;
	smtp->hostname = host_name_at(smtp->session.conf, smtp->session.stream.io.fd,
		&smtp->session.arena);
	smtp->machine.config = machine_config(smtp);
}

/* ---- who it is ---- */

/* SMT-09 */
static bool
is_refused_helo(struct smtp_session *smtp)
{
	struct span text = smtp->session.conf->smtp_refuse_helo;

	if (text.len == 0 || smtp_is_lmtp(&smtp->session) || span_find_span_nocase(smtp->helo, text) == smtp->helo.len)
		return false;
	session_log(&smtp->session, LEVEL_INFO, .text = "refused",
		.fields = { { "reason", SPAN("smtp.refuse_helo"), 0 }, { "helo", smtp->helo, 0 } });
	return true;
}

static void
on_hello(struct smtp_session *smtp, const struct smtp_command *command)
{
	struct span helo = span_range(command->argument, 0, sizeof(smtp->helo_text));

	if (helo.len > 0)
		memcpy(smtp->helo_text, helo.ptr, helo.len);
	smtp->helo = (struct span){ smtp->helo_text, helo.len };
	smtp_answer(smtp, is_refused_helo(smtp)
			? SMTP_REPLY(421, "4.7.1", "Access denied") /* it closes */
			: smtp_reply_for(OK));
}

/* The end of a try. NAME lives in the session arena, or is empty. */
static void
answer_login(struct smtp_session *smtp, enum err result, uint64_t user_id, struct span name)
{
	struct session *s = &smtp->session;

	if (result == OK)
		result = session_take_user(s, user_id, name);
	if (result == OK) {
		smtp->user_id = user_id;
		smtp->may_send = true;
		smtp->user = name;
		smtp_answer(smtp, SMTP_REPLY(235, "2.7.0", "Logged in"));
	} else if (result == ERR_DENIED) {
		smtp_answer(smtp, SMTP_REPLY(535, "5.7.8", "Wrong name or password"));
	} else if (result == ERR_LIMIT) { /* it closes */
		smtp_answer(smtp, SMTP_REPLY(421, "4.7.0", "Too many sessions of this user"));
	} else {
		smtp_answer(smtp, SMTP_REPLY(454, "4.7.0", "Cannot check that now"));
	}
}

static void
on_login(struct session *s, enum err result, uint64_t user_id, struct span name)
{
	struct smtp_session *smtp = smtp_of(s);
	struct span signature = login_signature(smtp->login);

	smtp->login = NULL;
	if (session_is_closing(s))
		return;
	if (result == OK)
		name = arena_copy(&s->arena, name);
	if (result == OK && signature.len > 0) { /* he is in when he has seen it */
		smtp->proven = (struct login_proven){ user_id, name };
		smtp_answer(smtp, smtp_server_signature(&smtp->machine, signature));
	} else {
		answer_login(smtp, result, user_id, name);
	}
	session_resume(s);
}

static void
on_auth_keys(struct smtp_session *smtp, struct span name)
{
	struct scram_key key;

	login_keys(&smtp->session, name, &key);
	smtp_answer(smtp,
		smtp_server_keys(&smtp->machine, (struct span){ key.salt, sizeof(key.salt) },
			key.iterations));
	explicit_bzero(&key, sizeof(key));
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

	smtp_answer(smtp, SMTP_REPLY(220, "2.0.0", "Begin TLS now"));
	smtp_end_transaction(smtp);
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
		smtp_answer(smtp, SMTP_REPLY(502, "5.5.1", "Not offered here"));
	else
		smtp_answer(smtp, SMTP_REPLY(252, "2.0.0", "Send some mail, I will try"));
}

static void
on_event(struct smtp_session *smtp, struct smtp_event *ev)
{
	switch (ev->kind) {
	case SMTP_CONNECT:
		smtp_on_connect(smtp);
		break;
	case SMTP_HELLO:
		on_hello(smtp, &ev->command);
		break;
	case SMTP_MAIL:
		smtp_on_mail(smtp, &ev->command);
		break;
	case SMTP_RCPT:
		smtp_on_rcpt(smtp, &ev->command);
		break;
	case SMTP_DATA:
		smtp_on_data(smtp);
		break;
	case SMTP_MESSAGE_END:
		smtp_on_message_end(smtp);
		break;
	case SMTP_MESSAGE_REFUSED:
		smtp_on_message_refused(smtp, ev->reply);
		break;
	case SMTP_RESET:
		smtp_end_transaction(smtp);
		break;
	case SMTP_AUTH:
		on_auth(smtp, &ev->login);
		break;
	case SMTP_AUTH_KEYS:
		on_auth_keys(smtp, ev->login.name);
		break;
	case SMTP_AUTH_CONFIRMED:
		answer_login(smtp, OK, smtp->proven.user_id, smtp->proven.name);
		break;
	case SMTP_VRFY:
		on_vrfy(smtp, &ev->command);
		break;
	case SMTP_QUIT:
		smtp_answer(smtp, SMTP_REPLY(221, "2.0.0", "Goodbye"));
		break;
	case SMTP_SETTLED:
		smtp_answer(smtp, ev->reply);
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

/* One event. False: nothing more to do until something comes. */
static bool
step(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;
	struct span in = stream_peek(&s->stream);
	struct smtp_event ev = { 0 };
	bool was_auth = smtp->machine.state == SMTP_STATE_AUTH;
	bool was_data = smtp->machine.state == SMTP_STATE_DATA;
	size_t used;

	if (smtp->machine.nonce.len == 0)
		login_nonce(s->host, &smtp->machine.nonce);
	used = smtp_server_next(&smtp->machine, in, &ev);

	if (!was_data) /* a message is no conversation */
		protocol_log_peer(s, span_range(in, 0, used), was_auth);
	if (ev.kind == SMTP_TEXT) {
		if (!smtp_on_text(smtp, in, ev.text, used))
			return false;
	} else if (ev.kind == SMTP_STARTTLS) {
		stream_consume(&s->stream, used); /* before anybody asks whether more was sent (H3) */
		on_starttls(smtp);
		return false;
	} else if (ev.kind != SMTP_NEED_BYTES && ev.kind != SMTP_NEED_REPLY) {
		on_event(smtp, &ev);
	}
	if (ev.kind == SMTP_TEXT)
		stream_consume(&s->stream, used);
	else /* a mistyped AUTH is none, and yet holds a password (H66) */
		stream_consume_secret(&s->stream, used);
	if (ev.kind == SMTP_NEED_BYTES && used == 0)
		return false;
	return ev.kind != SMTP_NEED_REPLY && !s->waits && !session_is_closing(s);
}

static void
smtp_input(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);

	if (!smtp->intake) /* a transaction ends under the rules it began with */
		take_conf(smtp);
	if (smtp->holds_text && !smtp_retry_text(smtp))
		return;
	while (!stream_is_full(&s->stream) && step(smtp))
		continue;
	if (session_is_closing(s) || s->waits)
		return;
	if (smtp->machine.state == SMTP_STATE_DATA)
		smtp_await_text(smtp);
	if (stream_at_eof(&s->stream))
		session_close(s, CLOSE_PEER);
}

static void
smtp_open(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);
	struct smtp_server_config config;

	smtp->hostname = host_name_at(s->conf, s->stream.io.fd, &s->arena);
	config = machine_config(smtp);
	smtp_server_init(&smtp->machine, &config, &s->command, stream_is_secure(&s->stream));
	if (s->service->login_first)
		session_set_deadline(s, s->conf->timeouts_before_login_ms, CLOSE_LOGIN_TIME);
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
	smtp->may_send = false;
	smtp->user = SPAN_NONE;
	session_set_user(s, 0, SPAN_NONE);
	await_command(smtp);
}

static void
smtp_close(struct session *s)
{
	struct smtp_session *smtp = smtp_of(s);

	login_cancel(&smtp->login);
	smtp_end_transaction(smtp);
	smtp_server_fini(&smtp->machine);
}

/* clang-format off */
#define SMTP_CLASS(log_name) {                                                                     \
	.name = (log_name),                                                                        \
	.size = sizeof(struct smtp_session),                                                       \
	.open = smtp_open,                                                                         \
	.input = smtp_input,                                                                       \
	.secured = smtp_secured,                                                                   \
	.close = smtp_close,                                                                       \
	.busy_text = LAST_WORDS("421 4.7.0 Too many connections\r\n"),                             \
	/* 421, for after 554 RFC 5321, 3.1 would have us wait for a QUIT (ACC-08) */              \
	.refused_text = LAST_WORDS("421 4.7.1 Access denied\r\n"),                                 \
	.timeout_text = LAST_WORDS("421 4.4.2 Too slow\r\n"),                                      \
	.shutdown_text = LAST_WORDS("421 4.3.2 Service is shutting down\r\n"),                     \
}
/* clang-format on */

const struct session_class smtp_session_class = SMTP_CLASS("smtp");
const struct session_class lmtp_session_class = SMTP_CLASS("lmtp");
