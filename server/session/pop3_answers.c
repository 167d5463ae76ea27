/*
 * pop3_answers.c - STAT, LIST, UIDL, RETR, TOP, DELE: answers from the maildrop, long ones in turns.
 *
 * A long answer keeps a place, not a snapshot: each turn reads on with a snapshot of its own, and a
 * pin keeps the body from being freed meanwhile (house, section 6, Q3).
 */
#include "conf/conf.h"
#include "server/metrics.h"
#include "server/session/body_warm.h"
#include "server/session/pop3_inside.h"
#include "store/bodies.h"
#include "store/messages.h"
#include "store/store.h"

static void
answer_text(struct pop3_session *pop3, bool more, struct span text)
{
	pop3_answer(pop3, (struct pop3_reply){ .ok = true, .text = text, .more = more });
}

static void
answer_no_message(struct pop3_session *pop3)
{
	pop3_answer(pop3, POP3_ERR(NULL, "No such message"));
}

/* ---- STAT, LIST, UIDL, DELE ---- */

void
pop3_on_stat(struct pop3_session *pop3)
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

void
pop3_on_list(struct pop3_session *pop3, enum pop3_sending kind, uint32_t number)
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

void
pop3_on_dele(struct pop3_session *pop3, uint32_t number)
{
	struct pop3_message *message = pop3_drop_find(&pop3->drop, number);

	if (!message) {
		answer_no_message(pop3);
		return;
	}
	pop3_drop_mark(&pop3->drop, message);
	pop3_answer(pop3, POP3_OK("Marked"));
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

void
pop3_on_retr(struct pop3_session *pop3, const struct pop3_command *command, bool is_top)
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
	err = snap ? message_by_copy(snap, message->copy_id, &copy, &content) : ERR_IO;
	if (err != OK) {
		pop3_answer(pop3, err == ERR_NOT_FOUND ? POP3_ERR(NULL, "The message is gone")
						  : pop3_reply_for(err));
		return;
	}
	pop3->body_end = UINT64_MAX;
	if (message->trim > 0 && body_size(snap, content.body_id, &pop3->body_end) == OK)
		pop3->body_end -= message->trim;
	pop3->sending = SENDING_BODY;
	pop3->body_id = content.body_id;
	pop3->offset = pop3->warm_until = 0;
	pop3->is_top = is_top;
	pop3->asks = !is_top && copy.receipt_no != 0 && !message->collected ? message : NULL;
	pop3->lines = command->lines;
	pop3->stuffing = (struct smtp_stuffing){ 0 };
	body_pin(s->host->store, content.body_id);
	metric_add(s->host->metrics, retrieved, 1);
	metric_add(s->host->metrics, retrieved_bytes, message->size);
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

void
pop3_stop_sending(struct pop3_session *pop3)
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
	if (pop3->sending == SENDING_BODY && pop3->asks) {
		pop3->asks->collected = true;
		pop3->drop.collected++;
	}
	if (smtp_stuffing_end(&pop3->stuffing, stream_out(&pop3->session.stream)) != OK)
		session_close(&pop3->session, CLOSE_STUCK);
	pop3_stop_sending(pop3);
	pop3_server_sent(&pop3->machine);
}

/* Part of a message cannot be read (logged by the store): the peer must not take it for all. */
static void
break_answer(struct pop3_session *pop3)
{
	pop3_stop_sending(pop3);
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

		if (pop3->body_id != 0 && pop3->offset < pop3->body_end &&
			!(pop3->is_top && pop3->lines == 0)) {
			if (snap && body_warm(s, snap, pop3->body_id, pop3->offset, &pop3->warm_until))
				return;
			err = snap ? body_read(snap, pop3->body_id, pop3->offset, &piece) : ERR_IO;
		}
		if (err == ERR_NOT_FOUND) {
			end_answer(pop3);
			return;
		}
		if (err != OK) {
			break_answer(pop3);
			return;
		}
		piece = span_range(piece, 0, pop3->body_end - pop3->offset);
		pop3->offset += piece.len;
		put(pop3, pop3->is_top ? top_part(pop3, piece) : piece);
	}
}

void
pop3_go_on_sending(struct pop3_session *pop3)
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
