/*
 * check.h - walk a whole store and say what is wrong with it; mend what can be derived.
 *
 * Looked at: every record's checksum and version, every body piece, every reference between tables,
 * owner counts of contents and bodies, uids and counts of folders, the queue and its due rows, the
 * name index, the mapping index, the counters, graves, the seal.
 *
 * Runs in a process of its own (`postroomd --check-store`): a damaged tree can end the process
 * inside LMDB with a signal. Whoever started it takes that as a finding.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "proto/base/span.h"

struct store_options;

#define CHECK_FINDINGS_MAX 10000 /* lines reported; beyond it they are counted only */

/* One finding: one line without LF, such as "users 17: no name row (repaired)". */
typedef void check_report_fn(void *arg, struct span line);

/*
 * Check the store of OPTIONS; with REPAIR also mend it (the server must be stopped). Repair
 * rebuilds indexes, counters, due rows and owner counts, gives folders that lost messages a new
 * UIDVALIDITY (H27), and leaves damaged messages in place, where they answer "damaged" (H49).
 *
 * Exit status for the process: 0 nothing found, or all of it mended; 1 findings remain, or the
 * store cannot be opened (one line says why).
 */
int store_check(
	const struct store_options *options, bool repair, check_report_fn *report, void *arg);

#endif
