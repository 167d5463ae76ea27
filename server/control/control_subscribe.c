/*
 * control_subscribe.c - see control_subscribe.h.
 *
 *      status   a timer asks the status method inside the server; changed fields are sent
 *      log      the log's thread copies lines to a buffer; the loop sends them a turn later
 */
#include "server/control/control_subscribe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/control/control_log.h"
#include "server/server.h"

#define LOG_PENDING_MAX CONTROL_EVENT_BYTES
#define STATUS_LINE SPAN("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"status\",\"params\":{}}")

enum topic { TOPIC_STATUS, TOPIC_LOG };

struct control_subscription {
	struct list link;
	uint64_t id;
	enum topic topic;
	struct control_session *session; /* NULL: over */
	struct host *host;
	struct control_credit credit;
	/* status */
	struct loop_timer timer;
	struct arena last_arena;
	const struct json *last; /* what has been sent; NULL: nothing yet */
	bool asking;		 /* a call is under way and holds this */
	/* log */
	struct log_subscriber *log;
	pthread_mutex_t lock; /* over the four below */
	struct buf pending;   /* lines with LF */
	uint64_t skipped;
	bool posted, ended;
};

/* ---- credit ---- */

bool
control_credit_has(const struct control_credit *c)
{
	return c->sent - c->acked < CONTROL_EVENTS_MAX && c->waiting < CONTROL_EVENT_BYTES;
}

void
control_credit_spend(struct control_credit *c, size_t bytes)
{
	c->sent++;
	c->bytes[c->sent % CONTROL_EVENTS_MAX] = (uint32_t)bytes;
	c->waiting += bytes;
}

void
control_credit_ack(struct control_credit *c, uint64_t seq)
{
	if (seq > c->sent)
		seq = c->sent;
	while (c->acked < seq)
		c->waiting -= c->bytes[++c->acked % CONTROL_EVENTS_MAX];
}

/* ---- an event ---- */

static void
event_send(struct control_subscription *sub, const char *topic, struct span data)
{
	struct json_writer w;
	struct buf out;

	buf_init(&out, CONTROL_LINE_MAX);
	rpc_begin_event(&w, &out, sub->id, span_of(topic), sub->credit.sent + 1);
	json_put_raw(&w, data);
	if (rpc_end_event(&w) == OK) {
		control_credit_spend(&sub->credit, buf_span(&out).len);
		control_session_put(sub->session, buf_span(&out));
	}
	buf_fini(&out);
}

static void
sub_free(void *arg)
{
	struct control_subscription *sub = arg;

	loop_timer_clear(&sub->timer);
	arena_reset(&sub->last_arena);
	buf_fini(&sub->pending);
	pthread_mutex_destroy(&sub->lock);
	free(sub);
}

/* A call of ours, or a post of the log's thread, may still be on its way to SUB. */
static void
sub_end(struct control_subscription *sub)
{
	if (sub->log)
		log_unsubscribe(server_log_writer(sub->host->server), &sub->log);
	list_remove(&sub->link);
	sub->session->subscription_count--;
	sub->session = NULL;
	loop_timer_clear(&sub->timer);
	sub->ended = true;
	if (!sub->asking)
		loop_post(sub->host->loop, sub_free, sub); /* behind what the log thread posted */
}

void
control_subscriptions_end(struct control_session *s)
{
	struct list *at, *following;

	list_for_each (at, following, &s->subscriptions)
		sub_end(LIST_ITEM(at, struct control_subscription, link));
}

/* ---- status ---- */

static bool
json_same(const struct json *a, const struct json *b)
{
	struct json_writer wa, wb;
	struct buf ta, tb;
	bool same;

	buf_init(&ta, JSON_TEXT_MAX);
	buf_init(&tb, JSON_TEXT_MAX);
	json_writer_init(&wa, &ta);
	json_writer_init(&wb, &tb);
	json_put_json(&wa, a);
	json_put_json(&wb, b);
	same = json_writer_end(&wa) == OK && json_writer_end(&wb) == OK &&
	       span_eq(buf_span(&ta), buf_span(&tb));
	buf_fini(&ta);
	buf_fini(&tb);
	return same;
}

/* Members of NOW that are not as in LAST; false where there is none. */
static bool
put_changed(struct json_writer *w, const struct json *last, const struct json *now)
{
	bool any = false;

	json_put_object(w);
	for (const struct json *m = now->first; m; m = m->next) {
		const struct json *old = last ? json_find(last, m->name) : NULL;

		if (old && json_same(old, m))
			continue;
		json_put_name(w, m->name);
		json_put_json(w, m);
		any = true;
	}
	json_put_close(w);
	return any;
}

static void
status_send(struct control_subscription *sub, struct span text)
{
	const struct json *now;
	struct arena arena;
	struct json_writer w;
	struct buf out;

	arena_init(&arena, NULL);
	if (json_parse(&arena, arena_copy(&arena, text), &now, NULL) != OK) {
		arena_reset(&arena);
		return;
	}
	buf_init(&out, JSON_TEXT_MAX);
	json_writer_init(&w, &out);
	if (put_changed(&w, sub->last, now) && json_writer_end(&w) == OK)
		event_send(sub, "status", buf_span(&out));
	buf_fini(&out);
	arena_reset(&sub->last_arena);
	sub->last_arena = arena;
	sub->last = now;
}

static void
status_asked(struct control_call *call)
{
	struct control_subscription *sub = call->outer_state;

	sub->asking = false;
	if (sub->ended) {
		sub_free(sub);
	} else {
		if (!call->failed)
			status_send(sub, buf_span(&call->out));
		loop_timer_set(sub->host->loop, &sub->timer, CONTROL_STATUS_MS);
	}
	call->session = NULL; /* it was never in a session's list */
	control_call_end(call);
}

static void
status_tick(struct loop_timer *timer)
{
	struct control_subscription *sub = LIST_ITEM(timer, struct control_subscription, timer);
	struct control_call *call;
	struct rpc_request *request;
	struct rpc_error error;

	if (!control_credit_has(&sub->credit)) { /* merged: the next event has all that changed */
		loop_timer_set(sub->host->loop, &sub->timer, CONTROL_STATUS_MS);
		return;
	}
	call = control_call_new();
	request = ARENA_NEW(&call->arena, struct rpc_request);
	ENSURE(rpc_request_parse(STATUS_LINE, &call->arena, request, &error));
	call->host = sub->host;
	call->now_ms = host_now_ms(sub->host);
	call->outer_state = sub;
	buf_init(&call->out, CONTROL_REPLY_BYTES);
	sub->asking = true;
	control_call_run(call, request, status_asked);
}

/* ---- log ---- */

static void
log_send(struct control_subscription *sub, struct span lines, uint64_t skipped)
{
	static const char *const names[CONTROL_LOG_CELLS] = {
		"time", "level", "service", "session", "message", "text"};
	struct json_writer w;
	struct span line;
	struct buf out;

	buf_init(&out, CONTROL_REPLY_BYTES);
	json_writer_init(&w, &out);
	json_put_object(&w);
	json_put_name(&w, SPAN("lines"));
	json_put_array(&w);
	while (span_next_line(&lines, &line)) {
		struct span cells[CONTROL_LOG_CELLS];

		control_log_split(line, cells);
		json_put_object(&w);
		for (size_t i = 0; i < CONTROL_LOG_CELLS; i++)
			json_put_member_string(&w, span_of(names[i]), cells[i]);
		json_put_close(&w);
	}
	json_put_close(&w);
	json_put_member_u64(&w, SPAN("skipped"), skipped);
	json_put_close(&w);
	if (json_writer_end(&w) == OK)
		event_send(sub, "log", buf_span(&out));
	buf_fini(&out);
}

/* What has gathered is sent, where the console has credit; else it waits for the next ack. */
static void
log_drain(void *arg)
{
	struct control_subscription *sub = arg;
	struct buf lines;
	uint64_t skipped;

	pthread_mutex_lock(&sub->lock);
	sub->posted = false;
	if (!sub->session || !control_credit_has(&sub->credit) ||
		(buf_span(&sub->pending).len == 0 && sub->skipped == 0)) {
		pthread_mutex_unlock(&sub->lock);
		return;
	}
	lines = sub->pending;
	skipped = sub->skipped;
	buf_init(&sub->pending, LOG_PENDING_MAX);
	sub->skipped = 0;
	pthread_mutex_unlock(&sub->lock);
	log_send(sub, buf_span(&lines), skipped);
	buf_fini(&lines);
}

/* On the log's thread: never waits. */
static void
log_line_came(void *arg, struct span line, uint64_t dropped)
{
	struct control_subscription *sub = arg;
	bool post;

	pthread_mutex_lock(&sub->lock);
	sub->skipped += dropped;
	if (buf_span(&sub->pending).len + line.len + 1 > LOG_PENDING_MAX ||
		buf_put(&sub->pending, line) != OK)
		sub->skipped++;
	else if (line.len > 0 && line.ptr[line.len - 1] != '\n' &&
		 buf_put_char(&sub->pending, '\n') != OK)
		sub->skipped++;
	post = !sub->posted;
	sub->posted = true;
	pthread_mutex_unlock(&sub->lock);
	if (post)
		loop_post(sub->host->loop, log_drain, sub);
}

/* ---- methods ---- */

static bool
sub_start(struct control_call *call, struct control_subscription *sub)
{
	struct log_filter filter;

	if (sub->topic == TOPIC_STATUS) {
		loop_timer_set(sub->host->loop, &sub->timer, 1);
		return true;
	}
	if (!control_rights_have(call->who.rights, CONTROL_RIGHT_LOG_VIEW))
		return control_fail(call, RPC_NO_PERMISSION, "you have not the right to do this",
			NULL, control_right_name(CONTROL_RIGHT_LOG_VIEW));
	if (!control_log_filter(call, &filter))
		return false;
	sub->log = log_subscribe(server_log_writer(sub->host->server), &filter, log_line_came, sub);
	return sub->log != NULL ||
	       control_fail(call, RPC_BUSY, "too many follow the log already", NULL, NULL);
}

static void
subscribe_start(struct control_call *call)
{
	struct span topic = control_param(call, "topic");
	struct control_session *s = call->session;
	struct control_subscription *sub;

	if (!span_eq(topic, SPAN("status")) && !span_eq(topic, SPAN("log")))
		control_fail(call, RPC_INVALID, "nothing is told of this topic yet", NULL, "topic");
	else if (s->subscription_count >= CONTROL_SUBSCRIPTIONS_MAX)
		control_fail(
			call, RPC_BUSY, "too many subscriptions on this connection", NULL, NULL);
	if (call->failed) {
		control_call_end(call);
		return;
	}
	sub = calloc(1, sizeof(*sub));
	ENSURE(sub);
	sub->topic = span_eq(topic, SPAN("log")) ? TOPIC_LOG : TOPIC_STATUS;
	sub->session = s;
	sub->host = call->host;
	sub->id = ++s->subscription_last;
	pthread_mutex_init(&sub->lock, NULL);
	buf_init(&sub->pending, LOG_PENDING_MAX);
	arena_init(&sub->last_arena, NULL);
	loop_timer_init(&sub->timer, status_tick);
	list_append(&s->subscriptions, &sub->link);
	s->subscription_count++;
	json_put_object(&call->json);
	json_put_member_u64(&call->json, SPAN("subscription"), sub->id);
	json_put_member_u64(&call->json, SPAN("seq"), 0);
	json_put_close(&call->json);
	if (!sub_start(call, sub))
		sub_end(sub);
	control_call_end(call);
}

static struct control_subscription *
sub_find(struct control_call *call)
{
	uint64_t id = rpc_number(call->request, "subscription", 0);
	struct list *at, *following;

	list_for_each (at, following, &call->session->subscriptions) {
		struct control_subscription *sub = LIST_ITEM(at, struct control_subscription, link);

		if (sub->id == id)
			return sub;
	}
	control_fail(call, RPC_GONE, "no such subscription", NULL, "subscription");
	return NULL;
}

static void
unsubscribe_start(struct control_call *call)
{
	struct control_subscription *sub = sub_find(call);

	if (sub) {
		sub_end(sub);
		call->done = 1;
	}
	control_call_end(call);
}

static void
ack_start(struct control_call *call)
{
	struct control_subscription *sub = sub_find(call);

	if (sub) {
		control_credit_ack(&sub->credit, rpc_number(call->request, "seq", 0));
		if (sub->topic == TOPIC_LOG)
			log_drain(sub);
		call->done = 1;
	}
	control_call_end(call);
}

const struct control_handler control_do_subscribe = {.start = subscribe_start};
const struct control_handler control_do_unsubscribe = {.start = unsubscribe_start};
const struct control_handler control_do_ack = {.start = ack_start};
