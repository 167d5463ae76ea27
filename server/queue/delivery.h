/*
 * delivery.h - one connection to another server, and the messages that go over it.
 *
 *   start -> hosts (MX, addresses) -> dial -> greeting, TLS, AUTH -> ready -> ask -> message -> ready ...
 *              ^                        |            |                        |
 *              +--- the next one -------+------------+                        +--> quit -> end
 *
 * A delivery lives on one loop. The front loop owns it before it is started, while it has asked and not
 * been answered, and after its end; nothing of it is touched by both at a time.
 *
 *   delivery.c         dialling, the conversation, deadlines, the end
 *   delivery_hosts.c   which hosts and addresses, in which order (OUT-04, OUT-13, H21)
 *   delivery_via.c     through a proxy, and once more
 *   delivery_auth.c    the account, and what it proves
 *   delivery_mail.c    one message: from the store to the wire, and what was said of it
 *   delivery_probe.c   a test, without a message
 *   delivery_prepare.c what is done to it first: made 7-bit where it must be, and signed
 *   delivery_text.c    its text, as much as the stream takes
 */
#ifndef SERVER_QUEUE_DELIVERY_H
#define SERVER_QUEUE_DELIVERY_H

#include "conf/conf_types.h"
#include "proto/base/arena.h"
#include "proto/smtp/smtp_client.h"
#include "server/connect/proxy.h"
#include "server/net/dialer.h"
#include "server/net/resolver.h"
#include "server/net/sasl_proof.h"
#include "server/net/stream.h"
#include "server/queue/body_warming.h"
#include "server/queue/delivery_probe.h"
#include "server/queue/downgrade.h"
#include "server/queue/outcome.h"
#include "server/queue/outgoing.h"
#include "server/runner/tokens.h"
#include "server/queue/signing.h"

#define DELIVERY_HOSTS_MAX 20	  /* servers of a route; of MX hosts 10 (H21) */
#define DELIVERY_MX_MAX 10
#define DELIVERY_ADDRESSES_MAX 10 /* of one host */
#define DELIVERY_REFUSED_MAX 20	  /* addresses that are tried again when all have been */

struct generation;

struct delivery_host {
	struct span name; /* or a literal address */
	uint16_t port, preference;
};

struct delivery_refusal {
	struct dial_address address;
	size_t host_at;
	bool by_name;
};

/* What shall happen when the stream has been closed. */
enum delivery_next { NEXT_NOTHING, NEXT_ADDRESS, NEXT_SAME_PLAIN, NEXT_SAME_TOKEN, NEXT_END };

struct delivery {
	/* The front's. */
	struct list link; /* in its lane's list of idle ones */
	struct list all_link;
	struct lane *lane;
	int64_t idle_since_ms; /* steady */
	struct list idle_link, group_link; /* in outgoing.idle_ones, and in its group's */
	int64_t turn_ms, given_ms; /* steady: its turn began; the message under way, or the connection */
	unsigned turn_messages;	   /* of this turn */
	bool is_doubtful, is_stuck, is_leaving, is_cut, is_over; /* of outgoing_watch.c */

	/* Set before it starts. */
	struct outgoing *all;
	struct host *host;	  /* of its loop */
	struct host *front;
	struct generation *generation; /* that `route` belongs to */
	struct conf_route route;  /* a copy; spans of the generation, or of `arena` */
	struct tls_client *roots; /* held */
	struct span hop;	  /* the domain to which it goes directly */
	struct delivery_probe *probe; /* a test: nothing is sent (delivery_probe.h); or NULL */

	/* What it tells when it asks or ends. */
	bool answered;	   /* a server was ready */
	bool told_answered; /* the front's: it knows */
	bool failed;	   /* no server could be used: for all that waits */
	bool for_good;
	unsigned sent;	   /* transactions that came to an end */
	bool cut;	   /* the connection was lost in the middle of one */
	struct outcome_row why; /* spans in why_text */
	char why_text[LANE_WHY_SIZE], why_enhanced[12], remote[LANE_WHY_SIZE], tls[LANE_WHY_SIZE];

	/* Asked: what it is given. NULL: there is no more. */
	struct item *batch;

	/* Its loop's, which the front reads. */
	_Atomic int64_t heard_ms; /* steady; something was said last */
	_Atomic bool has_text_out; /* its answer decides about the message: never given up */

	/* Its loop's. */
	bool started, dials, ended;
	struct arena arena;
	struct delivery_host hosts[DELIVERY_HOSTS_MAX];
	size_t host_count, host_at;
	struct dial_address addresses[DELIVERY_ADDRESSES_MAX];
	size_t address_count, address_at;
	bool no_mx;	 /* the only host is the domain itself */
	bool all_refused; /* every address so far was ours or loopback */
	bool dns_failed;  /* for the host under way */
	enum dns_type asking;
	struct resolver_question question;
	struct dialer dialer;
	struct proxy proxy; /* by_via: through it */
	bool by_via, by_name; /* by_name: the address under way is the host's name and a port, for the proxy */
	bool again;	      /* all were tried; now those that refused, once more */
	unsigned round;	      /* of that */
	int again_at;
	size_t closed_count;
	struct delivery_refusal closed_ports[DELIVERY_REFUSED_MAX];
	struct loop_timer pause;
	struct stream stream;
	bool stream_open, plain, in_clear_after_failure;
	enum delivery_next next;
	struct loop_call closing;
	struct loop_timer deadline;
	enum smtp_stage deadline_stage;
	struct smtp_client smtp;
	bool smtp_open, asked, must_quit;
	struct buf secret;
	struct sasl_proof proof; /* of AUTH */
	struct token_question token; /* under way: it is not dialled before the answer */
	void (*after_token)(struct delivery *);
	uint64_t token_number;
	bool token_again; /* a second one was asked for, at the same server */

	/* The message under way. */
	struct arena mail_arena;
	struct outcome *outcome;
	struct smtp_client_mail mail;
	struct signing signing;
	struct span lines;  /* put in front of the header; of `signing` */
	struct span header;
	uint64_t content_id, body_id, body_size, body_at; /* as they are stored */
	uint64_t sent_body_size;
	struct downgrading downgrading;
	struct downgrade *downgrade; /* it is not sent as it is stored */
	struct mime_downgrade_run run;
	struct buf piece; /* of it, that the stream has no room for yet */
	struct outcome_row *refused; /* recipients that this server cannot be told */
	size_t refused_count;
	bool asks_utf8;	    /* SMTPUTF8 was said when it came, or an address needs it */
	enum err sender_err; /* of outgoing_ascii() */
	size_t lines_at, header_at;
	struct body_warming warming;
	bool ours; /* it may be signed */
	bool body_pinned, preparing, sending;
};

/* On the front loop; the caller fills what is "set before it starts". */
struct delivery *delivery_new(void);
void delivery_free(struct delivery **d);
void delivery_start(void *delivery); /* by loop_post() on its loop */
void delivery_take(void *delivery);  /* by loop_post(): `batch` is given */
/* By loop_post(): others need the connection, and nothing was heard for long; outgoing_on_given_up() follows. */
void delivery_give_up(void *delivery);
void delivery_cut(struct delivery *d); /* the loops have ended: let go of all that is open */

/* ---- delivery_hosts.c ---- */

void delivery_find_hosts(struct delivery *d); /* then delivery_next_address() */
/* Dial the next address, ask for those of the next host, or delivery_fail(). */
void delivery_next_address(struct delivery *d);

/* ---- delivery.c, for the others ---- */

/* Remember WHY this server could not be used; the last one stays. */
void delivery_blame(struct delivery *d, unsigned code, struct span enhanced, struct span text,
	enum smtp_stage stage);
/* No server can be used: the end, and why is known. */
void delivery_fail(struct delivery *d, bool for_good);
/* Close the stream, then NEXT. */
void delivery_close(struct delivery *d, enum delivery_next next);
void delivery_go_on(struct delivery *d); /* look at what has come */
struct span delivery_host(const struct delivery *d); /* the name of the server under way */
/* The session is over, with or without a message under way: ANSWER, or REASON where its code is 0. */
void delivery_over(struct delivery *d, struct smtp_answer answer, struct span reason,
	enum smtp_stage stage);
/* This server is of no use: the next one. After it had been ready: the end. */
void delivery_leave_server(struct delivery *d);

/* ---- delivery_wait.c ---- */

int64_t delivery_wait_ms(const struct delivery *d, enum smtp_stage stage); /* 0: another's time */
void delivery_watch(struct delivery *d); /* the deadline of what is waited for now */
void delivery_on_deadline(struct loop_timer *timer);

/* ---- delivery.c ---- */

void delivery_start_tls(struct delivery *d);
/* Between two messages: ask the front for the next one, or say goodbye. */
void delivery_ready(struct delivery *d);
extern const struct stream_events delivery_stream_events;

/* ---- delivery_via.c ---- */

void delivery_via_init(struct delivery *d);
void delivery_find_via(struct delivery *d); /* then delivery_find_hosts() */
void delivery_dial(struct delivery *d); /* the address under way */
/* The address under way refused the connection, or did not: for delivery_dial_again(). */
void delivery_refused(struct delivery *d, bool refused);
/* All were tried: one that refused, once more. False: none is left (NET-01). */
bool delivery_dial_again(struct delivery *d);

/* ---- delivery_dial.c ---- */

void delivery_on_dialled(struct dialer *dialer, int fd, int error);
void delivery_open_folder(struct delivery *d); /* of a route of kind spool (spool_door.h) */
void delivery_say_tls(struct delivery *d); /* how safe the connection is, for the trace */

/* ---- delivery_auth.c ---- */

/* The token of a route that has a token_command; then, and for all others at once, `next`. */
void delivery_get_token(struct delivery *d, void (*next)(struct delivery *));
/* The token was refused at login with CODE. True: another one is fetched, and the server asked once more. */
bool delivery_token_refused(struct delivery *d, unsigned code);
/* The route's account into CONFIG. ERR_IO: its password cannot be read (blamed). */
MUST_CHECK enum err delivery_account(struct delivery *d, struct smtp_client_config *config);
void delivery_prove(struct delivery *d, const struct sasl_task *task);
void delivery_auth_fini(struct delivery *d);

/* ---- delivery_prepare.c ---- */

/* What was loaded is made ready and begun, now or later. */
void delivery_prepare(struct delivery *d);
void delivery_on_looked(struct downgrading *g);

/* ---- delivery_text.c ---- */

void delivery_mail_text(struct delivery *d); /* as much as the stream takes */

/* ---- delivery_mail.c ---- */

bool delivery_is_lan(const struct delivery *d); /* to a server of our own, by address */

/* The batch becomes a mail. False: nothing of it is to be sent any more; ask again. */
bool delivery_mail_load(struct delivery *d);
void delivery_mail_recipient(struct delivery *d, const struct smtp_client_event *ev);
/* For the trace of this try; the texts are copied. */
void delivery_mail_note(
	struct delivery *d, enum note_code code, struct span found, struct span because);
void delivery_mail_drop(struct delivery *d); /* without a word */
/* Not begun, and it will not be here: it is a batch again. */
void delivery_mail_put_back(struct delivery *d);
/* It has ended with the ANSWER to STAGE; what waits for a verdict gets it. Code 0: no verdict. */
void delivery_mail_done(struct delivery *d, struct smtp_answer answer, enum smtp_stage stage);

#endif
