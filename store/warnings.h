/*
 * warnings.h - who was warned of late mail to which domain, and when (OUT-18).
 *
 * A row is small and outlives its day only until another is written near it, so the table needs no sweep.
 */
#ifndef STORE_WARNINGS_H
#define STORE_WARNINGS_H

#include "store/table.h"

#define WARNINGS_DAY_MS INT64_C(86400000)

/* Was AUTHOR warned about DOMAIN in the day before NOW_MS? Letter case does not count. ERR_IO. */
MUST_CHECK enum err warning_was_sent(struct snapshot *snap, struct span author, struct span domain,
	int64_t now_ms, bool *was);
/* He is now. ERR_FULL, ERR_IO. */
MUST_CHECK enum err warning_note(
	struct txn *txn, struct span author, struct span domain, int64_t now_ms);

#endif
