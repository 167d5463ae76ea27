/*
 * source_net.h - the connection of a source that is a server elsewhere: names, dialling, SOCKS, TLS, secrets, time.
 *
 *   start -> token -> proxy -> addresses -> dial -> (TLS) -> connected -> ... input ... -> close -> over
 *                                 ^           |                                  |
 *                                 +- the next +        a fresh token, once  <----+ (source_net_again)
 *
 * What a POP3 and an IMAP source have in common; the struct of each begins with one of these, its protocol machine
 * follows. On the loop of the source, all of it. No callback comes inside a function of this header, but for `input` in
 * source_net_resume().
 *
 *   source_net.c         begin and end
 *   source_net_stream.c  the stream, TLS, deadlines
 *   source_net_dial.c    from the server's name to a socket; attempts (NET-01), a proxy (CON-10)
 *   source_net_tries.c   which addresses failed, and whether another is tried
 *   source_net_auth.c    passwords and tokens, and what they prove
 *   source_net_roots.c   who vouches for the server (tls_ca, tls.ca)
 */
#ifndef SERVER_COLLECT_SOURCE_NET_H
#define SERVER_COLLECT_SOURCE_NET_H

#include "proto/sasl/sasl_client.h"
#include "server/collect/source_inside.h"
#include "server/connect/proxy.h"
#include "server/net/dialer.h"
#include "server/net/resolver.h"
#include "server/net/sasl_proof.h"
#include "server/net/stream.h"
#include "server/runner/tokens.h"

#define SOURCE_ADDRESSES_MAX 20	   /* of a server, all are tried */
#define SOURCE_PROGRESS_BYTES 1024 /* of input in a `timeout`, or it is no progress (H20) */
#define SOURCE_RATE_MIN 256	   /* bytes a second of one answer: 64 kbit/s are 8,000, for 30 collections at once, */
#define SOURCE_RATE_MS (10 * 60 * 1000) /* in so much time, or in a `timeout` that is longer */
#define SOURCE_RESUME_MS 1000 /* who was not listened to has so long at least to go on */
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
	/* After source_net_defer(). */
	void (*deferred)(struct source_net *n);
	/* Once, before the holder is told: nothing is open any more; fill `answer` and `command` of n->problem. */
	void (*over)(struct source_net *n);
	/* Behind source_net_free(): fini what is behind N; its memory goes next. */
	void (*freed)(struct source_net *n);
};

/* How the end of a machine is told. */
struct source_net_fault {
	enum source_fault fault;
	bool quotes; /* the answer says more than we can */
};

struct source_net {
	struct source source;
	const struct source_net_events *events; /* NULL: not started */
	struct host *host;		   /* the source's */
	const struct conf_collector *conf; /* likewise */
	uint16_t port;
	struct source_problem problem; /* fault, why, remote, tls are filled here */
	struct stream stream;
	bool stream_open; /* there is one; connected, and not yet closed */
	bool closing, is_over, doomed, dials;
	bool removes; /* something is to be removed, and whether it is gone is not known yet */
	bool held;    /* the holder did not take a piece of text */
	struct loop_call later; /* `deferred` */

	/* For source_net*.c alone. */
	struct span name; /* the server's, as A-labels; in `arena` */
	struct arena arena;
	struct dial_address addresses[SOURCE_ADDRESSES_MAX]; /* of this round */
	size_t address_count, address_at;
	struct dial_address refused[SOURCE_ADDRESSES_MAX]; /* that refused in it: for the next one */
	size_t refused_count;
	unsigned round; /* from 0 (NET-01) */
	struct source_net_try {
		struct dial_address to;
		const char *why; /* in `arena` */
	} tries[SOURCE_ADDRESSES_MAX]; /* in vain: the last of each address */
	size_t try_count;
	bool shakes, tls_failed; /* a TLS handshake is under way; one of them failed at TLS */
	bool dns_failed, by_proxy, by_name; /* by_name: the proxy looks it up */
	enum dns_type asking;
	struct resolver_question question;
	struct dialer dialer;
	struct proxy proxy;
	struct loop_timer pause, deadline;
	uint64_t heard_bytes, counted_bytes; /* when the deadline was set; what the source was told of */
	int64_t waits_ms;	       /* 0: for nothing */
	int64_t left_ms;	       /* of it, while paused */
	uint64_t rate_bytes;	       /* heard when this part of the answer began, */
	int64_t rate_ms;	       /* and how long it has been waited for, up to the last deadline */
	bool paused;
	struct loop_call call; /* the next thing to do, out of all callbacks */
	enum source_net_next {
		SOURCE_NET_NOTHING,
		SOURCE_NET_TOKEN, /* a token, then all of the way */
		SOURCE_NET_ADDRESS, /* the next one */
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

/* Begin. The port where the file says none: PORT, with TLS from the first byte TLS_PORT. */
void source_net_start(struct source_net *n, const struct source_net_events *events, uint16_t port, uint16_t tls_port);
/*
 * The end, `over` follows; the first reason stays. WHY is cleaned and cut; not told where FAULT is SOURCE_FINE.
 * SOURCE_NO_TLS, or the connection lost in the handshake: where the server has another address, that is tried first,
 * `connected` comes again.
 */
void source_net_close(struct source_net *n, enum source_fault fault, const char *why);
/* The same where the machine says WHY, after the server SAID something. */
void source_net_end(struct source_net *n, struct source_net_fault fault, const char *why, struct span said);
/*
 * The login was refused. True: by a token, and another one is fetched, once; the connection is made anew, `connected`
 * comes again.
 */
bool source_net_again(struct source_net *n);
void source_net_defer(struct source_net *n); /* `deferred` follows, in another turn of the loop */
/* A piece of the text of NUMBER to the holder. False: not taken, N->held; nothing is read until source_resume(). */
bool source_net_offer(struct source_net *n, uint32_t number, struct span piece);

/* ---- rows of struct source_kind ---- */

void source_net_resume(struct source *s); /* `input` follows */
void source_net_cut(struct source *s);
void source_net_free(struct source *s); /* `freed` follows where it was started, perhaps at once, and no other callback */

/* ---- time ---- */

/* Something is expected from the other side within the collector's `timeout`, or MS where that is less, not 0. Each answer sets it anew. */
void source_net_expect(struct source_net *n, int64_t ms);
void source_net_expect_nothing(struct source_net *n);

/* ---- TLS and login ---- */

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
void source_net_next_address(struct source_net *n);
/* The end, whatever address there still is; the first reason stays. */
void source_net_finish(struct source_net *n, enum source_fault fault, const char *why);
/* How often each address is tried (NET-01). */
unsigned source_net_attempts(const struct source_net *n);
/* The address that was dialled last failed. */
void source_net_tried(struct source_net *n, const char *why);
/* The same at TLS. True: there is another try to be made. */
bool source_net_goes_on(struct source_net *n, const char *why);
/* WHY, or in TEXT which addresses failed and why, where there were several. */
const char *source_net_say_tried(const struct source_net *n, const char *why, char text[SOURCE_WHY_SIZE]);
void source_net_stream_init(struct source_net *n);
void source_net_talk(struct source_net *n, int fd);
void source_net_hang_up(struct source_net *n);
void source_net_get_token(struct source_net *n); /* then source_net_dial() */
/* Who vouches for the server; then source_net_trusted(), perhaps in this call, or closed. */
void source_net_get_roots(struct source_net *n);
void source_net_trusted(struct source_net *n);
void source_net_roots_stop(struct source_net *n);
void source_net_prove_init(struct source_net *n);

#endif
