/* fuzz_control_filter.c - filter words to a filter that matches a row; faults lie inside the text. */
#include "proto/control/control_filter.h"
#include "proto/control/control_method.h"
#include "tests/fuzz/fuzz.h"

static struct control_cell
cell(const void *row, size_t column)
{
	return (struct control_cell){ SPAN("shop@example.com gone"), (int64_t)column,
		row == NULL || column != 2 };
}

FUZZ(in, a, out)
{
	struct control_filter filter;

	if (control_filter_parse(in, control_methods[CONTROL_queue_list].columns, 1000, a, &filter) ==
		ERR_LIMIT)
		return;
	for (size_t i = 0; i < filter.fault_count; i++)
		ENSURE(filter.faults[i].at + filter.faults[i].len <= in.len);
	(void)control_filter_match(&filter, cell, NULL);
}
