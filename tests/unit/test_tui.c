/*
 * test_tui.c - the command line: words to methods, tables of hostile text, and whole commands against
 * a server that plays prepared replies over a socket pair.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/utf8.h"
#include "tui/ask.h"
#include "tui/command_files.h"
#include "tui/command_help.h"
#include "tui/command_run.h"
#include "tui/print_reply.h"
#include "tui/status_watch.h"

#define ARGS_MAX 40
#define TEXT_MAX 65536

#define check_row(i, condition) \
	do { \
		if (!(condition)) \
			fail_msg("row %zu: %s", (size_t)(i), #condition); \
	} while (0)

/* "a b 'c d'" as arguments. */
struct args {
	char text[512];
	char *argv[ARGS_MAX];
	size_t argc;
};

static void
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
		command_put_params(&c, SPAN("pw"), &w);
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
		{ "user show", "name", "see: postroom help user show" },
		{ "user show a b", "b", "see: postroom help user show" },
		{ "user add a --password x", "--password", "see: postroom help user add" },
		{ "user add a --quota", "--quota", "see: postroom help user add" },
		{ "user add a --quota many", "quota", "not 'many'" },
		{ "user set a quota", "keys", "not 'quota'" },
		{ "user list --watch", "--watch", "see: postroom help user list" },
		{ "user show a --filter x", "--filter", "see: postroom help user show" },
		{ "queue hold --all --filter x", "--all", "see: postroom help queue hold" },
		{ "queue hold", "ids", "see: postroom help queue hold" },
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

static void
every_command_has_help(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, TEXT_MAX);
	assert_int_equal(command_help(SPAN_NONE, &out), OK);
	for (size_t i = 0; i < COUNT(control_methods); i++) {
		struct buf one;

		if (!control_methods[i].words[0])
			continue;
		buf_init(&one, TEXT_MAX);
		assert_int_equal(command_help(span_of(control_methods[i].words), &one), OK);
		assert_false(one.overflow);
		buf_clear(&one);
		command_usage(&control_methods[i], &one);
		check_row(i, span_find_span(buf_span(&out), buf_span(&one)) < buf_span(&out).len);
		buf_fini(&one);
	}
	assert_int_equal(command_help(SPAN("nosuch"), &out), ERR_NOT_FOUND);
	buf_fini(&out);
}

static const struct print_style style = { .utc = true };

/* What H70 forbids: controls but LF, C1, invalid UTF-8, bidi, zero-width, tags. */
static void
assert_harmless(struct span text)
{
	uint32_t code;

	while (text.len > 0) {
		assert_true(utf8_next(&text, &code));
		assert_true(code == '\n' || utf8_is_printable(code));
	}
}

static void
h70_hostile_text_is_harmless_in_every_form(void **state)
{
	static const char text[] = "{\"rows\":[{\"uid\":1,\"from\":\"\\u001b[2Jx\\u009b31m\",\"subject\":"
		"\"a\\u202eb\\u200b\\r\\n\\u0007\",\"date\":\"\\u001b]52;c;x\\u0007\",\"size\":4096,\"flags\":"
		"[\"\\u001b\",\"\\udb40\\udc41\"],\"held\":false,\"\\u001bkey\":\"\\u007f\"}]}";
	const struct json *json, *again;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	assert_int_equal(json_parse(&a, span_of(text), &json, NULL), OK);
	for (int form = 0; form < 5; form++) {
		const struct json *row = json_find(json, SPAN("rows"))->first;

		buf_init(&out, TEXT_MAX);
		if (form < 2)
			print_reply(&out, &control_methods[CONTROL_message_list], json, NULL, form == 1,
				&style);
		else if (form == 2)
			print_object(&out, &control_methods[CONTROL_user_show], row, &style);
		else if (form == 3)
			print_trace(&out, row, &style);
		else
			print_log_line(&out, row, &style);
		assert_false(out.overflow);
		assert_true(buf_span(&out).len > 10);
		assert_harmless(buf_span(&out));
		if (form == 1)
			assert_int_equal(json_parse(&a, buf_span(&out), &again, NULL), OK);
		buf_fini(&out);
	}
	arena_reset(&a);
}

static void
cells_have_their_width_in_columns(void **state)
{
	static const struct {
		struct span in;
		size_t width;
		bool right;
		struct span want;
	} rows[] = {
		{ SPAN("abc"), 5, false, SPAN("abc  ") },
		{ SPAN("abc"), 5, true, SPAN("  abc") },
		{ SPAN("abcdef"), 5, false, SPAN("abcd~") },
		{ SPAN("m\xc3\xbcller"), 6, false, SPAN("m\xc3\xbcller") },
		{ SPAN("m\xc3\xbcller"), 4, false, SPAN("m\xc3\xbcl~") },
		{ SPAN("\xe6\x97\xa5\xe6\x9c\xac"), 5, false, SPAN("\xe6\x97\xa5\xe6\x9c\xac ") },
		{ SPAN("\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"), 4, false, SPAN("\xe6\x97\xa5~ ") },
		{ SPAN("e\xcc\x81x"), 2, false, SPAN("e\xcc\x81x") },
	};
	(void)state;
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		skip();
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf out;

		buf_init(&out, TEXT_MAX);
		print_cell(&out, rows[i].in, rows[i].width, rows[i].right);
		check_row(i, span_eq(buf_span(&out), rows[i].want));
		buf_fini(&out);
	}
}

static void
values_are_for_people_in_tables(void **state)
{
	static const struct {
		const char *json;
		enum control_type type;
		const char *want;
	} rows[] = {
		{ "999", CONTROL_TYPE_SIZE, "999" },
		{ "1536", CONTROL_TYPE_SIZE, "1.5k" },
		{ "25165824", CONTROL_TYPE_SIZE, "24M" },
		{ "12", CONTROL_TYPE_DURATION, "12s" },
		{ "21660", CONTROL_TYPE_DURATION, "6h 1m" },
		{ "187200", CONTROL_TYPE_DURATION, "2d 4h" },
		{ "\"2026-11-20T14:00:30Z\"", CONTROL_TYPE_TIME, "2026-11-20 14:00:30Z" },
		{ "\"2026-11-20T15:00:30.5+01:00\"", CONTROL_TYPE_TIME, "2026-11-20 14:00:30Z" },
		{ "null", CONTROL_TYPE_TIME, "-" },
		{ "true", CONTROL_TYPE_FLAG, "yes" },
		{ "[\"a\",\"b\"]", CONTROL_TYPE_LIST, "a, b" },
		{ "[]", CONTROL_TYPE_LIST, "-" },
		{ "{\"a\":1,\"b\":[2]}", CONTROL_TYPE_TEXT, "a=1 b=[2]" },
		{ "18446744073709551615", CONTROL_TYPE_SIZE, "15E" },
		{ "1.5", CONTROL_TYPE_NUMBER, "1.5" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct json *json;
		struct arena a;
		struct buf out;

		arena_init(&a, NULL);
		buf_init(&out, TEXT_MAX);
		assert_int_equal(json_parse(&a, span_of(rows[i].json), &json, NULL), OK);
		print_value(&out, json, rows[i].type, &style);
		check_row(i, span_eq(buf_span(&out), span_of(rows[i].want)));
		buf_fini(&out);
		arena_reset(&a);
	}
}

static void
a_table_fits_its_terminal(void **state)
{
	static const char text[] =
		"{\"rows\":[{\"uid\":1,\"from\":\"somebody.with.a.long.name@example.org\",\"subject\":"
		"\"a subject that goes on for quite a while, and then some more\",\"date\":"
		"\"2026-11-20T14:00:30Z\",\"size\":4096,\"flags\":[],\"held\":true}]}";
	struct print_style narrow = { .utc = true, .width = 80 };
	const struct json *json;
	struct span rest, line;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, TEXT_MAX);
	assert_int_equal(json_parse(&a, span_of(text), &json, NULL), OK);
	print_reply(&out, &control_methods[CONTROL_message_list], json, NULL, false, &narrow);
	rest = buf_span(&out);
	assert_true(span_find(rest, '~') < rest.len);
	while (span_next_line(&rest, &line))
		assert_true(print_width(line) <= 80);
	buf_clear(&out);
	print_reply(&out, &control_methods[CONTROL_message_list], json, "size,uid", false, &narrow);
	assert_true(span_eq(buf_span(&out), SPAN("SIZE  UID\n4.0k    1\n")));
	buf_clear(&out);
	print_reply(&out, &control_methods[CONTROL_message_list], json, "size,uid", true, &narrow);
	assert_true(span_eq(buf_span(&out), SPAN("{\"size\":4096,\"uid\":1}\n")));
	buf_fini(&out);
	arena_reset(&a);
}

/*
 * A server in a child: it reads a line for each reply and plays the reply; it answers 1 on its status
 * when a request did not hold what it should.
 */
struct scene {
	const char *line;       /* what is typed */
	const char *replies[3]; /* after the request's id */
	const char *requests[3]; /* what each request must hold */
	int status;
	const char *out, *complaint;
};

static void
play(int fd, const struct scene *s)
{
	static char room[TEXT_MAX];
	struct span in;
	static char reply[TEXT_MAX];
	size_t have = 0;

	for (size_t i = 0; i < COUNT(s->replies) && s->replies[i]; i++) {
		ssize_t got;
		int len;

		have = 0;
		do {
			got = recv(fd, room + have, sizeof(room) - have, 0);
			if (got <= 0)
				_exit(2);
			have += (size_t)got;
		} while (room[have - 1] != '\n');
		in = (struct span){ room, have };
		if (span_find_span(in, span_of(s->requests[i])) == in.len)
			_exit(1);
		len = snprintf(reply, sizeof(reply), "{\"jsonrpc\":\"2.0\",\"id\":%zu,%s}\n", i + 1,
			s->replies[i]);
		if (send(fd, reply, (size_t)len, MSG_NOSIGNAL) != len)
			_exit(3);
	}
	_exit(0);
}

static const struct scene scenes[] = {
	{ "user list --columns name,size --utc",
		{ "\"result\":{\"rows\":[{\"name\":\"anna\",\"size\":4096}],\"next\":\"anna\",\"total\":2}",
			"\"result\":{\"rows\":[{\"name\":\"bo\",\"size\":1}],\"next\":null,\"total\":2}" },
		{ "\"user.list\",\"params\":{}", "\"after\":\"anna\"" }, 0,
		"NAME  SIZE\nanna  4.0k\nbo       1\n", "" },
	{ "user list --json", { "\"result\":{\"rows\":[{\"name\":\"anna\"}],\"next\":null,\"total\":1}" },
		{ "user.list" }, 0, "{\"name\":\"anna\"}\n", "" },
	{ "queue hold 4K", { "\"result\":{\"done\":1,\"skipped\":[],\"undo\":\"17\",\"undo_until\":null,\"note\":\"\"}" },
		{ "\"ids\":[\"4K\"]" }, 0, "1 done\nTo take it back: postroom undo 17\n", "" },
	{ "queue hold 4K",
		{ "\"error\":{\"code\":-32001,\"message\":\"no such message\",\"data\":{\"code\":\"not_found\","
		  "\"what\":\"queue hold 4K\",\"why\":\"no such message\",\"hint\":\"postroom queue list\"}}" },
		{ "queue.hold" }, 1, "",
		"postroom: queue hold 4K: no such message (postroom queue list)\n" },
	{ "user set a admin=yes",
		{ "\"error\":{\"code\":-32003,\"message\":\"not allowed\",\"data\":{\"code\":\"no_permission\","
		  "\"why\":\"not \\u001ballowed\",\"field\":\"config.edit\"}}" },
		{ "user.set" }, 4, "", "postroom: user set: not \\x1Ballowed (config.edit)\n" },
	{ "queue remove --filter to:x", { NULL }, { NULL }, 2, "",
		"postroom: queue remove: a change that selects its objects wants --yes here "
		"(--dry-run shows what it would change)\n" },
	{ "queue remove --filter to:x --dry-run",
		{ "\"result\":{\"token\":\"t\",\"count\":2,\"bytes\":2048,\"sample\":[\"4K\"],\"effects\":[],"
		  "\"warnings\":[],\"undo\":\"10 min\"}" },
		{ "\"method\":\"preview\",\"params\":{\"method\":\"queue.remove\",\"params\":{},\"filter\":\"to:x\"}" },
		0, "Would change 2 (2.0k)\n  4K\nUndo: 10 min\n", "" },
	{ "queue remove --all --yes --json",
		{ "\"result\":{\"token\":\"t5\",\"count\":2}",
			"\"result\":{\"done\":2,\"skipped\":[],\"undo\":null,\"undo_until\":null,\"note\":\"\"}" },
		{ "\"all\":true", "\"method\":\"apply\",\"params\":{\"token\":\"t5\"}" }, 0,
		"{\"done\":2,\"skipped\":[],\"undo\":null,\"undo_until\":null,\"note\":\"\"}\n", "" },
	{ "check", { "\"result\":{\"rows\":[{\"what\":\"counter\",\"where\":\"anna\"}],\"next\":null,\"total\":1}" },
		{ "store.check" }, 1,
		"WHAT     WHERE  WHY  REPAIRED\ncounter  anna   -    -\n", "" },
	{ "config get hostname", { "\"result\":{\"value\":\"mail.example.org\",\"key\":\"hostname\"}" },
		{ "\"key\":\"hostname\"" }, 0, "mail.example.org\n", "" },
	{ "status", { "\"result\":{\"version\":\"1\",\"uptime_s\":60,\"queue\":{\"count\":3,\"bytes\":2048}}" },
		{ "\"status\"" }, 0,
		"version                 1\nuptime_s                1m 0s\nqueue.count             3\n"
		"queue.bytes             2.0k\n", "" },
	{ "status --check", { "\"result\":{\"store\":{\"full\":true}}" }, { "status" }, 1, "",
		"postroom: store: it is full\n" },
	{ "status --check", { "\"result\":{\"store\":{\"full\":false}}" }, { "status" }, 0, "", "" },
	{ "explain --from a@b.test --to c@d.test",
		{ "\"result\":{\"reply\":{\"stage\":\"RCPT\",\"code\":250,\"text\":\"ok\"},\"copies\":[{\"kind\":\"mailbox\","
		  "\"target\":\"anna\",\"because\":\"user\"}],\"steps\":[{\"stage\":\"mapping\",\"text\":\"no mapping fits\"},\"place: {1} is nobody\"]}" },
		{ "explain" }, 0,
		"  mapping    no mapping fits\n  place: {1} is nobody\nReply: 250 ok  (at RCPT)\nCopy: mailbox anna, because user\n", "" },
	{ "user list --dry-run", { NULL }, { NULL }, 2, "",
		"postroom: --dry-run: this command changes nothing\n" },
	{ "user list --columns nosuch", { NULL }, { NULL }, 2, "",
		"postroom: nosuch: this list has no such column (see: postroom help user list)\n" },
	{ "user show anna", { "\"result\":{\"name\":\"anna\"},\"padding\":[" }, { "user.show" }, 3, "",
		"postroom: server: it ended the connection (see its log)\n" },
};

static struct span
content(int fd, char *room)
{
	ssize_t got = pread(fd, room, TEXT_MAX, 0);

	return (struct span){ room, got > 0 ? (size_t)got : 0 };
}

static void
assert_same(size_t row, struct span have, const char *want)
{
	if (!span_eq(have, span_of(want)))
		fail_msg("row %zu: \"%.*s\" in place of \"%s\"", row, SPAN_FMT(have), want);
}

static void
cmd_01_commands_against_a_server(void **state)
{
	static char out[TEXT_MAX], complaint_text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(scenes); i++) {
		struct control_link link;
		struct complaint complaint;
		struct command c;
		struct arena a;
		struct args args;
		struct run r = { .command = &c, .link = &link, .style = style, .arena = &a };
		int pair[2], status;
		pid_t child;

		arena_init(&a, NULL);
		split(&args, scenes[i].line);
		assert_int_equal(command_parse(args.argc, args.argv, &a, &c, &complaint), OK);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		child = fork();
		if (child == 0) {
			close(pair[0]);
			play(pair[1], &scenes[i]);
		}
		close(pair[1]);
		control_link_init(&link, pair[0]);
		r.out = memfd_create("out", MFD_CLOEXEC);
		r.complaints = memfd_create("err", MFD_CLOEXEC);
		status = run_check_options(&r);
		if (status == EXIT_DONE)
			status = run_command(&r);
		check_row(i, status == scenes[i].status);
		assert_same(i, content(r.out, out), scenes[i].out);
		assert_same(i, content(r.complaints, complaint_text), scenes[i].complaint);
		close(r.out);
		close(r.complaints);
		control_link_close(&link);
		assert_int_equal(waitpid(child, &status, 0), child);
		check_row(i, status == 0);
		arena_reset(&a);
	}
}

/* A descriptor travels with the line that names it. */
static void
descriptors_travel_with_their_line(void **state)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
	} control;
	struct control_link link;
	const struct json *result;
	char text[256];
	struct iovec io = { text, sizeof(text) };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.room,
		.msg_controllen = sizeof(control.room) };
	struct arena a;
	int pair[2], sent = memfd_create("sent", MFD_CLOEXEC), got, status;
	pid_t child;

	(void)state;
	assert_int_equal(write(sent, "hello", 5), 5);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	if (child == 0) {
		if (recvmsg(pair[1], &message, 0) <= 0 || !CMSG_FIRSTHDR(&message))
			_exit(1);
		memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(got));
		if (pread(got, text, 5, 0) != 5 || memcmp(text, "hello", 5) != 0)
			_exit(2);
		_exit(send(pair[1], "{\"id\":1,\"result\":{}}\n", 21, 0) == 21 ? 0 : 3);
	}
	close(pair[1]);
	arena_init(&a, NULL);
	control_link_init(&link, pair[0]);
	assert_int_equal(control_link_call(&link,
				 &(struct link_call){ "backup", SPAN("{\"dir\":0}"), &sent, 1 }, &a,
				 &result), OK);
	control_link_close(&link);
	arena_reset(&a);
	close(sent);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
sts_01_the_live_view_is_text(void **state)
{
	static const char text[] =
		"{\"version\":\"0.1\",\"uptime_s\":61,\"sessions\":{\"smtp\":2},\"queue\":{\"count\":3,\"bytes\":2048,"
		"\"held\":1},\"mailboxes\":{\"users\":2,\"messages\":9,\"bytes\":100},\"store\":{\"bytes\":4096},\"reload_fault\":\"bad file\"}";
	struct watch w = { .style = { .utc = true }, .connected = true };
	const struct json *status, *row;
	struct arena a;
	struct buf out;

	(void)state;
	arena_init(&a, NULL);
	buf_init(&out, TEXT_MAX);
	assert_int_equal(json_parse(&a, span_of(text), &status, NULL), OK);
	assert_int_equal(json_parse(&a, SPAN("{\"time\":\"2026-11-20T14:00:30Z\",\"level\":\"info\",\"text\":\"a\\u001b\"}"),
				 &row, NULL), OK);
	for (int i = 0; i < WATCH_LINES + 10; i++)
		watch_add_line(&w, row);
	assert_int_equal(w.line_count, WATCH_LINES);
	watch_draw(&w, status, 10, &out);
	assert_true(span_starts(buf_span(&out), SPAN(
		"Postroom 0.1  up 1m 1s\nSessions   smtp=2\nQueue      3 waiting, 2.0k, 1 held\n"
		"Mailboxes  2 users, 9 messages, 100\nStore      4.0k, disk free -\n! bad file\n")));
	assert_harmless(buf_span(&out));
	w.connected = false;
	buf_clear(&out);
	watch_draw(&w, NULL, 0, &out);
	assert_true(span_find_span(buf_span(&out), SPAN("NO SERVER")) < buf_span(&out).len);
	watch_fini(&w);
	buf_fini(&out);
	arena_reset(&a);
}

static void
the_socket_is_found_as_promised(void **state)
{
	(void)state;
	unsetenv("POSTROOM_SOCKET");
	assert_string_equal(control_link_path("/x"), "/x");
	setenv("POSTROOM_SOCKET", "/y", 1);
	assert_string_equal(control_link_path(NULL), "/y");
	assert_string_equal(control_link_path("/x"), "/x");
	setenv("POSTROOM_SOCKET", "", 1);
	assert_true(control_link_path(NULL)[0]);
	unsetenv("POSTROOM_SOCKET");
}

static void
h66_a_password_comes_from_one_line_of_standard_input(void **state)
{
	struct password p;
	int pipe_fds[2], before = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "one two\r\n\nrest", 14), 14);
	close(pipe_fds[1]);
	assert_int_equal(dup2(pipe_fds[0], STDIN_FILENO), STDIN_FILENO);
	close(pipe_fds[0]);
	assert_int_equal(ask_password(true, "", &p), OK);
	assert_true(span_eq((struct span){ p.bytes, p.len }, SPAN("one two")));
	assert_int_equal(ask_password(true, "", &p), ERR_SYNTAX); /* empty */
	password_wipe(&p);
	assert_int_equal(p.bytes[0], 0);
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	close(before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmd_09_typed_words_become_a_method_and_its_params),
		cmocka_unit_test(cmd_09_wrong_usage_says_what_is_wrong),
		cmocka_unit_test(every_command_has_help),
		cmocka_unit_test(h70_hostile_text_is_harmless_in_every_form),
		cmocka_unit_test(cells_have_their_width_in_columns),
		cmocka_unit_test(values_are_for_people_in_tables),
		cmocka_unit_test(a_table_fits_its_terminal),
		cmocka_unit_test(cmd_01_commands_against_a_server),
		cmocka_unit_test(descriptors_travel_with_their_line),
		cmocka_unit_test(sts_01_the_live_view_is_text),
		cmocka_unit_test(the_socket_is_found_as_promised),
		cmocka_unit_test(h66_a_password_comes_from_one_line_of_standard_input),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("tui", tests, NULL, NULL);
}
