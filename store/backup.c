/*
 * backup.c - a copy of the running store.
 *
 * LMDB writes the copy into a pipe on a thread of its own; this side moves it into the file, tells
 * how far it is, and gives up by closing the pipe. The copy is made in a folder of its own inside
 * the one for the backup, checked there, and then given its name.
 */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/backup_files.h"
#include "store/check.h"
#include "store/store.h"

#define PIPE_BYTES (256u << 10) /* moved at a time */
#define LOOK_BYTES (16u << 20)  /* between two looks at growth and progress */

/* ---- the copier ---- */

struct copier {
	struct store *store;
	int fd; /* of the pipe, to write */
	enum err err;
};

static void *
copier_run(void *arg)
{
	struct copier *copier = arg;

	copier->err = store_copy_to_fd(copier->store, copier->fd);
	close(copier->fd);
	return NULL;
}

/* ---- moving ---- */

struct mover {
	struct backup_job *job;
	int from, to;
	uint64_t bytes, looked_at;
	uint64_t size_at_start; /* of the store */
	uint64_t bytes_total;   /* about what will come */
};

static enum err
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno != EINTR)
			return backup_errno();
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return OK;
}

/* Cancelled, or has the store grown too much meanwhile (H44)? */
static enum err
look_around(struct mover *m)
{
	struct store_stats stats;
	uint64_t most = m->size_at_start / 100 * (100 + BACKUP_GROWTH_PERCENT);

	if (atomic_load(&m->job->cancel))
		return ERR_DENIED;
	if (m->bytes < m->looked_at + LOOK_BYTES)
		return OK;
	m->looked_at = m->bytes;
	if (m->job->progress != NULL)
		m->job->progress(m->job->arg, m->bytes, m->bytes_total);
	if (store_stats(m->job->store, &stats) != OK)
		return ERR_IO;
	return stats.file_size > most + LOOK_BYTES ? ERR_BUSY : OK;
}

static enum err
move_all(struct mover *m)
{
	char *room = malloc(PIPE_BYTES);
	enum err err = look_around(m);

	ENSURE(room); /* out of memory ends the process, see arena.h */
	while (err == OK) {
		ssize_t n = read(m->from, room, PIPE_BYTES);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0 ? ERR_IO : write_all(m->to, room, (size_t)n);
		if (n > 0)
			m->bytes += (uint64_t)n;
		if (err == OK)
			err = look_around(m);
	}
	free(room);
	return err;
}

/* A broken pipe is how the copier learns that it was given up; it must not be a signal. */
static enum err
copier_start(struct copier *copier, pthread_t *thread)
{
	sigset_t pipe_signal, before;
	int rc;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	rc = pthread_create(thread, NULL, copier_run, copier);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? OK : ERR_IO;
}

static enum err
copy_store(struct backup_job *job, int to)
{
	struct mover mover = { .job = job, .to = to };
	struct copier copier = { .store = job->store };
	struct store_stats stats;
	pthread_t thread;
	int ends[2];
	enum err err = store_stats(job->store, &stats);

	if (err != OK || pipe2(ends, O_CLOEXEC) != 0)
		return ERR_IO;
	mover.from = ends[0];
	mover.size_at_start = stats.file_size;
	mover.bytes_total =
		stats.file_size > stats.free_bytes ? stats.file_size - stats.free_bytes : 0;
	copier.fd = ends[1];
	err = copier_start(&copier, &thread);
	if (err != OK) {
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	err = move_all(&mover);
	close(ends[0]);
	pthread_join(thread, NULL);
	job->bytes = mover.bytes;
	return err != OK ? err : copier.err;
}

/* ---- the folder ---- */

static enum err
write_copy(struct backup_job *job, int part_fd)
{
	int fd = openat(part_fd, BACKUP_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err err;

	if (fd < 0)
		return backup_errno();
	err = copy_store(job, fd);
	if (close(fd) != 0 && err == OK)
		err = backup_errno();
	return err;
}

static enum err
sync_copy(int part_fd)
{
	int fd = openat(part_fd, BACKUP_FILE, O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return ERR_IO;
	rc = fsync(fd);
	close(fd);
	return rc == 0 ? OK : backup_errno();
}

static void
note_finding(void *arg, struct span line)
{
	struct backup_job *job = arg;

	if (job->findings++ == 0)
		snprintf(job->first_finding, sizeof(job->first_finding), "%.*s", SPAN_FMT(line));
}

/* A copy that opens is worth keeping, whatever damage came along: it is all that there is. */
static enum err
check_copy(struct backup_job *job, const char *dir)
{
	struct store_options options = {
		.path = dir, .mode = STORE_CHECK, .allow_network_fs = true
	};
	struct store_fault why;
	struct store *copy;

	if (store_open(&options, &copy, &why) != OK)
		return ERR_CORRUPT;
	store_close(&copy);
	job->findings = 0;
	return store_check(&options, false, note_finding, job) == 0 || job->findings > 0
		? OK
		: ERR_CORRUPT;
}

static void
part_clear(int dir_fd, int part_fd)
{
	static const char *const names[] = { BACKUP_FILE, "lock.mdb", "server.lock", "use.lock" };

	for (size_t i = 0; i < COUNT(names); i++)
		unlinkat(part_fd, names[i], 0);
	unlinkat(dir_fd, BACKUP_TEMPORARY, AT_REMOVEDIR);
}

static enum err
backup_in(struct backup_job *job, int part_fd)
{
	char dir[64];
	enum err err;

	snprintf(dir, sizeof(dir), "/proc/self/fd/%d", part_fd);
	err = write_copy(job, part_fd);
	if (err == OK)
		err = backup_seal(dir);
	if (err == OK)
		err = sync_copy(part_fd);
	if (err == OK)
		err = check_copy(job, dir);
	if (err == OK && renameat(part_fd, BACKUP_FILE, job->dir_fd, BACKUP_FILE) != 0)
		err = backup_errno();
	return err == OK ? backup_sync_dir(job->dir_fd) : err;
}

enum err
backup_run(struct backup_job *job)
{
	int part_fd;
	enum err err;

	job->bytes = 0;
	if (faccessat(job->dir_fd, BACKUP_FILE, F_OK, 0) == 0)
		return ERR_EXISTS;
	if (mkdirat(job->dir_fd, BACKUP_TEMPORARY, 0700) != 0 && errno != EEXIST)
		return backup_errno();
	part_fd = openat(job->dir_fd, BACKUP_TEMPORARY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (part_fd < 0)
		return backup_errno();
	unlinkat(part_fd, BACKUP_FILE, 0); /* of one that was broken off */
	err = backup_in(job, part_fd);
	part_clear(job->dir_fd, part_fd);
	close(part_fd);
	return err;
}
