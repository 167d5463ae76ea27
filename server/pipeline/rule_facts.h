/*
 * rule_facts.h - what SMTP rules may look at of a message (SMR-04 to SMR-06), as conf/rule_match.h asks it; and the
 * parts of it that download rules look at too.
 */
#ifndef SERVER_PIPELINE_RULE_FACTS_H
#define SERVER_PIPELINE_RULE_FACTS_H

#include "conf/rule_match.h"
#include "server/pipeline/mail.h"

/*
 * The facts of MAIL at STAGE; at 2 about RECIPIENT, which follows those of the envelope, at 3 about all of
 * them. In A; SET says which fields of the header are worth reading.
 */
void rule_facts_fill(struct rule_facts *out, struct arena *a, const struct rule_set *set,
	const struct mail *mail, unsigned stage, const struct address *recipient);

/* The fields of TEXT, a header, that SET asks for. In A. */
const struct rule_header *rule_facts_header(
	struct arena *a, const struct rule_set *set, struct span text);

/* The local day (1 = Sunday) and minute of NOW_MS, ZONE_MINUTES east of UTC. */
void rule_facts_clock(struct rule_facts *out, int64_t now_ms, int zone_minutes);

#endif
