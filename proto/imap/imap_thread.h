/*
 * imap_thread.h - messages put into threads (RFC 5256, 3), as values: no store, no session.
 */
#ifndef PROTO_IMAP_IMAP_THREAD_H
#define PROTO_IMAP_IMAP_THREAD_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/hash64.h"

#define IMAP_THREAD_REFERENCES 100 /* of one message that are looked at: the last ones */
#define IMAP_THREAD_DEPTH 1000     /* a link that would make a thread deeper is not made */

struct imap_threaded {
	uint32_t number;     /* that is printed: of the message, or its uid */
	int64_t sent_s;
	struct span id;          /* value of Message-ID; may be empty */
	struct span references;  /* value of References, folds and all */
	struct span in_reply_to;
	struct span subject; /* base subject, folded */
	bool is_reply;
};

enum imap_threading { IMAP_THREAD_ORDEREDSUBJECT, IMAP_THREAD_REFERENCES_BY };

/*
 * Append the threads of MESSAGES, "(1 2)(3 (4)(5))", which come in order of their numbers and may be moved. What is
 * needed lies in A. KEY is random: strangers choose ids and subjects. ERR_LIMIT: OUT is full.
 */
MUST_CHECK enum err imap_thread_put(struct arena *a, struct imap_threaded *messages, size_t count,
	enum imap_threading how, struct hash64_key key, struct buf *out);

#endif
