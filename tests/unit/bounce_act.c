/*
 * bounce_act.c - messages that are put into the queue, and end.
 */
#include "tests/unit/bounce_act.h"

#include <stdio.h>

#include "store/bodies.h"
#include "store/contents.h"

#define ACT_CONF \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"

static size_t
recipients_of(const struct act *act, struct span *out, size_t max)
{
	struct span rest = span_of(act->to), word;
	size_t count = 0;

	while (rest.len > 0 && count < max) {
		(void)span_cut(rest, ' ', &word, &rest);
		out[count++] = word;
	}
	return count;
}

static enum step
add_apply(struct store_job *job, struct txn *txn)
{
	struct act *act = LIST_ITEM(job, struct act, job);
	struct span body[1] = { SPAN("line one\r\nline two\r\n") }, to[10];
	struct content content = { .header = SPAN(ACT_HEADER), .owners = 1, .body_size = body[0].len };
	struct queued_recipient rows[10] = { { .tries = 0 } };
	size_t count = recipients_of(act, to, 10);
	enum err err = body_add(txn, (struct body_source){ body, 1 }, &content.body_id);

	for (size_t i = 0; i < count; i++)
		rows[i].address = to[i];
	if (err == OK)
		err = content_add(txn, &content, false);
	act->queued.content_id = content.content_id;
	if (err == OK)
		err = queued_add(txn, &act->queued, rows, count);
	return step_of(job, err);
}

static enum step
bounce_apply(struct store_job *job, struct txn *txn)
{
	struct act *act = LIST_ITEM(job, struct act, job);
	struct bounce_original original = { .header = span_of(act->original) };
	struct bounce_recipient all[10] = { { .code = 0 } };
	struct span to[10];
	struct queued q = act->queued;
	enum err err = act->original ? OK : queued_find(txn_view(txn), act->queued.queue_id, &q);

	act->bounce.count = recipients_of(act, to, 10);
	for (size_t i = 0; i < act->bounce.count; i++)
		all[i] = (struct bounce_recipient){ .address = to[i], .notify = act->notify,
			.code = act->code, .status = SPAN("5.1.1"), .transport = act->transport,
			.reply = SPAN("5.1.1 no\r\nX-Evil: such user"),
			.remote = SPAN("mx.far.test 192.0.2.1:25"), .last_try_ms = 1700000000000 };
	act->bounce.recipients = all;
	act->bounce.queued = &q;
	act->bounce.original = act->original ? &original : NULL;
	if (err == OK)
		err = bounce_for(txn, &act->ground, &act->bounce);
	return step_of(job, err);
}

static void
act_done(struct store_job *job, enum err result)
{
	struct act *act = LIST_ITEM(job, struct act, job);

	act->err = result;
	act->done = true;
}

static void
run(struct site *site, struct act *act, enum step (*apply)(struct store_job *, struct txn *))
{
	act->done = false;
	act->job = (struct store_job){ .apply = apply, .done = act_done,
		.inbox = site->host.inbox };
	assert_int_equal(store_submit(site->host.store, &act->job), OK);
	for (int i = 0; i < 2000 && !act->done; i++)
		site_turn(site, 5);
	assert_true(act->done);
	assert_int_equal(act->err, OK);
}

void
act_bounce(struct site *site, struct act *act)
{
	bounce_ground_init(&act->ground, &site->host);
	run(site, act, bounce_apply);
	bounce_ground_fini(&act->ground);
}

void
act_queue_and_bounce(struct site *site, struct act *act, const char *sender)
{
	static uint64_t last = 40000000;

	act->queued.queue_id = ++last;
	act->queued.sender = span_of(sender);
	act->queued.received_ms = 1699999999000;
	run(site, act, add_apply);
	act_bounce(site, act);
}

void
act_site_open(struct site *site, const char *more)
{
	char conf[1024];

	snprintf(conf, sizeof(conf), ACT_CONF "%s", more);
	site_open(site, conf);
	site_add_user(site, "anna", NULL);
	site_add_user(site, "postmaster", NULL);
}

size_t
act_inbox(struct site *site, const char *user)
{
	return site_folder_count(site, user, "INBOX");
}

bool
act_says(struct site *site, const char *user, size_t n, const char *text)
{
	struct buf b;
	bool found;

	buf_init(&b, 1 << 20);
	assert_true(site_folder_read(site, user, "INBOX", n, &b));
	found = span_find_span(buf_span(&b), span_of(text)) < buf_span(&b).len;
	if (!found)
		print_message("%.*s\n", SPAN_FMT(buf_span(&b)));
	buf_fini(&b);
	return found;
}
