/*
 * stage_archive.c - the last stage: does the archive keep the message (ARC-01, ARC-04)?
 *
 * One entry, however many get it. What goes nowhere has no direction and is not kept: what a rule throws away, what is
 * refused (contract 8). Copies with a role of their own are no messages, and give none.
 */
#include "server/pipeline/stages.h"

#include "conf/conf.h"
#include "server/pipeline/direction.h"

static const struct {
	unsigned bit;
	const char *name;
} directions[] = {
	{ DIRECTION_INCOMING, "incoming" },
	{ DIRECTION_OUTGOING, "outgoing" },
	{ DIRECTION_INTERNAL, "internal" },
};

static unsigned
wanted(const struct conf *conf)
{
	return (conf->archive_incoming ? DIRECTION_INCOMING : 0) |
		(conf->archive_outgoing ? DIRECTION_OUTGOING : 0) |
		(conf->archive_internal ? DIRECTION_INTERNAL : 0);
}

static struct span
words(struct arena *a, unsigned direction)
{
	struct span text = SPAN_NONE;

	for (size_t i = 0; i < COUNT(directions); i++)
		if (direction & directions[i].bit)
			text = arena_printf(a, "%.*s%s%s", SPAN_FMT(text), text.len ? ", " : "",
				directions[i].name);
	return text;
}

enum err
plan_archive(struct plan *plan, unsigned direction)
{
	struct plan_copy copy = { .kind = COPY_STORE, .role = COPY_ARCHIVE, .target = SPAN("archive"),
		.version = plan->archive_version,
		.why = NOTE_ARCHIVE_KEPT, .found = words(plan->arena, direction) };

	plan->archive_direction = direction;
	return plan_copy_add(plan, &copy, 0);
}

enum verdict
stage_archive(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	unsigned direction;

	(void)phase;
	if (!ask->conf->archive_on || plan->archive_direction != 0) /* it is settled, for what another server recorded */
		return STAGE_NEXT;
	direction = mail_direction(ask, plan);
	if (direction == 0)
		plan_note(plan, NOTE_ARCHIVE_NOT, SPAN("nobody gets it"), SPAN_NONE);
	else if (!(direction & wanted(ask->conf)))
		plan_note(plan, NOTE_ARCHIVE_NOT,
			arena_printf(plan->arena, "archive.%.*s is off",
				SPAN_FMT(words(plan->arena, direction))),
			SPAN_NONE);
	else if (plan_archive(plan, direction) != OK)
		return stage_trouble(plan);
	return STAGE_NEXT;
}
