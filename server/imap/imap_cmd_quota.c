/*
 * imap_cmd_quota.c - GETQUOTA, GETQUOTAROOT (RFC 9208): the same figures as everywhere (QUO-01, QUO-07).
 *
 * A user with a quota has one quota root, called by his name, over all folders of his; its one
 * resource is STORAGE. Who has none has no root, and nobody is told of another's. Nothing is refused over
 * it (QUO-06, Q-19): what is put into an overfull mailbox is answered with a warning besides.
 */
#include "server/imap/imap_quota.h"

#include "server/imap/imap_mailbox.h"
#include "server/pipeline/quota.h"

void
imap_quota_warn(struct imap_session *imap, uint64_t owner_id)
{
	struct snapshot *snap = imap_snapshot(imap);
	struct quota quota;

	if (owner_id != imap->user_id || !snap || quota_find(imap->session.conf, snap, owner_id, &quota) != OK)
		return;
	if (quota.limit_bytes > 0 && quota.used_bytes > quota.limit_bytes) /* RFC 9208, 5.2 */
		imap_put(buf_put(imap_out(imap),
			SPAN("* NO [OVERQUOTA] The mailbox is over its quota\r\n")));
}

/* "* QUOTA anna (STORAGE 10 512)", in units of 1,024 bytes, what is begun counted whole. */
static void
put_quota(struct imap_session *imap, const struct quota *quota)
{
	struct buf *out = imap_out(imap);

	imap_put(buf_put(out, SPAN("* QUOTA ")));
	imap_put(imap_put_astring(out, quota->user));
	imap_put(buf_printf(out, " (STORAGE %llu %llu)\r\n",
		(unsigned long long)((quota->used_bytes + 1023) / 1024),
		(unsigned long long)(quota->limit_bytes / 1024)));
}

enum imap_turn
imap_cmd_getquota(struct imap_session *imap, struct imap_cursor *args)
{
	struct snapshot *snap = imap_snapshot(imap);
	struct quota quota;
	struct span root;
	enum err err;

	if (!imap_take_space(args) || !imap_take_astring(args, &root) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	err = snap ? quota_find(imap->session.conf, snap, imap->user_id, &quota) : ERR_IO;
	if (err != OK)
		return imap_fail(imap, err);
	if (quota.limit_bytes == 0 || !span_eq_nocase(root, quota.user))
		return imap_end(imap, IMAP_NO("NONEXISTENT", "There is no such quota root"));
	put_quota(imap, &quota);
	return imap_end(imap, IMAP_OK("That is the quota"));
}

enum imap_turn
imap_cmd_getquotaroot(struct imap_session *imap, struct imap_cursor *args)
{
	struct buf *out = imap_out(imap);
	struct quota quota = { .limit_bytes = 0 };
	struct imap_mailbox mailbox;
	struct span name;
	enum err err;

	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	err = imap_mailbox_find(imap, name, RIGHT_READ, &mailbox);
	if (err != OK)
		return imap_mailbox_no(imap, err);
	if (mailbox.user_id == imap->user_id)
		err = quota_find(imap->session.conf, imap_snapshot(imap), imap->user_id, &quota);
	if (err != OK)
		return imap_fail(imap, err);
	imap_put(buf_put(out, SPAN("* QUOTAROOT ")));
	imap_put(imap_put_mailbox(out, imap_place_name(&mailbox.place, imap_arena(imap)),
		imap_is_utf8(imap)));
	if (quota.limit_bytes > 0) {
		imap_put(buf_put_char(out, ' '));
		imap_put(imap_put_astring(out, quota.user));
	}
	imap_put(buf_put(out, SPAN("\r\n")));
	if (quota.limit_bytes > 0)
		put_quota(imap, &quota);
	return imap_end(imap, IMAP_OK("That is the quota"));
}
