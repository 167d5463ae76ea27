/*
 * fuzz_zip_put.c - any bytes in members of any number and in any pieces: what is read back are they (ARC-02).
 *
 * The first byte says how much stands in the file before; each member begins with a byte that is its size.
 */
#include "server/archive/zip_put.h"
#include "tests/fuzz/fuzz.h"
#include "tests/harness/zip_read.h"

static struct span
take_member(struct span *in)
{
	struct span member = span_range(*in, 1, 1 + (unsigned char)in->ptr[0]);

	*in = span_from(*in, 1 + member.len);
	return member;
}

FUZZ(in, a, out)
{
	uint64_t before = in.len > 0 ? (uint64_t)(unsigned char)in.ptr[0] << 25 : 0;
	struct span rest = span_from(in, 1), left;
	struct zip_found *found;
	struct zip_put z;
	enum err err;

	if (in.len > FUZZ_OUT_MAX / 64)
		return;
	ENSURE(zip_init(&z) == OK);
	z.written = before;
	for (left = rest; left.len > 0;) {
		struct span text = take_member(&left);

		ENSURE(zip_begin(&z, "x.eml", (int64_t)text.len << 24, out) == OK);
		ENSURE(zip_text(&z, span_range(text, 0, text.len / 3), out) == OK);
		ENSURE(zip_text(&z, span_from(text, text.len / 3), out) == OK);
		ENSURE(zip_end(&z, out) == OK);
	}
	do
		err = zip_finish(&z, out);
	while (err == ERR_BUSY);
	ENSURE(err == OK && zip_read_count(buf_span(out), before) == z.count);
	found = zip_read(a, buf_span(out), before);
	for (left = rest; left.len > 0; found++)
		ENSURE(span_eq(found->text, take_member(&left)));
	zip_fini(&z);
}
