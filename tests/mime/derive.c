/*
 * derive.c - prints what is made ready from the message in each file named, for a second
 * implementation to compare with (tests/mime/run.py).
 *
 * For each: "FILE name", "ENVELOPE size" and its bytes, BODY and BODYSTRUCTURE the same way, a line
 * "PART number header-offset header-size body-offset body-size lines" for each part, "FIELD number size" and
 * its bytes for each field, and "END". The body is fed in pieces of a size that changes.
 */
#include <stdio.h>

#include "proto/mail/header.h"
#include "proto/mime/mime_parser.h"
#include "tests/mime/read_file.h"

static void
print_text(const char *what, struct buf *text)
{
	printf("%s %zu\n", what, buf_span(text).len);
	fwrite(text->bytes + text->start, 1, buf_span(text).len, stdout);
	printf("\n");
	buf_clear(text);
}

static void
print_parts(const struct mime_derived *d, struct buf *text)
{
	struct mime_walk at = { 0 };
	struct mime_part part;

	while (mime_part_next(d, &at, &part)) {
		ENSURE(mime_part_put_number(d, &part, text) == OK);
		printf("PART %.*s %d %llu %llu %llu %llu %llu\n", SPAN_FMT(buf_span(text)),
			(int)part.kind, (unsigned long long)part.header_offset,
			(unsigned long long)part.header_size, (unsigned long long)part.body_offset,
			(unsigned long long)part.body_size, (unsigned long long)part.lines);
		buf_clear(text);
	}
}

static void
print_derived(struct span record, struct span header)
{
	struct mime_derived d;
	struct buf text;

	buf_init(&text, FILE_MAX_);
	ENSURE(mime_derived_open(record, header, &d) == OK);
	ENSURE(mime_derived_put_envelope(&d, &text) == OK);
	print_text("ENVELOPE", &text);
	ENSURE(mime_derived_put_body(&d, &text) == OK);
	print_text("BODY", &text);
	ENSURE(mime_derived_put_bodystructure(&d, &text) == OK);
	print_text("BODYSTRUCTURE", &text);
	print_parts(&d, &text);
	for (unsigned i = 0; i < MIME_FIELDS; i++) {
		char name[32];

		ENSURE(mime_derived_put_text(&d, i, &text) == OK);
		snprintf(name, sizeof(name), "FIELD %u", i);
		print_text(name, &text);
	}
	printf("RECORD %zu\nEND\n", record.len);
	buf_fini(&text);
}

static void
derive(const char *path)
{
	struct header_end end = { 0 };
	struct mime_parser *p;
	struct arena arena;
	struct span text, body;
	struct buf record;
	size_t piece = 1;

	arena_init(&arena, NULL);
	buf_init(&record, MIME_RECORD_MAX);
	text = read_file(&arena, path);
	body = span_from(text, header_end_find(&end, text));
	text = span_range(text, 0, text.len - body.len);
	p = ARENA_NEW(&arena, struct mime_parser);
	mime_parser_init(p, &arena);
	mime_parser_header(p, text);
	for (; body.len > 0; piece = piece * 3 % 8191 + 1) {
		mime_parser_feed(p, span_range(body, 0, piece));
		body = span_from(body, piece);
	}
	ENSURE(mime_parser_end(p, text, &record) == OK);
	printf("FILE %s\n", path);
	print_derived(buf_span(&record), text);
	buf_fini(&record);
	arena_reset(&arena);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		derive(argv[i]);
	return 0;
}
