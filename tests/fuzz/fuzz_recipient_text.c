/* fuzz_recipient_text.c - what is found in a field lies in it, and an address that is taken is one (INM-10 to INM-20). */
#include "proto/mail/header.h"
#include "proto/mail/recipient_text.h"
#include "tests/fuzz/fuzz.h"

static bool
lies_in(struct span part, struct span all)
{
	return part.len == 0 || (part.ptr >= all.ptr && part.ptr + part.len <= all.ptr + all.len);
}

static void
look_at(struct span text, struct span in, struct arena *a)
{
	struct address address;

	ENSURE(lies_in(text, in));
	if (recipient_text_address(a, text, &address) == OK)
		ENSURE(address_is_valid(&address) && !address_is_null(&address));
}

static void
look_beside(struct span raw, struct span in)
{
	struct span names[RECIPIENT_BESIDE_MAX];
	size_t count = recipient_text_beside(raw, names, RECIPIENT_BESIDE_MAX);

	ENSURE(count <= RECIPIENT_BESIDE_MAX && lies_in(raw, in));
	for (size_t i = 0; i < count; i++)
		ENSURE(names[i].len > 0 && lies_in(names[i], in));
}

static void
look_marked(struct span in, struct span marker)
{
	struct span rest = in, name;
	size_t left = rest.len + 1;

	while (recipient_text_marked(&rest, marker, &name)) {
		ENSURE(name.len > 0 && name.len <= RECIPIENT_NAME_MAX && lies_in(name, in) && rest.len < left);
		left = rest.len;
	}
}

FUZZ(in, a, out)
{
	static const char *const markers[] = { "{*}", "(for*)", "*", "*:", "for*" };
	struct header_mailbox mailbox;
	struct span rest = in, text, part;
	size_t left = in.len + 1;

	while (header_next_mailbox(&rest, &mailbox)) {
		look_at(mailbox.address, in, a);
		look_beside(mailbox.raw, in);
	}
	for (rest = in; recipient_text_for(&rest, &text); left = rest.len) {
		look_at(text, in, a);
		ENSURE(rest.len < left);
	}
	if (recipient_text_template(in, SPAN("account-*"), &part))
		ENSURE(lies_in(part, in));
	for (size_t i = 0; i < COUNT(markers); i++)
		look_marked(in, span_of(markers[i]));
}
