/* fuzz_smtp_command.c - a command line to a value. */
#include "proto/smtp/smtp_command.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct smtp_command c;

	smtp_command_parse(a, in, &c);
	if (c.fault == SMTP_FAULT_NONE && c.verb == SMTP_VERB_RCPT)
		ENSURE(address_is_valid(&c.path) && !address_is_null(&c.path));
}
