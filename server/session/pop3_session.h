/*
 * pop3_session.h - POP3 as a service: ports pop3, pop3s.
 */
#ifndef SERVER_SESSION_POP3_SESSION_H
#define SERVER_SESSION_POP3_SESSION_H

#include "server/session/session.h"

extern const struct session_class pop3_session_class;

#endif
