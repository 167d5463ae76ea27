/*
 * mail_date.h - dates of RFC 5322, section 3.3 and 4.3. The time is given; nothing asks a clock.
 */
#ifndef PROTO_MAIL_MAIL_DATE_H
#define PROTO_MAIL_MAIL_DATE_H

#include "proto/base/buf.h"
#include "proto/base/span.h"

#define MAIL_DATE_OFFSET_MAX 1439 /* minutes east or west of UTC */

struct mail_date {
	int64_t seconds;    /* since 1970-01-01T00:00:00Z */
	int offset_minutes; /* east of UTC: the writer's zone */
};

/*
 * "Sat, 21 Nov 2026 22:36:39 +0000". ERR_LIMIT: a year outside 0 to 9999, an offset over the
 * limit, or OUT full.
 */
MUST_CHECK enum err mail_date_put(struct buf *out, struct mail_date date);

/* "2026-11-21T22:36:39Z" (RFC 3339): logs, the control protocol. Same errors. */
MUST_CHECK enum err mail_date_put_rfc3339(struct buf *out, struct mail_date date);

/* "17-Jul-1996 02:44:25 -0700" (IMAP's date-time, RFC 9051, 9). Same errors. */
MUST_CHECK enum err mail_date_put_dashed(struct buf *out, struct mail_date date);

/*
 * Parse a date-time with its obsolete forms: two-digit years, named zones, comments, no weekday, no
 * seconds. ERR_SYNTAX also for a day that its month does not have.
 */
MUST_CHECK enum err mail_date_parse(struct span text, struct mail_date *out);

#endif
