/*
 * test_tui_folders.c - folders in the console: the tree of a user, rights, messages moved, Shared/.
 */
#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define FOLDER(user, name, use, messages, subscribed, shared) \
	"{\"key\":\"" name "\",\"cells\":{\"folder\":\"" name "\",\"use\":\"" use "\",\"messages\":" \
	messages ",\"unseen\":1,\"size\":2048,\"subscribed\":" subscribed ",\"shared\":[" shared \
	"],\"user\":\"" user "\",\"own_seen\":false,\"rights\":\"lrswipkxtea\"}}"

#define MAIL(uid, subject) \
	"{\"key\":\"" uid "\",\"cells\":{\"uid\":" uid ",\"from\":\"Bo <bo@elsewhere.test>\"," \
	"\"subject\":\"" subject "\",\"date\":\"2026-11-20T10:00:00Z\",\"size\":900,\"flags\":[]," \
	"\"held\":false}}"

static const struct answer folders[] = {
	PLAY_BEGIN,
	{ "list.open", "user.list", "{\"cursor\":\"u\",\"total\":1}" },
	{ "list.page", "\"cursor\":\"u\"",
		"{\"rows\":[{\"key\":\"anna\",\"cells\":{\"flags\":\"\",\"name\":\"anna\",\"group\":\"\","
		"\"inbox\":2,\"size\":2048,\"quota_mb\":0,\"last_login\":null,\"comment\":\"\"}}],"
		"\"rank\":0,\"total\":1}" },
	{ "list.open", "folder.list\",\"params\":{\"user\":\"anna\"", "{\"cursor\":\"f\",\"total\":3}" },
	{ "list.open", "folder.list", "{\"cursor\":\"s\",\"total\":1}" },
	{ "list.page", "\"cursor\":\"f\"",
		"{\"rows\":[" FOLDER("anna", "INBOX", "", "12", "true", "") ","
		FOLDER("anna", "Sent", "sent", "40", "true", "\"bert lrs\",\"group:staff lr\"") ","
		FOLDER("anna", "Work/2026", "", "0", "false", "") "],\"rank\":0,\"total\":3}" },
	{ "list.page", "\"cursor\":\"s\"",
		"{\"rows\":[" FOLDER("Shared/", "Shared/Office", "", "7", "false", "\"anyone lr\"")
		"],\"rank\":0,\"total\":1}" },
	{ "list.open", "folder.rights", "{\"cursor\":\"r\",\"total\":2}" },
	{ "list.page", "\"cursor\":\"r\"",
		"{\"rows\":[{\"key\":\"anna\",\"cells\":{\"who\":\"anna\",\"rights\":\"lrswipkxtea\","
		"\"meaning\":\"everything\",\"kind\":\"owner\"}},{\"key\":\"bert\",\"cells\":{"
		"\"who\":\"bert\",\"rights\":\"lrs\",\"meaning\":\"see it, read, mark as read\","
		"\"kind\":\"user\"}}],\"rank\":0,\"total\":2}" },
	{ "list.open", "message.list", "{\"cursor\":\"m\",\"total\":2}" },
	{ "list.page", "\"cursor\":\"m\"",
		"{\"rows\":[" MAIL("4", "Plans") "," MAIL("9", "More plans") "],\"rank\":0,\"total\":2}" },
	{ "message.show", NULL,
		"{\"uid\":9,\"from\":\"Bo\",\"subject\":\"More plans\",\"header\":\"Subject: More plans\\r\\n\","
		"\"body\":\"hello\",\"truncated\":false}" },
	{ "folder.share", NULL, PLAY_DONE("cleo may in Sent: read") },
	{ "folder.set", NULL, PLAY_DONE("folder anna changed") },
	{ "folder.add", NULL, PLAY_DONE("folder Shared/ Plans added") },
	{ "folder.subscribe", NULL, PLAY_DONE("folder anna Work/2026 subscribed") },
	{ "folder.unsubscribe", NULL, PLAY_DONE("folder anna Sent unsubscribed") },
	{ "preview", "folder.rename",
		"{\"token\":\"t1\",\"count\":1,\"sample\":[],\"effects\":[\"1 folder below it moves along\"]}" },
	{ "preview", "message.move",
		"{\"token\":\"t2\",\"count\":2,\"sample\":[\"4\",\"9\"],\"effects\":[\"would move 2\"]}" },
	{ "preview", "message.purge",
		"{\"token\":\"t3\",\"count\":1,\"sample\":[\"4\"],\"effects\":[\"would purge 1\"]}" },
	{ "apply", NULL, PLAY_DONE("done") },
	{ "list.close", NULL, "{\"done\":1}" },
	{ 0 },
};

static struct play play;

static void
tree_of_a_user(void **state)
{
	(void)state;
	play_begin(&play, folders, 24, 100);
	play_keys(&play, "5M]");
	assert_true(play_sees(&play, "Sent"));
	assert_true(play_sees(&play, "bert lrs +1"));
	play_keys(&play, "jS"); /* subscribed: the key takes it away */
	assert_true(play_was_asked(&play, "folder.unsubscribe {\"user\":\"anna\",\"folders\":[\"Sent\"]}"));
	play_keys(&play, "GS");
	assert_true(play_was_asked(&play, "folder.subscribe {\"user\":\"anna\",\"folders\":[\"Work/2026\"]}"));
	play_keys(&play, "GWX<F2>");
	assert_true(play_was_asked(&play, "\"folder\":\"Work/2026\",\"new_name\":\"Work/2026X\""));
	assert_true(play_sees(&play, "1 folder below it moves along"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	play_keys(&play, "GE<Right><Right><Down> <F2>");
	assert_true(play_was_asked(&play,
		"folder.set {\"user\":\"anna\",\"folder\":\"Work/2026\",\"keys\":{\"use\":\"drafts\","
		"\"own_seen\":\"yes\"}}"));
	play_end(&play);
}

static void
rights_of_a_folder_shf_02(void **state)
{
	(void)state;
	play_begin(&play, folders, 24, 80);
	play_keys(&play, "5M]jR");
	assert_true(play_sees(&play, "Users > anna > Sent"));
	assert_true(play_was_asked(&play,
		"list.open {\"method\":\"folder.rights\",\"params\":{\"user\":\"anna\",\"folder\":\"Sent\"}}"));
	assert_true(play_sees(&play, "see it, read, mark"));
	play_keys(&play, "ccleo<Down>lr<F2>");
	assert_true(play_was_asked(&play,
		"folder.share {\"user\":\"anna\",\"folder\":\"Sent\",\"who\":\"cleo\",\"rights\":\"lr\"}"));
	play_keys(&play, "jd");
	assert_true(play_was_asked(&play,
		"folder.share {\"user\":\"anna\",\"folder\":\"Sent\",\"who\":\"bert\",\"rights\":\"none\"}"));
	play_end(&play);
}

/* USR-10, RCY-03: what is done with messages of a folder. */
static void
messages_of_a_folder_usr_10(void **state)
{
	(void)state;
	play_begin(&play, folders, 24, 80);
	play_keys(&play, "5M]j<Enter>");
	assert_true(play_was_asked(&play, "\"params\":{\"user\":\"anna\",\"folder\":\"Sent\"}"));
	play_keys(&play, "j<Enter>");
	assert_true(play_was_asked(&play, "message.show {\"user\":\"anna\",\"uid\":9,\"folder\":\"Sent\"}"));
	play_keys(&play, "<Esc>k  MWork<F2>");
	assert_true(play_was_asked(&play,
		"\"uids\":[\"4\",\"9\"],\"folder\":\"Sent\",\"to_folder\":\"Work\""));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t2\"}"));
	play_keys(&play, "gP"); /* wants its number typed */
	assert_true(play_sees(&play, "would purge 1"));
	play_keys(&play, "y<Enter>");
	assert_false(play_was_asked(&play, "apply "));
	play_keys(&play, "<Ctrl-U>1<Enter>");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t3\",\"word\":\"1\"}"));
	play_end(&play);
}

static void
shared_belongs_to_nobody_shf(void **state)
{
	(void)state;
	play_begin(&play, folders, 24, 80);
	play_keys(&play, ":shared<Enter>");
	assert_true(play_sees(&play, "Shared/Office"));
	play_keys(&play, "cPlans<F2>");
	assert_true(play_was_asked(&play, "folder.add {\"user\":\"Shared/\",\"folder\":\"Plans\"}"));
	play_keys(&play, "g<Enter>");
	assert_true(play_was_asked(&play,
		"\"params\":{\"user\":\"Shared/\",\"folder\":\"Shared/Office\"}"));
	play_end(&play);
}

static void
pages_of_folders(void **state)
{
	static const struct play_page pages[] = {
		{ "folders", "5M]" }, { "folder-rights", "jR" }, { "folder-rights-give", "c" },
		{ "folder-mail", "<Esc><Enter>" }, { "folder-mail-move", "M" },
		{ "folder-use", "<Esc><Esc>E" }, { "shared", "<Esc>:shared<Enter>" },
	};

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = folders, .told = true, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_folders(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_of_a_user),
		cmocka_unit_test(rights_of_a_folder_shf_02),
		cmocka_unit_test(messages_of_a_folder_usr_10),
		cmocka_unit_test(shared_belongs_to_nobody_shf),
		cmocka_unit_test(pages_of_folders),
	};

	return cmocka_run_group_tests_name("folders", tests, NULL, NULL);
}
