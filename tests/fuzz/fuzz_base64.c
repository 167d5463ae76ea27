/* fuzz_base64.c - what decodes has one spelling only (H67). */
#include "proto/base/base64.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct buf again;

	if (base64_decode(in, out) != OK)
		return;
	buf_init(&again, FUZZ_OUT_MAX);
	ENSURE(base64_put(&again, buf_span(out)) == OK && span_eq(buf_span(&again), in));
	buf_fini(&again);
}
