/*
 * stream.h - bytes in, bytes out: a socket, TLS on a socket, or memory in a test.
 *
 * Input is peeked at and consumed; output is put and leaves in one gathered write at the end of the
 * turn. EINTR, EAGAIN, short reads and writes end here (H76). What has not been consumed when
 * `on_input` returns is kept for the next call; an idle stream holds no buffer (H34).
 *
 * Reading stops while the owner waits (stream_pause), while more than limits.output_pending waits to
 * be sent (H35; not with limits.reads_always), and at the limit of the input buffer; it goes on by itself.
 *
 * All functions belong to the loop thread of the stream. The owner's callbacks may call any of
 * them; stream_fini() is called by the owner outside every callback of this stream (H77), and not
 * while the stream is lent to a worker (stream_is_lent).
 */
#ifndef SERVER_NET_STREAM_H
#define SERVER_NET_STREAM_H

#include "proto/base/buf.h"
#include "server/net/loop.h"

#define STREAM_INPUT_MAX (128 * 1024)	 /* bytes kept unconsumed; a class may ask for more */
#define STREAM_OUTPUT_OVER (4 * 1024 * 1024) /* put beyond what is full: ends it, our mistake */
#define STREAM_FDS_MAX 4 /* descriptors a Unix peer may have sent and we not taken */

struct tls;
struct tls_client;
struct tls_server;
struct workers;

/* What the settings say; a stream keeps a copy. */
struct stream_limits {
	size_t input_max;      /* bytes kept unconsumed; 0: STREAM_INPUT_MAX */
	size_t output_pending; /* above it reading stops, and stream_is_full() (H35) */
	int64_t stalled_ms;    /* output that nobody takes (H35) */
	int64_t handshake_ms;  /* (H68) */
	bool reads_always;     /* also while much waits to be sent: a server may answer in the middle */
};

enum stream_end {
	STREAM_OPEN = 0,
	STREAM_EOF,	   /* the peer sent its last byte; what came before has been offered */
	STREAM_RESET,	   /* the connection broke, or a descriptor went bad */
	STREAM_STUCK,	   /* no progress of output for limits.stalled_ms */
	STREAM_TLS_FAILED, /* no handshake in time, a bad record, ... */
	STREAM_OVERFLOW,   /* more than STREAM_OUTPUT_OVER was put on what is full */
};

struct stream;
struct stream_events {
	/* Bytes came, or output has fallen under the limit again, or stream_resume(), or EOF. */
	void (*on_input)(struct stream *);
	void (*on_secure)(struct stream *);		 /* the handshake is done */
	void (*on_end)(struct stream *, enum stream_end); /* once; no more input will come */
	void (*on_sent)(struct stream *);     /* once for each stream_tell_sent() */
	void (*on_returned)(struct stream *); /* no longer lent: stream_fini() is possible now */
};

/* Fields are for stream.c; owners use the functions. */
struct stream {
	struct loop *loop;
	struct loop_io io;
	const struct stream_events *events;
	struct stream_limits limits;
	struct loop_timer progress; /* output or handshake deadline */
	struct loop_call flush;
	struct loop_call feed;
	struct span fresh; /* input that still lies in the loop's read buffer */
	struct buf in, out;
	struct buf sent; /* of a stream in memory */
	struct stream_tls *tls;
	uint64_t bytes_in, bytes_out;
	int fds[STREAM_FDS_MAX];
	unsigned fd_count;
	enum stream_end end;
	bool memory, is_unix, started, paused, eof, secure, was_full, in_input, want_sent, shut, draining;
	bool broken;  /* it takes nothing any more; what it said last is read, then it ends */
	bool stalled; /* bytes came while nobody wanted them: reading is off until somebody does */
};

/* Take over FD (non-blocking, CLOEXEC). FD < 0: a stream in memory. */
void stream_init(struct stream *s, struct loop *loop, int fd, const struct stream_events *events,
	const struct stream_limits *limits);
void stream_set_limits(struct stream *s, const struct stream_limits *limits);
void stream_start(struct stream *s); /* begin to read */
void stream_fini(struct stream *s);  /* closes the descriptor; what is unsent is lost */
bool stream_is_lent(const struct stream *s); /* a worker holds the TLS context: fini must wait */

/* What has come; good until the next consume, or until on_input returns. */
struct span stream_peek(const struct stream *s);
void stream_consume(struct stream *s, size_t used);
void stream_consume_secret(struct stream *s, size_t used); /* wiped: a password (H66) */
bool stream_at_eof(const struct stream *s); /* and nothing but stream_peek() is left */

/* Output. Text from outside goes through a *_put of its protocol into stream_out(). */
void stream_put(struct stream *s, struct span bytes);
struct buf *stream_out(struct stream *s); /* for serialisers; will be sent at the end of the turn */
bool stream_is_full(const struct stream *s); /* stop producing; on_input comes when it has room */
size_t stream_unsent(const struct stream *s);
void stream_flush(struct stream *s); /* now, not at the end of the turn */

/* The owner waits (a commit, a hash): no on_input until resume, which calls it in this turn. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* After the output has gone: on_sent. At once (at the end of the turn) where nothing waits. */
void stream_tell_sent(struct stream *s);
/*
 * TLS close notify and FIN; what the peer still sends is read and dropped until its EOF (on_end), so
 * that our last words are not lost in a reset.
 */
void stream_shutdown(struct stream *s);

/*
 * Begin TLS as a server, once what is put has been sent. ERR_SYNTAX where input is buffered (H3).
 * Handshake steps run on WORKERS, the TLS context and its buffers lent to them; then on_secure, or
 * on_end with TLS_FAILED. A stream in memory is secure at once, without bytes.
 */
MUST_CHECK enum err stream_start_tls(struct stream *s, struct tls_server *server,
	struct workers *workers);
/*
 * The same as a client, to the server NAME (copied); VERIFY as tls_connect() says. A name that is not
 * the certificate's ends it with TLS_FAILED; stream_tls_distrust() then says why, and without VERIFY
 * what a careful client would have said. Texts fit 200 bytes.
 */
MUST_CHECK enum err stream_connect_tls(struct stream *s, struct tls_client *client, struct span name,
	bool verify, struct workers *workers);
const char *stream_tls_distrust(const struct stream *s, char *text, size_t size);
const char *stream_tls_failure(const struct stream *s, char *text, size_t size);
bool stream_is_secure(const struct stream *s);
const char *stream_tls_version(const struct stream *s); /* "TLSv1.2", or "" */
const char *stream_tls_cipher(const struct stream *s);

/* A descriptor that a Unix peer passed (SCM_RIGHTS), now the caller's; -1 where none is left. */
int stream_take_fd(struct stream *s);

/* Tests: what the peer sends; what has been sent to it (and is then forgotten). */
void stream_memory_feed(struct stream *s, struct span bytes);
void stream_memory_eof(struct stream *s);
struct span stream_memory_sent(const struct stream *s);
void stream_memory_forget(struct stream *s, size_t bytes);

#endif
