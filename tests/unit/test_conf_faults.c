/*
 * test_conf_faults.c - every kind of fault in the text of settings, with its place.
 */
#include "tests/unit/test_conf.h"

#include <string.h>

#define X63 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Text in, all faults out, each with line and column. */
static const struct {
	const char *yaml, *want;
} rows[] = {
	{ "hostnam: x\n", ":1:1: hostnam: unknown key\n" },
	{ "hostname: a" X63 ".test\n", ":1:11: hostname: not a domain\n" },
	{ "services: { lmtp: { listen: [\"unix:" X63 X63 "\"] } }\n",
		":1:30: services.lmtp.listen: not ADDRESS:PORT, [ADDRESS]:PORT, *:PORT or "
		"unix:PATH\n" },
	{ "outgoing: { routes: [{ name: a.b, kind: direct }] }\n",
		":1:22: outgoing.routes.0: a name must not have a dot\n" },
	{ "schedules: [{ name: a, from: 24:01, every: 1h }]\n",
		":1:30: schedules.a.from: not a time of day, 00:00 to 24:00\n" },
	{ "log: { level: info, levle: x }\n", ":1:21: log.levle: unknown key\n" },
	{ "a: 1\nb: 2\nlog:\n  c: 3\n",
		":1:1: a: unknown key\n:2:1: b: unknown key\n:4:3: log.c: unknown key\n" },
	{ "loops: 2\nloops: 3\n", ":2:1: loops: duplicate key, first on line 1\n" },
	{ "log: { level: info, level: info }",
		":1:21: level: duplicate key, first on line 1\n" },
	{ "log: { level: loud }\n",
		":1:15: log.level: not one of error|warning|info|debug\n" },
	{ "loops: 65\n", ":1:8: loops: not between 1 and 64\n" },
	{ "loops: 0\n", ":1:8: loops: not between 1 and 64\n" },
	{ "loops: x\n", ":1:8: loops: not a whole number\n" },
	{ "loops: '4'\n", ":1:8: loops: must stand without quotes\n" },
	{ "loops: [4]\n", ":1:8: loops: takes number or auto, not a list\n" },
	{ "loops: {a: b}\n", ":1:8: loops: takes number or auto, not a map\n" },
	{ "loops:\n", ":1:7: loops: has no value\n" },
	{ "loops: null\n", ":1:8: loops: has no value\n" },
	{ "loops: 99999999999999999999\n", ":1:8: loops: not between 1 and 64\n" },
	{ "limits: { message_size: 50X }\n",
		":1:25: limits.message_size: not a size, such as 2048, 64KB or 1GB\n" },
	{ "limits: { message_size: -1 }\n",
		":1:25: limits.message_size: not a size, such as 2048, 64KB or 1GB\n" },
	{ "limits: { line_length: 65KB }\n",
		":1:24: limits.line_length: not between 1000 and 64KB\n" },
	{ "limits: { message_size: 9999999999TB }\n",
		":1:25: limits.message_size: not between 0 and 1024TB\n" },
	{ "trace: { keep: soon }\n",
		":1:16: trace.keep: not a time, such as 30s, 10m, 2h or 7d\n" },
	{ "trace: { keep: 1s }\n", ":1:16: trace.keep: not between 1m and 3660d\n" },
	{ "smtp: { require_auth: maybe }\n", ":1:23: smtp.require_auth: not yes or no\n" },
	{ "smtp: { require_auth: \"yes\" }\n",
		":1:23: smtp.require_auth: must stand without quotes\n" },
	{ "log: [1]\n", ":1:6: log: takes a map, { ... }\n" },
	{ "log: info\n", ":1:6: log: takes a map, { ... }\n" },
	{ "- a\n", ":1:1: takes a map, { ... }\n" },
	{ "just text\n", ":1:1: takes a map, { ... }\n" },
	{ "domains: { local: example.test }\n",
		":1:19: domains.local: takes a list, [ ... ]\n" },
	{ "domains: { local: ['a b'] }\n",
		":1:20: domains.local: not a domain, an address or a pattern of them\n" },
	{ "domains: { local: [''] }\n", ":1:20: domains.local: an item is empty\n" },
	{ "domains: { local: [[a]] }\n", ":1:20: domains.local: an item must be a text\n" },
	{ "domains: { default: 'a@b' }\n", ":1:21: domains.default: not a domain\n" },
	{ "data: \"a\\nb\"\n", ":1:7: data: control characters are not allowed\n" },
	{ "hostname: \"a\\nb\"\n",
		":1:11: hostname: not a domain\n" },
	{ "hostname: \"a\\0b\"\n",
		":1:11: hostname: not a domain\n" },
	{ "data: ''\n", ":1:7: data: must not be empty\n" },
	{ "services: { smtp: }\n", ":1:19: services.smtp: needs the key listen\n" },
	{ "services: { smtp: { listen: [] } }\n",
		":1:29: services.smtp.listen: takes 1 to 16 items\n" },
	{ "services: { smtp: { listen: [25] } }\n",
		":1:30: services.smtp.listen: not ADDRESS:PORT, [ADDRESS]:PORT, *:PORT or "
		"unix:PATH\n" },
	{ "services: { smpt: { listen: ['*:25'] } }\n",
		":1:13: services.smpt: no such service\n" },
	{ "services: { smtp: { listen: ['*:25'], acess: [] } }\n",
		":1:39: services.smtp.acess: unknown key\n" },
	{ "services: { smtp: { listen: ['*:25'], access: ['x'] } }\n",
		":1:48: services.smtp.access: not an address\n" },
	{ "services:\n  smtp: { listen: ['127.0.0.1:25'] }\n  pop3: { listen: ['*:25'] }\n",
		":3:20: services.pop3.listen: *:25 is taken by smtp\n" },
	{ "services:\n  smtp: { listen: ['unix:a', 'unix:a'] }\n",
		":2:30: services.smtp.listen: unix:a is taken by smtp\n" },
	{ "tls: { certificate: a.pem }\n",
		":1:21: tls.key: is missing, though there is a certificate\n" },
	{ "outgoing: { routes: [{ kind: relay, servers: [a] }] }\n",
		":1:22: outgoing.routes.0: needs the key name\n" },
	{ "outgoing:\n  routes:\n    - { name: a, kind: direct }\n    - { name: A, kind: "
	  "direct }\n",
		":4:7: outgoing.routes.A: the name A is taken\n" },
	{ "outgoing: { routes: [{ name: a, kind: direct, password: {fiel: x} }] }\n",
		":1:57: outgoing.routes.a.password: a secret is text, {file: PATH} or {sealed: "
		"NAME}\n" },
	/* OUT-08: a filter that can fit nothing */
	{ "outgoing: { routes: [{ name: a, kind: direct, domains: ['Frm: x@a.test'] }] }\n",
		":1:22: outgoing.routes.a: domains: \"Frm: x@a.test\" is none of domain, !domain, "
		"From: address, !From: address\n" },
	{ "outgoing: { routes: [{ name: a, kind: direct, domains: ['!!x.test'] }] }\n",
		":1:22: outgoing.routes.a: domains: \"!!x.test\" is none of domain, !domain, "
		"From: address, !From: address\n" },
	{ "outgoing: { routes: [{ name: a, kind: direct, domains: ['!From:'] }] }\n",
		":1:22: outgoing.routes.a: domains: \"!From:\" is none of domain, !domain, "
		"From: address, !From: address\n" },
	{ "outgoing: { routes: [{ name: a, kind: direct, domains: [x@a.test] }] }\n",
		":1:22: outgoing.routes.a: domains: \"x@a.test\" is none of domain, !domain, "
		"From: address, !From: address\n" },
	{ "outgoing: { routes: [{ name: a, kind: direct, domains: ['! *.a.test', '!From: <>', 'from:*@b', '[192.0.2.1]'] }] }\n",
		"" },
	{ "outgoing: { routes: [{ name: a, kind: direct, servers: [a.test] }] }\n",
		":1:22: warning: outgoing.routes.a: a direct route finds its servers by MX: servers "
		"means nothing\n" },
	{ "outgoing: { routes: [{ name: SNF, kind: direct }] }\n",
		":1:22: outgoing.routes.SNF: the names lan and snf mean LAN forwarding and store and "
		"forward\n" },
	{ "outgoing: { routes: [{ name: a, kind: direct, return_address: never }] }\n",
		":1:22: outgoing.routes.a: return_address is keep, always ADDRESS or nonlocal "
		"ADDRESS\n" },
	{ "schedules: [{ name: a, from: '25:00', every: 1h }]\n",
		":1:30: schedules.a.from: not a time of day, 00:00 to 24:00\n" },
	{ "schedules: [{ name: a, days: [mon, someday], every: 1h }]\n",
		":1:36: schedules.a.days: not one of mon|tue|wed|thu|fri|sat|sun\n" },
	{ "schedules: [{ name: a, connections: [b], every: 1h }]\n",
		":1:37: schedules.a.connections: there is no connection b: name one that is there, or none\n" },
	{ "outgoing: { routes: [{ name: a, servers: [h], connection: b }] }\n",
		":1:59: outgoing.routes.a.connection: there is no connection b: name one that is there, or none\n" },
	{ "schedules: [{ name: a, every: 59s }]\n",
		":1:13: schedules.a: every is 1m to 24h; days says how many days\n" },
	{ "schedules: [{ name: a }]\n",
		":1:13: warning: schedules.a: a schedule without every and at never fires\n" },
#define BOX "collecting: { collectors: [{ name: a, server: h, username: u, accepted: [x.test], "
	{ BOX "order: [special, standard, special] }] }\n", ":1:90: collecting.collectors.a.order: a step may be "
		"named once: special, standard, received\n" }, /* INM-13 */
	{ BOX "order: [stop-if-any] }] }\n", ":1:90: collecting.collectors.a.order: no step is named: special, "
		"standard, received\n" },
	{ BOX "order: [stop, special] }] }\n",
		":1:90: collecting.collectors.a.order: nothing is read before it stops\n" },
	{ BOX "order: [special, stop-if-any, standard, stop-if-any, received, stop] }] }\n", "" },
	{ BOX "order: [anything, standard] }] }\n", ":1:91: collecting.collectors.a.order: not one of "
		"special|standard|received|stop-if-any|stop\n" },
	{ BOX "special_headers: [X-To, 'X-Env:', 'Delivered: a-*'] }] }\n", "" }, /* INM-11 */
	{ BOX "special_headers: ['Delivered: a-'] }] }\n", ":1:100: collecting.collectors.a.special_headers: a "
		"template has one '*', where the address stands: account-*\n" },
	{ BOX "special_headers: ['a b'] }] }\n", ":1:100: collecting.collectors.a.special_headers: an item is the "
		"name of a field, or NAME: TEMPLATE\n" },
	{ BOX "route: all }] }\n", ":1:28: collecting.collectors.a: route: all wants a user, list or address in "
		"target\n" }, /* INM-09 */
	{ BOX "route: lan, target: a, target_server: h }] }\n",
		":1:28: collecting.collectors.a: route: lan wants an address in target\n" },
	{ BOX "route: lan, target: a@b.test }] }\n",
		":1:28: collecting.collectors.a: route: lan wants HOST or HOST:PORT in target_server\n" },
	{ BOX "route: subject, marker: for }] }\n",
		":1:107: collecting.collectors.a.marker: has no '*', where the name stands: {*}\n" }, /* INM-20 */
	{ "collecting: { collectors: [{ name: a, server: 'h:995', username: u, accepted: [a.test] }] }\n",
		":1:47: collecting.collectors.a.server: is a host alone: its port stands in `port`\n" },
	{ "collecting: { collectors: [{ name: a, server: '2001:db8::1', username: u, accepted: [a.test] }] }\n", "" },
	{ "collecting: { collectors: [{ name: a, server: h, username: u }] }\n",
		":1:28: warning: collecting.collectors.a: without accepted domains all of its mail is without "
		"recipients: accepted: [DOMAIN]\n" }, /* INM-07 */
	{ BOX "folder: X }, { name: b, server: H, username: u, accepted: [a.test] }] }\n", ":1:96: warning: "
		"collecting.collectors.b: the same mailbox as a: what is left there (leave_days) comes twice\n" },
	{ BOX "port: 1 }, { name: b, server: h, username: u, accepted: [a.test] }] }\n", "" },
	{ "connections: [{ name: a, kind: link }]\n",
		":1:15: warning: connections.a: a link without up, status and interfaces "
		"never comes up\n" },
	{ "smtp: { blocklists: [bl.test reject, 'bl.test =127.0.0.2 mark it'] }\n", "" },
	{ "smtp:\n  blocklists:\n    - bl.test reject\n    - bl..test reject\n",
		":4:7: smtp.blocklists: a line is `zone [=answer pattern] reject|mark [text]`\n" },
	{ "smtp: { blocklists: ['bl.test =127.0.0.a mark'] }\n",
		":1:22: smtp.blocklists: an answer pattern is like =127.0.0.2 or =127.0.0.*\n" },
	{ "smtp: { blocklists: ['bl.test drop it'] }\n",
		":1:22: smtp.blocklists: the action is reject or mark\n" },
	{ "smtp: { blocklists: ['bl.test reject \xc3\xa9'] }\n",
		":1:22: smtp.blocklists: the text is at most 200 printable ASCII characters\n" },
	{ "smtp: { blocklist_allow: ['x'] }\n", ":1:27: smtp.blocklist_allow: not an address\n" },
	{ "dns: { servers: ['192.0.2.1', '[2001:db8::1]:53', '2001:db8::1', '192.0.2.1:5353'] }\n", "" },
	{ "dns: { servers: ['192.0.2.1', ns.example.org] }\n",
		":1:31: dns.servers: ns.example.org is not an address\n" },
	{ "hostname: &a x\n", ":1:11: anchors are not allowed\n" },
	{ "hostname: *a\n", ":1:11: aliases are not allowed\n" },
	{ "hostname: !!str x\n", ":1:11: tags are not allowed\n" },
	{ "log: !x {}\n", ":1:6: tags are not allowed\n" },
	{ "%YAML 1.1\n---\nloops: 1\n", ":1:1: directives are not allowed\n" },
	{ "loops: 1\n---\nloops: 1\n", ":2:1: a second document is not allowed\n" },
	{ "[a]: b\n", ":1:1: a key must be a word\n" },
	{ "log: { level: info\nloops: 1\n",
		":2:6: did not find expected ',' or '}'\n" },
	{ "loops: 1\n\tlog: x\n",
		":2:1: found a tab character that violates indentation\n" },
	{ "hostname: \xff\n", ":1:11: invalid leading UTF-8 octet\n" },
	{ "hostname: a\x01\n", ":1:12: control characters are not allowed\n" },
	{ "# \xc3\xa9\xc3\xa9\nlog: { dir: '\xc3\xa9', x: 1 }\n",
		":2:18: log.x: unknown key\n" },
	/* warnings */
	{ "domains: { default: a.test, local: [b.test] }\n",
		":1:21: warning: domains.default: a.test is not among domains.local\n" },
	{ "smtp: { require_auth: yes, auth_for_local: yes }\nservices: { smtp: { listen: "
	  "['*:25'] } }\n",
		":1:44: warning: smtp.auth_for_local: port open to all, yet mail from other "
		"servers is refused without AUTH\n" },
	{ "limits: { message_size: 65535, command_line: 1099 }\n",
		":1:25: warning: limits.message_size: less than the 64KB of RFC 5321, "
		"4.5.3.1.7\n:1:46: warning: limits.command_line: less than our extensions "
		"need (RFC 5321, 4.5.3.1.4)\n" },
	{ "imap: { require_cram_md5: yes }\n",
		":1:27: warning: imap.require_cram_md5: without auth.recoverable or "
		"auth.scram nobody could log in\n" },
	{ "imap: { require_cram_md5: yes }\nauth: { recoverable: yes }\n", "" },
	{ "timeouts: { pop3: 599s }\n",
		":1:19: warning: timeouts.pop3: less than the 10m of RFC 1939, 3\n" },
	{ "timeouts: { client: 10s }\n",
		":1:21: warning: timeouts.client: outside what is sensible, 30s to 600s\n" },
	/* NET-02, INM-02 */
	{ "collecting: { collectors: [ { name: a, accepted: [x.test], timeout: 5s } ] }\n",
		":1:69: warning: collecting.collectors.a.timeout: outside what is sensible, 30s to 600s\n" },
	{ "collecting: { collectors: [ { name: a, accepted: [x.test], auth: xoauth2 } ] }\n",
		":1:66: warning: collecting.collectors.a.auth: xoauth2 without token_command sends the password as a token\n" },
};

static void
test_load_faults_cfg01_h60(void **state)
{
	char got[4000];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		test_conf_faults(span_of(rows[i].yaml), got, sizeof(got));
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: %s\n got %s\nwant %s", i, rows[i].yaml, got, rows[i].want);
	}
}

static void
test_load_bounds_the_list_of_faults(void **state)
{
	char text[4000] = "", *at = text;
	static struct conf_faults faults;
	struct conf *conf;

	(void)state;
	for (int i = 0; i < 150; i++)
		at += snprintf(at, 20, "key%d: 1\n", i);
	conf_faults_init(&faults);
	assert_int_equal(conf_load(span_of(text), &conf, &faults), ERR_SYNTAX);
	assert_int_equal(faults.count, CONF_FAULTS_MAX);
	assert_int_equal(faults.left_off, 50);
	assert_int_equal(faults.errors, 150);
	conf_faults_fini(&faults);
}

int
test_conf_faults_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_faults_cfg01_h60),
		cmocka_unit_test(test_load_bounds_the_list_of_faults),
	};

	return cmocka_run_group_tests_name("conf_faults", tests, NULL, NULL);
}
