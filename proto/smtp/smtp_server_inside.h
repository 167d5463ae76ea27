/*
 * smtp_server_inside.h - what smtp_server.c and smtp_server_answer.c share; for nobody else.
 */
#ifndef PROTO_SMTP_SMTP_SERVER_INSIDE_H
#define PROTO_SMTP_SMTP_SERVER_INSIDE_H

#include "proto/smtp/smtp_server.h"

/* The one place where the state changes. */
void smtp_server_enter(struct smtp_server *m, enum smtp_state state);
void smtp_server_end_transaction(struct smtp_server *m);
bool smtp_server_may_auth(const struct smtp_server *m);
struct smtp_reply smtp_server_early_reply(void); /* H4 */

#endif
