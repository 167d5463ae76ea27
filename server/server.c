/*
 * server.c - the process: run, told to stop, everything ended in reverse. Opening: server_open.c.
 */
#include "server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/collect/collect.h"
#include "server/connect/connect.h"
#include "server/imap/folder_watch.h"
#include "server/net/resolver.h"
#include "server/net/tls.h"
#include "server/net/work.h"
#include "server/queue/derive_stored.h"
#include "server/queue/outgoing.h"
#include "server/queue/own_mail.h"
#include "server/queue/signing.h"
#include "server/queue/spool_door.h"
#include "server/queue/refusals.h"
#include "server/runner/tokens.h"
#include "server/search/search.h"
#include "server/rule_hits.h"
#include "server/server_state.h"
#include "server/session/login_notes.h"
#include "server/task/task_quota.h"
#include "server/task/tasks.h"
#include "server/warden/warden.h"

#define STOP_LOOK_MS 20	       /* how often the end looks whether the sessions have gone */
#define STOP_SENDING_MS 4000   /* before SERVER_STOP_MS have passed, what is being sent is cut */
#define STOP_WORK_MS 2000      /* what a worker under way may still take */
#define LAST_JOBS_TRIES 100    /* x 10 ms, for jobs under way when the loops have ended */

void
server_complain(struct server *s, const char *what, const char *why, const char *hint)
{
	char open[] = " (", close[] = ")";

	if (hint[0] == '\0')
		open[0] = close[0] = '\0';
	fprintf(stderr, "postroomd: %s%s%s%s%s%s\n", what, why[0] ? ": " : "", why, open, hint,
		close);
	if (s->log)
		log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "server",
					.text = what,
					.fields = { { why[0] ? "why" : NULL, span_of(why) } } });
}

static void
read_limits(struct server *s)
{
	struct rlimit files;

	s->fd_limit = 1024;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		s->fd_limit = files.rlim_cur > 1000000 ? 1000000 : (unsigned)files.rlim_cur;
}

static struct generation *
first_generation(struct server *s)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct conf *conf;
	struct buf faults;
	enum err err;

	ENSURE(r);
	r->server = s;
	buf_init(&faults, 64 * 1024);
	err = server_conf_read(r, &faults);
	server_rules_note(s, r);
	conf = r->next;
	free(r);
	if (buf_span(&faults).len > 0)
		fprintf(stderr, "%.*s", SPAN_FMT(buf_span(&faults)));
	if (err != OK)
		server_complain(s, s->options->conf_path, "this configuration cannot be used",
			"postroomd --check -c FILE");
	buf_fini(&faults);
	return err == OK ? generation_new(conf) : NULL;
}

/* ---- running and ending ---- */

static void *
loop_thread(void *arg)
{
	struct host *host = arg;

	loop_run(host->loop);
	return NULL;
}

static bool
sessions_left(const struct server *s)
{
	for (unsigned i = 0; i < s->loop_count; i++) {
		if (s->hosts[i].session_count > 0)
			return true;
	}
	return false;
}

static void
end_sessions(void *arg)
{
	struct host *host = arg;

	host->stopping = true;
	own_mails_hurry(host);
	session_close_all(host, NULL, CLOSE_SHUTDOWN);
}

static void
on_stop_timer(struct loop_timer *timer)
{
	struct server *s = LIST_ITEM(timer, struct server, stop_timer);
	struct loop *front = server_front(s)->loop;

	if ((sessions_left(s) && loop_now_ms(front) < s->stop_at_ms) ||
		((!outgoing_is_over(s->outgoing) || !connect_is_over(s->connect) ||
			 !collect_is_over(s->collect)) &&
			loop_now_ms(front) < s->stop_at_ms - STOP_SENDING_MS)) {
		loop_timer_set(front, timer, STOP_LOOK_MS);
		return;
	}
	for (unsigned i = 0; i < s->loop_count; i++)
		loop_stop(s->hosts[i].loop);
}

void
server_stop(struct server *s)
{
	struct loop *front = server_front(s)->loop;

	if (s->stopping)
		return;
	s->stopping = true;
	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "server",
				.text = "stopping" });
	server_listeners_close(s);
	connect_end(s->connect);
	collect_end(s->collect);
	outgoing_end(s->outgoing);
	for (unsigned i = 0; i < s->loop_count; i++)
		loop_post(s->hosts[i].loop, end_sessions, &s->hosts[i]);
	s->stop_at_ms = loop_now_ms(front) + SERVER_STOP_MS;
	loop_timer_init(&s->stop_timer, on_stop_timer);
	loop_timer_set(front, &s->stop_timer, STOP_LOOK_MS);
}

static void reload(struct server *s);

static void
on_reloaded(struct server_load *load, enum err err)
{
	struct server *s = load->server;

	if (err != OK)
		fprintf(stderr, "postroomd: %s: refused, the old configuration stays: %s\n",
			s->options->conf_path, s->reload_fault);
	load->done = NULL;
	if (s->hup_again)
		reload(s);
}

/* One that comes while another reads may have been sent for what that one did not see. */
static void
reload(struct server *s)
{
	s->hup_again = s->hup.done != NULL;
	if (s->hup_again)
		return;
	s->hup = (struct server_load){ .what = LOAD_CONF, .done = on_reloaded };
	server_load(s, &s->hup);
}

static void
on_signal(void *arg, int signo)
{
	struct server *s = arg;

	if (signo != SIGHUP)
		server_stop(s);
	else if (!s->stopping)
		reload(s);
}

static enum err
start_threads(struct server *s)
{
	sigset_t all, before;
	unsigned started = 1; /* the front loop is this thread's */
	int rc = 0;

	sigfillset(&all); /* signals are the front loop's */
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (started < s->loop_count && rc == 0) {
		rc = pthread_create(&s->threads[started], NULL, loop_thread, &s->hosts[started]);
		started += rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		return OK;
	server_complain(s, "loop", strerror(rc), "");
	while (--started > 0) { /* they are closed next */
		loop_stop(s->hosts[started].loop);
		pthread_join(s->threads[started], NULL);
	}
	return ERR_IO;
}

static void
say_what_is_weak(struct host *front)
{
	if (strncmp(tls_library(), "mbed TLS 2.", 11) == 0)
		log_put(front->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "tls",
					    .text = "this TLS library's series has ended",
					    .fields = { { "version", span_of(tls_library()) } } });
	if (geteuid() == 0)
		log_put(front->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "server",
					    .text = "serves as root: there is no user for it; programs and scripts run as "
						    WARDEN_NOBODY,
					    .fields = { { "user", SPAN(WARDEN_USER) } } });
}

static void
say_ready(struct server *s)
{
	struct host *front = server_front(s);
	struct log_options log = server_log_options(front->conf, s->options);

	if (log.to_stderr && log_writer_change(s->writer, &log) != OK)
		server_complain(s, "log", strerror(errno), "see log.dir");
	say_what_is_weak(front);
	log_put(front->log, &(struct log_line){ .level = LEVEL_INFO, .area = "server",
				    .text = "ready",
				    .fields = { { "version", SPAN(POSTROOM_VERSION) } } });
	fputs("ready\n", stderr);
	fflush(stderr);
	if (s->options->ready_fd >= 0 && write(s->options->ready_fd, "r", 1) == 1)
		close(s->options->ready_fd);
}

static void
serve(struct server *s)
{
	struct host *front = server_front(s);

	if (loop_on_signal(front->loop, SIGTERM, on_signal, s) != OK ||
		loop_on_signal(front->loop, SIGINT, on_signal, s) != OK ||
		loop_on_signal(front->loop, SIGHUP, on_signal, s) != OK) {
		server_complain(s, "signals", strerror(errno), "it could not be told to stop");
		_exit(1); /* nothing was accepted yet */
	}
	rule_hits_load(front);
	s->tasks = tasks_start(front);
	server_outgoing_start(s);
	server_listeners_start(s);
	say_ready(s);
	loop_run(front->loop);
	for (unsigned i = 1; i < s->loop_count; i++)
		pthread_join(s->threads[i], NULL);
	tasks_stop(&s->tasks);
}

static void
run_inboxes(struct server *s)
{
	for (unsigned n = 0; n < s->loop_count; n++)
		store_inbox_run(&s->inboxes[n]);
}

/* Jobs that tasks left behind are finished; what sessions left is not acknowledged to anybody. */
static void
finish_jobs(struct server *s)
{
	struct store_stats stats = { .jobs_waiting = 0 };

	for (int i = 0; i < LAST_JOBS_TRIES; i++) {
		run_inboxes(s);
		if (!store_is_busy(s->store) &&
			(store_stats(s->store, &stats) != OK || stats.jobs_waiting == 0))
			return;
		usleep(10000);
	}
}

static void
close_hosts(struct server *s)
{
	connect_close(&s->connect);
	collect_close(&s->collect);
	quota_watch_close(&server_front(s)->quota);
	outgoing_free(&s->outgoing);
	resolver_close(&s->resolver);
	runner_close(&s->runner);
	tokens_close(&s->tokens);
	server_content_close(s);
	server_load_close(s);
	server_rules_close(s);
	for (unsigned i = 0; i < s->loop_count; i++) {
		struct host *host = &s->hosts[i];

		host_snapshot_close(host);
		tls_server_release(&host->tls);
		generation_release(&host->generation);
		refusals_close(&host->refusals);
		login_notes_close(&host->login_notes);
		own_mails_close(&host->own_mails);
		spool_doors_close(&host->spool_doors);
		signer_close(&host->signer);
		derive_keeper_close(&host->derive_keeper);
		folder_watches_close(&host->folder_watches);
		loop_close(&host->loop);
		chunk_pool_fini(&host->pool);
	}
}

/* A worker hangs, in a file of a network for instance: all that was promised is saved, then we go. */
static noreturn void
leave_worker(struct server *s)
{
	log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "server",
				.text = "ended although a worker still hangs" });
	finish_jobs(s);
	store_stop(s->store);
	log_writer_sync(s->writer);
	_exit(s->exit_status);
}

static void
close_all(struct server *s)
{
	if (s->store && sessions_left(s)) {
		/* a peer would not let go: nothing unsaved is promised, so it may just end */
		store_inbox_run(server_front(s)->inbox);
		log_writer_sync(s->writer);
		_exit(s->exit_status);
	}
	if (s->listeners.next)
		server_listeners_close(s);
	for (unsigned i = 0; s->store && i < s->loop_count; i++)
		own_mails_end(&s->hosts[i]);
	if (s->store && s->workers && !workers_end(s->workers, STOP_WORK_MS))
		leave_worker(s);
	workers_close(&s->workers);
	search_close(&s->search);
	if (s->store) {
		finish_jobs(s);
		store_stop(s->store);
		run_inboxes(s); /* housekeeping that was broken off lets go of what it holds */
		store_close(&s->store);
	}
	for (unsigned i = 0; i < s->loop_count; i++)
		store_inbox_fini(&s->inboxes[i]);
	close_hosts(s);
	shared_close(&s->shared);
	if (s->writer)
		log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "server",
					.text = "stopped" });
	explicit_bzero(&s->secret_key, sizeof(s->secret_key));
	explicit_bzero(&s->text_key, sizeof(s->text_key));
	s->log = NULL;
	log_writer_close(&s->writer);
}

int
server_run(const struct server_options *options)
{
	struct server *s = calloc(1, sizeof(*s));
	struct generation *generation;
	int status = 1;

	ENSURE(s);
	signal(SIGPIPE, SIG_IGN);
	s->options = options;
	server_load_init(s);
	read_limits(s);
	generation = first_generation(s);
	if (!generation)
		goto free_server;
	if (server_open(s, generation) == OK && start_threads(s) == OK) {
		s->started_ms = host_now_ms(server_front(s));
		serve(s);
		status = s->exit_status;
	}
	close_all(s);
	generation_release(&generation);

free_server:
	free(s);
	return status;
}
