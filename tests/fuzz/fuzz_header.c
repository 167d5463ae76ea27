/* fuzz_header.c - walking, checking, decoding, stripping and address lists. */
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct header_facts facts;
	struct header_field field;
	struct header_mailbox mailbox;
	struct span rest = in;

	if (header_check(in, NULL, &facts) == OK)
		ENSURE(facts.received == header_count(in, SPAN("Received")));
	while (header_next(&rest, &field)) {
		struct span list = field.value;

		ENSURE(field.name.len > 0);
		(void)!encoded_word_decode(out, field.value);
		(void)!header_put(out, field.name, field.value);
		while (header_next_mailbox(&list, &mailbox))
			ENSURE(mailbox.address.len > 0);
		buf_clear(out);
	}
	ENSURE(header_put_without(out, in, header_trust_names, header_trust_count) == OK);
	ENSURE(header_check(buf_span(out), NULL, &facts) == OK || in.len > HEADER_FIELD_SIZE_MAX ||
		facts.fields > HEADER_FIELDS_MAX);
}
