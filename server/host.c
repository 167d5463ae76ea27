/*
 * host.c - the clock and the snapshot of a loop.
 */
#include "server/host.h"

#include <time.h>

#include "server/log.h"
#include "store/store.h"

int64_t
host_now_ms(const struct host *host)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 +
		(host->clock_offset_ms ? *host->clock_offset_ms : 0);
}

struct snapshot *
host_snapshot(struct host *host)
{
	enum err err;

	if (host->snapshot)
		return host->snapshot;
	err = snapshot_open(host->store, &host->snapshot);
	if (err == OK)
		return host->snapshot;
	log_put(host->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "store",
				   .text = "no snapshot",
				   .fields = { { "why", span_of(err_name(err)) } } });
	host->snapshot = NULL;
	return NULL;
}

void
host_snapshot_close(struct host *host)
{
	if (host->snapshot)
		snapshot_close(&host->snapshot);
}
