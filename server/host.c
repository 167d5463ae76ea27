/*
 * host.c - the clock, the name and the snapshot of a loop.
 */
#include "server/host.h"

#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/log.h"
#include "server/net/loop.h"
#include "store/store.h"

int64_t
host_now_ms(const struct host *host)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 +
		(host->clock_offset_ms ? *host->clock_offset_ms : 0);
}

int64_t
host_steady_ms(const struct host *host)
{
	return loop_now_ms(host->loop) + (host->clock_offset_ms ? *host->clock_offset_ms : 0);
}

int
host_zone_minutes(int64_t now_ms)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm local;

	return localtime_r(&seconds, &local) ? (int)(local.tm_gmtoff / 60) : 0;
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
