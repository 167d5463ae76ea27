/*
 * warden_hide.c - what programs of the runner may not touch: the store, keys, passwords (H55).
 *
 * Landlock knows only what is allowed. So each folder on the way to a hidden file is listed, and all in
 * it is allowed but the next step of such a way: /, /var and /var/lib for /var/lib/postroom.
 */
#include "server/warden/warden_start.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/secret_key.h"
#include "server/warden/warden_landlock.h"

#define HIDDEN_MAX 1000 /* most are password files of routes and collectors */
#define ALL                                                                                            \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_WRITES | LANDLOCK_SPECIALS | LANDLOCK_REFER |         \
		LANDLOCK_TRUNCATE | LANDLOCK_ACCESS_FS_EXECUTE)

struct hidden {
	size_t count;
	char *paths[HIDDEN_MAX]; /* heap; as realpath() has them */
};

/* What is not there need not be hidden; what cannot be looked at is closed already. */
static bool
hide(struct hidden *h, struct span path)
{
	char text[PATH_MAX], *real;

	if (path.len == 0 || path.len >= sizeof(text))
		return true;
	memcpy(text, path.ptr, path.len);
	text[path.len] = '\0';
	real = realpath(text, NULL);
	if (real && (h->count == HIDDEN_MAX || strcmp(real, "/") == 0)) {
		free(real);
		errno = E2BIG;
		return false;
	}
	if (real)
		h->paths[h->count++] = real;
	return true;
}

static bool
hide_secret(struct hidden *h, const struct secret *secret)
{
	return secret->kind != SECRET_FILE || hide(h, secret->value);
}

static bool
find_hidden(struct hidden *h, const struct conf *conf)
{
	char key[PATH_MAX];
	bool ok = hide(h, conf->data) && hide(h, conf->tls_key) &&
		hide_secret(h, &conf->socks_password);

	if (ok && secret_key_path(conf, key) == OK)
		ok = hide(h, span_of(key));
	for (size_t i = 0; i < conf->outgoing_routes.count && ok; i++)
		ok = hide_secret(h, &conf->outgoing_routes.items[i].password);
	for (size_t i = 0; i < conf->collectors.count && ok; i++)
		ok = hide_secret(h, &conf->collectors.items[i].password);
	for (size_t i = 0; i < conf->connections.count && ok; i++)
		ok = hide_secret(h, &conf->connections.items[i].password);
	return ok;
}

/* Is the folder of LEN bytes at the front of PATH hidden, or in one that is? */
static bool
is_hidden(const struct hidden *h, const char *path, size_t len)
{
	for (size_t i = 0; i < h->count; i++) {
		size_t size = strlen(h->paths[i]);

		if (size <= len && strncmp(path, h->paths[i], size) == 0 && path[size] == '/')
			return true;
	}
	return false;
}

/* Is NAME in FOLDER (LEN bytes of a path, without a final '/') on the way to something hidden? */
static bool
leads_to_hidden(const struct hidden *h, const char *folder, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	for (size_t i = 0; i < h->count; i++) {
		const char *path = h->paths[i];

		if (strncmp(path, folder, len) == 0 && path[len] == '/' &&
			strncmp(path + len + 1, name, name_len) == 0 &&
			(path[len + 1 + name_len] == '/' || path[len + 1 + name_len] == '\0'))
			return true;
	}
	return false;
}

/* A link is allowed where it leads to, if that is. */
static bool
allow_beside(const struct landlock_rules *r, const struct hidden *h, const char *folder, size_t len)
{
	char text[PATH_MAX];
	struct dirent *entry;
	bool ok = true;
	DIR *dir;

	memcpy(text, folder, len);
	memcpy(text + len, "/", 2);
	dir = opendir(text);
	while (dir && ok && (entry = readdir(dir))) {
		int fd = -1;

		if (entry->d_type != DT_LNK && strcmp(entry->d_name, ".") != 0 &&
			strcmp(entry->d_name, "..") != 0 &&
			!leads_to_hidden(h, folder, len, entry->d_name))
			fd = openat(dirfd(dir), entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		ok = landlock_allow_fd(r, fd, ALL);
		close(fd);
	}
	if (dir)
		closedir(dir);
	return ok;
}

/* Every folder above the file at PATH, down to one that is hidden as a whole. */
static bool
allow_around(const struct landlock_rules *r, const struct hidden *h, const char *path)
{
	for (size_t at = 0; path[at] && !is_hidden(h, path, at); at++)
		if (path[at] == '/' && !allow_beside(r, h, path, at))
			return false;
	return true;
}

bool
warden_hide_files(const struct conf *conf)
{
	struct hidden *h = calloc(1, sizeof(*h));
	struct landlock_rules r;
	bool ok;

	ENSURE(h);
	ok = find_hidden(h, conf) && landlock_open(&r, ALL, true);
	if (ok) {
		for (size_t i = 0; i < h->count && ok; i++)
			ok = allow_around(&r, h, h->paths[i]);
		ok = landlock_enforce(&r, ok);
	}
	for (size_t i = 0; i < h->count; i++)
		free(h->paths[i]);
	free(h);
	return ok;
}
