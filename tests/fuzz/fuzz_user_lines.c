/*
 * fuzz_user_lines.c - a file of users: the first line may be titles. What a line says is said again in
 * all four layouts and read back the same (USR-42).
 */
#include "proto/control/user_lines.h"
#include "tests/fuzz/fuzz.h"

static void
same_again(struct arena *a, struct buf *out, const struct user_line *line, unsigned layout)
{
	struct user_line back;
	const char *why;

	buf_clear(out);
	ENSURE(user_line_put(out, line, layout) == OK);
	out->len -= 2; /* CRLF */
	ENSURE(user_line_parse(a, buf_span(out), NULL, &back, &why) == OK);
	for (size_t i = 0; i < USER_COLUMNS; i++)
		ENSURE(!back.cells[i].present ||
			(span_eq(back.cells[i].text, line->cells[i].text) &&
				back.cells[i].number == line->cells[i].number));
}

static void
one_line(struct arena *a, struct buf *out, struct span text, const struct user_columns *columns)
{
	struct bulk_line bulk;
	struct user_line line;
	const char *why;

	if (user_line_parse(a, text, columns, &line, &why) == OK)
		for (unsigned layout = 0; layout < 4; layout++)
			same_again(a, out, &line, layout);
	if (bulk_line_parse(a, text, &bulk, &why) == OK)
		ENSURE(bulk.name.len > 0 && bulk.password.len > 0);
}

FUZZ(in, a, out)
{
	struct user_columns columns;
	bool titles = false;
	struct span line;
	const char *why;

	for (unsigned i = 0; i < 50 && span_next_line(&in, &line); i++) {
		if (i == 0 && user_line_is_titles(line))
			titles = user_titles_parse(a, line, &columns, &why) == OK;
		else
			one_line(a, out, line, titles ? &columns : NULL);
	}
}
