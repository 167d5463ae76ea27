/*
 * search_words.h - text cut into the words of the index.
 *
 * A word is letters and digits of ASCII and all that is not ASCII but for common marks and blanks; one longer than SEARCH_WORD_MAX
 * comes in pieces that overlap by SEARCH_WORD_OVERLAP, so that a needle of that length is in one of
 * them. A needle is cut by the same rule; where it is more than one word, or a longer one, what the
 * index finds is to be looked at.
 */
#ifndef SERVER_SEARCH_SEARCH_WORDS_H
#define SERVER_SEARCH_SEARCH_WORDS_H

#include "server/search/search_text.h"
#include "store/search_ask.h"
#include "store/search_build.h"

/* Pieces of search_text.h in, words into a builder. Zero-initialise it but for `builder`. */
struct search_words {
	struct search_builder *builder;
	char word[SEARCH_WORD_MAX];
	size_t len;
	size_t old; /* bytes at the front of `word` that a piece before it had too */
};
search_piece_fn search_words_piece; /* its arg is a struct search_words */

/*
 * The longest words of NEEDLE, which is folded UTF-8, into q->pieces; they point into it. False: there is none,
 * the index cannot help. *exact: the answer is the truth; else what it finds is to be looked at.
 */
bool search_words_question(struct span needle, struct search_question *q, bool *exact);

#endif
