/*
 * scripts.h - the scripts that a message asks for, run before the pipeline is asked AT_END (RTE-12, RTE-13).
 *
 *     the site's script, and that of each user whose mailbox the message may reach
 *     --> children of the runner, SCRIPTS_AT_ONCE of them for one message
 *     --> those whom an answer names, in turn, with their scripts
 *     --> mail->scripts: facts, as those of SPF
 *
 * Who may be reached is asked of the plan, of assistants, forwarding and size rules: rather a script too many is run
 * than one too few, for it changes nothing by itself. Lists and groups that a script names are not opened. After
 * SCRIPTS_WAIT_MS what has no answer counts as failed, also where the runner had no room until then: the normal way,
 * with a note, and a letter to the Main Administrator, one for each script and hour.
 */
#ifndef SERVER_SCRIPT_SCRIPTS_H
#define SERVER_SCRIPT_SCRIPTS_H

#include "server/host.h"
#include "server/pipeline/mail.h"
#include "server/pipeline/plan.h"

#define SCRIPTS_AT_ONCE 8	/* of one message, in the hands of the runner */
#define SCRIPTS_MESSAGE_MAX 500 /* of one message; of more users the scripts count as failed */
#define SCRIPTS_REACHED_MAX 10000 /* users that are looked at for one message (limits.expansion_recipients) */
#define SCRIPTS_WAIT_MS 10000	/* a message waits for all of them, then goes on without */
#define SCRIPTS_LOOKED_AT 200 /* of them in one turn of the loop: some 10 us each (H36) */
#define SCRIPTS_LOOK_MS 1 /* to the next turn */
#define SCRIPTS_AGAIN_MS 20	/* where the runner has no room it is asked again so much later */

struct scripts_asked;

/* Embedded in whoever asks, zeroed at first; not to be moved or freed before `done`. */
struct scripts_question {
	void (*done)(struct scripts_question *q);
	bool explains; /* nobody is told of failures, nothing is logged */
	struct scripts_asked *asked; /* NULL: nothing is under way */
};

/*
 * Fill mail->scripts for PLAN, which has been asked up to AT_RCPT; MAIL is whole. False: it is done. True: `done` follows
 * on this loop, never in this call, unless it is cancelled. All lives in mail->arena.
 */
bool scripts_ask(struct host *host, struct scripts_question *q, struct mail *mail, const struct plan *plan);
void scripts_cancel(struct scripts_question *q);

#endif
