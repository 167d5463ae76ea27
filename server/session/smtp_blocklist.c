/*
 * smtp_blocklist.c - asks the blocklists about a client, and lets MAIL wait for what they say (SMT-14).
 *
 * What is asked and what follows is the pipeline's (pipeline/blocklist.c). The wait ends with the resolver's
 * own time at the latest.
 */
#include <string.h>

#include "server/net/resolver.h"
#include "server/pipeline/blocklist.h"
#include "server/session/smtp_inside.h"

struct smtp_lookup {
	struct resolver_question question;
	struct smtp_lookups *all;
	struct blocklist_fact *fact;
};

/* In the arena of the transaction. */
struct smtp_lookups {
	struct smtp_session *smtp;
	size_t count, open;
	struct blocklist_fact *facts;
	struct smtp_lookup items[];
};

static void
keep_answers(struct blocklist_fact *fact, const struct resolver_answer *answer)
{
	fact->failed = answer->err != OK && answer->err != ERR_NOT_FOUND;
	for (size_t i = 0; i < answer->count && fact->count < BLOCKLIST_ANSWERS_MAX; i++)
		memcpy(fact->answers[fact->count++], answer->records[i].ip + 12, 4);
}

static void
on_answer(struct resolver_question *q, const struct resolver_answer *answer)
{
	struct smtp_lookup *lookup = LIST_ITEM(q, struct smtp_lookup, question);
	struct smtp_session *smtp = lookup->all->smtp;

	keep_answers(lookup->fact, answer);
	if (--lookup->all->open > 0)
		return;
	smtp->intake->mail.blocklists = lookup->all->facts;
	smtp->lookups = NULL;
	if (session_is_closing(&smtp->session))
		return; /* it has had its last words (H77) */
	session_set_doing(&smtp->session, "");
	smtp_decide_mail(smtp);
	session_resume(&smtp->session);
}

void
smtp_ask_blocklists(struct smtp_session *smtp)
{
	struct session *s = &smtp->session;
	struct arena *a = &smtp->intake->arena;
	size_t count = s->conf->smtp_blocklists.count;
	struct smtp_lookups *all =
		arena_alloc(a, sizeof(*all) + count * sizeof(struct smtp_lookup));

	ENSURE(count > 0 && count <= BLOCKLISTS_MAX);
	all->smtp = smtp;
	all->count = all->open = count;
	all->facts = ARENA_ARRAY(a, struct blocklist_fact, count);
	smtp->lookups = all;
	session_set_doing(s, "blocklists");
	session_set_deadline(s, 0, CLOSE_NONE);
	session_wait(s);
	session_wait_is_idle(s);
	for (size_t i = 0; i < count; i++) {
		struct smtp_lookup *lookup = &all->items[i];
		struct blocklist list = { .zone = SPAN_NONE };
		const char *why;

		lookup->all = all;
		lookup->fact = &all->facts[i];
		lookup->question.done = on_answer;
		if (blocklist_parse(s->conf->smtp_blocklists.items[i], &list, &why) != OK)
			list.zone = SPAN("invalid"); /* conf_check.c has refused such a file */
		resolver_ask(s->host->resolver, s->host->loop, &lookup->question,
			dns_reverse_name(a, s->peer.ip, list.zone), DNS_A);
	}
}

void
smtp_cancel_lookups(struct smtp_session *smtp)
{
	for (size_t i = 0; smtp->lookups && i < smtp->lookups->count; i++)
		resolver_cancel(&smtp->lookups->items[i].question);
	smtp->lookups = NULL;
}
