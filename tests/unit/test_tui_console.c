/*
 * test_tui_console.c - the console against a server that the test plays: keys in, screen out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define USER(name, comment) \
	"{\"key\":\"" name "\",\"revision\":1,\"cells\":{\"flags\":\"-\",\"name\":\"" name \
	"\",\"group\":\"\",\"inbox\":1,\"size\":2048,\"quota_mb\":0,\"last_login\":null," \
	"\"comment\":\"" comment "\"}}"

static const struct answer users[] = {
	PLAY_BEGIN,
	{ "list.open", "user.list", "{\"cursor\":\"1\",\"total\":3,\"approx\":false}" },
	{ "list.page", "\"keys\"", "{\"rows\":[" USER("anna", "new words") "," USER("carl", "c") "],"
				   "\"rank\":0,\"total\":2}" },
	{ "list.page", "at_key", "{\"rows\":[" USER("bert", "b") "," USER("carl", "c") "]," \
				 "\"rank\":1,\"total\":3}" },
	{ "list.page", "before", "{\"rows\":[" USER("anna", "a") "],\"rank\":0,\"total\":3}" },
	{ "list.page", NULL, "{\"rows\":[" USER("anna", "a") "," USER("bert", "b \\u202e evil")
				     "," USER("carl", "c") "],\"rank\":0,\"total\":3}" },
	{ "list.count", NULL, "{\"count\":2,\"approx\":false}" },
	{ "user.show", NULL,
		"{\"name\":\"bert\",\"full_name\":\"\",\"enabled\":true,\"quota_mb\":20,"
		"\"comment\":\"b\",\"protocols\":[\"pop3\",\"imap\"],\"revision\":4}" },
	{ "user.set", NULL, PLAY_DONE("user bert changed") },
	{ "user.add", NULL, PLAY_DONE("user zoe added") },
	{ "preview", "user.remove",
		"{\"token\":\"t1\",\"count\":2,\"bytes\":0,\"sample\":[\"anna\",\"bert\"],"
		"\"effects\":[\"would remove 2 users\"],\"warnings\":[],\"undo\":\"yes\","
		"\"cli\":\"postroom user remove anna bert\"}" },
	{ "preview", "undo.apply",
		"{\"token\":\"t2\",\"count\":1,\"sample\":[],\"effects\":[\"would undo: it\"]}" },
	{ "apply", NULL, PLAY_DONE("2 users removed") },
	{ "list.close", NULL, "{\"done\":1}" },
	{ 0 },
};

static struct play play;

/* TUI-02 the top line; STS-01 what goes on; STS-04 what wants attention. */
static void
overview_sts_01(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_event(&play, "status", PLAY_STATUS);
	assert_true(play_sees(&play, "Postroom mail.example.org  Q 2 Held 1 Sess 3"));
	assert_true(play_sees(&play, "anna:administrator 14:02"));
	assert_true(play_sees(&play, "! service pop3s is stopped"));
	assert_true(play_sees(&play, "250 accepted  a@b.test -> anna@example.org"));
	assert_true(play_sees(&play, "it \\x1B[2J broke"));
	play_event(&play, "status", "{\"queue\":{\"count\":5,\"held\":0}}"); /* what changed */
	assert_true(play_sees(&play, "Q 5 Held 0 Sess 3"));
	play_end(&play);
}

static void
table_and_marks(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5");
	assert_true(play_sees(&play, ">  -       anna"));
	assert_true(play_sees(&play, "row 1 of 3"));
	assert_true(play_sees(&play, "b \\u{202E}")); /* H70 */
	play_keys(&play, " ");
	assert_true(play_sees(&play, " * -       anna"));
	assert_true(play_sees(&play, ">  -       bert"));
	play_keys(&play, " d");
	assert_true(play_was_asked(&play, "\"names\":[\"anna\",\"bert\"]"));
	assert_true(play_sees(&play, "would remove 2 users"));
	play_keys(&play, "<Enter>"); /* is no answer */
	assert_false(play_was_asked(&play, "apply "));
	play_keys(&play, "dd"); /* nor is the key that began it */
	assert_false(play_was_asked(&play, "apply "));
	play_keys(&play, "dy");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	assert_true(play_sees(&play, "2 users removed   u takes it back"));
	play_keys(&play, "uy");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t2\"}"));
	play_end(&play);
}

static void
filter_is_counted(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5fna");
	assert_true(play_sees(&play, "filter: na"));
	assert_true(play_sees(&play, "2 rows"));
	assert_true(play_was_asked(&play, "list.count {\"method\":\"user.list\",\"params\":{},\"filter\":\"na\"}"));
	play_keys(&play, "<Enter>");
	assert_true(play_was_asked(&play, "list.open {\"method\":\"user.list\",\"params\":{},\"filter\":\"na\"}"));
	play_keys(&play, "*d"); /* all that the filter leaves: the server chooses them */
	assert_true(play_was_asked(&play, "\"filter\":\"na\""));
	play_end(&play);
}

/* Tab names the fields that a word of the filter may begin with, and completes what is clear. */
static void
filter_is_completed(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5fquo<Tab>");
	assert_true(play_sees(&play, "filter: quota_mb:"));
	play_keys(&play, "5 -f<Tab>"); /* flag and flags */
	assert_true(play_sees(&play, "filter: quota_mb:5 -flag"));
	assert_true(play_sees(&play, "flag flags"));
	play_keys(&play, "<Esc>");
	play_end(&play);
}

/* However often one goes to the right, the last column stays. */
static void
last_column_stays(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5llllllllllllllllllllllllllllll");
	assert_true(play_sees(&play, "Comment"));
	play_keys(&play, "h");
	assert_true(play_sees(&play, "Last login"));
	play_end(&play);
}

/* What comes and goes does not move rows: one that left stays as x, its place is kept. */
static void
live_rows_stay(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5j");
	play.console.now_ms += 5000;
	play_event(&play, "status", PLAY_STATUS);
	assert_true(play_sees(&play, "   -       anna"));
	assert_true(play_sees(&play, "new words"));
	assert_true(play_sees(&play, ">x -       bert"));
	assert_true(play_sees(&play, "   -       carl"));
	play_end(&play);
}

/* TUI-05: nothing happens before F2, and leaving with changes asks. */
static void
form_saves_what_changed_usr_04(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5j<Enter>");
	assert_true(play_sees(&play, "Users > bert"));
	assert_true(play_sees(&play, "[General]  Forwarding   Access"));
	play_keys(&play, "Bert B<Down><Down><Down><Down><Back>5");
	assert_true(play_sees(&play, "*Full name"));
	assert_true(play_sees(&play, "was: 20"));
	assert_true(play_sees(&play, "2 changes not saved"));
	play_keys(&play, "<Esc>");
	assert_true(play_sees(&play, "2 changes not saved, Esc again leaves"));
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "user.set {\"name\":\"bert\",\"keys\":{\"full_name\":\"Bert B\",\"quota_mb\":\"25\"}}"));
	assert_true(play_sees(&play, "user bert changed   u takes it back"));
	play_keys(&play, "<Esc>");
	assert_true(play_sees(&play, ">  -       bert"));
	play_end(&play);
}

static void
create_takes_nothing_from_the_row(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5czoe<Tab>a long secret<F2>");
	assert_true(play_was_asked(&play, "user.add {\"name\":\"zoe\",\"admin\":false,\"password\":\"a long secret\"}"));
	assert_true(play_sees(&play, "user zoe added"));
	play_keys(&play, "c<F2>"); /* the name stays empty: the server says what is wrong */
	assert_true(play_was_asked(&play, "user.add {\"name\":\"\""));
	play_end(&play);
}

/* The server goes and comes back: the cursor is on the same row, the form keeps what was typed. */
static void
reconnect_keeps_place(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5j");
	play_break(&play);
	assert_true(play_sees(&play, "no server answers since"));
	assert_true(play_sees(&play, ">  -       bert"));
	play_keys(&play, "d");
	assert_true(play_sees(&play, "nothing was done"));
	buf_clear(&play.asked);
	play_connect(&play);
	assert_true(play_was_asked(&play, "\"at_key\":\"bert\""));
	assert_true(play_sees(&play, ">  -       bert"));
	play_keys(&play, "<Enter>typed");
	play_break(&play);
	assert_true(play_sees(&play, "[typed "));
	play_connect(&play);
	assert_true(play_sees(&play, "[typed "));
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "\"full_name\":\"typed\""));
	play_end(&play);
}

/* m and ' : the row is found again by its key, whatever stands above it by then. */
static void
bookmark_is_a_row(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5'");
	assert_true(play_sees(&play, "there is no bookmark; m sets one"));
	play_keys(&play, "jmg");
	assert_true(play_sees(&play, ">  -       anna"));
	buf_clear(&play.asked);
	play_keys(&play, "'");
	assert_true(play_was_asked(&play, "\"at_key\":\"bert\""));
	assert_true(play_sees(&play, ">  -       bert"));
	play_end(&play);
}

static void
pasting_runs_no_keys(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5");
	console_press(&play.console, &(struct press){ KEY_PASTED, SPAN("ddyy*d") });
	play_pump(&play);
	assert_true(play_sees(&play, "pasted 6 characters: nothing has the focus"));
	assert_false(play_was_asked(&play, "preview"));
	play_end(&play);
}

static void
help_and_palette(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5?");
	assert_true(play_sees(&play, "Users: Password"));
	play_keys(&play, "<Esc>:audit");
	assert_true(play_sees(&play, "Screen: Audit & undo"));
	play_keys(&play, "<Esc>a");
	assert_true(play_sees(&play, "Users: Create"));
	play_keys(&play, "<Esc>");
	play_end(&play);
}

static const char *
file_text(const char *path, char *room, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(room, 1, size - 1, f) : 0;

	room[len] = '\0';
	if (f)
		fclose(f);
	return room;
}

/* y takes the row as text with tabs; x writes all rows, page by page, into a file that is new. */
static void
rows_are_copied_and_exported(void **state)
{
	static const struct answer pages[] = {
		{ "user.list", "\"after\":\"anna\"",
			"{\"rows\":[{\"flags\":\"\",\"name\":\"bert\",\"group\":\"g\",\"inbox\":2,"
			"\"size\":1,\"quota_mb\":0,\"last_login\":null,\"comment\":\"b\\u202e\"}],\"next\":null}" },
		{ "user.list", "\"limit\":1000",
			"{\"rows\":[{\"flags\":\"a\",\"name\":\"anna\",\"group\":\"\",\"inbox\":1,"
			"\"size\":2048,\"quota_mb\":0,\"last_login\":null,\"comment\":\"a\"}],"
			"\"next\":\"anna\"}" },
		{ 0 },
	};
	char folder[] = "/tmp/postroom-test-XXXXXX", path[64], keys[128], text[1000];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/users.tsv", folder);
	snprintf(keys, sizeof(keys), "x<Ctrl-U>%s<Enter>", path);
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5jy");
	assert_true(span_eq(buf_span(&play.console.clip),
		SPAN("-\tbert\t\t1\t2.0k\t0\t\tb \\u{202E} evil")));
	play.answers = pages;
	play_keys(&play, keys);
	assert_true(play_was_asked(&play, "user.list {\"limit\":1000}"));
	assert_true(play_sees(&play, "2 rows are in /tmp/postroom-test-"));
	assert_string_equal(file_text(path, text, sizeof(text)),
		"Flags\tName\tGroup\tInbox\tSize\tQuota\tLast login\tComment\n"
		"a\tanna\t\t1\t2.0k\t0\t\ta\n\tbert\tg\t2\t1\t0\t\tb\\u{202E}\n");
	play_end(&play);
	(void)unlink(path);
	(void)rmdir(folder);
}

/* USR-09: from a row to the user's mailbox, addresses and logins with one key; USR-16: all of a user on
 * tabs, and nothing changes until it is saved. */
static void
quick_keys_usr_09_tabs_usr_16(void **state)
{
	static const struct {
		const char *key, *asks;
	} quick[] = { { "M", "message.list" }, { "A", "mapping.list" }, { "I", "apppass.list" } };
	static const char *const tabs[] = { "[User]", "[Logins]", "[Mappings]", "[Mailbox]", "[Folders]",
		"[Bin]", "[Prune]", "[Script]", "[History]" };

	(void)state;
	play_begin(&play, users, 36, 120);
	for (size_t i = 0; i < COUNT(quick); i++) {
		play_keys(&play, i == 0 ? "5j" : "5");
		play_keys(&play, quick[i].key);
		assert_true(play_was_asked(&play, quick[i].asks));
		play_keys(&play, "<Esc>");
	}
	play_keys(&play, "<Enter>");
	for (size_t i = 0; i < COUNT(tabs); i++) {
		assert_true(play_sees(&play, tabs[i]));
		play_keys(&play, i == 0 ? "Changed<PgDn><PgDn><PgDn><PgDn>" : "]");
	}
	assert_true(play_was_asked(&play, "\"undo.list\",\"params\":{},\"filter\":\"object:bert\""));
	assert_false(play_was_asked(&play, "user.set"));
	play_end(&play);
}

/* TUI-05: two administrators change one user: the second sees what the first wrote. */
static void
clash_is_shown(void **state)
{
	static const struct answer later[] = {
		{ "user.show", NULL,
			"{\"name\":\"bert\",\"full_name\":\"Theirs\",\"enabled\":true,"
			"\"quota_mb\":30,\"comment\":\"b\",\"revision\":5}" },
		{ "user.set", NULL, PLAY_DONE("user bert changed") },
		{ 0 },
	};

	(void)state;
	play_begin(&play, users, 24, 80);
	play_keys(&play, "5j<Enter>Mine");
	play.answers = later;
	play_keys(&play, "<F2>");
	assert_false(play_was_asked(&play, "user.set"));
	assert_true(play_sees(&play, "somebody else changed 1 of your fields"));
	assert_true(play_sees(&play, "changed meanwhile to: Theirs"));
	assert_true(play_sees(&play, "[30 ")); /* what was not changed here is theirs */
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "user.set {\"name\":\"bert\",\"keys\":{\"full_name\":\"Mine\"}}"));
	play_end(&play);
}

static void
pages_of_docs(void **state)
{
	static const struct play_page pages[] = {
		{ "overview", "1" }, { "users", "5" }, { "users-marked", " " }, { "users-remove", "d" },
		{ "user", "<Esc>-<Enter>" }, { "user-changed", "Anna A." }, { "user-new", "<F5><Esc>c" },
		{ "help", "<Esc>?" }, { "command", "<Esc>:user" }, { "filter", "<Esc>fan" },
		{ "logs", "<Esc>4" },
	};

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = users, .told = true, .pages = pages, .count = COUNT(pages) });
}

/* From 40x10 up every screen draws; below it says so. ASan and UBSan look at the rest. */
static void
every_size(void **state)
{
	static const int sizes[][2] = { { 1, 1 }, { 9, 39 }, { 10, 40 }, { 24, 80 }, { 36, 120 },
		{ 60, 200 } };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		play_begin(&play, users, sizes[i][0], sizes[i][1]);
		play_event(&play, "status", PLAY_STATUS);
		for (const char *k = "12345607"; *k; k++) {
			char key[2] = { *k, 0 };

			play_keys(&play, key);
			play_keys(&play, "jjkGg?<Esc>:<Down><Esc>a<Esc>o<Esc>fx<Esc>i");
		}
		if (sizes[i][0] == 9)
			assert_true(play_sees(&play, "too small: 40x10"));
		play_keys(&play, "5<Enter><PgDn><PgDn><PgUp><Esc><Esc>");
		play_end(&play);
	}
}

/* Whatever is pressed, pasted, resized or cut off: no crash, and nothing is applied but what a preview showed. */
static void
random_keys(void **state)
{
	(void)state;
	play_begin(&play, users, 24, 80);
	play_event(&play, "status", PLAY_STATUS);
	play_storm(&play, "123456789jkgGhlofFO/nN zZV*-cedvuriwm'{}[]?:a0qRHMTPKWXLSBUEDy\xe9", 6000);
	play_end(&play);
}

int
test_tui_console(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overview_sts_01),
		cmocka_unit_test(table_and_marks),
		cmocka_unit_test(filter_is_counted),
		cmocka_unit_test(filter_is_completed),
		cmocka_unit_test(last_column_stays),
		cmocka_unit_test(live_rows_stay),
		cmocka_unit_test(form_saves_what_changed_usr_04),
		cmocka_unit_test(create_takes_nothing_from_the_row),
		cmocka_unit_test(reconnect_keeps_place),
		cmocka_unit_test(bookmark_is_a_row),
		cmocka_unit_test(pasting_runs_no_keys),
		cmocka_unit_test(help_and_palette),
		cmocka_unit_test(rows_are_copied_and_exported),
		cmocka_unit_test(quick_keys_usr_09_tabs_usr_16),
		cmocka_unit_test(clash_is_shown),
		cmocka_unit_test(pages_of_docs),
		cmocka_unit_test(every_size),
		cmocka_unit_test(random_keys),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
