/*
 * test_tui.h - the groups of test_tui.c; each returns how many of its tests failed.
 */
#ifndef TESTS_UNIT_TEST_TUI_H
#define TESTS_UNIT_TEST_TUI_H

#include "tests/harness/page_edge.h"

#define ARGS_MAX 40
#define TEXT_MAX 65536

/* "a b 'c d'" as arguments. */
struct args {
	char text[512];
	char *argv[ARGS_MAX];
	size_t argc;
};
void split(struct args *args, const char *line);

int test_tui_ask(void);
int test_tui_cells(void);
int test_tui_console(void);
int test_tui_line(void);
int test_tui_print(void);
int test_tui_run(void);
int test_tui_screens(void);
int test_tui_folders(void);
int test_tui_sending(void);
int test_tui_rules(void);
int test_tui_copies(void);
int test_tui_palette(void);
int test_tui_edit(void);
int test_tui_collect(void);
int test_tui_download(void);

#endif
