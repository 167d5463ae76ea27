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
#include "server/warden/warden_landlock.h"

#define REFER_SINCE 2	 /* version of the interface; older ones are not used */
#define TRUNCATE_SINCE 3
#define SCOPED_SINCE 6
#define SCOPE_SIGNAL (1ULL << 1) /* LANDLOCK_SCOPE_SIGNAL of newer headers */

#define OURS (LANDLOCK_READS | LANDLOCK_WRITES | LANDLOCK_REFER | LANDLOCK_TRUNCATE)
/* A rule on a file may hold rights of files only. */
#define FILE_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_TRUNCATE)

/* Read by the C library and the resolver. */
static const char *const system_files[] = { "/dev/urandom", "/etc/gai.conf", "/etc/group",
	"/etc/host.conf", "/etc/hosts", "/etc/ld.so.cache", "/etc/localtime",
	"/etc/nsswitch.conf", "/etc/passwd", "/etc/protocols", "/etc/resolv.conf",
	"/etc/services", "/etc/ssl/certs", "/lib", "/lib64", "/proc/self", "/run/resolvconf",
	"/run/systemd/resolve", "/run/systemd/userdb", "/sys/devices/system/cpu", "/usr/lib",
	"/usr/lib64", "/usr/local/lib", "/usr/share/ca-certificates", "/usr/share/zoneinfo" };

/* As newer headers have it; an older kernel is given the front of it only. */
struct ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

bool
landlock_open(struct landlock_rules *r, uint64_t handled, bool own_signals_only)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset set = { .handled_fs = handled, .scoped = own_signals_only ? SCOPE_SIGNAL : 0 };

	if (version < REFER_SINCE) {
		errno = version < 0 ? errno : ENOSYS;
		return false;
	}
	if (version < TRUNCATE_SINCE)
		set.handled_fs &= ~LANDLOCK_TRUNCATE;
	r->handled = set.handled_fs;
	r->fd = (int)syscall(SYS_landlock_create_ruleset, &set,
		version >= SCOPED_SINCE ? sizeof(set) : sizeof(set.handled_fs), 0);
	return r->fd >= 0;
}

bool
landlock_allow_fd(const struct landlock_rules *r, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rights &= FILE_RIGHTS | LANDLOCK_ACCESS_FS_EXECUTE;
	rule.allowed_access = rights & r->handled;
	return syscall(SYS_landlock_add_rule, r->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

bool
landlock_allow(const struct landlock_rules *r, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return true;
	ok = landlock_allow_fd(r, fd, rights);
	close(fd);
	return ok;
}

bool
landlock_enforce(struct landlock_rules *r, bool ok)
{
	ok = ok && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		syscall(SYS_landlock_restrict_self, r->fd, 0) == 0;
	close(r->fd);
	return ok;
}

/* ---- of the server ---- */

/* PATH itself, or the folder it lies in. */
static bool
allow_span(const struct landlock_rules *r, struct span path, bool its_folder)
{
	char text[PATH_MAX];
	size_t end = its_folder ? span_find_last(path, '/') : path.len;

	if (path.len == 0 || path.len >= sizeof(text))
		return true;
	if (its_folder && end == path.len)
		return landlock_allow(r, ".", OURS);
	end += its_folder && end == 0;
	memcpy(text, path.ptr, end);
	text[end] = '\0';
	return landlock_allow(r, text, OURS);
}

static bool
allow_sockets(const struct landlock_rules *r, const struct conf *conf)
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
allow_new_certificate(const struct landlock_rules *r, const struct conf *conf)
{
	return conf->tls_certificate.len == 0 || access(conf->tls_certificate.ptr, F_OK) == 0 ||
		(allow_span(r, conf->tls_certificate, true) && allow_span(r, conf->tls_key, true));
}

/* Rule files that lie elsewhere than beside the configuration. */
static bool
allow_rules(const struct landlock_rules *r, const struct conf *conf)
{
	const struct span paths[] = { conf->rules_smtp, conf->rules_download, conf->rules_lan };

	for (size_t i = 0; i < COUNT(paths); i++)
		if (span_starts(paths[i], SPAN("/")) && !allow_span(r, paths[i], true))
			return false;
	return true;
}

/* Folders of files that are exchanged with another server (FXF). */
static bool
allow_spools(const struct landlock_rules *r, const struct conf *conf)
{
	for (size_t i = 0; i < conf->collectors.count; i++)
		if (conf->collectors.items[i].kind == COLLECTOR_SPOOL &&
			!allow_span(r, conf->collectors.items[i].path, false))
			return false;
	for (size_t i = 0; i < conf->outgoing_routes.count; i++)
		if (!allow_span(r, conf->outgoing_routes.items[i].path, false))
			return false;
	return true;
}

static bool
allow_all(const struct landlock_rules *r, const struct conf *conf, const char *conf_path)
{
	for (size_t i = 0; i < COUNT(system_files); i++) {
		if (!landlock_allow(r, system_files[i], LANDLOCK_READS))
			return false;
	}
	return landlock_allow(r, "/dev/null", LANDLOCK_READS | LANDLOCK_ACCESS_FS_WRITE_FILE) &&
		allow_span(r, conf->data, false) &&
		allow_span(r, conf->log_dir, false) && allow_span(r, conf->scheduling_drop, false) && allow_span(r, conf->control, true) &&
		allow_span(r, span_of(conf_path), true) && allow_sockets(r, conf) &&
		allow_new_certificate(r, conf) && allow_rules(r, conf) && allow_spools(r, conf);
}

bool
warden_limit_files(const struct conf *conf, const char *conf_path)
{
	struct landlock_rules r;

	return landlock_open(&r, OURS | LANDLOCK_SPECIALS | LANDLOCK_ACCESS_FS_EXECUTE, false) &&
		landlock_enforce(&r, allow_all(&r, conf, conf_path));
}
