/* fuzz_message_no.c - reading and writing are inverse. */
#include "proto/mail/message_no.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	uint64_t one, two;

	if (message_no_parse(in, &one) != OK)
		return;
	ENSURE(message_no_put(out, one) == OK);
	ENSURE(message_no_parse(buf_span(out), &two) == OK && one == two);
}
