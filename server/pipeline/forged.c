/*
 * forged.c - whose return address is looked at, and what the trace says of it.
 */
#include "server/pipeline/forged.h"

#include "server/pipeline/blocklist.h"
#include "server/pipeline/receipt_wish.h"

static bool
wants_success(const struct mail *mail)
{
	struct list *at, *following;

	list_for_each(at, following, (struct list *)&mail->envelope.recipients)
		if (LIST_ITEM(at, struct recipient, link)->options.notify & DSN_NOTIFY_SUCCESS)
			return true;
	return false;
}

/* Could anything be written to the sender because of this message? */
static bool
may_be_told(const struct conf *conf, const struct mail *mail, const struct plan *plan)
{
	struct receipt_wish wish;

	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (copy->kind == COPY_REMOTE || copy->kind == COPY_BOUNCE ||
			(copy->kind == COPY_FOLDER && !copy->settled)) /* a mailbox may send it on */
			return true;
	return wants_success(mail) ||
		(!conf->headers_receipts_local_only &&
			receipt_wish_read(conf, mail, plan, &wish) && !wish.refused);
}

bool
forged_is_asked(const struct conf *conf, const struct mail *mail, const struct plan *plan)
{
	return conf->smtp_spf && mail->via == MAIL_VIA_MX && !mail->peer.is_unix &&
		plan->standing == STANDING_STRANGER && !mail->popped &&
		!address_is_null(&mail->envelope.reverse_path) &&
		!blocklist_allows(conf, mail) && may_be_told(conf, mail, plan);
}

void
forged_note(const struct pipeline_ask *ask, struct plan *plan)
{
	const struct mail *mail = ask->mail;

	if (mail->spf)
		plan_note(plan, NOTE_SPF_SAID, span_of(spf_result_word(mail->spf->result)),
			mail->spf->because);
	else if (mail->asks_nobody && forged_is_asked(ask->conf, mail, plan))
		plan_note(plan, NOTE_SPF_UNASKED, mail->envelope.reverse_path.text, SPAN_NONE);
}
