/*
 * test_tui_collect.c - mailboxes that are fetched: the list while it works, the form, the order in which headers are read.
 */
#include <string.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define LIST(method, cursor) { "list.open", method, "{\"cursor\":\"" cursor "\",\"total\":2}" }
#define COLLECTOR(place, name, state, enabled, began, figures, error) \
	"{\"key\":\"" name "\",\"cells\":{\"place\":" place ",\"name\":\"" name "\",\"state\":\"" state "\"," \
	"\"server\":\"pop.isp.test\",\"user\":\"office\",\"route\":\"recipient\",\"every\":900,\"leave_days\":3," \
	"\"last\":\"2026-11-21T13:58:00Z\",\"next\":\"2026-11-21T14:13:00Z\"," figures ",\"error\":\"" error "\"," \
	"\"kind\":\"pop3\",\"enabled\":" enabled ",\"connections\":[\"isp\"],\"began\":" began ",\"because\":\"the console\"}}"

static const struct answer collectors[] = {
	PLAY_BEGIN,
	LIST("collect.list", "c"),
	{ "list.page", "\"cursor\":\"c\"",
		"{\"rows\":["
		COLLECTOR("1", "isp", "fetching", "true", "\"2026-11-21T14:01:00Z\"", "\"fetched\":860,\"left\":4,\"deleted\":0,"
			"\"failed\":0,\"bytes\":17000000,\"to_fetch\":2000,\"to_fetch_bytes\":40000000", "") ","
		COLLECTOR("2", "old", "idle", "false", "null", "\"fetched\":12,\"left\":340,\"deleted\":2,\"failed\":1,"
			"\"bytes\":1000,\"to_fetch\":12,\"to_fetch_bytes\":0", "login: -ERR locked \\u001b[31m") "],\"rank\":0,\"total\":2}" },
	{ "collect.list", "50}", "{\"rows\":["
		"{\"name\":\"calm\",\"state\":\"listening\",\"last\":\"2026-11-21T13:30:00Z\",\"next\":null,\"fetched\":0,\"error\":\"\","
		"\"began\":\"2026-11-21T13:30:00Z\"},"
		"{\"name\":\"old\",\"state\":\"idle\",\"last\":\"2026-11-21T13:58:00Z\",\"next\":\"2026-11-21T14:13:00Z\","
		"\"fetched\":0,\"error\":\"login: -ERR locked\",\"began\":null},"
		"{\"name\":\"isp\",\"state\":\"fetching\",\"last\":null,\"next\":null,\"fetched\":860,\"bytes\":17000000,"
		"\"to_fetch\":2000,\"to_fetch_bytes\":40000000,\"began\":\"2026-11-21T14:01:00Z\",\"error\":\"\"}]}" },
	{ "connection.list", NULL, "{\"rows\":[{\"name\":\"lan\",\"state\":\"online\",\"last\":null,\"next\":null,\"result\":\"3 sent\",\"failed\":false}]}" },
	{ "connection.now", NULL, PLAY_DONE("lan begun") },
	{ "collect.list", NULL, "{\"rows\":[{\"name\":\"isp\"},{\"name\":\"old\"}]}" },
	{ "user.list", NULL, "{\"rows\":[{\"name\":\"anna\"},{\"name\":\"bert\"}]}" },
	{ "maillist.list", NULL, "{\"rows\":[{\"name\":\"news\"}]}" },
	LIST("mapping.list", "m"),
	{ "mapping.add", NULL, PLAY_DONE("mapping added") },
	{ "collect.now", NULL, PLAY_DONE("isp begun") },
	{ "collect.stop", NULL, PLAY_DONE("isp ends") },
	{ "collect.on", NULL, PLAY_DONE("old is on") },
	{ "collect.off", NULL, PLAY_DONE("isp is off") },
	{ "collect.add", NULL, PLAY_DONE("collector new added") },
	{ "collect.set", NULL, PLAY_DONE("collector isp changed") },
	{ "collect.test", "\"message\"", "{\"rows\":[{\"step\":\"to\",\"result\":\"anna: by the user's own name\",\"state\":\"ok\"}]}" },
	{ "collect.test", NULL, "{\"rows\":[{\"step\":\"login\",\"result\":\"340 messages, 12 new\",\"state\":\"ok\"}]}" },
	{ "preview", "collect.remove", "{\"token\":\"t1\",\"count\":1,\"sample\":[\"isp\"],\"effects\":[\"what was fetched is forgotten\"]}" },
	{ "preview", "\"order\":\"stop;", "!{\"code\":\"invalid\",\"what\":\"collect set\",\"why\":\"nothing is read behind stop\"}" },
	{ "preview", "\"order\":", "{\"token\":\"t2\",\"count\":1,\"effects\":[\"would set order\"]}" },
	{ "collect.show", NULL,
		"{\"name\":\"isp\",\"enabled\":true,\"kind\":\"pop3\",\"server\":\"pop.isp.test\",\"port\":0,\"tls\":\"implicit\","
		"\"auth\":\"plain\",\"username\":\"office\",\"accepted\":[\"example.org\"],\"route\":\"recipient\",\"target\":\"\","
		"\"order\":[\"special\",\"stop-if-any\",\"standard\"],\"leave_days\":3,\"leave\":\"days\",\"max_kb\":0,"
		"\"download_rules\":true,\"state\":\"fetching\",\"revision\":3}" },
	PLAY_END,
};

static struct play play;

/* INM-01, CON-12: collect now, stop, a login that tries, on and off; how far it is. */
static void
collectors_inm_01(void **state)
{
	(void)state;
	play_begin(&play, collectors, 24, 80);
	play_keys(&play, "9");
	assert_true(play_sees(&play, "[Collect]"));
	assert_true(play_sees(&play, "fetching"));
	assert_true(play_sees(&play, "[||    ]  42%"));
	assert_true(play_sees(&play, "42%  860 of 2000 messages, 16M of 38M,"));
	assert_true(play_sees(&play, "14/s, 1m 22s left"));
	play_keys(&play, "C");
	assert_true(play_was_asked(&play, "collect.now {\"names\":[\"isp\"]}"));
	play_keys(&play, "gS");
	assert_true(play_was_asked(&play, "collect.stop {\"names\":[\"isp\"]}"));
	play_keys(&play, "gE");
	assert_true(play_was_asked(&play, "collect.off {\"names\":[\"isp\"]}"));
	play_keys(&play, "gjE");
	assert_true(play_was_asked(&play, "collect.on {\"names\":[\"old\"]}"));
	play_keys(&play, "j");
	assert_true(play_sees(&play, "12 fetched, 340 left there, 2 removed there, 1 failed"));
	assert_true(play_sees(&play, "-ERR locked \\x1B[31m")); /* H70 */
	play_keys(&play, "gT");
	assert_true(play_was_asked(&play, "collect.test {\"name\":\"isp\"}"));
	assert_true(play_sees(&play, "340 messages, 12 new"));
	play_keys(&play, "<Esc>gd");
	assert_true(play_sees(&play, "what was fetched is forgotten"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	play_end(&play);
}

/* INM-02: all keys in groups; a new one takes its password as a secret; names are chosen from lists. */
static void
collector_form_inm_02(void **state)
{
	(void)state;
	play_begin(&play, collectors, 36, 120);
	play_keys(&play, "9cnew<Down><Right><Down>imap.isp.test<Down>1993<Down><Down>me<Down>canary-7<Down>example.org<Down><Right><Down><F4>");
	assert_true(play_was_asked(&play, "maillist.list {\"limit\":200}"));
	assert_true(play_sees(&play, "bert"));
	play_keys(&play, "ber<Enter>");
	assert_true(play_sees(&play, "Target             [bert"));
	assert_null(strstr(play_screen(&play), "canary"));
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "collect.add {\"name\":\"new\",\"keys\":{\"kind\":\"imap\",\"server\":\"imap.isp.test\",\"port\":\"1993\","
		"\"username\":\"me\",\"accepted\":\"example.org\",\"route\":\"all\",\"target\":\"bert\"},\"password\":\"canary-7\"}"));
	play_keys(&play, "chub<Down><Right><Right><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down><Down>/srv/x<F2>");
	assert_true(play_was_asked(&play, "collect.add {\"name\":\"hub\",\"keys\":{\"kind\":\"spool\",\"path\":\"/srv/x\"}}"));
	play_keys(&play, "g<Enter>");
	assert_true(play_sees(&play, "[Server]  For whom   What stays   Rules   State"));
	play_keys(&play, "<PgDn><PgDn>");
	assert_true(play_sees(&play, "Leave days         [3 "));
	play_keys(&play, "0<F2>");
	assert_true(play_was_asked(&play, "collect.set {\"name\":\"isp\",\"keys\":{\"leave_days\":\"30\"}}"));
	play_keys(&play, "<Esc>gPx<F2>");
	assert_true(play_was_asked(&play, "collect.set {\"name\":\"isp\",\"keys\":{},\"password\":\"x\"}"));
	play_end(&play);
}

/* INM-13: the order step by step: moved, added, taken out, checked by the server, set back to the default. */
static void
reading_order_inm_13(void **state)
{
	(void)state;
	play_begin(&play, collectors, 24, 80);
	play_keys(&play, "9R");
	assert_true(play_sees(&play, ">  1  special"));
	assert_true(play_sees(&play, "   3  standard      To, Cc, Apparently-To"));
	play_keys(&play, "J");
	assert_true(play_sees(&play, ">  2  special"));
	play_keys(&play, "c ");
	assert_true(play_sees(&play, ">  3  stop "));
	play_keys(&play, "Ggd<F2>");
	assert_true(play_was_asked(&play, "collect.set {\"name\":\"isp\",\"keys\":{\"order\":\"special;stop;standard\"}}"));
	play_keys(&play, "jKC");
	assert_true(play_was_asked(&play, "preview {\"method\":\"collect.set\",\"params\":{\"name\":\"isp\",\"keys\":{\"order\":\"stop;special;standard\"}}}"));
	assert_true(play_sees(&play, "nothing is read behind stop"));
	play_keys(&play, "DC");
	assert_true(play_was_asked(&play, "\"order\":\"special;stop-if-any;standard;stop-if-any;received\""));
	assert_true(play_sees(&play, "the order can be used"));
	play_keys(&play, "<Esc>");
	assert_true(play_sees(&play, "the order is not saved, Esc again leaves"));
	play_end(&play);
}

/* INM-10: for whom a message would be: its header is pasted, and goes along as a file. */
static void
for_whom_inm_10(void **state)
{
	(void)state;
	play_begin(&play, collectors, 24, 80);
	play_keys(&play, "9X");
	console_press(&play.console, &(struct press){ KEY_PASTED, SPAN("To: anna@example.org\r\n\r\n") });
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "collect.test {\"name\":\"isp\",\"message\":0}"));
	assert_true(play_sees(&play, "anna: by the user's own name"));
	play_end(&play);
}

/* MAP: only mail of one collector: its name is chosen. */
static void
mapping_picks_a_collector(void **state)
{
	(void)state;
	play_begin(&play, collectors, 24, 80);
	play_keys(&play, "6csales@example.org<Down>anna<Down><Down><F4>o<Enter><F2>");
	assert_true(play_was_asked(&play, "\"collect\":\"old\""));
	play_end(&play);
}

/* STS-01: collections on the Overview: what is under way first, then what failed; C and S are for the line under the cursor. */
static void
overview_collects_sts_01(void **state)
{
	(void)state;
	play_begin(&play, collectors, 36, 120);
	play_event(&play, "status", PLAY_STATUS);
	assert_true(play_sees(&play, "CONNECTION   state"));
	assert_true(play_sees(&play, "isp          fetching   -            -            [||||||||            ]  42%  860 of 2000"));
	assert_true(play_sees(&play, "! login: -ERR locked"));
	assert_true(play_sees(&play, "calm         listening"));
	assert_false(play_sees(&play, "  0 messages, 0"));
	assert_true(play_sees(&play, "lan          online     -            -            3 sent"));
	play_keys(&play, "C");
	assert_true(play_was_asked(&play, "collect.now {\"all\":true}"));
	play_keys(&play, "g");
	buf_clear(&play.asked);
	for (int i = 0; i < 30; i++) {
		play_keys(&play, "jS");
		if (span_find_span(buf_span(&play.asked), SPAN("\"names\":[\"isp\"]")) < buf_span(&play.asked).len)
			break;
	}
	assert_true(play_was_asked(&play, "collect.stop {\"names\":[\"isp\"]}"));
	play_keys(&play, "jC");
	assert_true(play_was_asked(&play, "collect.now {\"names\":[\"old\"]}"));
	play_keys(&play, "jjC");
	assert_true(play_was_asked(&play, "connection.now {\"name\":\"lan\"}"));
	play_keys(&play, "<Enter>");
	assert_true(play_sees(&play, "[Connections]"));
	play_end(&play);
}

/* At 40x10 there is room for what is in trouble and under way; in peace one line says when it goes on. */
static void
overview_at_40x10_sts_01(void **state)
{
	static const struct answer peace[] = { { "log.tail", NULL, "{\"rows\":[]}" }, PLAY_BEGIN,
		{ "collect.list", "50}", "{\"rows\":[{\"name\":\"calm\",\"state\":\"idle\",\"last\":null,"
			"\"next\":\"2026-11-21T14:13:00Z\",\"fetched\":0,\"error\":\"\",\"began\":null}]}" },
		{ "connection.list", NULL, "{\"rows\":[{\"name\":\"lan\",\"state\":\"online\",\"last\":null,"
			"\"next\":\"2026-11-21T14:05:00Z\",\"result\":\"3 sent\",\"failed\":false}]}" }, PLAY_END };

	(void)state;
	play_begin(&play, collectors, 10, 40);
	play_event(&play, "status", PLAY_STATUS);
	assert_true(play_sees(&play, "! service pop3s is stopped"));
	assert_true(play_sees(&play, "old        ! login: -ERR locked"));
	assert_true(play_sees(&play, "isp        fetching   [||    ]  42%"));
	assert_true(play_is_page(&play, "overview-collecting"));
	play_end(&play);
	play_begin(&play, peace, 10, 40);
	play_event(&play, "status", "{\"sessions\":{},\"queue\":{\"count\":0}}");
	assert_true(play_sees(&play, "ATTENTION  nothing"));
	assert_true(play_sees(&play, "CONNECTION  all at rest, next 14:05"));
	assert_true(play_is_page(&play, "overview-at-rest"));
	play_end(&play);
}

static void
random_keys_here(void **state)
{
	(void)state;
	play_begin(&play, collectors, 24, 80);
	play_event(&play, "status", PLAY_STATUS);
	play_storm(&play, "9jkgG[]RCSTEcedPWxDJK *ou?:aq18", 3000);
	play_end(&play);
}

static void
pages_of_collecting(void **state)
{
	static const struct play_page pages[] = { { "overview-collecting", "1" }, { "collect", "9" }, { "collector-new", "c" }, { "collector", "<Esc><Enter>" },
		{ "collector-for-whom", "<PgDn>" }, { "collect-order", "<Esc>R" }, { "collect-test", "<Esc>T" } };

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = collectors, .told = true, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_collect(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(collectors_inm_01),
		cmocka_unit_test(collector_form_inm_02),
		cmocka_unit_test(reading_order_inm_13),
		cmocka_unit_test(for_whom_inm_10),
		cmocka_unit_test(mapping_picks_a_collector),
		cmocka_unit_test(overview_collects_sts_01),
		cmocka_unit_test(overview_at_40x10_sts_01),
		cmocka_unit_test(random_keys_here),
		cmocka_unit_test(pages_of_collecting),
	};

	return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
