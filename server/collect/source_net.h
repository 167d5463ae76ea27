/*
 * source_net.h - the connection of a source that is a server elsewhere: names, dialling, SOCKS, TLS, secrets, time.
 *
 *   start -> token -> proxy -> addresses -> dial -> (TLS) -> connected -> ... input ... -> close -> over
 *                                 ^           |                                  |
 *                                 +- the next +        a fresh token, once  <----+ (source_net_again)
 *
 * What a POP3 and an IMAP source have in common; each owns one of these and its protocol machine. On the
 * loop of the source, all of it. No callback comes inside a function of this header, but for `input` in
 * source_net_resume().
 *
 *   source_net.c        life, the stream, deadlines, the end
 *   source_net_dial.c   from the server's name to a socket; attempts (NET-01), a proxy (CON-10)
 *   source_net_auth.c   passwords and tokens, and what they prove
 *   source_net_roots.c  who vouches for the server (tls_ca, tls.ca)
 */
#ifndef SERVER_COLLECT_SOURCE_NET_H
#define SERVER_COLLECT_SOURCE_NET_H

#include "proto/sasl/sasl_client.h"
#include "server/collect/source.h"
#include "server/connect/proxy.h"
#include "server/net/dialer.h"
#include "server/net/resolver.h"
#include "server/net/sasl_proof.h"
#include "server/net/stream.h"
#include "server/runner/tokens.h"

#define SOURCE_ADDRESSES_MAX 20	   /* of a server, all are tried */
#define SOURCE_PROGRESS_BYTES 1024 /* of input in a `timeout`, or it is no progress (H20) */
#define SOURCE_INPUT_MAX (256 * 1024) /* bytes that wait while nobody takes them */

struct source_net;
struct source_roots;

struct source_net_events {
	/* A new connection (again after source_net_again()); where the file says implicit TLS, under it. Make the machine anew. */
	void (*connected)(struct source_net *n);
	/* Look at stream_peek(&n->stream); not after source_net_close(). */
	void (*input)(struct source_net *n);
	/* After source_net_start_tls(). */
	void (*secure)(struct source_net *n);
	/* After source_net_prove(). */
	void (*proved)(struct source_net *n, struct span proof, struct span signature);
	/* The peer has left, or said nothing in time, WHY is a line for people: source_net_close() in it, or source_net_again(). */
	void (*lost)(struct source_net *n, const char *why);
	/* Once: nothing is open any more, n->problem says why; `answer` and `command` of it are still to be filled. */
	void (*over)(struct source_net *n);
	/* Behind source_net_free(): nothing touches N any more, its owner is freed. */
	void (*freed)(struct source_net *n);
};

struct source_net {
	const struct source_net_events *events;
	struct source *source; /* whose connection it is */
	struct host *host;
	const struct conf_collector *conf; /* its */
	uint16_t port;
	struct source_problem problem; /* fault, why, remote, tls are filled here */
	struct stream stream;
	bool stream_open; /* there is one; connected, and not yet closed */
	bool closing, is_over, doomed, dials;

	/* For source_net*.c alone. */
	struct span name; /* the server's, as A-labels; in `arena` */
	struct arena arena;
	struct dial_address addresses[SOURCE_ADDRESSES_MAX]; /* of this round */
	size_t address_count, address_at;
	struct dial_address refused[SOURCE_ADDRESSES_MAX]; /* that refused in it: for the next one */
	size_t refused_count;
	unsigned round; /* from 0 (NET-01) */
	bool dns_failed, by_proxy, by_name; /* by_name: the proxy looks it up */
	enum dns_type asking;
	struct resolver_question question;
	struct dialer dialer;
	struct proxy proxy;
	struct loop_timer pause, deadline;
	uint64_t heard_bytes, counted_bytes; /* when the deadline was set; what the source was told of */
	int64_t waits_ms;	       /* 0: for nothing */
	bool paused;
	struct loop_call call; /* the next thing to do, out of all callbacks */
	enum source_net_next {
		SOURCE_NET_NOTHING,
		SOURCE_NET_TOKEN, /* a token, then all of the way */
		SOURCE_NET_OVER,
	} next;
	struct buf secret;
	struct token_question token;
	uint64_t token_number;
	bool token_again;
	struct sasl_proof proof;
	struct tls_client *roots; /* held; NULL: not yet asked for */
	struct source_roots *roots_asked;
};

/* Of SOURCE, which outlives it. PORT: where the file says none. N is zeroed by it. */
void source_net_init(struct source_net *n, struct source *source,
	const struct source_net_events *events, uint16_t port);
void source_net_start(struct source_net *n);
/*
 * The end, `over` follows; the first reason stays. WHY is cleaned and cut; not told where FAULT is SOURCE_FINE.
 */
void source_net_close(struct source_net *n, enum source_fault fault, const char *why);
/* The same as SOURCE_LOST; REMOVES: whether what was to be removed is, nobody knows. */
void source_net_lose(struct source_net *n, bool removes, const char *why);
/*
 * The login was refused. True: by a token, and another one is fetched, once; the connection is made anew, `connected`
 * comes again.
 */
bool source_net_again(struct source_net *n);
/* At any time, out of all callbacks; `freed` follows, perhaps at once, and no other callback. */
void source_net_free(struct source_net *n);
/* Likewise of SOURCE, which may not have been started: then it is released in this call. */
void source_net_drop(struct source_net *n, struct source *source);

/* Something is expected from the other side, within MS; 0: the collector's `timeout`. Each answer sets it anew. */
void source_net_expect(struct source_net *n, int64_t ms);
void source_net_expect_nothing(struct source_net *n);
/* Nobody takes what comes: reading stops, so does time. */
void source_net_pause(struct source_net *n);
void source_net_resume(struct source_net *n); /* `input` follows */

void source_net_start_tls(struct source_net *n); /* verified, always; `secure` follows, or `lost` */
/* Name, and password or token; SCRAM's nonce. Spans live as long as N. ERR_IO: it cannot be read (closed, SOURCE_OWN). */
MUST_CHECK enum err source_net_account(
	struct source_net *n, struct sasl_account *account, struct sasl_nonce *nonce);
/* What TASK asks for, on a worker; `proved` follows. */
void source_net_prove(struct source_net *n, const struct sasl_task *task);
/* RFC 1939, 7: MD5 of TIMESTAMP and the password, in hexadecimal digits. */
void source_net_apop(struct source_net *n, struct span timestamp, char digest[2 * CRYPTO_MD5_SIZE + 1]);
void source_net_tell_tls(struct source_net *n); /* problem.tls, once logged in */

/* ---- between source_net*.c ---- */

void source_net_dial(struct source_net *n);	   /* proxy, names, sockets; then source_net_talk() */
void source_net_dial_init(struct source_net *n);
void source_net_dial_stop(struct source_net *n);
void source_net_talk(struct source_net *n, int fd);
void source_net_get_token(struct source_net *n); /* then source_net_dial() */
/* Who vouches for the server; then source_net_trusted(), perhaps in this call, or closed. */
void source_net_get_roots(struct source_net *n);
void source_net_trusted(struct source_net *n);
void source_net_roots_stop(struct source_net *n);
void source_net_prove_init(struct source_net *n);

#endif
