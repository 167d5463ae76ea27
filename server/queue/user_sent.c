/*
 * user_sent.c - see user_sent.h.
 */
#include "server/queue/user_sent.h"

#include "conf/conf.h"
#include "proto/mail/message_no.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/queue/intake_entries.h"
#include "server/queue/own_mail.h"
#include "server/shared.h"

size_t
user_sent_take(struct host *host, struct mail *mail, const struct plan *plan)
{
	size_t count = mail->user_id != 0 ? plan_outgoing_count(plan) : 0;

	if (count > 0)
		mail->user_sent = shared_sent_take(
			host->shared, mail->user_id, count, host_steady_ms(host));
	return count;
}

void
user_sent_give_back(struct host *host, const struct mail *mail, size_t count)
{
	if (count > 0)
		shared_sent_give_back(host->shared, mail->user_id, count);
}

static void
tell_administrator(struct intake *in, struct span queue_id)
{
	struct host *host = in->host;
	struct span user = in->mail.user;
	struct own_mail letter = {
		.subject = arena_printf(&in->arena, "Mail of %.*s is held", SPAN_FMT(user)),
		.text = arena_printf(&in->arena,
			"%.*s has addressed more than %lld recipients elsewhere within an hour\n"
			"(limits.user_recipients_hour). What is beyond is held in the queue.\n\n"
			"The first message that is held:  %.*s\n"
			"It came from:                    %s\n\n"
			"Is it the user?     postroom queue release --filter 'user:%.*s state:held'\n"
			"Is it somebody else? He has the password:\n"
			"    postroom user passwd %.*s\n"
			"    postroom session end --user %.*s\n"
			"    postroom queue list --filter 'user:%.*s state:held'\n"
			"    postroom queue remove ID...\n\n"
			"There is at most one such message an hour for each user.\n",
			SPAN_FMT(user), (long long)host->conf->limits_user_recipients_hour,
			SPAN_FMT(queue_id), in->mail.peer.text, SPAN_FMT(user), SPAN_FMT(user),
			SPAN_FMT(user), SPAN_FMT(user)),
	};

	if (own_mail_send(host, &letter) != OK)
		log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "security",
					   .text = "the administrator could not be told",
					   .fields = { { "user", user, 0 } } });
}

void
user_sent_tell(struct intake *in)
{
	struct host *host = in->host;
	const struct intake_entry *held = intake_entry_of(in, ENTRY_HELD);
	char no[MESSAGE_NO_SIZE];
	struct span id;

	if (!held)
		return;
	id = message_no_format(held->queue_id, no);
	metric_add(host->metrics, held, held->count);
	log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "security",
				   .message = in->mail.id, .session = NULL,
				   .text = "held, too many recipients elsewhere in an hour",
				   .fields = { { "user", in->mail.user, 0 },
					   { "address", span_of(in->mail.peer.text), 0 },
					   { "recipients", .number = (int64_t)held->count },
					   { "queue", id, 0 } } });
	if (shared_sent_tell(host->shared, in->mail.user_id, host_steady_ms(host)))
		tell_administrator(in, id);
}
