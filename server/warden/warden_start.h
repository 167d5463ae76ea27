/*
 * warden_start.h - what is done once, before the server is started: as whom it runs, what it may
 * open, the folders it needs.
 */
#ifndef SERVER_WARDEN_WARDEN_START_H
#define SERVER_WARDEN_WARDEN_START_H

#include <stdbool.h>
#include <sys/types.h>

struct conf;

struct warden_rights {
	uid_t uid; /* of the server; ours where nothing is given up */
	gid_t gid;
	bool drops;
};

/* WARDEN_USER where we are root and it exists, else ourselves. */
void warden_rights_find(struct warden_rights *rights);
/* Of programs and scripts, which never run as root (SEC-11): the server's, or where that stays root nobody's. */
struct warden_rights warden_rights_of_programs(const struct warden_rights *server);
/* In the server's process, or the runner's, for good; false with errno where something was refused (H55). */
bool warden_rights_drop(const struct warden_rights *rights);

/* After that, for all threads to come: no other processes, and no PROGRAMS unless it says so. False with errno. */
bool warden_deny_calls(bool programs);

/*
 * And no files but those that CONF, read from CONF_PATH, names, and what the C library reads.
 * False with errno: the kernel has no Landlock, or one that is too old.
 */
bool warden_limit_files(const struct conf *conf, const char *conf_path);

/*
 * For a program, which may use all files that its user may: but not the store and the keys and passwords that
 * CONF names, and it may signal no process but its own. It can make no files in the folders that lead
 * to these. False with errno: ENOSYS, EOPNOTSUPP: the kernel has no Landlock.
 */
bool warden_hide_files(const struct conf *conf);

void warden_raise_limits(void); /* descriptors (H33) */

/*
 * The folders of the control socket, the log and connect.now (0750), the store, the one above it and those of the
 * certificate and its key (0700), where one is missing: one level, given to the server's user. False: one line on stderr says which and why.
 */
bool warden_make_folders(const struct conf *conf, const struct warden_rights *rights);

struct listen_address;
struct conf_service;

/* Whose the Unix sockets of SERVICE are; NULL: the control socket. False: no such group (said on stderr). */
bool warden_group_find(
	const struct warden_rights *rights, const struct conf_service *service, gid_t *gid);

/* A Unix socket must be the server's, so that its group may use it and it can be removed. False: said. */
bool warden_give_socket(const struct warden_rights *rights, const struct listen_address *address,
	gid_t gid);

#endif
