/*
 * fuzz_mapping_lines.c - files of mappings and of forwardings. What a line says is said again and read
 * back the same (MAP-16, LST-10).
 */
#include "proto/control/mapping_lines.h"
#include "tests/fuzz/fuzz.h"

static struct span
without_end(const struct buf *out)
{
	return (struct span){ out->bytes, out->len - 1 }; /* LF */
}

static void
mapping_again(struct arena *a, struct buf *out, const struct mapping_line *line, bool full)
{
	struct mapping_line back;
	const char *why;

	buf_clear(out);
	ENSURE(mapping_line_put(out, line, full) == OK);
	ENSURE(mapping_line_parse(a, without_end(out), &back, &why) == OK);
	ENSURE(span_eq(back.address, line->address) && span_eq(back.target, line->target));
	ENSURE(!full || (span_eq(back.when, line->when) && span_eq(back.collect, line->collect) &&
				span_eq(back.comment, line->comment)));
}

static void
forwarding_again(struct arena *a, struct buf *out, const struct forwarding_line *line)
{
	struct forwarding_line back;
	const char *why;

	buf_clear(out);
	ENSURE(forwarding_line_put(out, line) == OK);
	ENSURE(forwarding_line_parse(a, without_end(out), &back, &why) == OK);
	ENSURE(span_eq(back.name, line->name) && span_eq(back.address, line->address));
	ENSURE(forwarding_leads_to(back.address, line->address) ==
		(span_find(line->address, '@') < line->address.len));
}

FUZZ(in, a, out)
{
	struct span line;

	for (unsigned i = 0; i < 50 && span_next_line(&in, &line); i++) {
		struct forwarding_line forwarding;
		struct mapping_line mapping;
		const char *why;

		if (mapping_line_parse(a, line, &mapping, &why) == OK) {
			mapping_again(a, out, &mapping, false);
			mapping_again(a, out, &mapping, true);
		}
		if (forwarding_line_parse(a, line, &forwarding, &why) == OK)
			forwarding_again(a, out, &forwarding);
	}
}
