/*
 * control_preview.c - a change is previewed, pinned, and applied to what was pinned, no more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/control/control_archive.h"
#include "server/control/control_lists.h"
#include "server/control/control_previews.h"
#include "server/control/control_undo.h"
#include "server/net/random.h"
#include "store/changes.h"

const struct control_method *
control_list_of(const struct control_method *method)
{
	struct span area, verb;
	char name[64];

	area = span_of(method->method);
	verb = span_from(area, span_find_last(area, '.') + 1);
	area = span_range(area, 0, area.len - verb.len - 1);
	if (span_eq(area, SPAN("message")) &&
		(span_eq(verb, SPAN("purge")) || span_eq(verb, SPAN("restore"))))
		return control_method_find(SPAN("message.bin"));
	if (span_eq(area, SPAN("archive")))
		return control_method_find(SPAN("archive.search"));
	snprintf(name, sizeof(name), "%.*s.list", SPAN_FMT(area));
	return control_method_find(span_of(name));
}

static struct rpc_value *
targets_of(struct rpc_request *r)
{
	for (size_t i = 0; i < r->schema.count; i++)
		if (r->schema.items[i].type == CONTROL_TYPE_TARGETS)
			return &r->values[i];
	return NULL;
}

/* ---- preview ---- */

struct previewing {
	struct rpc_request *inner;
	struct span *keys; /* NULL: the call names no list of targets, it is one change */
	size_t count;
	uint64_t bytes;
	struct span would;  /* instead of the usual sentence; empty: the usual one */
	struct span undoes; /* of undo: the number of the change that it takes back */
};

/* The files go over to the preview; an apply reads them again. */
static void
preview_take_files(struct preview *p, struct control_call *call)
{
	memcpy(p->fds, call->fds, sizeof(p->fds));
	p->fd_count = call->fd_count;
	p->digest = call->file_digest;
	call->fd_count = 0;
}

/* The inner request once more, in an arena that lives as long as the preview. */
static struct preview *
preview_keep(struct control_call *call, struct previewing *pv)
{
	struct preview *p = calloc(1, sizeof(*p));
	struct rpc_value *targets;
	struct rpc_error error;
	struct rpc_request *outer;
	unsigned char bytes[CONTROL_TOKEN_BYTES];

	ENSURE(p);
	arena_init(&p->arena, NULL);
	random_fill(bytes, sizeof(bytes));
	for (size_t i = 0; i < CONTROL_TOKEN_BYTES; i++)
		snprintf(p->token + 2 * i, 3, "%02x", bytes[i]);
	snprintf(p->who, sizeof(p->who), "%s", call->who.name);
	p->expires_ms = loop_now_ms(call->host->loop) + CONTROL_PREVIEW_MS;
	outer = ARENA_NEW(&p->arena, struct rpc_request);
	p->request = ARENA_NEW(&p->arena, struct rpc_request);
	if (!rpc_request_parse(arena_copy(&p->arena, call->line), &p->arena, outer, &error) ||
		!rpc_request_inner(outer, true, &p->arena, p->request, &error)) {
		arena_reset(&p->arena);
		free(p);
		return NULL;
	}
	if (pv->undoes.len > 0) /* no other change than the one that was shown */
		*(struct rpc_value *)rpc_value(p->request, "id") = (struct rpc_value){
			.present = true, .text = arena_copy(&p->arena, pv->undoes)};
	targets = targets_of(p->request);
	if (targets) {
		targets->present = true;
		targets->items = ARENA_ARRAY(&p->arena, struct span, pv->count ? pv->count : 1);
		targets->count = pv->count;
		for (size_t i = 0; i < pv->count; i++)
			targets->items[i] = arena_copy(&p->arena, pv->keys[i]);
	}
	p->count = pv->count;
	preview_take_files(p, call);
	control_previews_add(p);
	return p;
}

static void
put_sample(struct control_call *call, const struct previewing *pv)
{
	struct json_writer *w = &call->json;
	bool rows = call->rows.count > 0 && call->rows.count == pv->count;

	json_put_name(w, SPAN("sample"));
	json_put_array(w);
	for (size_t i = 0; pv->keys && i < pv->count && i < CONTROL_SAMPLE; i++)
		if (rows)
			control_row_put(&call->rows, &call->rows.rows[i], w);
		else
			json_put_string(w, pv->keys[i]);
	json_put_close(w);
}

static bool
can_undo(const struct control_handler *h, const struct previewing *pv)
{
	return !h->cannot && !h->start && !(h->each && pv->count > CHANGE_ROWS_MAX);
}

static void
put_preview(struct control_call *call, const struct previewing *pv, const struct preview *p)
{
	const struct control_method *m = pv->inner->method;
	const struct control_handler *h = control_handlers[m->id];
	struct span would = pv->would;
	struct json_writer *w = &call->json;

	json_put_object(w);
	json_put_member_string(w, SPAN("token"), span_of(p->token));
	json_put_member_u64(w, SPAN("count"), pv->count);
	json_put_member_u64(w, SPAN("bytes"), pv->bytes);
	put_sample(call, pv);
	json_put_name(w, SPAN("effects"));
	json_put_array(w);
	if (would.len == 0 && h->would)
		would = h->would(call, p->request);
	if (would.len == 0)
		would = control_would(&call->arena, p->request, pv->count);
	json_put_string(w, would);
	for (size_t i = 0; i < call->foreseen_count && i < CONTROL_FORESEEN_MAX; i++)
		json_put_string(w, call->foreseen[i]);
	if (call->foreseen_count > CONTROL_FORESEEN_MAX)
		json_put_string(w, arena_printf(&call->arena, "and %zu more",
					   call->foreseen_count - CONTROL_FORESEEN_MAX));
	json_put_close(w);
	json_put_name(w, SPAN("warnings"));
	json_put_array(w);
	if (h->cannot)
		json_put_string(w, arena_printf(&call->arena,
					   "postroom undo cannot take it back: %s", h->cannot));
	if (!h->cannot && h->each && pv->count > CHANGE_ROWS_MAX)
		json_put_string(w, SPAN("these are too many for postroom undo"));
	if (h->warns && h->warns(call, p->request))
		json_put_string(w, span_of(h->warns(call, p->request)));
	json_put_close(w);
	json_put_member_string(w, SPAN("undo"), span_of(can_undo(h, pv) ? "yes" : "no"));
	json_put_member_string(
		w, SPAN("cli"), control_preview_cli(&call->arena, call->request, p->request));
	control_put_time(w, SPAN("expires"), call->now_ms + CONTROL_PREVIEW_MS);
	json_put_close(w);
}

static void
preview_end(struct control_call *call, struct previewing *pv)
{
	struct preview *p = NULL;

	control_previews_sweep(loop_now_ms(call->host->loop));
	if (!call->failed) {
		p = preview_keep(call, pv);
		if (!p)
			control_fail(call, RPC_INTERNAL, "the preview cannot be kept", NULL, NULL);
	}
	if (p)
		put_preview(call, pv, p);
	control_call_end(call);
}

/* The handler has said what else would happen. */
static void
preview_foreseen(struct control_call *call)
{
	call->request = call->outer;
	call->foresees = false;
	if (call->failed) {
		control_call_end(call);
		return;
	}
	if (call->foreseen_bytes > 0)
		((struct previewing *)call->outer_state)->bytes = call->foreseen_bytes;
	preview_end(call, call->outer_state);
}

/* What would be changed is known. */
static void
preview_pin(struct control_call *call, struct previewing *pv)
{
	struct rpc_value *targets = targets_of(pv->inner);

	if (pv->count > CONTROL_PINNED_MAX) {
		control_failf(call, RPC_TOO_LARGE, "filter",
			"%zu objects are more than %d at a time: narrow the filter", pv->count,
			CONTROL_PINNED_MAX);
		control_call_end(call);
		return;
	}
	if (!control_handlers[pv->inner->method->id]->foresee && !control_handlers[pv->inner->method->id]->tries) {
		preview_end(call, pv);
		return;
	}
	if (targets)
		*targets = (struct rpc_value){
			.present = true, .items = pv->keys, .count = pv->count};
	call->outer = call->request;
	call->outer_state = pv;
	control_call_foresee(call, pv->inner, preview_foreseen);
}

/* The list is there: its keys are what the change is for. */
static void
preview_listed(struct control_call *call)
{
	struct previewing *pv = call->outer_state;

	call->request = call->outer;
	if (call->failed) {
		control_call_end(call);
		return;
	}
	pv->count = call->rows.total; /* all are pinned, or too many are refused */
	pv->bytes = call->rows.bytes;
	pv->keys = ARENA_ARRAY(&call->arena, struct span, call->rows.count + 1);
	for (size_t i = 0; i < call->rows.count; i++)
		pv->keys[i] = call->rows.rows[i].key;
	preview_pin(call, pv);
}

/* The change that an undo would take back is known: it is what is pinned. */
static void
preview_undone(struct control_call *call)
{
	struct previewing *pv = call->outer_state;
	const struct control_undo *u = call->state;

	call->request = call->outer;
	if (!call->failed && u->cannot.len > 0)
		control_failf(call, RPC_REFUSED, "id", "%.*s", SPAN_FMT(u->cannot));
	if (call->failed) {
		control_call_end(call);
		return;
	}
	buf_clear(&call->out);
	json_writer_init(&call->json, &call->out);
	pv->count = 1;
	pv->would = u->would;
	pv->undoes =
		arena_printf(&call->arena, "%llu", (unsigned long long)u->change_id);
	preview_end(call, pv);
}

/* What undo.preview finds, in place of the undo. */
static struct rpc_request *
undo_request(struct control_call *call, const struct rpc_request *inner)
{
	struct rpc_request *r = ARENA_NEW(&call->arena, struct rpc_request);

	*r = *inner; /* both take an id, and nothing else */
	r->method = control_method_find(SPAN("undo.preview"));
	return r;
}

/* The list method with those parameters that both have, and the filter. */
static struct rpc_request *
list_request(struct control_call *call, struct rpc_request *inner)
{
	/* what is purged lies in the bin, where no folder is named */
	bool in_folder = inner->method->id == CONTROL_message_purge && rpc_has(inner, "folder");
	const struct control_method *list = in_folder ? &control_methods[CONTROL_message_list]
						      : control_list_of(inner->method);
	struct rpc_request *r = ARENA_NEW(&call->arena, struct rpc_request);

	if (!list)
		return NULL;
	r->method = list;
	control_schema_parse(
		arena_text(&call->arena, arena_printf(&call->arena, "%s%s%s", list->params,
						 list->params[0] ? " " : "", CONTROL_LIST_PARAMS)),
		&r->schema);
	for (size_t i = 0; i < r->schema.count; i++)
		for (size_t j = 0; j < inner->schema.count; j++)
			if (span_eq(r->schema.items[i].name, inner->schema.items[j].name))
				r->values[i] = inner->values[j];
	for (size_t i = 0; i < r->schema.count; i++)
		if (span_eq(r->schema.items[i].name, SPAN("filter")))
			r->values[i] = *rpc_value(call->request, "filter");
	return r;
}

/* A preview is kept for minutes: a password is not kept at all (H66). */
static bool
previewable(struct control_call *call, const struct rpc_request *inner)
{
	for (size_t i = 0; i < inner->schema.count; i++)
		if (inner->schema.items[i].type == CONTROL_TYPE_SECRET &&
			inner->values[i].present) {
			control_call_wipes(call, call->line);
			control_call_wipes(call, inner->values[i].text);
			return control_fail(call, RPC_INVALID,
				"a change with a password has no preview", NULL, "method");
		}
	return control_method_changes(inner->method) ||
	       control_fail(call, RPC_INVALID, "this method changes nothing", NULL, "method");
}

static bool
preview_begin(struct control_call *call, struct previewing *pv)
{
	struct rpc_error error = {0};

	pv->inner = ARENA_NEW(&call->arena, struct rpc_request);
	if (rpc_request_inner(call->request, true, &call->arena, pv->inner, &error) &&
		control_session_may(call->session, pv->inner, &error))
		return previewable(call, pv->inner);
	call->failed = true;
	call->error = error;
	return false;
}

/* The sessions of a user are named by him. */
static bool
names_a_user(const struct rpc_request *inner)
{
	return inner->method->id == CONTROL_session_end && rpc_has(inner, "user");
}

static bool
takes_archive(const struct rpc_request *inner)
{
	return inner->method->id == CONTROL_archive_hold || inner->method->id == CONTROL_archive_release;
}

static void
preview_start(struct control_call *call)
{
	struct previewing *pv = ARENA_NEW(&call->arena, struct previewing);
	struct rpc_value *targets;
	struct rpc_request *list;

	if (!preview_begin(call, pv)) {
		control_call_end(call);
		return;
	}
	if (pv->inner->method->id == CONTROL_undo_apply) {
		call->outer = call->request;
		call->outer_state = pv;
		control_call_run(call, undo_request(call, pv->inner), preview_undone);
		return;
	}
	targets = targets_of(pv->inner);
	if (takes_archive(pv->inner) && !control_archive_is_one(call, pv->inner)) {
		control_call_end(call);
		return;
	}
	if (!targets || targets->present) {
		pv->keys = targets ? targets->items : NULL;
		pv->count = targets ? targets->count : 1;
		preview_pin(call, pv);
		return;
	}
	list = list_request(call, pv->inner);
	if (!rpc_has(call->request, "filter") && !rpc_flag(call->request, "all") &&
		!names_a_user(pv->inner))
		control_fail(call, RPC_INVALID, "name the objects, or give a filter or all", NULL,
			"filter");
	else if (!list)
		control_fail(call, RPC_INVALID, "this method takes no filter: name the objects",
			NULL, "filter");
	if (call->failed) {
		control_call_end(call);
		return;
	}
	call->outer = call->request;
	call->outer_state = pv;
	call->keep = CONTROL_KEEP_TARGETS;
	control_call_run(call, list, preview_listed);
}

const struct control_handler control_do_preview = {.start = preview_start};

/* ---- apply ---- */

static struct preview *
preview_take(struct control_call *call)
{
	struct preview *p;

	control_previews_sweep(loop_now_ms(call->host->loop));
	p = control_previews_take(control_param(call, "token"), call->who.name);
	if (p)
		arena_on_reset(&call->arena, control_preview_free, p);
	else
		control_fail(call, RPC_GONE, "this preview is over or was applied", "preview again", "token");
	return p;
}

static void
apply_start(struct control_call *call)
{
	struct preview *p = preview_take(call);
	struct rpc_error error = {0};
	char count[24];

	if (p && !control_session_may(call->session, p->request, &error)) {
		call->failed = true;
		call->error = error;
	} else if (p && rpc_has(call->request, "word")) {
		snprintf(count, sizeof(count), "%zu", p->count);
		if (!span_eq(control_param(call, "word"), span_of(count)))
			control_fail(call, RPC_REFUSED,
				"the number typed is not the number of objects", NULL, "word");
	}
	if (p && !call->failed) {
		memcpy(call->fds, p->fds, sizeof(call->fds));
		call->fd_count = p->fd_count;
		call->pinned_digest = p->digest;
		call->pinned = true;
		p->fd_count = 0;
	}
	if (call->failed || (p && p->count == 0))
		control_call_end(call); /* nothing was pinned: nothing is done */
	else
		control_call_run(call, p->request, NULL);
}

const struct control_handler control_do_apply = {.start = apply_start};
