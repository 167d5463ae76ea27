/*
 * pop3_client_inside.h - shared by pop3_client.c and pop3_client_begin.c.
 */
#ifndef PROTO_POP3_POP3_CLIENT_INSIDE_H
#define PROTO_POP3_POP3_CLIENT_INSIDE_H

#include "proto/pop3/pop3_client.h"

/* The first reason stays. */
void pop3_client_end(struct pop3_client *m, enum pop3_client_over why);
/* Behind what is asked already; it goes out now or later. A full ring is our mistake. */
void pop3_client_push(struct pop3_client *m, struct pop3_asked asked, struct buf *out);
/* What the holder shall do before anything goes on. */
void pop3_client_wait(struct pop3_client *m, enum pop3_client_event_kind what);
/* A line of ours; one that holds a control ends the session (H11), so does a full OUT. */
void pop3_client_put(struct pop3_client *m, struct buf *out, const struct span *parts, size_t count);
#define POP3_PUT(m, out, ...)                                                                      \
	pop3_client_put(m, out, (const struct span[]){ __VA_ARGS__ },                              \
		COUNT(((const struct span[]){ __VA_ARGS__ })))

/* ---- pop3_client_begin.c: up to READY ---- */

/* The answer to what the machine asked before READY: it goes on. CHALLENGE comes to AUTH alone. */
void pop3_client_begin(struct pop3_client *m, struct pop3_asked asked, struct pop3_answer answer,
	struct buf *out);
void pop3_client_take_capa(struct pop3_client *m, struct span line);
/* What AUTH, USER, PASS and APOP are, as they are put. */
void pop3_client_put_login(struct pop3_client *m, enum pop3_asked_kind kind, struct buf *out);

#endif
