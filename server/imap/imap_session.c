/*
 * imap_session.c - feeds the IMAP machine: from the greeting to LOGOUT (RFC 9051, 3).
 *
 *     input -> imap_server_next -> event -+-> login, APPEND, IDLE: answered here or beside
 *                                         \-> a command: imap_dispatch.c
 */
#include "server/imap/imap_session.h"

#include "conf/conf.h"
#include "server/imap/imap_sync.h"
#include "server/services.h"
#include "server/session/login_proof.h"
#include "server/session/protocol_log.h"

#define LAST_WORDS(lit) { (lit), sizeof(lit) - 1 }

void
imap_answer(struct imap_session *imap, struct imap_reply reply)
{
	struct session *s = &imap->session;
	size_t mark = protocol_log_mark(s);

	imap_server_answer(&imap->machine, reply, stream_out(&s->stream));
	protocol_log_own(s, mark, reply.status == IMAP_STATUS_GO_ON);
	imap_sync_drop(imap); /* of an IDLE that a malformed line ended */
	arena_reset(&s->command);
	if (imap->user_id && !session_is_closing(s))
		session_set_deadline(s, s->conf->timeouts_imap_ms, CLOSE_IDLE); /* H20 */
	session_set_doing(s, "");
}

static enum close_reason
close_reason_of(enum imap_close why)
{
	static const enum close_reason reasons[] = {
		[IMAP_CLOSE_NONE] = CLOSE_PEER,
		[IMAP_CLOSE_LOGOUT] = CLOSE_QUIT,
		[IMAP_CLOSE_REFUSED] = CLOSE_REFUSED,
		[IMAP_CLOSE_BAD_LINE] = CLOSE_BAD_INPUT,
		[IMAP_CLOSE_TOO_LARGE] = CLOSE_BAD_INPUT,
		[IMAP_CLOSE_EARLY_BYTES] = CLOSE_OUT_OF_TURN,
		[IMAP_CLOSE_BAD_COMMANDS] = CLOSE_TOO_MANY_ERRORS,
		[IMAP_CLOSE_AUTH_FAILURES] = CLOSE_LOGIN_FAILED,
		[IMAP_CLOSE_OUTPUT] = CLOSE_STUCK,
	};

	return reasons[why];
}

/* ---- events ---- */

static void
on_event(struct imap_session *imap, struct imap_event *ev)
{
	switch (ev->kind) {
	case IMAP_CONNECT:
		imap_on_connect(imap);
		break;
	case IMAP_LOGIN:
		imap_on_credentials(imap, &ev->login);
		break;
	case IMAP_KEYS:
		imap_on_keys(imap, ev->login.name);
		break;
	case IMAP_CONFIRMED:
		imap_on_confirmed(imap);
		break;
	case IMAP_COMMAND:
		imap_dispatch(imap, ev);
		break;
	case IMAP_APPEND_BEGIN:
	case IMAP_APPEND_TEXT:
	case IMAP_APPEND_NEXT:
	case IMAP_APPEND_END:
	case IMAP_APPEND_ABORT:
		imap_on_append(imap, ev);
		break;
	case IMAP_IDLE_DONE:
		imap_dispatch_idle_done(imap, ev->reply);
		break;
	case IMAP_SETTLED:
		imap_answer(imap, ev->reply);
		break;
	case IMAP_CLOSE:
		session_close(&imap->session, close_reason_of(ev->why));
		break;
	case IMAP_STARTTLS:
	case IMAP_NEED_BYTES:
	case IMAP_NEED_REPLY:
		break;
	}
}

/* What came, for the log: commands without their secrets (H66); what is no command may be one. */
static void
log_event(struct imap_session *imap, const struct imap_event *ev)
{
	struct session *s = &imap->session;
	struct span args = ev->args.rest;

	if (!protocol_log_is_on(s))
		return;
	if (ev->kind == IMAP_LOGIN || ev->kind == IMAP_KEYS || ev->kind == IMAP_CONFIRMED ||
		ev->kind == IMAP_SETTLED)
		protocol_log_line(s, true, SPAN("***"));
	else if (ev->kind == IMAP_COMMAND && !imap_command_find(ev->name, ev->uid))
		protocol_log_line(s, true, SPAN("***"));
	else if (ev->kind == IMAP_COMMAND)
		protocol_log_line(s, true,
			arena_printf(&s->command, "%.*s%s %.*s%.*s", SPAN_FMT(ev->tag),
				ev->uid ? " UID" : "", SPAN_FMT(ev->name), SPAN_FMT(args)));
	else if (ev->kind == IMAP_APPEND_BEGIN)
		protocol_log_line(s, true,
			arena_printf(&s->command, "%.*s APPEND %.*s {%llu}", SPAN_FMT(ev->tag),
				SPAN_FMT(ev->append.mailbox),
				(unsigned long long)ev->append.size));
}

static void
on_starttls(struct imap_session *imap)
{
	imap_answer(imap, IMAP_OK("Begin TLS now"));
	if (session_start_tls(&imap->session) != OK)
		session_close(&imap->session, CLOSE_INJECTED);
}

/* One event. False: nothing more to do until something comes. */
static bool
step(struct imap_session *imap)
{
	struct session *s = &imap->session;
	struct imap_event ev = { 0 };
	size_t used;

	if (imap->machine.nonce.len == 0 && imap->user_id == 0)
		login_nonce(s->host, &imap->machine.nonce);
	used = imap_server_next(&imap->machine, stream_peek(&s->stream), &ev);
	log_event(imap, &ev);
	if (ev.kind == IMAP_STARTTLS) {
		stream_consume(&s->stream, used); /* before anybody asks whether more was sent (H3) */
		on_starttls(imap);
		return false;
	}
	if (ev.kind != IMAP_NEED_BYTES && ev.kind != IMAP_NEED_REPLY)
		on_event(imap, &ev);
	stream_consume_secret(&s->stream, used); /* a mistyped LOGIN is none, and holds a password (H66) */
	if (ev.kind == IMAP_NEED_BYTES && used == 0)
		return false;
	return ev.kind != IMAP_NEED_REPLY && !imap->run && !s->waits && !session_is_closing(s);
}

static void
imap_input(struct session *s)
{
	struct imap_session *imap = imap_of(s);
	int64_t began_us = imap_now_us();

	if (imap->run || imap->sync)
		imap_go_on(imap);
	if (imap->run || s->waits)
		return;
	if (session_take_conf(s))
		imap->machine.config = imap_machine_config(imap);
	while (!session_is_closing(s) && !stream_is_full(&s->stream) && step(imap))
		if (imap_turn_is_over(imap, began_us))
			return;
	if (!session_is_closing(s) && !s->waits && !imap->run && stream_at_eof(&s->stream))
		session_close(s, CLOSE_PEER);
}

static void
imap_open(struct session *s)
{
	struct imap_session *imap = imap_of(s);
	struct imap_server_config config = imap_machine_config(imap);

	imap_server_init(&imap->machine, &config, stream_is_secure(&s->stream));
	session_set_deadline(s, s->conf->timeouts_before_login_ms, CLOSE_LOGIN_TIME); /* H20 */
	imap_input(s);
}

static void
imap_secured(struct session *s)
{
	struct imap_session *imap = imap_of(s);

	imap_server_tls_started(&imap->machine);
	imap->machine.config = imap_machine_config(imap);
}

static void
machine_fini(void *arg)
{
	imap_server_fini(arg);
}

/* The arguments of a command go when the arena does: jobs and work may still read them (H77). */
static void
imap_close(struct session *s)
{
	struct imap_session *imap = imap_of(s);

	login_cancel(&imap->login);
	imap_unselect(imap);
	imap_append_drop(imap);
	arena_on_reset(&s->command, machine_fini, &imap->machine);
}

const struct session_class imap_session_class = {
	.name = "imap",
	.size = sizeof(struct imap_session),
	.open = imap_open,
	.input = imap_input,
	.secured = imap_secured,
	.close = imap_close,
	.busy_text = LAST_WORDS("* BYE [UNAVAILABLE] Too many connections\r\n"),
	.refused_text = LAST_WORDS("* BYE Access denied\r\n"),
	.timeout_text = LAST_WORDS("* BYE Too long without a command\r\n"),
	.shutdown_text = LAST_WORDS("* BYE [UNAVAILABLE] Service is shutting down\r\n"),
};
