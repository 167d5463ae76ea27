/*
 * imap_client_inside.h - shared by the files of imap_client.h.
 */
#ifndef PROTO_IMAP_IMAP_CLIENT_INSIDE_H
#define PROTO_IMAP_IMAP_CLIENT_INSIDE_H

#include "proto/imap/imap_client.h"

enum imap_client_word { IMAP_WORD_OK, IMAP_WORD_NO, IMAP_WORD_BAD, IMAP_WORD_BYE, IMAP_WORD_PREAUTH,
	IMAP_WORDS };

/* A status response without its tag (RFC 3501, 7.1). */
struct imap_client_status {
	enum imap_client_word word;
	struct span code; /* between the brackets */
	struct span text; /* all of it behind the word, for people */
};

/* ---- imap_client.c ---- */

/* The first reason stays. */
void imap_client_end(struct imap_client *m, enum imap_client_over why, struct span answer);
/* A command LINE, with a new tag in front. */
void imap_client_ask(
	struct imap_client *m, struct buf *out, enum imap_client_stage stage, struct span line);
/* Bytes that are no command of their own: a response to "+", DONE. */
void imap_client_put(struct imap_client *m, struct buf *out, struct span line);

/* ---- imap_client_say.c: what the server says ---- */

/* One line, without its end; *EV is set where it is an event. */
void imap_client_line(
	struct imap_client *m, struct span line, struct buf *out, struct imap_client_event *ev);

/* ---- imap_client_fetch.c ---- */

void imap_client_fetch_begin(struct imap_client_fetched *f);
/* A piece of it: of a line, up to a literal or its end. ERR_SYNTAX. WANTED: the item whose value is a text. */
MUST_CHECK enum err imap_client_fetch_take(
	struct imap_client_fetched *f, struct span piece, struct span wanted);
/* A literal is the next value. True: it is the text. */
bool imap_client_fetch_literal(struct imap_client_fetched *f);
/* The name of the item that has the text that ORDER asks for; empty: it asks for none. */
struct span imap_client_fetch_wanted(enum imap_client_stage order);

/* ---- imap_client_begin.c: up to READY ---- */

void imap_client_on_greeting(
	struct imap_client *m, struct imap_client_status s, struct buf *out);
void imap_client_on_go_on(struct imap_client *m, struct span challenge, struct buf *out,
	struct imap_client_event *ev);
/* An answer to what is asked up to SELECT. */
void imap_client_on_begin(struct imap_client *m, enum imap_client_stage stage,
	struct imap_client_status s, struct buf *out);

/* ---- imap_client_order.c ---- */

/* The one whose text comes, or comes next; NULL: none. */
struct imap_client_order *imap_client_current(struct imap_client *m);
/* The text of UID begins (0: not said whose): those before it in the command were passed over. ERR_NOT_FOUND. */
MUST_CHECK enum err imap_client_begin_text(struct imap_client *m, uint32_t uid);
/* The response with a text is whole. */
void imap_client_end_text(struct imap_client *m, bool is_right);
/* An answer to the command of orders under way. */
void imap_client_on_orders(
	struct imap_client *m, enum imap_client_stage stage, struct imap_client_status s);
/* Put the next command of orders. False: none waits. */
bool imap_client_send_orders(struct imap_client *m, struct buf *out);
/* The oldest has its result: it is told. False: it has not. */
bool imap_client_tell_order(struct imap_client *m, struct imap_client_event *ev);

/* ---- imap_client_folder.c: from READY on ---- */

MUST_CHECK enum err imap_client_remember_removed(struct imap_client *m, uint32_t uid);
void imap_client_on_folder(struct imap_client *m, enum imap_client_stage stage,
	struct imap_client_status s, struct buf *out);
void imap_client_on_idling(struct imap_client *m, struct buf *out);

#endif
