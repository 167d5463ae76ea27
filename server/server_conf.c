/*
 * server_conf.c - reading the configuration, and taking a new one over while serving (H61).
 *
 * A new generation is built and checked whole, its certificate read, its new addresses bound; only
 * then is it posted to the loops, which swap it between two turns, and the addresses that are no
 * longer wanted are closed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/collect/collect.h"
#include "server/connect/connect.h"
#include "server/net/tls.h"
#include "server/net/resolver.h"
#include "server/net/work.h"
#include "server/runner/runner.h"
#include "server/server_state.h"
#include "server/warden/warden_requests.h"

#define FAULTS_TEXT_MAX (64 * 1024)

struct swap {
	struct host *host;
	struct generation *generation; /* held for the host */
	struct tls_server *tls;	       /* too */
};

void
server_put_faults(const struct conf_faults *faults, const char *path, struct buf *out)
{
	for (size_t i = 0; i < faults->count; i++) {
		if (conf_fault_put(&faults->items[i], path, out) != OK ||
			buf_put_char(out, '\n') != OK)
			return; /* enough to work on */
	}
}

enum err
server_conf_read(struct reading *r, struct buf *faults)
{
	const char *path = r->server->options->conf_path;
	struct conf_faults list;
	enum err err;

	conf_faults_init(&list);
	err = conf_load_file(path, geteuid(), &r->next, &list);
	server_put_faults(&list, path, faults);
	conf_faults_fini(&list);
	if (err != OK)
		return err;
	err = server_rules_read(r, faults);
	if (err != OK)
		conf_free(&r->next);
	return err;
}

void
server_set_limits(struct server *s, const struct conf *conf)
{
	store_set_limits(s->store, (uint64_t)conf->store_max_size,
		(uint64_t)conf->limits_message_size);
	workers_set_waiting(s->workers, WORK_HASH, (size_t)conf->limits_hashes_waiting);
	workers_set_waiting(s->workers, WORK_SEARCH, (size_t)conf->limits_searches_waiting);
	workers_set_waiting(s->workers, WORK_TLS, (size_t)conf->limits_handshakes);
}

static void
on_dns_fault(void *arg, const char *text)
{
	server_complain(arg, "name servers cannot be read anew, the old ones stay", text, "see /etc/resolv.conf");
}

static int
open_for_dns(void *arg, const char *path)
{
	int fd;

	return server_open_file(arg, path, &fd) == OK ? fd : -1;
}

struct resolver_options
server_resolver_options(struct server *s, const struct conf *conf)
{
	return (struct resolver_options){ .servers = conf->dns_servers.items,
		.server_count = conf->dns_servers.count, .timeout_ms = conf->dns_timeout_ms,
		.resolv_conf = WARDEN_RESOLV_CONF, .open_file = open_for_dns,
		.on_fault = on_dns_fault, .arg = s };
}

struct log_options
server_log_options(const struct conf *conf, const struct server_options *o)
{
	static const enum log_level levels[] = {
		[CONF_LOG_ERROR] = LEVEL_ERROR,
		[CONF_LOG_WARNING] = LEVEL_WARNING,
		[CONF_LOG_INFO] = LEVEL_INFO,
		[CONF_LOG_DEBUG] = LEVEL_DEBUG,
	};

	return (struct log_options){ .level = levels[conf->log_level], .dir = conf->log_dir.ptr,
		.max_size = conf->log_max_size, .keep = (unsigned)conf->log_keep,
		.to_stderr = o->log_to_stderr };
}

static void
swap_in(void *arg)
{
	struct swap *w = arg;
	struct host *host = w->host;

	generation_release(&host->generation);
	tls_server_release(&host->tls);
	host->generation = w->generation;
	host->conf = generation_conf(w->generation);
	host->tls = w->tls;
	free(w);
}

static void
post_swap(struct host *host, struct generation *generation, struct tls_server *tls)
{
	struct swap *w = malloc(sizeof(*w));

	ENSURE(w);
	*w = (struct swap){ host, generation_hold(generation), tls_server_hold(tls) };
	loop_post(host->loop, swap_in, w);
}

void
server_swap(struct server *s, struct generation *generation, struct tls_server *tls)
{
	for (unsigned i = 0; i < s->loop_count; i++)
		post_swap(&s->hosts[i], generation, tls);
	server_rules_keep(s, generation);
	loop_post(server_front(s)->loop, collect_follow, s->collect);
	loop_post(server_front(s)->loop, connect_follow, s->connect);
	loop_post(server_front(s)->loop, runner_follow, s->runner);
}

/* What only a new start takes over: said, not refused. */
static void
note_restart(struct server *s, const struct conf *next)
{
	const struct conf *now = server_front(s)->conf;

	if (span_eq(now->data, next->data) && span_eq(span_of(s->log_dir), next->log_dir) &&
		now->loops == next->loops)
		return;
	log_put(server_front(s)->log,
		&(struct log_line){ .level = LEVEL_WARNING, .area = "config",
			.text = "data, log.dir and loops change at the next start" });
}

static void
take_over(struct server *s, struct conf *next, struct tls_server *tls, struct tls_client *roots)
{
	struct generation *generation = generation_new(next);
	struct log_options log = server_log_options(next, s->options);
	struct resolver_options resolver = server_resolver_options(s, next);

	log.dir = s->log_dir;
	note_restart(s, next);
	server_swap(s, generation, tls);
	server_tls_mark(s, next);
	server_outgoing_follow(s, roots);
	if (log_writer_change(s->writer, &log) != OK)
		server_complain(s, "log", "the directory cannot be used", "see log.dir");
	server_set_limits(s, next);
	if (resolver_configure(s->resolver, &resolver) != OK)
		server_complain(s, "dns.servers", "cannot be used, the old ones stay", "");
	server_listeners_start(s);
	metric_add(&s->metrics, reloads, 1);
	generation_release(&generation);
	s->reload_fault[0] = '\0';
	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "config",
				.text = "configuration taken over",
				.fields = { { "reloads",
					.number = metric_get(&s->metrics, reloads) } } });
}

/* The warden keeps its own list of names that it may open and bind. */
static void
tell_warden(struct server *s)
{
	struct warden_request request = { .kind = WARDEN_REREAD };
	struct warden_reply reply;
	int fd = -1;

	if (s->options->warden_fd < 0)
		return;
	if (warden_ask(s->options->warden_fd, &request, -1, &reply, &fd) != OK)
		server_complain(s, "warden", "did not read the configuration",
			"restart to recover");
}

void
server_conf_refuse(struct server *s, struct span lines)
{
	struct span first;

	if (!span_next_line(&lines, &first))
		first = SPAN("cannot be read");
	snprintf(s->reload_fault, sizeof(s->reload_fault), "%.*s", SPAN_FMT(first));
	log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "config",
				.text = "the new configuration is refused, the old one stays",
				.fields = { { "why", first } } });
}

enum err
server_conf_prepare(struct server *s, const struct conf *next, struct tls_server **tls,
	struct tls_client **roots, char fault[SERVER_LINE_MAX])
{
	tell_warden(s);
	if (server_tls_open(s, next, tls, fault) != OK)
		return ERR_IO;
	*roots = server_conf_roots(s, next);
	return OK;
}

/* What is odd but taken: "FILE:LINE:COLUMN: warning: ...", a line each. */
static void
log_warnings(struct server *s, struct span lines)
{
	struct span line;

	while (span_next_line(&lines, &line))
		log_put(s->log, &(struct log_line){ .level = LEVEL_WARNING, .area = "config",
					.text = "odd, but taken",
					.fields = { { "what", line } } });
}

enum err
server_conf_take(struct server *s, struct conf *next, struct tls_server *tls, struct tls_client *roots,
	struct span lines)
{
	char fault[SERVER_LINE_MAX] = "";

	if (server_listen(s, next, false, fault) != OK) {
		server_conf_refuse(s, span_of(fault));
		return ERR_IO;
	}
	log_warnings(s, lines);
	take_over(s, next, tls, roots);
	return OK;
}

const char *
server_reload_fault(const struct server *s)
{
	return s->reload_fault;
}
