/* fuzz_address.c - what is taken is valid, and means the same when it is read again (H9, H10). */
#include "proto/mail/address.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct address one, two;
	size_t used;

	if (address_parse_path(a, in, &one, &used) == OK)
		ENSURE(used <= in.len && address_is_valid(&one));
	if (address_parse(a, in, &one) != OK)
		return;
	ENSURE(address_is_valid(&one));
	ENSURE(address_parse(a, one.text, &two) == OK && address_eq(&one, &two));
	ENSURE(span_eq(one.local_part, two.local_part) && span_eq(one.domain, two.domain));
	ENSURE(one.flags == two.flags);
}
