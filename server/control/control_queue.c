/*
 * control_queue.c - mail that waits to leave: list, show, hold, release, retry, remove;
 * control_queue_redirect.c and control_queue_bounce.c have the rest.
 */
#include <stdio.h>

#include "conf/conf.h"
#include "proto/mail/message_no.h"
#include "server/control/control_fields.h"
#include "server/control/control_guard.h"
#include "server/control/control_queue_sending.h"
#include "server/generation.h"
#include "server/queue/outgoing.h"
#include "server/queue/schedule.h"
#include "store/queued.h"

#define RECIPIENTS_SHOWN 100   /* addresses in one row */
#define ROUTES_SHOWN 10        /* routes in one row */
#define RECIPIENTS_LISTED 1000 /* of `queue show` */
#define RECIPIENTS_EXPLAINED 100 /* of these, with why they wait */
#define REASON_SIZE 400
#define RETRY_WAIT_MS 60000
#define RETRY_LOOK_MS 100

struct queue_walk {
	uint64_t after;
	bool with_bin;	 /* the filter asks for it */
	bool with_facts; /* somebody looks at what is told by the recipients */
};

/* Of the open recipients: what is shown of all of them together. */
struct queue_facts {
	struct span addresses[RECIPIENTS_SHOWN];
	size_t count;
	int64_t next_try_ms;
	uint64_t tries;
	struct span last_error;
	enum queued_state state;
	struct span routes[ROUTES_SHOWN]; /* by which they leave, each once */
	size_t route_count;
	struct way_ask asks[ROUTES_SHOWN]; /* what `routes` may point to */
};

/* One that never was has no way out yet: it waits, and no time can be named. */
static bool
was_tried(const struct queued_recipient *r)
{
	return r->tries > 0 || r->state != QUEUED_ACTIVE;
}

static void
add_route(const struct conf *conf, struct snapshot *snap, const struct queued *q,
	const struct queued_recipient *r, struct queue_facts *f)
{
	struct way_ask *ask = &f->asks[f->route_count];
	struct way way;
	const char *why;

	if (f->route_count >= ROUTES_SHOWN)
		return;
	ask->sender = q->sender;
	ask->recipient = r->address;
	ask->route_name = r->route;
	if (!outgoing_way_now(conf, snap, ask, &way, &why))
		return;
	for (size_t i = 0; i < f->route_count; i++)
		if (span_eq_nocase(f->routes[i], way.route))
			return;
	f->routes[f->route_count++] = way.route;
}

static enum err
queue_facts(const struct conf *conf, struct snapshot *snap, const struct queued *q,
	struct queue_facts *f)
{
	struct queued_recipient r = {0};
	enum err err = OK;

	*f = (struct queue_facts){.state = q->bin_until_ms ? QUEUED_BIN
					   : q->held	   ? QUEUED_HELD
							   : QUEUED_ACTIVE};
	/* their numbers have no gaps: the last is known, and no look behind it is needed */
	while (r.recipient_no < q->recipients &&
		(err = queued_recipient_next(snap, q->queue_id, r.recipient_no, &r)) == OK) {
		if (r.state == QUEUED_GONE)
			continue;
		if (f->count < RECIPIENTS_SHOWN)
			f->addresses[f->count++] = r.address;
		add_route(conf, snap, q, &r, f);
		if (was_tried(&r) && (f->next_try_ms == 0 || r.next_try_ms < f->next_try_ms))
			f->next_try_ms = r.next_try_ms;
		if (was_tried(&r) && r.tries >= f->tries) {
			f->tries = r.tries;
			f->last_error = r.last_error;
		}
		if (f->state == QUEUED_ACTIVE && r.state == QUEUED_DEFERRED)
			f->state = QUEUED_DEFERRED;
	}
	if (f->state == QUEUED_HELD || f->state == QUEUED_BIN)
		f->next_try_ms = 0;
	if (f->state == QUEUED_HELD && q->held_why.len > 0)
		f->last_error = q->held_why;
	return err == ERR_NOT_FOUND ? OK : err;
}

static void
queue_row(struct control_rows *rows, int64_t now_ms, const struct queued *q,
	const struct queue_facts *f)
{
	char id[MESSAGE_NO_SIZE];
	struct span key = message_no_format(q->queue_id, id);

	control_row(rows, key);
	control_put_text(rows, key);
	control_put_text(rows, span_of(queued_state_words[f->state]));
	control_put_number(rows, (now_ms - q->received_ms) / 1000);
	control_put_time_ms(rows, f->next_try_ms);
	control_put_number(rows, (int64_t)q->size_bytes);
	control_put_text(rows, q->sender.ptr ? q->sender : SPAN(""));
	control_put_list(rows, f->addresses, f->count);
	control_put_text(rows, f->last_error.ptr ? f->last_error : SPAN(""));
	control_put_number(rows, (int64_t)f->tries);
	control_put_text(rows, q->subject.ptr ? q->subject : SPAN(""));
	control_put_text(rows, q->source.ptr ? q->source : SPAN(""));
	control_put_text(rows, q->auth_user.ptr ? q->auth_user : SPAN(""));
	control_put_list(rows, f->routes, f->route_count);
}

static bool
asks_for_bin(struct span filter)
{
	return span_find_span_nocase(filter, SPAN("state:bin")) < filter.len;
}

static bool
queue_list_check(struct control_call *call)
{
	static const char *const told[] = {
		"state", "next_try", "recipients", "last_error", "tries", "route"};
	struct queue_walk *walk = ARENA_NEW(&call->arena, struct queue_walk);

	walk->with_bin = asks_for_bin(control_param(call, "filter"));
	for (size_t i = 0; i < COUNT(told); i++)
		walk->with_facts |= control_rows_want(&call->rows, told[i]);
	call->state = walk;
	return true;
}

static enum step
queue_list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct queue_walk *walk = call->state;
	struct queue_facts *facts = ARENA_NEW(&call->arena, struct queue_facts);
	struct queued_counts counts;
	struct queued q;
	enum err err = queued_count(snap, &counts);

	if (err == OK)
		call->rows.expected = counts.count + (walk->with_bin ? counts.bin : 0);
	while ((err = queued_next(snap, walk->after, &q)) == OK) {
		walk->after = q.queue_id;
		if (q.bin_until_ms && !walk->with_bin)
			continue;
		err = walk->with_facts ? queue_facts(generation_conf(call->generation), snap, &q, facts) : OK;
		if (err != OK)
			break;
		queue_row(&call->rows, call->now_ms, &q, facts);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "queued message");
	return STEP_FAIL;
}

static bool
queue_key_read(struct span key, uint64_t *id)
{
	return message_no_parse(key, id) == OK;
}

static struct span
queue_key(uint64_t id, struct arena *a)
{
	char text[MESSAGE_NO_SIZE];

	return arena_copy(a, message_no_format(id, text));
}

static enum err
queue_row_again(struct control_call *call, struct control_rows *rows, struct snapshot *snap,
	uint64_t id, struct span filter)
{
	struct queue_facts facts;
	struct queued q;
	enum err err = queued_find(snap, id, &q);

	if (err == OK && q.bin_until_ms && !asks_for_bin(filter))
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = queue_facts(generation_conf(call->generation), snap, &q, &facts);
	if (err == OK)
		queue_row(rows, call->now_ms, &q, &facts);
	return err;
}

static enum err
queue_id_after(struct snapshot *snap, uint64_t id, uint64_t *next)
{
	struct queued q;
	enum err err = queued_next(snap, id, &q);

	*next = q.queue_id;
	return err;
}

static const struct control_keyed queue_keyed = {
	queue_key_read, queue_key, queue_row_again, queue_id_after};

const struct control_handler control_do_queue_list = {
	.check = queue_list_check,
	.read = queue_list_read,
	.keyed = &queue_keyed,
};

/* ---- show ---- */

static void
put_recipient(struct control_call *call, const struct queued *q, const struct queued_recipient *r,
	struct span why)
{
	struct schedule schedule = schedule_of(
		generation_conf(call->generation), route_is_lan(r->route));
	struct json_writer *w = &call->json;
	bool open = r->state != QUEUED_GONE && !q->held && !q->bin_until_ms;

	json_put_object(w);
	json_put_member_string(w, SPAN("address"), r->address);
	json_put_member_string(
		w, SPAN("state"), span_of(queued_state_words[queued_shown_state(q, r)]));
	json_put_member_u64(w, SPAN("tries"), r->tries);
	control_put_time(w, SPAN("last_try"), r->last_try_ms);
	control_put_time(w, SPAN("next_try"), was_tried(r) ? r->next_try_ms : 0);
	control_put_time(w, SPAN("gives_up"),
		open ? call->now_ms - queued_age_ms(q, call->now_ms) + schedule.give_up_ms : 0);
	json_put_member_string(w, SPAN("last_error"), was_tried(r) ? r->last_error : SPAN(""));
	if (why.len > 0)
		json_put_member_string(w, SPAN("reason"), why);
	json_put_member_string(w, SPAN("route"), r->route);
	json_put_close(w);
}

/* Why each waits, which the front loop alone knows; by recipient_no, as far as they are listed. */
static void
find_reasons(struct control_call *call, struct snapshot *snap, const struct queued *q,
	struct span *reasons)
{
	struct queued_recipient r = {0};
	char text[REASON_SIZE];

	for (size_t n = 0; n < RECIPIENTS_EXPLAINED &&
		queued_recipient_next(snap, q->queue_id, r.recipient_no, &r) == OK; n++) {
		if (r.recipient_no > RECIPIENTS_EXPLAINED || r.state == QUEUED_GONE ||
			r.next_try_ms > call->now_ms || q->held || q->bin_until_ms)
			continue;
		outgoing_why(call->host->outgoing, q->sender, r.address, r.route, text,
			sizeof(text));
		reasons[r.recipient_no] = arena_copy(&call->arena, span_of(text));
	}
}

static bool
queue_show_check(struct control_call *call)
{
	struct span *reasons = ARENA_ARRAY(&call->arena, struct span, RECIPIENTS_EXPLAINED + 1);
	struct snapshot *snap = host_snapshot(call->host);
	struct queued q;
	uint64_t id;

	call->state = reasons;
	if (snap && call->host->outgoing &&
		message_no_parse(control_param(call, "id"), &id) == OK &&
		queued_find(snap, id, &q) == OK)
		find_reasons(call, snap, &q, reasons);
	return true; /* `read` says what is wrong */
}

static enum step
queue_show_read(struct control_call *call, struct snapshot *snap)
{
	const struct span *reasons = call->state;
	struct json_writer *w = &call->json;
	struct queued_recipient r = {0};
	struct queued q;
	uint64_t id;
	size_t n = 0;
	enum err err = message_no_parse(control_param(call, "id"), &id);

	err = err == OK ? queued_find(snap, id, &q) : ERR_NOT_FOUND;
	if (!control_fail_err(call, err, "message in the queue"))
		return STEP_FAIL;
	json_put_object(w);
	json_put_member_string(w, SPAN("id"), control_param(call, "id"));
	json_put_name(w, SPAN("recipients")); /* first: why it waits is what people look for */
	json_put_array(w);
	while (n++ < RECIPIENTS_LISTED &&
		queued_recipient_next(snap, id, r.recipient_no, &r) == OK) {
		r.route = store_forward_shown(snap, r.route, &call->arena);
		put_recipient(call, &q, &r,
			r.recipient_no <= RECIPIENTS_EXPLAINED ? reasons[r.recipient_no] : SPAN(""));
	}
	json_put_close(w);
	control_put_fields(w, &queued_table, &q, call->is_locked ? control_guard_has_field : NULL);
	json_put_close(w);
	return STEP_DONE;
}

const struct control_handler control_do_queue_show = {
	.check = queue_show_check,
	.read = queue_show_read,
};

/* ---- changes ---- */

static enum err
queue_id(struct control_call *call, struct span key, uint64_t *id)
{
	if (message_no_parse(key, id) == OK)
		return OK;
	call->skip_why = "no such message in the queue";
	return ERR_NOT_FOUND;
}

static enum err
words(struct control_call *call, enum err err)
{
	if (err == ERR_NOT_FOUND)
		call->skip_why = control_why(ERR_NOT_FOUND);
	if (err == ERR_DENIED)
		call->skip_why = "is held or in the bin";
	return err;
}

static enum err
hold_each(struct control_call *call, struct txn *txn, struct span key)
{
	uint64_t id;
	enum err err = queue_id(call, key, &id);

	return err == OK ? words(call, queued_hold(txn, id, call->now_ms)) : err;
}

static enum err
release_each(struct control_call *call, struct txn *txn, struct span key)
{
	uint64_t id;
	enum err err = queue_id(call, key, &id);

	return err == OK ? words(call, queued_release(txn, id, call->now_ms)) : err;
}

static enum err
retry_each(struct control_call *call, struct txn *txn, struct span key)
{
	uint64_t id;
	enum err err = queue_id(call, key, &id);

	return err == OK ? words(call, queued_retry(txn, id, 0, call->now_ms)) : err;
}

/* ---- retry --wait: until nothing is due any more, or RETRY_WAIT_MS have passed ---- */

struct retry_wait {
	struct loop_timer timer;
	struct control_call *call;
	int64_t until_ms; /* of the loop's clock */
};

static bool
is_due(struct control_call *call)
{
	struct snapshot *snap = host_snapshot(call->host);
	struct queued_due due = {0};

	return snap && queued_due_next(snap, &due) == OK && due.due_ms <= host_now_ms(call->host);
}

static void
retry_tick(struct loop_timer *timer)
{
	struct retry_wait *w = LIST_ITEM(timer, struct retry_wait, timer);
	struct loop *loop = w->call->host->loop;

	if (!control_is_cancelled(w->call) && loop_now_ms(loop) < w->until_ms && is_due(w->call))
		loop_timer_set(loop, &w->timer, RETRY_LOOK_MS);
	else
		control_call_end(w->call);
}

/* What is due now may be anywhere in the index. */
static bool
tell_outgoing(struct control_call *call)
{
	outgoing_look_again(call->host);
	return false;
}

static bool
retry_wait(struct control_call *call)
{
	struct retry_wait *w;

	outgoing_look_again(call->host);
	if (!rpc_flag(call->request, "wait"))
		return false;
	w = ARENA_NEW(&call->arena, struct retry_wait);
	w->call = call;
	w->until_ms = loop_now_ms(call->host->loop) + RETRY_WAIT_MS;
	loop_timer_init(&w->timer, retry_tick);
	loop_timer_set(call->host->loop, &w->timer, 1);
	return true;
}

const struct control_handler control_do_queue_hold = {
	.each = hold_each,
	.object = "message",
	.finish = control_queue_tell_sending,
};
const struct control_handler control_do_queue_release = {
	.each = release_each,
	.object = "message",
	.wait = tell_outgoing,
};
const struct control_handler control_do_queue_retry = {
	.each = retry_each,
	.object = "message",
	.wait = retry_wait,
};

static bool
remove_check(struct control_call *call)
{
	int64_t *until = ARENA_NEW(&call->arena, int64_t);

	*until = call->now_ms + call->host->conf->queue_bin_keep_ms;
	call->state = until;
	call->undo_until_ms = *until;
	return true;
}

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span key)
{
	uint64_t id;
	enum err err = queue_id(call, key, &id);

	return err == OK ? words(call, queued_remove(txn, id, *(int64_t *)call->state)) : err;
}

const struct control_handler control_do_queue_remove = {
	.check = remove_check,
	.each = remove_each,
	.object = "message",
	.finish = control_queue_tell_sending,
};
