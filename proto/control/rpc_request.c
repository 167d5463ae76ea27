/*
 * rpc_request.c - a line into a call, each parameter checked against its row.
 */
#include "proto/control/rpc_request.h"

#include "proto/base/ascii.h"
#include "proto/base/json.h"

#define NAME_MAX_BYTES 64
#define ADDRESS_MAX    320 /* bytes: 64 of a local-part, 255 of a domain (RFC 5321, 4.5.3.1) */
#define ID_MAX         64  /* bytes of a request's id */

struct checker {
	struct arena *arena;
	struct rpc_error *error;
	struct span what; /* the method */
};

static bool
fail(const struct checker *c, enum rpc_code code, struct span field, const char *why)
{
	*c->error = (struct rpc_error){
		.code = code,
		.what = c->what,
		.why = span_of(why),
		.field = arena_copy(c->arena, field),
	};
	return false;
}

static bool
invalid(const struct checker *c, const struct control_param *p, const char *why)
{
	return fail(c, RPC_INVALID, p->name, why);
}

static bool
wants(const struct checker *c, const struct control_param *p)
{
	struct span why = arena_printf(c->arena, "%.*s must be a %s", SPAN_FMT(p->name),
		control_type_json(p->type));

	*c->error = (struct rpc_error){
		.code = RPC_INVALID, .what = c->what, .why = why, .field = p->name
	};
	return false;
}

typedef bool check_fn(const struct checker *c, const struct control_param *p,
	const struct json *json, struct rpc_value *out);

static bool
check_text(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!json_is(json, JSON_STRING))
		return wants(c, p);
	out->text = json_text(json);
	return true;
}

static bool
check_name(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!check_text(c, p, json, out))
		return false;
	if (out->text.len == 0 || out->text.len > NAME_MAX_BYTES)
		return wants(c, p);
	for (size_t i = 0; i < out->text.len; i++)
		if (out->text.ptr[i] == ' ' || ascii_is_control(out->text.ptr[i]))
			return wants(c, p);
	return true;
}

static bool
check_address(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!check_text(c, p, json, out))
		return false;
	if (out->text.len > ADDRESS_MAX || span_find(out->text, '@') == out->text.len)
		return wants(c, p);
	return true;
}

static bool
check_count(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	return json_u64(json, INT64_MAX, &out->number) == OK || wants(c, p);
}

static bool
check_size(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (json_is(json, JSON_STRING))
		return control_parse_size(json_text(json), &out->number) == OK || wants(c, p);
	return check_count(c, p, json, out);
}

static bool
check_duration(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (json_is(json, JSON_STRING))
		return control_parse_duration(json_text(json), &out->number) == OK || wants(c, p);
	return check_count(c, p, json, out);
}

/* An age is reckoned by the handler, which has a clock; here only its form is looked at. */
static bool
check_time(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	int64_t from, to;

	if (!check_text(c, p, json, out))
		return false;
	return control_parse_time(out->text, 0, &from, &to) == OK || wants(c, p);
}

static bool
check_flag(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!json_is(json, JSON_BOOL))
		return wants(c, p);
	out->number = json_truth(json);
	return true;
}

static bool
check_choice(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!check_text(c, p, json, out))
		return false;
	if (control_choice_has(p->choices, out->text))
		return true;
	fail(c, RPC_INVALID, p->name, "");
	c->error->why = arena_printf(c->arena, "%.*s must be one of %.*s", SPAN_FMT(p->name),
		SPAN_FMT(p->choices));
	return false;
}

static bool
check_list(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!json_is(json, JSON_ARRAY))
		return wants(c, p);
	if (json->count > CONTROL_TARGETS_MAX)
		return fail(c, RPC_TOO_LARGE, p->name, "too many items in one call");
	out->items = ARENA_ARRAY(c->arena, struct span, json->count);
	for (const struct json *at = json->first; at; at = at->next) {
		if (!json_is(at, JSON_STRING))
			return wants(c, p);
		out->items[out->count++] = json_text(at);
	}
	return true;
}

static bool
check_targets(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!check_list(c, p, json, out))
		return false;
	return out->count > 0 || invalid(c, p, "name at least one object");
}

static bool
check_keys(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!json_is(json, JSON_OBJECT))
		return wants(c, p);
	if (json->count == 0)
		return invalid(c, p, "name at least one KEY=VALUE");
	if (json->count > JSON_UNIQUE_MAX)
		return fail(c, RPC_TOO_LARGE, p->name, "too many keys in one call");
	out->pairs = ARENA_ARRAY(c->arena, struct rpc_pair, json->count);
	for (const struct json *at = json->first; at; at = at->next) {
		if (!json_is(at, JSON_STRING))
			return fail(
				c, RPC_INVALID, at->name, "the value of a key must be a string");
		out->pairs[out->count++] = (struct rpc_pair){ at->name, json_text(at) };
	}
	return true;
}

static bool
check_params(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	if (!json_is(json, JSON_OBJECT))
		return wants(c, p);
	out->json = json;
	return true;
}

static bool
check_fd(const struct checker *c, const struct control_param *p, const struct json *json,
	struct rpc_value *out)
{
	return json_u64(json, CONTROL_FDS_MAX - 1, &out->number) == OK || wants(c, p);
}

static check_fn *const checks[CONTROL_TYPES_COUNT] = {
	[CONTROL_TYPE_TEXT] = check_text,
	[CONTROL_TYPE_NAME] = check_name,
	[CONTROL_TYPE_ADDRESS] = check_address,
	[CONTROL_TYPE_COUNT] = check_count,
	[CONTROL_TYPE_SIZE] = check_size,
	[CONTROL_TYPE_DURATION] = check_duration,
	[CONTROL_TYPE_TIME] = check_time,
	[CONTROL_TYPE_FLAG] = check_flag,
	[CONTROL_TYPE_CHOICE] = check_choice,
	[CONTROL_TYPE_LIST] = check_list,
	[CONTROL_TYPE_TARGETS] = check_targets,
	[CONTROL_TYPE_KEYS] = check_keys,
	[CONTROL_TYPE_PARAMS] = check_params,
	[CONTROL_TYPE_SECRET] = check_text,
	[CONTROL_TYPE_FD] = check_fd,
	[CONTROL_TYPE_NUMBER] = check_count,
};

static bool
check_members(const struct checker *c, const struct json *params, struct rpc_request *out)
{
	for (const struct json *at = params ? params->first : NULL; at; at = at->next) {
		const struct control_param *p = control_schema_find(&out->schema, at->name);
		struct rpc_value *value;

		if (!p)
			return fail(c, RPC_INVALID, at->name, "the method has no such parameter");
		if (at->kind == JSON_NULL)
			continue; /* the same as leaving it out */
		value = &out->values[p - out->schema.items]; /* a name stands once: json_parse() */
		if (!checks[p->type](c, p, at, value))
			return false;
		value->present = true;
	}
	return true;
}

static bool
check_missing(const struct checker *c, bool selecting, const struct rpc_request *r)
{
	for (size_t i = 0; i < r->schema.count; i++) {
		const struct control_param *p = &r->schema.items[i];

		if (r->values[i].present || p->optional ||
			(selecting && p->type == CONTROL_TYPE_TARGETS))
			continue;
		return invalid(c, p, "the parameter is missing");
	}
	return true;
}

static bool
check_call(struct checker *c, struct span method, const struct json *params, bool selecting,
	struct rpc_request *out)
{
	out->method = control_method_find(method);
	if (!out->method)
		return fail(c, RPC_METHOD, method, "no such method");
	c->what = span_of(out->method->method);
	control_schema_parse(out->method->params, &out->schema);
	if (params && !json_is(params, JSON_OBJECT))
		return fail(c, RPC_INVALID, SPAN("params"), "params must be an object");
	return check_members(c, params, out) && check_missing(c, selecting, out);
}

/* A string or a whole number, given back as it came (JSON-RPC 2.0, section 4). */
static bool
take_id(const struct checker *c, const struct json *root, struct rpc_request *out)
{
	const struct json *id = json_find(root, SPAN("id"));
	struct buf room;
	struct json_writer w;
	bool ok;

	if (!id)
		return true;
	if (id->text.len > ID_MAX || (id->kind != JSON_NUMBER && id->kind != JSON_STRING))
		return fail(
			c, RPC_REQUEST, SPAN("id"), "the id must be a number or a short string");
	buf_init(&room, ID_MAX * 8);
	json_writer_init(&w, &room);
	json_put_json(&w, id);
	ok = json_writer_end(&w) == OK;
	if (ok)
		out->id = arena_copy(c->arena, buf_span(&room));
	buf_fini(&room);
	return ok || fail(c, RPC_REQUEST, SPAN("id"), "the id is too long");
}

bool
rpc_request_parse(
	struct span line, struct arena *a, struct rpc_request *out, struct rpc_error *error)
{
	struct checker c = { .arena = a, .error = error, .what = SPAN("request") };
	const struct json *root, *method;

	a->wipes = true; /* a refused line can hold a password, too (H66) */
	*out = (struct rpc_request){ .id = SPAN("null") };
	if (line.len >= CONTROL_LINE_MAX)
		return fail(&c, RPC_TOO_LARGE, SPAN_NONE, "the line is over 1 MiB");
	if (json_parse(a, line, &root, NULL) != OK)
		return fail(&c, RPC_PARSE, SPAN_NONE, "the line is no JSON");
	if (!json_is(root, JSON_OBJECT))
		return fail(&c, RPC_REQUEST, SPAN_NONE, "a request must be an object");
	if (!span_eq(json_text(json_find(root, SPAN("jsonrpc"))), SPAN("2.0")))
		return fail(&c, RPC_REQUEST, SPAN("jsonrpc"), "jsonrpc must be \"2.0\"");
	out->id = SPAN_NONE;
	if (!take_id(&c, root, out)) {
		out->id = SPAN("null");
		return false;
	}
	method = json_find(root, SPAN("method"));
	if (!json_is(method, JSON_STRING))
		return fail(&c, RPC_REQUEST, SPAN("method"), "method must be a string");
	return check_call(&c, json_text(method), json_find(root, SPAN("params")), false, out);
}

bool
rpc_request_inner(const struct rpc_request *outer, bool selecting, struct arena *a,
	struct rpc_request *out, struct rpc_error *error)
{
	struct checker c = { .arena = a, .error = error, .what = span_of(outer->method->method) };

	*out = (struct rpc_request){ .id = outer->id };
	return check_call(
		&c, rpc_text(outer, "method"), rpc_value(outer, "params")->json, selecting, out);
}

const struct rpc_value *
rpc_value(const struct rpc_request *r, const char *name)
{
	const struct control_param *p = control_schema_find(&r->schema, span_of(name));

	ENSURE(p);
	return &r->values[p - r->schema.items];
}

struct span
rpc_text(const struct rpc_request *r, const char *name)
{
	return rpc_value(r, name)->text;
}

uint64_t
rpc_number(const struct rpc_request *r, const char *name, uint64_t fallback)
{
	const struct rpc_value *value = rpc_value(r, name);

	return value->present ? value->number : fallback;
}

bool
rpc_flag(const struct rpc_request *r, const char *name)
{
	return rpc_number(r, name, 0) != 0;
}

bool
rpc_has(const struct rpc_request *r, const char *name)
{
	return rpc_value(r, name)->present;
}
