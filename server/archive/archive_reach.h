/*
 * archive_reach.h - in which blocks of the archive an address that fits a pattern can be (ARC-02).
 *
 * The addresses of the archive (store/archive.h) are held against the pattern once, some at a time. A few that fit are
 * then looked for by their words, block by block; of many only the first and the last block counts.
 */
#ifndef SERVER_ARCHIVE_ARCHIVE_REACH_H
#define SERVER_ARCHIVE_ARCHIVE_REACH_H

#include "store/archive.h"

#define ARCHIVE_REACH_WORDS 16   /* of an address that is looked for by them */
#define ARCHIVE_REACH_FEW 64     /* addresses that are */
#define ARCHIVE_REACH_ROWS 200000 /* addresses that are held against a pattern; with more all messages are */

struct archive_reach {
	struct span pattern; /* lower case; empty: nothing is asked, every block is within reach */
	enum archive_role role;
	bool begun, done, is_everywhere;
	uint32_t first, last;                /* blocks; first > last: none */
	struct archive_address all;          /* these blocks have addresses that nobody knows */
	struct span at;                      /* the last that was looked at, in AT_ROOM */
	char at_room[ARCHIVE_ADDRESS_MAX];
	uint64_t looked;
	size_t count;                        /* that fit */
	struct {
		uint32_t first, last, words[ARCHIVE_REACH_WORDS];
		size_t word_count;
	} few[ARCHIVE_REACH_FEW];
};

/* Look at LOOKS addresses more. ERR_BUSY: call again; OK: it is known. ERR_IO. */
MUST_CHECK enum err archive_reach_look(struct archive_reach *r, struct snapshot *snap, unsigned looks);
/* Is an address that fits in this block, perhaps? Behind archive_reach_look(). ERR_IO. */
MUST_CHECK enum err archive_reach_has(
	const struct archive_reach *r, struct snapshot *snap, uint64_t block, bool *has);

#endif
