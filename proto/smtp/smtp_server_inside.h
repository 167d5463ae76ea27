/*
 * smtp_server_inside.h - what smtp_server.c and smtp_server_answer.c share; for nobody else.
 */
#ifndef PROTO_SMTP_SMTP_SERVER_INSIDE_H
#define PROTO_SMTP_SMTP_SERVER_INSIDE_H

#include "proto/smtp/smtp_server.h"

/* The one place where the state changes. */
void smtp_server_enter(struct smtp_server *m, enum smtp_state state);
void smtp_server_end_transaction(struct smtp_server *m);
unsigned smtp_server_mechanisms(const struct smtp_server *m); /* that may be used now */
/* Raise an event; SETTLED with its reply; the same, counted as a bad command. */
void smtp_server_raise(
	struct smtp_server *m, struct smtp_event *ev, enum smtp_event_kind kind);
void smtp_server_settle(struct smtp_server *m, struct smtp_event *ev, struct smtp_reply reply);
void smtp_server_settle_bad(struct smtp_server *m, struct smtp_event *ev, struct smtp_reply reply);
void smtp_server_do_auth(struct smtp_server *m, struct smtp_event *ev); /* the command */
/* RESPONSE has come, or SPAN_NONE where the mechanism has yet to ask. */
void smtp_server_go_on_with_auth(
	struct smtp_server *m, struct smtp_event *ev, struct span response);
struct smtp_reply smtp_server_early_reply(void); /* H4 */

#endif
