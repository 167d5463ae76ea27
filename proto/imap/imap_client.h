/*
 * imap_client.h - the client's side of IMAP4rev1 (RFC 3501), for one folder from which mail is fetched.
 *
 *   greeting -> CAPABILITY --(STARTTLS -> TLS -> CAPABILITY)--> login -> CAPABILITY -> SELECT -> READY
 *                                                                                                 |
 *       list() -> ITEM ... LISTED     order() -> TEXT ... ANSWER     expunge() -> EXPUNGED  <-----+
 *       idle() -> NEWS, idle_end() -> IDLED     noop() -> NEWS, IDLED     logout() -> OVER
 *
 * Same shape as smtp_client.h: bytes in, one event at a time; commands are put into OUT. Orders are answered in the
 * order in which they were given. One command is under way at a time, for all orders of its kind that wait: servers
 * answer several commands in any order (RFC 3501, 5.5), but the messages of one in theirs. The text of a message is
 * passed on as it comes, in pieces of any size; nothing of it is kept. What a server says unasked (RFC 3501, 7) is
 * taken at any time.
 */
#ifndef PROTO_IMAP_IMAP_CLIENT_H
#define PROTO_IMAP_IMAP_CLIENT_H

#include "proto/imap/imap_args.h"
#include "proto/sasl/sasl_client.h"

#define IMAP_CLIENT_AHEAD 64	     /* orders whose answers have not come */
#define IMAP_CLIENT_LINE_MAX 65536	     /* bytes of a line that is said to us */
#define IMAP_CLIENT_LITERAL_MAX 65536    /* bytes of a literal that nobody asked for: read and dropped */
#define IMAP_CLIENT_TEXT_MAX UINT32_MAX  /* bytes of the text of a message */
#define IMAP_CLIENT_UNASKED_MAX 2000000  /* untagged responses in a row without an answer to a command */
#define IMAP_CLIENT_ANSWER_SIZE 200	     /* bytes that are kept of an answer, for people */
#define IMAP_CLIENT_SET_LINE 900     /* bytes of a set of UIDs in one command (RFC 2683, 3.2.1.5) */
#define IMAP_CLIENT_REMOVED_MAX 1000000  /* ranges of UIDs marked as deleted */

enum imap_client_tls {
	IMAP_CLIENT_TLS_NONE,
	IMAP_CLIENT_TLS_REQUIRED, /* STARTTLS, or nothing is said (H68) */
};

/* What is asked; the holder's deadline follows from it. */
enum imap_client_stage {
	IMAP_STAGE_READY, /* nothing is */
	IMAP_STAGE_GREETING,
	IMAP_STAGE_CAPABILITY,
	IMAP_STAGE_STARTTLS,
	IMAP_STAGE_LOGIN,
	IMAP_STAGE_AUTHENTICATE,
	IMAP_STAGE_CAPABILITY_AGAIN, /* after the login */
	IMAP_STAGE_SELECT,
	IMAP_STAGE_LIST,
	IMAP_STAGE_HEAD,  /* orders: the header of a message */
	IMAP_STAGE_FETCH, /* all of it */
	IMAP_STAGE_DELETE, /* mark it as deleted */
	IMAP_STAGE_SEEN,  /* mark it as seen */
	IMAP_STAGE_KEEP,  /* nothing is said; it has its answer in its turn all the same */
	IMAP_STAGE_SEARCH,
	IMAP_STAGE_EXPUNGE,
	IMAP_STAGE_IDLE,
	IMAP_STAGE_NOOP,
	IMAP_STAGE_LOGOUT,
	IMAP_STAGES
};

enum imap_client_over {
	IMAP_OVER_NO,
	IMAP_OVER_LOGOUT,
	IMAP_OVER_BYE,	    /* the server says goodbye, or has a greeting that is none */
	IMAP_OVER_REFUSED,  /* a NO or BAD that ends it: CAPABILITY, SELECT */
	IMAP_OVER_BUSY,	    /* the same, but with [INUSE]: another time (RFC 5530) */
	IMAP_OVER_NO_TLS,   /* required, and not to be had; PREAUTH leaves no way to it (H3) */
	IMAP_OVER_NO_AUTH,  /* no way to log in that may be used here */
	IMAP_OVER_AUTH,	    /* the login was refused, or the server could not prove itself */
	IMAP_OVER_NONSENSE, /* what it says is not IMAP */
	IMAP_OVER_LIMIT,    /* or over a limit */
	IMAP_OVER_INJECTED, /* bytes before the handshake (H3) */
	IMAP_OVER_UNASKED,  /* an answer to a command that was not given, or the text of another message */
	IMAP_OVER_OUTPUT,   /* OUT is full */
};
const char *imap_client_over_text(enum imap_client_over why);

enum imap_client_event_kind {
	IMAP_CLIENT_NEED_BYTES,
	IMAP_CLIENT_NEED_HOLDER, /* an event still waits for what it asks */
	IMAP_CLIENT_STARTTLS,	 /* make the handshake, then imap_client_tls_started() */
	IMAP_CLIENT_TASK,	 /* *task: then imap_client_prove() */
	IMAP_CLIENT_READY,	 /* the folder is open: `folder` of the machine; orders may be given */
	IMAP_CLIENT_ITEM,	 /* `uid`, `size`, `flags` */
	IMAP_CLIENT_LISTED,
	IMAP_CLIENT_TEXT,   /* `text` of the order of `uid` */
	IMAP_CLIENT_ANSWER, /* the order `stage` of `uid` has its `result` */
	IMAP_CLIENT_EXPUNGED, /* `result`: OK, or NO: messages that others marked would have gone, too */
	IMAP_CLIENT_NEWS,   /* in IDLE or after NOOP: there are more messages than there were */
	IMAP_CLIENT_IDLED,  /* IDLE or NOOP has ended; orders may be given */
	IMAP_CLIENT_OVER,   /* the session is: `why`, `stage`, `answer`. Comes for ever */
};

enum imap_client_result {
	IMAP_RESULT_OK,
	IMAP_RESULT_GONE,  /* OK without a text: it is not there any more */
	IMAP_RESULT_EMPTY, /* a text of no bytes: no message is like that */
	IMAP_RESULT_PASSED, /* it did not come, but one behind it did */
	IMAP_RESULT_NO,
	IMAP_RESULT_BAD,
};

struct imap_client_event {
	enum imap_client_event_kind kind;
	enum imap_client_stage stage;
	uint32_t uid;
	uint64_t size; /* UINT64_MAX: not said */
	unsigned flags; /* IMAP_FLAG_ bits */
	struct span text;
	enum imap_client_result result;
	struct span answer; /* what the server said, for people; lives until the next call of next() */
	const struct sasl_task *task;
	enum imap_client_over why;
};

struct imap_client_config {
	enum imap_client_tls tls;
	bool secure;		  /* TLS from the first byte */
	bool secret_in_clear;	  /* the holder wants no TLS: secrets may be shown */
	struct sasl_account account;
	struct sasl_nonce nonce;
	bool login;		  /* LOGIN may be used */
	unsigned mechanisms;	  /* SASL_CLIENT_BIT() of those that may */
	struct span folder;	  /* UTF-8 */
};

/* What it offers. */
enum imap_client_can {
	IMAP_CAN_STARTTLS = 1 << 0,
	IMAP_CAN_NO_LOGIN = 1 << 1, /* LOGINDISABLED */
	IMAP_CAN_SASL_IR = 1 << 2,
	IMAP_CAN_IDLE = 1 << 3,
	IMAP_CAN_UIDPLUS = 1 << 4,
};

struct imap_client_folder {
	uint32_t exists, uidvalidity; /* 0: it does not say */
	bool unsticky;		      /* UIDs are of this session alone */
	bool read_only;
};

/* A FETCH response as it comes, in several pieces where there are literals. */
struct imap_client_fetched {
	uint32_t uid;
	uint64_t size;
	unsigned flags, depth;
	enum { FETCHED_BEGIN, FETCHED_NAME, FETCHED_VALUE, FETCHED_END } at;
	enum { FETCHED_OTHER, FETCHED_UID, FETCHED_SIZE, FETCHED_FLAGS, FETCHED_TEXT } item;
	bool has_size, has_text; /* has_text: of an order, as a literal */
	bool quoted; /* the text is no literal: without a line's end it is no message either */
};

struct imap_client_order {
	enum imap_client_stage stage;
	uint32_t uid;
	enum { IMAP_ORDER_WAITS, IMAP_ORDER_SENT, IMAP_ORDER_DONE } state;
	enum imap_client_result result; /* DONE */
};

struct imap_client {
	struct imap_client_config config;
	unsigned can, mechanisms; /* enum imap_client_can; SASL_CLIENT_BIT() */
	bool can_said;		  /* since the last login or TLS */
	struct imap_client_folder folder;
	enum imap_client_event_kind pending; /* STARTTLS, TASK: the holder's turn */
	enum imap_client_over over;
	char answer[IMAP_CLIENT_ANSWER_SIZE];
	size_t answer_len;
	enum imap_client_stage over_stage;
	bool tls, handshake, greeted, ready, listed, expunged, expunged_all, news, idled;
	bool idle_going, idle_end_wanted;
	struct sasl_client sasl;
	unsigned login_step;
	enum imap_client_stage asked; /* the command under way; READY: none */
	uint32_t tag, asked_uid;      /* its, or the last one's */
	/* A ring, the oldest first. */
	struct imap_client_order orders[IMAP_CLIENT_AHEAD];
	size_t order_at, order_count;
	uint64_t unasked;
	/* The response under way. */
	size_t scanned;	     /* bytes of a line without an end */
	enum { IMAP_LITERAL_NONE, IMAP_LITERAL_SKIPPED, IMAP_LITERAL_TEXT } literal;
	uint64_t literal_left;
	bool goes_on;	     /* behind a literal */
	bool is_fetch;
	struct imap_client_fetched fetched;
	uint64_t text_bytes;
	bool wrong_text;
	/* What was marked as deleted, and how far its removal is. */
	struct imap_range *removed;
	size_t removed_count, removed_size, removed_at;
	uint32_t search_from;
	bool others_deleted;
};

/* CONFIG is copied; its spans must outlive M. */
void imap_client_init(struct imap_client *m, const struct imap_client_config *config);
void imap_client_fini(struct imap_client *m); /* wipes what was made of the secret */

/* One event from the front of IN; the bytes used up. Commands are put into OUT. */
size_t imap_client_next(struct imap_client *m, struct span in, struct buf *out,
	struct imap_client_event *ev);
/* The last LEN bytes of the text of the last event were not taken, and not used up: they come again. */
void imap_client_again(struct imap_client *m, size_t len);

/* After IMAP_CLIENT_STARTTLS: forgets all that was said in clear (H3). */
void imap_client_tls_started(struct imap_client *m, struct buf *out);
/* After IMAP_CLIENT_TASK; see sasl_client_prove(). */
void imap_client_prove(
	struct imap_client *m, struct span proof, struct span signature, struct buf *out);

/* ---- after READY ---- */

/* May an order be given? */
bool imap_client_has_room(const struct imap_client *m);
/* Nothing is asked that has no answer. */
bool imap_client_is_quiet(const struct imap_client *m);

/* All messages of the folder. Quiet before. */
void imap_client_list(struct imap_client *m, struct buf *out);
/* ORDER: IMAP_STAGE_HEAD, _FETCH, _DELETE, _SEEN or _KEEP. The next call of next() says it, with those that wait. */
void imap_client_order(struct imap_client *m, enum imap_client_stage order, uint32_t uid);
/* Remove what was marked as deleted here, and nothing else (RFC 4315, 2.1). Quiet before. */
void imap_client_expunge(struct imap_client *m, struct buf *out);
bool imap_client_has_removed(const struct imap_client *m); /* there is something to expunge */
/* Wait for NEWS (RFC 2177), which also comes at once for what came meanwhile. Quiet before. */
void imap_client_idle(struct imap_client *m, struct buf *out);
void imap_client_idle_end(struct imap_client *m, struct buf *out); /* IDLED follows */
void imap_client_noop(struct imap_client *m, struct buf *out);	   /* NEWS perhaps, then IDLED */
void imap_client_logout(struct imap_client *m, struct buf *out);   /* OVER follows. Quiet before */

/* Of the command under way. */
enum imap_client_stage imap_client_stage(const struct imap_client *m);
/* It in words, without secrets (H66): "UID FETCH 12 (BODY.PEEK[])"; cut at SIZE. */
const char *imap_client_command(const struct imap_client *m, char *text, size_t size);

#endif
