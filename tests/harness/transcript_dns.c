/*
 * transcript_dns.c - the name servers of a transcript: what its lines `given dns` say.
 *
 * The linker puts these two in the place of the resolver's. An answer comes in the next turn, one of a
 * name that is `silent` with the line `dns gives up`.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/resolver.h"
#include "tests/harness/transcript_inside.h"

/* In the place of the resolver's own: it knows its size, and nobody else looks into it. */
struct resolver_request {
	struct resolver_question *question; /* NULL: cancelled */
	struct resolver_answer answer;
	struct dns_record record;
	bool silent;
	struct list link;
};

static struct list waiting = LIST_INIT(waiting);

void __wrap_resolver_ask(struct resolver *r, struct loop *asker, struct resolver_question *q,
	struct span name, enum dns_type type);
void __wrap_resolver_cancel(struct resolver_question *q);

/* "192.0.2.9 none": the rest of the line for NAME, "none" where there is none. */
static const char *
answer_for(struct span name)
{
	char want[DNS_NAME_MAX + 16];
	const char *rest;

	snprintf(want, sizeof(want), "given dns %.*s ", SPAN_FMT(name));
	for (size_t i = 0; i < now->count; i++)
		if ((rest = after(now->lines[i], want)))
			return rest;
	return "none";
}

static void
deliver(void *arg)
{
	struct resolver_request *request = arg;
	struct resolver_question *q = request->question;

	if (q) {
		q->request = NULL;
		q->done(q, &request->answer);
	}
	free(request);
}

void
__wrap_resolver_ask(struct resolver *r, struct loop *asker, struct resolver_question *q,
	struct span name, enum dns_type type)
{
	struct resolver_request *request = calloc(1, sizeof(*request));
	const char *says = answer_for(name);

	(void)r;
	(void)type;
	ENSURE(request && !q->request && dns_name_is_valid(name));
	request->question = q;
	q->request = request;
	request->answer = (struct resolver_answer){ ERR_NOT_FOUND, &request->record, 0 };
	if (inet_pton(AF_INET, says, request->record.ip + 12) == 1) {
		request->answer.err = OK;
		request->answer.count = 1;
	} else if (strcmp(says, "none") != 0) {
		request->answer.err = ERR_IO; /* fail, silent */
	}
	if (strcmp(says, "silent") == 0)
		list_append(&waiting, &request->link);
	else
		loop_post(asker, deliver, request);
}

void
__wrap_resolver_cancel(struct resolver_question *q)
{
	if (q->request)
		q->request->question = NULL;
	q->request = NULL;
}

void
dns_gives_up(void)
{
	struct list *link;

	while ((link = list_take_first(&waiting)))
		deliver(LIST_ITEM(link, struct resolver_request, link));
}
