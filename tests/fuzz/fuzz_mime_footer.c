/*
 * fuzz_mime_footer.c - a message with a text at its foot: only its own bytes are asked for, edits are in order and
 * inside of it, and what was altered is a message that can be read again and is left as it was elsewhere.
 */
#include "proto/mail/header.h"
#include "proto/mime/mime_footer.h"
#include "proto/mime/mime_parser.h"
#include "tests/fuzz/fuzz.h"

static enum err
read_bytes(void *arg, uint64_t offset, uint64_t size, struct span *out)
{
	struct span message = *(const struct span *)arg;

	ENSURE(offset <= message.len && size <= message.len - offset);
	*out = span_range(message, offset, offset + size);
	return OK;
}

static void
apply(const struct mime_footer_result *r, struct span body, struct buf *out)
{
	uint64_t at = 0;

	buf_clear(out);
	for (size_t i = 0; i < r->count; i++) {
		ENSURE(r->edits[i].at >= at && r->edits[i].at + r->edits[i].size <= body.len);
		ENSURE(buf_put(out, span_range(body, at, r->edits[i].at)) == OK);
		ENSURE(buf_put(out, r->edits[i].text) == OK);
		at = r->edits[i].at + r->edits[i].size;
	}
	ENSURE(buf_put(out, span_from(body, at)) == OK);
}

FUZZ(in, a, out)
{
	struct mime_footer_result r;
	struct header_end end = { 0 };
	struct mime_derived derived;
	struct span header = span_range(in, 0, header_end_find(&end, in));
	struct span body = span_from(in, header.len), text;
	struct mime_footer f = { a, &derived, SPAN("-- \r\nM\xc3\xbcller\r\n"), SPAN("<p>M&#252;ller</p>\r\n"),
		read_bytes, &in };
	struct buf record;

	buf_init(&record, MIME_RECORD_MAX);
	if (mime_derive(a, header, &body, 1, &record) == OK &&
		mime_derived_open(buf_span(&record), header, &derived) == OK) {
		ENSURE(mime_footer_make(&f, &r) == OK);
		ENSURE(r.count <= COUNT(r.edits));
		ENSURE((r.count == 0) == (r.plain + r.html == 0) && (r.count > 0 || r.why));
		apply(&r, body, out);
		ENSURE(r.count > 0 || span_eq(buf_span(out), body));
		text = arena_copy(a, buf_span(out));
		buf_clear(&record);
		if (mime_derive(a, header, &text, 1, &record) == OK)
			ENSURE(mime_derived_open(buf_span(&record), header, &derived) == OK);
	}
	buf_fini(&record);
}
