/*
 * site_inside.h - what the files of a test's site share.
 */
#ifndef TESTS_HARNESS_SITE_INSIDE_H
#define TESTS_HARNESS_SITE_INSIDE_H

#include <stdio.h>
#include <stdlib.h>

#include "tests/harness/site.h"

/* Ends the process where a site cannot be made or read. */
#define must(call)                                                                                 \
	do {                                                                                       \
		enum err must_err = (call);                                                        \
		if (must_err != OK) {                                                              \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,              \
				err_name(must_err));                                               \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#endif
