/*
 * test_tui_palette.c - what is typed behind ':', a place in the log, and who is asked for a name.
 */
#include <string.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

static struct play play;

#define SETTING(key, value, help) \
	"{\"key\":\"" key "\",\"value\":\"" value "\",\"default\":true,\"needs\":\"nothing\"," \
	"\"help\":\"" help "\"}"

static const struct answer finds[] = {
	{ "trace", "4711", "{\"rows\":[{\"id\":\"4711\",\"result\":\"250 sent\"}]}" },
	PLAY_BEGIN,
	{ "config.show", "brought",
		"{\"rows\":[" SETTING("queue.bin_keep", "10m", "How long it can be brought back.")
		"],\"next\":null,\"total\":1}" },
	{ "config.get", NULL, "{\"value\":\"10m\",\"key\":\"queue.bin_keep\",\"default\":true}" },
	{ "config.show", NULL, "{\"rows\":[],\"next\":null,\"total\":0}" },
	{ "user.list", NULL, "{\"rows\":[],\"next\":null,\"total\":0}" },
	{ "queue.list", NULL, "{\"rows\":[]}" },
	{ "list.open", NULL, "{\"cursor\":\"1\",\"total\":0,\"approx\":false}" },
	{ "list.page", NULL, "{\"rows\":[],\"rank\":0,\"total\":0}" },
	{ "list.close", NULL, "{\"done\":1}" },
	{ "user.show", NULL, "{\"name\":\"anna\",\"comment\":\"typed\"}" },
	{ "user.set", NULL, PLAY_DONE("user anna changed") },
	{ "preview", "user.remove",
		"{\"token\":\"t1\",\"count\":1,\"sample\":[\"anna\"],\"effects\":[\"would remove\"]}" },
	{ "apply", NULL, PLAY_DONE("user anna removed") },
	{ 0 },
};

/* Words find what only the server knows: settings by their help, users, messages. */
static void
palette_asks_the_server(void **state)
{
	(void)state;
	play_begin(&play, finds, 24, 80);
	play_keys(&play, ":mapping");
	assert_true(play_sees(&play, ">6             Screen: Maps"));
	play_keys(&play, "<Esc>:brought");
	assert_true(play_was_asked(&play, "config.show {\"filter\":\"brought\",\"limit\":6}"));
	assert_true(play_sees(&play, "Setting: queue.bin_keep   10m"));
	play_keys(&play, "<Enter>");
	assert_true(play_sees(&play, "Settings > queue.bin_keep"));
	play_keys(&play, "<Esc>:4711");
	assert_true(play_sees(&play, "Message: 4711   250 sent"));
	play_keys(&play, "<Esc>:");
	assert_true(play_sees(&play, "Again: brought")); /* what was chosen, not what was left */
	assert_false(play_sees(&play, "Again: 4711"));
	play_end(&play);
}

/* TUI-09: any command can be typed; what changes much is shown first, as everywhere. */
static void
palette_runs_commands_tui_09(void **state)
{
	(void)state;
	play_begin(&play, finds, 24, 80);
	play_keys(&play, ":user sh");
	assert_true(play_sees(&play, "postroom user show NAME"));
	play_keys(&play, "<Tab>");
	assert_true(play_sees(&play, "> user show"));
	assert_true(play_sees(&play, "Command: user show: NAME is missing"));
	play_keys(&play, "anna<Enter>");
	assert_true(play_was_asked(&play, "user.show {\"name\":\"anna\"}"));
	assert_true(play_sees(&play, "typed"));
	play_keys(&play, ":user set anna comment='a b'<Enter>");
	assert_true(play_was_asked(&play, "user.set {\"name\":\"anna\",\"keys\":{\"comment\":\"a b\"}}"));
	assert_true(play_sees(&play, "user anna changed   u takes it back"));
	play_keys(&play, ":user remove anna<Enter>");
	assert_true(play_sees(&play, "would remove"));
	assert_false(play_was_asked(&play, "apply "));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	play_keys(&play, ":user passwd anna<Enter>");
	assert_true(play_sees(&play, "wants a password"));
	play_end(&play);
}

/* A bookmark in the log stays on its line, whatever comes. */
static void
bookmark_in_the_log(void **state)
{
	(void)state;
	play_begin(&play, finds, 24, 80);
	play_keys(&play, "4m");
	assert_true(play_sees(&play, "bookmark at this line"));
	play_event(&play, "log", "{\"lines\":[{\"time\":\"2026-11-21T14:01:30Z\",\"level\":\"info\","
				 "\"service\":\"pop3\",\"session\":\"s2\",\"message\":\"\",\"text\":\"later\"}],"
				 "\"skipped\":0}");
	play_keys(&play, "G'");
	assert_true(play_sees(&play, "HELD"));
	assert_true(play_sees(&play, ">14:01:00"));
	play_keys(&play, "y");
	assert_true(span_find_span(buf_span(&play.console.clip), SPAN("it \\x1B[2J broke")) <
		buf_span(&play.console.clip).len);
	play_end(&play);
}

static const struct answer stranger[] = {
	{ "hello", NULL, "{\"epoch\":\"e\",\"user\":\"mallory\",\"role\":\"\",\"rights\":[]}" },
	{ "auth", "a wrong one", "!{\"code\":\"no_permission\",\"why\":\"wrong name or password\"}" },
	{ "auth", NULL, "{\"user\":\"anna\",\"role\":\"administrator\",\"rights\":[\"status.view\"]}" },
	{ "subscribe", NULL, "{\"subscription\":1,\"seq\":0}" },
	{ 0 },
};

/* Who has no rights by itself logs in; the password is not shown (STS-06, H66). */
static void
login_sts_06(void **state)
{
	(void)state;
	play_begin(&play, stranger, 24, 80);
	assert_true(play_sees(&play, "log in as:"));
	play_keys(&play, "anna<Enter>a wrong one");
	assert_true(play_sees(&play, "password: ***********"));
	play_keys(&play, "<Enter>");
	assert_true(play_sees(&play, "wrong name or password"));
	play_keys(&play, "x<Enter>canary-9<Enter>");
	assert_true(play_was_asked(&play, "auth {\"user\":\"anna\",\"password\":\"canary-9\"}"));
	assert_true(play_sees(&play, "anna:administrator"));
	assert_null(strstr(play_screen(&play), "canary"));
	play_keys(&play, "5"); /* a right that is missing is said */
	assert_true(play_sees(&play, "your rights do not show this"));
	play_end(&play);
}

int
test_tui_palette(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(palette_asks_the_server),
		cmocka_unit_test(palette_runs_commands_tui_09),
		cmocka_unit_test(bookmark_in_the_log),
		cmocka_unit_test(login_sts_06),
	};

	return cmocka_run_group_tests_name("palette", tests, NULL, NULL);
}
