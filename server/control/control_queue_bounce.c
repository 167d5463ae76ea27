/*
 * control_queue_bounce.c - `queue bounce`: waiting messages are given up, and their senders told.
 *
 * Reports and the end of the entry are one job, so there is nothing between them; what has been told
 * cannot be taken back (G3).
 */
#include "proto/mail/forward_server.h"
#include "proto/mail/message_no.h"
#include "server/control/control_call.h"
#include "server/queue/bounce.h"

static void
end_ground(void *arg)
{
	bounce_ground_fini(arg);
}

static bool
bounce_check(struct control_call *call)
{
	struct bounce_ground *ground = ARENA_NEW(&call->arena, struct bounce_ground);

	bounce_ground_init(ground, call->host);
	arena_on_reset(&call->arena, end_ground, ground);
	call->state = ground;
	return true;
}

/* Open recipients behind *NO, which moves on, as the report has them. */
static enum err
take_open(struct txn *txn, uint64_t queue_id, uint32_t *no, struct bounce_recipient *out,
	uint32_t *numbers, size_t *count)
{
	struct queued_recipient r;
	enum err err = OK;

	*count = 0;
	while (*count < BOUNCE_RECIPIENTS_MAX &&
		(err = queued_recipient_next(txn_view(txn), queue_id, *no, &r)) == OK) {
		*no = r.recipient_no;
		if (r.state == QUEUED_GONE)
			continue;
		if (forward_route_is(r.route)) /* its sender's mail has arrived */
			return ERR_EXISTS;
		numbers[*count] = r.recipient_no;
		out[(*count)++] = (struct bounce_recipient){
			.address = arena_copy(txn_arena(txn), r.address),
			.orcpt = arena_copy(txn_arena(txn), r.orcpt),
			.notify = r.notify,
			.status = SPAN("5.0.0"),
			.reply = arena_printf(txn_arena(txn), "given up by an administrator%s%.*s",
				r.last_error.len > 0 ? "; the last try: " : "",
				SPAN_FMT(r.last_error)),
			.last_try_ms = r.last_try_ms};
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
note_gone(struct control_call *call, struct txn *txn, uint64_t queue_id, const uint32_t *numbers,
	size_t count)
{
	struct queued_outcome gone = {.state = QUEUED_GONE,
		.now_ms = call->now_ms,
		.text = SPAN("given up by an administrator")};
	bool entry_gone;
	enum err err = OK;

	for (size_t i = 0; i < count && err == OK; i++)
		err = queued_note(txn, queue_id, numbers[i], &gone, &entry_gone);
	return err;
}

static enum err
note_who(struct control_call *call, struct txn *txn, const struct queued *q)
{
	struct span values[2] = {
		arena_printf(txn_arena(txn), "%llu", (unsigned long long)q->open), span_of(call->who.name)};

	return bounce_note(txn, call->state, q->queue_id, NOTE_QUEUE_RETURNED, values);
}

static enum err
bounce_some(struct control_call *call, struct txn *txn, struct bounce *b, uint32_t *no)
{
	struct bounce_recipient *all =
		ARENA_ARRAY(txn_arena(txn), struct bounce_recipient, BOUNCE_RECIPIENTS_MAX);
	uint32_t *numbers = ARENA_ARRAY(txn_arena(txn), uint32_t, BOUNCE_RECIPIENTS_MAX);
	enum err err = take_open(txn, b->queued->queue_id, no, all, numbers, &b->count);

	b->recipients = all;
	if (err == ERR_EXISTS)
		call->skip_why = "is in the mailbox too, by store and forward: remove it, and the mail stays";
	if (err != OK || b->count == 0)
		return err == OK ? ERR_NOT_FOUND : err;
	err = bounce_for(txn, call->state, b);
	if (err == OK && b->held) {
		call->skip_why = "nobody can be told: neither the sender nor the Main Administrator";
		return ERR_DENIED;
	}
	return err == OK ? note_gone(call, txn, b->queued->queue_id, numbers, b->count) : err;
}

static enum err
bounce_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct queued q;
	struct bounce b = {.kind = BOUNCE_FAILED, .queued = &q};
	uint64_t id;
	uint32_t no = 0;
	enum err err = message_no_parse(key, &id) == OK ? OK : ERR_NOT_FOUND;
	bool any = false;

	if (err == OK)
		err = queued_find(txn_view(txn), id, &q);
	if (err == OK && q.bin_until_ms != 0) {
		call->skip_why = "is in the bin";
		return ERR_DENIED;
	}
	if (err == OK)
		err = note_who(call, txn, &q);
	for (; err == OK; any = true) {
		err = queued_find(txn_view(txn), id, &q); /* its texts lie in the map */
		if (err == OK)
			err = bounce_some(call, txn, &b, &no);
	}
	if (err == ERR_NOT_FOUND && !any)
		call->skip_why = "no such message in the queue";
	return err == ERR_NOT_FOUND && any ? OK : err;
}

const struct control_handler control_do_queue_bounce = {
	.check = bounce_check,
	.each = bounce_each,
	.object = "message",
	.cannot = "the reports have been written",
};
