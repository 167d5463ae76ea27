/* fuzz_pop3_command.c - a command line to a value. */
#include "proto/pop3/pop3_command.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct pop3_command c;

	if (pop3_command_parse(in, &c) == OK)
		ENSURE(c.verb != POP3_VERB_UNKNOWN);
}
