/*
 * receipt_wish.c - who asks for a delivery receipt, and who gets none.
 *
 * H14 to H17: none for what a program sent, for lists, for reports; outside mail gets one only where the file says
 * so, the sender is not forged, and the receipt goes to the return address and nowhere else.
 */
#include "server/pipeline/receipt_wish.h"

#include "server/pipeline/forged.h"
#include "server/pipeline/mail_robot.h"

/* The first field of NAMES that is there; ptr NULL: none is. */
static struct span
first_field(const struct conf_list *names, struct span header, struct span *name)
{
	struct span value = SPAN_NONE;

	for (size_t i = 0; i < names->count && !value.ptr; i++) {
		*name = names->items[i];
		value = header_find(header, *name);
	}
	return value;
}

/* HDR-06, and what makes a receipt to the outside no weapon. */
static const char *
why_outside(const struct conf *conf, const struct mail *mail, struct span value)
{
	struct header_mailbox mailbox;

	if (conf->headers_receipts_local_only)
		return "it came from outside (headers.receipts_local_only)";
	if (mail_is_forged(mail))
		return "SPF says that the sender is not who he claims to be";
	if (!header_next_mailbox(&value, &mailbox) ||
		!span_eq_nocase(mailbox.address, mail->envelope.reverse_path.text))
		return "it came from outside, and names another address than its sender's";
	return NULL;
}

/* Contract 8: by login, or by its address in a range of ours. */
static bool
is_from_here(const struct conf *conf, const struct mail *mail, const struct plan *plan)
{
	const struct address *sender = &mail->envelope.reverse_path;

	return plan->standing == STANDING_USER ||
		(plan->standing == STANDING_RANGE &&
			conf_is_local(conf, sender->local_part, sender->domain));
}

static bool
reaches_somebody(const struct plan *plan)
{
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (copy_wants_receipt(copy))
			return true;
	return false;
}

bool
receipt_wish_read(const struct conf *conf, const struct mail *mail, const struct plan *plan,
	struct receipt_wish *out)
{
	struct span value;

	*out = (struct receipt_wish){ 0 };
	if (mail->via == MAIL_VIA_LOCAL) /* an import is no delivery, a report asks for nothing */
		return false;
	value = first_field(&conf->headers_delivery_receipt, mail->header, &out->field);
	if (!value.ptr || !reaches_somebody(plan))
		return false;
	out->refused = mail_robot_why(mail);
	if (!out->refused && !is_from_here(conf, mail, plan))
		out->refused = why_outside(conf, mail, value);
	return true;
}

void
receipt_wish_decide(const struct pipeline_ask *ask, struct plan *plan)
{
	const struct conf_list *sent = &ask->conf->headers_transmission_receipt;
	struct receipt_wish wish;
	struct span name;

	plan->receipt_sent = ask->mail->via != MAIL_VIA_LOCAL && plan_leaves(plan) &&
		first_field(sent, ask->mail->header, &name).ptr;
	if (!receipt_wish_read(ask->conf, ask->mail, plan, &wish))
		return;
	plan->receipt = wish.refused == NULL;
	plan_note(plan, wish.refused ? NOTE_RECEIPT_REFUSED : NOTE_RECEIPT_ASKED, wish.field,
		span_of(wish.refused));
}
