/*
 * early_reply.c - a planted mistake: linked around intake_submit(), it makes a postroomd that answers
 * 250 before the message is handed to the writer. The kills and the tape must find it (H40).
 */
#include "server/queue/intake.h"

#define WRITTEN_LATER_MS 5

void __real_intake_submit(struct intake *in);
void __wrap_intake_submit(struct intake *in);

static void
write_it(struct loop_timer *timer)
{
	struct intake *in = LIST_ITEM(timer, struct intake, room);

	in->jobs--;
	__real_intake_submit(in);
}

static void
answer_first(void *arg)
{
	struct intake *in = arg;

	in->jobs++; /* the holder lets go now; it must outlive that */
	in->events->done(in, OK);
	loop_timer_clear(&in->room);
	loop_timer_init(&in->room, write_it);
	loop_timer_set(in->host->loop, &in->room, WRITTEN_LATER_MS);
}

void
__wrap_intake_submit(struct intake *in)
{
	loop_post(in->host->loop, answer_first, in);
}
