/*
 * fuzz_imap_args.c - all kinds of arguments in turn; what was taken is put out and taken again.
 */
#include "proto/imap/imap_list.h"
#include "proto/imap/imap_requests.h"
#include "proto/imap/imap_response.h"
#include "tests/fuzz/fuzz.h"

/* A string as it is put out is that string (H11). NUL has no way. */
static void
check_string(struct span text, struct arena *a, struct buf *out)
{
	struct imap_cursor c;
	struct span again;

	if (span_find(text, '\0') < text.len)
		return;
	buf_clear(out);
	if (imap_put_astring(out, text) != OK)
		return;
	imap_cursor_init(&c, buf_span(out), a);
	ENSURE(imap_take_astring(&c, &again) && imap_take_end(&c) && span_eq(text, again));
}

static void
check_set(struct imap_seqset set, struct arena *a, struct buf *out)
{
	struct imap_seqset again;

	for (size_t i = 0; i < set.count; i++) {
		ENSURE(set.ranges[i].first <= set.ranges[i].last);
		ENSURE(i == 0 || set.ranges[i - 1].last + 1 < set.ranges[i].first);
	}
	imap_seqset_resolve(a, &set, 1000);
	buf_clear(out);
	if (set.count == 0 || imap_ranges_put(out, set.ranges, set.count) != OK)
		return;
	ENSURE(imap_seqset_parse(a, buf_span(out), &again) == OK && again.count == set.count);
	ENSURE(imap_seqset_has(&set, imap_seqset_last(&set)));
}

static void
check_whole(struct imap_cursor all)
{
	struct imap_cursor c = all;
	struct imap_list list;
	struct imap_id id;
	struct imap_store store;
	struct imap_select select;
	unsigned items;

	(void)!imap_take_list(&c, &list);
	c = all;
	(void)!imap_take_lsub(&c, &list);
	c = all;
	(void)!imap_take_id(&c, &id);
	c = all;
	(void)!imap_take_store(&c, &store);
	c = all;
	(void)!imap_take_select(&c, &select);
	c = all;
	(void)!imap_take_status_items(&c, &items);
}

static bool
take_any(struct imap_cursor *c, struct arena *a, struct buf *out)
{
	struct imap_seqset set;
	struct imap_flags flags;
	struct mail_date date;
	struct span text;
	uint32_t number;
	int64_t day;

	if (imap_take_date_time(c, &date) || imap_take_date(c, &day))
		return true;
	if (imap_take_seqset(c, &set)) {
		check_set(set, a, out);
		return true;
	}
	if (imap_take_flag_list(c, &flags)) {
		buf_clear(out);
		return imap_put_flags(out, &flags) == OK;
	}
	if (imap_take_nstring(c, &text) || imap_take_astring(c, &text) ||
		imap_take_list_mailbox(c, &text)) {
		check_string(text, a, out);
		return true;
	}
	return imap_take_number(c, &number) || imap_skip_value(c);
}

FUZZ(in, a, out)
{
	struct imap_cursor c;

	imap_cursor_init(&c, in, a);
	check_whole(c);
	while (take_any(&c, a, out))
		if (!imap_take_space(&c))
			break;
	ENSURE(c.rest.len <= in.len);
}
