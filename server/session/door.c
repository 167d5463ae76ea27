/*
 * door.c - access lines at the door of every service.
 */
#include "server/session/door.h"

#include <netinet/in.h>
#include <string.h>

#include "server/metrics.h"
#include "server/queue/refusals.h"
#include "server/services.h"

struct access_list
door_lines(const struct conf *conf, unsigned service)
{
	const struct conf_service *row =
		service < SERVICE_COUNT ? conf_service(conf, (enum service_name)service) : NULL;

	return row ? row->access : (struct access_list){ 0 };
}

struct access_decision
door_access(const struct conf *conf, unsigned service, const struct peer *peer, struct span user)
{
	struct in6_addr address;

	if (peer->is_unix)
		return (struct access_decision){ .answer = ACCESS_ALLOW };
	memcpy(&address, peer->ip, sizeof(address));
	return access_decide(door_lines(conf, service), &address, user);
}

bool
door_allows_login(
	const struct conf *conf, unsigned service, const struct peer *peer, struct span user)
{
	struct access_decision decision = door_access(conf, service, peer, user);

	if (decision.answer != ACCESS_DENY)
		return true;
	return service == SERVICE_smtp && !decision.line &&
		door_access(conf, service, peer, SPAN_NONE).answer == ACCESS_DENY;
}

static enum mail_via
via_of(const struct service *service)
{
	switch (service->number) {
	case SERVICE_smtp:
		return MAIL_VIA_MX;
	case SERVICE_submission:
	case SERVICE_submissions:
		return MAIL_VIA_SUBMISSION;
	case SERVICE_lmtp:
		return MAIL_VIA_LMTP;
	default:
		return MAIL_VIA_POP3; /* nobody relays there: lines refuse connections */
	}
}

void
door_mail(struct mail *mail, const struct conf *conf, const struct service *service,
	const struct peer *peer)
{
	mail->via = via_of(service);
	mail->service = service->name;
	mail->access = door_lines(conf, service->number);
	mail->peer = *peer;
}

static void
note_refusal(struct session *s, struct mail *mail, struct plan *plan)
{
	metric_add(s->host->metrics, refused, 1);
	refusals_note(s->host, mail, plan, SPAN_NONE);
	session_log(s, LEVEL_INFO, .text = "refused",
		.fields = { { "code", SPAN_NONE, plan->reply.code },
			{ "reason", plan->reply.text, 0 },
			{ "service", span_of(s->service->name), 0 },
			{ "peer", span_of(s->peer.text), 0 } });
}

bool
door_opens(struct session *s)
{
	struct mail *mail;
	struct plan *plan;
	struct pipeline_ask ask;
	bool opens;

	if (s->service->is_control)
		return true;
	mail = ARENA_NEW(&s->command, struct mail);
	plan = ARENA_NEW(&s->command, struct plan);
	ask = (struct pipeline_ask){ .conf = s->conf, .mail = mail };
	mail->arena = &s->command;
	mail->session = span_of(s->name);
	door_mail(mail, s->conf, s->service, &s->peer);
	plan_init(plan, &s->command);
	opens = pipeline_run(&ask, AT_CONNECT, plan) == STAGE_NEXT;
	if (!opens)
		note_refusal(s, mail, plan);
	arena_reset(&s->command);
	return opens;
}
