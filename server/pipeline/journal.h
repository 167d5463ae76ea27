/*
 * journal.h - the copies of a message for the journal: what is in them, and where they go (JRN-01 to JRN-05).
 *
 * One version for all of them: the envelope, then the original as it came. The internal copy lies in a mailbox that
 * is fetched by POP3; the external one waits in the queue for JOURNAL_ROUTE, which the configuration resolves when it is
 * tried (server/queue/journal_route.h).
 */
#ifndef SERVER_PIPELINE_JOURNAL_H
#define SERVER_PIPELINE_JOURNAL_H

#include "conf/conf.h"
#include "proto/mail/journal_report.h"
#include "server/pipeline/pipeline.h"

/* Is USER the mailbox of the journal? It has no quota, scripts, forwarding, and is not of Everyone (JRN-02). */
static inline bool
journal_is_mailbox(const struct conf *conf, struct span user)
{
	return conf->journal_internal.len > 0 && span_eq_nocase(conf->journal_internal, user);
}

/* The envelope of a message and where its recipients led, in the plan's arena. AT_END, behind `place`. */
struct journal_envelope journal_envelope_of(const struct pipeline_ask *ask, const struct plan *plan);

/* What the journal gets, in the format of the configuration, for TO. ERR_LIMIT, ERR_SYNTAX. */
MUST_CHECK enum err journal_version_make(struct pipeline_ask *ask, struct plan *plan, struct span to,
	const struct plan_version **out);

#endif
