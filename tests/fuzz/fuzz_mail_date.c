/* fuzz_mail_date.c - a date that was read can be written, and means the same. */
#include "proto/mail/mail_date.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct mail_date one, two;

	if (mail_date_parse(in, &one) != OK || mail_date_put(out, one) != OK)
		return;
	ENSURE(mail_date_parse(buf_span(out), &two) == OK);
	ENSURE(one.seconds == two.seconds && one.offset_minutes == two.offset_minutes);
}
