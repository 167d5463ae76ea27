/*
 * quota.h - how full a user's mailbox is, and what that has for a consequence (QUO-01 to QUO-05).
 *
 * The same figures for IMAP, for the refusal to send and for warnings.
 */
#ifndef SERVER_PIPELINE_QUOTA_H
#define SERVER_PIPELINE_QUOTA_H

#include "conf/conf.h"

struct snapshot;

#define QUOTA_THRESHOLDS 3

struct quota {
	struct span user; /* lives as the snapshot */
	uint64_t used_bytes;
	uint64_t limit_bytes; /* 0: none */
};

/*
 * All folders of his but hidden ones, and what his group forces upon him; none for the mailbox of the journal (JRN-02).
 * ERR_NOT_FOUND: no such user.
 */
MUST_CHECK enum err quota_find(
	const struct conf *conf, struct snapshot *snap, uint64_t user_id, struct quota *out);

/* Is it at PERCENT of its quota, or more? Never without a quota, nor where PERCENT is 0. */
bool quota_reaches(const struct quota *quota, int64_t percent);
uint64_t quota_percent(const struct quota *quota); /* rounded down; 0 without a quota */

/* A threshold of the file (QUO-02), from 0 to QUOTA_THRESHOLDS - 1. */
struct quota_threshold {
	int64_t percent;
	bool user, admin; /* who is told */
};
struct quota_threshold quota_threshold(const struct conf *conf, unsigned i);
/* The thresholds that it is at or over, a bit each. */
uint8_t quota_bits(const struct conf *conf, const struct quota *quota);

#endif
