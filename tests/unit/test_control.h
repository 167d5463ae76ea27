/*
 * test_control.h - the other groups of test_control.c; each returns how many of its tests failed.
 */
#ifndef TESTS_UNIT_TEST_CONTROL_H
#define TESTS_UNIT_TEST_CONTROL_H

#include "tests/harness/page_edge.h"

int test_control_rpc(void);
int test_mapping_lines(void);
int test_user_lines(void);

#endif
