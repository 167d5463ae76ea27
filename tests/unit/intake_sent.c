/*
 * intake_sent.c - a message that is given to intake, planned, submitted and looked at.
 */
#include "tests/unit/intake_sent.h"

#include "store/bodies.h"

static void
on_done(struct intake *in, enum err result)
{
	struct sent *s = in->holder;

	s->ended++;
	s->result = result;
	intake_drop(&s->in);
}

static void
on_gathered(struct intake *in)
{
	((struct sent *)in->holder)->gathered++;
}

const struct intake_events sent_events = { .done = on_done, .gathered = on_gathered };

void
sent_feed(struct sent *s, struct span text, size_t step)
{
	for (size_t at = 0; at < text.len;) {
		struct span part = span_range(text, at, at + step < text.len ? at + step : text.len);

		if (intake_text(s->in, part) == OK)
			at += part.len;
		else
			site_turn(&s->site, 30);
	}
}

void
sent_plan(struct sent *s, struct span body, const char *const *to, size_t count)
{
	static const struct address nobody = { .flags = ADDRESS_NULL };
	struct mail_options options = { .body = BODY_UNSAID };
	struct address addresses[4];
	struct pipeline_ask ask = { .conf = s->site.host.conf };
	enum phase at;

	s->in = intake_open(&s->site.host, &sent_events, s);
	s->in->mail.via = MAIL_VIA_LOCAL;
	s->in->mail.service = "local";
	s->in->mail.hostname = SPAN("mail.example.org");
	s->in->mail.peer.is_unix = true;
	envelope_init(&s->in->mail.envelope, &s->in->arena, &nobody, &options);
	sent_feed(s, SPAN(SENT_HEADER), 7);
	sent_feed(s, body, 30000);
	assert_int_equal(intake_text_end(s->in), OK);
	for (int i = 0; i < 2000 && !intake_gather(s->in); i++)
		site_turn(&s->site, 5);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			address_parse(&s->in->arena, span_of(to[i]), &addresses[i]), OK);
	ask.mail = &s->in->mail;
	ask.snap = host_snapshot(&s->site.host);
	assert_int_equal(pipeline_run_all(&ask, addresses, count, NULL, &s->in->plan, &at),
		STAGE_NEXT);
}

void
sent_submit(struct sent *s)
{
	intake_submit(s->in);
	for (int i = 0; i < 2000 && s->ended == 0; i++)
		site_turn(&s->site, 5);
	assert_int_equal(s->ended, 1);
	assert_int_equal(s->result, OK);
}

struct plan_version *
sent_version(struct sent *s, const char *header, const struct plan_piece *pieces, size_t count)
{
	struct plan_version *v = plan_version_new(&s->in->plan);

	v->header = arena_copy(&s->in->arena, span_of(header));
	v->pieces = pieces;
	v->piece_count = count;
	return v;
}

void
sent_add(struct sent *s, struct plan_copy copy)
{
	copy.why = NOTE_PLACE_INBOX;
	copy.recipient_no = 0;
	assert_int_equal(plan_copy_add(&s->in->plan, &copy, 1), OK); /* the limit is not theirs */
}

void
sent_assert_body(struct snapshot *snap, const struct content *c, struct span want)
{
	struct span piece;
	uint64_t at = 0;

	assert_int_equal(c->body_size, want.len);
	while (body_read(snap, c->body_id, at, &piece) == OK) {
		assert_memory_equal(piece.ptr, want.ptr + at, piece.len);
		at += piece.len;
	}
	assert_int_equal(at, want.len);
}

void
sent_assert_entries(struct sent *s, const struct entry_want *want, size_t count)
{
	struct queued q = { 0 };
	struct queued_recipient r;
	struct snapshot *snap;
	struct content c;

	assert_int_equal(snapshot_open(s->site.host.store, &snap), OK);
	for (size_t i = 0; i < count; i++, want++) {
		assert_int_equal(queued_next(snap, q.queue_id, &q), OK);
		assert_true(span_eq(q.sender, span_of(want->sender)));
		assert_int_equal(q.report, want->report);
		assert_int_equal(queued_recipient_find(snap, q.queue_id, 1, &r), OK);
		assert_true(span_eq(r.address, span_of(want->address)));
		assert_int_equal(r.notify, want->notify);
		assert_int_equal(content_get(snap, q.content_id, &c), OK);
		assert_true(span_eq(c.header, span_of(want->header)));
		assert_int_equal(q.size_bytes, c.header.len + want->body.len);
		sent_assert_body(snap, &c, want->body);
	}
	assert_int_equal(queued_next(snap, q.queue_id, &q), ERR_NOT_FOUND);
	snapshot_close(&snap);
}

uint64_t
sent_rows(struct sent *s, enum store_table table)
{
	struct snapshot *snap;
	uint64_t count;

	assert_int_equal(snapshot_open(s->site.host.store, &snap), OK);
	assert_int_equal(table_count(snap, table, &count), OK);
	snapshot_close(&snap);
	return count;
}

void
sent_assert_folder(struct sent *s, const char *user, size_t n, const char *want)
{
	struct buf message;

	buf_init(&message, 1 << 23);
	assert_true(site_folder_read(&s->site, user, "INBOX", n, &message));
	assert_true(span_eq(buf_span(&message), span_of(want)));
	buf_fini(&message);
}
