/*
 * smtp_session.h - SMTP as a service: ports smtp, submission, submissions.
 */
#ifndef SERVER_SESSION_SMTP_SESSION_H
#define SERVER_SESSION_SMTP_SESSION_H

#include "server/session/session.h"

extern const struct session_class smtp_session_class;

#endif
