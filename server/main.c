/*
 * main.c - the options of postroomd (contract, section 2).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf_load.h"
#include "conf/conf_rules.h"
#include "server/backup_child.h"
#include "server/server.h"
#include "server/text_veil.h"
#include "server/warden/warden.h"
#include "store/backup.h"
#include "store/check.h"
#include "store/store.h"

#define DEFAULT_CONF "/etc/postroom/postroom.yaml"

enum { STATUS_DONE = 0, STATUS_REFUSED = 1, STATUS_USAGE = 2 };
enum job { JOB_SERVE, JOB_CHECK, JOB_CHECK_STORE, JOB_BACKUP, JOB_RESTORE };

struct arguments {
	const char *conf_path, *restore_from;
	enum job job;
	bool foreground, repair;
};

static const char help_text[] =
	"postroomd - the Postroom mail server\n"
	"\n"
	"  postroomd [-f] [-c FILE]                 serve; without -f in the background\n"
	"  postroomd --check [-c FILE]              are configuration and store right\n"
	"  postroomd --check-store [--repair] [-c FILE]\n"
	"                                           look at all of the store; repair\n"
	"                                           wants the server stopped\n"
	"  postroomd --restore DIR [-c FILE]        put a backup in the store's place,\n"
	"                                           server stopped\n"
	"  postroomd --version | --help\n"
	"\n"
	"  -c FILE  the configuration, default " DEFAULT_CONF "\n"
	"  -f       stay in the foreground and log to stderr too\n"
	"\n"
	"SIGTERM ends it within 10 s, SIGHUP reads the configuration again.\n";

/* ---- the configuration, for the jobs that do not serve ---- */

static void
say_faults(const struct conf_faults *faults, const char *path)
{
	struct buf line;

	buf_init(&line, 64 * 1024);
	for (size_t i = 0; i < faults->count; i++) {
		buf_clear(&line);
		if (conf_fault_put(&faults->items[i], path, &line) == OK)
			fprintf(stderr, "%.*s\n", SPAN_FMT(buf_span(&line)));
	}
	buf_fini(&line);
}

static struct conf *
load(const char *path)
{
	struct conf_faults faults;
	struct conf *conf = NULL;

	conf_faults_init(&faults);
	if (conf_load_file(path, geteuid(), &conf, &faults) != OK)
		conf = NULL;
	say_faults(&faults, path);
	if (!conf)
		fprintf(stderr, "postroomd: %s: this configuration cannot be used "
				"(the lines above say why)\n", path);
	conf_faults_fini(&faults);
	return conf;
}

static bool
check_rules(struct conf *conf, const char *conf_path)
{
	struct conf_faults faults;
	bool good = true;

	for (enum rule_file file = 0; file < RULE_FILE_COUNT; file++) {
		conf_faults_init(&faults);
		good &= conf_rules_load(conf, file, conf_path, &faults) == OK;
		say_faults(&faults, conf_rules_path(&conf->arena, conf_path, conf, file));
		conf_faults_fini(&faults);
	}
	return good;
}

static struct store_options
store_options_of(const struct conf *conf, enum store_mode mode)
{
	static struct crypto_key text_key;

	return (struct store_options){ .path = conf->data.ptr, .mode = mode,
		.veil = text_veil_of_file(conf, &text_key),
		.max_size = (uint64_t)conf->store_max_size,
		.message_size = (uint64_t)conf->limits_message_size,
		.allow_network_fs = conf->store_allow_network_fs };
}

static int
check_conf(const char *path)
{
	struct conf *conf = load(path);
	struct store_options options;
	struct store_fault why;
	struct store *store = NULL;
	char fault[SERVER_LINE_MAX] = "";
	enum err err;

	if (!conf)
		return STATUS_REFUSED;
	if (!check_rules(conf, path)) {
		conf_free(&conf);
		return STATUS_REFUSED;
	}
	options = store_options_of(conf, STORE_CHECK);
	err = store_open(&options, &store, &why);
	if (err == OK && store_lacks_key(store)) {
		err = ERR_DENIED;
		fprintf(stderr, "postroomd: %.*s: its messages are encrypted and there is no key (bring back "
				"the file of secrets.key)\n", SPAN_FMT(conf->data));
	} else if (err != OK && err != ERR_NOT_FOUND) { /* before the first start there is none */
		fprintf(stderr, "postroomd: %s\n", why.text);
	}
	store_close(&store);
	if (server_tls_check(conf, fault) != OK)
		fprintf(stderr, "postroomd: %s\n", fault);
	conf_free(&conf);
	return (err == OK || err == ERR_NOT_FOUND) && !fault[0] ? STATUS_DONE : STATUS_REFUSED;
}

static void
print_finding(void *arg, struct span line)
{
	size_t *findings = arg;

	(*findings)++;
	printf("%.*s\n", SPAN_FMT(line));
}

/* What keeps the store from being opened is no finding; repair may know a way all the same. */
static bool
can_open(const struct store_options *options, bool repair)
{
	struct store_fault why = { .err = OK };
	struct store *store = NULL;
	enum err err = store_open(options, &store, &why);

	store_close(&store);
	if (err == OK || (err == ERR_CORRUPT && repair))
		return true;
	fprintf(stderr, "postroomd: %s\n", why.text);
	return false;
}

static int
check_store(const struct arguments *a)
{
	struct conf *conf = load(a->conf_path);
	struct store_options options;
	size_t findings = 0;
	int status;

	if (!conf)
		return STATUS_REFUSED;
	options = store_options_of(conf, a->repair ? STORE_EXCLUSIVE : STORE_CHECK);
	status = can_open(&options, a->repair) ?
		store_check(&options, a->repair, print_finding, &findings) :
		STATUS_REFUSED;
	if (status == STATUS_DONE && findings == 0)
		puts("all right: nothing is wrong with the store");
	conf_free(&conf);
	return status;
}

/* Started by the warden; `postroom backup` is how people ask for it. */
static int
write_backup(const char *conf_path)
{
	struct conf *conf = load(conf_path);
	struct store_options options;
	int status;

	if (!conf)
		return STATUS_REFUSED;
	options = store_options_of(conf, STORE_CHECK);
	status = backup_child_run(&options);
	conf_free(&conf);
	return status;
}

/* In words, for the errors that backup_restore() has. */
static void
say_not_restored(const char *from, enum err err)
{
	static const struct {
		enum err err;
		const char *why, *hint;
	} rows[] = {
		{ ERR_BUSY, "the store is in use", "stop the server first" },
		{ ERR_NOT_FOUND, "no backup is there", "name the folder that postroom backup wrote" },
		{ ERR_EXISTS, "the store was set aside a moment ago", "try again in a second" },
		{ ERR_CORRUPT, "the backup is damaged", "the store is as it was; take another one" },
		{ ERR_FULL, "no room on the disk", "the store is as it was" },
		{ ERR_LIMIT, "the path is too long", "the store is as it was" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].err != err)
			continue;
		fprintf(stderr, "postroomd: restore %s: %s (%s)\n", from, rows[i].why,
			rows[i].hint);
		return;
	}
	fprintf(stderr, "postroomd: restore %s: %s (the store is as it was)\n", from,
		err_name(err));
}

static int
restore(const struct arguments *a)
{
	struct conf *conf = load(a->conf_path);
	struct store_options options;
	struct buf set_aside;
	enum err err;

	if (!conf)
		return STATUS_REFUSED;
	options = store_options_of(conf, STORE_EXCLUSIVE);
	buf_init(&set_aside, PATH_MAX);
	err = backup_restore(a->restore_from, &options, (int64_t)time(NULL) * 1000, &set_aside);
	if (err != OK)
		say_not_restored(a->restore_from, err);
	else if (buf_span(&set_aside).len > 0)
		printf("restored; the store before is kept as %.*s\n",
			SPAN_FMT(buf_span(&set_aside)));
	else
		puts("restored");
	buf_fini(&set_aside);
	conf_free(&conf);
	return err == OK ? STATUS_DONE : STATUS_REFUSED;
}

/* ---- serving ---- */

static noreturn void
wait_for_ready(int fd)
{
	char byte;

	_exit(read(fd, &byte, 1) == 1 ? STATUS_DONE : STATUS_REFUSED);
}

/* The first process returns when the server is ready, or has said why not. */
static int
go_to_background(void)
{
	int pipes[2], null;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		close(pipes[1]);
		wait_for_ready(pipes[0]);
	}
	close(pipes[0]);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
		dup2(null, STDOUT_FILENO) < 0)
		return -1;
	return pipes[1];
}

static int
serve(const struct arguments *a)
{
	char path[PATH_MAX];
	struct server_options options = { .foreground = a->foreground,
		.log_to_stderr = a->foreground, .warden_fd = -1, .ready_fd = -1 };

	if (!realpath(a->conf_path, path)) {
		fprintf(stderr, "postroomd: %s: %s (name the configuration with -c FILE)\n",
			a->conf_path, strerror(errno));
		return STATUS_REFUSED;
	}
	options.conf_path = path;
	if (!a->foreground) {
		options.ready_fd = go_to_background();
		if (options.ready_fd < 0) {
			fprintf(stderr, "postroomd: background: %s\n", strerror(errno));
			return STATUS_REFUSED;
		}
	}
	return warden_run(&options);
}

/* ---- options ---- */

enum { OPT_CHECK = 256, OPT_CHECK_STORE, OPT_BACKUP, OPT_REPAIR, OPT_RESTORE, OPT_VERSION, OPT_HELP };

static const struct option options_known[] = {
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "check-store", no_argument, NULL, OPT_CHECK_STORE },
	{ "write-backup", no_argument, NULL, OPT_BACKUP },
	{ "repair", no_argument, NULL, OPT_REPAIR },
	{ "restore", required_argument, NULL, OPT_RESTORE },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static noreturn void
say_and_exit(const char *text)
{
	fputs(text, stdout);
	exit(fflush(stdout) == 0 ? STATUS_DONE : STATUS_REFUSED);
}

/* False: wrong usage; getopt has said what. */
static bool
take_option(struct arguments *a, int option)
{
	switch (option) {
	case 'c':
		a->conf_path = optarg;
		return true;
	case 'f':
		a->foreground = true;
		return true;
	case OPT_CHECK:
		a->job = JOB_CHECK;
		return true;
	case OPT_CHECK_STORE:
		a->job = JOB_CHECK_STORE;
		return true;
	case OPT_BACKUP:
		a->job = JOB_BACKUP;
		return true;
	case OPT_REPAIR:
		a->repair = true;
		return true;
	case OPT_RESTORE:
		a->job = JOB_RESTORE;
		a->restore_from = optarg;
		return true;
	case OPT_VERSION:
		say_and_exit("postroomd " POSTROOM_VERSION "\n");
	case OPT_HELP:
	case 'h':
		say_and_exit(help_text);
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	struct arguments a = { .conf_path = DEFAULT_CONF };
	int option;

	umask(077);
	while ((option = getopt_long(argc, argv, "c:fh", options_known, NULL)) != -1) {
		if (!take_option(&a, option))
			return STATUS_USAGE;
	}
	if (optind < argc || (a.repair && a.job != JOB_CHECK_STORE)) {
		fprintf(stderr, "postroomd: %s: not understood (postroomd --help)\n",
			optind < argc ? argv[optind] : "--repair");
		return STATUS_USAGE;
	}
	switch (a.job) {
	case JOB_CHECK:
		return check_conf(a.conf_path);
	case JOB_CHECK_STORE:
		return check_store(&a);
	case JOB_BACKUP:
		return write_backup(a.conf_path);
	case JOB_RESTORE:
		return restore(&a);
	default:
		return serve(&a);
	}
}
