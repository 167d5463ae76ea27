/*
 * source_pop3.h - a POP3 mailbox as a source: shared by
 *
 *   source_pop3.c       what the holder asks for
 *   source_pop3_talk.c  the session with the server
 *   source_pop3_list.c  what is in the mailbox
 *   source_pop3_text.c  the text of a message on its way to the holder
 */
#ifndef SERVER_COLLECT_SOURCE_POP3_H
#define SERVER_COLLECT_SOURCE_POP3_H

#include "proto/pop3/pop3_client.h"
#include "server/collect/source_net.h"

#define SOURCE_POP3_PORT 110
#define SOURCE_POP3S_PORT 995
#define SOURCE_POP3_QUIT_MS 10000 /* for an answer to QUIT where nothing was removed */
#define SOURCE_POP3_END_STEP 4000 /* numbers that are looked at in one step when the list has ended (eight steps in a turn) */
#define SOURCE_POP3_ENV_LINE 512  /* bytes of an address in an envelope that count */

/* LIST and UIDL as they come; numbers of messages are from 1 to SOURCE_ITEMS_MAX. */
struct source_pop3_list {
	uint64_t *sizes; /* by number, with the marks of source_pop3_list.c; 0: not listed */
	uint32_t places; /* in it */
	uint32_t items;	 /* that were told */
	bool ends, has_unique, by_stat; /* ends: it is whole, and `end_at` is the next number that may not have been told */
	uint32_t end_at, last;
};

struct source_pop3 {
	struct source_net net;
	struct pop3_client pop3;
	bool pop3_open, ready, quit;
	bool empty; /* STAT says so: LIST is not asked, some servers leave then */
	bool top_works;
	uint64_t stat_count;
	bool to_list_empty; /* `listed` waits until source_list() has returned */
	struct source_pop3_list list;
	/* Text that the holder did not take: in the input from `held_at` on, or static; `held_used` bytes are used up by it. */
	size_t held_at, held_used;
	struct span held_text;
	uint32_t held_number;
	/* The envelope of the message that comes next (INM-18). */
	size_t sender_len, recipient_len;
	char sender[SOURCE_POP3_ENV_LINE], recipient[SOURCE_POP3_ENV_LINE];
};

/* ---- source_pop3_talk.c ---- */

extern const struct source_net_events source_pop3_events;
/* What the server owes an answer to sets the deadline. */
void source_pop3_watch(struct source_pop3 *p);

/* ---- source_pop3_text.c ---- */

/* EV's text, of the first USED bytes of IN. False: it was not taken, and is held until source_resume(). */
bool source_pop3_text(
	struct source_pop3 *p, const struct pop3_client_event *ev, struct span in, size_t used);
bool source_pop3_offer(struct source_pop3 *p); /* what is held, again; true: it was taken now */

/* ---- source_pop3_list.c ---- */

void source_pop3_list_begin(struct source_pop3 *p);
void source_pop3_list_size(struct source_pop3 *p, uint32_t number, uint64_t size);
void source_pop3_list_unique(struct source_pop3 *p, uint32_t number, struct span unique);
/* UIDL has ended: what it did not name, and `listed`; where that is much, in several steps. */
void source_pop3_list_end(struct source_pop3 *p, bool has_unique);
void source_pop3_list_go_on(struct source_pop3 *p);
uint64_t source_pop3_size(const struct source_pop3 *p, uint32_t number);
void source_pop3_list_fini(struct source_pop3 *p);

#endif
