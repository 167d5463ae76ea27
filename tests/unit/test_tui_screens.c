/*
 * test_tui_screens.c - screens of objects: lists, groups, access, logins, settings; what their keys ask for.
 */
#include <string.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define ROW(key, cells) "{\"key\":\"" key "\",\"revision\":1,\"cells\":{" cells "}}"
#define PAGE(rows, total) "{\"rows\":[" rows "],\"rank\":0,\"total\":" total "}"
/* The cursor of a list is named by its method, so that its pages can be told apart. */
#define LIST(method, rows, total) \
	{ "list.open", "\"" method "\"", "{\"cursor\":\"" method "\",\"total\":" total ",\"approx\":false}" }, \
	{ "list.page", "\"" method "\"", PAGE(rows, total) }

#define LETTER \
	"\"from\":\"x@y.test\",\"to\":[\"anna@example.org\"],\"subject\":\"evil \\u001b[31mred\",\"date\":" \
	"\"2026-11-21T13:00:00Z\",\"size\":600,\"header\":\"Subject: evil \\u001b[31mred\\r\\nFrom: x@y.test\\r\\n\"," \
	"\"body\":\"raw=20body\\r\\n\",\"text\":\"hello \\u202e\\r\\n\\tworld \\u001b]52;c;QQ\\u0007\\r\\n\"," \
	"\"parts\":[\"- multipart/mixed 90 7bit\",\"1 text/plain 30 7bit\",\"2 image/png 40 base64 a\\u202eb.png\"],"

static const struct answer objects[] = {
	PLAY_BEGIN,
	LIST("maillist.list",
		ROW("office", "\"name\":\"office\",\"kind\":\"group\",\"members\":2,\"comment\":\"\"") ","
		ROW("news", "\"name\":\"news\",\"kind\":\"distribution\",\"members\":3,\"comment\":\"to all\""),
		"2"),
	LIST("maillist.members",
		ROW("anna", "\"member\":\"anna\",\"kind\":\"user\",\"added\":\"2026-11-21T13:00:00Z\"") ","
		ROW("bert", "\"member\":\"bert\",\"kind\":\"user\",\"added\":\"2026-11-21T13:01:00Z\"") ","
		ROW("x@y.test", "\"member\":\"x@y.test\",\"kind\":\"address\",\"added\":null"), "3"),
	{ "maillist.member", NULL, PLAY_DONE("maillist news given other members") },
	{ "maillist.set", NULL, PLAY_DONE("maillist news changed") },
	{ "maillist.show", NULL, "{\"name\":\"news\",\"comment\":\"to all\",\"kind\":\"distribution\","
		"\"created\":\"2026-11-20T10:00:00Z\",\"member_count\":3,\"builtin\":false,\"revision\":2}" },
	LIST("group.list", ROW("office", "\"name\":\"office\",\"members\":[\"anna\",\"bert\"],\"role\":"
		"\"administrator\",\"enabled\":true,\"comment\":\"front\""), "1"),
	{ "group.show", NULL, "{\"name\":\"office\",\"comment\":\"front\",\"enabled\":true,\"force\":false,"
		"\"admin\":\"on\",\"everyone\":\"unset\",\"send_internet\":\"unset\",\"member_count\":2,"
		"\"revision\":2}" },
	{ "group.set", NULL, PLAY_DONE("group office changed") },
	LIST("block.list", ROW("192.0.2.9 anna", "\"address\":\"192.0.2.9\",\"user\":\"anna\",\"failures\":5,"
		"\"since\":\"2026-11-21T13:00:00Z\",\"until\":\"2026-11-21T14:30:00Z\",\"why\":\"5 failed logins "
		"within a minute\""), "1"),
	{ "block.remove", NULL, PLAY_DONE("192.0.2.9 anna let in again") },
	LIST("access.list", ROW("smtp 1", "\"service\":\"smtp\",\"no\":1,\"line\":\"allow 192.0.2.0/24\","
		"\"meaning\":\"allowed\""), "1"),
	LIST("access.test", ROW("smtp", "\"service\":\"smtp\",\"connect\":true,\"login\":true,\"send\":true,"
		"\"relay\":false,\"line\":\"allow 192.0.2.0/24\",\"why\":\"to others: no, the sender is a "
		"stranger\""), "1"),
	LIST("session.list", "", "0"),
	LIST("service.list", ROW("smtp", "\"name\":\"smtp\",\"on\":true,\"listen\":[\"127.0.0.1:25\"],\"tls\":"
		"\"starttls\",\"sessions\":0,\"max_connections\":100"), "1"),
	LIST("user.list", ROW("anna", "\"flags\":\"\",\"name\":\"anna\",\"group\":\"office\",\"inbox\":0,"
		"\"size\":0,\"quota_mb\":0,\"last_login\":null,\"comment\":\"\""), "1"),
	{ "user.show", NULL, "{\"name\":\"anna\",\"enabled\":true,\"locked\":true,\"locked_until\":"
		"\"2026-11-21T14:30:00Z\",\"legacy\":[\"apop\"],\"app_passwords\":1,\"protocols\":[\"pop3\"],"
		"\"lists\":[\"Everyone\",\"news\"],\"identities\":[\"sales@example.org\"],\"revision\":4}" },
	LIST("apppass.list", ROW("1", "\"id\":\"1\",\"label\":\"phone\",\"protocols\":[\"imap\",\"smtp\"],"
		"\"created\":\"2026-11-20T10:00:00Z\",\"last_used\":null,\"last_by\":null"), "1"),
	{ "apppass.add", NULL, "{\"done\":1,\"skipped\":[],\"undo\":\"9\",\"undo_until\":null,\"note\":"
		"\"app password made; it is shown this once\",\"secret\":\"abcd-efgh\"}" },
	LIST("mapping.list", ROW("1", "\"address\":\"sales@example.org\",\"target\":\"anna\",\"when\":\"pop3\","
		"\"collect\":\"\",\"comment\":\"shop\",\"id\":\"1\""), "1"),
	{ "mapping.set", NULL, PLAY_DONE("mapping changed") },
	{ "preview", "user.rename", "{\"token\":\"t7\",\"count\":1,\"sample\":[],\"effects\":"
		"[\"would rename user anna -> anne\"],\"warnings\":[],\"cli\":\"postroom user rename\"}" },
	{ "apply", "t7", PLAY_DONE("user anna renamed anne") },
	LIST("message.list", ROW("7", "\"uid\":7,\"from\":\"x@y.test\",\"subject\":\"evil \\u001b[31mred\","
		"\"date\":\"2026-11-21T13:00:00Z\",\"size\":600,\"flags\":[],\"held\":false"), "1"),
	{ "message.show", NULL, "{\"uid\":7," LETTER "\"truncated\":false}" },
	LIST("queue.list", ROW("4Kx", "\"id\":\"4Kx\",\"state\":\"active\",\"age\":5,\"next_try\":null,"
		"\"size\":600,\"sender\":\"x@y.test\",\"recipients\":[\"a@b.test\"],\"last_error\":\"\","
		"\"tries\":0,\"subject\":\"s\",\"via\":\"\",\"user\":\"\""), "1"),
	{ "queue.show", NULL, "{\"id\":\"4Kx\",\"sender\":\"x@y.test\"}" },
	{ "queue.message", NULL, "{\"id\":\"4Kx\"," LETTER "\"truncated\":true}" },
	LIST("config.show", ROW("log.max_size", "\"key\":\"log.max_size\",\"value\":\"10MB\",\"default\":true,"
		"\"needs\":\"nothing\",\"help\":\"A log file of this size is put aside.\",\"type\":\"size\""),
		"1"),
	{ "config.get", NULL, "{\"value\":10485760,\"key\":\"log.max_size\",\"default\":true,\"text\":\"10MB\"}" },
	{ "preview", "\"value\":\"many\"", "!{\"code\":\"invalid\",\"what\":\"config set\",\"why\":"
		"\"log.max_size: not a size\",\"field\":\"log.max_size\"}" },
	{ "preview", "config.set", "{\"token\":\"t8\",\"count\":1,\"sample\":[],\"effects\":[\"would set "
		"log.max_size\",\"-log: { max_size: 10MB }\",\"+log: { max_size: 12MB }\"],\"warnings\":[]}" },
	{ "preview", "config.change", "{\"token\":\"t7\",\"count\":1,\"sample\":[],\"effects\":[\"would set "
		"log.max_size\",\"+log: { max_size: 12MB }\"],\"warnings\":[]}" },
	{ "preview", "config.unset", "{\"token\":\"t9\",\"count\":1,\"sample\":[],\"effects\":"
		"[\"would set log.max_size back to its default\"],\"warnings\":[]}" },
	{ "preview", "message.", "{\"token\":\"t6\",\"count\":1,\"sample\":[],\"effects\":[\"as new mail\"],\"warnings\":[]}" },
	{ "apply", NULL, PLAY_DONE("config log.max_size changed") },
	{ "list.close", NULL, "{\"done\":1}" },
	{ 0 },
};

static struct play play;

static void
members_of_a_list_lst_01(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, "7j<Enter>");
	assert_true(play_was_asked(&play, "\"params\":{\"name\":\"news\"}"));
	assert_true(play_sees(&play, "Lists > news   [Members]  General"));
	play_keys(&play, "cdora;eve<F2>");
	assert_true(play_was_asked(&play,
		"maillist.member {\"name\":\"news\",\"act\":\"add\",\"members\":[\"dora\",\"eve\"]}"));
	assert_true(play_sees(&play, "given other members   u takes it back"));
	play_keys(&play, "  d"); /* the marked ones */
	assert_true(play_was_asked(&play,
		"maillist.member {\"name\":\"news\",\"act\":\"remove\",\"members\":[\"anna\",\"bert\"]}"));
	play_keys(&play, "*d"); /* this method takes no filter */
	assert_true(play_sees(&play, "mark the rows one by one"));
	assert_false(play_was_asked(&play, "maillist.member"));
	play_end(&play);
}

/* A new name begins as the old one, and only what was changed is sent. */
static void
forms_begin_as_the_row_is(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, "7jWs<F2>");
	assert_true(play_was_asked(&play, "maillist.set {\"name\":\"news\",\"keys\":{\"name\":\"newss\"}}"));
	play_keys(&play, "6e<Down><Down><F2>"); /* nothing was changed */
	assert_true(play_was_asked(&play, "\"keys\":{}}"));
	play_keys(&play, "e<Down><Down><Back><Back><Back><Back><F2>"); /* a comment can be emptied */
	assert_true(play_was_asked(&play, "\"keys\":{\"comment\":\"\"}"));
	play_end(&play);
}

static void
group_form_grp_02(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, ":groups<Enter><Enter>");
	assert_true(play_sees(&play, "Groups > office   [Group]  Members"));
	assert_true(play_sees(&play, "Administrators     <on"));
	play_keys(&play, "<Down><Down><Down><Right><F2>");
	assert_true(play_was_asked(&play, "group.set {\"name\":\"office\",\"keys\":{\"admin\":\"off\"}}"));
	play_end(&play);
}

static void
blocked_and_access(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, ":blocked<Enter>K");
	assert_true(play_was_asked(&play, "block.remove {\"addresses\":[\"192.0.2.9 anna\"]}"));
	play_keys(&play, "X192.0.2.7<Tab>anna<F2>"); /* who may connect */
	assert_true(play_was_asked(&play, "\"params\":{\"address\":\"192.0.2.7\",\"user\":\"anna\"}"));
	assert_true(play_sees(&play, "the sender is a stranger"));
	play_keys(&play, "<Esc><Esc>");
	assert_true(play_sees(&play, "filled in, Esc again leaves (F2: Ask)"));
	play_end(&play);
}

/* ACC: what a user logs in by; a password that was made is shown this once. */
static void
logins_of_a_user(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, "5<Enter><PgDn><PgDn>");
	assert_true(play_sees(&play, "Locked out         yes"));
	assert_true(play_sees(&play, "APOP, CRAM-MD5     apop"));
	play_keys(&play, "<PgDn><PgDn>ctablet<F2>");
	assert_true(play_was_asked(&play, "apppass.add {\"user\":\"anna\",\"label\":\"tablet\"}"));
	assert_true(play_sees(&play, "abcd-efgh"));
	play_keys(&play, "q");
	assert_null(strstr(play_screen(&play), "abcd-efgh"));
	play_keys(&play, "]");
	assert_true(play_was_asked(&play, "\"filter\":\"target:anna\""));
	assert_true(play_sees(&play, "sales@example.org"));
	play_keys(&play, "c");
	assert_true(play_sees(&play, "Target             [anna "));
	play_end(&play);
}

/* A form whose act matters is shown first (G2); the form stays until it is done. */
static void
forms_are_previewed(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, "5W<Back>e<F2>");
	assert_true(play_was_asked(&play,
		"preview {\"method\":\"user.rename\",\"params\":{\"name\":\"anna\",\"new_name\":\"anne\"}}"));
	assert_true(play_sees(&play, "would rename user anna -> anne"));
	play_keys(&play, "n");
	assert_false(play_was_asked(&play, "apply"));
	assert_true(play_sees(&play, "[anne "));
	play_keys(&play, "<F2>y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t7\"}"));
	assert_true(play_sees(&play, "user anna renamed anne   u takes it back"));
	assert_true(play_sees(&play, "[5 Users]"));
	play_end(&play);
}

/* USR-40: a message goes to another user as new mail, by his own way. */
static void
moved_as_new_mail_usr_40(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, "5MM<Down>bert<Down> <F2>");
	assert_true(play_was_asked(&play, "\"to_user\":\"bert\",\"routed\":true"));
	assert_true(play_sees(&play, "as new mail"));
	play_keys(&play, "<Esc><Esc><Esc>C<Down>bert<F2>");
	assert_true(play_was_asked(&play, "\"to_user\":\"bert\",\"routed\":false"));
	play_end(&play);
}

/* A message is read once for each tab, since that is audited, and shows nothing raw (H70). */
static void
message_tabs_h70(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, "5M<Enter>");
	assert_true(play_was_asked(&play, "message.show {\"user\":\"anna\",\"uid\":7}"));
	assert_true(play_sees(&play, "[Headers]  Body   Parts   Raw"));
	assert_true(play_sees(&play, "Subject: evil \\x1B[31mred"));
	play.console.now_ms += 5000;
	play_event(&play, "status", PLAY_STATUS); /* the store changed */
	assert_false(play_was_asked(&play, "message.show"));
	play_keys(&play, "]");
	assert_true(play_sees(&play, "hello \\u{202E}"));
	assert_true(play_sees(&play, "        world \\x1B]52;c;QQ\\x07"));
	assert_null(strstr(play_screen(&play), "Subject"));
	play_keys(&play, "]");
	assert_true(play_sees(&play, "2 image/png 40 base64 a\\u{202E}b.png")); /* H72 */
	play_keys(&play, "]");
	assert_true(play_sees(&play, "From: x@y.test"));
	assert_true(play_sees(&play, "raw=20body"));
	play_keys(&play, "2<Enter>]]");
	assert_true(play_was_asked(&play, "queue.message {\"id\":\"4Kx\"}"));
	assert_true(play_sees(&play, "[Headers]"));
	play_keys(&play, "]");
	assert_true(play_sees(&play, "and more: --out FILE"));
	play_end(&play);
}

/* CFG: a setting is checked and shown as the difference of the file before it is set. */
static void
setting_is_edited(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, ":settings<Enter><Enter>");
	assert_true(play_sees(&play, "Value              [10MB "));
	play_keys(&play, "<Ctrl-U>many<F2>");
	assert_true(play_sees(&play, "!Value"));
	assert_true(play_sees(&play, "log.max_size: not a size"));
	assert_false(play_was_asked(&play, "apply"));
	play_keys(&play, "<Ctrl-U>12MB<F2>");
	assert_true(play_was_asked(&play,
		"preview {\"method\":\"config.set\",\"params\":{\"key\":\"log.max_size\",\"value\":\"12MB\"}}"));
	assert_true(play_sees(&play, "+log: { max_size: 12MB }"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t8\"}"));
	assert_true(play_sees(&play, "config log.max_size changed   u takes it back"));
	play_keys(&play, "<Esc>dy");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t9\"}"));
	play_end(&play);
}

/* Several edits are one set: nothing is sent before A, the difference comes first, one step. */
static void
settings_wait_for_one_step(void **state)
{
	(void)state;
	play_begin(&play, objects, 24, 80);
	play_keys(&play, ":settings<Enter>E<Ctrl-U>12MB<Enter>");
	assert_true(play_sees(&play, "WAITING: log.max_size"));
	assert_true(play_sees(&play, "1 setting waits: A shows"));
	assert_false(play_was_asked(&play, "preview"));
	play_keys(&play, "E<Back>B<Enter>"); /* the same once more: its value changes */
	play_keys(&play, "A");
	assert_true(play_was_asked(&play, "preview {\"method\":\"config.change\",\"params\":{\"keys\":"
					  "{\"log.max_size\":\"12MB\"}}}"));
	assert_true(play_sees(&play, "+log: { max_size: 12MB }"));
	play_keys(&play, "<Esc>");
	assert_true(play_sees(&play, "WAITING: log.max_size")); /* a no keeps what waits */
	play_keys(&play, "Ay");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t7\"}"));
	assert_false(play_sees(&play, "WAITING"));
	play_keys(&play, "E9MB<Enter>R");
	assert_true(play_sees(&play, "1 dropped"));
	play_keys(&play, "A");
	assert_true(play_sees(&play, "no setting waits"));
	play_end(&play);
}

static void
pages_of_objects(void **state)
{
	static const struct play_page pages[] = {
		{ "lists", "7" }, { "list-members", "j<Enter>" }, { "list", "]" },
		{ "groups", "<Esc>:groups<Enter>" }, { "group", "<Enter>" },
		{ "user-access", "<Esc>5<Enter><PgDn><PgDn>" }, { "user-addresses", "<PgDn>" },
		{ "user-logins", "<PgDn>" }, { "user-mappings", "]" },
		{ "services", "<Esc>:services<Enter>" }, { "access", "]" }, { "blocked", "]]" },
		{ "connect", "X192.0.2.7<F2>" },
		{ "mailbox", "5M" }, { "letter", "<Enter>" }, { "letter-parts", "]]" }, { "letter-raw", "]" },
		{ "settings", ":settings<Enter>" }, { "setting", "<Enter>" },
		{ "setting-change", "<Ctrl-U>12MB<F2>" },
	};

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = objects, .told = true, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_screens(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_of_a_list_lst_01),
		cmocka_unit_test(forms_begin_as_the_row_is),
		cmocka_unit_test(group_form_grp_02),
		cmocka_unit_test(blocked_and_access),
		cmocka_unit_test(logins_of_a_user),
		cmocka_unit_test(forms_are_previewed),
		cmocka_unit_test(moved_as_new_mail_usr_40),
		cmocka_unit_test(message_tabs_h70),
		cmocka_unit_test(setting_is_edited),
		cmocka_unit_test(settings_wait_for_one_step),
		cmocka_unit_test(pages_of_objects),
	};

	return cmocka_run_group_tests_name("screens", tests, NULL, NULL);
}
