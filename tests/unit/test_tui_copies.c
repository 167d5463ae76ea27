/*
 * test_tui_copies.c - the journal, scripts, bins, signatures and message security in the console.
 */
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define ROW(cursor, key, cells) \
	{ "list.page", "\"cursor\":\"" cursor "\"", \
		"{\"rows\":[{\"key\":\"" key "\",\"cells\":{" cells "}}],\"rank\":0,\"total\":1}" }

static const struct answer copies[] = {
	PLAY_BEGIN,
	PLAY_LIST("journal.seats", "j"),
	ROW("j", "bob@example.org", "\"address\":\"bob@example.org\",\"kind\":\"internal\","
		"\"since\":\"2026-11-01T08:00:00Z\",\"last\":\"2026-11-21T13:00:00Z\""),
	{ "journal.release", NULL, PLAY_DONE("1 seat released") },
	{ "journal.show", NULL,
		"{\"internal\":\"journal\",\"external\":\"\",\"server\":\"\",\"tls\":\"starttls\",\"username\":\"\","
		"\"format\":\"report\",\"seats_internal\":\"25\",\"seats_external\":\"unlimited\","
		"\"internal_list\":[],\"receive\":[],\"receive_from\":[],\"used_internal\":7,"
		"\"free_internal\":18,\"used_external\":2,\"free_external\":null}" },
	{ "journal.set", NULL, PLAY_DONE("journal.seats_internal changed") },
	PLAY_LIST("message.bins", "b"),
	ROW("b", "bob", "\"user\":\"bob\",\"messages\":3,\"size\":24576,\"oldest\":\"2026-11-20T08:00:00Z\","
		"\"until\":\"2026-12-20T08:00:00Z\""),
	PLAY_LIST("message.bin", "m"),
	ROW("m", "4", "\"id\":\"4\",\"folder\":\"INBOX\",\"from\":\"news@dest3.test\",\"subject\":\"Offers\","
		"\"size\":512,\"removed\":\"2026-11-20T08:00:00Z\",\"until\":\"2026-12-20T08:00:00Z\""),
	{ "message.restore", NULL, PLAY_DONE("1 message put back") },
	PLAY_LIST("script.list", "s"),
	ROW("s", "bob", "\"user\":\"bob\",\"bytes\":71,\"changed\":\"2026-11-20T08:00:00Z\",\"by\":\"anna\""),
	{ "user.script", NULL, "{\"text\":\"if mail.size > 1000000 then keep() end\\n\"}" },
	{ "user.script.set", NULL, PLAY_DONE("script of bob in force") },
	PLAY_LIST("script.functions", "f"),
	ROW("f", "keep", "\"name\":\"keep()\",\"scripts\":\"user\",\"help\":\"the mailbox keeps it\""),
	{ "rule.content.show", NULL, "{\"text\":\"-- nothing yet\\n\"}" },
	{ "preview", "rule.content.apply",
		"{\"token\":\"t1\",\"count\":1,\"effects\":[\"would put this script in force\"]}" },
	PLAY_LIST("user.list", "u"),
	ROW("u", "bob", "\"name\":\"bob\",\"flags\":\"\""),
	{ "user.show", NULL, "{\"name\":\"bob\"}" },
	PLAY_LIST("rule.prune.list", "p"),
	ROW("p", "2", "\"id\":2,\"user\":\"bob\",\"folder\":\"News\",\"age\":30,\"size\":0,\"read\":\"any\","
		"\"flagged\":\"unflagged\",\"deleted\":false,\"spam\":false"),
	{ "signature.preview", NULL, "{\"text\":\"Bob, Example Ltd\\n\"}" },
	{ "list.open", "mapping.list", "!{\"code\":\"no_permission\",\"what\":\"mapping list\","
		"\"why\":\"message security is on\",\"field\":\"message_security\"}" },
	{ "security.open", NULL, PLAY_DONE("open") },
	{ "security.status", NULL, "{\"on\":true,\"open\":false}" },
	{ "security.on", NULL, PLAY_DONE("on") },
	{ "apply", NULL, PLAY_DONE("done") },
	{ "list.page", NULL, "{\"rows\":[],\"rank\":0,\"total\":0}" },
	{ "list.close", NULL, "{\"done\":1}" },
	{ 0 },
};

static struct play play;

/* JRN-11: who has a seat, how many are free, and one is given back. */
static void
journal_seats_jrn_11(void **state)
{
	(void)state;
	play_begin(&play, copies, 24, 100);
	play_keys(&play, ":journal<Enter>");
	assert_true(play_sees(&play, "bob@example.org"));
	play_keys(&play, "d");
	assert_true(play_was_asked(&play, "journal.release {\"addresses\":[\"bob@example.org\"]}"));
	play_keys(&play, "S");
	assert_true(play_sees(&play, "free_internal"));
	play_keys(&play, "<Esc>]");
	assert_true(play_sees(&play, "report"));
	for (int i = 0; i < 7; i++)
		play_keys(&play, "<Down>");
	play_keys(&play, "<Ctrl-U>50<F2>");
	assert_true(play_was_asked(&play, "journal.set {\"keys\":{\"seats_internal\":\"50\"}}"));
	play_end(&play);
}

/* RCY-02: the bins of all, and a message goes back from one. */
static void
bins_of_all_rcy_02(void **state)
{
	(void)state;
	play_begin(&play, copies, 24, 100);
	play_keys(&play, ":bins<Enter><Enter>");
	assert_true(play_was_asked(&play, "\"message.bin\",\"params\":{\"user\":\"bob\"}"));
	play_keys(&play, "E");
	assert_true(play_was_asked(&play, "message.restore {\"user\":\"bob\",\"ids\":[\"4\"]}"));
	play_end(&play);
}

/* RTE-12: a user's script is read, what it may call is listed, and a file is put in force. */
static void
scripts_rte_12(void **state)
{
	char path[] = "/tmp/postroom-test-XXXXXX", keys[64];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	play_begin(&play, copies, 24, 100);
	play_keys(&play, ":scripts<Enter><Enter>");
	assert_true(play_sees(&play, "mail.size"));
	play_keys(&play, "H");
	assert_true(play_sees(&play, "the mailbox keeps it"));
	snprintf(keys, sizeof(keys), "<Esc>U%s<F2>", path);
	play_keys(&play, keys);
	assert_true(play_was_asked(&play, "user.script.set {\"user\":\"bob\",\"file\":0}"));
	play_keys(&play, "U/nowhere/a.lua<F2>");
	assert_true(play_sees(&play, "No such file"));
	assert_false(play_was_asked(&play, "user.script.set"));
	play_keys(&play, "<Esc><Esc>:content<Enter>");
	snprintf(keys, sizeof(keys), "U%s<F2>", path);
	play_keys(&play, keys);
	assert_true(play_sees(&play, "would put this script in force"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	play_end(&play);
	close(fd);
	(void)unlink(path);
}

/* USR-32: the signature as a user's mail would have it. */
static void
signature_usr_32(void **state)
{
	(void)state;
	play_begin(&play, copies, 24, 100);
	play_keys(&play, "5S");
	assert_true(play_was_asked(&play, "signature.preview {\"user\":\"bob\"}"));
	assert_true(play_sees(&play, "Example Ltd"));
	play_end(&play);
}

/* SEC-09: what is refused asks for the password, which is never shown, and is asked for again. */
static void
guarded_sec_09(void **state)
{
	(void)state;
	play_begin(&play, copies, 24, 100);
	play_keys(&play, "6");
	assert_true(play_sees(&play, "password of message security"));
	play_keys(&play, "geheim");
	assert_false(play_sees(&play, "geheim"));
	play_keys(&play, "<Enter>");
	assert_true(play_was_asked(&play, "security.open {\"password\":\"geheim\"}\nlist.open {\"method\":\"mapping.list\""));
	play_end(&play);
	play_begin(&play, copies, 24, 100);
	play_keys(&play, ":security<Enter>Psecret<F2>");
	assert_true(play_was_asked(&play, "security.on {\"password\":\"secret\"}"));
	play_end(&play);
}

static void
pages_of_copies(void **state)
{
	static const struct play_page pages[] = {
		{ "journal", ":journal<Enter>" }, { "journal-to", "]" }, { "bins", "<F9>bins<Enter>" },
		{ "scripts", ":scripts<Enter>" }, { "script", "<Enter>" }, { "functions", "H" }, { "security", ":security<Enter>" },
		{ "content", ":content<Enter>" }, { "user-prune", "5<Enter><PgUp>[[" },
	};

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = copies, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_copies(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(journal_seats_jrn_11),
		cmocka_unit_test(bins_of_all_rcy_02),
		cmocka_unit_test(scripts_rte_12),
		cmocka_unit_test(signature_usr_32),
		cmocka_unit_test(guarded_sec_09),
		cmocka_unit_test(pages_of_copies),
	};

	return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
