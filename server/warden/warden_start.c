/*
 * warden_start.c - rights, limits, folders and sockets that are given to the server (H55).
 */
#include "server/warden/warden_start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/net/listener.h"
#include "server/warden/warden.h"

#define FDS_WANTED 65536
#define NOBODY_ID 65534 /* where no user is called so */

/* ---- rights and limits ---- */

void
warden_rights_find(struct warden_rights *rights)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(WARDEN_USER) : NULL;

	*rights = (struct warden_rights){ geteuid(), getegid(), user && user->pw_uid != 0 };
	if (rights->drops) {
		rights->uid = user->pw_uid;
		rights->gid = user->pw_gid;
	}
}

struct warden_rights
warden_rights_of_programs(const struct warden_rights *server)
{
	const struct passwd *user = server->uid == 0 ? getpwnam(WARDEN_NOBODY) : NULL;

	if (server->uid != 0)
		return *server;
	return user && user->pw_uid != 0 && user->pw_gid != 0
		? (struct warden_rights){ user->pw_uid, user->pw_gid, true }
		: (struct warden_rights){ NOBODY_ID, NOBODY_ID, true };
}

bool
warden_rights_drop(const struct warden_rights *r)
{
	if (r->drops && (setgroups(1, &r->gid) != 0 || setgid(r->gid) != 0 || setuid(r->uid) != 0 ||
				setuid(0) == 0))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
#ifndef __SANITIZE_ADDRESS__ /* the leak checker attaches to its own process */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return false;
#endif
	return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0;
}

void
warden_raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	if (geteuid() == 0 && files.rlim_max < FDS_WANTED)
		files.rlim_max = FDS_WANTED;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		return; /* the server derives its limits from what it has (H33) */
}

/* ---- folders ---- */

static struct span
folder_of(struct span path)
{
	size_t slash;

	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	slash = span_find_last(path, '/');
	return slash < path.len ? span_range(path, 0, slash) : SPAN_NONE;
}

/* A new name in FOLDER must not vanish with the power (H50). TEXT has room for its path. */
static bool
sync_folder(struct span folder, char *text)
{
	int fd, rc;

	if (folder.len == 0)
		folder = folder.ptr ? SPAN("/") : SPAN(".");
	memcpy(text, folder.ptr, folder.len);
	text[folder.len] = '\0';
	fd = open(text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES; /* it is not ours to look into */
	rc = fsync(fd);
	close(fd);
	return rc == 0;
}

static bool
make_folder(struct span path, mode_t mode, const char *key, const struct warden_rights *rights)
{
	char text[PATH_MAX];
	mode_t mask;
	int rc;

	if (path.len == 0 || path.len >= sizeof(text))
		return true; /* here; or too long, which whoever opens it says */
	memcpy(text, path.ptr, path.len);
	text[path.len] = '\0';
	mask = umask(0);
	rc = mkdir(text, mode);
	umask(mask);
	if (rc != 0 && errno == EEXIST)
		return true;
	if (rc == 0 && (!rights->drops || lchown(text, rights->uid, rights->gid) == 0) &&
		sync_folder(folder_of(path), text))
		return true;
	fprintf(stderr, "postroomd: %.*s: %s (of the setting %s: make it, or name another)\n",
		SPAN_FMT(path), strerror(errno), key);
	return false;
}

bool
warden_make_folders(const struct conf *conf, const struct warden_rights *rights)
{
	/* the socket's first: where it is also the one above the store, its group must get in */
	return make_folder(folder_of(conf->control), 0750, "control", rights) &&
		make_folder(conf->log_dir, 0750, "log.dir", rights) &&
		make_folder(conf->scheduling_drop, 0750, "scheduling.drop", rights) &&
		make_folder(folder_of(conf->data), 0700, "data", rights) &&
		make_folder(conf->data, 0700, "data", rights) &&
		make_folder(folder_of(conf->tls_certificate), 0700, "tls.certificate", rights) &&
		make_folder(folder_of(conf->tls_key), 0700, "tls.key", rights);
}

/* ---- sockets ---- */

bool
warden_group_find(const struct warden_rights *rights, const struct conf_service *service, gid_t *gid)
{
	const struct group *group;

	*gid = rights->drops ? rights->gid : (gid_t)-1; /* -1: as it was made */
	if (!service || service->group.len == 0)
		return true;
	group = getgrnam(service->group.ptr);
	if (group)
		*gid = group->gr_gid;
	else
		fprintf(stderr, "postroomd: services.%s.group: there is no group %s\n",
			service_names[service->name], service->group.ptr);
	return group != NULL;
}

bool
warden_give_socket(const struct warden_rights *rights, const struct listen_address *address,
	gid_t gid)
{
	const struct sockaddr_un *un = (const void *)&address->sockaddr;
	uid_t uid = rights->drops ? rights->uid : (uid_t)-1;

	if (un->sun_family != AF_UNIX || (uid == (uid_t)-1 && gid == (gid_t)-1) ||
		lchown(un->sun_path, uid, gid) == 0) /* never what a link names */
		return true;
	fprintf(stderr, "postroomd: %s: %s (cannot be given to its user and group)\n",
		un->sun_path, strerror(errno));
	return false;
}
