/*
 * control_status.c - what the server does at this moment, as one object.
 *
 * What belongs to the front loop is taken there (check), the counts of mailboxes are added up on a
 * worker, user by user.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/collect/collect.h"
#include "server/connect/connect.h"
#include "server/control/control_call.h"
#include "server/control/control_mailbox.h"
#include "server/control/control_search.h"
#include "server/metrics.h"
#include "server/net/resolver.h"
#include "server/net/tls.h"
#include "server/queue/outgoing.h"
#include "server/server.h"
#include "store/folders.h"
#include "store/queued.h"
#include "store/traces.h"
#include "store/users.h"

#define DAY_S 86400
#define STATUS_SERVICES_MAX SHARED_SERVICES_MAX

struct status {
	unsigned sessions[STATUS_SERVICES_MAX], all_sessions;
	size_t people;
	int64_t started_ms, tls_expires_s;
	struct resolver_stats dns;
	struct outgoing_stats outgoing;
	int64_t last_connect_ms, next_connect_ms;
	size_t connected; /* runs under way */
	size_t collectors, collecting; /* of the file; at work, those that wait for their turn too */
	size_t routes;
	bool clock_is_fake;
	int64_t clock_offset_ms;
	char store_state[32], reload_fault[256], rules_fault[256];
	struct span stopped[STATUS_SERVICES_MAX];
	unsigned stopped_count;
	uint64_t last_user, users, messages, held, bytes;
};

/* Named in the file, and not listening. */
static void
note_stopped(struct control_call *call, struct status *st)
{
	for (unsigned i = 0; i < service_count && i < STATUS_SERVICES_MAX; i++) {
		enum service_state state = server_service_state(call->host->server, &services[i]);

		if (!services[i].is_control && (state == SERVICE_STOPPED || state == SERVICE_FAILED))
			st->stopped[st->stopped_count++] = span_of(services[i].name);
	}
}

/* A connection that is always online connects for each message: then that is the last one too (CON-16). */
static void
note_connections(struct host *host, struct status *st)
{
	const struct connect_wanted all = { .which = CONNECT_ALL };
	int64_t sent_ms = metric_get(host->metrics, last_sent_ms);

	if (!host->connect)
		return;
	st->last_connect_ms = connect_last_ms(host->connect);
	if (sent_ms > st->last_connect_ms)
		st->last_connect_ms = sent_ms;
	st->next_connect_ms = connect_next_ms(host->connect);
	st->connected = connect_runs(host->connect, &all);
}

static bool
status_check(struct control_call *call)
{
	struct status *st = ARENA_NEW(&call->arena, struct status);
	struct host *host = call->host;

	call->state = st;
	for (unsigned i = 0; i < service_count && i < STATUS_SERVICES_MAX; i++)
		st->sessions[i] = shared_connections(host->shared, services[i].number);
	st->people = shared_people(host->shared);
	st->all_sessions = shared_session_count(host->shared);
	st->started_ms = server_started_ms(host->server);
	st->dns = resolver_stats(host->resolver);
	st->routes = host->conf->outgoing_routes.count;
	if (host->outgoing)
		st->outgoing = outgoing_stats(host->outgoing);
	note_connections(host, st);
	st->collectors = host->conf->collectors.count;
	st->collecting = host->collect ? collect_under_way(host->collect) : 0;
	st->tls_expires_s = host->tls ? tls_server_expires(host->tls) : 0;
	st->clock_is_fake = host->conf->testing_clock;
	st->clock_offset_ms = host->clock_offset_ms ? *host->clock_offset_ms : 0;
	snprintf(st->store_state, sizeof(st->store_state), "%s", server_store_state(host->server));
	snprintf(st->reload_fault, sizeof(st->reload_fault), "%s",
		server_reload_fault(host->server));
	for (enum rule_file file = 0; file < RULE_FILE_COUNT && !st->rules_fault[0]; file++)
		snprintf(st->rules_fault, sizeof(st->rules_fault), "%s",
			server_rules_fault(host->server, file));
	note_stopped(call, st);
	return true;
}

static void
put_stopped(struct json_writer *w, const struct status *st)
{
	json_put_name(w, SPAN("stopped"));
	json_put_array(w);
	for (unsigned i = 0; i < st->stopped_count; i++)
		json_put_string(w, st->stopped[i]);
	json_put_close(w);
}

static void
put_sessions(struct json_writer *w, const struct status *st)
{
	json_put_name(w, SPAN("sessions"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("all"), st->all_sessions);
	for (unsigned i = 0; i < service_count && i < STATUS_SERVICES_MAX; i++)
		if (services[i].class)
			json_put_member_u64(w, span_of(services[i].name), st->sessions[i]);
	json_put_close(w);
}

static enum err
put_queue(struct json_writer *w, struct snapshot *snap)
{
	struct queued_counts counts;
	enum err err = queued_count(snap, &counts);

	if (err != OK)
		return err;
	json_put_name(w, SPAN("queue"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("count"), counts.count);
	json_put_member_u64(w, SPAN("bytes"), counts.bytes);
	json_put_member_u64(w, SPAN("held"), counts.held);
	json_put_member_u64(w, SPAN("recipients"), counts.recipients);
	json_put_member_u64(w, SPAN("bin"), counts.bin);
	json_put_close(w);
	return OK;
}

static void
put_mailboxes(struct json_writer *w, const struct status *st)
{
	json_put_name(w, SPAN("mailboxes"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("users"), st->users);
	json_put_member_u64(w, SPAN("messages"), st->messages);
	json_put_member_u64(w, SPAN("held"), st->held);
	json_put_member_u64(w, SPAN("bytes"), st->bytes);
	json_put_close(w);
}

static enum err
put_store(struct json_writer *w, struct snapshot *snap, const struct status *st)
{
	struct store_stats stats;
	struct trace_counts traces;
	enum err err = store_stats(snapshot_store(snap), &stats);

	if (err == OK)
		err = trace_count(snap, &traces);
	if (err != OK)
		return err;
	json_put_name(w, SPAN("store"));
	json_put_object(w);
	json_put_member_string(w, SPAN("state"), span_of(st->store_state));
	json_put_member_u64(w, SPAN("bytes"), stats.file_size);
	json_put_member_u64(w, SPAN("size"), stats.file_size);
	json_put_member_u64(w, SPAN("used"), stats.file_size - stats.free_bytes);
	json_put_member_u64(w, SPAN("free"), stats.disk_free);
	json_put_member_bool(w, SPAN("full"), strcmp(st->store_state, "full") == 0);
	json_put_member_u64(w, SPAN("wanted"), stats.wanted);
	json_put_member_u64(w, SPAN("map"), stats.map_size);
	json_put_member_u64(w, SPAN("commits"), stats.commits);
	json_put_member_u64(w, SPAN("syncs"), stats.commits);
	json_put_member_u64(w, SPAN("jobs"), stats.jobs);
	json_put_member_u64(w, SPAN("jobs_waiting"), stats.jobs_waiting);
	json_put_member_u64(w, SPAN("commit_us_max"), stats.commit_us_max);
	json_put_member_u64(w, SPAN("readers"), stats.readers);
	json_put_member_u64(w, SPAN("traces"), traces.rows);
	json_put_member_u64(w, SPAN("trace_bytes"), traces.bytes);
	json_put_close(w);
	return OK;
}

static void
put_tls(struct control_call *call, const struct status *st)
{
	struct json_writer *w = &call->json;

	json_put_name(w, SPAN("tls"));
	json_put_object(w);
	json_put_member_string(w, SPAN("library"), span_of(tls_library()));
	json_put_member_string(w, SPAN("versions"), SPAN("TLSv1.2"));
	json_put_member_bool(w, SPAN("certificate"), st->tls_expires_s != 0);
	if (st->tls_expires_s) {
		control_put_time(w, SPAN("expires"), st->tls_expires_s * 1000);
		json_put_member_i64(
			w, SPAN("days"), (st->tls_expires_s - call->now_ms / 1000) / DAY_S);
	}
	json_put_close(w);
}

/* Questions to name servers since the start, and the answers that are remembered now. */
static void
put_dns(struct json_writer *w, const struct resolver_stats *dns)
{
	json_put_name(w, SPAN("dns"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("asked"), dns->asked);
	json_put_member_u64(w, SPAN("from_cache"), dns->from_cache);
	json_put_member_u64(w, SPAN("lookups"), dns->lookups);
	json_put_member_u64(w, SPAN("failed"), dns->failed);
	json_put_member_u64(w, SPAN("under_way"), dns->under_way);
	json_put_member_u64(w, SPAN("names"), dns->names);
	json_put_close(w);
}

static void
put_figures(struct control_call *call)
{
	struct json_writer *w = &call->json;
	const struct metrics *m = call->host->metrics;

	json_put_name(w, SPAN("loops"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("count"), host_count(call->host));
	json_put_member_i64(w, SPAN("longest_turn_us"), metric_get(m, longest_turn_us));
	json_put_member_i64(w, SPAN("slow_turns"), metric_get(m, slow_turns));
	json_put_close(w);
	json_put_name(w, SPAN("counters"));
	json_put_object(w);
	for (size_t i = 0; i < metric_row_count; i++)
		json_put_member_i64(
			w, span_of(metric_rows[i].name), metric_row_get(m, &metric_rows[i]));
	json_put_close(w);
}

/* Mail on its way out: what is due and in memory, the destinations, those that rest. */
static void
put_outgoing(struct control_call *call, const struct status *st)
{
	struct json_writer *w = &call->json;
	const struct metrics *m = call->host->metrics;

	json_put_name(w, SPAN("outgoing"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("routes"), st->routes);
	json_put_member_u64(w, SPAN("due"), st->outgoing.items);
	json_put_member_u64(w, SPAN("destinations"), st->outgoing.lanes);
	json_put_member_u64(w, SPAN("resting"), st->outgoing.resting);
	json_put_member_u64(w, SPAN("connections"), st->outgoing.connections);
	json_put_member_u64(w, SPAN("slow"), st->outgoing.slow);
	json_put_member_i64(w, SPAN("sent"), metric_get(m, sent));
	json_put_member_i64(w, SPAN("deferred"), metric_get(m, deferred));
	json_put_member_i64(w, SPAN("failed"), metric_get(m, failed));
	control_put_time(w, SPAN("last_sent"), metric_get(m, last_sent_ms));
	json_put_name(w, SPAN("lan")); /* LAN-12 */
	json_put_object(w);
	json_put_member_i64(w, SPAN("queued"), metric_get(m, lan_queued));
	json_put_member_i64(w, SPAN("sent"), metric_get(m, lan_sent));
	json_put_member_i64(w, SPAN("sent_bytes"), metric_get(m, lan_sent_bytes));
	json_put_close(w);
	json_put_close(w);
}

/* Mail that is fetched: collectors at work, and what came since the start. */
static void
put_collecting(struct control_call *call, const struct status *st)
{
	struct json_writer *w = &call->json;
	const struct metrics *m = call->host->metrics;

	json_put_name(w, SPAN("collecting"));
	json_put_object(w);
	json_put_member_u64(w, SPAN("collectors"), st->collectors);
	json_put_member_u64(w, SPAN("under_way"), st->collecting);
	json_put_member_i64(w, SPAN("collected"), metric_get(m, collected));
	json_put_member_i64(w, SPAN("bytes"), metric_get(m, collected_bytes));
	json_put_member_i64(w, SPAN("failures"), metric_get(m, collect_failures));
	json_put_close(w);
}

static enum err
put_status(struct control_call *call, struct snapshot *snap)
{
	const struct status *st = call->state;
	struct json_writer *w = &call->json;
	enum err err;

	json_put_object(w);
	json_put_member_string(w, SPAN("version"), SPAN(POSTROOM_VERSION));
	json_put_member_i64(w, SPAN("uptime_s"), (call->now_ms - st->started_ms) / 1000);
	control_put_time(w, SPAN("time"), call->now_ms);
	put_sessions(w, st);
	put_stopped(w, st);
	err = put_queue(w, snap);
	put_mailboxes(w, st);
	json_put_member_u64(w, SPAN("people_checked"), st->people);
	if (err == OK)
		err = put_store(w, snap, st);
	json_put_name(w, SPAN("search"));
	json_put_object(w);
	control_put_search(w, call->host);
	json_put_close(w);
	put_tls(call, st);
	put_dns(w, &st->dns);
	put_figures(call);
	put_outgoing(call, st);
	control_put_time(w, SPAN("last_connect"), st->last_connect_ms);
	control_put_time(w, SPAN("next_connect"), st->next_connect_ms);
	json_put_member_u64(w, SPAN("connected"), st->connected);
	put_collecting(call, st);
	if (st->reload_fault[0])
		json_put_member_string(w, SPAN("reload_fault"), span_of(st->reload_fault));
	if (st->rules_fault[0])
		json_put_member_string(w, SPAN("rules_fault"), span_of(st->rules_fault));
	if (st->clock_is_fake) {
		json_put_member_string(w, SPAN("clock"), SPAN("THE CLOCK IS A TEST CLOCK"));
		json_put_member_i64(w, SPAN("clock_offset_ms"), st->clock_offset_ms);
	}
	json_put_close(w);
	return err;
}

static enum step
status_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct status *st = call->state;
	struct folder_totals totals;
	struct user user;
	enum err err;

	while ((err = user_next(snap, st->last_user, &user)) == OK) {
		st->last_user = user.user_id;
		if (user.removed_ms)
			continue;
		err = folder_totals(snap, user.user_id, &totals);
		if (err != OK)
			break;
		st->users++;
		st->messages += totals.messages;
		st->held += totals.held;
		st->bytes += totals.bytes;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		err = put_status(call, snap);
	return control_fail_err(call, err, "the store") ? STEP_DONE : STEP_FAIL;
}

const struct control_handler control_do_status = {.check = status_check, .read = status_read};
