/*
 * search_site.h - for the tests of the search: a store in a temporary folder, messages into it and out of it.
 */
#ifndef TESTS_UNIT_SEARCH_SITE_H
#define TESTS_UNIT_SEARCH_SITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/search/search.h"

struct search_site {
	char dir[64];
	struct store *store;
	struct search_index *index;
	uint32_t seed;
	uint64_t last_id;
};

int search_site_setup(void **state);
int search_site_teardown(void **state);
uint32_t search_site_chance(struct search_site *f, uint32_t below); /* the same each time */
uint64_t search_site_put(struct search_site *f, const char *header, const char *body); /* its content_id */
void search_site_remove(struct search_site *f, uint64_t id);
/* By a look at all of the message. */
bool search_site_holds(struct search_site *f, uint64_t id, struct span needle, unsigned where);

int test_search_index(void);

#endif
