/*
 * log.h - the structured log: rings that many threads fill, one thread that writes.
 *
 * A line is	2026-03-01T12:00:00.123+01:00 info smtp s17 m4711 text key=value key="a value"
 * with `-` where there is no session or message; a field without a value is left out. Values are cleaned (H70): a control, C1, bidi or
 * zero-width character and invalid UTF-8 become a mark; a line is cut at 64 KiB (H71). A full ring
 * and a full disk drop and count, they never block. Secrets are the caller's duty: log_protocol()
 * masks those of AUTH, PASS and LOGIN lines (H66).
 *
 * Files in log.dir: main.log has all, security.log the area "security", dlrules.log the area
 * "dlrules" (DLR-11), error.log what is LEVEL_ERROR;
 * each is renamed to .old at max_size, .old to .old.2, ... (LOG-01, 02, 05).
 */
#ifndef SERVER_LOG_H
#define SERVER_LOG_H

#include <stdint.h>

#include "proto/base/span.h"

#define LOG_LINE_MAX (64 * 1024)
#define LOG_RING_SIZE (1024 * 1024) /* bytes a ring */
#define LOG_FIELDS_MAX 10
#define LOG_REPEAT_MAX 1000 /* identical lines in a row are counted, said at the next other one */

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

struct log_field {
	const char *key; /* NULL ends the row */
	struct span text;
	int64_t number; /* where text.ptr is NULL */
};

struct log_line {
	enum log_level level;
	const char *area;    /* subsystem or service: "smtp", "store", "security" */
	const char *session; /* "s17" or NULL */
	struct span message; /* message id, or empty */
	const char *text;
	struct log_field fields[LOG_FIELDS_MAX];
};

struct log;	   /* a ring; a loop has one, others share one; any thread may put into any */
struct log_writer; /* the thread, the files, the subscribers */

struct log_options {
	enum log_level level;
	const char *dir;   /* NULL: no files */
	int64_t max_size;  /* bytes; 0: never put aside */
	unsigned keep;	   /* files put aside that are kept; 0 is 1 */
	bool to_stderr;
};

/* ERR_IO where the directory cannot be used (said on stderr). */
MUST_CHECK enum err log_writer_open(const struct log_options *options, struct log_writer **out);
void log_writer_close(struct log_writer **w); /* writes what waits; the rings are freed */
/* The files are opened anew. ERR_IO, ERR_LIMIT: they stay those of before (errno). */
MUST_CHECK enum err log_writer_change(struct log_writer *w, const struct log_options *options);
void log_writer_sync(struct log_writer *w); /* returns when all put before it is written; tests */
uint64_t log_writer_dropped(struct log_writer *w);
struct log *log_ring(struct log_writer *w); /* one more ring, freed with the writer */

/* LOG may be NULL: nothing is logged. */
void log_put(struct log *log, const struct log_line *line);
bool log_is_on(const struct log *log, enum log_level level);

/* A protocol line at LEVEL_INFO, its text C or S, secrets "***" (LOG-03). */
void log_protocol(struct log *log, const char *area, const char *session, bool from_peer,
	struct span line);
/* How much of a client's line may be shown; *masked: the rest is a secret. Also for traces. */
struct span log_mask(struct span line, bool *masked);

/* What a reader of lines wants; empty members want all. */
struct log_filter {
	enum log_level level;
	char area[24];
	char session[24];
	char text[64];
};
struct log_subscriber;
/*
 * ON_LINE(ARG, LINE, DROPPED) runs on the log thread for each line that passes; it must not wait
 * (copy and loop_post). Unsubscribe returns when it runs no more.
 */
struct log_subscriber *log_subscribe(struct log_writer *w, const struct log_filter *filter,
	void (*on_line)(void *arg, struct span line, uint64_t dropped), void *arg);
void log_unsubscribe(struct log_writer *w, struct log_subscriber **s);
bool log_filter_passes(const struct log_filter *filter, struct span line);

/* The last lines of FILE ("main", "security", "error", "dlrules") that pass, oldest first, into OUT. */
struct buf;
MUST_CHECK enum err log_tail(struct log_writer *w, const char *file,
	const struct log_filter *filter, size_t lines, struct buf *out);

const char *log_level_name(enum log_level level); /* "info" */
MUST_CHECK enum err log_level_find(struct span name, enum log_level *out);

/* H70 for others who show text: TEXT without what could repaint a screen, appended to OUT. */
MUST_CHECK enum err log_clean(struct buf *out, struct span text);

#endif
