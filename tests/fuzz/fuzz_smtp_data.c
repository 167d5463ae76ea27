/* fuzz_smtp_data.c - text that was taken and is stuffed again comes back the same (H1, H2). */
#include "proto/smtp/smtp_data.h"
#include "tests/fuzz/fuzz.h"

struct taker {
	struct smtp_data data;
	struct buf *out;
};

static size_t
take(void *arg, struct span in)
{
	struct taker *t = arg;
	struct span text;
	size_t total = 0, used;

	while (total < in.len) {
		enum parse parse = smtp_data_take(&t->data, span_from(in, total), &text, &used);

		ENSURE(parse == PARSE_BAD || used > 0);
		if (parse == PARSE_BAD || buf_put(t->out, text) != OK)
			return SIZE_MAX;
		total += used;
		if (parse == PARSE_DONE)
			return SIZE_MAX;
	}
	return total;
}

FUZZ(in, a, out)
{
	struct taker one = { .out = out }, two;
	struct smtp_stuffing stuffing = { .in_line = false };
	struct buf wire, again;

	if (in.len == 0)
		return;
	smtp_data_init(&one.data, 998);
	fuzz_in_pieces(span_from(in, 1), (unsigned char)in.ptr[0], take, &one);
	if (one.data.state != SMTP_DATA_END)
		return;
	buf_init(&wire, FUZZ_OUT_MAX);
	buf_init(&again, FUZZ_OUT_MAX);
	ENSURE(smtp_stuffing_put(&stuffing, buf_span(out), &wire) == OK);
	ENSURE(smtp_stuffing_end(&stuffing, &wire) == OK);
	two.out = &again;
	smtp_data_init(&two.data, 998);
	fuzz_in_pieces(buf_span(&wire), (unsigned char)in.ptr[0] + 1, take, &two);
	ENSURE(two.data.state == SMTP_DATA_END && span_eq(buf_span(out), buf_span(&again)));
	buf_fini(&wire);
	buf_fini(&again);
}
