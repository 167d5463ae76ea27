/*
 * control_explain_read.c - the message of `explain`, read on a worker.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/mail/header.h"
#include "proto/mail/mail_lines.h"
#include "proto/mime/mime_parser.h"
#include "server/control/control_explain.h"
#include "server/pipeline/collected_header.h"

#define READ_CHUNK 65536 /* bytes */

/* A message as it would be stored. */
struct stored {
	char *text; /* the first ROOM bytes of it at most; LEN are here */
	size_t room, len;
	uint64_t size; /* all of it */
};

static void
keep(struct stored *s, struct span piece)
{
	struct span kept = span_range(piece, 0, s->room - s->len);

	if (kept.len > 0)
		memcpy(s->text + s->len, kept.ptr, kept.len);
	s->len += kept.len;
	s->size += piece.len;
}

/* The first END bytes of FD into S, over CHUNK. ERR_IO. */
static enum err
keep_file(int fd, uint64_t end, char *chunk, struct stored *s)
{
	struct mail_lines lines = {0};

	for (uint64_t at = 0; at < end;) {
		ssize_t got = pread(fd, chunk, READ_CHUNK, (off_t)at);
		struct span in = {chunk, got > 0 ? (size_t)got : 0};

		if (got < 0)
			return ERR_IO;
		if (got == 0)
			break;
		at += in.len;
		while (in.len > 0) {
			size_t used;

			keep(s, mail_lines_next(&lines, in, &used));
			in = span_from(in, used);
		}
	}
	keep(s, mail_lines_end(&lines));
	return OK;
}

/* *s: FD with its line ends as they are stored, measured first. ERR_IO. */
static enum err
read_message(struct arena *a, int fd, uint64_t end, struct stored *s)
{
	char *chunk = arena_alloc(a, READ_CHUNK);
	struct stored measured = {0};
	enum err err = keep_file(fd, end, chunk, &measured);

	*s = (struct stored){.room = measured.size < EXPLAIN_MESSAGE_MAX ? measured.size : EXPLAIN_MESSAGE_MAX};
	s->text = arena_alloc(a, s->room + 1);
	return err == OK ? keep_file(fd, end, chunk, s) : err;
}

/* What the stages are given of it (mail_body.h). */
static void
derive(struct arena *a, struct explained *e)
{
	struct buf record;

	buf_init(&record, MIME_RECORD_MAX);
	if (mime_derive(a, e->header, &e->body, 1, &record) == OK)
		e->derived = arena_copy(a, buf_span(&record));
	buf_fini(&record);
}

bool
explained_read(struct control_call *call, struct explained *e)
{
	int fd = control_fd(call, "message");
	struct header_end end = {0};
	struct stored stored;
	struct span text;
	struct stat st;
	size_t used = 0;

	e->header = EXPLAIN_HEADER;
	e->size = e->header.len;
	if (fd < 0)
		return true;
	if (fstat(fd, &st) != 0 || read_message(&call->arena, fd, (uint64_t)st.st_size, &stored) != OK)
		return control_fail(
			call, RPC_INVALID, "the message cannot be read", NULL, "message");
	text = (struct span){stored.text, stored.len};
	if (!e->from_header || collected_from_line(text, &used) != PARSE_DONE)
		used = 0;
	text = span_from(text, used);
	e->header = span_range(text, 0, header_end_find(&end, text));
	if (e->header.len > HEADER_SIZE_MAX)
		return control_fail(call, RPC_INVALID, "the header is too long", NULL, "message");
	e->body = span_from(text, e->header.len);
	derive(&call->arena, e);
	e->size = stored.size - used;
	return true;
}
