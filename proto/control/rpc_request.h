/*
 * rpc_request.h - one JSON-RPC 2.0 line in, a checked call out.
 *
 * A call is checked against the row of its method: an unknown, missing or wrongly typed parameter
 * never reaches a handler. Rights are not looked at here.
 */
#ifndef PROTO_CONTROL_RPC_REQUEST_H
#define PROTO_CONTROL_RPC_REQUEST_H

#include "proto/base/arena.h"
#include "proto/control/control_method.h"
#include "proto/control/rpc_reply.h"

struct rpc_pair {
	struct span key, value;
};

/* A parameter as its type wants it; what the type does not use is zero. */
struct rpc_value {
	bool present;
	struct span text;     /* string types: the decoded value */
	const struct json *json; /* params: the object */
	uint64_t number;      /* count; size in bytes; duration in s; fd: its place; flag: 0 or 1 */
	struct span *items;   /* list, targets */
	struct rpc_pair *pairs; /* keys */
	size_t count;         /* of items or pairs */
};

struct rpc_request {
	struct span id; /* raw JSON, to be given back; empty in a notification */
	const struct control_method *method;
	struct control_schema schema;
	struct rpc_value values[CONTROL_PARAMS_MAX]; /* by the place in schema */
};

/*
 * Read LINE (without its LF). What *out points to lies in A, which is overwritten when it is reset.
 * False: *error says what is wrong, with the key as its field; out->id is what the reply must carry
 * ("null" where unknown).
 */
bool rpc_request_parse(
	struct span line, struct arena *a, struct rpc_request *out, struct rpc_error *error);

/*
 * The call that sits in the parameters `method` and `params` of OUTER (list.open, list.count, get,
 * preview), checked as rpc_request_parse does. SELECTING: targets may be left out, since a filter
 * or `all` chooses them.
 */
bool rpc_request_inner(const struct rpc_request *outer, bool selecting, struct arena *a,
	struct rpc_request *out, struct rpc_error *error);

/* The value of a parameter. NAME must be in the method's schema (an assertion); never NULL. */
const struct rpc_value *rpc_value(const struct rpc_request *r, const char *name);
/* Shorter forms; the empty span, FALLBACK or false where the parameter was left out. */
struct span rpc_text(const struct rpc_request *r, const char *name);
uint64_t rpc_number(const struct rpc_request *r, const char *name, uint64_t fallback);
bool rpc_flag(const struct rpc_request *r, const char *name);
bool rpc_has(const struct rpc_request *r, const char *name);

#endif
