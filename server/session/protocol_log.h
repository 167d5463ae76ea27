/*
 * protocol_log.h - the conversation of a session in the log, where log.protocols names its service.
 *
 * Commands and replies, at level info: secrets are "***" (Q-55, H66), messages are left out.
 */
#ifndef SERVER_SESSION_PROTOCOL_LOG_H
#define SERVER_SESSION_PROTOCOL_LOG_H

#include "server/session/session.h"

/*
 * LINES came from the peer; SECRET: they are part of a login, nothing of them may be seen. What begins
 * with no command is hidden as well: a mistyped PASS, or the answer to an AUTH that was refused.
 */
void protocol_log_peer(const struct session *s, struct span lines, bool secret);

/*
 * Around what a session puts into its output: a mark, then the lines put since. SECRET: they are a
 * challenge, from which and the answer's end one could try passwords.
 */
size_t protocol_log_mark(struct session *s);
void protocol_log_own(struct session *s, size_t mark, bool secret);

/*
 * For a protocol that takes its lines apart itself: is it on, and one line, in which nothing may be
 * secret.
 */
bool protocol_log_is_on(const struct session *s);
void protocol_log_line(const struct session *s, bool from_peer, struct span line);

#endif
