/*
 * mailbox_step.h - what one mailbox does with a message: its script, size rules, assistants and forwarding.
 *
 * Asked AT_END, when the size and the answers of scripts are known (RTE-10). One mailbox alone: who else gets the message, and whether a way
 * leads back, is for stage_mailbox.c.
 */
#ifndef SERVER_PIPELINE_MAILBOX_STEP_H
#define SERVER_PIPELINE_MAILBOX_STEP_H

#include "server/pipeline/names.h"
#include "server/pipeline/pipeline.h"

struct box;

/* Where a step of the mailbox sends the message. */
struct mailbox_target {
	struct mailbox_target *next;
	struct name name;  /* a user, or an address elsewhere */
	bool instead;      /* by a redirect: no copy stays */
	/* stage_mailbox.c: */
	struct box *box;   /* the mailbox of a user */
	struct box *of;    /* whose target it is */
	struct mailbox_target *beside; /* the next that leads to BOX instead */
};

/* What is asked: what USER's mailbox does with the copy that it has, or that led to it. */
struct mailbox_question {
	const struct user *user;
	const struct plan_copy *copy;
	bool quiet; /* without notes */
};

struct mailbox_answer {
	struct mailbox_target *first, **end;
	bool redirects; /* a step sends it on, so no copy stays */
	bool discards;  /* its script throws it away */
};

/* Has the mailbox of USER anything to decide, but for what his script said? */
bool mailbox_acts(const struct user *user);

/*
 * What the steps of the mailbox want, in their order, each with a note. Targets that nobody knows are left out. The
 * answer lives in the arena of PLAN.
 */
MUST_CHECK enum err mailbox_ask(struct pipeline_ask *ask, const struct mailbox_question *question,
	struct plan *plan, struct mailbox_answer *out);

#endif
