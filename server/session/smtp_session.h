/*
 * smtp_session.h - SMTP as a service: smtp, submission, submissions; and LMTP, its sister (RFC 2033).
 */
#ifndef SERVER_SESSION_SMTP_SESSION_H
#define SERVER_SESSION_SMTP_SESSION_H

#include "server/session/session.h"

extern const struct session_class smtp_session_class;
extern const struct session_class lmtp_session_class; /* the same but for its name in the log */

#endif
