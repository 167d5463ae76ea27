/*
 * session.h - one connection of one peer, and what a protocol is to the rest of the server.
 *
 * A protocol is a struct session_class. Its own struct begins with a struct session, is `size`
 * bytes long and zeroed. All calls come on the session's loop:
 *
 *	open	the connection is ready (under implicit TLS: secure): greet
 *	input	something may be different: bytes came, output has room again, the session was
 *		resumed, the peer sent its last byte. Peek, consume, answer.
 *	secured	the TLS handshake that session_start_tls() began is done: forget HELO, AUTH, ... (H3)
 *	close	the session is over: let go of locks and jobs. No call comes after it.
 *
 * A session never frees itself: session_close() only says that it shall end. It is freed by the
 * loop at one place, when nothing holds it (session_hold) and its TLS is not lent out (H77).
 */
#ifndef SERVER_SESSION_SESSION_H
#define SERVER_SESSION_SESSION_H

#include "proto/base/arena.h"
#include "server/host.h"
#include "server/log.h"
#include "server/net/peer.h"
#include "server/net/stream.h"
#include "server/session/close_reasons.h"
#include "server/shared.h"

struct service;
struct session;

struct session_class {
	const char *name; /* "smtp": the log's service */
	size_t size;
	void (*open)(struct session *);
	void (*input)(struct session *);
	void (*secured)(struct session *); /* NULL: this protocol has no STARTTLS */
	void (*close)(struct session *);   /* may be NULL */
	size_t input_max;		   /* most bytes kept unconsumed; 0: STREAM_INPUT_MAX */
	/* What a peer is told, CRLF included, before the connection ends without its doing. */
	struct span busy_text;	   /* too many connections (H32), no memory */
	struct span refused_text;  /* by access lines (ACC-08), in place of a greeting */
	struct span timeout_text;  /* session_set_deadline() passed */
	struct span shutdown_text; /* the server stops, or an administrator ended it */
};

#define SESSION_NAME_SIZE 24
#define SESSION_GOODBYE_MS 5000 /* for the last words to be sent and read, then it is closed */
#define SESSION_STOP_GOODBYE_MS 1000 /* the same when the server stops */

struct session {
	struct stream stream;
	const struct session_class *class;
	const struct service *service; /* the row of services.c: name and TLS mode */
	struct host *host;	       /* of its loop */
	const struct conf *conf;       /* the generation it runs under; see session_take_conf() */
	struct generation *generation; /* held */
	struct arena arena;	       /* the session's */
	struct arena command;	       /* the class resets it after each reply */
	struct peer peer;
	struct shared_session record; /* for `session list`; by session_set_* only */
	char name[SESSION_NAME_SIZE]; /* "s17": in every log line */
	struct list link;	      /* all sessions of the loop */
	struct loop_timer deadline;
	struct loop_call end; /* the one place where it is freed */
	enum close_reason deadline_reason;
	enum close_reason reason;    /* CLOSE_NONE while it is open */
	enum close_reason end_later; /* for a session that waits: ends when it is resumed */
	unsigned holds;
	bool opened, waits, waits_idle, told_close, stream_done, counted;
	bool logged_in; /* once: it counts no more among those before login (H32) */
	bool ends_mutely; /* at its deadline nothing is said; the class sets it */
	bool mid_reply;	  /* a reply is half out: whatever ends it, nothing may be said inside; so too */
};

/*
 * Begin a session on FD, already counted by shared_connection_begin(); loop thread of HOST. FD < 0:
 * a stream in memory, for tests. Never NULL.
 */
struct session *session_open(struct host *host, const struct service *service, int fd,
	const struct peer *peer);

/*
 * End it: what has been put is still sent (5 s at most), `input` comes no more. The first reason
 * stays. session_close() from anywhere on the loop, also from a callback, also twice.
 */
void session_close(struct session *s, enum close_reason reason);
static inline bool
session_is_closing(const struct session *s)
{
	return s->reason != CLOSE_NONE;
}

/*
 * The class waits (a commit, a hash): no `input` until session_resume(). `input` follows at once
 * in this turn. Both may be called on a session that is closing: nothing happens.
 */
void session_wait(struct session *s);
void session_resume(struct session *s);
/*
 * What it waits for promises nothing (a login): a stop ends it at once, not when it is resumed.
 * Until the next session_wait() or session_resume().
 */
void session_wait_is_idle(struct session *s);

/*
 * A job or work that points to S holds it, and releases it in its `done`, which may come after
 * close: test session_is_closing() first. Release may be the last touch.
 */
void session_hold(struct session *s);
void session_release(struct session *s);

/* Within AFTER_MS, or the timeout text is sent and S closes for REASON. One at a time; not re-armed
 * by bytes (H20). 0 clears it. */
void session_set_deadline(struct session *s, int64_t after_ms, enum close_reason reason);

/* What lasts so long is our own doing (a login that is delayed): the deadline moves, if one is set. */
void session_delay_deadline(struct session *s, int64_t by_ms);

/* H3: ERR_SYNTAX where input is buffered: answer 554 and close. The go-ahead must have been put. */
MUST_CHECK enum err session_start_tls(struct session *s);
bool session_can_tls(const struct session *s); /* starttls is this service's mode, and not yet on */
static inline bool
session_is_secure(const struct session *s)
{
	return stream_is_secure(&s->stream) || s->peer.is_unix;
}

/*
 * For the register: who it is (0: nobody yet, or no longer), what it does now (static text: "DATA").
 */
void session_set_user(struct session *s, uint64_t user_id, struct span user);
/* The same, but ERR_LIMIT, and nothing done, where that user has limits.max_per_user already. */
MUST_CHECK enum err session_take_user(struct session *s, uint64_t user_id, struct span user);
void session_set_doing(struct session *s, const char *doing);

/*
 * At the start of a command: move to the loop's present configuration. True where it changed; spans
 * into the old one are gone then, so nothing of the session may point there.
 */
bool session_take_conf(struct session *s);

const char *close_reason_name(enum close_reason reason); /* "IDLE" */
const char *close_reason_text(enum close_reason reason);
bool close_reason_is_fault(enum close_reason reason);

/* session_log(s, LEVEL_INFO, .text = "login", .fields = { { "user", user } }); */
#define session_log(s, lvl, ...)                                                               \
	log_put((s)->host->log, &(struct log_line){ .level = (lvl), .area = (s)->class->name,   \
					.session = (s)->name, __VA_ARGS__ })

/* All sessions of the loop of HOST: shutdown, `session end`, a service that stops (NULL: all). */
void session_close_all(struct host *host, const struct service *service, enum close_reason reason);
bool session_close_by_id(struct host *host, uint64_t id, enum close_reason reason);

#endif
