/*
 * test_tui_sending.c - how mail leaves, in the console: connections, routes, destinations, LAN rules, keys.
 */
#include <string.h>

#include "tests/unit/test_tui.h"

#include "tests/unit/console_server.h"

#define ROUTE(place, name, waiting, why) \
	"{\"key\":\"" name "\",\"cells\":{\"place\":" place ",\"name\":\"" name "\",\"kind\":\"relay\"," \
	"\"servers\":[\"smtp.isp.test:587\"],\"domains\":[],\"tls\":\"required\",\"waiting\":" waiting "," \
	"\"connections\":1,\"sent\":12,\"rests_until\":\"2026-11-21T14:06:00Z\",\"why\":\"" why "\"," \
	"\"last_error\":\"\"}}"

static const struct answer sending[] = {
	PLAY_BEGIN,
	PLAY_LIST("connection.list", "c"),
	{ "list.page", "\"cursor\":\"c\"",
		"{\"rows\":[{\"key\":\"isp-main\",\"cells\":{\"name\":\"isp-main\",\"kind\":\"link\","
		"\"state\":\"offline\",\"primary\":true,\"last\":\"2026-11-21T13:58:00Z\","
		"\"next\":\"2026-11-21T14:08:00Z\",\"waiting\":9,\"result\":\"3 sent\","
		"\"because\":\"schedule office\",\"why\":\"it waits for its schedule\","
		"\"routes\":[\"isp\"]}}],\"rank\":0,\"total\":1}" },
	{ "connection.show", NULL,
		"{\"place\":1,\"name\":\"isp-main\",\"kind\":\"link\",\"up\":[\"/usr/sbin/pppd\",\"call\",\"isp\"],"
		"\"down\":[\"/usr/bin/poff\"],\"status\":[],\"primary\":true,\"retries\":1,\"retry_wait\":90,"
		"\"link_timeout\":60,\"interfaces\":[\"ppp0\"],\"autoconnect\":true,\"autoconnect_once\":true,"
		"\"autoconnect_every\":300,\"numbers\":[],\"username\":\"office\",\"multilink\":true,"
		"\"pop3_then_smtp\":false,\"socks\":false,\"post_connect\":[],\"pre_disconnect\":[],"
		"\"program_timeout\":30,\"state\":\"offline\",\"why\":\"it waits for its schedule\"}" },
	{ "connection.add", NULL, PLAY_DONE("connection road added") },
	{ "connection.set", NULL, PLAY_DONE("connection isp-main changed") },
	{ "connection.now", NULL, PLAY_DONE("connection isp-main begun") },
	{ "connection.stop", NULL, PLAY_DONE("connection isp-main hangs up") },
	PLAY_LIST("route.list", "r"),
	{ "list.page", "\"cursor\":\"r\"",
		"{\"rows\":[" ROUTE("1", "isp", "9", "no connection: Connection refused") ","
		ROUTE("2", "branch", "0", "") "],\"rank\":0,\"total\":2}" },
	{ "route.show", NULL,
		"{\"place\":1,\"name\":\"isp\",\"kind\":\"relay\",\"servers\":[\"smtp.isp.test:587\"],"
		"\"tls\":\"required\",\"username\":\"office\",\"domains\":[],\"max_recipients\":0,"
		"\"max_connections\":20,\"smaller_first\":false,\"esmtp\":true,\"waiting\":9,"
		"\"why\":\"no connection: Connection refused\"}" },
	{ "route.add", NULL, PLAY_DONE("route spare added") },
	{ "route.set", NULL, PLAY_DONE("route isp changed") },
	{ "preview", "route.remove",
		"{\"token\":\"t1\",\"count\":1,\"sample\":[\"isp\"],\"effects\":[\"9 messages wait for it\"]}" },
	PLAY_LIST("route.destinations", "d"),
	{ "list.page", "\"cursor\":\"d\"",
		"{\"rows\":[{\"key\":\"direct dest3.test\",\"cells\":{\"route\":\"direct\","
		"\"destination\":\"dest3.test\",\"waiting\":1183,\"connections\":0,\"limit\":1,"
		"\"failures\":38,\"rests_until\":\"2026-11-21T14:22:00Z\","
		"\"why\":\"mx.dest3.test: Connection refused\",\"server\":\"\",\"tls\":\"\"}}],"
		"\"rank\":0,\"total\":1}" },
	PLAY_LIST("schedule.list", "s"),
	{ "list.page", "\"cursor\":\"s\"",
		"{\"rows\":[{\"key\":\"office\",\"cells\":{\"name\":\"office\",\"enabled\":true,"
		"\"days\":[\"mon\",\"tue\"],\"from\":\"09:00\",\"to\":\"17:00\",\"every\":900,\"at\":[],"
		"\"connections\":[],\"next\":\"2026-11-23T09:00:00Z\"}}],\"rank\":0,\"total\":1}" },
	PLAY_LIST("schedule.next", "n"),
	{ "schedule.next", NULL,
		"{\"rows\":[{\"time\":\"2026-11-23T09:00:00Z\",\"schedule\":\"office\",\"connections\":[\"isp-main\"]},"
		"{\"time\":\"2026-11-23T09:15:00Z\",\"schedule\":\"office\",\"connections\":[\"isp-main\"]}]}" },
	{ "schedule.set", NULL, PLAY_DONE("schedule office changed") },
	{ "schedule.modifiers", NULL,
		"{\"send_immediately\":true,\"skip_if_connected_within\":300,\"connect_after_people\":3,"
		"\"connect_after_people_within\":600,\"follow_clock_changes\":false,\"connect_for_priority\":true,\"drop\":\"\"}" },
	{ "schedule.modify", NULL, PLAY_DONE("scheduling changed") },
	{ "route.test", NULL, "{\"rows\":[{\"step\":\"login\",\"result\":\"235 ok\",\"state\":\"ok\"}]}" },
	PLAY_LIST("route.lan.list", "l"),
	{ "list.page", "\"cursor\":\"l\"",
		"{\"rows\":[{\"key\":\"3\",\"cells\":{\"line\":3,\"pattern\":\"*@branch.test\","
		"\"server\":\"192.0.2.7:25\",\"rewrite\":\"\",\"conditions\":\"smtp\"}}],"
		"\"rank\":0,\"total\":1}" },
	{ "route.lan.test", NULL, "{\"address\":\"ann@branch.test\",\"forwarded\":true,\"line\":3}" },
	PLAY_LIST("user.list", "u"),
	{ "list.page", "\"cursor\":\"u\"",
		"{\"rows\":[{\"key\":\"bert\",\"cells\":{\"name\":\"bert\",\"inbox\":3,"
		"\"store_forward_address\":\"bert@other.test\",\"store_forward_server\":\"mail.other.test\"}}],\"rank\":0,\"total\":1}" },
	{ "user.set", NULL, PLAY_DONE("user bert changed") },
	PLAY_LIST("dkim.list", "k"),
	{ "list.page", "\"cursor\":\"k\"",
		"{\"rows\":[{\"key\":\"s2026\",\"cells\":{\"domain\":\"example.org\",\"selector\":\"s2026\","
		"\"algorithm\":\"ed25519\",\"bits\":256,\"state\":\"waits\",\"from\":null,\"until\":null}}],"
		"\"rank\":0,\"total\":1}" },
	{ "dkim.use", NULL, PLAY_DONE("key s2026 signs") },
	{ "dkim.show", NULL, "{\"domain\":\"example.org\",\"selector\":\"s2026\",\"value\":\"v=DKIM1\"}" },
	PLAY_END,
};

static struct play play;

/* CON-12: connect now, and hang up. */
static void
connections_con_12(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_keys(&play, ":connections<Enter>");
	assert_true(play_sees(&play, "isp-main"));
	assert_true(play_sees(&play, "it waits for its schedule"));
	play_keys(&play, "C");
	assert_true(play_was_asked(&play, "connection.now {\"name\":\"isp-main\"}"));
	play_keys(&play, "S");
	assert_true(play_was_asked(&play, "connection.stop {\"name\":\"isp-main\"}"));
	play_end(&play);
}

/* CON-05, CON-07: all keys of a link in groups; only what was changed is saved, its password as a secret. */
static void
connection_form_con_05(void **state)
{
	(void)state;
	play_begin(&play, sending, 36, 120);
	play_keys(&play, ":connections<Enter><Enter>");
	assert_true(play_sees(&play, "[Link]  Tries   Run   State"));
	assert_true(play_sees(&play, "/usr/sbin/pppd;call;isp"));
	play_keys(&play, "<Down><Down><Down><Down><Down>;wlan0<PgDn><Ctrl-U>3");
	assert_true(play_sees(&play, "Wait between       [90s "));
	assert_true(play_sees(&play, "... every          [5m "));
	play_keys(&play, "<PgDn> <F2>");
	assert_true(play_was_asked(&play, "connection.set {\"name\":\"isp-main\",\"keys\":{\"interfaces\":\"ppp0;wlan0\","
		"\"retries\":\"3\",\"pop3_then_smtp\":\"yes\"}}"));
	play_keys(&play, "<Esc>gPcanary-9<F2>");
	assert_true(play_was_asked(&play, "connection.set {\"name\":\"isp-main\",\"keys\":{},\"password\":\"canary-9\"}"));
	assert_null(strstr(play_screen(&play), "canary"));
	play_keys(&play, "gM<F2>gM <F2>");
	assert_true(play_was_asked(&play, "connection.set {\"name\":\"isp-main\",\"keys\":{\"primary\":\"no\"}}"));
	play_keys(&play, "croad<Down><Right><Down>/bin/up;now<F2>");
	assert_true(play_was_asked(&play, "connection.add {\"name\":\"road\",\"keys\":{\"kind\":\"link\",\"up\":\"/bin/up;now\"}}"));
	play_end(&play);
}

static void
routes_out_04(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_keys(&play, "9]");
	assert_true(play_sees(&play, "smtp.isp.test:587"));
	assert_true(play_sees(&play, "Connection refused"));
	play_keys(&play, "cspare<Down><Down>mx.isp.test:25<F2>");
	assert_true(play_was_asked(&play,
		"route.add {\"name\":\"spare\",\"keys\":{\"servers\":\"mx.isp.test:25\"}}"));
	play_keys(&play, "gT");
	assert_true(play_was_asked(&play, "route.test {\"what\":\"isp\"}"));
	assert_true(play_sees(&play, "235 ok"));
	play_keys(&play, "<Esc>gM<Ctrl-U>2<F2>");
	assert_true(play_was_asked(&play, "route.set {\"name\":\"isp\",\"keys\":{\"place\":\"2\"}}"));
	play_keys(&play, "gd");
	assert_true(play_sees(&play, "9 messages wait for it"));
	play_keys(&play, "y");
	assert_true(play_was_asked(&play, "apply {\"token\":\"t1\"}"));
	play_keys(&play, "g<Enter>");
	assert_true(play_was_asked(&play, "route.show {\"name\":\"isp\"}"));
	assert_true(play_sees(&play, "office"));
	play_end(&play);
}

/* SCH-02: a schedule as a table of the week; only what was changed is saved, and first its runs are seen. */
static void
week_of_a_schedule_sch_02(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 80);
	play_keys(&play, ":schedules<Enter>");
	play_keys(&play, "E");
	assert_true(play_was_asked(&play, "schedule.set {\"name\":\"office\",\"keys\":{\"enabled\":\"no\"}}"));
	play_keys(&play, "<Enter>");
	assert_true(play_was_asked(&play, "schedule.next {\"name\":\"office\",\"keys\":{\"enabled\":\"yes\",\"days\":\"mon,tue\","
		"\"from\":\"09:00\",\"to\":\"17:00\",\"every\":\"900s\",\"at\":\"\"}}"));
	assert_true(play_sees(&play, "Mon Tue, 09:00 to 17:00, every 15m"));
	assert_true(play_sees(&play, ">Mon x   .  .  .  .  .  .  .  .  .  4  4  4  4  4  4  4  4  1  ."));
	assert_true(play_sees(&play, "Mon Nov 23 09:15"));
	play_keys(&play, "jj lBIx<Enter>");
	assert_true(play_sees(&play, "an interval is 15m, 1h"));
	play_keys(&play, "I<Ctrl-U>1h<Enter>");
	assert_true(play_was_asked(&play, "\"days\":\"mon,tue,wed\",\"from\":\"10:00\",\"to\":\"17:00\",\"every\":\"3600s\""));
	assert_true(play_sees(&play, "Mon-Wed, 10:00 to 17:00, every 1h   * not saved"));
	assert_true(play_sees(&play, ">Wed x   .  .  .  .  .  .  .  .  .  .  1  1  1  1  1  1  1  1  ."));
	play_keys(&play, "<Esc>");
	assert_true(play_sees(&play, "the schedule is not saved, Esc again leaves"));
	play_keys(&play, "<F2>");
	assert_true(play_was_asked(&play, "schedule.set {\"name\":\"office\",\"keys\":{\"days\":\"mon,tue,wed\",\"from\":\"10:00\",\"every\":\"3600s\"}}"));
	assert_true(play_sees(&play, "schedule office changed"));
	play_keys(&play, "A<Ctrl-U>8:00;25:00<Enter>");
	assert_true(play_sees(&play, "25:00 is no time"));
	play_keys(&play, "A<Ctrl-U>8:00;12:30<Enter>TE*");
	assert_true(play_sees(&play, "OFF, every day, at 8:00;12:30"));
	play_end(&play);
}

static void
hand_off_lan_01(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_keys(&play, ":hand-off<Enter>");
	assert_true(play_sees(&play, "*@branch.test"));
	play_keys(&play, "Xann@branch.test<F2>");
	assert_true(play_was_asked(&play, "route.lan.test {\"address\":\"ann@branch.test\""));
	play_end(&play);
}

/* Hand-off: who has store and forward, and how one is given it. */
static void
store_and_forward(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_keys(&play, ":store-forward<Enter>");
	assert_true(play_was_asked(&play, "\"method\":\"user.list\",\"params\":{},\"filter\":\"store_forward_address:@\""));
	assert_true(play_sees(&play, "bert@other.test"));
	play_keys(&play, "W");
	assert_false(play_was_asked(&play, "store_forward_address:@"));
	play_keys(&play, "We<Down><Ctrl-U>mx.other.test<Down>canary-5<F2>");
	assert_true(play_was_asked(&play, "user.set {\"name\":\"bert\",\"keys\":{\"store_forward_server\":\"mx.other.test\"},\"password\":\"canary-5\"}"));
	play_end(&play);
}

static void
dkim_keys(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_keys(&play, ":dkim<Enter>U");
	assert_true(play_was_asked(&play, "dkim.use {\"domain\":\"example.org\",\"selector\":\"s2026\"}"));
	play_keys(&play, "<Enter>");
	assert_true(play_sees(&play, "v=DKIM1"));
	play_end(&play);
}

/* The Overview says that something cannot be reached; Enter shows what. */
static void
from_the_overview(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_event(&play, "status", PLAY_STATUS);
	play_keys(&play, "1");
	assert_true(play_sees(&play, "1 destination cannot be reached"));
	play_end(&play);
}

/* SCH-03, SCH-05, SCH-06: what holds for all schedules stands above them; M edits it. */
static void
modifiers_sch_05(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 100);
	play_keys(&play, ":schedules<Enter>");
	assert_true(play_sees(&play, "M: sends at once; skips within 5m; connects: 3 people in 10m; for urgent mail"));
	play_keys(&play, "M");
	assert_true(play_sees(&play, "Skip within        [5m "));
	play_keys(&play, " <Down><Ctrl-U>90s<Down>0<F2>");
	assert_true(play_was_asked(&play, "schedule.modify {\"keys\":{\"send_immediately\":\"no\","
		"\"skip_if_connected_within\":\"90s\",\"connect_after_people\":\"30\"}}"));
	play_end(&play);
}

static void
random_keys_here(void **state)
{
	(void)state;
	play_begin(&play, sending, 24, 80);
	play_event(&play, "status", PLAY_STATUS);
	play_storm(&play, "9]jkhlgGEBTIAMLcedXW *?:aq0512;", 3000);
	play_end(&play);
}

static void
pages_of_sending(void **state)
{
	static const struct play_page pages[] = {
		{ "routes", "9]" }, { "route", "<Enter>" }, { "schedules", "<Esc>]" },
		{ "week", "<Enter>" }, { "week-changed", "j l BI<Ctrl-U>30m<Enter>" }, { "modifiers", "<Esc><Esc>M" }, { "lan", "<Esc>]" },
		{ "store-forward", "]" }, { "connections", "]" },
		{ "connection", "<Enter>" }, { "connection-new", "<Esc>c" }, { "destinations", "<Esc>]" }, { "dkim", "]" },
	};

	(void)state;
	play_pages(&play, &(struct play_tour){ .answers = sending, .tiny = true, .pages = pages, .count = COUNT(pages) });
}

int
test_tui_sending(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(connections_con_12),
		cmocka_unit_test(connection_form_con_05),
		cmocka_unit_test(routes_out_04),
		cmocka_unit_test(week_of_a_schedule_sch_02),
		cmocka_unit_test(hand_off_lan_01),
		cmocka_unit_test(store_and_forward),
		cmocka_unit_test(dkim_keys),
		cmocka_unit_test(from_the_overview),
		cmocka_unit_test(modifiers_sch_05),
		cmocka_unit_test(random_keys_here),
		cmocka_unit_test(pages_of_sending),
	};

	return cmocka_run_group_tests_name("sending", tests, NULL, NULL);
}
