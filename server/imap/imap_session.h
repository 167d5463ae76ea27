/*
 * imap_session.h - one IMAP session: what handlers of commands may use of it.
 *
 *     input -> imap_server_next -> event -> row of imap_commands.c -> handler -> imap_sync -> tagged answer
 *
 * An idle session is small (H34): what a command needs lies in the command arena, which is empty between
 * commands, and what a selected folder needs in struct imap_selected.
 */
#ifndef SERVER_IMAP_IMAP_SESSION_H
#define SERVER_IMAP_IMAP_SESSION_H

#include "proto/imap/imap_server.h"
#include "server/imap/folder_watch.h"
#include "server/imap/imap_commands.h"
#include "server/imap/imap_recent.h"
#include "server/net/work.h"
#include "server/session/login.h"
#include "server/session/session.h"
#include "store/commit.h"
#include "store/folders.h"

struct imap_appending;
struct imap_saved;
struct imap_sync;

#define IMAP_SLICE_US 4000 /* that a command may take of a turn (H36) */

/* What a client asked for with ENABLE, or by using it. */
enum {
	IMAP_ENABLED_CONDSTORE = 1,
	IMAP_ENABLED_QRESYNC = 2,
	IMAP_ENABLED_UTF8 = 4,
	IMAP_ENABLED_REV2 = 8,
};

/* The folder that is selected; from malloc, for sessions stay for hours. */
struct imap_selected {
	uint64_t user_id; /* whose folder it is */
	uint64_t folder_id;
	uint32_t uidvalidity;
	unsigned rights; /* of the user of the session */
	bool examined;	 /* EXAMINE */
	bool read_only;	 /* that, or he has no right that would change it */
	bool own_seen;	 /* \Seen is each user's own */
	bool is_fake;	 /* shown as empty, for it may not be looked into (SHF-05) */
	struct imap_session *session;
	struct folder_watcher watcher;
	bool changed; /* by a commit, since news were told */
	/*
	 * What the client knows: COUNT messages, all uids below UIDNEXT; flags until `modseq`, what left
	 * until `gone_modseq`. The two differ where a command let no EXPUNGE through.
	 */
	uint32_t count, uidnext;
	uint64_t modseq, gone_modseq;
	unsigned keywords;    /* of the folder, that FLAGS named */
	struct imap_recent recent;
	struct folder_view *view;  /* NULL: no command needed it so far */
	struct imap_load *load;	   /* while it is being made */
};

/* The command under way; in the command arena. */
struct imap_run {
	const struct imap_row *row;
	struct imap_cursor args;
	bool by_uid;
	bool answered; /* the handler is done: what is left is to tell the news, then `reply` */
	void *task;    /* the handler's own */
	uint64_t *told; /* modseqs of its own changes that it told itself: the news leave them out */
	size_t told_count, told_room;
	struct imap_reply reply;
};

struct imap_session {
	struct session session; /* first */
	struct imap_server machine;
	struct login *login;
	struct login_proven proven;
	uint64_t user_id; /* 0: not logged in */
	unsigned enabled;
	bool idling;	  /* between IDLE and its DONE */
	bool posted;	  /* it goes on in a later turn */
	unsigned slice_looks; /* at the clock, most of them saved */
	int64_t slice_until_us;
	struct imap_selected *selected; /* NULL: none */
	struct imap_run *run;		/* NULL: between commands */
	struct imap_sync *sync;		/* news under way; in the command arena */
	struct imap_appending *appending; /* imap_cmd_append.c's, while messages come */
	struct imap_saved *saved;	  /* what `$` means; NULL: nothing yet (RFC 9051, 6.4.4.1) */
};

static inline struct imap_session *
imap_of(struct session *s)
{
	return LIST_ITEM(s, struct imap_session, session);
}
extern const struct session_class imap_session_class;

/* ---- for handlers ---- */

static inline struct arena *
imap_arena(struct imap_session *s)
{
	return &s->session.command;
}
/* For imap_put_*(). A put that fails has marked the stream: it ends with the turn, nobody need look. */
static inline struct buf *
imap_out(struct imap_session *s)
{
	return stream_out(&s->session.stream);
}
static inline void
imap_put(enum err err)
{
	(void)err;
}
/* The snapshot of this turn. NULL: there is none, imap_fail(s, ERR_IO). */
static inline struct snapshot *
imap_snapshot(struct imap_session *s)
{
	return host_snapshot(s->session.host);
}
static inline bool
imap_is_utf8(const struct imap_session *s) /* names go as they are, not in modified UTF-7 */
{
	return s->enabled & (IMAP_ENABLED_UTF8 | IMAP_ENABLED_REV2);
}

/* The answer; its spans live in the command arena, or for ever. Says IMAP_DONE. */
enum imap_turn imap_end(struct imap_session *s, struct imap_reply reply);
enum imap_turn imap_fail(struct imap_session *s, enum err err); /* imap_reply_for() */
/* The arguments are not what the command wants: as ARGS says why. */
enum imap_turn imap_bad_arguments(struct imap_session *s, const struct imap_cursor *args);

/* The command made a change with MODSEQ and tells the client of it; they rise. */
void imap_told(struct imap_session *s, uint64_t modseq);
bool imap_is_told(const struct imap_session *s, uint64_t modseq);

/*
 * The client used something of CONDSTORE: from now on flags go with their modseq; of the selected folder
 * the highest is said, if it is the first time (RFC 7162, 3.1).
 */
void imap_use_condstore(struct imap_session *s);

/*
 * Between two pieces of output: say IMAP_MORE now, for the peer does not read (H35) or the slice is
 * over (H36)?
 */
bool imap_must_yield(struct imap_session *s);

/*
 * Submit JOB (apply, done, size_bytes are set) or WORK (kind, run, done), then say IMAP_WAIT. Its `done`
 * calls imap_resume(), which is its last touch. On an error nothing waits, and `done` does not come.
 */
MUST_CHECK enum err imap_submit(struct imap_session *s, struct store_job *job);
MUST_CHECK enum err imap_work(struct imap_session *s, struct work *work);
void imap_resume(struct imap_session *s);

/* ---- imap_dispatch.c, for imap_session.c ---- */

void imap_dispatch(struct imap_session *s, const struct imap_event *ev);
/* IDLE was ended: REPLY follows the news. */
void imap_dispatch_idle_done(struct imap_session *s, struct imap_reply reply);
/* The command NAME, which no handler ran, is over: when s goes on the news are told, then REPLY; or s closes. */
void imap_dispatch_answered(struct imap_session *s, struct span name, struct imap_reply reply);
/* Go on with s->run, or with the news of IDLE. */
void imap_go_on(struct imap_session *s);
/* Has this turn of the session taken its time? Then it goes on in a later one. */
bool imap_turn_is_over(struct imap_session *s, int64_t began_us);
int64_t imap_now_us(void); /* monotonic */
/* The tagged answer, or what the pending event wants. */
void imap_answer(struct imap_session *s, struct imap_reply reply);

/* ---- imap_cmd_append.c, for imap_session.c ---- */

void imap_on_append(struct imap_session *s, const struct imap_event *ev);
void imap_append_drop(struct imap_session *s); /* the session ends in the middle of one */

/* ---- imap_cmd_login.c ---- */

struct imap_server_config imap_machine_config(struct imap_session *s);
void imap_on_connect(struct imap_session *s);
void imap_on_credentials(struct imap_session *s, const struct sasl_login *credentials);
void imap_on_keys(struct imap_session *s, struct span name);
void imap_on_confirmed(struct imap_session *s);

/* ---- imap_cmd_select.c ---- */

/* The folder is let go, if one is selected. */
void imap_unselect(struct imap_session *s);

#endif
