/*
 * imap_sorted.h - what SORT and THREAD know of each message that was found. For imap_cmd_{sort,thread}.c.
 */
#ifndef SERVER_IMAP_IMAP_SORTED_H
#define SERVER_IMAP_IMAP_SORTED_H

#include "server/imap/imap_find.h"

struct sorted_message {
	uint32_t seq, uid;
	uint32_t size, received_s;
	int64_t sent_s; /* of Date; INTERNALDATE where there is none (RFC 5256, 2.2) */
	struct span from, to, cc; /* the mailbox of the first address, folded */
	struct span subject;      /* the base subject */
	bool is_reply;
	struct span id, references, in_reply_to;
};

/* They grow in the arena of the find. */
struct sorted_messages {
	struct sorted_message *items;
	size_t count, room;
};

/* One more, zero but for what the entry says. NULL: over FIND_MEMORY_MAX. */
struct sorted_message *sorted_add(
	struct imap_find *f, struct sorted_messages *all, const struct find_message *m);
/* Fill in what FIND_FIELDS tells. */
void sorted_read_sent(struct sorted_message *to, const struct find_message *m);
void sorted_read_subject(struct imap_find *f, struct sorted_message *to, const struct find_message *m);
struct span sorted_mailbox(struct imap_find *f, const struct find_message *m, enum mime_field field);
/* The value as it is written, copied. */
struct span sorted_raw(struct imap_find *f, const struct find_message *m, enum mime_field field);

/* SORT or THREAD under way; first in the task of the handler. */
struct sorted_task {
	struct imap_session *session;
	struct imap_find *find;
	struct sorted_messages hits;
	void (*make)(struct sorted_task *task); /* the whole answer of the hits; on a worker */
	struct work work;
	bool made;
	struct buf answer;
};

/* TASK lies in the command arena, `make` is set. IMAP_DONE: refused, and answered. */
enum imap_turn sorted_begin(struct imap_session *s, struct sorted_task *task,
	const struct imap_search *search, enum find_depth needs, find_hit_fn *hit);
/* Find, make, put; at the end DONE. What the handler says. */
enum imap_turn sorted_go_on(struct imap_session *s, struct sorted_task *task, struct imap_reply done);

#endif
