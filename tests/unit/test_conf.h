/*
 * test_conf.h - what the tests of conf/ share.
 */
#ifndef TESTS_UNIT_TEST_CONF_H
#define TESTS_UNIT_TEST_CONF_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "conf/conf_load.h"

/* The example of the contract, every section of it. */
extern const struct span test_conf_example;

/* A generation from TEXT, which must be good. */
struct conf *test_conf_load(struct span text);
/* All faults of TEXT, one a line: "3:7: log.level: ...". */
void test_conf_faults(struct span text, char *out, size_t size);

struct rule_header;
struct rule_set;
/* The rules of TEXT, which must be good: test_rule_text.c. */
void test_rules_parse(struct arena *a, const char *text, unsigned language, struct rule_set *out);
/* The lines of TEXT, as SET asks for them. */
void test_rules_header(struct arena *a, const struct rule_set *set, const char *text,
	struct rule_header *out);

/* FAULTS, which end here, are one, in this place and with WHY in it; ROW is told where they are not. */
void test_conf_fault(size_t row, struct conf_faults *faults, unsigned line, unsigned column, const char *why);

#define check_row(i, condition)                                                                    \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row %zu: %s", (size_t)(i), #condition);                          \
	} while (0)

int test_archive_rules(void);
int test_conf_access(void);
int test_conf_bombs(void);
int test_conf_edit(void);
int test_conf_faults_all(void);
int test_conf_get(void);
int test_conf_history(void);
int test_conf_load_all(void);
int test_lan_rules(void);
int test_rule_speed(void);
int test_rule_text(void);

#endif
