/* fuzz_utf8.c - whatever comes in, what is shown is harmless (H70). */
#include "proto/base/ascii.h"
#include "proto/base/utf8.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct span rest;
	uint32_t code;

	ENSURE(utf8_put_printable(out, in) == OK);
	for (rest = buf_span(out); rest.len > 0;)
		ENSURE(utf8_next(&rest, &code) && utf8_is_printable(code));
}
