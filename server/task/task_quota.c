/*
 * task_quota.c - who is looked at, who is told, what is remembered.
 */
#include "server/task/task_quota.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf/conf.h"
#include "proto/base/list.h"
#include "proto/base/text_fill.h"
#include "server/host.h"
#include "server/log.h"
#include "server/pipeline/quota.h"
#include "server/queue/own_mail.h"
#include "store/commit.h"
#include "store/quota_marks.h"
#include "store/users.h"

#define OWN_MAILS_LEFT 32   /* places that others of the server's mails always find */
#define LINE_MAX_BYTES 160  /* of a mailbox in a mail */

/* A user whose mails or mark are on their way. */
struct telling {
	struct list link;
	struct quota_watch *watch;
	struct host *host;
	uint64_t user_id;
	uint8_t bits;      /* his marks then */
	unsigned mails;    /* under way */
	bool user_told;    /* one of them is for the user */
	bool again;        /* something changed meanwhile */
	bool cut;	   /* the server stops: not all was told, and so nothing is marked */
	struct store_job job;
};

struct quota_watch {
	pthread_mutex_t lock;
	uint64_t noted[QUOTA_NOTED_MAX]; /* under the lock */
	size_t noted_count;
	bool overrun; /* there were more: all users are looked at */

	/* The front loop's own. */
	uint64_t todo[QUOTA_NOTED_MAX];
	size_t todo_at, todo_count;
	struct list telling;
	size_t telling_count;
	bool walks, daily; /* a walk is under way; one that tells who is over the daily percentages */
	uint64_t walk_at;  /* user_id behind which it goes on */
	int64_t day;       /* of the last daily walk, local; 0: none since the start */
	struct buf lines;  /* of the mail to the Main Administrator */
	size_t line_count;
};

static int64_t
monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- the writer's side ---- */

void
quota_watch_note(struct quota_watch *watch, const uint64_t *user_ids, size_t count)
{
	pthread_mutex_lock(&watch->lock);
	for (size_t i = 0; i < count; i++) {
		if (watch->noted_count > 0 && watch->noted[watch->noted_count - 1] == user_ids[i])
			continue;
		if (watch->noted_count < QUOTA_NOTED_MAX)
			watch->noted[watch->noted_count++] = user_ids[i];
		else
			watch->overrun = true;
	}
	pthread_mutex_unlock(&watch->lock);
}

static void
take_noted(struct quota_watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	memcpy(watch->todo, watch->noted, watch->noted_count * sizeof(watch->noted[0]));
	watch->todo_count = watch->noted_count;
	watch->todo_at = watch->noted_count = 0;
	if (watch->overrun && !watch->walks) {
		watch->overrun = false;
		watch->walks = true;
		watch->walk_at = 0;
	}
	pthread_mutex_unlock(&watch->lock);
}

/* ---- marks ---- */

static void
telling_end(struct telling *t)
{
	if (t->again)
		quota_watch_note(t->watch, &t->user_id, 1);
	list_remove(&t->link);
	t->watch->telling_count--;
	free(t);
}

static enum step
apply_marks(struct store_job *job, struct txn *txn)
{
	struct telling *t = LIST_ITEM(job, struct telling, job);

	return step_of(job, quota_marks_put(txn, t->user_id, t->bits));
}

static void
on_marked(struct store_job *job, enum err result)
{
	struct telling *t = LIST_ITEM(job, struct telling, job);

	if (result != OK)
		t->again = true; /* who could not be marked is told once more, at the next change */
	telling_end(t);
}

static void
mark(struct telling *t)
{
	t->job = (struct store_job){ .apply = apply_marks, .done = on_marked, .inbox = t->host->inbox,
		.patient = true };
	if (store_submit(t->host->store, &t->job) != OK) {
		t->again = true;
		telling_end(t);
	}
}

static void
on_told(void *arg, enum err result)
{
	struct telling *t = arg;

	t->cut |= result == ERR_BUSY; /* else logged there; nobody of that name: then nobody wants to know */
	if (--t->mails > 0)
		return;
	if (t->cut)
		telling_end(t);
	else
		mark(t);
}

static struct telling *
find_telling(const struct quota_watch *watch, uint64_t user_id)
{
	struct list *at, *following;

	list_for_each(at, following, &watch->telling) {
		struct telling *t = LIST_ITEM(at, struct telling, link);

		if (t->user_id == user_id)
			return t;
	}
	return NULL;
}

/* ---- mails ---- */

static struct span
size_words(struct arena *a, uint64_t bytes)
{
	if (bytes < 10 << 20)
		return arena_printf(a, "%llu kB", (unsigned long long)(bytes >> 10));
	return arena_printf(a, "%llu MB", (unsigned long long)(bytes >> 20));
}

static struct span
size_of(struct arena *a, const struct quota *quota)
{
	return arena_printf(a, "%.*s of %.*s", SPAN_FMT(size_words(a, quota->used_bytes)),
		SPAN_FMT(size_words(a, quota->limit_bytes)));
}

static struct span
line_of(struct arena *a, const struct quota *quota)
{
	return arena_printf(a, "%-32.*s %llu %%, %.*s\n", SPAN_FMT(quota->user),
		(unsigned long long)quota_percent(quota), SPAN_FMT(size_of(a, quota)));
}

static enum err
tell_user(struct host *host, struct arena *a, const struct quota *quota, struct telling *t)
{
	struct span percent = arena_printf(a, "%llu", (unsigned long long)quota_percent(quota));
	struct span size = size_of(a, quota);
	struct own_mail mail = { .to = quota->user,
		.subject = text_fill(a, host->conf->texts_quota_subject, percent, size),
		.text = text_fill(a, host->conf->texts_quota_text, percent, size),
		.done = t ? on_told : NULL, .arg = t };

	return own_mail_send(host, &mail);
}

static enum err
tell_admin(struct host *host, struct arena *a, struct span lines, size_t count, struct telling *t)
{
	struct span text = text_fill(a, host->conf->texts_quota_admin_text, arena_printf(a, "%zu", count),
		conf_default_domain(host->conf));
	struct own_mail mail = { .to = SPAN_NONE, .subject = host->conf->texts_quota_admin_subject,
		.text = arena_printf(a, "%.*s\n\n%.*s", SPAN_FMT(text), SPAN_FMT(lines)),
		.done = t ? on_told : NULL, .arg = t };

	return own_mail_send(host, &mail);
}

static bool
has_room(const struct host *host)
{
	return own_mail_waiting(host) + OWN_MAILS_LEFT < OWN_MAIL_WAITING_MAX &&
		host->quota->telling_count < QUOTA_PENDING_MAX;
}

/* ---- one mailbox ---- */

/* Of the thresholds RAISED, which were passed now: who is told? */
static struct quota_threshold
who_is_told(const struct conf *conf, unsigned raised)
{
	struct quota_threshold all = { 0, false, false };

	for (unsigned i = 0; i < QUOTA_THRESHOLDS; i++) {
		struct quota_threshold one = quota_threshold(conf, i);

		all.user |= (raised >> i & 1) && one.user;
		all.admin |= (raised >> i & 1) && one.admin;
	}
	return all;
}

/* One mail to each, whatever number of thresholds was passed at once. Returns whether the user got one. */
static bool
follow(struct host *host, struct arena *a, uint64_t user_id, const struct quota *quota, uint8_t bits,
	uint8_t before)
{
	struct quota_threshold who = who_is_told(host->conf, bits & ~before);
	struct telling *t = calloc(1, sizeof(*t));
	bool told = false;

	ENSURE(t);
	*t = (struct telling){ .watch = host->quota, .host = host, .user_id = user_id, .bits = bits };
	list_append(&host->quota->telling, &t->link);
	host->quota->telling_count++;
	t->mails = 1; /* ours, so that nothing ends it meanwhile */
	if (who.user && tell_user(host, a, quota, t) == OK) {
		t->mails++;
		t->user_told = told = true;
	}
	if (who.admin && tell_admin(host, a, line_of(a, quota), 1, t) == OK)
		t->mails++;
	on_told(t, OK);
	return told;
}

static void
note_daily(struct host *host, struct arena *a, const struct quota *quota, bool told)
{
	struct quota_watch *watch = host->quota;

	if (!told && quota_reaches(quota, host->conf->quota_daily_user))
		(void)!tell_user(host, a, quota, NULL);
	if (!quota_reaches(quota, host->conf->quota_daily_admin))
		return;
	if (watch->line_count++ < QUOTA_LINES_MAX)
		(void)!buf_put(&watch->lines, line_of(a, quota));
}

/* ERR_BUSY: it is to be looked at later. */
static enum err
look_at(struct host *host, struct snapshot *snap, uint64_t user_id, bool daily)
{
	struct telling *t = find_telling(host->quota, user_id);
	uint8_t bits, before;
	struct quota quota;
	struct arena a;
	bool told = t && t->user_told; /* a moment ago: the daily mail would say it twice */
	enum err err;

	if (!has_room(host))
		return ERR_BUSY;
	err = quota_find(host->conf, snap, user_id, &quota);
	if (err != OK)
		return OK; /* gone, in the bin, or damaged: check says so */
	err = quota_marks_get(snap, user_id, &before);
	if (err != OK && err != ERR_CORRUPT)
		return OK;
	bits = quota_bits(host->conf, &quota);
	if (t && bits != t->bits)
		t->again = true;
	arena_init(&a, NULL);
	if (!t && bits != before)
		told = follow(host, &a, user_id, &quota, bits, before);
	if (daily)
		note_daily(host, &a, &quota, told);
	arena_reset(&a);
	return OK;
}

/* ---- all of them ---- */

static int64_t
local_day(const struct host *host)
{
	int64_t now_ms = host_now_ms(host);

	return (now_ms / 60000 + host_zone_minutes(now_ms)) / (24 * 60);
}

/* At the start, and when the day changes. */
static void
begin_daily(struct host *host)
{
	struct quota_watch *watch = host->quota;
	int64_t day = local_day(host);

	if (day == watch->day || (watch->walks && watch->daily))
		return;
	watch->day = day;
	watch->walks = watch->daily = true;
	watch->walk_at = 0;
	watch->line_count = 0;
	buf_clear(&watch->lines);
}

static void
end_walk(struct host *host)
{
	struct quota_watch *watch = host->quota;
	struct arena a;

	watch->walks = false;
	if (!watch->daily)
		return;
	watch->daily = false;
	arena_init(&a, NULL);
	if (watch->line_count > QUOTA_LINES_MAX)
		(void)!buf_printf(&watch->lines, "and %zu more\n", watch->line_count - QUOTA_LINES_MAX);
	if (watch->line_count > 0 && 
		tell_admin(host, &a, buf_span(&watch->lines), watch->line_count, NULL) != OK)
		log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "task",
					   .text = "the daily warning of full mailboxes could not be mailed" });
	arena_reset(&a);
}

/* False: the time is up, or there is no room. */
static bool
walk_on(struct host *host, struct snapshot *snap, int64_t end_us)
{
	struct quota_watch *watch = host->quota;
	struct user user;
	enum err err;

	while (monotonic_us() < end_us) {
		err = user_next(snap, watch->walk_at, &user);
		if (err != OK && err != ERR_CORRUPT) {
			end_walk(host);
			return true;
		}
		if (err == OK && user.quota_mb > 0 && look_at(host, snap, user.user_id, watch->daily) != OK)
			return false;
		watch->walk_at = user.user_id;
	}
	return false;
}

void
task_quota(struct host *host)
{
	struct quota_watch *watch = host->quota;
	int64_t end_us = monotonic_us() + QUOTA_SLICE_MS * 1000;
	struct snapshot *snap = host_snapshot(host);

	if (!snap)
		return;
	begin_daily(host);
	if (watch->todo_at == watch->todo_count)
		take_noted(watch);
	while (watch->todo_at < watch->todo_count && monotonic_us() < end_us)
		if (look_at(host, snap, watch->todo[watch->todo_at], false) != OK)
			return;
		else
			watch->todo_at++;
	if (watch->walks)
		(void)walk_on(host, snap, end_us);
}

/* ---- begin and end ---- */

struct quota_watch *
quota_watch_open(void)
{
	struct quota_watch *watch = calloc(1, sizeof(*watch));

	ENSURE(watch);
	pthread_mutex_init(&watch->lock, NULL);
	list_init(&watch->telling);
	buf_init(&watch->lines, QUOTA_LINES_MAX * LINE_MAX_BYTES);
	return watch;
}

void
quota_watch_close(struct quota_watch **watchp)
{
	struct quota_watch *watch = *watchp;
	struct list *at, *following;

	if (!watch)
		return;
	*watchp = NULL;
	list_for_each(at, following, &watch->telling)
		free(LIST_ITEM(at, struct telling, link));
	buf_fini(&watch->lines);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}
