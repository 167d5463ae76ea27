/*
 * pop3_server_inside.h - what pop3_server.c and pop3_server_auth.c share; for nobody else.
 */
#ifndef PROTO_POP3_POP3_SERVER_INSIDE_H
#define PROTO_POP3_POP3_SERVER_INSIDE_H

#include "proto/pop3/pop3_server.h"

/* The one place where the state changes. */
void pop3_server_enter(struct pop3_server *m, enum pop3_state state);
/* Raise an event; SETTLED with its reply; the same, counted as a bad command. */
void pop3_server_raise(
	struct pop3_server *m, struct pop3_event *ev, enum pop3_event_kind kind);
void pop3_server_settle(struct pop3_server *m, struct pop3_event *ev, struct pop3_reply reply);
void pop3_server_settle_bad(struct pop3_server *m, struct pop3_event *ev, struct pop3_reply reply);

unsigned pop3_server_mechanisms(const struct pop3_server *m); /* that may be used now */
bool pop3_server_takes_password(const struct pop3_server *m); /* USER and PASS */

void pop3_server_do_user(struct pop3_server *m, struct pop3_event *ev);
void pop3_server_do_pass(struct pop3_server *m, struct pop3_event *ev);
void pop3_server_do_auth(struct pop3_server *m, struct pop3_event *ev);
void pop3_server_do_apop(struct pop3_server *m, struct pop3_event *ev);
/* RESPONSE has come, or SPAN_NONE where the mechanism has yet to ask (RFC 5034, 4). */
void pop3_server_go_on_with_auth(
	struct pop3_server *m, struct pop3_event *ev, struct span response);

#endif
