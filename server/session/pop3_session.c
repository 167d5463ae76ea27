/*
 * pop3_session.c - feeds the POP3 machine, reads the maildrop, streams messages.
 *
 *     input -> pop3_server_next -> event -> answer
 *                                       \-> a long answer, in as many turns as the peer needs
 *
 * A long answer keeps a place, not a snapshot: each turn looks the message up again, and a pin keeps
 * its body from being freed meanwhile (house, section 6, Q3).
 */
#include "server/session/pop3_session.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "proto/pop3/pop3_server.h"
#include "proto/smtp/smtp_data.h"
#include "server/pipeline/pipeline.h"
#include "server/queue/refusals.h"
#include "server/services.h"
#include "server/session/login.h"
#include "server/session/pop3_drop.h"
#include "store/bodies.h"
#include "store/graves.h"
#include "store/messages.h"

#define POP3_BAD_COMMANDS_MAX 20 /* then -ERR and the end */
#define LAST_WORDS(lit) { (lit), sizeof(lit) - 1 }

/* What a long answer is sending. */
enum pop3_sending { SENDING_NOTHING, SENDING_LIST, SENDING_UIDL, SENDING_BODY };

struct pop3_session {
	struct session session; /* first */
	struct pop3_server machine;
	struct login *login;
	struct pop3_drop drop;
	bool locked; /* the user's POP3 lock is ours (POP-05) */
	enum pop3_sending sending;
	size_t next; /* SENDING_LIST, SENDING_UIDL: index of the next message */
	uint64_t body_id, offset; /* SENDING_BODY: pinned */
	bool is_top;
	uint64_t lines; /* TOP: of the body still to be sent */
	struct smtp_stuffing stuffing;
};

/* The deletions of a session, at QUIT. */
struct pop3_update {
	struct store_job job;
	struct pop3_session *pop3;
	uint64_t user_id, folder_id;
	size_t count;
	uint32_t uids[];
};

static struct pop3_session *
pop3_of(struct session *s)
{
	return LIST_ITEM(s, struct pop3_session, session);
}

static void
answer(struct pop3_session *pop3, struct pop3_reply reply)
{
	struct session *s = &pop3->session;

	pop3_server_answer(&pop3->machine, reply, stream_out(&s->stream));
	arena_reset(&s->command);
	if (pop3->machine.state == POP3_STATE_TRANSACTION)
		session_set_deadline(s, s->conf->timeouts_pop3_ms, CLOSE_IDLE);
}

static void
answer_text(struct pop3_session *pop3, bool more, struct span text)
{
	answer(pop3, (struct pop3_reply){ .ok = true, .text = text, .more = more });
}

static void
answer_no_message(struct pop3_session *pop3)
{
	answer(pop3, POP3_ERR(NULL, "No such message"));
}

/* ---- the beginning ---- */

static struct pop3_server_config
machine_config(struct session *s)
{
	return (struct pop3_server_config){
		.command_line = (size_t)s->conf->limits_command_line,
		.bad_commands = POP3_BAD_COMMANDS_MAX,
		.stls = session_can_tls(s),
		.login_in_clear = peer_is_loopback(&s->peer), /* H67 */
		.implementation = SPAN("Postroom"),
	};
}

static struct access_list
access_of(const struct session *s)
{
	const struct conf_service *service =
		conf_service(s->conf, (enum service_name)s->service->number);

	return service ? service->access : (struct access_list){ 0 };
}

/* ACC-08: a refused client gets no greeting. */
static void
on_connect(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;
	struct mail *mail = ARENA_NEW(&s->command, struct mail);
	struct plan *plan = ARENA_NEW(&s->command, struct plan);
	struct pipeline_ask ask = { .conf = s->conf, .mail = mail };

	mail->arena = &s->command;
	mail->via = MAIL_VIA_POP3;
	mail->service = s->service->name;
	mail->access = access_of(s);
	mail->session = span_of(s->name);
	mail->peer = s->peer;
	plan_init(plan, &s->command);
	if (pipeline_run(&ask, AT_CONNECT, plan) == STAGE_NEXT) {
		answer(pop3, POP3_OK("Postroom"));
		return;
	}
	refusals_note(s->host, mail, plan, SPAN_NONE);
	answer(pop3, POP3_ERR(NULL, "Access denied"));
}

static enum err
open_drop(struct pop3_session *pop3, uint64_t user_id)
{
	struct session *s = &pop3->session;
	struct snapshot *snap;
	enum err err = shared_pop3_lock(s->host->shared, user_id);

	if (err != OK)
		return ERR_BUSY;
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
	if (pop3->locked)
		shared_pop3_unlock(pop3->session.host->shared, user_id);
	pop3->locked = false;
}

static void
on_login(struct session *s, enum err result, uint64_t user_id, struct span name)
{
	struct pop3_session *pop3 = pop3_of(s);

	pop3->login = NULL;
	if (result == OK)
		result = open_drop(pop3, user_id);
	if (result == OK) {
		session_set_user(s, user_id, name);
		answer_text(pop3, false, arena_printf(&s->command, "%zu messages, %llu octets",
			pop3->drop.count, (unsigned long long)pop3->drop.bytes));
	} else if (result == ERR_DENIED) {
		answer(pop3, POP3_ERR("AUTH", "Wrong name or password")); /* RFC 3206, 4 */
	} else if (result == ERR_BUSY && !pop3->locked && pop3->drop.user_id == 0) {
		answer(pop3, POP3_ERR("IN-USE", "The mailbox is in use by another session"));
	} else {
		pop3->drop.user_id = user_id;
		close_drop(pop3);
		answer(pop3, POP3_ERR("SYS/TEMP", "Not now, please try again"));
	}
	session_resume(s);
}

static void
on_credentials(struct pop3_session *pop3, const struct sasl_login *credentials)
{
	session_set_doing(&pop3->session, "AUTH");
	session_wait(&pop3->session);
	pop3->login = login_begin(&pop3->session, USER_POP3, credentials, on_login);
}

/* ---- STAT, LIST, UIDL, DELE ---- */

static void
on_stat(struct pop3_session *pop3)
{
	const struct pop3_drop *drop = &pop3->drop;

	answer_text(pop3, false, arena_printf(&pop3->session.command, "%zu %llu",
		drop->count - drop->deleted,
		(unsigned long long)(drop->bytes - drop->deleted_bytes)));
}

static uint64_t
value_of(enum pop3_sending kind, const struct pop3_message *message)
{
	return kind == SENDING_LIST ? message->size : message->copy_id;
}

static void
on_list(struct pop3_session *pop3, enum pop3_sending kind, uint32_t number)
{
	struct pop3_message *message;

	if (number == 0) {
		pop3->sending = kind;
		pop3->next = 0;
		answer_text(pop3, true, SPAN_NONE);
		return;
	}
	message = pop3_drop_find(&pop3->drop, number);
	if (!message)
		answer_no_message(pop3);
	else
		answer_text(pop3, false, arena_printf(&pop3->session.command, "%u %llu", number,
			(unsigned long long)value_of(kind, message)));
}

static void
on_dele(struct pop3_session *pop3, uint32_t number)
{
	struct pop3_message *message = pop3_drop_find(&pop3->drop, number);

	if (!message) {
		answer_no_message(pop3);
		return;
	}
	pop3_drop_mark(&pop3->drop, message);
	answer(pop3, POP3_OK("Marked"));
}

/* ---- RETR, TOP ---- */

/* Our output has room for what is put between two looks at stream_is_full(). */
static void
put(struct pop3_session *pop3, struct span bytes)
{
	struct buf *out = stream_out(&pop3->session.stream);

	if (smtp_stuffing_put(&pop3->stuffing, bytes, out) != OK)
		session_close(&pop3->session, CLOSE_STUCK);
}

static void
on_retr(struct pop3_session *pop3, const struct pop3_command *command, bool is_top)
{
	struct session *s = &pop3->session;
	struct pop3_message *message = pop3_drop_find(&pop3->drop, command->number);
	struct snapshot *snap = host_snapshot(s->host);
	struct content content;
	struct copy copy;
	enum err err;

	if (!message) {
		answer_no_message(pop3);
		return;
	}
	err = snap ? message_by_copy(snap, message->copy_id, &copy, &content) : ERR_BUSY;
	if (err != OK) {
		answer(pop3, err == ERR_NOT_FOUND ? POP3_ERR(NULL, "The message is gone")
						  : pop3_reply_for(err));
		return;
	}
	pop3->sending = SENDING_BODY;
	pop3->body_id = content.body_id;
	pop3->offset = 0;
	pop3->is_top = is_top;
	pop3->lines = command->lines;
	pop3->stuffing = (struct smtp_stuffing){ 0 };
	body_pin(s->host->store, content.body_id);
	session_set_doing(s, is_top ? "TOP" : "RETR");
	answer_text(pop3, true,
		is_top ? SPAN_NONE
		       : arena_printf(&s->command, "%u octets", message->size));
	put(pop3, copy.front);
	put(pop3, content.header);
}

/* The part of PIECE that TOP still shows. */
static struct span
top_part(struct pop3_session *pop3, struct span piece)
{
	size_t end = 0;

	while (end < piece.len && pop3->lines > 0) {
		size_t lf = end + span_find(span_from(piece, end), '\n');

		if (lf < piece.len)
			pop3->lines--;
		end = lf < piece.len ? lf + 1 : piece.len;
	}
	return span_range(piece, 0, end);
}

/* ---- long answers ---- */

static void
finish_sending(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;

	if (pop3->sending == SENDING_BODY)
		body_unpin(s->host->store, pop3->body_id);
	pop3->sending = SENDING_NOTHING;
	session_set_doing(s, "");
}

/* Its last line, then the next command may be answered. */
static void
end_answer(struct pop3_session *pop3)
{
	if (smtp_stuffing_end(&pop3->stuffing, stream_out(&pop3->session.stream)) != OK)
		session_close(&pop3->session, CLOSE_STUCK);
	finish_sending(pop3);
	pop3_server_sent(&pop3->machine);
}

/* Part of a message cannot be read (logged by the store): the peer must not take it for all. */
static void
break_answer(struct pop3_session *pop3)
{
	finish_sending(pop3);
	session_close(&pop3->session, CLOSE_TROUBLE);
}

static void
send_lines(struct pop3_session *pop3)
{
	struct buf *out = stream_out(&pop3->session.stream);
	enum err err = OK;

	for (; pop3->next < pop3->drop.count && err == OK; pop3->next++) {
		const struct pop3_message *message = &pop3->drop.messages[pop3->next];

		if (stream_is_full(&pop3->session.stream))
			return;
		if (message->deleted)
			continue;
		if ((err = buf_put_u64(out, pop3->next + 1)) == OK)
			err = buf_put_char(out, ' ');
		if (err == OK)
			err = buf_put_u64(out, value_of(pop3->sending, message));
		if (err == OK)
			err = buf_put(out, SPAN("\r\n"));
	}
	pop3->stuffing = (struct smtp_stuffing){ 0 };
	end_answer(pop3);
}

static void
send_body(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;
	struct snapshot *snap = host_snapshot(s->host);

	while (!stream_is_full(&s->stream)) {
		struct span piece;
		enum err err = ERR_NOT_FOUND;

		if (pop3->body_id != 0 && !(pop3->is_top && pop3->lines == 0))
			err = snap ? body_read(snap, pop3->body_id, pop3->offset, &piece) : ERR_IO;
		if (err == ERR_NOT_FOUND) {
			end_answer(pop3);
			return;
		}
		if (err != OK) {
			break_answer(pop3);
			return;
		}
		pop3->offset += piece.len;
		put(pop3, pop3->is_top ? top_part(pop3, piece) : piece);
	}
}

static void
go_on_sending(struct pop3_session *pop3)
{
	/* While the peer reads, the stream watches its progress (H35). */
	session_set_deadline(&pop3->session, 0, CLOSE_NONE);
	if (pop3->sending == SENDING_BODY)
		send_body(pop3);
	else
		send_lines(pop3);
	if (pop3->sending == SENDING_NOTHING && !session_is_closing(&pop3->session))
		session_set_deadline(
			&pop3->session, pop3->session.conf->timeouts_pop3_ms, CLOSE_IDLE);
}

/* ---- QUIT ---- */

static enum step
update_apply(struct store_job *job, struct txn *txn)
{
	struct pop3_update *update = LIST_ITEM(job, struct pop3_update, job);
	struct uid_list list = { update->uids, update->count };
	struct folder folder;
	size_t count;
	enum err err = folder_get(txn_view(txn), update->user_id, update->folder_id, &folder);

	if (err == ERR_NOT_FOUND)
		return STEP_DONE; /* the folder is gone, and all in it */
	if (err == OK)
		err = message_expunge(txn, &folder, list, GRAVE_DELAY_MS, &count);
	return step_of(job, err);
}

static void
update_done(struct store_job *job, enum err result)
{
	struct pop3_update *update = LIST_ITEM(job, struct pop3_update, job);
	struct pop3_session *pop3 = update->pop3;

	free(update);
	if (!session_is_closing(&pop3->session)) {
		answer(pop3, result == OK ? POP3_OK("Goodbye")
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

/* H28: all of it in one commit, and +OK only when that is on disk. */
static void
on_update(struct pop3_session *pop3)
{
	struct pop3_update *update;

	if (pop3->drop.deleted == 0) {
		answer(pop3, POP3_OK("Goodbye"));
		return;
	}
	update = update_new(pop3);
	if (store_submit(pop3->session.host->store, &update->job) != OK) {
		free(update);
		answer(pop3, POP3_ERR("SYS/TEMP", "Nothing was deleted"));
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
	case POP3_STAT:
		on_stat(pop3);
		break;
	case POP3_LIST:
		on_list(pop3, SENDING_LIST, ev->command.number);
		break;
	case POP3_UIDL:
		on_list(pop3, SENDING_UIDL, ev->command.number);
		break;
	case POP3_RETR:
		on_retr(pop3, &ev->command, false);
		break;
	case POP3_TOP:
		on_retr(pop3, &ev->command, true);
		break;
	case POP3_DELE:
		on_dele(pop3, ev->command.number);
		break;
	case POP3_RSET:
		pop3_drop_reset(&pop3->drop);
		answer(pop3, POP3_OK("Nothing is marked"));
		break;
	case POP3_UPDATE:
		on_update(pop3);
		break;
	case POP3_SETTLED:
		answer(pop3, ev->reply);
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
	answer(pop3, POP3_OK("Begin TLS now"));
	if (session_start_tls(&pop3->session) != OK)
		session_close(&pop3->session, CLOSE_INJECTED);
}

/* One event. False: nothing more to do until something comes. */
static bool
step(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;
	struct pop3_event ev = { 0 };
	size_t used = pop3_server_next(&pop3->machine, stream_peek(&s->stream), &ev);

	if (ev.kind == POP3_STLS) {
		stream_consume(&s->stream, used); /* before anybody asks whether more was sent (H3) */
		on_stls(pop3);
		return false;
	}
	if (ev.kind != POP3_NEED_BYTES && ev.kind != POP3_NEED_REPLY)
		on_event(pop3, &ev);
	stream_consume(&s->stream, used);
	if (pop3->sending != SENDING_NOTHING)
		go_on_sending(pop3);
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
		pop3->machine.config = machine_config(s);
	if (pop3->sending != SENDING_NOTHING)
		go_on_sending(pop3);
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
	struct pop3_server_config config = machine_config(s);

	pop3_server_init(&pop3->machine, &config, stream_is_secure(&s->stream));
	session_set_deadline(s, s->conf->timeouts_before_login_ms, CLOSE_LOGIN_TIME); /* H20 */
	pop3_input(s);
}

static void
pop3_secured(struct session *s)
{
	struct pop3_session *pop3 = pop3_of(s);

	pop3_server_tls_started(&pop3->machine);
	pop3->machine.config = machine_config(s);
}

static void
pop3_close(struct session *s)
{
	struct pop3_session *pop3 = pop3_of(s);

	login_cancel(&pop3->login);
	if (pop3->sending != SENDING_NOTHING)
		finish_sending(pop3);
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
	.timeout_text = LAST_WORDS("-ERR [SYS/TEMP] Too slow\r\n"),
	.shutdown_text = LAST_WORDS("-ERR [SYS/TEMP] Service is shutting down\r\n"),
};
