/*
 * search_derived.c - the record of a message that came before records were made at delivery.
 */
#include "server/search/search_derived.h"

#include "proto/mime/mime_parser.h"
#include "store/bodies.h"

/* All of the body goes through PARSER; what is behind a damaged piece is lost. */
static enum err
feed_body(struct mime_parser *parser, struct snapshot *snap, const struct content *content)
{
	uint64_t at = 0;
	enum err err = OK;

	while (at < content->body_size && err == OK) {
		struct span bytes;

		err = body_read(snap, content->body_id, at, &bytes);
		if (err != OK)
			break;
		mime_parser_feed(parser, bytes);
		at += bytes.len;
	}
	return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
}

static enum err
make(struct snapshot *snap, const struct content *content, struct search_derived *out)
{
	struct mime_parser *parser;
	struct arena arena;
	enum err body, err;

	arena_init(&arena, NULL);
	parser = ARENA_NEW(&arena, struct mime_parser);
	mime_parser_init(parser, &arena);
	mime_parser_header(parser, content->header);
	body = feed_body(parser, snap, content);
	err = mime_parser_end(parser, content->header, &out->made);
	arena_reset(&arena);
	if (err == OK)
		err = mime_derived_open(buf_span(&out->made), content->header, &out->mime);
	if (err != OK) {
		out->mime = (struct mime_derived){ .part_count = 0 };
		return ERR_CORRUPT;
	}
	return body;
}

enum err
search_derived_open(struct snapshot *snap, const struct content *content, struct search_derived *out)
{
	*out = (struct search_derived){ .mime = { .part_count = 0 } };
	buf_init(&out->made, MIME_RECORD_MAX);
	if (mime_derived_open(content->derived, content->header, &out->mime) == OK)
		return OK;
	return make(snap, content, out);
}

void
search_derived_close(struct search_derived *derived)
{
	buf_fini(&derived->made);
}
