/*
 * control_call.h - one request under way: from the checked line to its reply.
 *
 *   check ---> work ---> ask ---> read ---> change ---> finish ---> reply
 *   (loop)   (worker)  (loop)  (worker)   (writer)     (loop)
 *
 * A handler fills those steps that it needs; the others are passed over. A step that fails ends
 * the call with its error. `start` stands in place of them all: it drives itself and calls
 * control_call_end() in the end.
 *
 *   check   looks at parameters; instant
 *   work    slow arithmetic or files; may wait for a disk, never touches the store's writer
 *   ask     waits for something else than a disk: a child, a script. True: it goes on itself, later, by
 *           control_call_go(call, CALL_READ), or CALL_END where the call has failed. Of a preview too
 *   read    is called with a fresh snapshot until it does not say STEP_MORE; at most
 *           CONTROL_SLICE_MS a call (H44). `spill` follows each slice, without the snapshot: it may
 *           write to a descriptor
 *   take    what must succeed in memory before `change` records it. A new configuration goes on later: what
 *           waits for it sets call->takes, and calls control_call_go(call, CALL_RECORD), or CALL_END where it failed
 *   change  one store_job; each: one call for each target, in jobs of CONTROL_TARGETS_JOB targets,
 *           and what fails is skipped with its reason while the others go on
 *           `work` may set call->again: after these targets it is called once more
 *   finish  what memory must learn after the commit (a remembered login to forget)
 *   foresee of a preview, in place of `read` and all that follows: says by control_foresee() what else
 *           would happen. `check` and `work` come before it, with call->foresees set
 *   tries   a preview runs `change` in a transaction that is given up: what it refuses, the preview does
 *
 * The call owns an arena and the descriptors that came with it; both go with the reply. It outlives
 * its session: a peer that leaves cancels it, `cancelled` is looked at between slices, and no reply
 * is put. Everything but `cancelled` and the progress figures belongs to one thread at a time. The
 * configuration is host->conf, on the loop only; the other steps have call->generation, which it began with.
 */
#ifndef SERVER_CONTROL_CONTROL_CALL_H
#define SERVER_CONTROL_CONTROL_CALL_H

#include <stdatomic.h>

#include "proto/base/json.h"
#include "proto/control/rpc_request.h"
#include "server/control/control_rows.h"
#include "server/control/control_session.h"
#include "server/net/work.h"
#include "store/commit.h"

#define CONTROL_SLICE_MS 8	/* of a worker under one snapshot (H44) */
#define CONTROL_COUNT_MS 400	/* then a count is estimated from what was looked at */
#define CONTROL_TARGETS_JOB 20	/* targets that one store_job changes */
#define CONTROL_PROGRESS_MS 500 /* between two progress lines */
#define CONTROL_REPLY_AT_ONCE (64 * 1024) /* bytes of a reply that the loop frees; more is left to a worker */
#define CONTROL_FORESEEN_MAX 100 /* lines of a preview */

struct control_call;

/*
 * A list of numbered rows, the numbers rising with time, whose rows can be read again by their number:
 * a cursor keeps the numbers alone (control_ids.h). FILTER is the list's own, as text.
 */
struct control_keyed {
	bool (*id)(struct span key, uint64_t *id);
	struct span (*key)(uint64_t id, struct arena *a);
	/* The row of ID as it is now, by control_row(). ERR_NOT_FOUND: it left the list. */
	enum err (*row)(struct control_call *call, struct control_rows *rows, struct snapshot *snap,
		uint64_t id, struct span filter);
	/* The number that follows ID, or ERR_NOT_FOUND. */
	enum err (*after)(struct snapshot *snap, uint64_t id, uint64_t *next);
};

struct control_handler {
	void (*start)(struct control_call *);
	bool (*check)(struct control_call *);
	bool (*work)(struct control_call *);
	bool (*ask)(struct control_call *);
	enum step (*read)(struct control_call *, struct snapshot *);
	bool (*spill)(struct control_call *);
	enum step (*foresee)(struct control_call *, struct snapshot *);
	bool (*take)(struct control_call *); /* loop, before `change`: false ends the call */
	enum err (*change)(struct control_call *, struct txn *);
	enum err (*each)(struct control_call *, struct txn *, struct span key);
	void (*finish)(struct control_call *);
	bool (*wait)(
		struct control_call *); /* after finish; true: it ends the call itself, later */
	enum work_kind work_kind;	/* of `work`; WORK_HASH is 0 */
	/* of a preview, each may be NULL: in place of the usual sentence; a warning, or NULL */
	struct span (*would)(struct control_call *, const struct rpc_request *);
	const char *(*warns)(struct control_call *, const struct rpc_request *);
	const struct control_keyed *keyed; /* of a list; NULL: a cursor keeps whole rows */
	const char *object;		/* "user": what an error of `change` is about */
	const char *cannot;		/* why the way back is not in the log; NULL: it is */
	bool unrecorded;		/* `change` keeps the log itself */
	bool tries;			/* in place of `foresee` */
	unsigned targets_job;		/* targets of one job; 0: CONTROL_TARGETS_JOB */
};

extern const struct control_handler *const control_handlers[CONTROL_METHOD_COUNT];

#define X(id, ...) extern const struct control_handler control_do_##id;
CONTROL_METHODS(X)
#undef X

struct control_call {
	struct list link;
	struct control_session *session; /* NULL: the peer left */
	bool is_locked;			 /* by message security, when it began (control_guard.h) */
	struct host *host;		 /* the front loop's */
	struct generation *generation;	 /* of the configuration when it began; for every thread */
	const struct control_handler *handler;
	struct rpc_request *request;
	struct control_who who;
	struct arena arena;
	struct span id; /* raw JSON, given back with the reply */
	unsigned step;	/* of control_call.c */
	int64_t now_ms; /* wall clock at the start */
	int fds[CONTROL_FDS_MAX];
	unsigned fd_count;
	uint64_t file_digest;	/* of what control_read_file() read */
	uint64_t pinned_digest; /* of what was previewed; 0: nothing was */
	bool pinned;            /* the targets are those of a preview */
	_Atomic bool cancelled;
	_Atomic uint64_t progress_done, progress_total;
	_Atomic uint64_t progress_bytes, progress_bytes_total; /* 0: not told */
	struct loop_timer progress;
	void *state; /* the handler's, in the arena */

	struct work work;
	struct store_job job;
	const struct span
		*targets; /* what `each` is called for: the request's, or those of `work` */
	size_t target_count;
	size_t target_at, target_end; /* of the job under way */
	size_t target_now;	      /* the one that `each` is called for */
	bool again;
	uint64_t config_no; /* history number of the file, for the log of changes */

	/* The answer. */
	bool failed;
	bool foresees; /* a preview: nothing is changed */
	bool takes;    /* `take` is not over when it returns */
	enum err tried; /* how `change` would end */
	struct span *foreseen;
	size_t foreseen_count;
	uint64_t foreseen_bytes; /* of what would go */
	struct rpc_error error;
	struct control_rows rows; /* ROWS and FAULTS */
	enum control_keep keep;	  /* of the rows; before control_call_run() */
	bool estimates;		  /* of a list that says how long it is, the count may be a guess */
	struct buf out;		  /* OBJECT: the result as JSON */
	struct json_writer json;  /* writes into `out` */
	struct span text;	  /* TEXT */
	struct buf reply;	  /* the whole line, where a worker has put it */
	uint64_t done;		  /* DONE */
	struct rpc_skipped *skipped;
	size_t skipped_count, skipped_size;
	size_t skipped_more, job_skipped_more; /* beyond CONTROL_TARGETS_MAX they are counted */
	uint64_t undo_id; /* the change in the log; 0: none yet */
	bool did; /* the note is what control_did() makes of the change */
	bool can_undo, too_large; /* too_large: more rows than are kept for an undo */
	int64_t undo_until_ms;
	struct span note;
	struct span secret; /* of a password that was made (DONE); wiped at the end */
	const struct rpc_collected *collected; /* of DONE, or NULL */
	const struct rpc_errors *errors;       /* likewise */
	const char *skip_why; /* `each` says why it returned an error; NULL: the usual words */
	uint64_t job_done;    /* of the job under way: added when it is on disk */
	uint64_t job_parts;   /* of those, what is only a part of something */
	uint64_t job_change_id;
	size_t job_skipped;

	/* Instead of a reply: a preview that collects keys, a cursor that takes the rows. */
	void (*on_end)(struct control_call *);
	struct rpc_request *outer; /* list.open, preview: the request around `request` */
	void *outer_state;
	struct span line; /* the request as it came */
};

/* An empty call, so that its line can be read into its arena. */
struct control_call *control_call_new(void);
void control_call_free(struct control_call *call); /* one that never began */
/* Run REQUEST, which lives in the call's arena, for S; the descriptors are now the call's. Loop
 * thread; CALL may be gone on return. */
void control_call_begin(struct control_session *s, struct control_call *call,
	struct rpc_request *request, const int *fds, unsigned fd_count);
/* The same steps for another method inside this call, then ON_END in place of the reply: it must
 * call control_call_run() again, or control_call_end(). */
void control_call_run(struct control_call *call, struct rpc_request *request,
	void (*on_end)(struct control_call *));
/* As far as a preview of REQUEST needs: check, work, foresee; then ON_END. The rows that were
 * gathered before stay. */
void control_call_foresee(struct control_call *call, struct rpc_request *request,
	void (*on_end)(struct control_call *));
/* One line of what would happen besides; of more than CONTROL_FORESEEN_MAX the rest is counted. */
void control_foresee(struct control_call *call, struct span line);
void control_call_reply(struct control_call *call); /* puts the answer; part of control_call_end */
/* On a worker, behind the last step: the rows of a list become its reply, and are freed. */
void control_call_put_rows(struct control_call *call);
void control_call_drop_reply(struct control_call *call); /* on the loop, when it was sent */
void control_call_end(struct control_call *call);   /* loop thread; CALL is gone after it */
void control_call_cancel(struct control_call *call);
void control_call_leave(struct control_call *call); /* the peer left: cancel, reply to nobody */
void control_call_wipes(struct control_call *call, struct span secret); /* at the end (H66) */

enum control_step { CALL_CHECK, CALL_WORK, CALL_ASK, CALL_READ, CALL_CHANGE, CALL_RECORD, CALL_FINISH, CALL_END };

/* Between control_call.c and control_change.c: go on with STEP, or the next that the handler has.
 */
void control_call_go(struct control_call *call, enum control_step step);
void control_change_submit(struct control_call *call);
void control_change_try(struct control_call *call);

/* Set the error of a call; the first one stays. WHY and HINT are copied into the arena. False. */
bool control_fail(struct control_call *call, enum rpc_code code, const char *why, const char *hint,
	const char *field);
bool control_failf(struct control_call *call, enum rpc_code code, const char *field,
	const char *format, ...) PRINTF_LIKE(4, 5);
/* The usual words for ERR about OBJECT ("the user"). */
bool control_fail_err(struct control_call *call, enum err err, const char *object);

/* Note that KEY was left out. WHY is static text. */
void control_skip(struct control_call *call, struct span key, const char *why);
const char *control_why(enum err err); /* "not found", as people read it */

static inline bool
control_is_cancelled(struct control_call *call)
{
	return atomic_load_explicit(&call->cancelled, memory_order_relaxed);
}

/* Has this slice of `read` lasted long enough? */
struct control_slice {
	int64_t end_us;
	unsigned count;
};
struct control_slice control_slice_begin(void);
bool control_slice_is_over(struct control_slice *slice);
bool control_slice_is_over_now(const struct control_slice *slice); /* where a row may be on disk */

/* "user anna added" of "user.add" and "anna", in A. */
struct span control_did(struct arena *a, struct span what, struct span object);

/* "would add mapping office -> anna" of a request that is only previewed; no secret. In A. */
struct span control_would(struct arena *a, const struct rpc_request *r, size_t count);

/* A descriptor parameter; -1 where it was left out. It stays the call's. */
int control_fd(struct control_call *call, const char *param);
/* Worker: write all of FROM to a descriptor of the call, and empty it. Fails the call. */
bool control_write(struct control_call *call, int fd, struct buf *from);
/* "2026-11-20T14:00:00Z" in the arena. */
struct span control_time(struct arena *a, int64_t ms);
void control_put_time(struct json_writer *w, struct span name, int64_t ms); /* 0 is null */
void control_put_text_or_null(struct json_writer *w, struct span name, struct span text);

/* Shorter forms for the parameters of the call. */
static inline struct span
control_param(const struct control_call *call, const char *name)
{
	return rpc_text(call->request, name);
}

#endif
