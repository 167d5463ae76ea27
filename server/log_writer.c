/*
 * log_writer.c - the log thread: from the rings to files, stderr and subscribers.
 *
 * It sleeps until somebody says something, then looks again every LOG_ROUND_MS, so that a busy
 * server pays no wake-up a line.
 */
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/base/list.h"
#include "server/log_files.h"
#include "server/log_ring.h"
#include "server/net/loop.h"

#define LOG_ROUND_MS 50
#define LOG_RINGS_MAX (LOOP_MAX + 8)
#define LOG_SUBSCRIBERS_MAX 64
#define STDERR_WAIT_MS 100 /* for whoever reads it, so that a short pause loses nothing */

struct log_subscriber {
	struct list link;
	struct log_filter filter;
	void (*on_line)(void *arg, struct span line, uint64_t dropped);
	void *arg;
	uint64_t dropped;
};

struct log_writer {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below but the atomics */
	pthread_cond_t wake, written;
	_Atomic int level;
	_Atomic bool asleep, stop;
	_Atomic uint64_t dropped;
	uint64_t rounds, rounds_wanted;
	struct log *rings[LOG_RINGS_MAX];
	unsigned ring_count;
	struct log_files files;
	bool to_stderr;
	struct buf for_stderr;
	struct list subscribers;
	unsigned subscriber_count;
	struct buf last; /* the line before, without its time, to count repeats */
	uint64_t repeats;
	char line[LOG_LINE_MAX + LOG_LINE_TAIL + 1];
};

enum log_level
log_writer_level(const struct log_writer *w)
{
	return (enum log_level)atomic_load_explicit(&w->level, memory_order_relaxed);
}

/* Who holds the lock is the log's thread at its work, or wakes it: nobody waits here. */
void
log_writer_wake(struct log_writer *w, bool urgent)
{
	if ((!atomic_load(&w->asleep) && !urgent) || pthread_mutex_trylock(&w->lock) != 0)
		return;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

/* ---- where lines go ---- */

/* In pieces that a pipe takes at once: one that nobody reads drops, as a full disk does (H71). */
static void
stderr_write(struct log_writer *w)
{
	struct span bytes = buf_span(&w->for_stderr);

	while (bytes.len > 0) {
		struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
		struct span piece = span_range(bytes, 0, PIPE_BUF);

		if (poll(&ready, 1, STDERR_WAIT_MS) != 1 || (ready.revents & POLLOUT) == 0 ||
			write(STDERR_FILENO, piece.ptr, piece.len) != (ssize_t)piece.len) {
			atomic_fetch_add(&w->dropped, 1);
			break;
		}
		bytes = span_from(bytes, piece.len);
	}
	buf_clear(&w->for_stderr);
}

static void
stderr_put(struct log_writer *w, struct span line)
{
	if (!w->to_stderr)
		return;
	if (buf_span(&w->for_stderr).len + line.len > LOG_BATCH_MAX)
		stderr_write(w);
	if (buf_put(&w->for_stderr, line) != OK)
		atomic_fetch_add(&w->dropped, 1);
}

static void
write_files(struct log_writer *w)
{
	stderr_write(w);
	log_files_write(&w->files);
}

/* ---- lines ---- */

static void
tell_subscribers(struct log_writer *w, struct span line)
{
	struct list *at, *following;

	list_for_each(at, following, &w->subscribers) {
		struct log_subscriber *s = LIST_ITEM(at, struct log_subscriber, link);

		if (!log_filter_passes(&s->filter, line))
			continue;
		s->on_line(s->arg, span_range(line, 0, line.len - 1), s->dropped);
		s->dropped = 0;
	}
}

static void
emit(struct log_writer *w, const struct log_record *record, struct span line)
{
	log_files_put(&w->files, LOG_FILE_MAIN, line);
	if (record->file != LOG_FILE_MAIN)
		log_files_put(&w->files, (enum log_file_kind)record->file, line);
	if (record->level == LEVEL_ERROR)
		log_files_put(&w->files, LOG_FILE_ERROR, line);
	stderr_put(w, line);
	tell_subscribers(w, line);
}

/* Said under the time of now, in the main log. */
static void
emit_note(struct log_writer *w, const char *format_text, uint64_t n)
{
	struct log_record record = { .level = LEVEL_WARNING };
	char stamp[40], zone[8], text[160];
	struct timespec now;
	struct tm tm;
	int len;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	strftime(zone, sizeof(zone), "%z", &tm);
	len = snprintf(text, sizeof(text), "%s.%03ld%.3s:%s warning log - - %s=%llu\n", stamp,
		now.tv_nsec / 1000000, zone, zone + 3, format_text, (unsigned long long)n);
	if (len > 0 && (size_t)len < sizeof(text))
		emit(w, &record, (struct span){ text, (size_t)len });
}

static void
say_repeats(struct log_writer *w)
{
	uint64_t n = w->repeats;

	w->repeats = 0;
	if (n > 0)
		emit_note(w, "the line before was repeated times", n);
}

/* What follows the time stamp. */
static struct span
without_time(struct span line)
{
	return span_from(line, span_find(line, ' '));
}

static void
take_line(struct log_writer *w, const struct log_record *record, struct span line)
{
	struct span rest = without_time(line);

	if (span_eq(buf_span(&w->last), rest) && w->repeats < LOG_REPEAT_MAX) {
		w->repeats++;
		return;
	}
	say_repeats(w);
	buf_clear(&w->last);
	if (buf_put(&w->last, rest) != OK)
		buf_clear(&w->last);
	emit(w, record, line);
}

static void
note_dropped(struct log_writer *w, uint64_t n)
{
	struct list *at, *following;

	if (n == 0)
		return;
	atomic_fetch_add(&w->dropped, n);
	list_for_each(at, following, &w->subscribers)
		LIST_ITEM(at, struct log_subscriber, link)->dropped += n;
	emit_note(w, "lines dropped, the ring was full: n", n);
}

/* The ring whose next line is the oldest; NULL where all are empty. */
static struct log *
oldest_ring(struct log_writer *w)
{
	struct log *best = NULL;
	int64_t best_ns = INT64_MAX, ns;

	for (unsigned i = 0; i < w->ring_count; i++) {
		if (!log_peek(w->rings[i], &ns) || ns >= best_ns)
			continue;
		best = w->rings[i];
		best_ns = ns;
	}
	return best;
}

static bool
drain(struct log_writer *w)
{
	struct log *ring;
	bool any = false;

	while ((ring = oldest_ring(w))) {
		struct log_record record;
		uint64_t dropped;

		if (!log_take(ring, &record, w->line, &dropped))
			break;
		note_dropped(w, dropped);
		take_line(w, &record, (struct span){ w->line, record.len });
		any = true;
	}
	say_repeats(w);
	write_files(w);
	return any;
}

static void
rest(struct log_writer *w, bool was_busy)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOG_ROUND_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	if (was_busy) {
		pthread_cond_timedwait(&w->wake, &w->lock, &until);
		return;
	}
	atomic_store(&w->asleep, true);
	until.tv_sec++; /* a put that saw us awake is found a second later at worst */
	pthread_cond_timedwait(&w->wake, &w->lock, &until);
	atomic_store(&w->asleep, false);
}

static void *
log_thread(void *arg)
{
	struct log_writer *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		bool stop = atomic_load(&w->stop);
		uint64_t wanted = w->rounds_wanted;
		bool busy = drain(w);

		w->rounds = wanted;
		pthread_cond_broadcast(&w->written);
		if (stop)
			break;
		if (w->rounds_wanted == wanted)
			rest(w, busy);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* ---- life ---- */

static enum err
use_options(struct log_writer *w, const struct log_options *o)
{
	atomic_store(&w->level, (int)o->level);
	w->to_stderr = o->to_stderr;
	return log_files_use(&w->files, o);
}

enum err
log_writer_open(const struct log_options *options, struct log_writer **out)
{
	struct log_writer *w = calloc(1, sizeof(*w));
	enum err err;

	ENSURE(w);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	pthread_cond_init(&w->written, NULL);
	list_init(&w->subscribers);
	buf_init(&w->last, sizeof(w->line));
	buf_init(&w->for_stderr, LOG_BATCH_MAX);
	log_files_init(&w->files, &w->dropped);
	err = use_options(w, options);
	if (err == OK && pthread_create(&w->thread, NULL, log_thread, w) != 0)
		err = ERR_IO;
	if (err != OK) {
		log_files_fini(&w->files);
		free(w);
		return ERR_IO;
	}
	*out = w;
	return OK;
}

void
log_writer_close(struct log_writer **wp)
{
	struct log_writer *w = *wp;

	if (!w)
		return;
	*wp = NULL;
	pthread_mutex_lock(&w->lock);
	atomic_store(&w->stop, true);
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	for (unsigned i = 0; i < w->ring_count; i++)
		log_free(w->rings[i]);
	log_files_fini(&w->files);
	buf_fini(&w->last);
	buf_fini(&w->for_stderr);
	pthread_cond_destroy(&w->written);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

enum err
log_writer_change(struct log_writer *w, const struct log_options *options)
{
	enum err err;

	pthread_mutex_lock(&w->lock);
	write_files(w);
	err = use_options(w, options);
	pthread_mutex_unlock(&w->lock);
	return err;
}

void
log_writer_sync(struct log_writer *w)
{
	uint64_t wanted;

	pthread_mutex_lock(&w->lock);
	wanted = ++w->rounds_wanted;
	pthread_cond_signal(&w->wake);
	while (w->rounds < wanted)
		pthread_cond_wait(&w->written, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

uint64_t
log_writer_dropped(struct log_writer *w)
{
	return atomic_load(&w->dropped);
}

struct log *
log_ring(struct log_writer *w)
{
	struct log *log = log_new(w);

	pthread_mutex_lock(&w->lock);
	ENSURE(w->ring_count < LOG_RINGS_MAX);
	w->rings[w->ring_count++] = log;
	pthread_mutex_unlock(&w->lock);
	return log;
}

bool
log_writer_path(struct log_writer *w, const char *file, char *out, size_t size)
{
	bool found;

	pthread_mutex_lock(&w->lock);
	found = log_files_path(&w->files, file, out, size);
	pthread_mutex_unlock(&w->lock);
	return found;
}

/* ---- readers ---- */

struct log_subscriber *
log_subscribe(struct log_writer *w, const struct log_filter *filter,
	void (*on_line)(void *arg, struct span line, uint64_t dropped), void *arg)
{
	struct log_subscriber *s = NULL;

	pthread_mutex_lock(&w->lock);
	if (w->subscriber_count < LOG_SUBSCRIBERS_MAX) {
		s = calloc(1, sizeof(*s));
		ENSURE(s);
		*s = (struct log_subscriber){ .filter = *filter, .on_line = on_line, .arg = arg };
		list_append(&w->subscribers, &s->link);
		w->subscriber_count++;
	}
	pthread_mutex_unlock(&w->lock);
	return s;
}

void
log_unsubscribe(struct log_writer *w, struct log_subscriber **s)
{
	if (!*s)
		return;
	pthread_mutex_lock(&w->lock); /* the log thread holds it while it calls on_line */
	list_remove(&(*s)->link);
	w->subscriber_count--;
	pthread_mutex_unlock(&w->lock);
	free(*s);
	*s = NULL;
}
