/*
 * pipeline/blocklist.h - what DNS blocklists said of a client, and what follows (SMT-14).
 *
 * The session asks the name servers where blocklists_wanted() says so, and puts the answers into struct
 * mail; the stage of limits decides by them. A list that does not answer refuses nobody.
 */
#ifndef SERVER_PIPELINE_BLOCKLIST_H
#define SERVER_PIPELINE_BLOCKLIST_H

#include "conf/blocklist.h"
#include "server/pipeline/pipeline.h"

#define BLOCKLIST_ANSWERS_MAX 8 /* addresses of one answer that are looked at */
#define BLOCKLIST_FIELD "X-Blocklist"

/* Of one line of smtp.blocklists. */
struct blocklist_fact {
	bool failed; /* no answer in time, SERVFAIL, nonsense */
	unsigned char answers[BLOCKLIST_ANSWERS_MAX][4];
	size_t count; /* 0: not listed */
};

/*
 * Are the lists of CONF asked about the peer of MAIL? Not for who is logged in or may send without, not
 * for this machine, private networks and our own, and not for smtp.blocklist_allow. The address 127.0.0.2,
 * the test entry of every list (RFC 5782, 5), counts as any address outside.
 */
bool blocklists_wanted(const struct conf *conf, const struct mail *mail);

/* Is the peer in smtp.blocklist_allow? */
bool blocklist_allows(const struct conf *conf, const struct mail *mail);

/* STAGE_WAIT: the answers are not there. Else STAGE_NEXT with notes. Before all other notes AT_MAIL. */
enum verdict blocklists_at_mail(struct pipeline_ask *ask, struct plan *plan);
/* STAGE_REJECT, but for postmaster and abuse of ours, who can be told of a mistake. */
enum verdict blocklists_at_rcpt(struct pipeline_ask *ask, struct plan *plan);

/* A field for each `mark` line that fits. ERR_LIMIT: OUT is full. */
MUST_CHECK enum err blocklists_put_marks(
	const struct conf *conf, const struct mail *mail, struct buf *out);

#endif
