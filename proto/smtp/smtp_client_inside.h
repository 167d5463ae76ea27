/*
 * smtp_client_inside.h - shared by smtp_client.c, smtp_client_begin.c and smtp_client_mail.c.
 */
#ifndef PROTO_SMTP_SMTP_CLIENT_INSIDE_H
#define PROTO_SMTP_SMTP_CLIENT_INSIDE_H

#include "proto/smtp/smtp_client.h"

/* The one place where a session moves on. */
void smtp_client_enter(struct smtp_client *m, enum smtp_stage stage);
void smtp_client_end(struct smtp_client *m, enum smtp_client_over why, struct smtp_answer answer);
void smtp_client_raise(
	struct smtp_client *m, struct smtp_client_event *ev, enum smtp_client_event_kind kind);
/* The transaction is over, and this is the verdict on what was accepted so far. */
void smtp_client_settle(struct smtp_client *m, enum smtp_stage stage, struct smtp_answer answer);
/* A command line; a full OUT ends the session. */
void smtp_client_put(struct smtp_client *m, struct buf *out, const struct span *parts, size_t count);
#define SMTP_PUT(m, out, ...)                                                                      \
	smtp_client_put(m, out, (const struct span[]){ __VA_ARGS__ },                              \
		COUNT(((const struct span[]){ __VA_ARGS__ })))

/* smtp_client_begin.c: up to READY */
void smtp_client_hello(struct smtp_client *m, struct buf *out);
void smtp_client_on_greeting(struct smtp_client *m, struct smtp_answer a, struct buf *out);
void smtp_client_on_hello(struct smtp_client *m, struct smtp_answer a, struct buf *out);
void smtp_client_on_starttls(struct smtp_client *m, struct smtp_answer a, struct buf *out);
void smtp_client_on_auth(struct smtp_client *m, struct smtp_answer a, struct span challenge,
	struct buf *out, struct smtp_client_event *ev);

/* smtp_client_mail.c: a transaction */
void smtp_client_on_mail(struct smtp_client *m, struct smtp_answer a, struct buf *out,
	struct smtp_client_event *ev);
void smtp_client_on_end(struct smtp_client *m, struct smtp_answer a);

#endif
