/*
 * test_control_docs.c - docs/control-protocol.md is what control_methods.h says.
 *
 * With --write it makes the page instead of comparing it. Run from the top of the tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/control/control_filter.h"
#include "proto/control/control_method.h"
#include "proto/control/rpc_reply.h"

#define PAGE      "docs/control-protocol.md"
#define ROOM_MAX ((size_t)1 << 20)

static const char intro[] =
	"# Control protocol\n\n"
	"Made from `proto/control/control_methods.h` by `build/test-control-docs --write`; do not edit.\n\n"
	"JSON-RPC 2.0 over the Unix socket `control` of the configuration: one object a line, UTF-8, at\n"
	"most 1 MiB a line with its line feed, both ways. Descriptors (files and folders only) travel with\n"
	"the first byte of the line that names them (SCM_RIGHTS), at most 4; a parameter of type `fd` is\n"
	"the place of its descriptor among them, from 0.\n\n"
	"The peer's credentials decide who asks: root and the server's own user are administrators, members\n"
	"of `console.groups.*` are what that says; `auth` takes the rights of a user instead. With\n"
	"`hello {read_only: true}` whatever changes something is refused for this connection.\n\n"
	"```\n"
	"> {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"version\":1,\"client\":\"example\"}}\n"
	"< {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"version\":\"...\",\"protocol\":1,\"role\":\"administrator\",...}}\n"
	"> {\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"queue.list\",\"params\":{\"filter\":\"age>2h\",\"limit\":10}}\n"
	"< {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"rows\":[{\"id\":\"...\",...}],\"next\":null,\"total\":1}}\n"
	"```\n\n"
	"## Replies\n\n"
	"| kind | result |\n| --- | --- |\n"
	"| rows | `{rows: [...], next: KEY or null, total: N}`; `after: KEY` gives what follows |\n"
	"| object | one object |\n"
	"| text | `{text}` |\n"
	"| done | `{done, skipped: [{key, why}], undo: ID or null, undo_until, note}`; what waited for an end says `errors: [TEXT]`, too |\n"
	"| faults | as rows; not empty means that something is wrong |\n\n"
	"Events are notifications `{\"method\":\"event\",\"params\":{subscription, topic, seq, data}}`; each is\n"
	"answered by a notification `ack`; at most 64 wait for it. For topic `log` `data` is\n"
	"`{lines: rows of log.tail, skipped: N}`, for `status` what changed of it. Long work reports\n"
	"`{\"method\":\"progress\",\"params\":{id, done, total}}` at most twice a second.\n\n"
	"Sizes are bytes, durations and ages whole seconds, times RFC 3339 in UTC. Objects inside:\n"
	"`status`: `sessions {SERVICE: N}`, `stopped [SERVICE]` (named in the file, not listening), `queue {count, bytes, held}`, `mailboxes {users, messages, bytes}`,\n"
	"`store {...}` (`wanted`: bytes that must come free before a full store takes mail); `explain`: `reply {stage, code, text}`, `copies [{kind, target, because}]`\n"
	"(a target is `anna` for her INBOX, `anna/Folder` for another), `asked {from, to, via, auth, size}`;\n"
	"`steps` and those of `trace` are sentences with their stage in front.\n\n"
	"A changing method called directly names its objects (`targets`). To select by filter, `preview`\n"
	"pins them by id for two minutes and `apply` changes exactly those.\n\n";

static void
put(struct buf *out, const char *text)
{
	assert_int_equal(buf_put(out, span_of(text)), OK);
}

static void
put_errors(struct buf *out)
{
	put(out, "## Errors\n\n`error` is `{code, message, data: {code, what, why, hint, field, line, column, "
		 "retry_after}}`.\n\n| code | number | exit status | meaning |\n| --- | --- | --- | --- |\n");
#define X(id, word, number, status, meaning) \
	put(out, "| " word " | " #number " | " #status " | " meaning " |\n");
	RPC_CODES(X)
#undef X
	put(out, "\n## Rights\n\n| right | lowest level |\n| --- | --- |\n");
#define X(id, name, level) \
	if (name[0]) \
		assert_int_equal(buf_printf(out, "| %s | %s |\n", name, \
			control_level_name(CONTROL_##level)), OK);
	CONTROL_RIGHTS(X)
#undef X
}

static void
put_types(struct buf *out)
{
	put(out, "\n## Types\n\nA schema is `name:type` with blanks between; `?` behind: may be left out; "
		 "`-` in front: an\noption on the command line, in columns a field that tables leave out.\n\n"
		 "| type | JSON |\n| --- | --- |\n");
	for (int i = 0; i < CONTROL_TYPES_COUNT; i++)
		assert_int_equal(buf_printf(out, "| %s | %s |\n", control_type_word(i),
			control_type_json(i)), OK);
	put(out, "\n## Filter words\n\n`from:bo -state:held size>1M age>2h date:2026-11-20..21 a|b \"two "
		 "words\"`: words are AND, `|` is OR,\n`-` negates, quotes keep blanks. Any column is a "
		 "field; besides:\n\n| word | columns |\n| --- | --- |\n");
#define X(word, columns) put(out, "| " word " | " columns " |\n");
	CONTROL_FILTER_FIELDS(X)
#undef X
}

static void
put_method(struct buf *out, const struct control_method *m)
{
	put(out, "\n### ");
	put(out, m->method);
	put(out, "\n\n");
	put(out, m->help);
	assert_int_equal(buf_printf(out, "\n\n- command: %s%s%s\n- right: %s, guard: G%u, reply: %s\n",
		m->words[0] ? "`postroom " : "none", m->words, m->words[0] ? "`" : "",
		control_right_name(m->right)[0] ? control_right_name(m->right) : "none",
		(unsigned)m->guard, control_reply_name(m->reply)), OK);
	assert_int_equal(buf_printf(out, "- params: `%.*s`\n", SPAN_FMT(span_trim(span_of(m->params)))),
		OK);
	if (m->columns[0])
		assert_int_equal(buf_printf(out, "- fields: `%s`\n", m->columns), OK);
}

static void
make_page(struct buf *out)
{
	put(out, intro);
	put_errors(out);
	put_types(out);
	put(out, "\n## Methods\n");
	for (size_t i = 0; i < COUNT(control_methods); i++)
		put_method(out, &control_methods[i]);
}

static void
page_is_current(void **state)
{
	struct buf want, have;
	FILE *file = fopen(PAGE, "r");
	char room[4096];
	size_t got;

	(void)state;
	assert_non_null(file);
	buf_init(&want, ROOM_MAX);
	buf_init(&have, ROOM_MAX);
	make_page(&want);
	while ((got = fread(room, 1, sizeof(room), file)) > 0)
		assert_int_equal(buf_put(&have, (struct span){ room, got }), OK);
	fclose(file);
	assert_true(span_eq(buf_span(&want), buf_span(&have)));
	buf_fini(&want);
	buf_fini(&have);
}

static int
write_page(void)
{
	struct buf page;
	FILE *file = fopen(PAGE, "w");

	if (!file)
		return 1;
	buf_init(&page, ROOM_MAX);
	make_page(&page);
	fwrite(buf_span(&page).ptr, 1, buf_span(&page).len, file);
	buf_fini(&page);
	return fclose(file) == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(page_is_current) };

	if (argc > 1 && strcmp(argv[1], "--write") == 0)
		return write_page();
	return cmocka_run_group_tests_name("control-docs", tests, NULL, NULL);
}
