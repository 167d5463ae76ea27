/*
 * direction.c - the table of direction.h.
 */
#include "server/pipeline/direction.h"

#include "conf/conf.h"

bool
mail_is_ours(const struct pipeline_ask *ask, const struct plan *plan)
{
	const struct address *sender = &ask->mail->envelope.reverse_path;

	if (plan->standing == STANDING_USER || ask->mail->via == MAIL_VIA_LOCAL)
		return true;
	return plan->standing == STANDING_RANGE && !address_is_null(sender) &&
		conf_is_local(ask->conf, sender->local_part, sender->domain);
}

unsigned
mail_direction(const struct pipeline_ask *ask, const struct plan *plan)
{
	bool ours = mail_is_ours(ask, plan);
	unsigned direction = 0;

	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next) {
		if (copy->role != COPY_DELIVERY || copy_is_forward(copy) ||
			(copy->kind != COPY_FOLDER && copy->kind != COPY_REMOTE))
			continue;
		if (copy_is_outgoing(copy) && (ours || plan->standing == STANDING_RANGE))
			direction |= DIRECTION_OUTGOING;
		else
			direction |= ours ? DIRECTION_INTERNAL : DIRECTION_INCOMING;
	}
	return direction;
}
