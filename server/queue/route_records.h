/*
 * route_records.h - how each way out did since the start: what went well last, and what did not.
 *
 * For `route list`, not for deciding. One record a route or LAN target; where there are
 * ROUTE_RECORDS_MAX, the one that was used least lately goes. Any thread; outcomes come from all loops.
 */
#ifndef SERVER_QUEUE_ROUTE_RECORDS_H
#define SERVER_QUEUE_ROUTE_RECORDS_H

#include "proto/base/span.h"
#include "store/queued.h"

#define ROUTE_RECORDS_MAX 1000
#define ROUTE_RECORD_TEXT 300 /* bytes of the last error; the rest is cut */

struct outcome;
struct route_records;

struct route_record {
	uint64_t sent, deferred, failed; /* recipients */
	int64_t last_sent_ms, last_error_ms; /* 0: never */
	char last_error[ROUTE_RECORD_TEXT];
};

struct route_records *route_records_new(void);
void route_records_free(struct route_records **r);
/* Count what O says, at NOW_MS. */
void route_records_note(struct route_records *r, const struct outcome *o, int64_t now_ms);
/* By name, any letter case; all zero where nothing is known of it. */
void route_records_find(struct route_records *r, struct span route, struct route_record *out);

#endif
