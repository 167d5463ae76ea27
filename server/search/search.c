/*
 * search.c - one thread: look, gather, write, merge, rest.
 */
#include "server/search/search.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server/log.h"
#include "server/net/random.h"
#include "server/search/search_feed.h"
#include "server/search/search_map.h"
#include "store/commit.h"
#include "store/ids.h"
#include "store/search_merge.h"

#define NICE 10 /* of the thread: whoever serves somebody goes first */
#define READERS_MORE 2 /* of the index besides those that ask: merges, and one to spare */

enum state { CURRENT, INDEXING, REBUILDING, WAITING };

struct search {
	struct store *store;
	struct log *log;
	struct search_index *index;
	struct search_maps *maps;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake;
	bool stop, rebuild;
	enum state state;
	/* of the thread alone */
	struct search_feed feed;
	int64_t first_ms, last_ms; /* when the first and the last of what was gathered came */
	int64_t started_ms, busy_ms;
	bool proven;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
on_log(void *arg, enum store_severity severity, const char *text)
{
	struct search *s = arg;

	log_put(s->log, &(struct log_line){
				.level = severity == STORE_SAYS_INFO ? LEVEL_INFO : LEVEL_WARNING,
				.area = "search", .text = text });
}

/* ---- waiting ---- */

/* False: it is to stop. */
static bool
rest(struct search *s, int64_t ms)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(ms / 1000);
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&s->lock);
	while (!s->stop && !s->rebuild && now_ms() < until.tv_sec * 1000 + until.tv_nsec / 1000000)
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != 0)
			break;
	stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return !stop;
}

static bool
rest_a_little(struct search *s)
{
	int64_t now = now_ms();

	if (store_is_busy(s->store))
		s->busy_ms = now;
	return rest(s, now - s->busy_ms < SEARCH_BUSY_MS ? SEARCH_REST_BUSY_MS : SEARCH_REST_MS);
}

static void
set_state(struct search *s, enum state state)
{
	pthread_mutex_lock(&s->lock);
	s->state = state;
	pthread_mutex_unlock(&s->lock);
}

static bool
take_rebuild(struct search *s)
{
	bool rebuild;

	pthread_mutex_lock(&s->lock);
	rebuild = s->rebuild;
	s->rebuild = false;
	pthread_mutex_unlock(&s->lock);
	return rebuild;
}

/* ---- steps ---- */

static enum err
remake(struct search *s)
{
	enum err err = search_index_remake(s->index);

	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "search",
				.text = "the index is made anew" });
	search_feed_restart(&s->feed);
	set_state(s, REBUILDING);
	return err;
}

/* A store that was put back by hand has given out fewer ids than the index has read. */
static bool
is_of_another_store(struct search *s)
{
	static const enum store_counter counters[] = { COUNTER_content, COUNTER_copy };
	struct snapshot *snap;
	uint64_t last = UINT64_MAX;
	bool other = false;

	if (snapshot_open(s->store, &snap) != OK)
		return false;
	for (int i = 0; i < SEARCH_SPACES; i++)
		if (id_last(snap, counters[i], &last) == OK)
			other |= search_cursor(s->index, (enum search_space)i) > last + 1;
	snapshot_close(&snap);
	return other;
}

static bool
goes_on(void *arg)
{
	struct search *s = arg;
	bool stop;

	if (!rest_a_little(s))
		return false;
	pthread_mutex_lock(&s->lock);
	stop = s->stop || s->rebuild;
	pthread_mutex_unlock(&s->lock);
	return !stop;
}

static enum err
is_alive(void *arg, enum search_space space, const uint64_t *ids, size_t count, bool *alive)
{
	return search_still_there(((struct search *)arg)->store, space, ids, count, alive);
}

static enum err
merge_all(struct search *s)
{
	struct search_merge_ask ask = { is_alive, goes_on, s };
	enum err err = OK;

	for (int i = 0; i < SEARCH_SPACES && err == OK; i++) {
		bool merged = true;

		while (merged && err == OK)
			err = search_merge(s->index, (enum search_space)i, SEARCH_RUNS, &ask, &merged);
	}
	return err == ERR_BUSY ? OK : err;
}

static enum err
write_run(struct search *s)
{
	enum err err = search_feed_write(&s->feed);

	if (err == OK)
		err = merge_all(s);
	if (err == OK && !s->proven) {
		search_index_proven(s->index);
		s->proven = true;
	}
	return err;
}

static bool
write_is_due(struct search *s)
{
	int64_t now = now_ms();

	if (search_feed_is_full(&s->feed))
		return true;
	return !search_feed_is_empty(&s->feed) &&
		(now - s->last_ms >= SEARCH_QUIET_MS || now - s->first_ms >= SEARCH_GATHER_MS);
}

static void
note_found(struct search *s, uint64_t found)
{
	if (found == 0)
		return;
	s->last_ms = now_ms();
	if (s->first_ms == 0)
		s->first_ms = s->last_ms;
}

/* One look; *more: there is more to do now. */
static enum err
step(struct search *s, bool *more)
{
	uint64_t found = 0;
	enum err err = OK;

	*more = false;
	if (take_rebuild(s) || search_index_is_damaged(s->index))
		err = remake(s);
	if (err == OK)
		err = search_feed_some(&s->feed, more, &found);
	if (err != OK)
		return err == ERR_BUSY ? OK : err;
	note_found(s, found);
	if (*more)
		set_state(s, s->state == REBUILDING ? REBUILDING : INDEXING);
	if (write_is_due(s)) {
		s->first_ms = 0;
		err = write_run(s);
	}
	if (err == OK && !*more)
		set_state(s, CURRENT);
	return err;
}

/* The disk is full or fails: searches read the messages meanwhile. */
static void
wait_for_better(struct search *s, enum err err)
{
	if (err == ERR_CORRUPT)
		return; /* made anew in the next step */
	log_put(s->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "search",
				.text = "the index waits", .fields = { { "why", span_of(err_name(err)), 0 } } });
	set_state(s, WAITING);
	(void)rest(s, SEARCH_RETRY_MS);
	if (err != ERR_FULL)
		(void)remake(s);
	else
		search_feed_restart(&s->feed);
}

static void *
search_thread(void *arg)
{
	struct search *s = arg;
	bool more = false;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	if (is_of_another_store(s))
		(void)remake(s);
	s->started_ms = now_ms();
	while (more ? rest_a_little(s) : rest(s, SEARCH_LOOK_MS)) {
		enum err err = OK;

		more = false;
		if (!store_is_full(s->store))
			err = step(s, &more);
		if (err != OK)
			wait_for_better(s, err);
		if (!s->proven && now_ms() - s->started_ms > SEARCH_PROVEN_MS) {
			search_index_proven(s->index);
			s->proven = true;
		}
	}
	return NULL;
}

/* ---- from outside ---- */

static enum err
open_index(struct search *s, unsigned readers)
{
	char path[PATH_MAX];
	struct search_options o = { .path = path, .max_readers = readers + READERS_MORE,
		.on_log = on_log, .arg = s };

	snprintf(path, sizeof(path), "%s/" SEARCH_DIR, store_path(s->store));
	random_fill(&o.hash_key, sizeof(o.hash_key));
	return search_index_open(&o, &s->index);
}

static void
search_free(struct search *s)
{
	search_maps_free(&s->maps);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

enum err
search_open(const struct search_service_options *options, struct search **out)
{
	struct search *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	ENSURE(s); /* out of memory ends the process, see arena.h */
	s->store = options->store;
	s->log = options->log;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (open_index(s, options->readers) != OK)
		goto free_search;
	search_feed_init(&s->feed, s->store, s->index);
	s->maps = search_maps_new();
	if (pthread_create(&s->thread, NULL, search_thread, s) != 0)
		goto close_index;
	*out = s;
	return OK;

close_index:
	search_feed_fini(&s->feed);
	search_index_close(&s->index);
free_search:
	search_free(s);
	return ERR_IO;
}

static void
wake(struct search *s, bool *what)
{
	pthread_mutex_lock(&s->lock);
	*what = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void
search_close(struct search **search)
{
	struct search *s = *search;

	if (!s)
		return;
	wake(s, &s->stop);
	pthread_join(s->thread, NULL);
	search_feed_fini(&s->feed);
	search_index_close(&s->index);
	search_free(s);
	*search = NULL;
}

struct search_index *
search_index_of(struct search *search)
{
	return search->index;
}

struct search_maps *
search_maps_of(struct search *search)
{
	return search->maps;
}

void
search_rebuild(struct search *search)
{
	wake(search, &search->rebuild);
}

void
search_status(struct search *search, struct search_status *out)
{
	static const char *const names[] = { [CURRENT] = "current", [INDEXING] = "indexing",
		[REBUILDING] = "rebuilding", [WAITING] = "waiting" };

	search_stats(search->index, &out->index);
	out->behind = search_behind(search->store, out->index.cursor[SEARCH_CONTENTS]);
	pthread_mutex_lock(&search->lock);
	out->state = names[search->state == CURRENT && out->behind > 0 ? INDEXING : search->state];
	pthread_mutex_unlock(&search->lock);
}
