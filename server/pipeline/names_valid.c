/*
 * names_valid.c - is an address one of ours: of collected mail by what its collector accepts, else by domains.local
 * (LOC-03).
 */
#include "server/pipeline/names.h"

#include <arpa/inet.h>
#include <string.h>

#include "server/net/idna.h"

#define LABELS_MAX 20 /* accepted domains with U-labels that an address is compared with */

const struct conf_collector *
names_collector(const struct conf *conf, const struct mail *mail)
{
	return mail->via == MAIL_VIA_POP3 ? conf_collector(conf, mail->collect) : NULL;
}

/* PATTERN with A-labels in its domain, where it has others; else empty. */
static struct span
pattern_to_ascii(struct arena *a, struct span pattern)
{
	size_t at = span_find_last(pattern, '@');
	size_t from = at < pattern.len ? at + 1 : 0;
	struct span domain = span_from(pattern, from), ascii;

	if (span_is_ascii(domain) || idna_to_ascii(a, domain, &ascii) != OK)
		return SPAN_NONE;
	return arena_printf(a, "%.*s%.*s", (int)from, pattern.ptr, SPAN_FMT(ascii));
}

/* One of both, or both, have U-labels (contract 8). */
static bool
accepts_labels(struct arena *a, struct conf_list accepted, const struct address *address)
{
	struct span domain;
	size_t looked = 0;

	if (address->flags & ADDRESS_LITERAL || idna_to_ascii(a, address->domain, &domain) != OK)
		return false;
	if (patterns_match(accepted, address->local_part, domain))
		return true;
	for (size_t i = 0; i < accepted.count && looked < LABELS_MAX; i++) {
		struct span pattern = pattern_to_ascii(a, accepted.items[i]);

		looked += pattern.len > 0;
		if (pattern.len > 0 &&
			patterns_match((struct conf_list){ &pattern, 1 }, address->local_part, domain))
			return true;
	}
	return false;
}

bool
names_accepts(const struct conf_collector *collector, const struct address *address)
{
	struct conf_list accepted = collector->accepted;
	struct arena arena;
	bool fits = patterns_match(accepted, address->local_part, address->domain);

	if (fits || (span_is_ascii(address->domain) &&
			    span_find_span(address->domain, SPAN("xn--")) == address->domain.len))
		return fits;
	arena_init(&arena, NULL);
	fits = accepts_labels(&arena, accepted, address);
	arena_reset(&arena);
	return fits;
}

const struct mail_target *
names_target(const struct mail *mail, const struct address *address)
{
	for (size_t i = 0; i < mail->target_count; i++)
		if (span_eq(mail->targets[i].key, address->key))
			return &mail->targets[i];
	return NULL;
}

bool
names_is_valid(const struct conf *conf, const struct mail *mail, const struct address *address)
{
	const struct conf_collector *collector = names_collector(conf, mail);

	if (collector)
		return names_accepts(collector, address);
	return patterns_match(conf->domains_local, address->local_part, address->domain);
}

/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" as struct peer has it. */
static bool
literal_parse(struct span domain, uint8_t ip[16])
{
	struct span inside = span_range(domain, 1, domain.len - 1);
	bool is_ipv6 = span_starts_nocase(inside, SPAN("IPv6:"));
	char text[INET6_ADDRSTRLEN] = { 0 };

	if (is_ipv6)
		inside = span_from(inside, 5);
	if (!domain_is_literal(domain) || inside.len >= sizeof(text))
		return false;
	memcpy(text, inside.ptr, inside.len);
	if (is_ipv6)
		return inet_pton(AF_INET6, text, ip) == 1;
	memset(ip, 0, 10);
	memset(ip + 10, 0xff, 2);
	return inet_pton(AF_INET, text, ip + 12) == 1;
}

bool
names_is_own_literal(const struct own_addresses *own, struct span domain)
{
	uint8_t ip[16];

	if (!literal_parse(domain, ip))
		return false;
	for (size_t i = 0; i < own->count; i++)
		if (memcmp(own->ip[i], ip, sizeof(ip)) == 0)
			return true;
	return false;
}
