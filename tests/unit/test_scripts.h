/*
 * test_scripts.h - the groups of test-scripts.
 */
#ifndef TESTS_UNIT_TEST_SCRIPTS_H
#define TESTS_UNIT_TEST_SCRIPTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

int test_script_answers(void);

#endif
