/*
 * bounce_rules.c - what decides about a report, as functions of values.
 */
#include "server/queue/bounce_inside.h"

#include "conf/conf.h"

bool
bounce_notify_wants(uint32_t notify, enum bounce_kind kind)
{
	static const uint32_t bits[] = { [BOUNCE_FAILED] = QUEUED_NOTIFY_FAILURE,
		[BOUNCE_DELAYED] = QUEUED_NOTIFY_DELAY, [BOUNCE_SENT] = QUEUED_NOTIFY_SUCCESS,
		[BOUNCE_DELIVERED] = QUEUED_NOTIFY_SUCCESS,
		[BOUNCE_EXPANDED] = QUEUED_NOTIFY_SUCCESS };

	if (notify == 0)
		notify = QUEUED_NOTIFY_FAILURE | QUEUED_NOTIFY_DELAY;
	return !(notify & QUEUED_NOTIFY_NEVER) && (notify & bits[kind]);
}

bool
bounce_is_robot(struct span address)
{
	static const struct span names[] = { SPAN("mailer_daemon"), SPAN("mailer-daemon"),
		SPAN("listserver"), SPAN("listserv"), SPAN("majordomo") };
	struct span local = span_range(address, 0, span_find_last(address, '@'));

	for (size_t i = 0; i < COUNT(names); i++)
		if (span_eq_nocase(local, names[i]))
			return true;
	return false;
}

struct span
bounce_domain(struct span address)
{
	size_t at = span_find_last(address, '@');

	return at < address.len ? span_from(address, at + 1) : SPAN_NONE;
}

static bool
asks_for_receipt(const struct conf *conf, const struct bounce *b)
{
	return b->kind == BOUNCE_SENT && b->queued->receipt && !b->lan &&
		conf->headers_transmission_receipt.count > 0;
}

bool
bounce_is_wanted(const struct conf *conf, const struct bounce *b)
{
	if (asks_for_receipt(conf, b))
		return true;
	if (b->kind == BOUNCE_DELAYED && conf->outgoing_warnings == WARNINGS_NEVER)
		return false;
	if (b->kind == BOUNCE_SENT && b->remote_has_dsn)
		return false;
	for (size_t i = 0; i < b->count; i++)
		if (bounce_notify_wants(b->recipients[i].notify, b->kind))
			return true;
	return false;
}
