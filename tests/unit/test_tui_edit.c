/*
 * test_tui_edit.c - a text that is edited: all rules at once, a message that is pasted; and the test of rules.
 */
#include <string.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define RULES "# first\\n*no exe\\nSubject: *.exe\\n"

static const struct answer texts[] = {
	PLAY_BEGIN,
	PLAY_LIST("rule.smtp.list", "s"),
	{ "list.page", "\"cursor\":\"s\"",
		"{\"rows\":[{\"key\":\"1\",\"cells\":{\"number\":1,\"enabled\":true,\"name\":\"no exe\"}}],"
		"\"rank\":0,\"total\":1}" },
	PLAY_LIST("rule.smtp.try", "t"),
	{ "list.page", "\"cursor\":\"t\"",
		"{\"rows\":[{\"key\":\"pasted\",\"cells\":{\"from\":\"ads@dest8.test\",\"rule\":\"no exe\","
		"\"action\":\"*\",\"changed\":true}}],\"rank\":0,\"total\":1}" },
	{ "rule.smtp.edit", NULL, "{\"text\":\"" RULES "\"}" },
	{ "rule.smtp.check", NULL,
		"{\"rows\":[{\"line\":3,\"column\":1,\"key\":\"\",\"what\":\"no such field\",\"warning\":false}]}" },
	{ "preview", "rule.smtp.apply", "{\"token\":\"t1\",\"count\":1,\"effects\":[\"would change the rules\"]}" },
	{ "apply", NULL, PLAY_DONE("the rules are in force") },
	{ "list.close", NULL, "{\"done\":1}" },
	{ 0 },
};

static struct play play;

/* SMR-02: all rules as one text: checked, tried, shown, and put in force in one step. */
static void
rules_as_text_smr_02(void **state)
{
	(void)state;
	play_begin(&play, texts, 24, 80);
	play_keys(&play, "8X");
	assert_true(play_was_asked(&play, "rule.smtp.edit {}"));
	assert_true(play_sees(&play, "# first"));
	assert_true(play_sees(&play, "line 1 of 4"));
	play_keys(&play, "<Down><Down><End>x");
	assert_true(play_sees(&play, "Subject: *.exex"));
	assert_true(play_sees(&play, "not saved"));
	play_keys(&play, "<Home><F5>");
	assert_true(play_was_asked(&play, "rule.smtp.check {\"file\":0}"));
	assert_true(play_sees(&play, "line 3: no such field"));
	assert_true(play_sees(&play, "!Subject"));
	play_keys(&play, "<F3>");
	assert_true(play_was_asked(&play, "\"rule.smtp.try\",\"params\":{\"draft\":\"# first\\n*no exe\\nSubject: *.exex\\n\"}"));
	play_keys(&play, "<Esc><Esc>");
	assert_true(play_sees(&play, "the text is not saved, Esc again leaves"));
	play_keys(&play, "<F2>");
	assert_true(play_sees(&play, "would change the rules"));
	assert_false(play_was_asked(&play, "apply {"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	assert_true(play_sees(&play, "the rules are in force"));
	play_keys(&play, "<Esc>");
	assert_true(play_sees(&play, "[SMTP]"));
	play_end(&play);
}

/* Somebody else saved meanwhile: it is said, and a second F2 writes over it. */
static void
text_that_changed_meanwhile(void **state)
{
	static const struct answer later[] = {
		{ "rule.smtp.edit", NULL, "{\"text\":\"# theirs\\n\"}" },
		{ "preview", "rule.smtp.apply", "{\"token\":\"t1\",\"count\":1,\"effects\":[\"would change\"]}" },
		{ 0 },
	};

	(void)state;
	play_begin(&play, texts, 24, 80);
	play_keys(&play, "8Xmine ");
	play.answers = later;
	buf_clear(&play.asked);
	play_keys(&play, "<F2>");
	assert_true(play_sees(&play, "somebody else changed this text"));
	assert_true(play_sees(&play, "mine # first"));
	assert_false(play_was_asked(&play, "preview"));
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "preview"));
	play_end(&play);
}

/* SMR-15: a pasted message is one to test against, its lines whole; and what differs alone is shown. */
static void
pasted_message_smr_15(void **state)
{
	(void)state;
	play_begin(&play, texts, 24, 100);
	play_keys(&play, "8T");
	assert_true(play_was_asked(&play, "\"rule.smtp.try\",\"params\":{\"number\":1}"));
	assert_true(play_sees(&play, "as of each message"));
	play_keys(&play, "A");
	assert_true(play_was_asked(&play, "{\"now\":\"0s\",\"number\":1}"));
	assert_true(play_sees(&play, "as of now"));
	play_keys(&play, "C");
	assert_true(play_was_asked(&play, "\"filter\":\"changed:yes\""));
	play_keys(&play, "CP");
	console_press(&play.console, &(struct press){ KEY_PASTED, SPAN("Subject: a.exe\r\nFrom: x@y.test\r\n\r\nbody\033[31m\n") });
	assert_true(play_sees(&play, "From: x@y.test"));
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play,
		"{\"against\":\"Subject: a.exe\\nFrom: x@y.test\\n\\nbody[31m\\n\",\"now\":\"0s\",\"number\":1}"));
	assert_true(play_sees(&play, "ads@dest8.test"));
	play_keys(&play, "A");
	assert_true(play_was_asked(&play, "body[31m\\n\",\"number\":1}"));
	play_end(&play);
}

static void
random_keys_here(void **state)
{
	(void)state;
	play_begin(&play, texts, 24, 80);
	play_event(&play, "status", PLAY_STATUS);
	play_storm(&play, "8XTPACjkh*<>+ Subject:!aq", 3000);
	play_end(&play);
}

static void
pages_of_texts(void **state)
{
	static const struct play_page pages[] = { { "rules-text", "8X<Down><Down><F5>" }, { "rule-paste", "<Esc>TPSubject: hello" } };

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = texts, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_edit(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_as_text_smr_02),
		cmocka_unit_test(text_that_changed_meanwhile),
		cmocka_unit_test(pasted_message_smr_15),
		cmocka_unit_test(random_keys_here),
		cmocka_unit_test(pages_of_texts),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
