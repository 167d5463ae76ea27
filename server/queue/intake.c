/*
 * intake.c - the life of one incoming message on its loop.
 *
 * One struct from open to drop. Jobs of the writer point to it, so it goes only when none is under
 * way: `dropped` says that nobody waits for it any more.
 */
#include "server/queue/intake.h"

#include <stdlib.h>

#include "proto/mail/message_no.h"
#include "server/connect/connect.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/net/random.h"
#include "server/queue/intake_body.h"
#include "server/queue/intake_derive.h"
#include "server/queue/intake_digest.h"
#include "server/queue/intake_entries.h"
#include "server/queue/intake_report.h"
#include "server/queue/intake_write.h"
#include "server/queue/outgoing.h"
#include "server/queue/refusals.h"
#include "server/queue/user_sent.h"
#include "store/ids.h"
#include "store/queued.h"

#define HEADER_FREE_ROOM (64 * 1024) /* bytes of a header that are taken whatever others hold */

static void on_room_timer(struct loop_timer *timer);

struct intake *
intake_open(struct host *host, const struct intake_events *events, void *holder)
{
	struct intake *in = calloc(1, sizeof(*in));

	ENSURE(in);
	arena_init(&in->arena, &host->pool);
	in->host = host;
	in->events = events;
	in->holder = holder;
	in->mail.arena = &in->arena;
	plan_init(&in->plan, &in->arena);
	buf_init(&in->header, (size_t)host->conf->limits_header_size);
	list_init(&in->blocks);
	loop_timer_init(&in->room, on_room_timer);
	return in;
}

static void
log_report(struct intake *in, const struct note *note)
{
	char session[32] = { 0 };
	struct buf text;

	buf_init(&text, 4 * NOTE_SIZE_MAX);
	span_copy_clean(in->mail.session, session, sizeof(session) - 1);
	if (note_format(note, &text) == OK)
		log_put(in->host->log, &(struct log_line){ .level = LEVEL_WARNING,
			.area = "mapping", .session = session, .message = in->mail.id,
			.text = "a name is known to nobody, or too deep",
			.fields = { { "why", buf_span(&text), 0 } } });
	buf_fini(&text);
}

/* Q-04, LST-06: what wants mending is told, whether the message was taken or not. */
static void
log_reports(struct intake *in)
{
	struct span rest = plan_notes(&in->plan);
	struct note note;

	while (note_take(&rest, &note) == PARSE_DONE)
		if (note_is_report(&note))
			log_report(in, &note);
}

static void
intake_free(struct intake *in)
{
	log_reports(in);
	loop_timer_clear(&in->room);
	intake_report_end(in);
	intake_body_free(in);
	intake_uncharge(in, in->held);
	refusals_batch_free(&in->refusals);
	buf_fini(&in->header);
	buf_fini(&in->derived);
	buf_fini(&in->recipients);
	buf_fini(&in->subject);
	arena_reset(&in->arena);
	free(in);
}

/* Dropped, and no job under way: give up what is on disk without an owner, then go. */
static void
finish(struct intake *in)
{
	if (in->flushed > 0 && in->body_id != 0)
		intake_body_abandon(in);
	else
		intake_free(in);
}

void
intake_drop(struct intake **at)
{
	struct intake *in = *at;

	*at = NULL;
	if (!in || in->dropped)
		return;
	in->dropped = true;
	if (in->jobs == 0 && !in->submitted)
		finish(in);
}

static void
tell_room(struct intake *in)
{
	if (!in->waits || in->dropped)
		return;
	in->waits = false;
	loop_timer_clear(&in->room);
	if (in->events->room)
		in->events->room(in);
}

static void
on_room_timer(struct loop_timer *timer)
{
	tell_room(LIST_ITEM(timer, struct intake, room));
}

/* The header goes on: as long as it is small it is taken whatever others hold. */
static bool
header_has_room(const struct intake *in, size_t size)
{
	return buf_span(&in->header).len + size <= HEADER_FREE_ROOM || !intake_is_crowded(in);
}

static void
keep_header(struct intake *in, struct span text)
{
	if (in->mail.header_is_over)
		return;
	if (buf_put(&in->header, text) == OK)
		intake_charge(in, text.len);
	else
		in->mail.header_is_over = true;
}

enum err
intake_text(struct intake *in, struct span text)
{
	struct header_end end = in->header_end;
	size_t head = end.found ? 0 : header_end_find(&end, text);

	if (!header_has_room(in, head) || !intake_body_has_room(in, text.len - head)) {
		in->waits = true;
		loop_timer_set(in->host->loop, &in->room, INTAKE_ROOM_POLL_MS);
		return ERR_BUSY;
	}
	in->header_end = end;
	if (head > 0)
		keep_header(in, span_range(text, 0, head));
	if (text.len > head && in->failed == OK && !in->mail.header_is_over) {
		intake_derive_body(in, span_from(text, head));
		if (in->host->conf->archive_on || in->digest.begun)
			archive_digest_feed(&in->digest, span_from(text, head));
		intake_body_put(in, span_from(text, head));
	}
	return OK;
}

void
intake_text_close(struct intake *in)
{
	in->mail.header = buf_span(&in->header);
	in->mail.size = in->mail.header.len + in->body_size;
}

enum err
intake_text_end(struct intake *in)
{
	struct mail *mail = &in->mail;
	char id[MESSAGE_NO_SIZE];

	if (message_no_next(in->host->store, &mail->message_no) != OK)
		return ERR_BUSY;
	intake_text_close(in);
	mail->id = arena_copy(&in->arena, message_no_format(mail->message_no, id));
	mail->arrived_ms = host_now_ms(in->host);
	mail->zone_minutes = host_zone_minutes(mail->arrived_ms);
	random_fill(mail->nonce, sizeof(mail->nonce));
	pipeline_read_header(in->host->conf, mail);
	return OK;
}

bool
intake_gather(struct intake *in)
{
	in->gathers = in->jobs > 0;
	if (in->gathers)
		return false;
	if (in->flushed > 0)
		host_snapshot_close(in->host); /* the next one sees what has just been written */
	intake_body_spans(in);
	intake_derive_end(in, in->mail.header);
	in->mail.derived = arena_copy(&in->arena, buf_span(&in->derived));
	return true;
}

/* The last job is over. False: nobody waits for IN any more, and it is gone. */
static bool
end_submit(struct intake *in, enum err result)
{
	bool waits = !in->dropped;

	in->submitted = false;
	in->jobs--;
	if (result != ERR_NOT_FOUND) /* then the holder may decide anew and submit again */
		intake_body_free(in);
	if (result == OK)
		in->flushed = 0; /* the body has its owner */
	if (!waits)
		finish(in);
	return waits;
}

/* LAN-12: what is put into the queue for LAN forwarding. */
static size_t
lan_count(const struct intake *in)
{
	size_t count = 0;

	for (size_t i = 0; i < in->queued_count; i++)
		count += route_is_lan(in->queued[i].route) && !route_is_journal(in->queued[i].route);
	return count;
}

static void
tell_done(struct intake *in, enum err result)
{
	refusals_batch_free(&in->refusals);
	if (result == OK)
		user_sent_tell(in);
	if (result == OK)
		metric_add(in->host->metrics, lan_queued, lan_count(in));
	if (result == OK && (in->queued_count > intake_entries_count(in, ENTRY_HELD) || in->reports_queued > 0))
		outgoing_kick(in->host);
	if (result == OK && in->plan.urgent && intake_entry_of(in, ENTRY_OUTGOING))
		connect_urgent(in->host, intake_entry_of(in, ENTRY_OUTGOING)->queue_id);
	if (end_submit(in, result))
		in->events->done(in, result);
}

void
intake_written(struct intake *in, enum err result)
{
	(void)end_submit(in, result == ERR_NOT_FOUND ? ERR_IO : result);
}

static void
final_done(struct store_job *job, enum err result)
{
	tell_done(LIST_ITEM(job, struct intake, job), result);
}

static void
refused_by_store(void *arg)
{
	struct intake *in = arg;

	tell_done(in, in->failed);
}

/* Headers that copies have in place of the message's own: they are in memory as long, and are written with it. */
static size_t
charge_versions(struct intake *in)
{
	size_t size = 0;

	for (const struct plan_version *v = in->plan.versions; v; v = v->next)
		size += v->header.len;
	intake_charge(in, size);
	return size;
}

static void
submit_now(struct intake *in)
{
	enum err err = in->failed;

	in->jobs++;
	if (err == OK && !in->mail.body.spans)
		intake_body_spans(in);
	if (in->events->whole && in->dropped) {
		(void)end_submit(in, ERR_BUSY);
		return;
	}
	if (in->events->whole) {
		if (err == OK)
			intake_derive_end(in, in->mail.header);
		in->events->whole(in, err);
		return;
	}
	if (err == OK) {
		intake_report_prepare(in);
		err = intake_prepare(in);
	}
	if (err == OK) {
		in->refusals = refusals_take(in->host);
		in->job = (struct store_job){ .apply = intake_apply, .done = final_done,
			.inbox = in->host->inbox, .incoming = true,
			.size_bytes = in->plan.header.len + charge_versions(in) + buf_span(&in->derived).len +
				(size_t)(in->body_size - in->flushed) };
		err = store_submit(in->host->store, &in->job);
	}
	if (err != OK) {
		in->failed = err;
		loop_post(in->host->loop, refused_by_store, in);
	}
}

static void
submit_whole(struct intake *in)
{
	if (in->events->whole || !intake_digest_begin(in, submit_now))
		submit_now(in);
}

/*
 * The last job waits for the pieces: whether they are on disk is known when their commit is, and a
 * message must not point to a piece that is not.
 */
void
intake_submit(struct intake *in)
{
	ENSURE(!in->submitted);
	in->submitted = true;
	if (in->jobs == 0)
		submit_whole(in);
}

void
intake_piece_done(struct intake *in, enum err result)
{
	in->jobs--;
	if (result != OK && in->failed == OK)
		in->failed = result;
	if (in->jobs > 0) {
		tell_room(in);
		return;
	}
	if (in->submitted)
		submit_whole(in);
	else if (in->dropped)
		finish(in);
	else if (in->gathers)
		in->events->gathered(in);
	else
		tell_room(in);
}
