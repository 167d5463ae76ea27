/*
 * control_config_take.c - a changed configuration file comes into force, and into the log of changes.
 */
#include "conf/conf.h"
#include "server/control/control_undo.h"
#include "server/queue/outgoing.h"
#include "server/server.h"

#define WHY_MAX 400 /* bytes of why the server refuses a file */
#define CLASH_MAX 512 /* bytes that name what clashes */

/* The setting, the service, or the number of what is undone. */
static struct span
config_object(struct control_call *call)
{
	unsigned id = call->request->method->id;
	bool is_service = id == CONTROL_service_set || id == CONTROL_service_lan;
	const struct rpc_value *keys;
	struct span object;

	if (id == CONTROL_config_change || id == CONTROL_archive_set || id == CONTROL_schedule_modify) {
		keys = rpc_value(call->request, "keys");
		return keys->count < 2 ? keys->pairs[0].key
				       : arena_printf(&call->arena, "%.*s and %zu more",
						 SPAN_FMT(keys->pairs[0].key), keys->count - 1);
	}
	object = control_param(call,
		id == CONTROL_config_set || id == CONTROL_config_unset ? "key"
		: is_service		 ? "name"
					 : "id");

	return object.len ? object : SPAN("the last change");
}

static enum err
record_new(struct control_call *call, struct txn *txn, const struct control_config *c,
	const struct change_start *start)
{
	struct change_recorder recorder;
	enum err err = change_begin(&recorder, txn, start), ended;

	if (err != OK)
		return err;
	if (c->also)
		err = c->also(call, txn);
	ended = change_end(&recorder);
	call->job_change_id = recorder.change_id;
	return err == OK ? ended : err;
}

static enum err
record_undo(struct control_call *call, struct txn *txn, const struct change_start *start,
	uint64_t undone)
{
	struct buf clash;
	enum err err;

	buf_init(&clash, CLASH_MAX);
	err = change_undo(txn, undone, start, &clash, &call->job_change_id);
	if (err == ERR_EXISTS)
		control_failf(call, RPC_CLASH, "id", "changed since: %.*s",
			SPAN_FMT(buf_span(&clash)));
	buf_fini(&clash);
	return err;
}

enum err
control_config_record(
	struct control_call *call, struct txn *txn, const struct control_config *c, uint64_t undone)
{
	struct change_start start = {.who = span_of(call->who.name),
		.via = span_of(call->who.via),
		.what = span_of(call->request->method->method),
		.object = c->object.len > 0 ? c->object : config_object(call),
		.now_ms = call->now_ms,
		.config_no = c->number};
	enum err err = undone ? record_undo(call, txn, &start, undone) :
				record_new(call, txn, c, &start);

	call->job_done = 1;
	call->can_undo = true;
	return err;
}

static void
resume_outgoing(void *outgoing)
{
	outgoing_resume(outgoing);
}

/* Until what belongs to the change is in the store, too: a route must not log in before its password. */
static void
pause_outgoing(struct control_call *call)
{
	if (!call->host->outgoing)
		return;
	outgoing_pause(call->host->outgoing);
	arena_on_reset(&call->arena, resume_outgoing, call->host->outgoing);
}

/* ---- in force ---- */

struct taking {
	struct server_load load;
	struct control_call *call;
	const struct control_config *config;
	struct span why; /* the new file was refused; the old one is taken back */
};

static void
put_back(struct server_load *load, enum err err)
{
	struct taking *t = LIST_ITEM(load, struct taking, load);

	control_failf(t->call, RPC_REFUSED, NULL, "the server does not take it: %.*s; %s", SPAN_FMT(t->why),
		err == OK ? "the file is as it was" : "the file is written all the same");
	control_call_go(t->call, CALL_END);
}

static void
taken(struct server_load *load, enum err err)
{
	struct taking *t = LIST_ITEM(load, struct taking, load);
	struct control_call *call = t->call;

	if (err == OK) {
		control_call_go(call, CALL_RECORD);
		return;
	}
	t->why = arena_copy(&call->arena, span_trim(span_range(buf_span(&load->faults), 0, WHY_MAX)));
	if (err == ERR_BUSY)
		t->why = SPAN("too much work is waiting");
	if (!t->config->written) {
		put_back(load, ERR_NOT_FOUND);
		return;
	}
	/* also read again, so that the warden and the alert of status forget the new one */
	t->load = (struct server_load){ .what = LOAD_CONF, .back_path = t->config->path,
		.back = (uint32_t)t->config->number, .done = put_back };
	server_load(call->host->server, &t->load);
}

bool
control_config_take(struct control_call *call, const struct control_config *c)
{
	struct taking *t = ARENA_NEW(&call->arena, struct taking);

	pause_outgoing(call);
	t->call = call;
	t->config = c;
	t->load = (struct server_load){ .what = LOAD_CONF, .done = taken };
	call->takes = true;
	server_load(call->host->server, &t->load);
	return true;
}
