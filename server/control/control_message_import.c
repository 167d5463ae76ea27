/*
 * control_message_import.c - `message import`: batches read on a worker, written in jobs.
 *
 * A batch is up to BATCH_MESSAGES messages or about BATCH_BYTES; a larger message is a batch of its
 * own, its body written in pieces before the message owns it (docs/queue-states.md, Q1). What was
 * imported stays when a later message is bad; the bad ones are reported by name.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "proto/mail/header.h"
#include "proto/mime/mime_parser.h"
#include "server/control/control_import.h"
#include "server/control/control_mailbox.h"
#include "store/bodies.h"

#define BATCH_MESSAGES 32
#define BATCH_BYTES (1024 * 1024)
#define PIECE_BYTES (257 * BODY_PIECE_DATA) /* about 1 MiB of a large body */

struct import {
	struct import_source source;
	struct arena batch; /* of the messages in hand */
	struct import_message messages[BATCH_MESSAGES];
	struct span derived[BATCH_MESSAGES]; /* of them, for their readers (mime_derived.h) */
	struct span *keys;
	size_t count;
	struct import_message waiting; /* read, and not in a batch yet; in the batch's arena */
	bool opened, large, has_waiting;
	uint64_t body_id; /* of a large message, once it is begun */
	size_t max;
};

static void
import_free(void *arg)
{
	struct import *im = arg;

	if (im->opened)
		import_close(&im->source);
	arena_reset(&im->batch);
	free(im);
}

static bool
import_check(struct control_call *call)
{
	struct import *im = calloc(1, sizeof(*im));

	ENSURE(im);
	arena_init(&im->batch, NULL);
	arena_on_reset(&call->arena, import_free, im);
	im->max = (size_t)call->host->conf->limits_message_size;
	call->state = im;
	if (control_fd(call, "file") < 0)
		return control_fail(
			call, RPC_INVALID, "no file came with the request", NULL, "file");
	return true;
}

static size_t
header_length(struct span text)
{
	struct header_end end = {0};

	return header_end_find(&end, text);
}

/* One key a message; of a large one, one a piece of its body and one at the end. */
static void
batch_keys(struct control_call *call, struct import *im)
{
	struct span text = im->count ? im->messages[0].text : SPAN_NONE;
	size_t n = im->count;

	im->large = im->count == 1 && text.len > BATCH_BYTES;
	if (im->large)
		n = (text.len - header_length(text) + PIECE_BYTES - 1) / PIECE_BYTES + 1;
	im->keys = ARENA_ARRAY(&im->batch, struct span, n ? n : 1);
	for (size_t i = 0; i < n; i++)
		im->keys[i] = im->large ? arena_printf(&im->batch, "%zu", i) : im->messages[i].name;
	call->targets = im->keys;
	call->target_count = n;
	call->target_at = call->target_end = 0;
}

/* The next batch in hand. A large message that comes behind others waits for the next one. */
static enum err
batch_read(struct control_call *call, struct import *im)
{
	struct import_message m;
	size_t bytes = 0;
	enum err err = OK;

	if (im->has_waiting) { /* its text lies in the arena of the batch before */
		im->messages[im->count++] = im->waiting;
		im->has_waiting = false;
		return OK;
	}
	arena_reset(&im->batch);
	while (im->count < BATCH_MESSAGES && bytes < BATCH_BYTES) {
		err = import_next(&im->source, &im->batch, &m);
		if (err != OK)
			return err;
		if (m.fault) {
			control_skip(call, m.name, m.fault);
			call->job_skipped = call->skipped_count;
			continue;
		}
		if (m.text.len > BATCH_BYTES && im->count > 0) {
			im->waiting = m;
			im->has_waiting = true;
			return OK;
		}
		bytes += m.text.len;
		im->messages[im->count++] = m;
	}
	return OK;
}

/* In the worker: one pass over each. */
static void
batch_derive(struct import *im)
{
	struct buf record;

	buf_init(&record, MIME_RECORD_MAX);
	for (size_t i = 0; i < im->count; i++) {
		struct span text = im->messages[i].text;
		size_t header = header_length(text);
		struct span body = span_from(text, header);

		buf_clear(&record);
		im->derived[i] = SPAN_NONE;
		if (mime_derive(&im->batch, span_range(text, 0, header), &body, 1, &record) == OK)
			im->derived[i] = arena_copy(&im->batch, buf_span(&record));
	}
	buf_fini(&record);
}

static bool
import_work(struct control_call *call)
{
	struct import *im = call->state;
	enum err err = OK;

	im->count = 0;
	im->body_id = 0;
	if (!im->opened)
		err = import_open(&im->source, call->host->server, control_fd(call, "file"), im->max);
	im->opened = true;
	if (err == OK)
		err = batch_read(call, im);
	call->again = err == OK;
	atomic_store(&call->progress_total, im->source.size);
	atomic_store(&call->progress_done, im->source.at);
	batch_derive(im);
	batch_keys(call, im);
	return err == OK || err == ERR_NOT_FOUND ||
	       control_fail(call, RPC_INVALID,
		       "this is no mbox, .eml file or maildir that can be read", NULL, "file");
}

static enum err
place(struct control_call *call, struct txn *txn, const struct import_message *m,
	struct content *content)
{
	struct placement p = {.content = content,
		.flags = m->flags,
		.received_s = m->date_s > 0 && m->date_s <= UINT32_MAX ? (uint32_t)m->date_s : 0};
	struct folder folder;
	enum err err;

	err = control_folder_make(
		call, txn, control_param(call, "user"), control_param(call, "folder"), &folder);
	if (err != OK)
		return err;
	p.user_id = folder.user_id;
	p.folder_id = folder.folder_id;
	content->owners = 1;
	err = content_add(txn, content, false);
	return err == OK ? message_place(txn, &p) : err;
}

static enum err
small_each(struct control_call *call, struct txn *txn, size_t i)
{
	struct import *im = call->state;
	const struct import_message *m = &im->messages[i];
	size_t header = header_length(m->text);
	struct span body = span_from(m->text, header);
	struct content content = {.header = span_range(m->text, 0, header),
		.derived = im->derived[i],
		.body_size = body.len};
	enum err err = body_add(txn, (struct body_source){&body, 1}, &content.body_id);

	return err == OK ? place(call, txn, m, &content) : err;
}

/* Piece I of the body, or the message itself behind the last. */
static enum err
large_each(struct control_call *call, struct txn *txn, size_t i)
{
	struct import *im = call->state;
	const struct import_message *m = &im->messages[0];
	size_t header = header_length(m->text), at = i * PIECE_BYTES;
	struct span body = span_from(m->text, header);
	struct span piece = span_range(body, at, at + PIECE_BYTES);
	struct content content = {.header = span_range(m->text, 0, header),
		.derived = im->derived[0],
		.body_size = body.len};
	enum err err = OK;

	if (i == 0)
		err = body_begin(txn, &im->body_id);
	content.body_id = im->body_id;
	if (err == OK && i + 1 < call->target_count)
		return body_write(txn, im->body_id, at, (struct body_source){&piece, 1});
	return err == OK ? place(call, txn, m, &content) : err;
}

static enum err
import_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct import *im = call->state;
	size_t i = (size_t)(call->target_now);
	enum err err =
		im->large ? large_each(call, txn, i) : small_each(call, txn, i);

	(void)key;
	if (im->large && err == OK && i + 1 < call->target_count)
		call->job_parts++; /* a piece is no message */
	return err;
}

/* Who put how many messages into whose mailbox: the log of changes has the call alone (SEC-09). */
static void
import_audit(struct control_call *call)
{
	log_put(call->host->log, &(struct log_line){.level = LEVEL_INFO, .area = "security",
		.text = "messages were imported",
		.fields = {{"who", span_of(call->who.name), 0}, {"via", span_of(call->who.via), 0},
			{"user", control_param(call, "user"), 0}, {"count", SPAN_NONE, (int64_t)call->done},
			{"skipped", SPAN_NONE, (int64_t)(call->skipped_count + call->skipped_more)}}});
}

static void
import_finish(struct control_call *call)
{
	unsigned long long done = call->done;
	struct arena *a = &call->arena;

	import_audit(call);
	call->note = arena_printf(a, "%llu message%s imported", done, done == 1 ? "" : "s");
	if (call->skipped_count > 0)
		call->note = arena_printf(
			a, "%.*s, %zu skipped", SPAN_FMT(call->note), call->skipped_count);
}

const struct control_handler control_do_message_import = {
	.check = import_check,
	.work = import_work,
	.work_kind = WORK_LONG,
	.each = import_each,
	.finish = import_finish,
	.object = "message",
	.cannot = "remove the messages",
	.targets_job = 4,
};
