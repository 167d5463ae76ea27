/*
 * spf_record.c - an SPF record to terms; any mistake in it spoils all of it (RFC 7208, 4.6, 12).
 */
#include "proto/auth/spf.h"

#include <arpa/inet.h>
#include <string.h>

#include "proto/base/ascii.h"

#define VERSION SPAN("v=spf1")
#define V4_BITS 32
#define V6_BITS 128

/* What may follow the name of a mechanism. */
enum wants {
	WANTS_NOTHING,
	WANTS_DOMAIN,	     /* ":" domain-spec */
	MAY_DOMAIN,	     /* [ ":" domain-spec ] */
	MAY_DOMAIN_AND_CIDR, /* [ ":" domain-spec ] [ "/" n ] [ "//" n ] */
	WANTS_IP4,
	WANTS_IP6,
};

static const struct {
	struct span name;
	enum wants wants;
} mechanisms[] = {
	[SPF_ALL] = { { "all", 3 }, WANTS_NOTHING },
	[SPF_INCLUDE] = { { "include", 7 }, WANTS_DOMAIN },
	[SPF_A] = { { "a", 1 }, MAY_DOMAIN_AND_CIDR },
	[SPF_MX] = { { "mx", 2 }, MAY_DOMAIN_AND_CIDR },
	[SPF_PTR] = { { "ptr", 3 }, MAY_DOMAIN },
	[SPF_IP4] = { { "ip4", 3 }, WANTS_IP4 },
	[SPF_IP6] = { { "ip6", 3 }, WANTS_IP6 },
	[SPF_EXISTS] = { { "exists", 6 }, WANTS_DOMAIN },
};

bool
spf_record_is(struct span text)
{
	return span_starts_nocase(text, VERSION) &&
		(text.len == VERSION.len || text.ptr[VERSION.len] == ' ');
}

/* ---- what follows a mechanism ---- */

/* A length without leading zeros. */
static bool
read_bits(struct span text, unsigned max, unsigned *bits)
{
	uint64_t value;

	if (text.len == 0 || (text.len > 1 && text.ptr[0] == '0') ||
		span_u64(text, max, &value) != OK)
		return false;
	*bits = (unsigned)value;
	return true;
}

/* Digits at the end of TEXT and what stands before them; so a '/' inside a macro is none of it. */
static size_t
digits_at_end(struct span text)
{
	size_t at = text.len;

	while (at > 0 && ascii_is_digit(text.ptr[at - 1]))
		at--;
	return at;
}

/* dual-cidr-length (RFC 7208, 5.3), taken off the end of *text. */
static bool
take_cidr(struct span *text, unsigned *bits4, unsigned *bits6)
{
	size_t at = digits_at_end(*text);

	if (at < text->len && at >= 2 && text->ptr[at - 1] == '/' && text->ptr[at - 2] == '/') {
		if (!read_bits(span_from(*text, at), V6_BITS, bits6))
			return false;
		text->len = at - 2;
		at = digits_at_end(*text);
	}
	if (at < text->len && at >= 1 && text->ptr[at - 1] == '/') {
		if (!read_bits(span_from(*text, at), V4_BITS, bits4))
			return false;
		text->len = at - 1;
	}
	return true;
}

/* [ ":" domain-spec ] */
static bool
read_domain(struct span rest, bool wanted, struct spf_term *term)
{
	if (rest.len == 0)
		return !wanted;
	term->domain = span_from(rest, 1);
	return rest.ptr[0] == ':' && spf_domain_is_valid(term->domain);
}

static bool
read_address(int family, struct span text, unsigned char *out)
{
	char room[INET6_ADDRSTRLEN + 1];

	if (text.len == 0 || text.len >= sizeof(room) || memchr(text.ptr, 0, text.len))
		return false;
	memcpy(room, text.ptr, text.len);
	room[text.len] = 0;
	return inet_pton(family, room, out) == 1;
}

static bool
read_ip(struct span rest, bool is_v6, struct spf_term *term)
{
	struct span address, bits;
	unsigned *length = is_v6 ? &term->bits6 : &term->bits4;

	if (rest.len == 0 || rest.ptr[0] != ':')
		return false;
	if (span_cut(span_from(rest, 1), '/', &address, &bits) &&
		!read_bits(bits, is_v6 ? V6_BITS : V4_BITS, length))
		return false;
	if (is_v6)
		return read_address(AF_INET6, address, term->ip);
	memcpy(term->ip, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
	return read_address(AF_INET, address, term->ip + 12);
}

static bool
read_arguments(struct span rest, struct spf_term *term)
{
	enum wants wants = mechanisms[term->mechanism].wants;

	switch (wants) {
	case WANTS_NOTHING:
		return rest.len == 0;
	case MAY_DOMAIN_AND_CIDR:
		if (!take_cidr(&rest, &term->bits4, &term->bits6))
			return false;
		return read_domain(rest, false, term);
	case WANTS_DOMAIN:
	case MAY_DOMAIN:
		return read_domain(rest, wants == WANTS_DOMAIN, term);
	default:
		return read_ip(rest, wants == WANTS_IP6, term);
	}
}

/* ---- terms ---- */

static enum spf_result
qualifier_of(char c)
{
	static const struct span signs = { "+-~?", 4 };
	static const enum spf_result results[] = { SPF_PASS, SPF_FAIL, SPF_SOFTFAIL, SPF_NEUTRAL,
		SPF_NONE };

	return results[span_find(signs, c)];
}

static bool
read_mechanism(struct span text, struct spf_term *term)
{
	struct span name;
	size_t end;

	*term = (struct spf_term){ .qualifier = qualifier_of(text.ptr[0]), .text = text,
		.bits4 = V4_BITS, .bits6 = V6_BITS };
	if (term->qualifier == SPF_NONE)
		term->qualifier = SPF_PASS;
	else
		text = span_from(text, 1);
	end = span_find_any(text, SPAN(":/"));
	name = span_range(text, 0, end);
	for (size_t i = 0; i < COUNT(mechanisms); i++)
		if (span_eq_nocase(name, mechanisms[i].name)) {
			term->mechanism = (enum spf_mechanism)i;
			return read_arguments(span_from(text, end), term);
		}
	return false;
}

static bool
is_modifier_name(struct span name)
{
	if (name.len == 0 || !ascii_is_alpha(name.ptr[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!ascii_is_alnum(name.ptr[i]) && span_find(SPAN("-_."), name.ptr[i]) == 3)
			return false;
	return true;
}

/* redirect= and exp= once at most (RFC 7208, 6); others are passed over. */
static bool
read_modifier(struct span name, struct span value, struct spf_record *out, bool *explained)
{
	bool redirect = span_eq_nocase(name, SPAN("redirect"));
	bool explains = span_eq_nocase(name, SPAN("exp"));

	if (!redirect && !explains)
		return spf_macro_is_valid(value);
	if (!spf_domain_is_valid(value) || (redirect ? out->redirect.ptr != NULL : *explained))
		return false;
	*explained |= explains;
	if (redirect)
		out->redirect = value;
	return true;
}

static size_t
count_words(struct span text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == ' ';
	return count < SPF_TERMS_MAX ? count : SPF_TERMS_MAX;
}

enum err
spf_record_parse(struct arena *a, struct span text, struct spf_record *out)
{
	struct spf_term *terms = ARENA_ARRAY(a, struct spf_term, count_words(text) + 1);
	struct span rest = span_from(text, VERSION.len), word, name, value;
	bool explained = false, fine = true;

	*out = (struct spf_record){ .terms = terms };
	while (rest.len > 0 && fine) {
		(void)span_cut(rest, ' ', &word, &rest);
		if (word.len == 0)
			continue;
		if (span_cut(word, '=', &name, &value) && is_modifier_name(name)) {
			fine = read_modifier(name, value, out, &explained);
			continue;
		}
		if (out->count == SPF_TERMS_MAX)
			return ERR_LIMIT;
		fine = read_mechanism(word, &terms[out->count++]);
	}
	return fine ? OK : ERR_SYNTAX;
}
