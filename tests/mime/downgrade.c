/*
 * downgrade.c - makes each message named 7-bit, for a second implementation to look at (tests/mime/downgrade.py).
 *
 * For each: "FILE name", "HEADER" where a header has 8-bit bytes, "CANNOT reason" or "TEXT size" and the message.
 * It is looked at and carried out in pieces of a size that changes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/mail/header.h"
#include "proto/mime/mime_downgrade.h"
#include "proto/mime/mime_parser.h"
#include "tests/mime/read_file.h"

static void
look(struct arena *a, struct span header, struct span body, struct mime_downgrade *plan)
{
	struct mime_downgrade_look *l = ARENA_NEW(a, struct mime_downgrade_look);
	struct mime_derived derived;
	struct buf record;
	size_t piece = 1;

	buf_init(&record, MIME_RECORD_MAX);
	ENSURE(mime_derive(a, header, &body, 1, &record) == OK);
	ENSURE(mime_derived_open(arena_copy(a, buf_span(&record)), header, &derived) == OK);
	mime_downgrade_init(l, a, &derived);
	mime_downgrade_look(l, header);
	for (; body.len > 0; piece = piece * 3 % 8191 + 1) {
		mime_downgrade_look(l, span_range(body, 0, piece));
		body = span_from(body, piece);
	}
	ENSURE(mime_downgrade_end(l, plan) == OK);
	buf_fini(&record);
}

static void
print_text(const struct mime_downgrade *plan, struct span body)
{
	struct mime_downgrade_run run;
	struct buf out;
	size_t piece = 1;

	buf_init(&out, FILE_MAX_ * MIME_ENCODER_GROWS);
	ENSURE(buf_put(&out, plan->header) == OK);
	mime_downgrade_run_init(&run, plan);
	for (; body.len > 0; piece = piece * 3 % 8191 + 1) {
		ENSURE(mime_downgrade_run_put(&run, span_range(body, 0, piece), &out) == OK);
		body = span_from(body, piece);
	}
	ENSURE(buf_span(&out).len == plan->header.len + plan->body_size);
	printf("TEXT %zu\n", buf_span(&out).len);
	fwrite(buf_span(&out).ptr, 1, buf_span(&out).len, stdout);
	printf("\n");
	buf_fini(&out);
}

static void
downgrade(const char *path)
{
	struct header_end end = { 0 };
	struct mime_downgrade plan;
	struct arena a;
	struct span text, body;

	arena_init(&a, NULL);
	text = read_file(&a, path);
	body = span_from(text, header_end_find(&end, text));
	look(&a, span_range(text, 0, text.len - body.len), body, &plan);
	printf("FILE %s\n", path);
	if (plan.has_8bit_header)
		printf("HEADER\n");
	if (plan.cannot)
		printf("CANNOT %s\n", plan.cannot);
	else
		print_text(&plan, body);
	arena_reset(&a);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		downgrade(argv[i]);
	return 0;
}
