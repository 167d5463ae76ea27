/*
 * metrics.c - the rows of the counters.
 */
#include "server/metrics.h"

#include "proto/base/err.h"

const struct metric_row metric_rows[] = {
#define X(name, unit, help) { #name, unit, help, offsetof(struct metrics, name) },
	METRICS(X)
#undef X
};
const size_t metric_row_count = COUNT(metric_rows);

int64_t
metric_row_get(const struct metrics *m, const struct metric_row *row)
{
	const _Atomic int64_t *word = (const void *)((const char *)m + row->offset);

	return atomic_load_explicit(word, memory_order_relaxed);
}

void
metric_raise(_Atomic int64_t *value, int64_t to)
{
	int64_t had = atomic_load_explicit(value, memory_order_relaxed);

	while (had < to && !atomic_compare_exchange_weak(value, &had, to))
		;
}
