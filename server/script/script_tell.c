/*
 * script_tell.c - who hears what a script said: the log; of one that failed the Main Administrator too (RTE-13).
 */
#include "server/log.h"
#include "server/queue/own_mail.h"
#include "server/script/scripts_inside.h"
#include "server/shared.h"

static void
log_one(struct host *host, const struct mail *mail, const struct script_answer *answer,
	const char *text, struct span what)
{
	log_put(host->log, &(struct log_line){
				   .level = answer->failed.len > 0 ? LEVEL_WARNING : LEVEL_INFO,
				   .area = "server", .message = mail->id, .text = text,
				   .fields = { { "script", answer->name, 0 }, { "says", what, 0 } } });
}

static void
tell_administrator(struct host *host, const struct mail *mail, const struct script_answer *answer)
{
	bool of_site = answer->user_id == 0;
	struct span name = answer->name;
	struct own_mail letter = {
		.subject = of_site ? SPAN("The content rules failed")
				   : arena_printf(mail->arena, "The script of %.*s failed",
					     SPAN_FMT(name)),
		.text = arena_printf(mail->arena,
			"The script %.*s failed, and the message went the normal way, as if there were "
			"no script.\n\n"
			"Why:      %.*s\n"
			"Message:  %.*s\n"
			"From:     <%.*s>\n\n"
			"Look at it:  postroom %s%.*s\n"
			"What came:   postroom trace %.*s\n\n"
			"There is at most one such message an hour for each script; all failures are in "
			"the log.\n",
			SPAN_FMT(name), SPAN_FMT(answer->failed), SPAN_FMT(mail->id),
			SPAN_FMT(mail->envelope.reverse_path.text),
			of_site ? "rule content show" : "user script ", of_site ? 0 : (int)name.len,
			name.ptr, SPAN_FMT(mail->id)),
	};

	if (own_mail_send(host, &letter) != OK)
		log_one(host, mail, answer, "the administrator could not be told of a script",
			answer->failed);
}

void
script_tell(struct host *host, const struct mail *mail, const struct script_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (answer->actions[i].kind == SCRIPT_LOG)
			log_one(host, mail, answer, "a script notes", answer->actions[i].text);
	if (answer->failed.len == 0)
		return;
	log_one(host, mail, answer, "a script failed, the message goes the normal way",
		answer->failed);
	if (shared_script_tell(host->shared, answer->user_id, host_steady_ms(host)))
		tell_administrator(host, mail, answer);
}
