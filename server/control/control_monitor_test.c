/*
 * control_monitor_test.c - `rule monitor test`: would a message be monitored, by which profile, for whom (MON-01 to MON-06).
 *
 * The pipeline is asked as `explain` asks it; of its answer only what is about monitoring is told.
 */
#include "conf/conf.h"
#include "server/control/control_archive.h"
#include "server/control/control_explain.h"
#include "server/control/control_notes.h"
#include "server/pipeline/direction.h"

/* The notes of the stage; without any, why there is none. */
static void
put_why(struct control_call *call, const struct explained *e, bool accepted, unsigned direction)
{
	struct span notes = plan_notes(&e->plan);
	struct json_writer *w = &call->json;
	struct note note;
	size_t told = 0;

	json_put_name(w, SPAN("why"));
	json_put_array(w);
	while (accepted && note_take(&notes, &note) == PARSE_DONE)
		if (span_eq(note.stage, SPAN("monitor"))) {
			json_put_string(w, control_note_text(&call->arena, note.code, note.found, note.because));
			told++;
		}
	if (!accepted)
		json_put_string(w, SPAN("it is refused: see reply"));
	else if (told == 0 && call->host->conf->monitor.count == 0)
		json_put_string(w, SPAN("there is no monitoring profile"));
	else if (told == 0 && e->mail.via == MAIL_VIA_LOCAL)
		json_put_string(w, SPAN("what the server itself writes is not monitored"));
	else if (told == 0 && direction == 0)
		json_put_string(w, SPAN("it goes nowhere: it has no direction"));
	else if (told == 0)
		json_put_string(w, SPAN("no profile takes it: rule monitor list says what each does, rule monitor show who is flagged"));
	json_put_close(w);
}

static void
test_finish(struct control_call *call)
{
	struct explained *e = call->state;
	struct pipeline_ask ask = { .conf = call->host->conf, .mail = &e->mail };
	struct json_writer *w = &call->json;
	bool accepted;
	unsigned direction;

	if (!explain_run(call))
		return;
	accepted = explained_is_accepted(e);
	direction = accepted ? mail_direction(&ask, &e->plan) : 0;
	json_put_object(w);
	json_put_member_bool(w, SPAN("monitored"), explained_put_copies(call, e, COPY_MONITOR) > 0);
	json_put_member_string(w, SPAN("direction"), control_archive_direction(&call->arena, direction));
	put_why(call, e, accepted, direction);
	explained_put_reply(w, e);
	json_put_close(w);
}

const struct control_handler control_do_rule_monitor_test = {
	.work = explain_work,
	.work_kind = WORK_GENERAL,
	.ask = explain_scripts,
	.finish = test_finish,
};
