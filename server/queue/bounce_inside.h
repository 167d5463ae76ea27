/*
 * bounce_inside.h - what bounce.c, its rules and its reports share.
 */
#ifndef SERVER_QUEUE_BOUNCE_INSIDE_H
#define SERVER_QUEUE_BOUNCE_INSIDE_H

#include "proto/mail/delivery_report.h"
#include "server/pipeline/note.h"
#include "server/queue/bounce.h"
#include "proto/base/text_fill.h"
#include "server/queue/report_write.h"

/* ---- bounce_rules.c: pure ---- */

/* Did this recipient's NOTIFY ask for a report of KIND (RFC 3461, 4.1)? */
bool bounce_notify_wants(uint32_t notify, enum bounce_kind kind);
/* A name to which no report goes: Mailer_Daemon, ListServer, and what robots elsewhere are called. */
bool bounce_is_robot(struct span address);
struct span bounce_domain(struct span address); /* what follows the last @ */

/* ---- bounce_report.c ---- */

/* One report. All spans are copies: nothing points into the map. */
struct bounce_report {
	struct txn *txn;
	const struct bounce_ground *ground;
	struct arena *arena;
	struct span subject, text;
	enum report_action action;
	enum queued_report kind; /* of the report's own entry */
	struct queued queued;    /* of the message */
	const struct bounce_recipient *recipients;
	size_t count;
	int64_t retry_until_ms;
	struct bounce_original original;
	bool with_body;
	bool without_original, plain; /* a receipt quotes nothing, and is text alone */
};

/* Write it to the ADDRESS, or to the Main Administrator. ERR_NOT_FOUND: nobody takes it. */
MUST_CHECK enum err bounce_report_to(
	struct bounce_report *r, struct span address, struct report_written *out);
MUST_CHECK enum err bounce_report_to_admin(struct bounce_report *r, struct report_written *out);

/* Header and front of the body of an entry's content, copied into A; empty where they cannot be read. */
void bounce_original_read(struct snapshot *snap, uint64_t content_id, size_t body_max,
	struct arena *a, struct bounce_original *out);

#endif
