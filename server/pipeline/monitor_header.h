/*
 * monitor_header.h - the header of a monitoring copy (MON-06).
 *
 *     X-Monitor-Recipients: dora@far.test,        one line each where they do not fit; X-Monitor-Recipient
 *         bert@example.org                        where there is one
 *     Auto-Submitted: auto-generated              so that nobody's robot answers it (RFC 3834, 5)
 *     Received: ...                               what a mailbox here gets,
 *     Subject: {Mon-Outgoing} offer               with the prefix, without fields that ask for a receipt
 */
#ifndef SERVER_PIPELINE_MONITOR_HEADER_H
#define SERVER_PIPELINE_MONITOR_HEADER_H

#include "server/pipeline/pipeline.h"

#define MONITOR_RECIPIENTS_MAX 131072 /* bytes of recipients that are listed, about; the others are counted */

/*
 * A new version of PLAN with PREFIX before the subject. Needs plan->header. ERR_SYNTAX, ERR_LIMIT: PREFIX is no
 * text for a header field.
 */
MUST_CHECK enum err monitor_header_make(const struct pipeline_ask *ask, struct plan *plan,
	struct span prefix, const struct plan_version **version);

#endif
