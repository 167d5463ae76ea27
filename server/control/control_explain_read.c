/*
 * control_explain_read.c - the message of `explain`, read on a worker.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "proto/mail/header.h"
#include "proto/mime/mime_parser.h"
#include "server/control/control_explain.h"
#include "server/control/control_notes.h"
#include "server/pipeline/collected_header.h"

/* All of FD that is read, with CRLFs. ERR_IO. */
static enum err
read_message(struct arena *a, int fd, size_t size, struct span *out)
{
	size_t room = size < EXPLAIN_MESSAGE_MAX ? size : EXPLAIN_MESSAGE_MAX, len = 0;
	char *text = arena_alloc(a, room + 1);

	while (len < room) {
		ssize_t got = pread(fd, text + len, room - len, (off_t)len);

		if (got < 0)
			return ERR_IO;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*out = control_crlf(a, (struct span){text, len});
	return OK;
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
	struct span text;
	struct stat st;
	size_t used;

	e->header = EXPLAIN_HEADER;
	e->size = e->header.len;
	if (fd < 0)
		return true;
	if (fstat(fd, &st) != 0 || read_message(&call->arena, fd, (size_t)st.st_size, &text) != OK)
		return control_fail(
			call, RPC_INVALID, "the message cannot be read", NULL, "message");
	if (e->from_header && collected_from_line(text, &used) == PARSE_DONE)
		text = span_from(text, used);
	e->header = span_range(text, 0, header_end_find(&end, text));
	if (e->header.len > HEADER_SIZE_MAX)
		return control_fail(call, RPC_INVALID, "the header is too long", NULL, "message");
	e->body = span_from(text, e->header.len);
	derive(&call->arena, e);
	e->size = (uint64_t)st.st_size;
	return true;
}
