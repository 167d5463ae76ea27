/*
 * warden_landlock.h - what the two sets of Landlock rules share: the server's, and those of programs.
 */
#ifndef SERVER_WARDEN_WARDEN_LANDLOCK_H
#define SERVER_WARDEN_WARDEN_LANDLOCK_H

#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>

#define LANDLOCK_READS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LANDLOCK_WRITES                                                                        \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                         \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                 \
		LANDLOCK_ACCESS_FS_REMOVE_DIR)
#define LANDLOCK_SPECIALS                                                                      \
	(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |                         \
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                 \
		LANDLOCK_ACCESS_FS_MAKE_SYM)
#define LANDLOCK_REFER (1ULL << 13)    /* renames between folders; the store wants them at its first start */
#define LANDLOCK_TRUNCATE (1ULL << 14) /* LANDLOCK_ACCESS_FS_TRUNCATE of newer headers */

struct landlock_rules {
	int fd;
	uint64_t handled; /* what is forbidden unless a rule allows it */
};

/* From now on rules for HANDLED. False with errno: no Landlock, or one too old; nothing to close then. */
bool landlock_open(struct landlock_rules *r, uint64_t handled, bool own_signals_only);
/* PATH may be used with RIGHTS; what cannot be opened is passed over: whoever needs it says what is wrong. */
bool landlock_allow(const struct landlock_rules *r, const char *path, uint64_t rights);
bool landlock_allow_fd(const struct landlock_rules *r, int fd, uint64_t rights);
/* They hold from now on, where OK; closes R. */
bool landlock_enforce(struct landlock_rules *r, bool ok);

#endif
