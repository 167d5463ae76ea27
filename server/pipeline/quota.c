/*
 * quota.c - arithmetic with quotas.
 */
#include "server/pipeline/quota.h"

#include "server/pipeline/journal.h"
#include "server/pipeline/names.h"
#include "store/folders.h"

enum err
quota_find(const struct conf *conf, struct snapshot *snap, uint64_t user_id, struct quota *out)
{
	struct folder_totals totals;
	struct user user;
	enum err err = names_user_by_id(snap, user_id, &user);

	if (err == OK)
		err = folder_totals(snap, user_id, &totals);
	if (err == OK)
		*out = (struct quota){ .user = user.name, .used_bytes = totals.bytes,
			.limit_bytes = journal_is_mailbox(conf, user.name) ? 0 : user.quota_mb << 20 };
	return err;
}

/* Both are under 2^50 or so: no product of them with 100 or 10,000 overflows. */
bool
quota_reaches(const struct quota *quota, int64_t percent)
{
	return quota->limit_bytes > 0 && percent > 0 &&
		quota->used_bytes >= quota->limit_bytes / 100 * (uint64_t)percent +
			quota->limit_bytes % 100 * (uint64_t)percent / 100;
}

uint64_t
quota_percent(const struct quota *quota)
{
	return quota->limit_bytes > 0 ? quota->used_bytes * 100 / quota->limit_bytes : 0;
}

struct quota_threshold
quota_threshold(const struct conf *conf, unsigned i)
{
	const struct quota_threshold all[QUOTA_THRESHOLDS] = {
		{ conf->quota_first, conf->quota_first_user, conf->quota_first_admin },
		{ conf->quota_second, conf->quota_second_user, conf->quota_second_admin },
		{ conf->quota_third, conf->quota_third_user, conf->quota_third_admin },
	};

	return all[i];
}

uint8_t
quota_bits(const struct conf *conf, const struct quota *quota)
{
	uint8_t bits = 0;

	for (unsigned i = 0; i < QUOTA_THRESHOLDS; i++)
		if (quota_reaches(quota, quota_threshold(conf, i).percent))
			bits |= (uint8_t)(1u << i);
	return bits;
}
