/*
 * close_reasons.h - why a session ended: log and counters read the same row.
 *
 * name, is it a fault (of the peer, the line or ours), what the log says.
 */
#ifndef SERVER_SESSION_CLOSE_REASONS_H
#define SERVER_SESSION_CLOSE_REASONS_H

#define CLOSE_REASONS(X)                                                                         \
	X(NONE, false, "open")                                                                   \
	X(QUIT, false, "the peer said goodbye")                                                  \
	X(PEER, false, "the peer closed the connection")                                         \
	X(BROKEN, true, "the connection broke")                                                  \
	X(IDLE, false, "nothing came for too long")                                              \
	X(LOGIN_TIME, true, "not logged in in time")                                             \
	X(COMMAND_TIME, true, "a command took too long")                                         \
	X(TOO_SLOW, true, "data came too slowly")                                                \
	X(STUCK, true, "the peer does not read")                                                 \
	X(TLS, true, "TLS failed")                                                               \
	X(INJECTED, true, "plain text was sent before the TLS handshake")                        \
	X(BAD_INPUT, true, "not this protocol")                                                  \
	X(BARE_LINE, true, "a bare CR or LF")                                                    \
	X(OUT_OF_TURN, true, "text before the go-ahead")                                         \
	X(TOO_LONG, true, "a line over the limit")                                               \
	X(TOO_MANY_ERRORS, true, "too many errors")                                              \
	X(LOGIN_FAILED, true, "too many failed logins")                                          \
	X(REFUSED, false, "refused by access rules")                                             \
	X(BUSY, false, "too many connections")                                                   \
	X(TROUBLE, true, "local trouble")                                                        \
	X(RIGHTS, false, "what it had open is closed to it")                                     \
	X(ENDED, false, "ended by an administrator")                                             \
	X(SHUTDOWN, false, "the server stops")

enum close_reason {
#define X(name, is_fault, text) CLOSE_##name,
	CLOSE_REASONS(X)
#undef X
		CLOSE_REASON_COUNT
};

#endif
