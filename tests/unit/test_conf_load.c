/*
 * test_conf_load.c - text to settings: defaults, secrets, services, and whose file it may be.
 */
#include "tests/unit/test_conf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_value.h"

static void
test_load_example_of_contract_cfg01(void **state)
{
	struct conf *conf = test_conf_load(test_conf_example);

	(void)state;
	assert_true(span_eq(conf->hostname, SPAN("mail.example.test")));
	assert_int_equal(conf->services.count, SERVICE_COUNT);
	assert_int_equal(conf_service(conf, SERVICE_pop3s)->listen.items[0].port, 2995);
	assert_int_equal(conf->limits_message_size, 50 * MIB);
	assert_int_equal(conf->trace_keep_ms, 30 * DAY_MS);
	assert_int_equal(conf->loops, 0);
	assert_int_equal(conf->outgoing_routes.count, 2);
	assert_int_equal(conf->outgoing_routes.items[0].tls, ROUTE_TLS_REQUIRED);
	assert_int_equal(conf->outgoing_routes.items[0].password.kind, SECRET_FILE);
	assert_int_equal(conf->outgoing_routes.items[0].domains.count, 4);
	assert_int_equal(conf->outgoing_routes.items[1].kind, ROUTE_DIRECT);
	assert_false(conf->has_secret);
	assert_true(conf->given[INDEX_lockout_scope]);
	assert_false(conf->given[INDEX_limits_addresses]);
	conf_free(&conf);
	assert_null(conf);
}

static void
test_load_nothing_gives_defaults_cfg01(void **state)
{
	static const char *const rows[] = { "", "\n", "# nothing\n", "---\n", "log:\nservices:\n",
		"{}", "log: {}\n" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = test_conf_load(span_of(rows[i]));

		check_row(i, conf->services.count == 0);
		check_row(i, conf_service(conf, SERVICE_smtp) == NULL);
		check_row(i, conf->log_level == CONF_LOG_INFO);
		check_row(i, conf->limits_max_per_ip == 50);
		check_row(i, conf->timeouts_before_login_ms == 60000);
		check_row(i, span_eq(conf->data, SPAN("var/store")));
		conf_free(&conf);
	}
}

/* Every row of every table has a default that it would accept itself. */
static void
test_rows_have_good_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		check_row(i, settings[i].help[0] != '\0');
		check_row(i, strlen(settings[i].key) < CONF_KEY_MAX);
		check_row(i, settings[i].min <= settings[i].max);
		for (size_t j = 0; j < i; j++)
			check_row(i, strcmp(settings[i].key, settings[j].key) != 0);
	}
}

static void
test_choices_have_the_order_of_their_enums(void **state)
{
	static const struct {
		const char *yaml;
		size_t offset;
		unsigned want;
	} rows[] = {
		{ "log: { level: error }", offsetof(struct conf, log_level), CONF_LOG_ERROR },
		{ "log: { level: debug }", offsetof(struct conf, log_level), CONF_LOG_DEBUG },
		{ "smtp: { relay_check: lan }", offsetof(struct conf, smtp_relay_check), RELAY_LAN },
		{ "smtp: { relay_check: none }", offsetof(struct conf, smtp_relay_check), RELAY_NONE },
		{ "lockout: { scope: user }", offsetof(struct conf, lockout_scope), LOCKOUT_USER },
		{ "outgoing: { warnings: always }", offsetof(struct conf, outgoing_warnings),
			WARNINGS_ALWAYS },
		{ "collecting: { unknown: { do: remote } }",
			offsetof(struct conf, collecting_unknown_do), UNKNOWN_REMOTE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *conf = test_conf_load(span_of(rows[i].yaml));

		check_row(i, *(unsigned *)(void *)((char *)conf + rows[i].offset) == rows[i].want);
		conf_free(&conf);
	}
}

static void
test_load_never_shows_a_password_h66(void **state)
{
	static const char *const rows[] = {
		"outgoing: { routes: [{ name: a, kind: direct, password: canary-1 }] }\nx: 1\n",
		"outgoing: { routes: [{ name: a, kind: direct, password: \"canary\\x01\" }] }\n",
		"outgoing: { routes: [{ name: a, kind: direct, password: [canary] }] }\n",
		"outgoing: { routes: [{ name: a, kind: direct, password: {canary: canary} }] }\n",
	};
	char got[4000];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		test_conf_faults(span_of(rows[i]), got, sizeof(got));
		check_row(i, got[0] != '\0' && strstr(got, "canary") == NULL);
	}
}

static void
test_load_secrets_cfg05(void **state)
{
	static const struct {
		const char *value;
		enum secret_kind kind;
		const char *want;
		bool has_secret;
	} rows[] = {
		{ "geheim", SECRET_PLAIN, "geheim", true },
		{ "'12 34'", SECRET_PLAIN, "12 34", true },
		{ "\"\"", SECRET_NONE, "", false },
		{ "{file: a/b}", SECRET_FILE, "a/b", false },
		{ "{sealed: isp}", SECRET_SEALED, "isp", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[200];
		int len = snprintf(text, sizeof(text),
			"outgoing: { routes: [{ name: a, kind: direct, password: %s }] }",
			rows[i].value);
		struct conf *conf = test_conf_load((struct span){ text, (size_t)len });
		struct secret secret = conf->outgoing_routes.items[0].password;

		check_row(i, secret.kind == rows[i].kind);
		check_row(i, span_eq(secret.value, span_of(rows[i].want)));
		check_row(i, conf->has_secret == rows[i].has_secret);
		conf_free(&conf);
	}
}

static void
test_load_file_owner_and_mode_h60_cfg05(void **state)
{
	static const char plain[] = "loops: 1\n";
	static const char secret[] =
		"outgoing: { routes: [{ name: a, kind: direct, password: x }] }\n";
	static const struct {
		const char *text;
		unsigned mode;
		enum err want;
	} rows[] = {
		{ plain, 0644, OK },
		{ plain, 0664, ERR_DENIED },
		{ plain, 0646, ERR_DENIED },
		{ secret, 0640, OK },
		{ secret, 0600, OK },
		{ secret, 0644, ERR_DENIED },
		{ "loops: x\n", 0644, ERR_SYNTAX },
	};
	char path[] = "/tmp/test-conf-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct conf_faults faults;
		struct conf *conf;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_true(pwrite(fd, rows[i].text, strlen(rows[i].text), 0) > 0);
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		conf_faults_init(&faults);
		check_row(i, conf_load_file(path, geteuid(), &conf, &faults) ==
				     rows[i].want);
		check_row(i, (faults.errors == 0) == (rows[i].want == OK));
		conf_free(&conf);
		conf_faults_fini(&faults);
	}
	close(fd);
	unlink(path);
}

/* Root's file is good for everybody; a third one's is not. */
static void
test_load_file_of_somebody_else_h60(void **state)
{
	static struct conf_faults faults;
	char path[] = "/tmp/test-conf-XXXXXX";
	int fd = mkstemp(path);
	unsigned owner = geteuid() == 0 ? 0 : geteuid() + 1;
	struct conf *conf;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, geteuid() == 0 ? 12345 : geteuid(), (gid_t)-1), 0);
	conf_faults_init(&faults);
	assert_int_equal(conf_load_file(path, owner, &conf, &faults), ERR_DENIED);
	assert_int_equal(faults.count, 1);
	conf_faults_fini(&faults);
	close(fd);
	unlink(path);
}

static void
test_load_file_that_is_none(void **state)
{
	static const struct {
		const char *path;
		enum err want;
	} rows[] = {
		{ "/nonexistent/postroom.yaml", ERR_NOT_FOUND },
		{ "/tmp", ERR_DENIED },
		{ "/dev/zero", ERR_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		static struct conf_faults faults;
		struct conf *conf;

		conf_faults_init(&faults);
		check_row(i, conf_load_file(rows[i].path, geteuid(), &conf, &faults) == rows[i].want);
		check_row(i, faults.count == 1 && conf == NULL);
		conf_faults_fini(&faults);
	}
}

static void
test_service_limits_net02_h32(void **state)
{
	struct conf *conf = test_conf_load(SPAN(
		"services:\n  smtp: { listen: ['*:25'] }\n  pop3: { listen: ['*:110'] }\n"
		"  imap: { listen: ['*:143'], timeout: 5m, max_connections: 7, max_per_ip: 3 }\n"));

	(void)state;
	assert_int_equal(
		conf_service_timeout_ms(conf, conf_service(conf, SERVICE_smtp)), 300000);
	assert_int_equal(
		conf_service_timeout_ms(conf, conf_service(conf, SERVICE_pop3)), 600000);
	assert_int_equal(
		conf_service_timeout_ms(conf, conf_service(conf, SERVICE_imap)), 300000);
	assert_int_equal(
		conf_service_max_connections(conf, conf_service(conf, SERVICE_imap)), 7);
	assert_int_equal(
		conf_service_max_connections(conf, conf_service(conf, SERVICE_smtp)), 10000);
	assert_int_equal(conf_service_max_per_ip(conf, conf_service(conf, SERVICE_imap)), 3);
	assert_int_equal(conf_service_max_per_ip(conf, conf_service(conf, SERVICE_smtp)), 50);
	conf_free(&conf);
}

int
test_conf_load_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_example_of_contract_cfg01),
		cmocka_unit_test(test_load_nothing_gives_defaults_cfg01),
		cmocka_unit_test(test_rows_have_good_bounds),
		cmocka_unit_test(test_choices_have_the_order_of_their_enums),
		cmocka_unit_test(test_load_never_shows_a_password_h66),
		cmocka_unit_test(test_load_secrets_cfg05),
		cmocka_unit_test(test_load_file_owner_and_mode_h60_cfg05),
		cmocka_unit_test(test_load_file_of_somebody_else_h60),
		cmocka_unit_test(test_load_file_that_is_none),
		cmocka_unit_test(test_service_limits_net02_h32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
