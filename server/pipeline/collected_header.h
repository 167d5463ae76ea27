/*
 * collected_header.h - what else a collection reads from the header of a message: pure functions of bytes.
 */
#ifndef SERVER_PIPELINE_COLLECTED_HEADER_H
#define SERVER_PIPELINE_COLLECTED_HEADER_H

#include "proto/base/arena.h"
#include "proto/mail/address.h"
#include "proto/mail/mail_date.h"

#define COLLECTED_FROM_LINE_MAX 998 /* bytes of such a line that are looked at; a longer one stays */
#define COLLECTED_DOUBLE_SIZE 16    /* bytes of a key of doubles */

/*
 * Is the first line of a message one like `From anna Sat Jan  3 01:05:34 1998`, which is no header line (INM-16)?
 * PARSE_DONE: yes, *used bytes of TEXT with its line end. PARSE_BAD: no, and *used is 0; a field From is never one.
 * PARSE_MORE: more of the message is needed to tell.
 */
enum parse collected_from_line(struct span text, size_t *used);

/* The time in the newest Received field, which is the provider's (INM-24). ERR_NOT_FOUND. */
MUST_CHECK enum err collected_received_date(struct span header, struct mail_date *out);

/*
 * What two messages of one collection have in common if one is a double of the other (INM-21): a digest of From, Date,
 * Subject, Message-Id (not where IGNORE_ID, collecting.ignore_message_id) and the recipients in any order.
 */
void collected_double_key(struct span header, const struct address *recipients, size_t count, bool ignore_id,
	unsigned char key[COLLECTED_DOUBLE_SIZE]);

#endif
