/*
 * dkim_record.c - a key as it is published in DNS (RFC 6376, 3.6.1), and tag-lists as they are read there.
 */
#include "proto/auth/dkim.h"
#include "proto/base/ascii.h"
#include "proto/base/base64.h"

enum err
dkim_record_put(enum dkim_algorithm algorithm, struct span key, struct buf *out)
{
	(void)!buf_put(out, algorithm == DKIM_ED25519_SHA256 ? SPAN("v=DKIM1; k=ed25519; p=")
							       : SPAN("v=DKIM1; k=rsa; p="));
	(void)!base64_put(out, key);
	return out->overflow ? ERR_LIMIT : OK;
}

struct span
dkim_tag(struct span record, struct span tag)
{
	struct span rest = record, part, name, value;
	bool more = true;

	while (more) {
		more = span_cut(rest, ';', &part, &rest);
		if (span_cut(part, '=', &name, &value) && span_eq(span_trim_folds(name), tag))
			return span_trim_folds(value);
	}
	return SPAN_NONE;
}

/* The next byte that is no blank; 0 at the end. */
static char
next_solid(struct span *rest)
{
	while (rest->len > 0) {
		char c = rest->ptr[0];

		*rest = span_from(*rest, 1);
		if (!ascii_is_blank(c) && c != '\r' && c != '\n')
			return c;
	}
	return 0;
}

bool
dkim_keys_are_same(struct span a, struct span b)
{
	char x, y;

	do {
		x = next_solid(&a);
		y = next_solid(&b);
	} while (x == y && x != 0);
	return x == y;
}
