/*
 * server_open.c - everything opened in order, and what the store and the loops call.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/imap/folder_watch.h"
#include "server/net/random.h"
#include "server/net/tls.h"
#include "server/net/resolver.h"
#include "server/net/work.h"
#include "server/runner/tokens.h"
#include "server/search/search.h"
#include "server/server_state.h"
#include "server/task/task_quota.h"
#include "server/text_veil.h"

#define CHUNKS_KEPT 256 /* free pages a loop keeps: 1 MiB */
#define STORE_TRIES 20	/* x STORE_WAIT_MS: a server that was killed is still going away */
#define STORE_WAIT_MS 50

/* ---- the store's callbacks; not on a loop ---- */

static uint64_t
store_clock(void *arg)
{
	return (uint64_t)host_now_ms(server_front(arg));
}

static void
on_store_log(void *arg, enum store_severity severity, const char *text)
{
	static const enum log_level levels[] = {
		[STORE_SAYS_INFO] = LEVEL_INFO,
		[STORE_SAYS_WARNING] = LEVEL_WARNING,
		[STORE_SAYS_ERROR] = LEVEL_ERROR,
	};
	struct server *s = arg;

	log_put(s->log, &(struct log_line){ .level = levels[severity], .area = "store",
				.text = text });
}

/* On the writer thread: sessions that have one of these folders open hear of it (IDLE). */
static void
on_store_changes(void *arg, const uint64_t *folder_ids, size_t count)
{
	struct server *s = arg;

	folder_watch_notify(s->hosts, s->loop_count, folder_ids, count);
}

/* On the writer thread. */
static void
on_store_sizes(void *arg, const uint64_t *user_ids, size_t count)
{
	struct server *s = arg;

	quota_watch_note(server_front(s)->quota, user_ids, count);
}

static void
stop_by_post(void *arg)
{
	server_stop(arg);
}

/* Nobody knows what is on disk (H42): end, so that a supervisor starts a clean process. */
static void
on_store_fatal(void *arg, const char *text)
{
	struct server *s = arg;

	server_complain(s, "store", text, "the process ends, start it again");
	s->exit_status = 1;
	loop_post(server_front(s)->loop, stop_by_post, s);
}

static void
run_inbox(void *arg)
{
	struct host *host = arg;

	store_inbox_run(host->inbox);
}

static void
wake_inbox(void *arg)
{
	struct host *host = arg;

	loop_post(host->loop, run_inbox, host);
}

/* ---- turns ---- */

static void
on_turn_end(void *arg, int64_t us)
{
	struct host *host = arg;

	host_snapshot_close(host);
	if (us <= LOOP_SLOW_TURN_MS * 1000)
		return;
	metric_add(host->metrics, slow_turns, 1);
	metric_raise(&host->metrics->longest_turn_us, us);
	log_put(host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "loop",
				   .text = "slow turn",
				   .fields = { { "loop", .number = host->number },
					   { "us", .number = us } } });
}

/* ---- opening ---- */

static unsigned
loops_wanted(const struct conf *conf)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	long n = conf->loops > 0 ? (long)conf->loops : cores;

	return n < 1 ? 1 : n > LOOP_MAX ? LOOP_MAX : (unsigned)n;
}

static enum err
open_host(struct server *s, unsigned number, struct generation *generation)
{
	struct host *host = &s->hosts[number];

	*host = (struct host){ .number = number, .metrics = &s->metrics, .shared = s->shared,
		.workers = s->workers, .secret_key = &s->secret_key, .server = s, .clock_offset_ms = &s->clock_offset_ms,
		.inbox = &s->inboxes[number] };
	if (loop_open(&host->loop) != OK)
		return ERR_IO;
	host->generation = generation_hold(generation);
	host->conf = generation_conf(generation);
	host->log = log_ring(s->writer);
	chunk_pool_init(&host->pool, CHUNKS_KEPT);
	list_init(&host->sessions);
	store_inbox_init(host->inbox, wake_inbox, host);
	loop_on_turn_end(host->loop, on_turn_end, host);
	return OK;
}

/* Without it mail flows all the same; what is sealed stays closed. */
static void
open_secret_key(struct server *s, const struct conf *conf)
{
	static const char *const why[] = {
		[ERR_NOT_FOUND] = "there is none and it cannot be made",
		[ERR_SYNTAX] = "is no key: 64 hex digits",
		[ERR_DENIED] = "others may read it: it must be 0600",
		[ERR_LIMIT] = "the path is too long",
	};
	char path[PATH_MAX] = "", what[SERVER_LINE_MAX];
	int fd = -1;
	enum err err = secret_key_path(conf, path);

	if (err == OK)
		err = server_open_file(s, path, &fd);
	if (err == OK)
		err = secret_key_read(fd, &s->secret_key.key);
	s->secret_key.kept = err == OK;
	if (err == OK)
		return;
	random_fill(&s->secret_key.key, sizeof(s->secret_key.key));
	snprintf(what, sizeof(what), "secrets.key %.150s", path);
	server_complain(s, what,
		(size_t)err < COUNT(why) && why[err] ? why[err] : strerror(errno),
		"nothing can be sealed, and nothing sealed be read");
}

static enum err
open_hosts(struct server *s, struct generation *generation)
{
	for (s->loop_count = 0; s->loop_count < loops_wanted(generation_conf(generation));
		s->loop_count++) {
		if (open_host(s, s->loop_count, generation) == OK)
			continue;
		server_complain(s, "loop", strerror(errno), "too few descriptors?");
		return ERR_IO;
	}
	return OK;
}

static struct store_veil
open_veil(struct server *s, const struct conf *conf)
{
	if (s->secret_key.kept)
		return text_veil(conf, &s->secret_key.key, &s->text_key);
	if (conf->store_encrypt)
		server_complain(s, "store.encrypt", "the key is not there",
			"messages are stored as they are; see secrets.key");
	return (struct store_veil){ NULL, NULL, false };
}

static enum err
open_store(struct server *s, const struct conf *conf)
{
	struct store_options o = { .path = conf->data.ptr, .mode = STORE_SERVE,
		.max_readers = s->loop_count + workers_threads(s->workers) + 16,
		.max_size = (uint64_t)conf->store_max_size,
		.message_size = (uint64_t)conf->limits_message_size,
		.veil = open_veil(s, conf),
		.allow_network_fs = conf->store_allow_network_fs, .now_ms = store_clock,
		.on_log = on_store_log, .on_changes = on_store_changes,
		.on_sizes = on_store_sizes, .on_fatal = on_store_fatal, .arg = s };
	struct store_fault why = { .err = OK };
	enum err err;

	server_front(s)->quota = quota_watch_open();
	err = store_open(&o, &s->store, &why);

	for (int i = 1; err == ERR_BUSY && i < STORE_TRIES; i++) {
		usleep(STORE_WAIT_MS * 1000);
		err = store_open(&o, &s->store, &why);
	}
	if (err != OK) {
		server_complain(s, why.text, "", "");
		return err;
	}
	for (unsigned i = 0; i < s->loop_count; i++)
		s->hosts[i].store = s->store;
	server_set_limits(s, conf);
	return OK;
}

/* Mail flows without it: whoever searches reads the messages then. */
static void
open_search(struct server *s, const struct conf *conf)
{
	struct search_service_options o = { .store = s->store, .log = log_ring(s->writer),
		.readers = workers_threads(s->workers) };

	if (!conf->search_index) {
		search_index_forget(store_path(s->store)); /* no words of the mail are left behind */
		return;
	}
	if (search_open(&o, &s->search) != OK)
		server_complain(s, "search index", "it cannot be opened", "searches take longer");
	for (unsigned i = 0; i < s->loop_count; i++)
		s->hosts[i].search = s->search;
}

static enum err
open_tls(struct server *s, const struct conf *conf)
{
	char fault[SERVER_LINE_MAX] = "";
	struct tls_server *tls = NULL;

	if (server_tls_open(s, conf, &tls, fault) != OK) {
		server_complain(s, fault, "", "");
		return ERR_IO;
	}
	server_tls_mark(s, conf);
	for (unsigned i = 0; i < s->loop_count; i++)
		s->hosts[i].tls = tls_server_hold(tls);
	tls_server_release(&tls);
	return OK;
}

static enum err
open_resolver(struct server *s, const struct conf *conf)
{
	struct resolver_options options = server_resolver_options(s, conf);
	const char *fault = "";

	if (resolver_open(server_front(s)->loop, &options, &s->resolver, &fault) != OK) {
		server_complain(s, "dns", fault, "see dns.servers");
		return ERR_IO;
	}
	for (unsigned i = 0; i < s->loop_count; i++)
		s->hosts[i].resolver = s->resolver;
	return OK;
}

/* Its process is started when the first program is run. */
static void
open_runner(struct server *s)
{
	struct runner_options options = { server_runner_start, server_runner_fault, s };

	s->runner = runner_open(server_front(s)->loop, &options);
	s->tokens = tokens_open(server_front(s));
	for (unsigned i = 0; i < s->loop_count; i++) {
		s->hosts[i].runner = s->runner;
		s->hosts[i].tokens = s->tokens;
	}
}

static enum err
open_listeners(struct server *s, const struct conf *conf)
{
	char fault[SERVER_LINE_MAX] = "";

	server_listeners_init(s);
	if (server_listen(s, conf, true, fault) == OK)
		return OK;
	server_complain(s, fault, "", "");
	return ERR_IO;
}

static enum err
open_log(struct server *s, const struct conf *conf)
{
	struct log_options log = server_log_options(conf, s->options);

	snprintf(s->log_dir, sizeof(s->log_dir), "%.*s", SPAN_FMT(conf->log_dir));
	log.to_stderr = false; /* until it is ready, what fails is one line there, not two */
	if (log_writer_open(&log, &s->writer) != OK) {
		fprintf(stderr, "postroomd: log %.*s: %s (see log.dir)\n", SPAN_FMT(conf->log_dir),
			strerror(errno));
		return ERR_IO;
	}
	s->log = log_ring(s->writer);
	return OK;
}

enum err
server_open(struct server *s, struct generation *generation)
{
	const struct conf *conf = generation_conf(generation);

	if (open_log(s, conf) != OK)
		return ERR_IO;
	if (shared_open(&s->shared) != OK || workers_open(0, &s->workers) != OK) {
		server_complain(s, "workers", strerror(errno), "");
		return ERR_IO;
	}
	server_clock_restore(s, conf);
	open_secret_key(s, conf);
	if (open_hosts(s, generation) != OK || open_store(s, conf) != OK ||
		open_tls(s, conf) != OK || open_resolver(s, conf) != OK)
		return ERR_IO;
	open_runner(s);
	open_search(s, conf);
	return open_listeners(s, conf);
}
