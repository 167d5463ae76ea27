/*
 * script_fields.c - the fields that no script may set.
 */
#include "server/pipeline/script_fields.h"

#include "proto/mail/header.h"

/* One that ends in '*' is any with that front. */
static const struct span closed[] = {
	{ "Received*", 9 }, { "Return-Path", 11 }, { "Delivered-To", 12 }, { "Content-*", 9 },
	{ "MIME-Version", 12 }, { "DKIM-*", 6 }, { "ARC-*", 5 }, { "Authentication-*", 16 },
	{ "Bcc", 3 }, { "Resent-*", 8 }, { "From", 4 }, { "Sender", 6 }, { "Date", 4 },
	{ "Message-ID", 10 }, { "Auto-Submitted", 14 }, { "X-Envelope-*", 12 },
};

static bool
fits(struct span pattern, struct span name)
{
	if (pattern.ptr[pattern.len - 1] == '*')
		return span_starts_nocase(name, span_range(pattern, 0, pattern.len - 1));
	return span_eq_nocase(pattern, name);
}

bool
script_field_may_be_set(struct span name)
{
	if (name.len == 0 || name.len > SCRIPT_FIELD_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f || name.ptr[i] == ':')
			return false;
	for (size_t i = 0; i < COUNT(closed); i++)
		if (fits(closed[i], name))
			return false;
	for (size_t i = 0; i < header_trust_count; i++)
		if (fits(header_trust_names[i], name))
			return false;
	return true;
}
