/*
 * intake_trace.c - what the trace says of a message that is taken in.
 *
 * The recipients of a message may wait in several entries of the queue: elsewhere, for LAN servers, held, for
 * users' other servers. One of them has the message's number; each other one has its own, and a trace of it.
 */
#include "server/queue/intake_write.h"

#include "proto/mail/message_no.h"
#include "store/queued.h"
#include "store/traces.h"

static enum err
write_message(struct txn *txn, struct intake *in, struct span notes)
{
	const struct mail *mail = &in->mail;
	struct trace t = { .message_no = mail->message_no, .time_ms = mail->arrived_ms,
		.session = mail->session, .peer = span_of(mail->peer.text),
		.service = span_of(mail->service), .auth_user = mail->user,
		.sender = mail->envelope.reverse_path.text, .recipients = buf_span(&in->recipients),
		.recipient_count = mail->envelope.recipient_count, .size_bytes = mail->size,
		.subject = buf_span(&in->subject), .message_id = mail->facts.message_id,
		.code = 250, .text = SPAN("2.0.0 accepted"), .notes = notes };

	return trace_add(txn, &t);
}

static enum err
write_entry(struct txn *txn, struct intake *in, const struct intake_entry *entry)
{
	char room[NOTE_SIZE_MAX], id[MESSAGE_NO_SIZE];
	size_t len = note_encode(room, NOTE_WRITE_PART,
		message_no_format(in->mail.message_no, id), SPAN_NONE);
	struct trace t = { .message_no = entry->queue_id, .time_ms = in->mail.arrived_ms,
		.service = SPAN("queue"),
		.sender = entry->copy->own_sender ? entry->copy->sender :
						    in->mail.envelope.reverse_path.text,
		.recipient_count = entry->count, .size_bytes = in->mail.size,
		.subject = buf_span(&in->subject), .text = SPAN("waits in the queue"),
		.notes = { room, len } };
	struct buf recipients;
	enum err err;

	buf_init(&recipients, TRACE_RECIPIENTS_MAX);
	for (size_t i = 0; i < entry->count; i++)
		if (trace_recipient_put(&recipients, in->queued[entry->from + i].address) != OK)
			break; /* what fits is enough */
	recipients.overflow = false;
	t.recipients = buf_span(&recipients);
	err = trace_add(txn, &t);
	buf_fini(&recipients);
	return err;
}

enum err
intake_trace_write(struct txn *txn, struct intake *in, struct span notes)
{
	enum err err = write_message(txn, in, notes);

	for (size_t i = 0; i < in->entry_count && err == OK; i++)
		if (in->entries[i].queue_id != in->mail.message_no)
			err = write_entry(txn, in, &in->entries[i]);
	return err;
}
