/* fuzz_imap_fetch.c - the items of FETCH: the name of each is made of what was asked. */
#include "proto/imap/imap_fetch.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	struct imap_fetch fetch;
	struct imap_cursor c;

	imap_cursor_init(&c, span_from(in, 1), a);
	if (in.len == 0 || !imap_take_fetch(&c, in.ptr[0] & 1, &fetch))
		return;
	ENSURE(fetch.items != 0 || fetch.count > 0);
	for (size_t i = 0; i < fetch.count; i++) {
		ENSURE(fetch.bytes[i].name.len > 0 && fetch.bytes[i].path_len <= IMAP_PATH_MAX);
		ENSURE(!fetch.bytes[i].partial || fetch.bytes[i].length > 0);
	}
}
