/*
 * edit_file.c - a private file, and the folder around it.
 */
#include "tui/edit_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/print.h"

#define READ_STEP 65536

/* "FOLDER/NAME-XXXXXX", which is made to be unique. */
static char *
pattern(struct arena *a, const char *name)
{
	const char *folder = getenv("TMPDIR");
	struct span full = arena_printf(a, "%s/%s-XXXXXX", folder && folder[0] ? folder : "/tmp", name);
	char *room = arena_alloc(a, full.len + 1);

	memcpy(room, full.ptr, full.len);
	return room;
}

static bool
write_new(const char *path, struct span text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool good;

	if (fd < 0)
		return false;
	good = print_to_fd(fd, text) == OK;
	return close(fd) == 0 && good;
}

bool
edit_file_make(struct arena *a, const char *name, struct span text, struct edit_file *out)
{
	char *folder = pattern(a, "postroom");
	int why;

	*out = (struct edit_file){ NULL, NULL };
	if (!mkdtemp(folder))
		return false;
	out->folder = folder;
	out->path = arena_text(a, arena_printf(a, "%s/%s", folder, name));
	if (write_new(out->path, text))
		return true;
	why = errno;
	edit_file_remove(out);
	errno = why;
	return false;
}

struct secret_text {
	char *bytes;
	size_t size;
};

static void
wipe(void *arg)
{
	struct secret_text *text = arg;

	explicit_bzero(text->bytes, text->size);
}

static enum err
read_all(int fd, size_t max, struct arena *a, struct span *out)
{
	struct secret_text *text = ARENA_NEW(a, struct secret_text);
	size_t len = 0;
	ssize_t got = 1;

	*text = (struct secret_text){ arena_alloc(a, max + 1), max + 1 };
	arena_on_reset(a, wipe, text);
	while (got != 0 && len <= max) {
		size_t room = max + 1 - len;

		got = read(fd, text->bytes + len, room < READ_STEP ? room : READ_STEP);
		if (got < 0 && errno != EINTR)
			return ERR_IO;
		len += got > 0 ? (size_t)got : 0;
	}
	*out = (struct span){ text->bytes, len };
	return len > max ? ERR_LIMIT : OK;
}

enum err
edit_file_read(const char *path, size_t max, struct arena *a, struct span *out)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO must not make us wait */
	struct stat st;
	enum err err = ERR_IO;

	if (fd < 0)
		return ERR_IO;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		err = read_all(fd, max, a, out);
	else
		errno = EINVAL;
	close(fd);
	return err;
}

const char *
edit_file_keep(struct edit_file *file, struct arena *a)
{
	char *kept = pattern(a, strrchr(file->path, '/') + 1);
	int fd;

	if (chmod(file->path, 0600) != 0) /* the editor may have made it anew */
		return NULL;
	fd = mkstemp(kept);
	if (fd < 0)
		return NULL;
	close(fd);
	return rename(file->path, kept) == 0 ? kept : NULL;
}

void
edit_file_remove(struct edit_file *file)
{
	DIR *folder = file->folder ? opendir(file->folder) : NULL;
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)) != NULL)
		unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	if (file->folder)
		rmdir(file->folder);
	*file = (struct edit_file){ NULL, NULL };
}
