/*
 * test_tui_download.c - download rules: the list, the form, the text, the test.
 */
#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define LIST(method, cursor) { "list.open", "\"" method "\"", "{\"cursor\":\"" cursor "\",\"total\":3}" }
#define RULE(number, name, match, conditions, action, target, also, automatic) \
	"{\"key\":\"" number "\",\"cells\":{\"number\":" number ",\"enabled\":true,\"name\":\"" name "\"," \
	"\"match\":\"" match "\",\"conditions\":[" conditions "],\"action\":\"" action "\",\"target\":\"" target "\"," \
	"\"also\":" also ",\"hits_24h\":3,\"hits\":41,\"last_hit\":\"2026-11-21T13:20:00Z\",\"automatic\":" automatic ",\"line\":2}}"

static const struct answer rules[] = {
	PLAY_BEGIN,
	LIST("rule.smtp.list", "s"),
	LIST("rule.download.list", "d"),
	{ "list.page", "\"cursor\":\"d\"",
		"{\"rows\":[" RULE("1", "junk", "any", "\"From: @dest8.test\",\"Subject: win\"", "@", "", "false", "false") ","
		RULE("2", "big ones", "all", "\"Size: 20000\"", ">+bert?", "bert", "true", "false") ","
		RULE("3", "limit of isp", "all", "\"InMail: 1\",\"Size: 500000\"", "?", "", "false", "true") "],\"rank\":0,\"total\":3}" },
	{ "rule.download.off", NULL, PLAY_DONE("rule 1 is off") },
	{ "rule.download.move", NULL, PLAY_DONE("rule moved") },
	{ "rule.download.add", "bad field", "!{\"code\":\"invalid\",\"what\":\"rule download add\",\"why\":\"line 2: a condition is Field: text\",\"field\":\"text\"}" },
	{ "rule.download.add", NULL, PLAY_DONE("rule added") },
	{ "rule.download.set", NULL, PLAY_DONE("rule changed") },
	{ "rule.download.edit", NULL, "{\"text\":\"# ours\\n+@junk\\nFrom: @dest8.test\\n\"}" },
	{ "preview", "rule.download.remove", "{\"token\":\"t3\",\"count\":1,\"sample\":[\"1\"]}" },
	LIST("rule.download.ask.list", "q"),
	{ "list.page", "\"cursor\":\"q\"",
		"{\"rows\":[{\"key\":\"7\",\"cells\":{\"id\":\"7\",\"collector\":\"isp\",\"from\":\"scan@dest9.test\","
		"\"subject\":\"Plans \\u202e of the house\",\"size\":31000000,\"rule\":\"big ones\",\"asked\":[\"anna\",\"bert\"],"
		"\"since\":\"2026-11-20T13:20:00Z\",\"until\":\"2026-11-27T13:20:00Z\",\"answer\":\"open\",\"by\":\"\"}}],"
		"\"rank\":0,\"total\":1}" },
	{ "rule.download.ask.fetch", NULL, PLAY_DONE("1 message is fetched the next time") },
	{ "preview", "rule.download.ask.remove", "{\"token\":\"t5\",\"count\":1,\"sample\":[\"7\"],\"effects\":[\"removed there\"]}" },
	{ "apply", NULL, PLAY_DONE("done") },
	LIST("rule.download.try", "t"),
	{ "list.page", "\"cursor\":\"t\"",
		"{\"rows\":[{\"key\":\"4Kx\",\"cells\":{\"time\":\"2026-11-21T13:20:00Z\",\"from\":\"ads@dest8.test\","
		"\"to\":[\"carol@example.org\"],\"size\":25411002,\"rule\":\"junk\",\"action\":\"@\",\"before\":\"\","
		"\"before_action\":\"<\",\"changed\":true,\"told\":[\"y  From: @dest8.test\"],\"who\":[\"collect: To names anna@example.org: anna\",\"mailbox: anna: by the user's own name\"]}}],\"rank\":0,\"total\":1}" },
	{ "list.page", NULL, "{\"rows\":[],\"rank\":0,\"total\":0}" },
	{ "user.list", NULL, "{\"rows\":[{\"name\":\"anna\"}]}" },
	{ "maillist.list", NULL, "{\"rows\":[{\"name\":\"news\"}]}" },
	{ "collect.list", NULL, "{\"rows\":[{\"name\":\"isp\"}]}" },
	{ "list.close", NULL, "{\"done\":1}" },
	{ 0 },
};

static struct play play;

/* DLR-02, DLR-14: the rules in their order, moved, switched; DLR-13: a limit stands last and is only looked at. */
static void
download_list_dlr_14_dlr_13(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8]");
	assert_true(play_sees(&play, "[Download]"));
	assert_true(play_sees(&play, "big ones"));
	play_keys(&play, "E");
	assert_true(play_was_asked(&play, "rule.download.off {\"number\":1}"));
	play_keys(&play, "gJ");
	assert_true(play_was_asked(&play, "rule.download.move {\"number\":1,\"place\":2}"));
	play_keys(&play, "gM<Ctrl-U>2<F2>");
	assert_true(play_was_asked(&play, "rule.download.move {\"number\":1,\"place\":2}"));
	play_keys(&play, "Ge");
	assert_true(play_sees(&play, "this one is the limit of a collector"));
	play_keys(&play, "dEKJM");
	assert_true(play_sees(&play, "[Download]"));
	assert_false(play_was_asked(&play, "preview"));
	play_keys(&play, "K");
	assert_false(play_was_asked(&play, "rule.download.move"));
	play_end(&play);
}

/* DLR-14: action, target, AND or OR, conditions; what it makes stands beside, and is checked when it is submitted. */
static void
download_form_dlr_14(void **state)
{
	(void)state;
	play_begin(&play, rules, 36, 120);
	play_keys(&play, "8]cask fred<Down><Down><Right><Down><Right><Right><Down><F4>an<Enter>");
	assert_true(play_sees(&play, "Whom               [anna"));
	assert_true(play_sees(&play, "+>anna?ask fred"));
	play_keys(&play, "<Down> ");
	assert_true(play_sees(&play, "+>+anna?ask fred"));
	play_keys(&play, "<Down>bad field<F2>");
	assert_true(play_sees(&play, "line 2: a condition is Field: text"));
	play_keys(&play, "<Ctrl-U>Size: 20000<Down>!From: @example.org<F3>");
	assert_true(play_was_asked(&play, "\"rule.download.try\",\"params\":{\"rule\":\"+>+anna?ask fred\\nSize: 20000\\n!From: @example.org\\n\"}"));
	play_keys(&play, "T<Down><Down><Down><F4><Enter><F2>");
	assert_true(play_was_asked(&play, "\"rule\":\"+>+anna?ask fred\\nSize: 20000\\n!From: @example.org\\n\",\"collect\":\"isp\"}"));
	play_keys(&play, "<Esc><Esc><Esc><Esc><F2>");
	assert_true(play_was_asked(&play, "rule.download.add {\"text\":\"+>+anna?ask fred\\nSize: 20000\\n!From: @example.org\\n\"}"));
	play_end(&play);
}

/* DLR-14, TUI-01: where there is no room for what it makes, the fields have it; nothing is drawn over anything. */
static void
download_form_at_40x10_tui_01(void **state)
{
	static const int sizes[][2] = { { 10, 40 }, { 12, 80 }, { 15, 60 } };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		play_begin(&play, rules, sizes[i][0], sizes[i][1]);
		play_keys(&play, "8]c");
		assert_true(play_sees(&play, " Rules > New download rule"));
		assert_true(play_sees(&play, ">Name               ["));
		assert_true(play_sees(&play, "stands in notices and in the log"));
		play_keys(&play, "<Down><Down><Down>");
		assert_true(play_sees(&play, ">Then               <fetch"));
		play_end(&play);
	}
}

/* F-DLR-1: each action comes back out of the form as it went in. */
static void
actions_f_dlr_1(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8]e<Ctrl-U>junk mail<F2>");
	assert_true(play_was_asked(&play, "rule.download.set {\"number\":1,\"text\":\"+@junk mail\\nFrom: @dest8.test\\nSubject: win\\n\"}"));
	play_keys(&play, "gje<Ctrl-U>big<F2>");
	assert_true(play_was_asked(&play, "rule.download.set {\"number\":2,\"text\":\">+bert?big\\nSize: 20000\\n\"}"));
	play_keys(&play, "gje<Down><Down><Down><Left><F2>"); /* fetch-and-delete before ask */
	assert_true(play_was_asked(&play, "\"text\":\">+bert%big ones\\nSize: 20000\\n\"}"));
	play_end(&play);
}

/* DLR-02: one rule set, as rows and as a text. */
static void
download_text_dlr_02(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8]X");
	assert_true(play_was_asked(&play, "rule.download.edit {}"));
	assert_true(play_sees(&play, "+@junk"));
	play_keys(&play, "<F3>P");
	assert_true(play_was_asked(&play, "\"rule.download.try\",\"params\":{\"draft\":\"# ours\\n+@junk"));
	play_keys(&play, "From: x@dest8.test<F2>");
	assert_true(play_was_asked(&play, "\"against\":\"From: x@dest8.test\\n\""));
	play_end(&play);
}

/* DLR-07: what was asked, answered from here in place of those who were asked. */
static void
questions_dlr_07(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 80);
	play_keys(&play, "8]Q");
	assert_true(play_sees(&play, "scan@dest9.test"));
	assert_true(play_sees(&play, "\\u{202E}")); /* H70 */
	play_keys(&play, "C");
	assert_true(play_was_asked(&play, "rule.download.ask.fetch {\"ids\":[\"7\"]}"));
	play_keys(&play, "d");
	assert_true(play_sees(&play, "removed there"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t5\"}"));
	play_end(&play);
}

static void
random_keys_here(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 80);
	play_event(&play, "status", PLAY_STATUS);
	play_storm(&play, "8]jkgGEKJcedTXMPAC *?:aqxF", 3000);
	play_end(&play);
}

static void
pages_of_download(void **state)
{
	static const struct play_page pages[] = { { "download", "8]" }, { "download-edit", "je" }, { "download-try", "<F3>" }, { "asked", "<Esc><Esc>Q" } };

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = rules, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_download(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(download_list_dlr_14_dlr_13),
		cmocka_unit_test(download_form_at_40x10_tui_01),
		cmocka_unit_test(download_form_dlr_14),
		cmocka_unit_test(actions_f_dlr_1),
		cmocka_unit_test(download_text_dlr_02),
		cmocka_unit_test(questions_dlr_07),
		cmocka_unit_test(random_keys_here),
		cmocka_unit_test(pages_of_download),
	};

	return cmocka_run_group_tests_name("download", tests, NULL, NULL);
}
