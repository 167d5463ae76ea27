/*
 * source_spool_files.c - the files of a spool folder: found, read piece by piece, removed. On a worker.
 *
 * Links are not followed, and what is no ordinary file is passed over: others may write into the folder.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/collect/source_spool.h"

static void
failed(struct source_spool *s, const char *what, const char *path)
{
	s->err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
	snprintf(s->why, sizeof(s->why), "%s %.90s: %s%s", what, path, strerror(errno),
		errno == EACCES ? " (a path that is new in the file wants a restart)" : "");
}

static bool
folder_path(const struct source_spool *s, struct span folder, char path[SPOOL_PATH_SIZE])
{
	struct span root = s->source.conf->path;
	int n = folder.len > 0 ? snprintf(path, SPOOL_PATH_SIZE, "%.*s/out/%.*s", SPAN_FMT(root), SPAN_FMT(folder))
			       : snprintf(path, SPOOL_PATH_SIZE, "%.*s/in", SPAN_FMT(root));

	return n > 0 && n < SPOOL_PATH_SIZE;
}

static bool
file_path(const struct source_spool *s, const struct spool_item *item, const char *more, char path[SPOOL_PATH_SIZE])
{
	char folder[SPOOL_PATH_SIZE];
	int n = folder_path(s, item->folder, folder) ?
		snprintf(path, SPOOL_PATH_SIZE, "%s/%.*s%s", folder, SPAN_FMT(item->name), more) : -1;

	return n > 0 && n < SPOOL_PATH_SIZE;
}

/* ---- the list ---- */

/* No way out of the folder, nothing hidden. */
static bool
is_plain_name(struct span name)
{
	return name.len > 0 && name.len <= SPOOL_NAME_MAX && name.ptr[0] != '.' &&
	       span_find(name, '/') == name.len && !span_has_control(name, SPAN(""));
}

/* Nothing of it is there yet, or never was: a full disk, a machine that lost its power. */
static bool
is_young_and_empty(const struct source_spool *s, const struct stat *st)
{
	return st->st_size == 0 && s->now_ms - (int64_t)st->st_mtime * 1000 < SPOOL_EMPTY_MS;
}

/* USER and FOLDER live in the arena. */
static void
add(struct source_spool *s, struct span user, struct span folder, struct span name, uint64_t size)
{
	struct spool_item *item = ARENA_NEW(&s->arena, struct spool_item);

	*item = (struct spool_item){ .user = user, .folder = folder, .name = arena_copy(&s->arena, name),
		.size = size };
	*s->last = item;
	s->last = &item->next;
	s->count++;
	s->bytes += size;
}

/* A mark of what was taken, or a file whose writer died: its time is over. */
static void
sweep(const struct source_spool *s, int folder, const char *name, const struct stat *st)
{
	if (s->now_ms - (int64_t)st->st_mtime * 1000 > SPOOL_TAKEN_MS)
		unlinkat(folder, name, 0);
}

/* A folder that is not mounted, or mistyped, is none that is empty. */
static bool
has_root(const struct source_spool *s)
{
	struct span root = s->source.conf->path;
	char path[SPOOL_PATH_SIZE];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%.*s", SPAN_FMT(root));

	if (n <= 0 || (size_t)n >= sizeof(path) || stat(path, &st) != 0)
		return false;
	errno = ENOENT;
	return S_ISDIR(st.st_mode);
}

static void
scan(struct source_spool *s, struct span user, struct span folder)
{
	char path[SPOOL_PATH_SIZE];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (!folder_path(s, folder, path)) {
		errno = ENAMETOOLONG;
		failed(s, "the folder", s->source.conf->path.ptr);
		return;
	}
	dir = opendir(path);
	if (!dir) {
		if (folder.len == 0 || errno != ENOENT || !has_root(s)) /* else: nothing was written to him yet */
			failed(s, "the folder", path);
		return;
	}
	while (s->count < SOURCE_ITEMS_MAX && (entry = readdir(dir))) {
		struct span name = span_of(entry->d_name);

		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		if (span_starts(name, SPAN(".")) && span_ends_nocase(name, SPAN(SPOOL_UNFINISHED)))
			sweep(s, dirfd(dir), entry->d_name, &st);
		if (!is_plain_name(name) || is_young_and_empty(s, &st))
			continue;
		if (span_ends_nocase(name, SPAN(SPOOL_ENDING)))
			add(s, user, folder, name, (uint64_t)st.st_size);
		else if (span_ends_nocase(name, SPAN(SPOOL_TAKEN)))
			sweep(s, dirfd(dir), entry->d_name, &st);
	}
	closedir(dir);
}

/* The user whose folder NAME is, of those that the file names; empty: none. */
static struct span
whose(const struct source_spool *s, struct span name)
{
	const struct conf_list *users = &s->source.conf->users;

	for (size_t i = 0; i < users->count; i++)
		if (is_plain_name(users->items[i]) && span_eq_nocase(users->items[i], name))
			return users->items[i];
	return SPAN_NONE;
}

/* A folder that may not be listed has those that are written as the file writes them. */
static void
scan_as_written(struct source_spool *s)
{
	const struct conf_list *users = &s->source.conf->users;

	for (size_t i = 0; i < users->count; i++)
		if (is_plain_name(users->items[i]))
			scan(s, users->items[i], users->items[i]);
}

/* Names of users have no letter case: each folder that is somebody's, however it is written. */
static void
scan_users(struct source_spool *s)
{
	char path[SPOOL_PATH_SIZE];
	struct span root = s->source.conf->path;
	int n = snprintf(path, sizeof(path), "%.*s/out", SPAN_FMT(root));
	DIR *dir = n > 0 && (size_t)n < sizeof(path) ? opendir(path) : NULL;
	struct dirent *entry;

	if (!dir) {
		scan_as_written(s); /* and what is wrong with it */
		return;
	}
	while ((entry = readdir(dir))) {
		struct span user = whose(s, span_of(entry->d_name));

		if (user.len > 0)
			scan(s, user, arena_copy(&s->arena, span_of(entry->d_name)));
	}
	closedir(dir);
}

static void
scan_all(struct source_spool *s)
{
	if (s->source.conf->users.count == 0)
		scan(s, SPAN_NONE, SPAN_NONE);
	else
		scan_users(s);
}

/* ---- one file ---- */

static void
broken(struct source_spool *s)
{
	s->err = ERR_CORRUPT;
	snprintf(s->why, sizeof(s->why), "%.*s is empty: let its writer write it again, or remove it",
		SPAN_FMT(span_range(s->item->name, 0, 100)));
}

static bool
open_file(struct source_spool *s)
{
	char path[SPOOL_PATH_SIZE];

	errno = ENAMETOOLONG;
	s->fd = !file_path(s, s->item, "", path) ? -1 : open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0)
		failed(s, "the file", path);
	return s->fd >= 0;
}

static void
read_piece(struct source_spool *s)
{
	ssize_t got;

	s->read_size = 0;
	if (s->item->size == 0) { /* also where it has been written since: it is in the next list under its own name */
		broken(s);
		return;
	}
	if (s->fd < 0 && !open_file(s))
		return;
	do
		got = read(s->fd, s->buffer, SPOOL_PIECE);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		failed(s, "a file in", s->source.conf->path.ptr);
	else if (got == 0 && !s->begun)
		broken(s);
	else
		s->read_size = (size_t)got;
}

static bool
sync_folder(const struct source_spool *s, struct span folder)
{
	char path[SPOOL_PATH_SIZE];
	int dir;
	bool ok;

	dir = folder_path(s, folder, path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir < 0)
		return false;
	ok = fsync(dir) == 0;
	close(dir);
	return ok;
}

/* What was removed is so after a power cut too, before it is forgotten that it was taken. */
static void
sync_all(struct source_spool *s)
{
	const struct spool_item *last = NULL;

	for (const struct spool_item *item = s->first; item && s->err == OK; item = item->next) {
		if (last && span_eq(last->folder, item->folder))
			continue;
		last = item;
		errno = ENAMETOOLONG;
		if (!sync_folder(s, item->folder))
			failed(s, "the folder", s->source.conf->path.ptr);
	}
}

/* The mark is on disk before the file goes: a writer that looks finds the one or the other. */
static bool
leave_mark(const struct source_spool *s)
{
	char path[SPOOL_PATH_SIZE];
	int fd;

	if (!file_path(s, s->item, SPOOL_TAKEN, path))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return false;
	close(fd);
	return sync_folder(s, s->item->folder);
}

static void
remove_file(struct source_spool *s)
{
	char path[SPOOL_PATH_SIZE];

	errno = ENAMETOOLONG;
	if (!file_path(s, s->item, "", path) || !leave_mark(s) || unlink(path) != 0)
		failed(s, "cannot remove", path);
}

void
spool_work(struct work *work)
{
	struct source_spool *s = LIST_ITEM(work, struct source_spool, work);

	s->err = OK;
	switch (s->task) {
	case SPOOL_SCAN:
		scan_all(s);
		break;
	case SPOOL_READ:
		read_piece(s);
		break;
	case SPOOL_REMOVE:
		remove_file(s);
		break;
	case SPOOL_SYNC:
		sync_all(s);
		break;
	}
}

/* "NAME: <address>" at the front of *REST, which moves on behind it. */
static bool
take_field(struct span *rest, struct span name, struct span *value)
{
	struct span after = *rest, line;

	if (!span_starts_nocase(*rest, name) || !span_next_line(&after, &line))
		return false;
	*value = span_trim(span_from(line, name.len));
	if (value->len >= 2 && value->ptr[0] == '<' && value->ptr[value->len - 1] == '>')
		*value = span_range(*value, 1, value->len - 1);
	*rest = after;
	return true;
}

size_t
spool_take_envelope(struct span text, struct span *from, struct span *to)
{
	struct span rest = text;

	*from = *to = SPAN_NONE;
	if (!take_field(&rest, SPAN("X-Envelope-From:"), from) || !take_field(&rest, SPAN("X-Envelope-To:"), to)) {
		*from = *to = SPAN_NONE;
		return 0;
	}
	return text.len - rest.len;
}
