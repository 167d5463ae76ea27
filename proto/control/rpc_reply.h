/*
 * rpc_reply.h - the answers of the control protocol, put line by line.
 *
 * A begin is followed by exactly one JSON value (rows: by any number of objects) that the caller
 * puts with json_put_*, then by its end. Errors stick in the writer and come out at the end:
 * ERR_LIMIT, the buffer is full or the line would be over CONTROL_LINE_MAX; rpc_reply_cut() then
 * turns the answer into `too_large`.
 */
#ifndef PROTO_CONTROL_RPC_REPLY_H
#define PROTO_CONTROL_RPC_REPLY_H

#include "proto/base/buf.h"
#include "proto/base/json.h"

#define RPC_WORDS_MAX 1000 /* bytes of a sentence, which may repeat what was given */

/*
 * X(id, word, JSON-RPC code, exit status of the command line, meaning)
 */
#define RPC_CODES(X) \
	X(REFUSED, "refused", -32000, 1, "the server will not do it") \
	X(NOT_FOUND, "not_found", -32001, 1, "no such object") \
	X(CLASH, "clash", -32002, 1, "somebody else changed it, or it exists already") \
	X(INVALID, "invalid", -32602, 1, "a value is wrong; field names it") \
	X(NO_PERMISSION, "no_permission", -32003, 4, "the right named in field is missing") \
	X(BUSY, "busy", -32004, 1, "not now; retry_after says when") \
	X(GONE, "gone", -32005, 1, "the cursor, token or object is no longer there") \
	X(TOO_LARGE, "too_large", -32006, 1, "over a limit") \
	X(VERSION, "version", -32007, 3, "the two sides speak different versions") \
	X(PARSE, "parse", -32700, 1, "the line is no JSON") \
	X(REQUEST, "request", -32600, 1, "the line is no request") \
	X(METHOD, "method", -32601, 1, "no such method") \
	X(INTERNAL, "internal", -32603, 1, "local trouble; the log says more")

enum rpc_code {
#define X(id, word, number, status, meaning) RPC_##id,
	RPC_CODES(X)
#undef X
	RPC_CODE_COUNT,
};

struct rpc_error {
	enum rpc_code code;
	struct span what;   /* what was asked or touched: "queue hold 4Kx0" */
	struct span why;    /* "no such message in the queue" */
	struct span hint;   /* what to do about it; may be empty */
	struct span field;  /* the parameter, key or right it is about; may be empty */
	uint32_t line, column;  /* in a text; 0: none */
	uint32_t retry_after_s; /* 0: none */
};

const char *rpc_code_word(enum rpc_code code);
int rpc_code_number(enum rpc_code code);
int rpc_code_exit(enum rpc_code code);
MUST_CHECK enum err rpc_code_find(struct span word, enum rpc_code *out);
/* The usual code of an enum err at this door; a handler may be more exact. */
enum rpc_code rpc_code_of(enum err err);

/* {"jsonrpc":"2.0","id":ID,"error":{"code":N,"message":WHY,"data":{"code":WORD,"what":...}}} LF.
 * ID is raw JSON, as in rpc_request; the empty one is written as null. */
void rpc_put_error(struct buf *out, struct span id, const struct rpc_error *error);

/* {"jsonrpc":"2.0","id":ID,"result": ... } LF */
void rpc_begin_result(struct json_writer *w, struct buf *out, struct span id);
MUST_CHECK enum err rpc_end_result(struct json_writer *w);

/* {... "result":{"rows":[ ... ],"next":KEY|null,"total":N}} LF; an empty NEXT is null (no more). */
void rpc_begin_rows(struct json_writer *w, struct buf *out, struct span id);
MUST_CHECK enum err rpc_end_rows(struct json_writer *w, struct span next, uint64_t total);

struct rpc_skipped {
	struct span key, why;
};

/* What collections came to; of `collect now --wait`. */
struct rpc_collected {
	uint64_t fetched, left, deleted, failed, bytes;
};

/* What ran, but failed, one line each: the command line ends with 1 where there are any. */
struct rpc_errors {
	const char **items;
	size_t count;
};

struct rpc_done {
	uint64_t done; /* objects changed */
	const struct rpc_skipped *skipped;
	size_t skipped_count;
	struct span undo;       /* id for `postroom undo`; empty: cannot be undone */
	struct span undo_until; /* RFC 3339; empty: no end */
	struct span note;       /* one sentence for people; may be empty */
	struct span secret;     /* a password that was made, told this once; empty: none */
	const struct rpc_collected *collected; /* or NULL */
	const struct rpc_errors *errors;       /* NULL: nobody waited for how it ended */
};

/* How far a request is. Bytes are told where their total is not 0. */
struct rpc_progress {
	uint64_t done, total, bytes, bytes_total;
};

MUST_CHECK enum err rpc_put_done(struct buf *out, struct span id, const struct rpc_done *done);
MUST_CHECK enum err rpc_put_text(struct buf *out, struct span id, struct span text); /* kind TEXT */

/* {"jsonrpc":"2.0","method":"event",
 *  "params":{"subscription":N,"topic":T,"seq":K,"data": ... }} LF */
void rpc_begin_event(struct json_writer *w, struct buf *out, uint64_t subscription,
	struct span topic, uint64_t seq);
MUST_CHECK enum err rpc_end_event(struct json_writer *w);
/* {"jsonrpc":"2.0","method":"progress","params":{"id":ID,"done":N,"total":N,"bytes":N,"bytes_total":N}} LF */
MUST_CHECK enum err rpc_put_progress(
	struct buf *out, struct span id, const struct rpc_progress *progress);

/* The value of hello's "methods": an array of name, right, guard, reply, params, columns, help. */
void rpc_put_methods(struct json_writer *w);

/* After ERR_LIMIT: forget what was put since buf_span(OUT).len was MARK, and answer `too_large`. */
void rpc_reply_cut(struct buf *out, size_t mark, struct span id);

#endif
