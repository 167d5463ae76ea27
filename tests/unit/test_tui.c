/*
 * test_tui.c - the unit tests of tui/.
 */
#include <locale.h>

#include "tests/unit/test_tui.h"

int
main(void)
{
	int failed = 0;

	setlocale(LC_CTYPE, "C.UTF-8");
	failed += test_tui_line();
	failed += test_tui_print();
	failed += test_tui_run();
	failed += test_tui_ask();
	failed += test_tui_cells();
	failed += test_tui_console();
	failed += test_tui_screens();
	failed += test_tui_folders();
	failed += test_tui_sending();
	failed += test_tui_rules();
	failed += test_tui_copies();
	failed += test_tui_palette();
	failed += test_tui_edit();
	failed += test_tui_collect();
	failed += test_tui_download();
	return failed != 0;
}
