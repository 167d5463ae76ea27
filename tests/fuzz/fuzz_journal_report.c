/*
 * fuzz_journal_report.c - any text is read as the lines of a report, and any header as a plain copy; what was read
 * is written so that it reads the same (JRN-04).
 */
#include "proto/mail/address.h"
#include "proto/mail/journal_report.h"
#include "tests/fuzz/fuzz.h"

static void
check_same(const struct journal_envelope *x, const struct journal_envelope *y)
{
	ENSURE(x->count == y->count && span_eq(x->sender, y->sender));
	for (size_t i = 0; i < x->count; i++)
		ENSURE(span_eq(x->recipients[i].address, y->recipients[i].address));
}

static bool
is_short(const struct journal_envelope *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->recipients[i].address.len + e->recipients[i].source.len > JOURNAL_VALUE_MAX / 2)
			return false;
	return e->count < 1000;
}

/* Quotes may hold what reads as the mark of an expansion. */
static bool
is_plain(const struct journal_envelope *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (span_find(e->recipients[i].address, '"') < e->recipients[i].address.len ||
			span_find(e->recipients[i].source, '"') < e->recipients[i].source.len)
			return false;
	return span_find(e->sender, '"') == e->sender.len && is_short(e);
}

FUZZ(in, a, out)
{
	struct journal_envelope e, again;
	struct address address;
	size_t from, to;
	enum err err = journal_envelope_parse(a, in, &e);

	for (size_t i = 0; i < e.count; i++)
		ENSURE(address_parse(a, e.recipients[i].address, &address) == OK);
	if (err == OK && is_plain(&e)) {
		ENSURE(journal_envelope_put(out, &e) == OK);
		ENSURE(journal_envelope_parse(a, buf_span(out), &again) == OK);
		check_same(&e, &again);
	}
	buf_clear(out);
	err = journal_plain_parse(a, in, &e, &from, &to);
	ENSURE(from <= to && to <= in.len && (err != OK || from < to));
	if (err == OK && is_plain(&e)) {
		ENSURE(journal_plain_put(out, &e) == OK);
		ENSURE(journal_plain_parse(a, buf_span(out), &again, &from, &to) == OK);
		check_same(&e, &again);
	}
}
