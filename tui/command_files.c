/*
 * command_files.c - opening the files that a command names.
 */
#include "tui/command_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tui/print.h"

#define COPY_SIZE 4096

static enum err
copy_all(int from, int to, size_t max)
{
	char room[COPY_SIZE];
	size_t total = 0;
	ssize_t got;

	while ((got = read(from, room, sizeof(room))) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		total += (size_t)got;
		if (total > max)
			return ERR_LIMIT;
		if (print_to_fd(to, (struct span){ room, (size_t)got }) != OK)
			return ERR_IO;
	}
	return OK;
}

static enum err
open_stdin(int *fd)
{
	struct stat st;
	enum err err;

	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode)) {
		*fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		return *fd < 0 ? ERR_IO : OK;
	}
	*fd = memfd_create("postroom-in", MFD_CLOEXEC);
	if (*fd < 0)
		return ERR_IO;
	err = copy_all(STDIN_FILENO, *fd, COMMAND_STDIN_MAX);
	if (err == OK && lseek(*fd, 0, SEEK_SET) != 0)
		err = ERR_IO;
	if (err != OK)
		close(*fd);
	return err;
}

static enum err
open_folder(const char *path, int *fd)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return ERR_IO;
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? ERR_IO : OK;
}

static enum err
open_input(const struct control_param *p, const char *path, int *fd)
{
	struct stat st;

	/* O_NONBLOCK: a FIFO must not make us wait before it is refused */
	*fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return ERR_IO;
	if (strcmp(path, "/dev/null") == 0) { /* nothing, as a file that can be read anywhere in it */
		close(*fd);
		*fd = memfd_create("postroom-in", MFD_CLOEXEC);
		return *fd < 0 ? ERR_IO : OK;
	}
	if (fstat(*fd, &st) == 0 && (S_ISREG(st.st_mode) ||
		(S_ISDIR(st.st_mode) && control_choice_has(p->choices, SPAN("dir")))))
		return OK;
	close(*fd);
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	return ERR_IO;
}

static enum err
open_one(const struct control_param *p, const char *path, struct command_files *files)
{
	int *fd = &files->fds[files->count];
	bool writes = control_choice_has(p->choices, SPAN("write"));

	errno = 0;
	if (writes && (!path || strcmp(path, "-") == 0)) {
		*fd = memfd_create("postroom-out", MFD_CLOEXEC);
		files->to_stdout = *fd;
		return *fd < 0 ? ERR_IO : OK;
	}
	if (writes) {
		*fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		return *fd < 0 ? ERR_IO : OK;
	}
	if (strcmp(path, "-") == 0)
		return open_stdin(fd);
	if (span_eq(p->choices, SPAN("dir")))
		return open_folder(path, fd);
	return open_input(p, path, fd);
}

enum err
command_files_open(const struct command *c, struct arena *a, struct command_files *out,
	struct complaint *complaint)
{
	*out = (struct command_files){ .to_stdout = -1 };
	for (size_t i = 0; i < c->schema.count; i++) {
		const struct control_param *p = &c->schema.items[i];
		const char *path = c->values[i].count > 0 ? c->values[i].items[0] : NULL;
		enum err err;

		if (p->type != CONTROL_TYPE_FD || (!path && p->optional))
			continue;
		ENSURE(out->count < CONTROL_FDS_MAX);
		err = open_one(p, path, out);
		if (err == OK) {
			out->count++;
			continue;
		}
		complaint->what = arena_copy(a, span_of(path ? path : "standard output"));
		complaint->why =
			arena_copy(a, span_of(err == ERR_LIMIT ? "over 1 GB" : strerror(errno)));
		command_files_close(out);
		return err;
	}
	return OK;
}

enum err
command_files_finish(struct command_files *files)
{
	if (files->to_stdout < 0)
		return OK;
	if (lseek(files->to_stdout, 0, SEEK_SET) != 0)
		return ERR_IO;
	if (isatty(STDOUT_FILENO))
		return print_cleaned(files->to_stdout, STDOUT_FILENO);
	return copy_all(files->to_stdout, STDOUT_FILENO, SIZE_MAX);
}

void
command_files_close(struct command_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		close(files->fds[i]);
	files->count = 0;
	files->to_stdout = -1;
}
