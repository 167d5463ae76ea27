/*
 * stage_quota.c - who has far too much in his mailbox sends nothing until some of it is gone (QUO-04).
 *
 * What he gets is never refused (QUO-06).
 */
#include "server/pipeline/quota.h"
#include "server/pipeline/stages.h"

enum verdict
stage_quota(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	struct quota quota;
	enum err err;

	(void)phase;
	if (plan->sender_id == 0 || ask->conf->quota_block_sending == 0 || ask->mail->via == MAIL_VIA_LOCAL)
		return STAGE_NEXT;
	err = quota_find(ask->conf, ask->snap, plan->sender_id, &quota);
	if (err == ERR_NOT_FOUND)
		return STAGE_NEXT;
	if (err != OK)
		return stage_trouble(plan);
	if (!quota_reaches(&quota, ask->conf->quota_block_sending))
		return STAGE_NEXT;
	plan_note(plan, NOTE_QUOTA_BLOCKS, quota.user,
		arena_printf(plan->arena, "%llu %%", (unsigned long long)quota_percent(&quota)));
	plan_refuse(plan, 552, "5.2.2",
		"Your mailbox is over its quota: you may send again when you have deleted some of it");
	return STAGE_REJECT;
}
