/*
 * rpc_reply.c - the answers of the control protocol, put line by line.
 */
#include "proto/control/rpc_reply.h"

#include <string.h>

#include "proto/control/control_method.h"

static const struct {
	struct span word;
	int number, exit;
} codes[] = {
#define X(id, word, number, exit, meaning) \
	[RPC_##id] = { { word, sizeof(word) - 1 }, number, exit },
	RPC_CODES(X)
#undef X
};

const char *
rpc_code_word(enum rpc_code code)
{
	ENSURE((size_t)code < COUNT(codes));
	return codes[code].word.ptr;
}

int
rpc_code_number(enum rpc_code code)
{
	ENSURE((size_t)code < COUNT(codes));
	return codes[code].number;
}

int
rpc_code_exit(enum rpc_code code)
{
	ENSURE((size_t)code < COUNT(codes));
	return codes[code].exit;
}

enum err
rpc_code_find(struct span word, enum rpc_code *out)
{
	for (size_t i = 0; i < COUNT(codes); i++) {
		if (span_eq(codes[i].word, word)) {
			*out = (enum rpc_code)i;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

enum rpc_code
rpc_code_of(enum err err)
{
	static const enum rpc_code of[] = {
		[OK] = RPC_INTERNAL,
		[ERR_SYNTAX] = RPC_INVALID,
		[ERR_LIMIT] = RPC_TOO_LARGE,
		[ERR_NOT_FOUND] = RPC_NOT_FOUND,
		[ERR_EXISTS] = RPC_CLASH,
		[ERR_DENIED] = RPC_REFUSED,
		[ERR_BUSY] = RPC_BUSY,
		[ERR_FULL] = RPC_REFUSED,
		[ERR_IO] = RPC_INTERNAL,
		[ERR_CORRUPT] = RPC_INTERNAL,
	};

	return (size_t)err < COUNT(of) ? of[err] : RPC_INTERNAL;
}

static void
put_head(struct json_writer *w, struct buf *out, struct span id)
{
	json_writer_init(w, out);
	json_put_object(w);
	json_put_member_string(w, SPAN("jsonrpc"), SPAN("2.0"));
	json_put_name(w, SPAN("id"));
	if (id.len > 0)
		json_put_raw(w, id);
	else
		json_put_null(w);
}

/* Close what is open and end the line. */
static enum err
put_tail(struct json_writer *w)
{
	struct buf *out = w->out;
	enum err err;

	while (w->err == OK && w->depth > 0)
		json_put_close(w);
	err = json_writer_end(w);
	if (err != OK)
		return err;
	if (buf_span(out).len >= out->max)
		return ERR_LIMIT;
	return buf_put_char(out, '\n');
}

static void
put_if(struct json_writer *w, struct span name, struct span text)
{
	if (text.len > 0)
		json_put_member_string(w, name, text);
}

static void
put_number_if(struct json_writer *w, struct span name, uint32_t number)
{
	if (number > 0)
		json_put_member_u64(w, name, number);
}

/* What was given may be 1 MiB, and stands in the sentence; cut where a character begins. */
static void
put_short(struct json_writer *w, struct span name, struct span text)
{
	char cut[RPC_WORDS_MAX + sizeof("...")];
	size_t n = RPC_WORDS_MAX;

	if (text.len > RPC_WORDS_MAX) {
		while (n > 0 && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
			n--;
		memcpy(cut, text.ptr, n);
		memcpy(cut + n, "...", 3);
		text = (struct span){ cut, n + 3 };
	}
	json_put_member_string(w, name, text);
}

void
rpc_put_error(struct buf *out, struct span id, const struct rpc_error *error)
{
	size_t mark = buf_span(out).len;
	struct json_writer w;

	put_head(&w, out, id);
	json_put_name(&w, SPAN("error"));
	json_put_object(&w);
	json_put_member_i64(&w, SPAN("code"), rpc_code_number(error->code));
	put_short(&w, SPAN("message"), error->why);
	json_put_name(&w, SPAN("data"));
	json_put_object(&w);
	json_put_member_string(&w, SPAN("code"), span_of(rpc_code_word(error->code)));
	put_if(&w, SPAN("what"), error->what);
	if (error->why.len > 0)
		put_short(&w, SPAN("why"), error->why);
	put_if(&w, SPAN("hint"), error->hint);
	put_if(&w, SPAN("field"), error->field);
	put_number_if(&w, SPAN("line"), error->line);
	put_number_if(&w, SPAN("column"), error->column);
	put_number_if(&w, SPAN("retry_after"), error->retry_after_s);
	if (put_tail(&w) != OK)
		out->len = out->start + mark; /* no room for that either: the session is stuck */
}

void
rpc_begin_result(struct json_writer *w, struct buf *out, struct span id)
{
	put_head(w, out, id);
	json_put_name(w, SPAN("result"));
}

enum err
rpc_end_result(struct json_writer *w)
{
	return put_tail(w);
}

void
rpc_begin_rows(struct json_writer *w, struct buf *out, struct span id)
{
	rpc_begin_result(w, out, id);
	json_put_object(w);
	json_put_name(w, SPAN("rows"));
	json_put_array(w);
}

enum err
rpc_end_rows(struct json_writer *w, struct span next, uint64_t total)
{
	json_put_close(w);
	json_put_name(w, SPAN("next"));
	if (next.len > 0)
		json_put_string(w, next);
	else
		json_put_null(w);
	json_put_member_u64(w, SPAN("total"), total);
	return put_tail(w);
}

static void
put_or_null(struct json_writer *w, struct span name, struct span text)
{
	json_put_name(w, name);
	if (text.len > 0)
		json_put_string(w, text);
	else
		json_put_null(w);
}

static void
put_collected(struct json_writer *w, const struct rpc_collected *c)
{
	json_put_member_u64(w, SPAN("fetched"), c->fetched);
	json_put_member_u64(w, SPAN("left"), c->left);
	json_put_member_u64(w, SPAN("deleted"), c->deleted);
	json_put_member_u64(w, SPAN("failed"), c->failed);
	json_put_member_u64(w, SPAN("bytes"), c->bytes);
}

static void
put_errors(struct json_writer *w, const struct rpc_errors *errors)
{
	json_put_name(w, SPAN("errors"));
	json_put_array(w);
	for (size_t i = 0; i < errors->count; i++)
		json_put_string(w, span_of(errors->items[i]));
	json_put_close(w);
}

enum err
rpc_put_done(struct buf *out, struct span id, const struct rpc_done *done)
{
	struct json_writer w;

	rpc_begin_result(&w, out, id);
	json_put_object(&w);
	json_put_member_u64(&w, SPAN("done"), done->done);
	json_put_name(&w, SPAN("skipped"));
	json_put_array(&w);
	for (size_t i = 0; i < done->skipped_count; i++) {
		json_put_object(&w);
		put_short(&w, SPAN("key"), done->skipped[i].key);
		put_short(&w, SPAN("why"), done->skipped[i].why);
		json_put_close(&w);
	}
	json_put_close(&w);
	put_or_null(&w, SPAN("undo"), done->undo);
	put_or_null(&w, SPAN("undo_until"), done->undo_until);
	json_put_member_string(&w, SPAN("note"), done->note);
	if (done->secret.len > 0)
		json_put_member_string(&w, SPAN("secret"), done->secret);
	if (done->collected)
		put_collected(&w, done->collected);
	if (done->errors)
		put_errors(&w, done->errors);
	return put_tail(&w);
}

enum err
rpc_put_text(struct buf *out, struct span id, struct span text)
{
	struct json_writer w;

	rpc_begin_result(&w, out, id);
	json_put_object(&w);
	json_put_member_string(&w, SPAN("text"), text);
	return put_tail(&w);
}

static void
put_notification(struct json_writer *w, struct buf *out, struct span method)
{
	json_writer_init(w, out);
	json_put_object(w);
	json_put_member_string(w, SPAN("jsonrpc"), SPAN("2.0"));
	json_put_member_string(w, SPAN("method"), method);
	json_put_name(w, SPAN("params"));
	json_put_object(w);
}

void
rpc_begin_event(struct json_writer *w, struct buf *out, uint64_t subscription, struct span topic,
	uint64_t seq)
{
	put_notification(w, out, SPAN("event"));
	json_put_member_u64(w, SPAN("subscription"), subscription);
	json_put_member_string(w, SPAN("topic"), topic);
	json_put_member_u64(w, SPAN("seq"), seq);
	json_put_name(w, SPAN("data"));
}

enum err
rpc_end_event(struct json_writer *w)
{
	return put_tail(w);
}

enum err
rpc_put_progress(struct buf *out, struct span id, const struct rpc_progress *progress)
{
	struct json_writer w;

	put_notification(&w, out, SPAN("progress"));
	json_put_name(&w, SPAN("id"));
	json_put_raw(&w, id);
	json_put_member_u64(&w, SPAN("done"), progress->done);
	json_put_member_u64(&w, SPAN("total"), progress->total);
	if (progress->bytes_total > 0) {
		json_put_member_u64(&w, SPAN("bytes"), progress->bytes);
		json_put_member_u64(&w, SPAN("bytes_total"), progress->bytes_total);
	}
	return put_tail(&w);
}

void
rpc_put_methods(struct json_writer *w)
{
	json_put_array(w);
	for (size_t i = 0; i < COUNT(control_methods); i++) {
		const struct control_method *m = &control_methods[i];

		json_put_object(w);
		json_put_member_string(w, SPAN("name"), span_of(m->method));
		json_put_member_string(w, SPAN("words"), span_of(m->words));
		json_put_member_string(w, SPAN("right"), span_of(control_right_name(m->right)));
		json_put_member_u64(w, SPAN("guard"), m->guard);
		json_put_member_string(w, SPAN("reply"), span_of(control_reply_name(m->reply)));
		json_put_member_string(w, SPAN("params"), span_trim(span_of(m->params)));
		json_put_member_string(w, SPAN("columns"), span_of(m->columns));
		json_put_member_string(w, SPAN("help"), span_of(m->help));
		json_put_close(w);
	}
	json_put_close(w);
}

void
rpc_reply_cut(struct buf *out, size_t mark, struct span id)
{
	static const struct rpc_error too_large = {
		.code = RPC_TOO_LARGE,
		.what = { "reply", 5 },
		.why = { "the answer is over 1 MiB", 24 },
		.hint = { "use --limit, --after or --filter", 32 },
	};

	out->len = out->start + mark;
	out->overflow = false;
	rpc_put_error(out, id, &too_large);
}
