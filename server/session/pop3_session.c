/*
 * pop3_session.c - feeds the POP3 machine: from the greeting to QUIT.
 *
 *     input -> pop3_server_next -> event -> answer
 *                                       \-> a long answer, in as many turns as the peer needs
 *
 * What is read from the maildrop is in pop3_answers.c.
 */
#include "server/session/pop3_session.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "server/queue/collected.h"
#include "server/services.h"
#include "server/session/login_proof.h"
#include "server/session/pop3_inside.h"
#include "server/session/protocol_log.h"
#include "store/bin.h"
#include "store/commit.h"
#include "store/messages.h"

#define POP3_BAD_COMMANDS_MAX 20 /* then -ERR and the end */
#define LAST_WORDS(lit) { (lit), sizeof(lit) - 1 }

/* The deletions of a session, at QUIT. */
struct pop3_update {
	struct store_job job;
	struct pop3_session *pop3;
	uint64_t user_id, folder_id;
	size_t count;
	uint32_t uids[];
};

void
pop3_answer(struct pop3_session *pop3, struct pop3_reply reply)
{
	struct session *s = &pop3->session;
	size_t mark = protocol_log_mark(s);

	pop3_server_answer(&pop3->machine, reply, stream_out(&s->stream));
	protocol_log_own(s, mark, reply.challenge);
	arena_reset(&s->command);
	if (pop3->machine.state == POP3_STATE_TRANSACTION)
		session_set_deadline(s, s->conf->timeouts_pop3_ms, CLOSE_IDLE);
}

/* ---- the beginning ---- */

/* POP-02: no password may be sent, unless TLS is good enough. */
static unsigned
mechanisms_of(const struct session *s)
{
	unsigned all = login_mechanisms(s->conf);

	if (s->conf->pop3_require_apop && !(s->conf->pop3_tls_satisfies && session_is_secure(s)))
		return all & ~SASL_SEND_PASSWORD;
	return all;
}

static struct pop3_server_config
machine_config(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;

	return (struct pop3_server_config){
		.command_line = (size_t)s->conf->limits_command_line,
		.bad_commands = POP3_BAD_COMMANDS_MAX,
		.auth_failures = (unsigned)s->conf->limits_auth_failures,
		.stls = session_can_tls(s),
		.mechanisms = mechanisms_of(s),
		.login_in_clear = peer_is_loopback(&s->peer), /* H67 */
		.hostname = pop3->hostname,
		.timestamp = pop3->timestamp,
		.implementation = s->conf->privacy_anonymise ? SPAN_NONE : SPAN("Postroom"),
	};
}

/* RFC 1939, 7: what APOP proves to have seen. Only where somebody could use it (H64). */
static void
make_timestamp(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;
	struct sasl_nonce nonce;

	pop3->hostname = host_name_at(s->conf, s->stream.io.fd, &s->arena);
	if (!s->conf->auth_recoverable)
		return;
	login_nonce(s->host, &nonce);
	pop3->timestamp = arena_printf(&s->arena, "<%.*s@%.*s>", (int)nonce.len, nonce.text,
		SPAN_FMT(span_range(pop3->hostname, 0, 255)));
}

static void
on_connect(struct pop3_session *pop3)
{
	const char *name = pop3->session.conf->privacy_anonymise ? "Ready" : "Postroom"; /* SVC-05 */

	pop3_answer(pop3, (struct pop3_reply){ .ok = true,
				  .text = arena_printf(&pop3->session.command, "%s%s%.*s", name,
					  pop3->timestamp.len > 0 ? " " : "",
					  SPAN_FMT(pop3->timestamp)) });
}

/* ERR_EXISTS: another session has it. */
static enum err
open_drop(struct pop3_session *pop3, uint64_t user_id)
{
	struct session *s = &pop3->session;
	struct snapshot *snap;
	enum err err = shared_pop3_lock(s->host->shared, user_id);

	if (err != OK)
		return ERR_EXISTS;
	pop3->drop.user_id = user_id;
	pop3->locked = true;
	snap = host_snapshot(s->host);
	return snap ? pop3_drop_open(&pop3->drop, snap, user_id) : ERR_IO;
}

static void
close_drop(struct pop3_session *pop3)
{
	uint64_t user_id = pop3->drop.user_id;

	pop3_drop_fini(&pop3->drop);
	if (pop3->came)
		shared_pop3_left(pop3->session.host->shared, &pop3->session.peer,
			loop_now_ms(pop3->session.host->loop));
	pop3->came = false;
	if (pop3->locked)
		shared_pop3_unlock(pop3->session.host->shared, user_id);
	pop3->locked = false;
}

/* ERR_LIMIT: he has as many sessions as he may. */
static enum err
enter_drop(struct pop3_session *pop3, uint64_t user_id, struct span name)
{
	enum err err = session_take_user(&pop3->session, user_id, name);

	if (err != OK)
		return err;
	err = open_drop(pop3, user_id);
	if (err != OK)
		session_set_user(&pop3->session, 0, SPAN_NONE);
	return err == ERR_LIMIT ? ERR_IO : err;
}

void
pop3_welcome(struct pop3_session *pop3)
{
	pop3_answer(pop3,
		(struct pop3_reply){ .ok = true,
			.text = arena_printf(&pop3->session.command, "%zu messages, %llu octets",
				pop3->drop.count, (unsigned long long)pop3->drop.bytes) });
}

/* The end of a try. Of a good one the answer may follow when the session is resumed. */
static void
answer_login(struct pop3_session *pop3, enum err result, uint64_t user_id, struct span name)
{
	struct session *s = &pop3->session;

	if (result == OK)
		result = enter_drop(pop3, user_id, name);
	if (result == OK) {
		s->ends_mutely = true; /* RFC 1939, 3: no word to one who is silent */
		pop3->came = true;
		shared_pop3_came(s->host->shared, &s->peer, user_id); /* SMT-05, POP-06 */
		if (!s->conf->pop3_trim_blank_lines || pop3->drop.count == 0 || !pop3_trim(pop3))
			pop3_welcome(pop3);
	} else if (result == ERR_DENIED) {
		pop3_answer(pop3, POP3_ERR("AUTH", "Wrong name or password")); /* RFC 3206, 4 */
	} else if (result == ERR_EXISTS) { /* RFC 2449, 8.1.2: the login itself was right */
		pop3_answer(pop3, POP3_ERR("IN-USE", "The mailbox is in use by another session"));
	} else if (result == ERR_LIMIT) {
		pop3_answer(pop3, POP3_ERR("SYS/TEMP", "Too many sessions of this user"));
	} else {
		pop3->drop.user_id = user_id; /* whose lock it is */
		close_drop(pop3);
		pop3_answer(pop3, POP3_ERR("SYS/TEMP", "Not now, please try again"));
	}
}

static void
on_login(struct session *s, enum err result, uint64_t user_id, struct span name)
{
	struct pop3_session *pop3 = pop3_of(s);
	struct span signature = login_signature(pop3->login);

	pop3->login = NULL;
	if (session_is_closing(s))
		return;
	if (result == OK && signature.len > 0) { /* he is in when he has seen it */
		pop3->proven = (struct login_proven){ user_id, arena_copy(&s->arena, name) };
		pop3_answer(pop3, pop3_server_signature(&pop3->machine, signature));
	} else {
		answer_login(pop3, result, user_id, name);
	}
	if (!pop3->trimming)
		session_resume(s);
}

static void
on_keys(struct pop3_session *pop3, struct span name)
{
	struct scram_key key;

	login_keys(&pop3->session, name, &key);
	pop3_answer(pop3,
		pop3_server_keys(&pop3->machine, (struct span){ key.salt, sizeof(key.salt) },
			key.iterations));
	explicit_bzero(&key, sizeof(key));
}

static void
on_credentials(struct pop3_session *pop3, const struct sasl_login *credentials)
{
	session_set_doing(&pop3->session, "AUTH");
	session_wait(&pop3->session);
	pop3->login = login_begin(&pop3->session, USER_POP3, credentials, on_login);
}

/* ---- QUIT ---- */

static enum step
update_apply(struct store_job *job, struct txn *txn)
{
	struct pop3_update *update = LIST_ITEM(job, struct pop3_update, job);
	struct uid_list list = { update->uids, update->count };
	struct folder folder;
	struct bin_result result;
	enum err err = folder_get(txn_view(txn), update->user_id, update->folder_id, &folder);

	if (err == ERR_NOT_FOUND)
		return STEP_DONE; /* the folder is gone, and all in it */
	if (err == OK)
		err = bin_take(txn, &folder, list, 0, &result); /* RCY-01 */
	return step_of(job, err);
}

static void
update_done(struct store_job *job, enum err result)
{
	struct pop3_update *update = LIST_ITEM(job, struct pop3_update, job);
	struct pop3_session *pop3 = update->pop3;

	free(update);
	if (!session_is_closing(&pop3->session)) {
		close_drop(pop3); /* before the goodbye, so that the next login finds it free */
		pop3_answer(pop3, result == OK ? POP3_OK("Goodbye")
					  : POP3_ERR("SYS/TEMP", "Nothing was deleted"));
		session_resume(&pop3->session);
	}
	session_release(&pop3->session);
}

static struct pop3_update *
update_new(struct pop3_session *pop3)
{
	const struct pop3_drop *drop = &pop3->drop;
	struct pop3_update *update =
		calloc(1, sizeof(*update) + drop->deleted * sizeof(update->uids[0]));

	ENSURE(update);
	update->pop3 = pop3;
	update->user_id = drop->user_id;
	update->folder_id = drop->folder_id;
	for (size_t i = 0; i < drop->count; i++)
		if (drop->messages[i].deleted)
			update->uids[update->count++] = drop->messages[i].uid;
	update->job = (struct store_job){ .apply = update_apply, .done = update_done,
		.inbox = pop3->session.host->inbox, .size_bytes = 64 * update->count };
	return update;
}

/* HDR-05: who says QUIT has what was sent to him; who breaks off collects it again. */
static void
tell_collected(struct pop3_session *pop3)
{
	const struct pop3_drop *drop = &pop3->drop;
	uint64_t *copy_ids;
	size_t count = 0;

	if (drop->collected == 0)
		return;
	copy_ids = calloc(drop->collected, sizeof(*copy_ids));
	ENSURE(copy_ids);
	for (size_t i = 0; i < drop->count; i++)
		if (drop->messages[i].collected)
			copy_ids[count++] = drop->messages[i].copy_id;
	collected_submit(pop3->session.host, drop->user_id, copy_ids, count);
	free(copy_ids);
}

/* H28: all of it in one commit, and +OK only when that is on disk. */
static void
on_update(struct pop3_session *pop3)
{
	struct pop3_update *update;

	tell_collected(pop3);
	if (pop3->drop.deleted == 0) {
		close_drop(pop3);
		pop3_answer(pop3, POP3_OK("Goodbye"));
		return;
	}
	update = update_new(pop3);
	if (store_submit(pop3->session.host->store, &update->job) != OK) {
		free(update);
		close_drop(pop3);
		pop3_answer(pop3, POP3_ERR("SYS/TEMP", "Nothing was deleted"));
		return;
	}
	session_hold(&pop3->session);
	session_wait(&pop3->session);
}

/* ---- events ---- */

static enum close_reason
close_reason_of(enum pop3_close why)
{
	static const enum close_reason reasons[] = {
		[POP3_CLOSE_NONE] = CLOSE_PEER,
		[POP3_CLOSE_QUIT] = CLOSE_QUIT,
		[POP3_CLOSE_REFUSED] = CLOSE_REFUSED,
		[POP3_CLOSE_BAD_LINE] = CLOSE_BAD_INPUT,
		[POP3_CLOSE_EARLY_BYTES] = CLOSE_OUT_OF_TURN,
		[POP3_CLOSE_BAD_COMMANDS] = CLOSE_TOO_MANY_ERRORS,
		[POP3_CLOSE_AUTH_FAILURES] = CLOSE_LOGIN_FAILED,
		[POP3_CLOSE_OUTPUT] = CLOSE_STUCK,
	};

	return reasons[why];
}

static void
on_event(struct pop3_session *pop3, struct pop3_event *ev)
{
	switch (ev->kind) {
	case POP3_CONNECT:
		on_connect(pop3);
		break;
	case POP3_LOGIN:
		on_credentials(pop3, &ev->login);
		break;
	case POP3_KEYS:
		on_keys(pop3, ev->login.name);
		break;
	case POP3_CONFIRMED:
		answer_login(pop3, OK, pop3->proven.user_id, pop3->proven.name);
		break;
	case POP3_STAT:
		pop3_on_stat(pop3);
		break;
	case POP3_LIST:
		pop3_on_list(pop3, SENDING_LIST, ev->command.number);
		break;
	case POP3_UIDL:
		pop3_on_list(pop3, SENDING_UIDL, ev->command.number);
		break;
	case POP3_RETR:
		pop3_on_retr(pop3, &ev->command, false);
		break;
	case POP3_TOP:
		pop3_on_retr(pop3, &ev->command, true);
		break;
	case POP3_DELE:
		pop3_on_dele(pop3, ev->command.number);
		break;
	case POP3_RSET:
		pop3_drop_reset(&pop3->drop);
		pop3_answer(pop3, POP3_OK("Nothing is marked"));
		break;
	case POP3_UPDATE:
		on_update(pop3);
		break;
	case POP3_SETTLED:
		pop3_answer(pop3, ev->reply);
		break;
	case POP3_CLOSE:
		session_close(&pop3->session, close_reason_of(ev->why));
		break;
	case POP3_STLS:
	case POP3_NEED_BYTES:
	case POP3_NEED_REPLY:
		break;
	}
}

static void
on_stls(struct pop3_session *pop3)
{
	pop3_answer(pop3, POP3_OK("Begin TLS now"));
	if (session_start_tls(&pop3->session) != OK)
		session_close(&pop3->session, CLOSE_INJECTED);
}

/* One event. False: nothing more to do until something comes. */
static bool
step(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;
	struct pop3_event ev = { 0 };
	bool was_auth = pop3->machine.state == POP3_STATE_AUTH;
	size_t used;

	if (pop3->machine.nonce.len == 0)
		login_nonce(s->host, &pop3->machine.nonce);
	used = pop3_server_next(&pop3->machine, stream_peek(&s->stream), &ev);

	protocol_log_peer(s, span_range(stream_peek(&s->stream), 0, used), was_auth);
	if (ev.kind == POP3_STLS) {
		stream_consume(&s->stream, used); /* before anybody asks whether more was sent (H3) */
		on_stls(pop3);
		return false;
	}
	if (ev.kind != POP3_NEED_BYTES && ev.kind != POP3_NEED_REPLY)
		on_event(pop3, &ev);
	stream_consume_secret(&s->stream, used); /* a mistyped PASS is none, and yet holds a password (H66) */
	if (pop3->sending != SENDING_NOTHING)
		pop3_go_on_sending(pop3);
	if (ev.kind == POP3_NEED_BYTES && used == 0)
		return false;
	return ev.kind != POP3_NEED_REPLY && pop3->sending == SENDING_NOTHING && !s->waits &&
		!session_is_closing(s);
}

static void
pop3_input(struct session *s)
{
	struct pop3_session *pop3 = pop3_of(s);

	if (session_take_conf(s))
		pop3->machine.config = machine_config(pop3);
	if (pop3->sending != SENDING_NOTHING)
		pop3_go_on_sending(pop3);
	if (pop3->sending != SENDING_NOTHING)
		return;
	while (!session_is_closing(s) && !stream_is_full(&s->stream) && step(pop3))
		continue;
	if (!session_is_closing(s) && !s->waits && pop3->sending == SENDING_NOTHING &&
		stream_at_eof(&s->stream))
		session_close(s, CLOSE_PEER);
}

static void
pop3_open(struct session *s)
{
	struct pop3_session *pop3 = pop3_of(s);
	struct pop3_server_config config;

	make_timestamp(pop3);
	config = machine_config(pop3);
	pop3_server_init(&pop3->machine, &config, stream_is_secure(&s->stream));
	session_set_deadline(s, s->conf->timeouts_before_login_ms, CLOSE_LOGIN_TIME); /* H20 */
	pop3_input(s);
}

static void
pop3_secured(struct session *s)
{
	struct pop3_session *pop3 = pop3_of(s);

	pop3_server_tls_started(&pop3->machine);
	pop3->machine.config = machine_config(pop3);
}

static void
pop3_close(struct session *s)
{
	struct pop3_session *pop3 = pop3_of(s);

	login_cancel(&pop3->login);
	if (pop3->sending != SENDING_NOTHING)
		pop3_stop_sending(pop3);
	close_drop(pop3);
	pop3_server_fini(&pop3->machine);
}

const struct session_class pop3_session_class = {
	.name = "pop3",
	.size = sizeof(struct pop3_session),
	.open = pop3_open,
	.input = pop3_input,
	.secured = pop3_secured,
	.close = pop3_close,
	.busy_text = LAST_WORDS("-ERR [SYS/TEMP] Too many connections\r\n"),
	.refused_text = LAST_WORDS("-ERR Access denied\r\n"),
	.timeout_text = LAST_WORDS("-ERR [SYS/TEMP] Too slow\r\n"),
	.shutdown_text = LAST_WORDS("-ERR [SYS/TEMP] Service is shutting down\r\n"),
};
