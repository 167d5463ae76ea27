/*
 * delivery_wait.c - how long a delivery waits for what: deadlines, and when others need the connection.
 */
#include "conf/conf.h"
#include "server/generation.h"
#include "server/host.h"
#include "server/queue/delivery.h"

/* One deadline for each command, which no byte moves (H20). */
static int64_t
wait_ms(const struct delivery *d, enum smtp_stage stage)
{
	const struct conf *conf = generation_conf(d->generation);

	switch (stage) {
	case SMTP_STAGE_CONNECT:
		return conf->outgoing_connect_ms;
	case SMTP_STAGE_GREETING:
		return conf->outgoing_greeting_ms;
	case SMTP_STAGE_DATA:
		return conf->outgoing_data_ms;
	case SMTP_STAGE_TEXT:
		return 0; /* the stream's own: output that nobody takes */
	case SMTP_STAGE_END:
		return conf->outgoing_data_done_ms;
	case SMTP_STAGE_QUIT:
		return OUTGOING_IDLE_MS;
	case SMTP_STAGE_IDLE:
		return 0; /* the front decides */
	default:
		return conf->outgoing_command_ms;
	}
}

int64_t
delivery_wait_ms(const struct delivery *d, enum smtp_stage stage)
{
	int64_t ms = wait_ms(d, stage);

	return d->probe && ms > PROBE_ANSWER_MS ? PROBE_ANSWER_MS : ms;
}

void
delivery_on_deadline(struct loop_timer *timer)
{
	struct delivery *d = LIST_ITEM(timer, struct delivery, deadline);

	delivery_over(d, (struct smtp_answer){ 0 }, SPAN("no answer in time"), d->smtp.stage);
}

void
delivery_watch(struct delivery *d)
{
	int64_t ms = delivery_wait_ms(d, d->smtp.stage);

	if (d->next != NEXT_NOTHING || d->deadline_stage == d->smtp.stage)
		return;
	d->deadline_stage = d->smtp.stage;
	if (ms > 0)
		loop_timer_set(d->host->loop, &d->deadline, ms);
	else
		loop_timer_clear(&d->deadline);
}

/* It could be ended without harm: nothing is lent out, and no text is to be answered. */
static bool
only_waits(const struct delivery *d)
{
	return !d->ended && d->next == NEXT_NOTHING && !d->has_text_out && !d->asked &&
		!d->preparing;
}

void
delivery_give_up(void *arg)
{
	static const struct span why = SPAN("no answer, and others waited for the connection");
	struct delivery *d = arg;

	if (only_waits(d) && d->smtp_open) {
		delivery_over(d, (struct smtp_answer){ 0 }, why, d->smtp.stage);
	} else if (only_waits(d) && d->dials) {
		dialer_cancel(&d->dialer);
		d->dials = false;
		delivery_blame(d, 0, SPAN("4.4.1"), why, SMTP_STAGE_CONNECT);
		delivery_next_address(d);
	}
	loop_post(d->front->loop, outgoing_on_given_up, d);
}
