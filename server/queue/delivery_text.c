/*
 * delivery_text.c - the text of a message, from the store to the wire.
 *
 * The body is read piece by piece, with a snapshot for each turn of the loop. What is not in memory is read by a
 * worker first (H36); what this server would not take is changed on its way (RFC 6152).
 */
#include "server/queue/delivery.h"
#include "store/bodies.h"
#include "store/store.h"

#define SLICE 16384 /* bytes of a changed piece that are put at a time */

/* Text that lies in memory, once. False: the output is full. */
static bool
put_once(struct delivery *d, struct span text, size_t *at)
{
	if (*at < text.len && smtp_client_text(&d->smtp, text, stream_out(&d->stream)) != OK)
		return false;
	*at = text.len;
	return true;
}

/* False: the output is full. */
static bool
put_piece(struct delivery *d, struct span piece)
{
	return smtp_client_text(&d->smtp, piece, stream_out(&d->stream)) == OK;
}

/* Some of what a piece became. */
static bool
put_changed(struct delivery *d)
{
	struct span slice = span_range(buf_span(&d->piece), 0, SLICE);

	if (!put_piece(d, slice))
		return false;
	buf_consume(&d->piece, slice.len);
	return true;
}

/* Text that cannot be had is missed at the end, and then nothing of it counts. */
static bool
put_body(struct delivery *d, struct snapshot *snap)
{
	struct span piece;
	enum err err;

	if (buf_span(&d->piece).len > 0)
		return put_changed(d);
	if (body_warming_begin(&d->warming, d->host, snap, d->body_id, d->body_at)) {
		stream_pause(&d->stream);
		return false;
	}
	err = body_read(snap, d->body_id, d->body_at, &piece);
	if (err == OK && d->downgrade)
		err = mime_downgrade_run_put(&d->run, piece, &d->piece);
	else if (err == OK && !put_piece(d, piece))
		return false;
	if (err != OK)
		return false;
	d->body_at += piece.len;
	return true;
}

static bool
has_more(const struct delivery *d)
{
	return d->body_at < d->body_size || buf_span(&d->piece).len > 0;
}

void
delivery_mail_text(struct delivery *d)
{
	struct snapshot *snap;

	if (d->warming.lent)
		return; /* delivery_go_on() then */
	if (!put_once(d, d->lines, &d->lines_at) || !put_once(d, d->header, &d->header_at))
		return;
	snap = host_snapshot(d->host);
	while (snap && has_more(d) && !stream_is_full(&d->stream))
		if (!put_body(d, snap))
			break;
	if (stream_is_full(&d->stream) || d->warming.lent)
		return;
	if (smtp_client_text_end(&d->smtp, stream_out(&d->stream)) == OK) {
		d->sending = false;
		stream_flush(&d->stream);
	}
}
