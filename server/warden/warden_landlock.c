/*
 * warden_landlock.c - which files the server may touch, for good and for all its threads (H55).
 *
 * Its data, its log, the folder of its configuration (the history lies there) and those of its Unix
 * sockets; beyond that, to read, what the C library and the resolver need. A key or certificate elsewhere is
 * opened by the warden. The names are those of the start: a setting that names another
 * folder later wants a restart.
 */
#include "server/warden/warden_start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf.h"

#define READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITES                                                                                 \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                         \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                 \
		LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define NEVER                                                                                  \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |                           \
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                  \
		LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define REFER (1ULL << 13)    /* renames between folders; the store wants them at its first start */
#define TRUNCATE (1ULL << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE of newer headers */
#define REFER_SINCE 2	      /* version of the interface; older ones are not used */
#define TRUNCATE_SINCE 3

#define OURS (READS | WRITES | REFER | TRUNCATE)
/* A rule on a file may hold rights of files only. */
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | TRUNCATE)

/* Read by the C library and the resolver. */
static const char *const system_files[] = { "/dev/urandom", "/etc/gai.conf", "/etc/group",
	"/etc/host.conf", "/etc/hosts", "/etc/ld.so.cache", "/etc/localtime",
	"/etc/nsswitch.conf", "/etc/passwd", "/etc/protocols", "/etc/resolv.conf",
	"/etc/services", "/etc/ssl/certs", "/lib", "/lib64", "/proc/self", "/run/resolvconf",
	"/run/systemd/resolve", "/run/systemd/userdb", "/sys/devices/system/cpu", "/usr/lib",
	"/usr/lib64", "/usr/local/lib", "/usr/share/ca-certificates", "/usr/share/zoneinfo" };

struct rules {
	int fd;
	uint64_t handled;
};

/* What cannot be opened is passed over: whoever needs it says what is wrong. */
static bool
allow(const struct rules *r, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	bool ok;

	if (rule.parent_fd < 0)
		return true;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rights &= FILE_RIGHTS;
	rule.allowed_access = rights & r->handled;
	ok = syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent_fd);
	return ok;
}

/* PATH itself, or the folder it lies in. */
static bool
allow_span(const struct rules *r, struct span path, bool its_folder)
{
	char text[PATH_MAX];
	size_t end = its_folder ? span_find_last(path, '/') : path.len;

	if (path.len == 0 || path.len >= sizeof(text))
		return true;
	if (its_folder && end == path.len)
		return allow(r, ".", OURS);
	end += its_folder && end == 0;
	memcpy(text, path.ptr, end);
	text[end] = '\0';
	return allow(r, text, OURS);
}

static bool
allow_sockets(const struct rules *r, const struct conf *conf)
{
	for (size_t i = 0; i < conf->services.count; i++) {
		const struct conf_listens *all = &conf->services.items[i].listen;

		for (size_t k = 0; k < all->count; k++) {
			struct span text = all->items[k].text;

			if (span_starts(text, SPAN("unix:")) &&
				!allow_span(r, span_from(text, 5), true))
				return false;
		}
	}
	return true;
}

/* Where one is named that is not there, one is made (contract, section 4). */
static bool
allow_new_certificate(const struct rules *r, const struct conf *conf)
{
	return conf->tls_certificate.len == 0 || access(conf->tls_certificate.ptr, F_OK) == 0 ||
		(allow_span(r, conf->tls_certificate, true) && allow_span(r, conf->tls_key, true));
}

/* Rule files that lie elsewhere than beside the configuration. */
static bool
allow_rules(const struct rules *r, const struct conf *conf)
{
	const struct span paths[] = { conf->rules_smtp, conf->rules_download, conf->rules_lan };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (span_starts(paths[i], SPAN("/")) && !allow_span(r, paths[i], true))
			return false;
	return true;
}

static bool
allow_all(const struct rules *r, const struct conf *conf, const char *conf_path)
{
	for (size_t i = 0; i < COUNT(system_files); i++) {
		if (!allow(r, system_files[i], READS))
			return false;
	}
	return allow(r, "/dev/null", READS | LANDLOCK_ACCESS_FS_WRITE_FILE) &&
		allow_span(r, conf->data, false) &&
		allow_span(r, conf->log_dir, false) && allow_span(r, conf->control, true) &&
		allow_span(r, span_of(conf_path), true) && allow_sockets(r, conf) &&
		allow_new_certificate(r, conf) && allow_rules(r, conf);
}

bool
warden_limit_files(const struct conf *conf, const char *conf_path)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = READS | WRITES | NEVER | REFER };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	struct rules r;
	bool ok;

	if (version < REFER_SINCE) {
		errno = version < 0 ? errno : ENOSYS;
		return false;
	}
	if (version >= TRUNCATE_SINCE)
		attr.handled_access_fs |= TRUNCATE;
	r.handled = attr.handled_access_fs;
	r.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (r.fd < 0)
		return false;
	ok = allow_all(&r, conf, conf_path) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		syscall(SYS_landlock_restrict_self, r.fd, 0) == 0;
	close(r.fd);
	return ok;
}
