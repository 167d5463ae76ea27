/*
 * spf.c - check_host() of RFC 7208, 4: which question comes next, and what its answer means.
 *
 * Domains under way are a stack, for an include is a check inside a check. `settle` is told how the uppermost one
 * ended; only it takes frames off.
 *
 *     SPF_AT_RECORD    the record of the uppermost domain is asked for
 *     SPF_AT_TERM      nothing is asked for: the terms are gone through
 *     SPF_AT_ADDRESS   addresses of `target`, for a and exists
 *     SPF_AT_MX, _PTR  names, whose addresses then are asked for one by one: SPF_AT_ADDRESS
 *     SPF_AT_END       there is a result
 */
#include "proto/auth/spf.h"

#include <string.h>

#include "proto/base/ascii.h"

const char *
spf_result_word(enum spf_result result)
{
	static const char *const words[SPF_RESULTS] = { [SPF_NONE] = "none",
		[SPF_NEUTRAL] = "neutral", [SPF_PASS] = "pass", [SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
		[SPF_PERMERROR] = "permerror" };

	return words[result];
}

static struct spf_frame *
top(struct spf *m)
{
	return &m->frames[m->depth - 1];
}

static const struct spf_term *
term_of(struct spf *m)
{
	return &top(m)->record.terms[top(m)->at];
}

/* ---- how it ends ---- */

static void
finish(struct spf *m, enum spf_result result, struct span because)
{
	m->state = SPF_AT_END;
	m->result = result;
	m->because = because;
}

static void
fail_for_good(struct spf *m, const char *because)
{
	finish(m, SPF_PERMERROR, span_of(because));
}

static void
next_term(struct spf *m)
{
	top(m)->at++;
	m->state = SPF_AT_TERM;
}

/* The check of the uppermost domain has RESULT. The include that asked for it goes on by it (RFC 7208, 5.2). */
static void
settle(struct spf *m, enum spf_result result, struct span because)
{
	for (;;) {
		if (result == SPF_NONE && top(m)->redirected)
			result = SPF_PERMERROR;
		m->depth--;
		if (m->depth == 0 || result == SPF_TEMPERROR || result == SPF_PERMERROR) {
			finish(m, result, because);
			return;
		}
		if (result == SPF_NONE) {
			fail_for_good(m, "an include leads to no record");
			return;
		}
		if (result != SPF_PASS) {
			next_term(m);
			return;
		}
		result = term_of(m)->qualifier;
		because = term_of(m)->text;
	}
}

/* The term under way fits, or does not. */
static void
decide(struct spf *m, bool fits)
{
	if (fits)
		settle(m, term_of(m)->qualifier, term_of(m)->text);
	else
		next_term(m);
}

/* ---- asking ---- */

static void
ask(struct spf *m, enum spf_state state, struct span name, enum dns_type type)
{
	m->question = (struct spf_question){ name, type };
	m->state = state;
}

static void
ask_addresses(struct spf *m, struct span name)
{
	ask(m, SPF_AT_ADDRESS, name, spf_is_v4(&m->who) ? DNS_A : DNS_AAAA);
}

/* One more term that asks. False: that is one too many, and all is settled. */
static bool
count_lookup(struct spf *m)
{
	if (m->lookups++ < SPF_LOOKUPS_MAX)
		return true;
	fail_for_good(m, "more than 10 look-ups");
	return false;
}

/* RFC 7208, 7.3: over 253 bytes labels go from the left. */
static struct span
cut_name(struct span name)
{
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	while (name.len > DNS_NAME_MAX)
		name = span_from(name, span_find(name, '.') + 1);
	return name;
}

/* A domain-spec to a name, in the arena; empty: the domain at hand. False: settled. */
static bool
expand(struct spf *m, struct span spec, struct span *out)
{
	struct span domain = top(m)->domain;
	struct buf text;
	enum err err;

	*out = domain;
	if (spec.len == 0)
		return true;
	buf_init(&text, SPF_TEXT_MAX);
	err = spf_macro_expand(spec, &m->who, domain, &text);
	*out = arena_copy(m->arena, cut_name(buf_span(&text)));
	buf_fini(&text);
	if (err != OK)
		fail_for_good(m, "a macro makes too long a name");
	return err == OK;
}

/* ---- the terms (RFC 7208, 5) ---- */

static bool
is_in_network(const struct spf *m, const struct spf_term *term, const unsigned char ip[16])
{
	unsigned bits = spf_is_v4(&m->who) ? 96 + term->bits4 : term->bits6;
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(m->who.ip, ip, whole) != 0)
		return false;
	return rest == 0 || (m->who.ip[whole] ^ ip[whole]) >> (8 - rest) == 0;
}

static bool
fits_literal(const struct spf *m, const struct spf_term *term)
{
	if (term->mechanism == SPF_ALL)
		return true;
	if ((term->mechanism == SPF_IP4) != spf_is_v4(&m->who))
		return false;
	return is_in_network(m, term, term->ip);
}

static void
begin_include(struct spf *m)
{
	struct spf_frame *frame;

	if (m->depth == COUNT(m->frames)) { /* count_lookup() comes first */
		fail_for_good(m, "more than 10 look-ups");
		return;
	}
	frame = &m->frames[m->depth++];
	*frame = (struct spf_frame){ .domain = m->target };
	ask(m, SPF_AT_RECORD, m->target, DNS_TXT);
}

static void
begin_ptr(struct spf *m)
{
	struct span zone = spf_is_v4(&m->who) ? SPAN("in-addr.arpa") : SPAN("ip6.arpa");

	ask(m, SPF_AT_PTR, dns_reverse_name(m->arena, m->who.ip, zone), DNS_PTR);
}

static void
begin_term(struct spf *m)
{
	const struct spf_term *term = term_of(m);

	m->name_count = m->name_at = 0;
	m->names_are_ptr = term->mechanism == SPF_PTR;
	if (term->mechanism == SPF_ALL || term->mechanism == SPF_IP4 || term->mechanism == SPF_IP6) {
		decide(m, fits_literal(m, term));
		return;
	}
	if (!count_lookup(m) || !expand(m, term->domain, &m->target))
		return;
	if (term->mechanism == SPF_INCLUDE)
		begin_include(m);
	else if (term->mechanism == SPF_A)
		ask_addresses(m, m->target);
	else if (term->mechanism == SPF_EXISTS)
		ask(m, SPF_AT_ADDRESS, m->target, DNS_A);
	else if (term->mechanism == SPF_MX)
		ask(m, SPF_AT_MX, m->target, DNS_MX);
	else
		begin_ptr(m);
}

/* No term fitted: another domain, or nothing is said (RFC 7208, 4.7 and 6.1). */
static void
end_of_record(struct spf *m)
{
	struct span spec = top(m)->record.redirect, domain;

	if (!spec.ptr) {
		settle(m, SPF_NEUTRAL, SPAN("no term fits"));
		return;
	}
	if (!count_lookup(m) || !expand(m, spec, &domain))
		return;
	*top(m) = (struct spf_frame){ .domain = domain, .redirected = true };
	ask(m, SPF_AT_RECORD, domain, DNS_TXT);
}

/* ---- answers ---- */

/* RFC 7208, 4.5: exactly one of the texts is a record. */
static void
on_record(struct spf *m, const struct dns_record *records, size_t count)
{
	struct span text = SPAN_NONE;
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if (spf_record_is(records[i].text) && found++ == 0)
			text = records[i].text;
	if (found == 0)
		settle(m, SPF_NONE, SPAN("no record"));
	else if (found > 1)
		fail_for_good(m, "two records");
	else if (spf_record_parse(m->arena, arena_copy(m->arena, text), &top(m)->record) != OK)
		fail_for_good(m, "a record that cannot be read");
	else
		m->state = SPF_AT_TERM;
}

/* The next name of an MX or PTR answer; behind the last the term does not fit. */
static void
next_name(struct spf *m)
{
	if (m->name_at == m->name_count)
		decide(m, false);
	else
		ask_addresses(m, m->names[m->name_at++]);
}

static void
on_addresses(struct spf *m, const struct dns_record *records, size_t count)
{
	const struct spf_term *term = term_of(m);
	bool fits = term->mechanism == SPF_EXISTS && count > 0;

	for (size_t i = 0; i < count && !fits; i++)
		fits = m->names_are_ptr ? memcmp(records[i].ip, m->who.ip, 16) == 0
					: is_in_network(m, term, records[i].ip);
	if (fits)
		decide(m, true);
	else
		next_name(m);
}

static void
on_mx(struct spf *m, const struct dns_record *records, size_t count)
{
	if (count > SPF_NAMES_MAX) {
		fail_for_good(m, "more than 10 hosts of one mx");
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (records[i].text.len > 0) /* RFC 7505: the null MX is no host */
			m->names[m->name_count++] = arena_copy(m->arena, records[i].text);
	next_name(m);
}

static bool
is_under(struct span name, struct span domain)
{
	return span_eq_nocase(name, domain) ||
		(name.len > domain.len && span_ends_nocase(name, domain) &&
			name.ptr[name.len - domain.len - 1] == '.');
}

/* RFC 7208, 5.5: who else's names these are is not asked. */
static void
on_ptr(struct spf *m, const struct dns_record *records, size_t count)
{
	for (size_t i = 0; i < count && i < SPF_NAMES_MAX; i++)
		if (is_under(records[i].text, m->target))
			m->names[m->name_count++] = arena_copy(m->arena, records[i].text);
	next_name(m);
}

/* False: so many answers without a record are too many. Those that ptr causes are not its author's. */
static bool
count_void(struct spf *m)
{
	bool counts = m->state != SPF_AT_RECORD && m->state != SPF_AT_PTR && !m->names_are_ptr;

	if (counts && ++m->voids > SPF_VOIDS_MAX) {
		fail_for_good(m, "more than 2 look-ups without an answer");
		return false;
	}
	return true;
}

void
spf_answer(struct spf *m, enum err err, const struct dns_record *records, size_t count)
{
	bool is_ptr = m->state == SPF_AT_PTR || (m->state == SPF_AT_ADDRESS && m->names_are_ptr);

	if (err != OK)
		count = 0;
	if (err != OK && err != ERR_NOT_FOUND && !is_ptr) { /* RFC 7208, 5: but ptr does not fit */
		finish(m, SPF_TEMPERROR, arena_copy(m->arena, m->question.name));
		return;
	}
	if (count == 0 && !count_void(m))
		return;
	if (m->state == SPF_AT_RECORD)
		on_record(m, records, count);
	else if (m->state == SPF_AT_ADDRESS)
		on_addresses(m, records, count);
	else if (m->state == SPF_AT_MX)
		on_mx(m, records, count);
	else if (m->state == SPF_AT_PTR)
		on_ptr(m, records, count);
}

/* ---- from outside ---- */

/* RFC 7208, 4.3: what is no domain of several labels has no record. */
static bool
is_domain(struct span name)
{
	for (size_t i = 0; i < name.len; i++)
		if (ascii_is_8bit(name.ptr[i]))
			return false;
	return dns_name_is_valid(name) && span_find(name, '.') < name.len && name.ptr[0] != '[';
}

void
spf_init(struct spf *m, struct arena *a, const struct spf_sender *who)
{
	*m = (struct spf){ .arena = a, .who = *who, .depth = 1 };
	m->who.local_part = arena_copy(a, who->local_part);
	m->who.domain = arena_copy(a, who->domain);
	m->who.helo = arena_copy(a, who->helo);
	m->frames[0].domain = m->who.domain;
	if (is_domain(m->who.domain))
		ask(m, SPF_AT_RECORD, m->who.domain, DNS_TXT);
	else
		finish(m, SPF_NONE, SPAN("no domain"));
}

bool
spf_next(struct spf *m, struct spf_question *q)
{
	while (m->state != SPF_AT_END) {
		if (m->state == SPF_AT_TERM) {
			if (top(m)->at < top(m)->record.count)
				begin_term(m);
			else
				end_of_record(m);
		} else if (!dns_name_is_valid(m->question.name)) {
			spf_answer(m, ERR_NOT_FOUND, NULL, 0);
		} else {
			*q = m->question;
			return true;
		}
	}
	return false;
}
