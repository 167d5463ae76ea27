/*
 * intake_derive.c - a parser fed by an intake.
 */
#include "server/queue/intake_derive.h"

#include "proto/mime/mime_parser.h"
#include "server/queue/intake_body.h"

static void
begin(struct intake *in)
{
	in->parser = ARENA_NEW(&in->arena, struct mime_parser);
	mime_parser_init(in->parser, &in->arena);
	mime_parser_header(in->parser, buf_span(&in->header));
}

void
intake_derive_put(struct intake *in, struct span body)
{
	if (!in->parser)
		begin(in);
	mime_parser_feed(in->parser, body);
}

void
intake_derive_body(struct intake *in, struct span body)
{
	size_t before = in->arena.total;

	intake_derive_put(in, body);
	if (in->arena.total > before)
		intake_charge(in, in->arena.total - before);
}

void
intake_derive_end(struct intake *in, struct span header)
{
	if (!in->parser)
		begin(in);
	buf_fini(&in->derived);
	buf_init(&in->derived, MIME_RECORD_MAX);
	if (mime_parser_end(in->parser, header, &in->derived) != OK)
		buf_fini(&in->derived); /* without one it is made when it is asked for */
}
