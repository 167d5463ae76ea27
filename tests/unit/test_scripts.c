/*
 * test_scripts.c - scripts in Lua in a child of the runner: what they say (Q-13, RTE-12), what they cannot reach
 * (H73), and what ends them (H74).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/mime/mime_parser.h"
#include "server/host.h"
#include "server/net/loop.h"
#include "server/pipeline/mail.h"
#include "server/pipeline/script_answer.h"
#include "server/runner/runner.h"
#include "server/script/script_wire.h"
#include "tests/harness/page_edge.h"
#include "tests/harness/runner_site.h"
#include "tests/unit/test_scripts.h"

/* ---- a runner ---- */

struct site {
	struct loop *loop;
	struct host host;
	pid_t process;
};

static int
start_process(void *arg)
{
	struct site *s = arg;

	return runner_site_fork(&s->process);
}

static struct site site;

static int
setup(void **state)
{
	struct runner_options options = { start_process, NULL, &site };

	(void)state;
	site = (struct site){ .process = 0 };
	assert_int_equal(loop_open(&site.loop), OK);
	site.host.loop = site.loop;
	site.host.runner = runner_open(site.loop, &options);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	runner_close(&site.host.runner);
	if (site.process > 0)
		assert_int_equal(waitpid(site.process, NULL, 0), site.process);
	loop_close(&site.loop);
	return 0;
}

/* ---- one run ---- */

struct ran {
	struct runner_job job;
	struct arena arena;
	bool done;
	enum runner_end end;
	int number;
	enum err err;
	struct script_answer answer;
	struct span text;
};

static void
on_done(struct runner_job *job, const struct runner_answer *answer)
{
	struct ran *ran = LIST_ITEM(job, struct ran, job);

	ran->done = true;
	ran->end = answer->end;
	ran->number = answer->number;
	ran->err = script_answer_read(&ran->arena, arena_copy(&ran->arena, answer->output), &ran->answer);
	ran->text = script_answer_text(&ran->arena, &ran->answer);
}

#define HEADER                                                                                     \
	"From: =?utf-8?q?J=C3=BCrgen?= <bo@example.net>\r\nSubject: the\r\n report\r\n"            \
	"X-Two: one\r\nX-Two: two\r\nMIME-Version: 1.0\r\n"                                        \
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define BODY                                                                                       \
	"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "       \
	"quoted-printable\r\n\r\ngr=FC=DFe\r\n--b\r\nContent-Type: text/html\r\n\r\n"              \
	"<p>se<b>cret</b></p>\r\n--b\r\nContent-Type: image/png; name=a.png\r\n"                   \
	"Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"

static void
put(struct buf *out, enum script_item item, struct span text)
{
	assert_int_equal(script_item_put(out, item, text), OK);
}

static void
put_message(struct buf *in, bool of_site)
{
	struct span body = SPAN(BODY);
	struct buf record;
	struct arena a;

	put(in, SCRIPT_ITEM_FROM, SPAN("bo@example.net"));
	put(in, SCRIPT_ITEM_RCPT, SPAN("anna@example.org"));
	put(in, SCRIPT_ITEM_USER, of_site ? SPAN("") : SPAN("anna"));
	put(in, SCRIPT_ITEM_SIZE, SPAN("4321"));
	put(in, SCRIPT_ITEM_SOURCE, SPAN("smtp"));
	put(in, SCRIPT_ITEM_AUTH, SPAN(""));
	put(in, SCRIPT_ITEM_PEER, SPAN("192.0.2.7"));
	put(in, SCRIPT_ITEM_HEADER, SPAN(HEADER));
	if (!of_site)
		return;
	arena_init(&a, NULL);
	buf_init(&record, MIME_RECORD_MAX);
	assert_int_equal(mime_derive(&a, SPAN(HEADER), &body, 1, &record), OK);
	put(in, SCRIPT_ITEM_SITE, SPAN(""));
	put(in, SCRIPT_ITEM_BODY, span_range(body, 0, 70));
	put(in, SCRIPT_ITEM_BODY, span_from(body, 70));
	put(in, SCRIPT_ITEM_RECORD, buf_span(&record));
	put(in, SCRIPT_ITEM_FILE_NAME, SPAN("a.png"));
	put(in, SCRIPT_ITEM_FILE_TYPE, SPAN("image/png"));
	put(in, SCRIPT_ITEM_FILE_SIZE, SPAN("3"));
	buf_fini(&record);
	arena_reset(&a);
}

static void
run_within(struct ran *ran, const char *script, bool of_site, bool checks, int64_t timeout_ms)
{
	struct buf in;

	*ran = (struct ran){ .answer = { .user_id = of_site ? 0 : 7 } };
	arena_init(&ran->arena, NULL);
	buf_init(&in, SCRIPT_INPUT_MAX);
	put(&in, SCRIPT_ITEM_TEXT, span_of(script));
	if (checks)
		put(&in, SCRIPT_ITEM_CHECK, SPAN(""));
	put_message(&in, of_site);
	ran->job = (struct runner_job){ .script = true, .input = buf_span(&in), .done = on_done,
		.timeout_ms = timeout_ms, .output_max = SCRIPT_ANSWER_MAX };
	assert_int_equal(runner_run(&site.host, &ran->job), OK);
	for (int i = 0; i < RUNNER_PATIENCE_MS / 10 && !ran->done; i++)
		loop_turn(site.loop, 10);
	assert_true(ran->done);
	buf_fini(&in);
}

static void
run_as(struct ran *ran, const char *script, bool of_site, bool checks)
{
	run_within(ran, script, of_site, checks, SCRIPT_CPU_MS);
}

static void
run(struct ran *ran, const char *script)
{
	run_as(ran, script, false, false);
}

static void
check_text(const char *script, const char *want)
{
	struct ran ran;

	run(&ran, script);
	if (ran.end != RUNNER_EXITED || !span_eq(ran.text, span_of(want)) || ran.answer.failed.len > 0)
		fail_msg("%s: end %d, %.*s, failed: %.*s", script, ran.end, SPAN_FMT(ran.text),
			SPAN_FMT(ran.answer.failed));
	arena_reset(&ran.arena);
}

static void
check_failed_within(const char *script, bool of_site, const char *part, int64_t timeout_ms)
{
	struct ran ran;

	run_within(&ran, script, of_site, false, timeout_ms);
	if (ran.end != RUNNER_EXITED || ran.err != OK || ran.answer.count != 0 ||
		span_find_span(ran.answer.failed, span_of(part)) == ran.answer.failed.len)
		fail_msg("%s: end %d %d, %.*s, failed: %.*s", script, ran.end, ran.number,
			SPAN_FMT(ran.text), SPAN_FMT(ran.answer.failed));
	arena_reset(&ran.arena);
}

static void
check_failed(const char *script, bool of_site, const char *part)
{
	check_failed_within(script, of_site, part, SCRIPT_CPU_MS);
}

/* The limit of memory ends it, and no clock: this machine may have much else to do. The limit of processor time stays. */
static void
check_out_of_memory(const char *script)
{
	check_failed_within(script, false, "memory", RUNNER_PATIENCE_MS);
}

/* ---- what it sees and says ---- */

static void
test_q_13_rte_12_actions(void **state)
{
	(void)state;
	check_text("", "nothing: the normal way");
	check_text("redirect('bo@example.net', 'cy')", "redirect bo@example.net, redirect cy");
	check_text("copy('bo@example.net') keep()", "copy bo@example.net, keep");
	check_text("discard()", "discard");
	check_text("set_header('X-Mark', 'é') setheader('Subject', nil)",
		"set_header X-Mark: é, set_header Subject: ");
	check_text("for i = 1, 100 do log(i) end", "nothing: the normal way");
	check_text("if msg.header('subject'):find('report') then redirect('bo@example.net') end",
		"redirect bo@example.net");
	check_text("pcall(redirect, 'no address @@') keep()", "keep");
	check_failed("redirect('a b')", false, "no address");
	check_failed("redirect()", false, "missing");
	check_failed("for i = 1, 21 do copy('a' .. i) end", false, "more than 20 messages");
	check_failed("\n\nreject('no')", false, "script:3:");
	check_failed("defer('no')", false, "nil value");
	check_failed("assert(msg.body, 'none')", false, "none");
}

static void
test_q_13_message(void **state)
{
	(void)state;
	check_text("assert(msg.from == 'bo@example.net' and msg.rcpt == 'anna@example.org')\n"
		   "assert(#msg.rcpts == 1 and msg.rcpts[1] == msg.rcpt and msg.user == 'anna')\n"
		   "assert(msg.size == 4321 and msg.source == 'smtp' and msg.auth == '')\n"
		   "assert(msg.header('FROM') == 'Jürgen <bo@example.net>', msg.header('from'))\n"
		   "assert(msg.header('Subject') == 'the report' and msg.header('None') == nil)\n"
		   "local two = msg.headers('x-two')\n"
		   "assert(#two == 2 and two[1] == 'one' and two[2] == 'two' and #msg.headers('None') == 0)\n"
		   "assert('10' + 1 == 11 and ('a'):upper() == 'A' and ('a'):rep(3) == 'aaa')\n"
		   "assert(utf8.len('é') == 1 and math.max(1, 2) == 2 and #table.pack(1, 2) == 2)\n"
		   "keep()",
		"keep");
}

static void
test_content_rules_see_body_and_attachments(void **state)
{
	struct ran ran;

	(void)state;
	run_as(&ran,
		"assert(msg.body:find('grüße', 1, true), msg.body)\n"
		"assert(msg.body:find('secret', 1, true) and not msg.body:find('<b>', 1, true), msg.body)\n"
		"local a = msg.attachments\n"
		"assert(#a == 1 and a[1].name == 'a.png' and a[1].type == 'image/png' and a[1].size == 3)\n"
		"reject('not\\r\\nhere \\195\\188')",
		true, false);
	assert_int_equal(ran.answer.failed.len, 0);
	assert_int_equal(ran.answer.count, 1);
	assert_int_equal(ran.answer.actions[0].kind, SCRIPT_REJECT);
	assert_true(span_eq(ran.answer.actions[0].text, SPAN("not??here ??")));
	arena_reset(&ran.arena);
}

/* RTE-12: a text that does not compile is refused with its line, and is not run. */
static void
test_rte_12_check(void **state)
{
	struct ran ran;

	(void)state;
	run_as(&ran, "keep()\nif then", false, true);
	assert_true(span_starts(ran.answer.failed, SPAN("script:2:")));
	arena_reset(&ran.arena);
	run_as(&ran, "discard()", false, true);
	assert_int_equal(ran.answer.failed.len + ran.answer.count, 0);
	arena_reset(&ran.arena);
	run_as(&ran, "\x1bLua", false, true);
	assert_true(ran.answer.failed.len > 0);
	arena_reset(&ran.arena);
}

/* ---- H73 ---- */

/* Each is an error; whoever asked then delivers as ever. */
static void
test_h73_thirty_escapes(void **state)
{
	static const char *const escapes[] = { "load('return 1')()", "loadstring('return 1')()",
		"dofile('/etc/passwd')", "loadfile('/etc/passwd')()", "require('os')",
		"io.open('/etc/passwd')", "io.popen('id')", "os.execute('id')", "os.exit(0)",
		"os.getenv('HOME')", "os.remove('/tmp/x')", "debug.getregistry()",
		"debug.sethook()", "debug.getinfo(1)", "package.loadlib('x', 'y')",
		"package.path = 'x'; package.searchers[1]()", "coroutine.wrap(keep)()",
		"coroutine.create(keep)", "string.dump(keep)", "(''):dump()", "getmetatable('').__index.x = 1",
		"setmetatable('', {})", "collectgarbage('stop')", "print('x')", "warn('@on')",
		"_G.load('x')", "_ENV.os.exit()", "setmetatable({}, {__gc = keep})",
		"string.format('%9999d', 1)", "string.format('%.9999f', 1)",
		"('x'):rep(1e9)", "('x'):rep(1 << 62, 'yy')", "string.pack('i4', 1)",
		"math.random()",
		"set_header('X-A', 'a\\r\\nBcc: eve@example.net')", "set_header('X-A\\r\\nBcc', 'a')",
		"set_header('X-A', 'a\\0b')", "set_header('Bcc', 'eve@example.net')",
		"set_header('Received', 'x')", "set_header('X-Spam-Status', 'No')",
		"set_header('Content-Type', 'text/html')", "redirect('eve@example.net\\r\\nRCPT TO:<x>')",
		"redirect('<eve@example.net>, <b@example.net>')", "reject('x')", "error({})", "error()" };

	(void)state;
	assert_true(COUNT(escapes) >= 30);
	for (size_t i = 0; i < COUNT(escapes); i++)
		check_failed(escapes[i], false, "");
	/* with bytecode, which is no text */
	check_failed("\x1bLuaT\0", false, "");
}

/* ---- H74 ---- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
test_h74_bombs_end(void **state)
{
	static const char *const bombs[] = { "while true do end",
		"local s = ('a'):rep(100) s:find('.-.-.-.-.-b')",
		"while true do pcall(function() while true do end end) end",
		"local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(100000) end) end",
		"table.move({}, 1, 1 << 60, 2)" };

	(void)state;
	for (size_t i = 0; i < COUNT(bombs); i++) {
		int64_t began = now_ms(), took;
		struct ran ran;

		run(&ran, bombs[i]);
		took = now_ms() - began;
		if (ran.end == RUNNER_EXITED || ran.answer.count > 0)
			fail_msg("%s: end %d %d", bombs[i], ran.end, ran.number);
		print_message("bomb %zu ended after %lld ms\n", i + 1, (long long)took);
		arena_reset(&ran.arena);
	}
}

static void
test_h74_memory(void **state)
{
	(void)state;
	check_out_of_memory("local t = {} for i = 1, 1e7 do t[i] = ('x'):rep(100000) .. i end");
	check_out_of_memory("local s = 'x' while true do s = s .. s end");
	check_out_of_memory("local function f() return f() + 1 end f()");
}

/* ---- many ---- */

/* H39: many at once wait for a place; the cost of one is printed. */
static void
test_many_at_once(void **state)
{
	static struct ran ran[100];
	int64_t began = now_ms();
	struct buf in;
	size_t done = 0;

	(void)state;
	buf_init(&in, SCRIPT_INPUT_MAX);
	put(&in, SCRIPT_ITEM_TEXT, SPAN("if msg.header('subject'):find('report') then keep() end"));
	put_message(&in, false);
	for (size_t i = 0; i < COUNT(ran); i++) {
		ran[i] = (struct ran){ .answer = { .user_id = 7 } };
		arena_init(&ran[i].arena, NULL);
		ran[i].job = (struct runner_job){ .script = true, .input = buf_span(&in),
			.done = on_done, .timeout_ms = RUNNER_PATIENCE_MS, .output_max = SCRIPT_ANSWER_MAX };
		assert_int_equal(runner_run(&site.host, &ran[i].job), OK);
	}
	while (done < COUNT(ran) && now_ms() - began < RUNNER_PATIENCE_MS) {
		loop_turn(site.loop, 10);
		assert_true(runner_stats(site.host.runner).scripts_running <= RUNNER_SCRIPTS_MAX);
		for (done = 0; done < COUNT(ran) && ran[done].done; done++)
			continue;
	}
	assert_int_equal(done, COUNT(ran));
	print_message("a run: %.2f ms\n", (double)(now_ms() - began) / (double)COUNT(ran));
	for (size_t i = 0; i < COUNT(ran); i++) {
		assert_true(ran[i].answer.keeps);
		arena_reset(&ran[i].arena);
	}
	buf_fini(&in);
}

/* ---- one user's scripts, and those of others (H74) ---- */

static void
ask(struct ran *ran, uint64_t owner, const char *script, struct span input)
{
	struct buf in;

	*ran = (struct ran){ .answer = { .user_id = owner } };
	arena_init(&ran->arena, NULL);
	buf_init(&in, SCRIPT_INPUT_MAX);
	put(&in, SCRIPT_ITEM_TEXT, span_of(script));
	put_message(&in, owner == 0);
	put(&in, SCRIPT_ITEM_AUTH, input);
	ran->job = (struct runner_job){ .script = true, .owner = owner, .input = buf_span(&in),
		.done = on_done, .timeout_ms = 500, .output_max = SCRIPT_ANSWER_MAX };
	ran->err = runner_run(&site.host, &ran->job);
	buf_fini(&in);
}

static size_t
count_done(const struct ran *all, size_t count)
{
	size_t done = 0;

	for (size_t i = 0; i < count; i++)
		done += all[i].done;
	return done;
}

/* A script that takes all its time holds up its own user's mail: others have the next place that is free. */
static void
test_slow_scripts_of_one_user_do_not_hold_up_others_h74(void **state)
{
	static struct ran slow[6 * RUNNER_SCRIPTS_MAX], others[2];
	int64_t began = now_ms();

	(void)state;
	for (size_t i = 0; i < COUNT(slow); i++)
		ask(&slow[i], 7, "while true do end", SPAN(""));
	ask(&others[0], 8, "keep()", SPAN(""));
	ask(&others[1], 0, "keep()", SPAN(""));
	while (count_done(others, COUNT(others)) < COUNT(others) && now_ms() - began < RUNNER_PATIENCE_MS)
		loop_turn(site.loop, 10);
	assert_int_equal(count_done(others, COUNT(others)), COUNT(others));
	assert_true(count_done(slow, COUNT(slow)) < COUNT(slow)); /* they did not come last */
	for (size_t i = 0; i < COUNT(slow); i++) {
		runner_cancel(&slow[i].job);
		arena_reset(&slow[i].arena);
	}
	for (size_t i = 0; i < COUNT(others); i++)
		arena_reset(&others[i].arena);
}

/* Nor does what one user's scripts wait with, by number or by size, keep those of others from waiting. */
static void
test_waiting_scripts_of_one_user_leave_room_h74(void **state)
{
	static struct ran own[RUNNER_WAITING_MAX / RUNNER_OWNER_SHARE + 1], others[2], large[12];
	static char megabyte[1024 * 1024];
	size_t fit = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(own); i++)
		ask(&own[i], 7, "keep()", SPAN(""));
	assert_int_equal(own[COUNT(own) - 2].err, OK);
	assert_int_equal(own[COUNT(own) - 1].err, ERR_BUSY);
	ask(&others[0], 8, "keep()", SPAN(""));
	ask(&others[1], 0, "keep()", SPAN(""));
	assert_int_equal(others[0].err, OK);
	assert_int_equal(others[1].err, OK);
	for (size_t i = 0; i < COUNT(large); i++) {
		ask(&large[i], 9, "keep()", (struct span){ megabyte, sizeof(megabyte) });
		fit += large[i].err == OK;
	}
	assert_int_equal(fit, RUNNER_SCRIPTS_BYTES / RUNNER_OWNER_SHARE / sizeof(megabyte) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_q_13_rte_12_actions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_q_13_message, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_content_rules_see_body_and_attachments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rte_12_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_h73_thirty_escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_h74_bombs_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_h74_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_slow_scripts_of_one_user_do_not_hold_up_others_h74, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_waiting_scripts_of_one_user_leave_room_h74, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + test_script_answers();
}
