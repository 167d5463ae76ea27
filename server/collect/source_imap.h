/*
 * source_imap.h - a folder of an IMAP server as a source: shared by
 *
 *   source_imap.c       what the holder asks for
 *   source_imap_talk.c  the session with the server
 *   source_imap_text.c  the text of a message on its way to the holder
 */
#ifndef SERVER_COLLECT_SOURCE_IMAP_H
#define SERVER_COLLECT_SOURCE_IMAP_H

#include "proto/imap/imap_client.h"
#include "proto/mail/mail_lines.h"
#include "server/collect/source_net.h"

#define SOURCE_IMAP_PORT 143
#define SOURCE_IMAPS_PORT 993
#define SOURCE_IMAP_LOGOUT_MS 10000 /* for an answer to LOGOUT: nothing hangs on it */
#define SOURCE_IMAP_IDLE_MS 600000  /* then IDLE is said anew: routers forget who is silent (RFC 2177: 29 min) */
#define SOURCE_IMAP_POLL_MS 60000   /* NOOP, where there is no IDLE */

struct source_imap {
	struct source_net net; /* `removes`: something is marked, and not expunged */
	struct imap_client imap;
	bool imap_open, ready;
	bool closing; /* LOGOUT follows, once all is answered and what was marked is expunged */
	bool logout;  /* it was said */
	bool listens; /* source_idle() was asked for, and nothing since */
	bool to_list; /* asked for, and waits for the end of IDLE */
	bool has_news;
	struct loop_timer wait; /* for the next NOOP, or the end of one IDLE */
	/* The text under way, and the answer that waits until the holder has taken the last of it. */
	struct mail_lines lines;
	struct span tail; /* static */
	bool answer_held;
	uint32_t held_number;
	enum source_order held_order;
	enum source_result held_result;
	size_t held_said;
	char held_text[SOURCE_ANSWER_SIZE];
};

/* ---- source_imap_talk.c ---- */

extern const struct source_net_events source_imap_events;
/* Time for NOOP, or for a new IDLE: routers forget a connection on which nothing is said. */
void source_imap_wait(struct loop_timer *timer);

static inline struct buf *
source_imap_out(struct source_imap *i)
{
	return stream_out(&i->net.stream);
}

/* ---- source_imap_text.c ---- */

/* A piece of the text of NUMBER. The bytes of it that were not taken: they will come again after source_resume(). */
size_t source_imap_text(struct source_imap *i, uint32_t number, struct span text);
/* An order has its answer, which is told when the holder has all of the text. False: he takes no more now. */
bool source_imap_answer(struct source_imap *i, const struct imap_client_event *ev);
/* Once more what was not taken. False: still not. */
bool source_imap_go_on(struct source_imap *i);

#endif
