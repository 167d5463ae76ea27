/*
 * collected_who.h - for whom a collected message is: what its header tells, and what the collector makes of it (INM-06
 * to INM-20).
 *
 * A POP3 mailbox has lost the envelope, so recipients are looked for in the header, step by step in the collector's
 * order (INM-13). A pure function of the configuration, a snapshot and a header: it is asked of a whole message, of
 * what TOP gave, and by `explain`.
 *
 *     route recipient  special fields, To Cc Apparently-To Resent-, Received; each step may end it
 *           single     the same, and a name that stands beside our address (INM-19)
 *           subject    the name between the marks of the subject (INM-20)
 *           all, lan   the collector's target, whatever the header says (INM-09)
 *
 * "Recognised" is what the accepted domains fit, also when nobody of that name exists (contract 8).
 */
#ifndef SERVER_PIPELINE_COLLECTED_WHO_H
#define SERVER_PIPELINE_COLLECTED_WHO_H

#include "server/pipeline/mail.h"
#include "server/pipeline/plan.h"

#define COLLECTED_LOOKED_MAX 10000     /* addresses of To, Cc, ... that are looked at, and a tenth of other fields */
#define COLLECTED_COMPARED_MAX 1000000 /* of them with entries of the accepted domains */
#define COLLECTED_LOOKUPS_MAX 500      /* names beside addresses and in subjects that are looked up (INM-19, INM-20) */
#define COLLECTED_TARGETS_MAX 100      /* of them, and of download rules, that one message goes to */
/* Recipients of one message: limits.recipients; the rest is noted. */

struct snapshot;

struct collected_ask {
	const struct conf *conf;
	struct snapshot *snap;
	/*
	 * via MAIL_VIA_POP3, collect, header and facts (pipeline_read_header()) are read; `targets` is set, for the
	 * pipeline: it must be the mail that is given to it.
	 */
	struct mail *mail;
	const struct conf_collector *collector;
	struct span instead; /* of a download rule: a user or list that gets it in place of all others; or empty */
	struct span also;    /* likewise, besides them */
	struct span envelope; /* whom the server itself names (INM-18): where it is ours, nothing else is read */
};

/*
 * The recipients, each once, in the order found; *OUT lives in the arena of PLAN and goes to pipeline_run_front().
 * *COUNT 0: nobody was found, and the pipeline knows what then (ADM-02). Notes in PLAN say which field named whom, and
 * what was looked at and passed over. ERR_IO, ERR_CORRUPT: the store could not be read.
 */
MUST_CHECK enum err collected_who(
	const struct collected_ask *ask, struct plan *plan, struct address **out, size_t *count);

/*
 * Its return path: the Return-Path that was left in it; else a report or an automatic answer has none, and any
 * other is Sender's or From's. ADDRESS_NULL: none. For envelope_init(). *OUT lives in the arena of the mail.
 */
void collected_return_path(const struct mail *mail, struct address *out);

#define COLLECTED_NAMES_MAX 1000
/* Who would get it: for `Rcpt:` of download rules, for questions and notices (DLR-05, -07, -10). */
struct collected_names {
	const struct span *users; /* with a mailbox here: after mappings, lists, assistants and forwarding; each once,
				    * the first COLLECTED_NAMES_MAX */
	size_t count;
	struct span notes;   /* of plan_notes(): which field named whom, what was passed over, and the way from there */
	bool only_elsewhere; /* all are *REMOTE, or unknown where that means it: not downloaded (MAP-12) */
};
/* From a header alone; asks the pipeline with a plan of its own in ARENA. Any envelope of ASK's mail is replaced. */
MUST_CHECK enum err collected_names(
	const struct collected_ask *ask, struct arena *arena, struct collected_names *out);

#endif
