/*
 * pipeline.h - decides what happens to a message: the stages of stages.c, in order.
 *
 * A pure function of the message, a snapshot of the store and one generation of the configuration:
 * it writes nothing, and the same question has the same answer. SMTP asks it at each phase of a
 * transaction; import and explain ask all phases at once. So explain and a delivery agree.
 */
#ifndef SERVER_PIPELINE_PIPELINE_H
#define SERVER_PIPELINE_PIPELINE_H

#include "server/pipeline/mail.h"
#include "server/pipeline/plan.h"

struct name_wants;
struct names;
struct snapshot;

/* Bits, so that a stage can name the phases it takes part in. */
enum phase {
	AT_CONNECT = 1, /* peer and service are known */
	AT_MAIL = 2,    /* who logged in, HELO, return address, announced size */
	AT_RCPT = 4,    /* once a recipient, which is ask.recipient */
	AT_END = 8,     /* header and size */
};

enum verdict {
	STAGE_NEXT,   /* nothing against it; the next stage */
	STAGE_STOP,   /* settled: later stages are not asked in this phase */
	STAGE_REJECT, /* plan->reply says why, 5xx */
	STAGE_DEFER,  /* plan->reply says why, 4xx */
	STAGE_WAIT,   /* a fact of MAIL is missing: run the phase again when it is there */
};

struct pipeline_ask {
	const struct conf *conf;
	struct snapshot *snap; /* may be NULL AT_CONNECT only */
	struct mail *mail;     /* the limits stage may complete reverse_path with the default domain */
	struct address recipient; /* AT_RCPT: as the peer wrote it; completed with the default domain */
	/* Between the stages of one phase. */
	bool is_local;            /* AT_RCPT: in a valid domain (LOC-03) */
	struct name_wants *wants; /* AT_RCPT: the names that mapping leaves for maillist */
	struct names *names;      /* AT_RCPT: whom the recipient means */
	size_t recipient_no;      /* AT_RCPT: its place in the envelope, if it is accepted */
	struct span rule_copy;    /* AT_RCPT: an SMTP rule copies it there; or empty */
	bool ruled;               /* AT_RCPT: an SMTP rule about this recipient has decided */
	enum err found;           /* AT_RCPT: OK; ERR_NOT_FOUND: nobody; ERR_DENIED: who may not */
};

struct stage {
	const char *name;
	unsigned phases;
	enum verdict (*run)(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
};

/* In the order in which they are asked. */
extern const struct stage stages[];
extern const size_t stage_count;

/* Begin with the names of a recipient: of the next one, or AT_END of a target on behalf of the first. */
void pipeline_ask_again(struct pipeline_ask *ask, struct plan *plan);

/* Before AT_END: fills facts and header_is_over of MAIL from its header (H7). */
void pipeline_read_header(const struct conf *conf, struct mail *mail);

/*
 * Run one phase. STAGE_NEXT: go on (250). STAGE_REJECT and STAGE_DEFER: answer plan->reply; notes were
 * added, and AT_RCPT the next recipient may be asked. STAGE_WAIT,
 * AT_MAIL alone: blocklists have to be asked; then nothing was noted.
 *
 * AT_RCPT adds the copies of one recipient, and the caller adds it to the envelope (ask.recipient, as
 * completed) where the verdict is STAGE_NEXT. AT_END sets plan->header and plan->front.
 */
enum verdict pipeline_run(struct pipeline_ask *ask, enum phase phase, struct plan *plan);

/*
 * All four phases for a message that is here as a whole: import, explain. mail->envelope has the sender
 * and mail->header the header; RECIPIENTS are the addresses asked for, the accepted ones are added to the
 * envelope. STAGE_REJECT or STAGE_DEFER with *at: the phase that refused; AT_RCPT means that
 * nobody was accepted, which is no refusal of collected mail (ADM-02) (refused[i], may be NULL, has the reply of each refused one, code 0 of others).
 */
enum verdict pipeline_run_all(struct pipeline_ask *ask, const struct address *recipients,
	size_t count, struct plan_reply *refused, struct plan *plan, enum phase *at);

/* The same without AT_END: for who gathers facts of a message in between. */
enum verdict pipeline_run_front(struct pipeline_ask *ask, const struct address *recipients,
	size_t count, struct plan_reply *refused, struct plan *plan, enum phase *at);

#endif
