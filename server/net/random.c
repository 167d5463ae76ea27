/*
 * random.c - getrandom(2), whole.
 */
#include "server/net/random.h"

#include <errno.h>
#include <sys/random.h>

#include "proto/base/err.h"

void
random_fill(void *out, size_t size)
{
	unsigned char *at = out;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0) {
			ENSURE(errno == EINTR);
			continue;
		}
		at += n;
		size -= (size_t)n;
	}
}

uint64_t
random_u64(void)
{
	uint64_t value;

	random_fill(&value, sizeof(value));
	return value;
}
