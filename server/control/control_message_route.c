/*
 * control_message_route.c - `message move|copy --routed`: the message goes to a user as new mail does (USR-40), so that his
 * assistants, forwarding, mappings and scripts have their say, and rules and the archive too.
 *
 *     for each message: worker reads it --> intake --> pipeline, scripts --> on disk
 *     then the writer's job of the call: what is on disk leaves the folder, for the bin (move)
 *
 * One message at a time. The return address is the one it came with; of one that came with none the address of its From
 * field. What could not be done is skipped with its reason, and stays.
 */
#include "server/control/control_message_route.h"

#include "conf/conf.h"
#include "proto/mail/header.h"
#include "server/control/control_mailbox.h"
#include "server/metrics.h"
#include "server/queue/intake.h"
#include "server/script/scripts.h"
#include "store/bodies.h"

#define FEED_BYTES 65536 /* given to intake at once */
#define FRONT_NAME SPAN("Return-Path: <")

struct routing {
	struct control_call *call;
	struct span user, folder, to; /* of the request */
	const struct rpc_value *keys;
	const char **why; /* of each key; NULL: it is on its way */
	size_t at;
	struct work work;
	struct buf text;  /* of the message in hand, and what it came with in front */
	struct span front;
	size_t fed;
	struct intake *intake;
	struct scripts_question question;
};

static void
next(struct routing *r);

static void
routing_free(void *arg)
{
	struct routing *r = arg;

	scripts_cancel(&r->question);
	intake_drop(&r->intake);
	buf_fini(&r->text);
}

/* The message in hand is done; WHY not, or NULL. */
static void
ended(struct routing *r, const char *why)
{
	scripts_cancel(&r->question);
	intake_drop(&r->intake);
	buf_fini(&r->text);
	r->why[r->at++] = why;
	next(r);
}

/* ---- through intake ---- */

static void
on_done(struct intake *in, enum err result)
{
	struct routing *r = in->holder;

	if (result == OK) {
		metric_add(in->host->metrics, delivered, in->placed_count);
		metric_add(in->host->metrics, queued, in->queued_count);
	}
	ended(r, result == OK ? NULL : control_why(result));
}

static enum err
sender_of(struct routing *r, struct address *out)
{
	struct intake *in = r->intake;
	struct span front = r->front, text = in->mail.facts.from;
	struct header_mailbox mailbox;

	*out = (struct address){ .flags = ADDRESS_NULL };
	if (span_starts(front, FRONT_NAME)) {
		text = span_from(front, FRONT_NAME.len);
		text = span_range(text, 0, span_find(text, '>'));
		return text.len == 0 ? OK : address_parse(&in->arena, text, out);
	}
	if (!text.ptr || !header_next_mailbox(&text, &mailbox))
		return OK;
	return address_parse(&in->arena, mailbox.address, out);
}

/* The phases from the first on, with what is known of scripts by now. */
static enum verdict
ask_phases(struct routing *r, bool front)
{
	struct intake *in = r->intake;
	struct host *host = r->call->host;
	struct pipeline_ask ask = { .conf = host->conf, .snap = host_snapshot(host), .mail = &in->mail };
	struct mail_options options = { .body = in->has_8bit ? BODY_8BITMIME : BODY_UNSAID };
	struct address sender, to;
	enum phase at;

	plan_init(&in->plan, &in->arena);
	pipeline_read_header(host->conf, &in->mail);
	if (!ask.snap || address_parse(&in->arena, r->to, &to) != OK)
		return STAGE_DEFER;
	if (sender_of(r, &sender) != OK)
		sender = (struct address){ .flags = ADDRESS_NULL };
	envelope_init(&in->mail.envelope, &in->arena, &sender, &options);
	return (front ? pipeline_run_front : pipeline_run_all)(
		&ask, &to, 1, NULL, &in->plan, &at);
}

static void
settle(struct routing *r)
{
	struct span said;

	if (ask_phases(r, false) == STAGE_NEXT) {
		intake_submit(r->intake);
		return;
	}
	said = r->intake->plan.reply.text;
	ended(r, said.len > 0 ? arena_printf(&r->call->arena, "refused: %.*s", SPAN_FMT(said)).ptr
			      : control_why(ERR_BUSY));
}

static void
on_scripts(struct scripts_question *q)
{
	settle(LIST_ITEM(q, struct routing, question));
}

static void
on_gathered(struct intake *in)
{
	struct routing *r = in->holder;

	if (!intake_gather(in))
		return;
	r->question = (struct scripts_question){ .done = on_scripts };
	if (ask_phases(r, true) != STAGE_NEXT ||
		!scripts_ask(r->call->host, &r->question, &in->mail, &in->plan))
		settle(r);
}

static void
on_room(struct intake *in)
{
	struct routing *r = in->holder;
	struct span text = buf_span(&r->text);
	enum err err = OK;

	while (r->fed < text.len) {
		struct span part = span_range(text, r->fed,
			text.len - r->fed > FEED_BYTES ? r->fed + FEED_BYTES : text.len);

		err = intake_text(in, part);
		if (err == ERR_BUSY)
			return; /* comes again */
		if (err != OK)
			break;
		r->fed += part.len;
	}
	if (err == OK)
		err = intake_text_end(in);
	if (err != OK)
		ended(r, control_why(err));
	else
		on_gathered(in);
}

static const struct intake_events events = { .done = on_done, .room = on_room, .gathered = on_gathered };

static void
start(struct routing *r)
{
	struct intake *in = r->intake = intake_open(r->call->host, &events, r);

	in->mail.via = MAIL_VIA_LOCAL;
	in->mail.service = "local";
	in->mail.hostname = host_name(in->host->conf, &in->arena);
	in->mail.peer.is_unix = true;
	r->fed = 0;
	on_room(in);
}

/* ---- reading, on a worker ---- */

static enum err
read_body(struct snapshot *snap, const struct content *content, struct buf *out)
{
	struct span piece;
	uint64_t at = 0;
	enum err err = OK;

	while (at < content->body_size && err == OK) {
		err = body_read(snap, content->body_id, at, &piece);
		if (err == OK)
			err = buf_put(out, piece);
		at += piece.len;
	}
	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err
read_message(struct routing *r, struct snapshot *snap)
{
	struct folder folder;
	struct message m;
	uint32_t uid;
	enum err err = control_folder(r->call, snap, r->user, r->folder, &folder);

	if (err == OK)
		err = control_uid(r->keys->items[r->at], &uid);
	if (err == OK)
		err = message_find(snap, folder.folder_id, uid, &m);
	if (err != OK)
		return err;
	r->front = arena_copy(&r->call->arena, m.copy.front);
	buf_init(&r->text, m.content.header.len + m.content.body_size);
	err = buf_put(&r->text, m.content.header);
	return err == OK ? read_body(snap, &m.content, &r->text) : err;
}

static void
read_run(struct work *work)
{
	struct routing *r = LIST_ITEM(work, struct routing, work);
	struct snapshot *snap;

	work->result = snapshot_open(r->call->host->store, &snap);
	if (work->result != OK)
		return;
	work->result = read_message(r, snap);
	snapshot_close(&snap);
}

static void
read_done(struct work *work, enum err result)
{
	struct routing *r = LIST_ITEM(work, struct routing, work);

	if (result == OK)
		result = work->result;
	if (r->call->failed) /* there is no such user or folder */
		control_call_go(r->call, CALL_END);
	else if (result != OK)
		ended(r, control_why(result));
	else
		start(r);
}

static void
next(struct routing *r)
{
	struct control_call *call = r->call;

	while (r->at < r->keys->count && !control_is_cancelled(call)) {
		r->work = (struct work){ .loop = call->host->loop, .kind = WORK_GENERAL,
			.run = read_run, .done = read_done };
		if (workers_submit(call->host->workers, &r->work) == OK)
			return;
		r->why[r->at++] = control_why(ERR_BUSY);
	}
	while (r->at < r->keys->count)
		r->why[r->at++] = "the request was given up";
	control_call_go(call, CALL_READ);
}

/* ---- the call ---- */

bool
control_routed_check(struct control_call *call)
{
	if (!rpc_flag(call->request, "routed"))
		return true;
	if (!rpc_has(call->request, "to_user"))
		return control_fail(call, RPC_INVALID, "whom to? give to_user", NULL, "to_user");
	return !rpc_has(call->request, "to_folder") ||
		control_fail(call, RPC_INVALID, "what is routed goes where its way leads, not to a folder",
			"leave out one of both", "to_folder");
}

bool
control_routed_ask(struct control_call *call)
{
	struct routing *r;

	if (!rpc_flag(call->request, "routed") || call->foresees)
		return false;
	r = ARENA_NEW(&call->arena, struct routing);
	r->call = call;
	r->keys = rpc_value(call->request, "uids");
	r->user = control_param(call, "user");
	r->folder = control_param(call, "folder");
	r->to = arena_printf(&call->arena, "%.*s@%.*s", SPAN_FMT(control_param(call, "to_user")),
		SPAN_FMT(conf_default_domain(call->host->conf)));
	r->why = ARENA_ARRAY(&call->arena, const char *, r->keys->count + 1);
	arena_on_reset(&call->arena, routing_free, r);
	call->state = r;
	next(r);
	return true;
}

bool
control_routed_is(struct control_call *call, enum err *err)
{
	const struct routing *r = call->state;

	if (!rpc_flag(call->request, "routed"))
		return false;
	call->skip_why = r->why[call->target_now];
	*err = call->skip_why ? ERR_DENIED : OK;
	return true;
}
