/*
 * search_match.h - needles looked for in the text of a message, in one pass for all.
 */
#ifndef SERVER_SEARCH_SEARCH_MATCH_H
#define SERVER_SEARCH_SEARCH_MATCH_H

#include "server/search/search_text.h"

#define SEARCH_NEEDLE_MAX 1024 /* bytes, folded; a longer one is refused where it comes in */

struct search_needle {
	struct span text; /* folded UTF-8, not empty */
	unsigned where;   /* SEARCH_IN_ bits: it may be in any of them */
	bool found;
};

struct search_match {
	struct search_needle *needles;
	size_t count;
	size_t longest; /* of them */
	size_t left;    /* that were not found */
	char tail[2 * SEARCH_NEEDLE_MAX]; /* the end of the piece before, and the beginning of this one */
	size_t tail_len;
};

/* Begin a message: all of NEEDLES are not found. They stay the caller's. */
void search_match_begin(struct search_match *m, struct search_needle *needles, size_t count);
search_piece_fn search_match_piece; /* its arg is a struct search_match */

#endif
