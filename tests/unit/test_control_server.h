/*
 * test_control_server.h - what the groups of test-control-server share.
 */
#ifndef TESTS_UNIT_TEST_CONTROL_SERVER_H
#define TESTS_UNIT_TEST_CONTROL_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define check_row(i, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(i), #condition);                          \
	} while (0)

int test_control_rows(void);

#endif
