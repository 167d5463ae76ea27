/*
 * control_sessions.c - open sessions: list, end; and what is locked, slowed or refused: list, remove.
 */
#include <stdio.h>
#include <stdlib.h>

#include "server/control/control_users.h"
#include "server/server.h"

#define SESSION_ROWS 1000 /* at once: each look walks the register from its start */
#define RATE_USER "(connections)" /* stands for the user in the key of what connects too often */

static void
session_row(struct control_call *call, const struct shared_session *row)
{
	char id[24];

	snprintf(id, sizeof(id), "s%llu", (unsigned long long)row->id);
	control_row(&call->rows, span_of(id));
	control_put_text(&call->rows, span_of(id));
	control_put_text(&call->rows, span_of(row->service ? row->service->name : ""));
	control_put_text(&call->rows, span_of(row->user));
	control_put_text(&call->rows, span_of(row->peer.text));
	control_put_text(&call->rows, span_of(row->tls ? row->tls : ""));
	control_put_number(&call->rows, (call->now_ms - row->since_ms) / 1000);
	control_put_text(&call->rows, span_of(row->doing ? row->doing : ""));
}

/* USER empty: all are meant. The register cuts long names. */
static bool
is_of(const struct shared_session *row, struct span user)
{
	return user.len == 0 ||
	       span_eq_nocase(span_of(row->user), span_range(user, 0, SHARED_USER_SIZE - 1));
}

static void
session_list(struct control_call *call)
{
	struct span user = control_param(call, "user");
	struct shared_session *rows = ARENA_ARRAY(&call->arena, struct shared_session, SESSION_ROWS);
	uint64_t after = 0;
	size_t n;

	while ((n = shared_session_list(call->host->shared, after, rows, SESSION_ROWS)) > 0) {
		for (size_t i = 0; i < n; i++)
			if (is_of(&rows[i], user))
				session_row(call, &rows[i]);
		after = rows[n - 1].id;
	}
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_session_list = {.start = session_list};

static enum err
session_end_one(struct control_call *call, struct span key)
{
	uint64_t id;

	if (key.len > 0 && key.ptr[0] == 's')
		key = span_from(key, 1);
	if (span_u64(key, UINT64_MAX, &id) != OK)
		return ERR_NOT_FOUND;
	return server_session_end(call->host->server, id);
}

static void
session_end_named(struct control_call *call, const struct rpc_value *ids)
{
	for (size_t i = 0; i < ids->count; i++) {
		enum err err = session_end_one(call, ids->items[i]);

		if (err == OK)
			call->done++;
		else
			control_skip(call, ids->items[i], control_why(err));
	}
	if (call->done == 0 && ids->count == 1)
		control_failf(call, RPC_NOT_FOUND, "ids", "no such session: %.*s",
			SPAN_FMT(ids->items[0]));
}

uint64_t
control_sessions_end(struct control_call *call, struct span user, uint64_t user_id)
{
	struct shared_session *rows = ARENA_ARRAY(&call->arena, struct shared_session, SESSION_ROWS);
	uint64_t after = 0, own = call->session->base.record.id, ended = 0;
	size_t n;

	while ((n = shared_session_list(call->host->shared, after, rows, SESSION_ROWS)) > 0) {
		for (size_t i = 0; i < n; i++)
			if (rows[i].id != own &&
				(user_id ? rows[i].user_id == user_id : is_of(&rows[i], user)) &&
				server_session_end(call->host->server, rows[i].id) == OK)
				ended++;
		after = rows[n - 1].id;
	}
	return ended;
}

/* Behind what is in the note already. */
void
control_sessions_note(struct control_call *call, uint64_t ended)
{
	call->note = arena_printf(&call->arena, "%.*s%s%llu session%s ended", SPAN_FMT(call->note),
		call->note.len ? ", " : "", (unsigned long long)ended, ended == 1 ? "" : "s");
}

static void
session_end(struct control_call *call)
{
	const struct rpc_value *ids = rpc_value(call->request, "ids");

	if (ids->present)
		session_end_named(call, ids);
	else if (rpc_has(call->request, "user"))
		call->done = control_sessions_end(call, control_param(call, "user"), 0);
	else
		control_fail(call, RPC_INVALID, "name the sessions, or their user", NULL, "ids");
	if (!call->failed)
		control_sessions_note(call, call->done);
	control_call_end(call);
}

const struct control_handler control_do_session_end = {.start = session_end};

/* ---- blocks ---- */

/* "192.0.2.1" of an address, "192.0.2.1 anna", "* anna"; an address has no blank. */
static struct span
block_key(struct control_call *call, const struct shared_block *b)
{
	if (b->is_rate)
		return arena_printf(&call->arena, "%s " RATE_USER, b->address);
	if (span_eq(span_of(b->user), SPAN("*")))
		return arena_printf(&call->arena, "%s", b->address);
	return arena_printf(&call->arena, "%s %s", b->address, b->user);
}

static void
block_list(struct control_call *call)
{
	int64_t steady_ms = host_steady_ms(call->host);
	struct shared_block *blocks;
	size_t n = shared_block_list(call->host->shared, steady_ms, &blocks);

	for (size_t i = 0; i < n; i++) {
		const struct shared_block *b = &blocks[i];

		control_row(&call->rows, block_key(call, b));
		control_put_text(&call->rows, span_of(b->address));
		control_put_text(&call->rows, span_of(b->user));
		control_put_number(&call->rows, b->failures);
		control_put_time_ms(&call->rows, call->now_ms + b->since_ms - steady_ms);
		control_put_time_ms(&call->rows, call->now_ms + b->until_ms - steady_ms);
		control_put_text(&call->rows, span_of(b->why));
	}
	free(blocks);
	control_rows_end(&call->rows);
	control_call_end(call);
}

const struct control_handler control_do_block_list = {.start = block_list};

/* False, with why: it is no address, or nothing of it is blocked. */
static bool
block_remove_one(struct control_call *call, struct span key, const char **why)
{
	struct span address, user;
	struct peer_key peer;
	bool any;

	span_cut(key, ' ', &address, &user);
	if (span_eq(user, SPAN(RATE_USER)))
		user = SPAN_NONE;
	any = span_eq(address, SPAN("*"));
	*why = "not an address";
	if ((any && user.len == 0) || (!any && !peer_range_parse(address, &peer)))
		return false;
	*why = "is not blocked";
	return shared_block_remove(call->host->shared, any ? NULL : &peer, user);
}

static void
log_unblocked(struct control_call *call, struct span key)
{
	log_put(call->host->log, &(struct log_line){.level = LEVEL_INFO,
					 .area = "security",
					 .session = call->session->base.name,
					 .text = "unblocked",
					 .fields = {{"address", key, 0},
						 {"by", span_of(call->who.name), 0}}});
}

static void
block_remove(struct control_call *call)
{
	const struct rpc_value *keys = rpc_value(call->request, "addresses");
	const char *why = NULL;

	for (size_t i = 0; i < keys->count; i++) {
		if (block_remove_one(call, keys->items[i], &why)) {
			log_unblocked(call, keys->items[i]);
			call->done++;
		} else {
			control_skip(call, keys->items[i], why);
		}
	}
	if (call->done == 0 && keys->count == 1)
		control_failf(call, RPC_NOT_FOUND, "addresses", "%.*s: %s",
			SPAN_FMT(keys->items[0]), why);
	control_call_end(call);
}

const struct control_handler control_do_block_remove = {.start = block_remove};
