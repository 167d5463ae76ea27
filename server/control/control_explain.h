/*
 * control_explain.h - the pipeline asked in all its phases without a message, for `explain` and
 * `mapping test`: the same code as for a delivery, so they cannot disagree with one.
 */
#ifndef SERVER_CONTROL_CONTROL_EXPLAIN_H
#define SERVER_CONTROL_CONTROL_EXPLAIN_H

#include "server/control/control_call.h"
#include "server/pipeline/pipeline.h"
#include "server/script/scripts.h"

#define EXPLAIN_COPIES_MAX 1000 /* shown; a reply is one line of at most 1 MiB (H59) */
#define EXPLAIN_MESSAGE_MAX (64u << 20) /* bytes of a message that are read; the rest is only counted */
#define EXPLAIN_HEADER SPAN("Subject: explain\r\n\r\n")

struct explain_ask {
	enum mail_via via;
	struct span from;    /* empty or "<>": a report */
	struct span user;    /* who logged in, or empty */
	struct span collect; /* the collector, or empty */
	const struct span *to;
	size_t count;
	struct span peer;    /* address of the client; empty: a stranger's */
};

struct explained {
	struct span header, body, derived; /* set by the caller, as is size; the last two may be empty */
	uint64_t size;
	int64_t now_ms; /* likewise: of rules that look at the clock; 0: now */
	struct mail mail;
	const struct script_answers *scripts; /* what scripts said; NULL: none was asked */
	bool front; /* set by the caller: not AT_END, it is asked whose scripts are wanted */
	bool from_header; /* set by the caller: collected mail, who gets it and who sent it is looked for in it */
	struct scripts_question question;
	struct control_call *call;
	struct plan plan;
	const struct span *to; /* the addresses asked for, or found */
	size_t to_count;
	struct plan_reply *refused; /* one for each of them */
	enum phase at;
	enum verdict verdict;
};

/*
 * Worker: the message of the parameter `message` and its size, as it would be stored;
 * without one EXPLAIN_HEADER. FROM_HEADER: without a line in front that is none of a header
 * (INM-16). Fails the call.
 */
bool explained_read(struct control_call *call, struct explained *e);
/* Loop thread: what is known of it before anybody is asked; part of explained_run(). */
void explained_begin(struct control_call *call, struct explained *e, enum mail_via via);

/* Loop thread. False: the call has failed, with its reason. */
bool explained_run(struct control_call *call, struct explained *e, const struct explain_ask *ask);

/* What the parameters `via`, `auth` and `collect` of the call mean. */
enum mail_via explain_via(struct control_call *call);

/* "anna" for her INBOX, "anna/Old" for another of her folders; else the forward-path. */
struct span explained_target(struct control_call *call, const struct plan_copy *copy);

/* The members "copies", of EXPLAIN_EVERY_ROLE or one, and "more": how many are not shown. How many there are. */
#define EXPLAIN_EVERY_ROLE (-1)
size_t explained_put_copies(struct control_call *call, const struct explained *e, int role);

/* The steps of a method with CONTROL_EXPLAIN_PARAMS: call->state is a struct explained. `finish` begins with explain_run(). */
bool explain_work(struct control_call *call);
bool explain_scripts(struct control_call *call); /* `ask` */
bool explain_run(struct control_call *call);

bool explained_is_accepted(const struct explained *e); /* at its end */
/* The member "reply": what the peer would be told. */
void explained_put_reply(struct json_writer *w, const struct explained *e);

#endif
