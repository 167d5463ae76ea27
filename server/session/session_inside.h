/*
 * session_inside.h - what session.c and session_end.c share; protocols use session.h.
 */
#ifndef SERVER_SESSION_SESSION_INSIDE_H
#define SERVER_SESSION_SESSION_INSIDE_H

#include "server/session/session.h"

void session_init_end(struct session *s);
void session_close_saying(struct session *s, enum close_reason reason, struct span words);
void session_come_to_end(struct session *s); /* look, at the end of the turn, whether it may go */
enum log_level session_usual_level(const struct session *s); /* that it came, that it went */

#endif
