/*
 * outgoing_address.c - what MAIL and RCPT say outside.
 */
#include "server/queue/outgoing_address.h"

#include "server/net/idna.h"

struct span
outgoing_recipient(const struct conf *conf, struct span recipient, struct arena *a)
{
	struct address address, changed;
	struct span domain;

	if (conf->domains_map.count == 0 || address_parse(a, recipient, &address) != OK)
		return recipient;
	domain = conf_mapped_domain(conf, address.domain);
	if (domain.len == 0 || address_with_domain(a, &address, domain, &changed) != OK)
		return recipient;
	return changed.text;
}

enum err
outgoing_ascii(struct span text, struct arena *a, struct span *out)
{
	struct address address, changed;
	struct span domain;

	*out = text;
	if (span_is_ascii(text))
		return OK;
	if (address_parse(a, text, &address) != OK || idna_to_ascii(a, address.domain, &domain) != OK)
		return ERR_SYNTAX;
	if (!span_is_ascii(address.local_part))
		return ERR_DENIED;
	if (address_with_domain(a, &address, domain, &changed) != OK)
		return ERR_SYNTAX;
	*out = changed.text;
	return OK;
}

static bool
is_local(const struct conf *conf, struct span sender, struct arena *a)
{
	struct address address;

	return address_parse(a, sender, &address) == OK &&
		conf_is_local(conf, address.local_part, address.domain);
}

struct span
outgoing_sender(const struct conf *conf, const struct conf_route *route, struct span sender,
	struct arena *a)
{
	struct span word = SPAN_NONE, other = SPAN_NONE;
	struct address address;

	if (sender.len == 0)
		return sender;
	if (route)
		(void)span_cut(route->return_address, ' ', &word, &other);
	if (span_eq(word, SPAN("always")) ||
		(span_eq(word, SPAN("nonlocal")) && !is_local(conf, sender, a))) {
		if (address_parse(a, span_trim(other), &address) == OK)
			return address.text;
	}
	return outgoing_recipient(conf, sender, a);
}
