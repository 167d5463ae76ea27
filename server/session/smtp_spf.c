/*
 * smtp_spf.c - asks name servers whether a sender is forged, while his text comes (H14).
 *
 * Whom it is asked about, and what follows, is the pipeline's (pipeline/forged.c); what to ask is check_host()'s
 * (proto/auth/spf.c). Who has sent his text waits SPF_WAIT_MS for it at most: then nobody could say, which forges
 * nothing (H69).
 */
#include <string.h>

#include "server/net/resolver.h"
#include "server/pipeline/forged.h"
#include "server/session/smtp_inside.h"

#define SPF_WAIT_MS 5000 /* behind the text */

/* In the arena of the transaction. */
struct smtp_spf {
	struct smtp_session *smtp;
	struct spf machine;
	struct spf_fact fact;
	struct resolver_question question;
	struct loop_timer deadline;
	bool waited_for;
};

static void
settle(struct smtp_spf *spf, enum spf_result result, struct span because)
{
	struct smtp_session *smtp = spf->smtp;
	bool waited_for = spf->waited_for;

	spf->fact = (struct spf_fact){ result, because };
	smtp->intake->mail.spf = &spf->fact;
	smtp_spf_cancel(smtp);
	if (!waited_for || session_is_closing(&smtp->session))
		return; /* it has had its last words (H77) */
	smtp_gather_end(smtp);
	if (!smtp->intake) /* refused; else it is resumed when it is on disk */
		session_resume(&smtp->session);
}

/* Ask what the machine asks; false: it has a result. */
static bool
go_on(struct smtp_spf *spf)
{
	struct host *host = spf->smtp->session.host;
	struct spf_question q;

	if (!spf_next(&spf->machine, &q))
		return false;
	resolver_ask(host->resolver, host->loop, &spf->question, q.name, q.type);
	return true;
}

/* "example.net: -all" */
static void
settle_by_machine(struct smtp_spf *spf)
{
	const struct spf *m = &spf->machine;

	settle(spf, m->result,
		arena_printf(m->arena, "%.*s: %.*s", SPAN_FMT(m->who.domain), SPAN_FMT(m->because)));
}

static void
on_answer(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct smtp_spf *spf = LIST_ITEM(q, struct smtp_spf, question);

	spf_answer(&spf->machine, answer->err, answer->records, answer->count);
	if (!go_on(spf))
		settle_by_machine(spf);
}

static void
on_deadline(struct loop_timer *timer)
{
	struct smtp_spf *spf = LIST_ITEM(timer, struct smtp_spf, deadline);

	settle(spf, SPF_TEMPERROR, SPAN("no answer in time"));
}

void
smtp_spf_begin(struct smtp_session *smtp)
{
	struct mail *mail = &smtp->intake->mail;
	const struct address *sender = &mail->envelope.reverse_path;
	struct spf_sender who = { .local_part = sender->local_part, .domain = sender->domain,
		.helo = mail->helo };
	struct smtp_spf *spf;

	if (mail->spf || smtp->spf || !forged_is_asked(smtp->session.conf, mail, &smtp->intake->plan))
		return;
	memcpy(who.ip, mail->peer.ip, sizeof(who.ip));
	spf = ARENA_NEW(mail->arena, struct smtp_spf);
	spf->smtp = smtp;
	spf->question.done = on_answer;
	loop_timer_init(&spf->deadline, on_deadline);
	spf_init(&spf->machine, mail->arena, &who);
	smtp->spf = spf;
	if (!go_on(spf))
		settle_by_machine(spf);
}

bool
smtp_spf_wait(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;

	smtp_spf_begin(smtp); /* the header may ask for what the envelope did not */
	if (!smtp->spf)
		return false;
	smtp->spf->waited_for = true;
	session_set_doing(s, "SPF");
	session_set_deadline(s, 0, CLOSE_NONE);
	session_wait(s);
	session_wait_is_idle(s);
	loop_timer_set(s->host->loop, &smtp->spf->deadline, SPF_WAIT_MS);
	return true;
}

void
smtp_spf_cancel(struct smtp_session *smtp)
{
	if (!smtp->spf)
		return;
	resolver_cancel(&smtp->spf->question);
	loop_timer_clear(&smtp->spf->deadline);
	smtp->spf = NULL;
}
