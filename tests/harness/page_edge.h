/*
 * page_edge.h - inputs laid against the end of a readable page, so that one byte read too many is a
 * crash, not a habit; and rows that say which of them failed.
 */
#ifndef TESTS_HARNESS_PAGE_EDGE_H
#define TESTS_HARNESS_PAGE_EDGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "proto/base/span.h"

#define EDGE_SIZE 65536 /* bytes of the largest input */
#define EDGE_SLOTS 8    /* inputs that are good at the same time */
#define EDGE_PAGE 4096

/* A copy of S that ends where reading ends; good until EDGE_SLOTS more have been asked for. */
static inline struct span
at_page_edge(struct span s)
{
	static char *slots[EDGE_SLOTS];
	static unsigned next;
	char **slot = &slots[next++ % EDGE_SLOTS];

	assert_true(s.len <= EDGE_SIZE);
	if (!*slot) {
		*slot = mmap(NULL, EDGE_SIZE + EDGE_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert_true(*slot != MAP_FAILED);
		assert_int_equal(mprotect(*slot + EDGE_SIZE, EDGE_PAGE, PROT_NONE), 0);
	}
	if (s.len)
		memcpy(*slot + EDGE_SIZE - s.len, s.ptr, s.len);
	return (struct span){ *slot + EDGE_SIZE - s.len, s.len };
}

/* Fail with the row's number where CONDITION does not hold. */
#define check_row(i, condition) \
	do { \
		if (!(condition)) \
			fail_msg("row %zu: %s", (size_t)(i), #condition); \
	} while (0)

/* Fail with both texts where they differ. */
#define check_span(i, got, want) \
	do { \
		struct span got_ = (got), want_ = (want); \
		if (!span_eq(got_, want_)) \
			fail_msg("row %zu: got \"%.*s\", want \"%.*s\"", (size_t)(i), \
				SPAN_FMT(got_), SPAN_FMT(want_)); \
	} while (0)

#endif
