/*
 * test_tui_line.c - words to methods and their params, and what is said of wrong ones.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/test_tui.h"
#include "tui/command_help.h"
#include "tui/command_line.h"

void
split(struct args *args, const char *line)
{
	char *at = args->text;

	assert_true(strlen(line) < sizeof(args->text));
	memcpy(args->text, line, strlen(line) + 1);
	args->argc = 0;
	while (*at) {
		char end = *at == '\'' ? '\'' : ' ';

		at += end == '\'';
		args->argv[args->argc++] = at;
		while (*at && *at != end)
			at++;
		if (*at)
			*at++ = '\0';
		while (*at == ' ')
			at++;
	}
}

/* The forms that scripts may rely on, and what goes to the server for each. */
static const struct {
	const char *line, *method, *params;
} forms[] = {
	{ "status", "status", "{}" },
	{ "status --watch", "status", "{}" },
	{ "--json status", "status", "{}" },
	{ "-s /x status", "status", "{}" },
	{ "user add anna --admin --quota 50 --comment 'front desk' --password-stdin", "user.add",
		"{\"name\":\"anna\",\"admin\":true,\"quota\":50,\"comment\":\"front desk\",\"password\":\"pw\"}" },
	{ "user passwd anna --password-stdin", "user.passwd", "{\"name\":\"anna\",\"password\":\"pw\"}" },
	{ "user set anna quota_mb=5 assistants=bo;cy comment=a=b", "user.set",
		"{\"name\":\"anna\",\"keys\":{\"quota_mb\":\"5\",\"assistants\":\"bo;cy\",\"comment\":\"a=b\"}}" },
	{ "user set anna store_forward_server=u@h --password-stdin", "user.set",
		"{\"name\":\"anna\",\"keys\":{\"store_forward_server\":\"u@h\"},\"password\":\"pw\"}" },
	{ "user list --json", "user.list", "{}" },
	{ "user remove anna bo", "user.remove", "{\"names\":[\"anna\",\"bo\"]}" },
	{ "user rename anna ann", "user.rename", "{\"name\":\"anna\",\"new_name\":\"ann\"}" },
	{ "user import -", "user.import", "{\"file\":0}" },
	{ "user export", "user.export", "{\"out\":0}" },
	{ "mapping add sales@example.org anna --when smtp --comment x", "mapping.add",
		"{\"address\":\"sales@example.org\",\"target\":\"anna\",\"when\":\"smtp\",\"comment\":\"x\"}" },
	{ "mapping test sales@example.org --json", "mapping.test", "{\"address\":\"sales@example.org\"}" },
	{ "mapping remove sales@example.org", "mapping.remove", "{\"address\":\"sales@example.org\"}" },
	{ "mapping remove sales@example.org anna", "mapping.remove",
		"{\"address\":\"sales@example.org\",\"target\":\"anna\"}" },
	{ "mapping import maps.txt --replace", "mapping.import", "{\"file\":0,\"replace\":true}" },
	{ "explain --from '' --to a@b.test --to c@d.test --auth anna --via smtp --json", "explain",
		"{\"from\":\"\",\"to\":[\"a@b.test\",\"c@d.test\"],\"auth\":\"anna\",\"via\":\"smtp\"}" },
	{ "explain --from a@b.test --to c@d.test --message x.eml", "explain",
		"{\"from\":\"a@b.test\",\"to\":[\"c@d.test\"],\"message\":0}" },
	{ "message list anna --folder Sent --json", "message.list", "{\"user\":\"anna\",\"folder\":\"Sent\"}" },
	{ "message hold anna 3 5", "message.hold", "{\"user\":\"anna\",\"uids\":[\"3\",\"5\"]}" },
	{ "message move anna 3 --to-folder Old", "message.move",
		"{\"user\":\"anna\",\"uids\":[\"3\"],\"to_folder\":\"Old\"}" },
	{ "message bin anna --json", "message.bin", "{\"user\":\"anna\"}" },
	{ "message restore anna 7 8", "message.restore", "{\"user\":\"anna\",\"ids\":[\"7\",\"8\"]}" },
	{ "message import anna box.mbox", "message.import", "{\"user\":\"anna\",\"file\":0}" },
	{ "message show anna 3", "message.show", "{\"user\":\"anna\",\"uid\":3}" },
	{ "queue list --json --filter 'age>2h' --sort next_try --limit 5 --after X", "queue.list",
		"{\"filter\":\"age>2h\",\"sort\":\"next_try\",\"limit\":5,\"after\":\"X\"}" },
	{ "--limit 5 queue list", "queue.list", "{\"limit\":5}" },
	{ "queue redirect 4K to=bo@example.org", "queue.redirect",
		"{\"ids\":[\"4K\"],\"keys\":{\"to\":\"bo@example.org\"}}" },
	{ "queue retry --all --wait", "queue.retry", "{\"wait\":true}" },
	{ "queue remove --filter to:x", "queue.remove", "{}" },
	{ "queue hold 4K 5L", "queue.hold", "{\"ids\":[\"4K\",\"5L\"]}" },
	{ "trace", "trace", "{}" },
	{ "trace 4Kx0", "trace", "{\"message\":\"4Kx0\"}" },
	{ "trace --from a@b.test --since 2h", "trace", "{\"from\":\"a@b.test\",\"since\":\"2h\"}" },
	{ "log show --service security", "log.show", "{\"service\":\"security\"}" },
	{ "log tail --follow --level warning", "log.tail", "{\"level\":\"warning\"}" },
	{ "config set limits.recipients 50", "config.set",
		"{\"key\":\"limits.recipients\",\"value\":\"50\"}" },
	{ "config get limits.recipients", "config.get", "{\"key\":\"limits.recipients\"}" },
	{ "group add staff anna bo", "group.add", "{\"name\":\"staff\",\"members\":[\"anna\",\"bo\"]}" },
	{ "group set staff enabled=on", "group.set", "{\"name\":\"staff\",\"keys\":{\"enabled\":\"on\"}}" },
	{ "clock advance 3d", "clock.advance", "{\"by\":\"3d\"}" },
	{ "backup copy", "backup", "{\"dir\":0}" },
	{ "check --repair", "store.check", "{\"repair\":true}" },
	{ "undo", "undo.apply", "{}" },
	{ "undo 17", "undo.apply", "{\"id\":\"17\"}" },
	{ "undo list", "undo.list", "{}" },
	{ "user show -- -odd", "user.show", "{\"name\":\"-odd\"}" },
	{ "service stop smtp --dry-run", "service.stop", "{\"name\":\"smtp\"}" },
	{ "mapping set a@b.test anna when=smtp", "mapping.set",
		"{\"address\":\"a@b.test\",\"target\":\"anna\",\"keys\":{\"when\":\"smtp\"}}" },
};

/* As command_run.c asks for it: one that may be left out with --password-stdin alone. */
static bool
wants_password(const struct command *c)
{
	for (size_t i = 0; i < c->schema.count; i++)
		if (c->schema.items[i].type == CONTROL_TYPE_SECRET)
			return !c->schema.items[i].optional || c->options.password_stdin;
	return false;
}

static void
cmd_09_typed_words_become_a_method_and_its_params(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct complaint complaint;
		struct json_writer w;
		struct command c;
		struct arena a;
		struct args args;
		struct buf out;

		arena_init(&a, NULL);
		buf_init(&out, TEXT_MAX);
		split(&args, forms[i].line);
		if (command_parse(args.argc, args.argv, &a, &c, &complaint) != OK)
			fail_msg("%s: %.*s %.*s", forms[i].line, SPAN_FMT(complaint.what),
				SPAN_FMT(complaint.why));
		assert_int_equal(c.kind, COMMAND_METHOD);
		assert_string_equal(c.method->method, forms[i].method);
		json_writer_init(&w, &out);
		command_put_params(&c, wants_password(&c) ? SPAN("pw") : SPAN_NONE, &w);
		assert_int_equal(json_writer_end(&w), OK);
		assert_int_equal(buf_put_char(&out, '\0'), OK);
		assert_string_equal(buf_span(&out).ptr, forms[i].params);
		buf_fini(&out);
		arena_reset(&a);
	}
}

static void
cmd_09_wrong_usage_says_what_is_wrong(void **state)
{
	static const struct {
		const char *line, *what, *hint;
	} rows[] = {
		{ "usr list", "usr list", "did you mean: postroom user list" },
		{ "user lst", "user lst", "did you mean: postroom user list" },
		{ "staus", "staus", "did you mean: postroom status" },
		{ "frobnicate", "frobnicate", "see: postroom help" },
		{ "user show", "user show", "see: postroom help user show" },
		{ "user show a b", "b", "see: postroom help user show" },
		{ "user add a --password x", "--password", "see: postroom help user add" },
		{ "user add a --quota", "--quota", "see: postroom help user add" },
		{ "user add a --quota many", "quota", "not 'many'" },
		{ "user set a quota", "keys", "not 'quota'" },
		{ "user set a quota_mb=1 quota_mb=2", "quota_mb=2", "see: postroom help user set" },
		{ "user list --watch", "--watch", "see: postroom help user list" },
		{ "user show a --filter x", "--filter", "see: postroom help user show" },
		{ "queue hold --all --filter x", "--all", "see: postroom help queue hold" },
		{ "queue hold", "queue hold", "see: postroom help queue hold" },
		{ "mapping add a b --when never", "when", "not 'never'" },
		{ "status --json=yes", "--json", "see: postroom help status" },
		{ "mapping add a b --when smtp --when pop3", "when", "see: postroom help mapping add" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct complaint complaint;
		struct command c;
		struct arena a;
		struct args args;

		arena_init(&a, NULL);
		split(&args, rows[i].line);
		check_row(i, command_parse(args.argc, args.argv, &a, &c, &complaint) == ERR_SYNTAX);
		check_row(i, span_eq(complaint.what, span_of(rows[i].what)));
		check_row(i, span_eq(complaint.hint, span_of(rows[i].hint)));
		arena_reset(&a);
	}
}

/* The widest line of TEXT. */
static size_t
widest(struct span text)
{
	struct span line;
	size_t max = 0;

	while (span_next_line(&text, &line))
		max = line.len > max ? line.len : max;
	return max;
}

/* A page that names every first word, and one for each command; none is wider than a terminal. */
static void
every_command_has_help(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, TEXT_MAX);
	assert_int_equal(command_help(SPAN_NONE, &out), OK);
	assert_true(widest(buf_span(&out)) <= 80);
	for (size_t i = 0; i < COUNT(control_methods); i++) {
		struct span noun, verb, words = span_of(control_methods[i].words);
		struct buf one;

		if (words.len == 0)
			continue;
		(void)span_cut(words, ' ', &noun, &verb);
		check_row(i, span_find_span(buf_span(&out), noun) < buf_span(&out).len);
		buf_init(&one, TEXT_MAX);
		assert_int_equal(command_help(words, &one), OK);
		assert_false(one.overflow);
		check_row(i, span_find_span(buf_span(&one), words) < buf_span(&one).len);
		buf_fini(&one);
	}
	assert_int_equal(command_help(SPAN("nosuch"), &out), ERR_NOT_FOUND);
	buf_fini(&out);
}

/* So have the commands that are no method. */
static void
own_commands_have_help(void **state)
{
	static const struct {
		struct span words, want;
	} rows[] = {
		{ SPAN("restore"), SPAN("usage: postroom restore DIR [-c FILE]\n") },
		{ SPAN("console"), SPAN("usage: postroom console [--plain] [--slow] [--theme NAME] ") },
		{ SPAN("help"), SPAN("usage: postroom help [COMMAND]\n") },
		{ SPAN("version"), SPAN("usage: postroom version\n") },
	};
	struct buf out;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_init(&out, TEXT_MAX);
		assert_int_equal(command_help(rows[i].words, &out), OK);
		check_row(i, span_starts(buf_span(&out), rows[i].want) && widest(buf_span(&out)) <= 80);
		buf_fini(&out);
	}
	buf_init(&out, TEXT_MAX);
	assert_int_equal(command_help(SPAN("check"), &out), OK);
	assert_true(span_find_span(buf_span(&out), SPAN("--repair, which mends")) < buf_span(&out).len);
	buf_fini(&out);
}

static void
usage_breaks_between_options(void **state)
{
	static const char want[] = "  postroom log tail [--lines LINES] [--level error|warning|info|debug]\n"
				   "          [--service collect|config|connect|control|dlrules|imap|listen|loop|mapping|outgoing|pop3|queue|"
				   "rules|runner|search|security|server|smtp|store|task|tls]\n"
				   "          [--session SESSION]\n"
				   "      The last lines of the log";
	struct buf out;

	(void)state;
	buf_init(&out, TEXT_MAX);
	assert_int_equal(command_help(SPAN("log"), &out), OK);
	assert_true(span_starts(buf_span(&out), span_of(want)));
	buf_fini(&out);
}

int
test_tui_line(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmd_09_typed_words_become_a_method_and_its_params),
		cmocka_unit_test(cmd_09_wrong_usage_says_what_is_wrong),
		cmocka_unit_test(every_command_has_help),
		cmocka_unit_test(own_commands_have_help),
		cmocka_unit_test(usage_breaks_between_options),
	};

	return cmocka_run_group_tests_name("tui_line", tests, NULL, NULL);
}
