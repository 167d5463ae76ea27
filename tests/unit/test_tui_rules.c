/*
 * test_tui_rules.c - rules in the console: SMTP rules, prune rules, monitoring, the archive.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define RULE(number, on, name, conditions, action) \
	"{\"key\":\"" number "\",\"cells\":{\"number\":" number ",\"enabled\":" on ",\"name\":\"" name "\"," \
	"\"match\":\"all\",\"conditions\":[" conditions "],\"action\":\"" action "\",\"stage\":3," \
	"\"hits_24h\":41,\"hits\":310,\"last_hit\":\"2026-11-21T13:20:00Z\",\"line\":7,\"target\":\"anna\",\"stage_given\":false}}"
#define TRIED(id, changed, rule, action, conditions) \
	"{\"key\":\"" id "\",\"cells\":{\"time\":\"2026-11-21T13:20:00Z\",\"from\":\"ads@dest8.test\"," \
	"\"to\":[\"carol@example.org\"],\"size\":25411002,\"rule\":\"" rule "\",\"action\":\"" action "\"," \
	"\"before\":\"copy orders\",\"before_action\":\"<\",\"changed\":" changed ",\"id\":\"" id "\"," \
	"\"subject\":\"Offers\",\"conditions\":" conditions ",\"told\":[\"y  Size: 20M\",\"n  !From: *@example.org\"]}}"
#define PRUNE(id, user, folder) \
	"{\"key\":\"" id "\",\"cells\":{\"id\":" id ",\"user\":" user ",\"folder\":\"" folder "\"," \
	"\"age\":30,\"size\":0,\"read\":\"any\",\"flagged\":\"unflagged\",\"deleted\":false,\"spam\":false}}"
#define ARCHIVED(id, subject, hold) \
	"{\"key\":\"" id "\",\"cells\":{\"id\":\"" id "\",\"time\":\"2026-11-21T13:20:00Z\"," \
	"\"from\":\"shop@example.org\",\"to\":[\"orders@dest3.test\",\"hidden@example.org\"]," \
	"\"subject\":\"" subject "\",\"size\":24576,\"direction\":\"outgoing\",\"hold\":" hold "," \
	"\"user\":\"shop\",\"service\":\"submission\",\"message\":\"4Kx0B2\"}}"
#define PROFILE \
	"\"name\":\"default\",\"incoming\":\"selected\",\"outgoing\":\"all\",\"internal\":\"none\"," \
	"\"users\":[\"bob\"],\"target\":\"anna\",\"min_kb\":0,\"sample_percent\":0,\"sample_target\":\"\""

static const struct answer rules[] = {
	{ "hello", NULL,
		"{\"version\":\"0.1\",\"hostname\":\"mail.example.org\",\"epoch\":\"e1\",\"user\":\"anna\","
		"\"role\":\"administrator\",\"rights\":[\"status.view\",\"queue.view\",\"log.view\","
		"\"config.edit\",\"message.read\"]}" },
	PLAY_BEGIN,
	PLAY_LIST("rule.smtp.list", "s"),
	{ "list.page", "\"cursor\":\"s\"",
		"{\"rows\":[" RULE("1", "true", "block exe", "\"attachment *.exe\"", "*") ","
		RULE("2", "false", "big attachments", "\"size > 20M\",\"not from *@example.org\"", "*") ","
		RULE("3", "true", "copy orders", "\"to orders@example.org\"", ">+anna<")
		"],\"rank\":0,\"total\":3}" },
	{ "rule.smtp.off", NULL, PLAY_DONE("rule 1 is off") },
	{ "rule.smtp.on", NULL, PLAY_DONE("rule 2 is on") },
	{ "rule.smtp.move", NULL, PLAY_DONE("rule moved") },
	{ "rule.smtp.show", NULL, "{\"text\":\"# orders go to two people\\n3 copy\\n\"}" },
	{ "rule.smtp.add", NULL, PLAY_DONE("rule added") },
	{ "rule.smtp.set", NULL, PLAY_DONE("rule changed") },
	{ "preview", "rule.smtp.remove", "{\"token\":\"t3\",\"count\":1,\"sample\":[\"1\"]}" },
	PLAY_LIST("rule.smtp.try", "t"),
	{ "list.page", "\"cursor\":\"t\"",
		"{\"rows\":[" TRIED("4Kx0B2", "true", "big attachments", "*", "[\"y\",\"n\"]") ","
		TRIED("4Kx0B1", "false", "copy orders", "<", "[\"n\",\"n\"]") "],\"rank\":0,\"total\":2}" },
	PLAY_LIST("rule.prune.list", "p"),
	{ "list.page", "\"cursor\":\"p\"",
		"{\"rows\":[" PRUNE("1", "null", "*") "," PRUNE("2", "\"bob\"", "INBOX") "],\"rank\":0,\"total\":2}" },
	PLAY_LIST("rule.prune.preview", "w"),
	{ "list.page", "\"cursor\":\"w\"",
		"{\"rows\":[{\"key\":\"bob INBOX 4\",\"cells\":{\"user\":\"bob\",\"folder\":\"INBOX\",\"uid\":4,"
		"\"from\":\"news@dest3.test\",\"subject\":\"Offers of last year\","
		"\"received\":\"2025-11-21T13:20:00Z\",\"size\":24576,\"rule\":2}}],\"rank\":0,\"total\":1}" },
	{ "rule.prune.add", NULL, PLAY_DONE("prune rule 3 added") },
	{ "rule.prune.set", NULL, PLAY_DONE("prune rule 1 changed") },
	{ "preview", "rule.prune.run",
		"{\"token\":\"t1\",\"count\":1,\"sample\":[\"bob INBOX 4\"],\"effects\":[\"1 message of bob\"]}" },
	PLAY_LIST("rule.monitor.list", "m"),
	{ "list.page", "\"cursor\":\"m\"",
		"{\"rows\":[{\"key\":\"default\",\"cells\":{" PROFILE "}}],\"rank\":0,\"total\":1}" },
	{ "rule.monitor.show", NULL,
		"{" PROFILE ",\"flagged\":[\"bob\",\"carol\"],\"flagged_more\":0,"
		"\"warnings\":[\"sample_percent is 0\"]}" },
	{ "rule.monitor.set", NULL, PLAY_DONE("profile changed") },
	{ "preview", "rule.monitor.remove", "{\"token\":\"t2\",\"count\":1,\"sample\":[\"default\"]}" },
	{ "archive.settings", NULL,
		"{\"on\":true,\"incoming\":true,\"outgoing\":true,\"internal\":false,\"keep_days\":3650,"
		"\"keep_incoming\":0,\"keep_outgoing\":0,\"keep_internal\":0,\"rules\":[],\"max_size\":0,"
		"\"messages\":1200311,\"size\":81234567890,\"removed\":12}" },
	{ "archive.set", NULL, PLAY_DONE("archive.keep_days changed") },
	PLAY_LIST("archive.search", "a"),
	{ "list.page", "\"cursor\":\"a\"",
		"{\"rows\":[" ARCHIVED("812", "Order 2291 confirmation", "false") ","
		ARCHIVED("811", "Offers", "true") "],\"rank\":0,\"total\":2}" },
	{ "archive.show", NULL,
		"{\"id\":\"812\",\"time\":\"2026-11-21T13:20:00Z\",\"sender\":\"shop@example.org\","
		"\"recipients\":[\"orders@dest3.test\",\"hidden@example.org\"],\"direction\":\"outgoing\","
		"\"header\":\"Subject: Order 2291 confirmation\\n\",\"text\":\"as agreed\"}" },
	{ "archive.copy", NULL, PLAY_DONE("copied") },
	{ "archive.hold", NULL, PLAY_DONE("held") },
	{ "archive.release", NULL, PLAY_DONE("released") },
	{ "archive.verify", NULL,
		"{\"rows\":[{\"id\":\"812\",\"what\":\"whole\",\"messages\":1200311,\"removed\":12,"
		"\"chain\":\"ab12\",\"warning\":true}]}" },
	{ "archive.export", NULL, "{\"done\":1,\"note\":\"1 message written\"}" },
	{ "user.show", NULL, "{\"name\":\"bob\"}" },
	PLAY_END,
};

static struct play play;

/* SMR-01: the rules in their order; on, off and moved from the list. */
static void
smtp_rules_smr_01(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8");
	assert_true(play_sees(&play, "big attachments"));
	assert_true(play_sees(&play, "attachment *.exe"));
	play_keys(&play, "E");
	assert_true(play_was_asked(&play, "rule.smtp.off {\"number\":1}"));
	play_keys(&play, "jE");
	assert_true(play_was_asked(&play, "rule.smtp.on {\"number\":2}"));
	play_keys(&play, "gjK");
	assert_true(play_was_asked(&play, "rule.smtp.move {\"number\":2,\"place\":1}"));
	play_keys(&play, "gJ");
	assert_true(play_was_asked(&play, "rule.smtp.move {\"number\":1,\"place\":2}"));
	play_keys(&play, "gM<Ctrl-U>3<F2>");
	assert_true(play_was_asked(&play, "rule.smtp.move {\"number\":1,\"place\":3}"));
	play_keys(&play, "g<Enter>");
	assert_true(play_was_asked(&play, "rule.smtp.show {\"number\":1}"));
	assert_true(play_sees(&play, "orders go to two people"));
	play_end(&play);
}

/* SMR-15: a rule is made of fields, stands there as its text, and is tried on messages before it counts. */
static void
a_rule_is_edited_smr_15(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8cno exe<Down><Down><Right><Down><Right><Down><Down><Right><Right><Right>");
	assert_true(play_sees(&play, "3+*no exe"));
	play_keys(&play, "<Down>Subject: *.exe; now*<Down>!From: *@example.org");
	assert_true(play_sees(&play, "!From: *@example.org"));
	play_keys(&play, "<F3>");
	assert_true(play_was_asked(&play, "\"rule.smtp.try\",\"params\":{\"rule\":"
		"\"3+*no exe\\nSubject: *.exe; now*\\n!From: *@example.org\\n\"}"));
	assert_true(play_sees(&play, "ads@dest8.test"));
	play_keys(&play, "Tlast<Down>500<F2>");
	assert_true(play_was_asked(&play, "\"against\":\"last\",\"last\":500,\"rule\":\"3+*no exe"));
	play_keys(&play, "<Esc><Esc><Esc><Esc><F2>");
	assert_true(play_was_asked(&play, "rule.smtp.add {\"text\":"
		"\"3+*no exe\\nSubject: *.exe; now*\\n!From: *@example.org\\n\"}"));
	play_end(&play);
}

/* SMR-15: what is there is filled in, also of one that is off; what is not touched stays as it was. */
static void
a_rule_is_changed_smr_15(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8jje<Ctrl-U>copies<F3>");
	assert_true(play_was_asked(&play, "\"params\":{\"number\":3,\"rule\":"
		"\">+anna<copies\\nto orders@example.org\\n\"}"));
	play_keys(&play, "<Esc><F2>");
	assert_true(play_was_asked(&play, "rule.smtp.set {\"number\":3,\"text\":"
		"\">+anna<copies\\nto orders@example.org\\n\"}"));
	play_keys(&play, "gje");
	assert_true(play_sees(&play, "#off *big attachments"));
	play_keys(&play, "<Esc>gd");
	assert_true(play_was_asked(&play, "preview {\"method\":\"rule.smtp.remove\",\"params\":{\"numbers\":[\"1\"]}}"));
	play_keys(&play, "y");
	play_keys(&play, "T");
	assert_true(play_was_asked(&play, "\"rule.smtp.try\",\"params\":{\"number\":"));
	play_end(&play);
}

/* The first cannot go up. */
static void
first_rule_stays(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8K");
	assert_false(play_was_asked(&play, "rule.smtp.move"));
	assert_true(play_sees(&play, "it is the first"));
	play_end(&play);
}

/* PRN-01: rules for all and of one; PRN-08: what would go now is looked at before it goes. */
static void
prune_rules_prn_01(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8]]");
	assert_true(play_sees(&play, "INBOX"));
	play_keys(&play, "cArchive<Down><Ctrl-U>90<F2>");
	assert_true(play_was_asked(&play,
		"rule.prune.add {\"keys\":{\"folder\":\"Archive\",\"age\":\"90\"}}"));
	play_keys(&play, "ge<Down><Ctrl-U>60<F2>");
	assert_true(play_was_asked(&play, "rule.prune.set {\"id\":\"1\",\"keys\":{\"age\":\"60\"}}"));
	play_keys(&play, "X");
	assert_true(play_sees(&play, "Offers of last year"));
	play_keys(&play, "R");
	assert_true(play_sees(&play, "1 message of bob"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	play_end(&play);
}

/* MON-01: profiles, who is monitored, and a profile's name goes along with what is changed of it. */
static void
monitoring_mon_01(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8]]]");
	assert_true(play_sees(&play, "selected"));
	play_keys(&play, "<Enter>");
	assert_true(play_sees(&play, "bob;carol") || play_sees(&play, "bob, carol"));
	play_keys(&play, "<Right><F2>");
	assert_true(play_was_asked(&play,
		"rule.monitor.set {\"keys\":{\"name\":\"default\",\"incoming\":\"all\"}}"));
	play_keys(&play, "<Esc>cboard<Down><Right><F2>");
	assert_true(play_was_asked(&play,
		"rule.monitor.set {\"keys\":{\"name\":\"board\",\"incoming\":\"selected\"}}"));
	play_keys(&play, "gd");
	assert_true(play_sees(&play, "default"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t2\"}"));
	play_end(&play);
}

/* ARC-04: what is archived and how long is a form of its own. */
static void
archiving_arc_04(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, "8]]]]");
	assert_true(play_sees(&play, "1200311") || play_sees(&play, "1,200,311"));
	play_keys(&play, "<Down><Down><Down><Down><Down><Ctrl-U>365<F2>");
	assert_true(play_was_asked(&play, "archive.set {\"keys\":{\"keep_days\":\"365\"}}"));
	play_end(&play);
}

/* ARC-02: found by a form of words, read, copied, held, released, verified; the question stays to be asked again. */
static void
archive_is_searched_arc_02(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, ":archive<Enter>");
	assert_true(play_was_asked(&play, "list.open {\"method\":\"archive.search\",\"params\":{}}"));
	play_keys(&play, "Sshop<Down><Down>order<Down><Down>30d<F2>");
	assert_true(play_was_asked(&play,
		"\"params\":{\"from\":\"shop\",\"text\":\"order\",\"since\":\"30d\",\"held\":false}"));
	assert_true(play_sees(&play, "Order 2291"));
	play_keys(&play, "<Enter>");
	assert_true(play_was_asked(&play, "archive.show {\"id\":\"812\"}"));
	assert_true(play_sees(&play, "hidden@example.org"));
	play_keys(&play, "]");
	assert_true(play_sees(&play, "as agreed"));
	play_keys(&play, "<Esc>Mbob<Down>Found<F2>");
	assert_true(play_was_asked(&play,
		"archive.copy {\"id\":\"812\",\"user\":\"bob\",\"folder\":\"Found\"}"));
	play_keys(&play, "Hcase 7<F2>");
	assert_true(play_was_asked(&play, "archive.hold {\"ids\":[\"812\"],\"why\":\"case 7\"}"));
	play_keys(&play, "gjU");
	assert_true(play_was_asked(&play, "archive.release {\"ids\":[\"811\"]}"));
	play_keys(&play, "Y<F2>");
	assert_true(play_was_asked(&play, "archive.verify {}"));
	assert_true(play_sees(&play, "ab12"));
	play_keys(&play, "<Esc><Esc><Esc>");
	assert_true(play_sees(&play, "30d"));
	play_end(&play);
}

/* ARC-05: each look at the archive stands in the log, so none is taken that nobody asked for. */
static void
archive_is_not_polled_arc_05(void **state)
{
	(void)state;
	play_begin(&play, rules, 24, 100);
	play_keys(&play, ":archive<Enter>");
	assert_true(play_was_asked(&play, "archive.search"));
	play.console.now_ms += 60000;
	play_event(&play, "status", "{\"store\":{\"commits\":9}}");
	play.console.now_ms += 60000;
	console_tick(&play.console);
	play_pump(&play);
	assert_false(play_was_asked(&play, "archive.search"));
	play_keys(&play, "r");
	assert_true(play_was_asked(&play, "archive.search"));
	play_end(&play);
}

/* ARC-02: the file is opened here, and goes along with the request. */
static void
archive_is_exported_arc_02(void **state)
{
	char folder[] = "/tmp/postroom-test-XXXXXX", path[64], keys[128];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/found.mbox", folder);
	snprintf(keys, sizeof(keys), ":archive<Enter>X%s<F2>", path);
	play_begin(&play, rules, 24, 100);
	play_keys(&play, keys);
	assert_true(play_was_asked(&play, "archive.export {\"ids\":[\"812\"],\"format\":\"mbox\",\"out\":0}"));
	assert_true(play_sees(&play, "1 message written"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(keys, sizeof(keys), "X%s<F2>", path); /* none is written over */
	play_keys(&play, keys);
	assert_true(play_sees(&play, "is there already"));
	assert_false(play_was_asked(&play, "archive.export"));
	play_end(&play);
	(void)unlink(path);
	(void)rmdir(folder);
}

static void
pages_of_rules(void **state)
{
	static const struct play_page pages[] = {
		{ "rules", "8" }, { "rule-edit", "jje" }, { "rule-try", "<F3>" }, { "prune", "<Esc><Esc>]]" }, { "prune-preview", "X" }, { "prune-edit", "<Esc>ge" },
		{ "monitor", "<Esc>]" }, { "profile", "<Enter>" }, { "archiving", "<Esc>]" }, { "archive", "<F9>archive<Enter>" },
		{ "archive-search", "S" }, { "archived", "<Esc><Enter>" },
	};

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = rules, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_rules(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(smtp_rules_smr_01),
		cmocka_unit_test(a_rule_is_edited_smr_15),
		cmocka_unit_test(a_rule_is_changed_smr_15),
		cmocka_unit_test(first_rule_stays),
		cmocka_unit_test(prune_rules_prn_01),
		cmocka_unit_test(monitoring_mon_01),
		cmocka_unit_test(archiving_arc_04),
		cmocka_unit_test(archive_is_searched_arc_02),
		cmocka_unit_test(archive_is_not_polled_arc_05),
		cmocka_unit_test(archive_is_exported_arc_02),
		cmocka_unit_test(pages_of_rules),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
