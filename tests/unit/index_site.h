/*
 * index_site.h - for the tests of the index of words: an index in a temporary folder, messages of random words in it, and
 * what each of them says, to compare answers with.
 */
#ifndef TESTS_UNIT_INDEX_SITE_H
#define TESTS_UNIT_INDEX_SITE_H

#include "store/search_build.h"
#include "store/search_merge.h"
#include "tests/unit/test_store.h"

#define INDEX_SITE_MESSAGES 3000
#define MESSAGE_WORDS 12
#define TEXT_ROOM (MESSAGE_WORDS * 10)

/* A message is its words with blanks between; what the index is compared with. */
struct message_text {
	char header[TEXT_ROOM], body[TEXT_ROOM];
	bool gone, unsure;
};

struct index_site {
	char dir[64];
	struct search_options options;
	struct search_index *index;
	struct search_builder *builder;
	struct message_text *messages; /* by id, from 1 */
	uint64_t next_id;
	unsigned said; /* lines of the log */
	uint32_t seed;
};

int index_site_setup(void **state);
int index_site_teardown(void **state);
void index_site_open(struct index_site *s);
void index_site_close(struct index_site *s);
uint32_t index_site_chance(struct index_site *s, uint32_t below); /* the same each time */
/* One message, not written yet; COUNT of them as a run, written. */
void index_site_add(struct index_site *s);
void index_site_add_run(struct index_site *s, size_t count);
/* So many random questions are answered as a look through all messages answers them. */
void index_site_check(struct index_site *s, unsigned questions);
/* What a merge wants to know: which of the messages are gone. */
struct search_merge_ask index_site_merge(struct index_site *s);

#endif
