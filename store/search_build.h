/*
 * search_build.h - words of new messages, gathered in memory until they are written as a run.
 *
 * On the writer's thread alone. Messages come with rising ids. What a message has beyond
 * SEARCH_MESSAGE_WORDS is not kept: it becomes unsure, which means that it has to be read itself
 * whatever is asked. A crash loses what was gathered: search_cursor() stands at its first message.
 */
#ifndef STORE_SEARCH_BUILD_H
#define STORE_SEARCH_BUILD_H

#include "proto/base/span.h"
#include "store/search_index.h"

#define SEARCH_MESSAGE_WORDS 20000         /* different ones that one message may add */
#define SEARCH_BUILD_POSTS (1u << 20)      /* in memory, 8 bytes each; then the run is full */
#define SEARCH_BUILD_WORDS (1u << 17)      /* different words of a run */
#define SEARCH_BUILD_TEXT (4u << 20)       /* bytes of these words */

struct search_builder;

/* It holds no memory to speak of until its first message, nor after a write. */
struct search_builder *search_builder_new(struct search_index *index, enum search_space space);
void search_builder_free(struct search_builder **builder);

/* Begin message ID; an unsure one is found by every question (and then read). */
void search_build_message(struct search_builder *b, uint64_t id, bool unsure);
/* The message has WORD: folded, 1 to SEARCH_WORD_MAX bytes, no LF. WHERE: SEARCH_IN_. */
void search_build_word(struct search_builder *b, struct span word, unsigned where);
/* The message was not read to its end. */
void search_build_unsure(struct search_builder *b);

size_t search_build_count(const struct search_builder *b); /* messages that it holds */
bool search_build_is_full(const struct search_builder *b); /* write it before the next message */

/*
 * Write what it holds as a run and let the cursor stand at NEXT_ID. OK: on disk, the builder is
 * empty. Else nothing changed on disk, and what it held is to be read again from the cursor:
 * ERR_FULL, ERR_IO, ERR_CORRUPT.
 */
MUST_CHECK enum err search_build_write(struct search_builder *b, uint64_t next_id);
/* Forget what it holds: the index was made anew. */
void search_build_drop(struct search_builder *b);

#endif
