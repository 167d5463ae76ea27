/*
 * test_tui_run.c - whole commands against a server that plays prepared replies over a socket pair.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test_tui.h"
#include "tui/command_files.h"
#include "tui/command_run.h"
#include "tui/print_reply.h"

static const struct print_style style = { .utc = true };

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
	{ "user list --limit 2 --json",
		{ "\"result\":{\"rows\":[{\"name\":\"anna\"}],\"next\":\"anna\",\"total\":9}",
			"\"result\":{\"rows\":[{\"name\":\"bo\"}],\"next\":\"bo\",\"total\":9}" },
		{ "\"limit\":2", "\"limit\":1" }, 0, "{\"name\":\"anna\"}\n{\"name\":\"bo\"}\n", "" },
	{ "user list --json", { "\"result\":{\"rows\":[{\"name\":\"anna\"}],\"next\":null,\"total\":1}" },
		{ "user.list" }, 0, "{\"name\":\"anna\"}\n", "" },
	{ "queue hold 4K", { "\"result\":{\"done\":1,\"skipped\":[],\"undo\":\"17\",\"undo_until\":null,\"note\":\"\"}" },
		{ "\"ids\":[\"4K\"]" }, 0, "1 done; postroom undo 17 takes it back\n", "" },
	{ "queue hold 4K",
		{ "\"error\":{\"code\":-32001,\"message\":\"no such message\",\"data\":{\"code\":\"not_found\","
		  "\"what\":\"queue hold 4K\",\"why\":\"no such message\",\"hint\":\"postroom queue list\"}}" },
		{ "queue.hold" }, 1, "",
		"postroom: queue hold 4K: no such message (postroom queue list)\n" },
	{ "user set a admin=yes",
		{ "\"error\":{\"code\":-32003,\"message\":\"not allowed\",\"data\":{\"code\":\"no_permission\","
		  "\"why\":\"not \\u001ballowed\",\"field\":\"config.edit\"}}" },
		{ "user.set" }, 4, "", "postroom: user set a: not \\x1Ballowed (it wants the right config.edit)\n" },
	{ "queue remove --filter to:x", { NULL }, { NULL }, 2, "",
		"postroom: queue remove: a change that selects its objects wants --yes here "
		"(--dry-run shows what it would change)\n" },
	{ "queue remove --filter to:x --dry-run",
		{ "\"result\":{\"token\":\"t\",\"count\":2,\"bytes\":2048,\"sample\":[\"4K\"],\"effects\":[],"
		  "\"warnings\":[],\"undo\":\"10 min\"}" },
		{ "\"method\":\"preview\",\"params\":{\"method\":\"queue.remove\",\"params\":{},\"filter\":\"to:x\"}" },
		0, "Would change 2 objects (2.0k)\n  4K\nUndo: 10 min\n", "" },
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
		"Postroom 1, up 1m\nSessions   -\nQueue      3 waiting, 2.0kB, - held\n"
		"Mailboxes  - users, - messages, -\nStore      -, -, disk free -\n"
		"TLS        no certificate\n"
		"So far     - received, - delivered, - rejected, - logins, - failed logins\n", "" },
	{ "status", { "\"result\":{\"version\":\"1\",\"uptime_s\":60,\"time\":\"2026-11-20T10:00:00Z\","
		      "\"sessions\":{\"all\":3,\"smtp\":2,\"pop3\":0,\"control\":1},"
		      "\"queue\":{\"count\":3,\"bytes\":20,\"held\":1},"
		      "\"outgoing\":{\"connections\":4,\"slow\":1,\"resting\":2,\"destinations\":9,"
		      "\"last_sent\":\"2026-11-20T09:00:00Z\"},"
		      "\"mailboxes\":{\"users\":2,\"messages\":7,\"bytes\":2048,\"held\":1},"
		      "\"store\":{\"state\":\"full\",\"bytes\":4096,\"free\":0,\"full\":true},"
		      "\"tls\":{\"certificate\":true,\"days\":3,\"expires\":\"2026-11-23T10:00:00Z\"},"
		      "\"counters\":{\"received\":1,\"delivered\":2,\"rejected\":3,\"logins\":4,"
		      "\"logins_failed\":5},\"reload_fault\":\"line 3\"}" },
		{ "\"status\"" }, 0,
		"Postroom 1, up 1m, 2026-11-20 10:00:00Z\nSessions   3 (smtp 2, control 1)\n"
		"Queue      3 waiting, 20 bytes, 1 held\n"
		"Outgoing   4 connections, 1 slow, 2 of 9 destinations rest, last sent "
		"2026-11-20 09:00:00Z\n"
		"Mailboxes  2 users, 7 messages, 2.0kB, 1 held\n"
		"Store      full, 4.0kB, disk free 0 bytes\n"
		"TLS        certificate ends in 3 days, 2026-11-23 10:00:00Z\n"
		"So far     1 received, 2 delivered, 3 rejected, 4 logins, 5 failed logins\n"
		"! the store is full, incoming mail waits; the configuration file is not in force: line 3; "
		"the certificate ends soon\n", "" },
	{ "undo", { "\"result\":{\"done\":1,\"skipped\":[],\"undo\":\"18\",\"undo_until\":null,"
		    "\"note\":\"undone: user anna added\"}" },
		{ "undo.apply" }, 0, "undone: user anna added; postroom undo 18 brings it back\n", "" },
	{ "status --check", { "\"result\":{\"store\":{\"full\":true}}" }, { "status" }, 1, "",
		"postroom: store: it is full\n" },
	{ "status --check", { "\"result\":{\"store\":{\"full\":false}}" }, { "status" }, 0, "", "" },
	{ "explain --from a@b.test --to c@d.test",
		{ "\"result\":{\"asked\":{\"from\":\"a@b.test\",\"to\":[\"c@d.test\"],\"via\":\"smtp\",\"auth\":null,"
		  "\"size\":20},\"reply\":{\"stage\":\"end\",\"code\":250,\"text\":\"ok\"},\"copies\":[{\"kind\":\"mailbox\","
		  "\"target\":\"anna\",\"because\":\"user\"}],\"more\":7,\"refused\":[{\"recipient\":\"e@f.test\",\"code\":550,"
		  "\"text\":\"no\"}],\"steps\":[\"limits: in\",\"mapping: c@d.test is ours\",\"mapping: anna it is\","
		  "\"place: Date is added: left out\"]}" },
		{ "explain" }, 0,
		"From        a@b.test\nTo          c@d.test\nVia         smtp\nSize        20\nSteps\n"
		"   1. limits: in\n  for c@d.test\n   2. mapping: c@d.test is ours\n"
		"   3. mapping: anna it is\n  for the message\n   4. place: Date is added: left out\n"
		"Copy        mailbox anna, because user\n            and 7 more\nRefused     e@f.test: 550 no\n"
		"Reply       250 ok (at end)\n", "" },
	{ "mapping test nobody@d.test",
		{ "\"result\":{\"address\":\"nobody@d.test\",\"matched\":[],\"targets\":[],\"reply\":{\"stage\":\"rcpt\","
		  "\"code\":550,\"text\":\"no\"},\"reasons\":[\"mapping: nobody\"],\"ways\":[{\"way\":\"smtp\","
		  "\"matched\":[],\"targets\":[],\"reply\":{\"code\":550}},{\"way\":\"user\",\"matched\":[\"x\"],"
		  "\"targets\":[\"anna\",\"bo\"],\"reply\":{\"code\":250}}]}" },
		{ "mapping.test" }, 0,
		"Address     nobody@d.test\nTargets     none\nReply       550 no (at rcpt)\nReasons\n"
		"   1. mapping: nobody\nBy smtp: none (550)\nBy user: anna, bo (250)\n", "" },
	{ "trace 4K",
		{ "\"result\":{\"rows\":[{\"time\":\"2026-11-20T10:00:00Z\",\"id\":\"4K\",\"from\":\"a@b.test\","
		  "\"to\":[\"c@d.test\"],\"size\":20,\"result\":\"250 ok\",\"subject\":\"\",\"because\":\"x\","
		  "\"message_id\":\"<1@b.test>\",\"session\":\"s1\",\"steps\":[\"limits: in\"]}],\"next\":null,\"total\":1}" },
		{ "trace" }, 0,
		"2026-11-20 10:00:00Z  4K\nSession     s1\nMessage-ID  <1@b.test>\nFrom        a@b.test\n"
		"To          c@d.test\nSize        20\nResult      250 ok\nBecause     x\n   1. limits: in\n", "" },
	{ "trace",
		{ "\"result\":{\"rows\":[{\"time\":\"2026-11-20T10:00:00Z\",\"id\":\"4K\",\"from\":\"a@b.test\","
		  "\"to\":[\"c@d.test\"],\"size\":20,\"result\":\"250 ok\",\"steps\":null}],\"next\":null,\"total\":1}" },
		{ "trace" }, 0,
		"TIME                  ID  FROM      TO        SIZE  RESULT\n"
		"2026-11-20 10:00:00Z  4K  a@b.test  c@d.test    20  250 ok\n", "" },
	{ "user list --dry-run", { NULL }, { NULL }, 2, "",
		"postroom: --dry-run: this command changes nothing\n" },
	{ "user list --columns nosuch", { NULL }, { NULL }, 2, "",
		"postroom: nosuch: this list has no such column (see: postroom help user list)\n" },
	{ "user show anna", { "\"result\":{\"name\":\"anna\"},\"padding\":[" }, { "user.show" }, 3, "",
		"postroom: server: its answer is no JSON that can be read (are both of one version? please report it)\n" },
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

int
test_tui_run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmd_01_commands_against_a_server),
		cmocka_unit_test(descriptors_travel_with_their_line),
		cmocka_unit_test(the_socket_is_found_as_promised),
	};

	return cmocka_run_group_tests_name("tui_run", tests, NULL, NULL);
}
