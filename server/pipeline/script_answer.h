/*
 * script_answer.h - what a script in Lua said about a message (Q-13, RTE-12): a short list of actions, facts of
 * struct mail like those of SPF, so that the pipeline stays pure.
 *
 * A script runs in a child of the runner before AT_END (server/script/scripts.h); its answer is bytes of a process
 * that may be hostile, so it is checked here like what a peer says (H74). Where a script failed, was ended or could
 * not be run, `failed` says why, there are no actions, and the message goes the normal way (RTE-13).
 */
#ifndef SERVER_PIPELINE_SCRIPT_ANSWER_H
#define SERVER_PIPELINE_SCRIPT_ANSWER_H

#include "proto/base/arena.h"
#include "proto/mail/address.h"

struct mail;

#define SCRIPT_SENDS_MAX 20  /* addresses of redirect() and copy() together (H74) */
#define SCRIPT_FIELDS_MAX 20 /* set_header() */
#define SCRIPT_LOGS_MAX 20   /* log() */
#define SCRIPT_ACTIONS_MAX 64
#define SCRIPT_VALUE_MAX 900 /* bytes of one text: an address, a field's value, a reply */
#define SCRIPT_ANSWER_MAX (SCRIPT_ACTIONS_MAX * (2 * SCRIPT_VALUE_MAX + 8)) /* bytes on their way */

/* number, word, may a user's own script say it too */
#define SCRIPT_ACTIONS(X)             \
	X(1, REDIRECT, "redirect", true)  \
	X(2, COPY, "copy", true)          \
	X(3, KEEP, "keep", true)          \
	X(4, DISCARD, "discard", true)    \
	X(5, SET_HEADER, "set_header", true) \
	X(6, LOG, "log", true)            \
	X(7, REJECT, "reject", false)     \
	X(8, DEFER, "defer", false)

enum script_action_kind {
#define X(number, name, word, users) SCRIPT_##name = number,
	SCRIPT_ACTIONS(X)
#undef X
};

struct script_action {
	enum script_action_kind kind;
	struct address address; /* REDIRECT, COPY: checked; the domain may be missing: a user's name */
	struct span text;       /* as it was said: the address; SET_HEADER: the field's name; LOG, REJECT, DEFER */
	struct span value;      /* SET_HEADER: UTF-8 without controls; empty: the field is removed */
};

/*
 * What counts is gathered: `redirects` or `discards` take the message from where it would have gone (the user's
 * mailbox with all that follows there; for the site's script all recipients), `keeps` leaves it there in spite of
 * both. Copies leave it there, too. All of them are in ACTIONS, in the order in which they were said.
 */
struct script_answer {
	uint64_t user_id;   /* whose script; 0: the site's (rules.content) */
	struct span name;   /* for notes: "anna", "rules.content" */
	struct span failed; /* not empty: why it counts as not there; one line */
	const struct script_action *actions;
	size_t count;
	bool keeps, redirects, discards;
};

/* Facts of struct mail: one answer for each script that was asked for. */
struct script_answers {
	const struct script_answer *site; /* NULL: there is none, or it was not asked */
	const struct script_answer *users; /* by user_id, rising: each copy of a message asks for one */
	size_t user_count;
};

/* The answer of that user's script; NULL: he has none. A failed one is there, with no actions. */
const struct script_answer *mail_script(const struct mail *mail, uint64_t user_id);

/*
 * Read what a child said. ERR_SYNTAX: it is no answer, or says what it may not (by user_id of OUT). Fills all of
 * OUT but user_id and name; spans live in A.
 */
MUST_CHECK enum err script_answer_read(struct arena *a, struct span bytes, struct script_answer *out);

/* "redirect bo@example.net, keep"; the arguments of all but log; in A. */
struct span script_answer_text(struct arena *a, const struct script_answer *answer);

#endif
