/*
 * control_call.h - one request under way: from the checked line to its reply.
 *
 *   check ---> work ---> read ---> change ---> finish ---> reply
 *   (loop)   (worker)  (worker)   (writer)     (loop)
 *
 * A handler fills those steps that it needs; the others are passed over. A step that fails ends
 * the call with its error. `start` stands in place of them all: it drives itself and calls
 * control_call_end() in the end.
 *
 *   check   looks at parameters; instant
 *   work    slow arithmetic or files; may wait for a disk, never touches the store's writer
 *   read    is called with a fresh snapshot until it does not say STEP_MORE; at most
 *           CONTROL_SLICE_MS a call (H44)
 *   change  one store_job; each: one call for each target, in jobs of CONTROL_TARGETS_JOB targets,
 *           and what fails is skipped with its reason while the others go on
 *   finish  what memory must learn after the commit (a remembered login to forget)
 *
 * The call owns an arena and the descriptors that came with it; both go with the reply. It outlives
 * its session: a peer that leaves cancels it, `cancelled` is looked at between slices, and no reply
 * is put. Everything but `cancelled` and the progress figures belongs to one thread at a time.
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

#define CONTROL_SLICE_MS 8	 /* of a worker under one snapshot (H44) */
#define CONTROL_TARGETS_JOB 20	 /* targets that one store_job changes */
#define CONTROL_PROGRESS_MS 500	 /* between two progress lines */
#define CONTROL_UNDO_MS (7 * 86400 * 1000LL)

struct control_call;

struct control_handler {
	void (*start)(struct control_call *);
	bool (*check)(struct control_call *);
	bool (*work)(struct control_call *);
	enum step (*read)(struct control_call *, struct snapshot *);
	enum err (*change)(struct control_call *, struct txn *);
	enum err (*each)(struct control_call *, struct txn *, struct span key);
	void (*finish)(struct control_call *);
	enum work_kind work_kind; /* of `work`; WORK_HASH is 0 */
};

extern const struct control_handler control_handlers[CONTROL_METHOD_COUNT];

struct control_call {
	struct list link;
	struct control_session *session; /* NULL: the peer left */
	struct host *host;		 /* the front loop's */
	const struct conf *conf;	 /* valid on the loop only; workers copy what they need */
	const struct control_handler *handler;
	struct rpc_request *request;
	struct control_who who;
	struct arena arena;
	int64_t now_ms; /* wall clock at the start */
	int fds[CONTROL_FDS_MAX];
	unsigned fd_count;
	_Atomic bool cancelled;
	_Atomic uint64_t progress_done, progress_total;
	bool reports_progress;
	struct loop_timer progress;
	void *state; /* the handler's, in the arena */

	struct work work;
	struct store_job job;
	size_t target_at, target_end; /* of the job under way */

	/* The answer. */
	bool failed;
	struct rpc_error error;
	struct control_rows rows;      /* ROWS and FAULTS */
	struct buf out;		       /* OBJECT: the result as JSON */
	struct json_writer json;       /* writes into `out` */
	struct span text;	       /* TEXT */
	uint64_t done;		       /* DONE */
	struct rpc_skipped *skipped;
	size_t skipped_count, skipped_size;
	uint64_t undo_id;
	int64_t undo_until_ms;
	struct span note;
	uint64_t job_done; /* of the job under way: added when it is on disk */
	size_t job_skipped;

	/* Instead of a reply: a preview that collects keys, a cursor that takes the rows. */
	void (*on_end)(struct control_call *);
	void *on_end_arg;
};

/*
 * Run REQUEST, which lives in ARENA, for S; takes over ARENA and the descriptors. ON_END may be
 * NULL: the reply is put. Loop thread.
 */
void control_call_begin(struct control_session *s, struct arena *arena, struct rpc_request *request,
	const int *fds, unsigned fd_count);
/* The same steps for another method, inside this call: list.open, preview, apply. */
void control_call_run(struct control_call *call, struct rpc_request *request,
	void (*on_end)(struct control_call *));
void control_call_end(struct control_call *call); /* loop thread; CALL is gone after it */
void control_call_cancel(struct control_call *call);

/* Set the error of a call; the first one stays. WHY and HINT are copied into the arena. False. */
bool control_fail(struct control_call *call, enum rpc_code code, const char *why,
	const char *hint, const char *field);
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

/* A descriptor parameter; -1 where it was left out. It stays the call's. */
int control_fd(struct control_call *call, const char *param);
/* "2026-11-20T14:00:00Z" in the arena. */
struct span control_time(struct arena *a, int64_t ms);
void control_put_time(struct json_writer *w, struct span name, int64_t ms); /* 0 is null */

/* Shorter forms for the parameters of the call. */
static inline struct span
control_param(const struct control_call *call, const char *name)
{
	return rpc_text(call->request, name);
}

#endif
