/*
 * check_meta.c - back to the commit before a torn one (H48).
 *
 * An LMDB file begins with two meta pages; a commit writes the one that is older, so the other
 * names the tree of the commit before, whose pages are not touched until the next commit. Making
 * the torn one the older lets LMDB take the other. It is done on a copy.
 *
 *	page: 16 bytes of head | magic u32 | version u32 | address | map size | two trees of 48
 *	      | last page | id of the commit u64
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/backup_files.h"
#include "store/check_run.h"

#define META_PAGES 2
#define PAGE_SIZE_AT (16 + 24) /* of page 0: the first tree's spare field holds the page size */
#define COMMIT_ID_AT (16 + 24 + 2 * 48 + 8)
#define PAGE_SIZE_MAX 65536

static enum err
read_ids(int fd, uint32_t *page_size, uint64_t ids[META_PAGES])
{
	if (pread(fd, page_size, sizeof(*page_size), PAGE_SIZE_AT) != sizeof(*page_size) ||
		*page_size < 512 || *page_size > PAGE_SIZE_MAX)
		return ERR_CORRUPT;
	for (uint32_t i = 0; i < META_PAGES; i++) {
		off_t at = (off_t)i * *page_size + COMMIT_ID_AT;

		if (pread(fd, &ids[i], sizeof(ids[i]), at) != sizeof(ids[i]))
			return ERR_CORRUPT;
	}
	return OK;
}

/* Let the newer meta page be the older. */
static enum err
step_back(int fd)
{
	uint64_t ids[META_PAGES], none = 0;
	uint32_t page_size;
	int newer;
	enum err err = read_ids(fd, &page_size, ids);

	if (err != OK)
		return err;
	newer = ids[1] > ids[0];
	if (ids[!newer] == 0)
		return ERR_NOT_FOUND;
	if (pwrite(fd, &none, sizeof(none), (off_t)newer * page_size + COMMIT_ID_AT) !=
		sizeof(none))
		return ERR_IO;
	return fsync(fd) == 0 ? OK : ERR_IO;
}

struct fall_paths {
	char data[BACKUP_PATH_MAX], copy[BACKUP_PATH_MAX], torn[BACKUP_PATH_MAX];
};

static enum err
fall_back(const char *dir, struct fall_paths *p)
{
	enum err err;
	int fd;

	if (backup_path(dir, "data.mdb", p->data) != OK ||
		backup_path(dir, "data.mdb.before", p->copy) != OK ||
		backup_path(dir, "data.mdb.torn", p->torn) != OK)
		return ERR_LIMIT;
	unlink(p->copy);
	err = backup_copy_file(p->data, p->copy);
	if (err != OK)
		return err;
	fd = open(p->copy, O_RDWR | O_CLOEXEC);
	err = fd < 0 ? ERR_IO : step_back(fd);
	if (fd >= 0)
		close(fd);
	unlink(p->torn); /* of an earlier time */
	if (err == OK && (link(p->data, p->torn) != 0 || rename(p->copy, p->data) != 0))
		err = ERR_IO;
	if (err != OK)
		unlink(p->copy);
	return err;
}

enum err
check_fall_back(const char *dir)
{
	struct fall_paths *p = malloc(sizeof(*p)); /* too much for a frame */
	enum err err;

	ENSURE(p); /* out of memory ends the process, see arena.h */
	err = fall_back(dir, p);
	free(p);
	return err;
}
