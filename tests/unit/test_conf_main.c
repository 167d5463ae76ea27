/*
 * test_conf_main.c - the tests of conf/ in one program: the archive whole, and proto/ beneath it.
 */
#include "tests/unit/test_conf.h"

#include <string.h>

#include "tests/harness/page_edge.h"

static const char example[] =
	"hostname: mail.example.test\n"
	"data: var/store              # LMDB environment\n"
	"control: var/control.sock\n"
	"log: { level: info, dir: var/log, max_size: 10MB }\n"
	"tls: { certificate: var/tls/cert.pem, key: var/tls/key.pem, ca: \"\" }   # absent: made\n"
	"domains: { default: example.test, local: [example.test], map: [], default_user_mapping: yes, "
	"unknown_to_isp: no, route_locally: yes }\n"
	"services:                    # a service that is not named does not run\n"
	"  smtp:        { listen: [\"127.0.0.1:2525\"] }                  # MX side\n"
	"  submission:  { listen: [\"127.0.0.1:2587\"] }                  # AUTH required\n"
	"  submissions: { listen: [\"127.0.0.1:2465\"] }                  # implicit TLS\n"
	"  pop3:        { listen: [\"127.0.0.1:2110\"] }\n"
	"  pop3s:       { listen: [\"127.0.0.1:2995\"] }\n"
	"  imap:        { listen: [\"127.0.0.1:2143\"] }\n"
	"  imaps:       { listen: [\"127.0.0.1:2993\"] }\n"
	"  lmtp:        { listen: [\"unix:var/lmtp.sock\"] }\n"
	"  ldap:        { listen: [\"127.0.0.1:2389\"] }\n"
	"  finger:      { listen: [\"127.0.0.1:2079\"] }\n"
	"  password:    { listen: [\"127.0.0.1:2106\"] }\n"
	"  metrics:     { listen: [\"127.0.0.1:2680\"] }\n"
	"  # each takes: access, max_connections, max_per_ip, timeout\n"
	"dns: { servers: [] }         # all look-ups\n"
	"outgoing:\n"
	"  routes:\n"
	"    - { name: isp, kind: relay, servers: [\"smtp.isp.test:587\"], username: u, password: "
	"{file: s},\n"
	"        tls: required,       # none | opportunistic | required | verified | implicit\n"
	"        domains: [\"ibm.test\", \"!x.test\", \"From: *@a.test\", \"!From: b@a.test\"], "
	"max_recipients: 10, max_connections: 20,\n"
	"        return_address: keep,     # keep | always ADDRESS | nonlocal ADDRESS\n"
	"        smaller_first: no, esmtp: yes }\n"
	"    - { name: direct, kind: direct, port: 25, allow_loopback: no }\n"
	"  warnings: daily            # never | daily | always\n"
	"  dsn_reports: yes\n"
	"  transport_errors_to_admin: no\n"
	"  timeouts: { connect: 30s, greeting: 5m, command: 5m, data: 2m, data_block: 3m, "
	"data_done: 10m }\n"
	"collecting:\n"
	"  collectors: []             # what `collect add` writes\n"
	"  unknown: { do: mail, to: \"\", bounce: no, bounce_text: \"\" }     # mail | error | remote\n"
	"  query_delay: 7d\n"
	"connections: []              # name, kind lan|link\n"
	"schedules: []                # name, enabled, days, from, to, every | at, connections\n"
	"scheduling: { send_immediately: yes, skip_if_connected_within: 0, connect_after_people: 0, "
	"connect_after_people_within: 5m }\n"
	"main_administrator: postmaster\n"
	"errors: { connection: yes, link: yes }\n"
	"lan: { threads: \"\" }         # \"127.0.0.1:1025-5\", as LAN says\n"
	"headers: { outgoing: [], transmission_receipt: [], delivery_receipt: [], "
	"receipts_local_only: yes }\n"
	"signature: { plain: \"\", html: \"\", auth_plain: \"\", auth_html: \"\" }\n"
	"smtp: { relay_check: client_ip, reject_unknown: yes, require_auth: no, auth_for_local: no }\n"
	"lockout: { attempts: 5, minutes: 10, scope: source }\n"
	"auth: { scram: no, recoverable: no, min_length: 5 }\n"
	"limits: { message_size: 50MB, recipients: 1000, command_line: 2048, line_length: 64KB, "
	"memory_in_flight: 64MB, user_recipients_hour: 500 }\n"
	"trace: { keep: 30d, max_size: 1GB }\n"
	"search: { index: yes }       # words of all messages\n"
	"queue: { bin_keep: 10m }\n"
	"users: { bin_keep: 30d }\n"
	"console: { groups: { viewer: [], operator: [], administrator: [] } }   # Unix groups\n"
	"loops: auto                  # loop threads; auto is one a core\n"
	"testing: { clock: no }       # yes: `postroom clock advance` works\n";

const struct span test_conf_example = { example, sizeof(example) - 1 };

void
test_conf_faults(struct span text, char *out, size_t size)
{
	struct span edge = text.len <= 4096 ? at_page_edge(text) : text;
	struct conf_faults faults;
	struct conf *conf;
	struct buf buf;

	conf_faults_init(&faults);
	buf_init(&buf, size - 1);
	if (conf_load(edge, &conf, &faults) == OK)
		conf_free(&conf);
	for (size_t i = 0; i < faults.count; i++) {
		assert_int_equal(conf_fault_put(&faults.items[i], "", &buf), OK);
		assert_int_equal(buf_put(&buf, SPAN("\n")), OK);
	}
	if (buf_span(&buf).len > 0)
		memcpy(out, buf_span(&buf).ptr, buf_span(&buf).len);
	out[buf_span(&buf).len] = '\0';
	buf_fini(&buf);
	conf_faults_fini(&faults);
}

void
test_conf_fault(size_t row, struct conf_faults *faults, unsigned line, unsigned column, const char *why)
{
	check_row(row, faults->count == 1);
	check_row(row, faults->items[0].line == line);
	check_row(row, faults->items[0].column == column);
	check_row(row, span_find_span(faults->items[0].text, span_of(why)) < faults->items[0].text.len);
	conf_faults_fini(faults);
}

struct conf *
test_conf_load(struct span text)
{
	struct conf_faults faults;
	struct conf *conf = NULL;
	enum err err;

	conf_faults_init(&faults);
	err = conf_load(text, &conf, &faults);
	if (err != OK) {
		static char list[60000];

		test_conf_faults(text, list, sizeof(list));
		fail_msg("not loaded: %s", list);
	}
	conf_faults_fini(&faults);
	return conf;
}

int
main(void)
{
	return test_conf_access() + test_conf_load_all() + test_conf_faults_all() + test_conf_bombs() +
	       test_conf_get() + test_conf_edit() + test_conf_history() + test_lan_rules() +
	       test_rule_text() + test_rule_speed() + test_archive_rules();
}
