/*
 * source_net_tries.c - the addresses of a server that were tried in vain, and what to do when one fails at TLS: the next
 * (NET-01). Never the same one without TLS.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "server/collect/source_net.h"
#include "server/generation.h"
#include "server/log.h"

#define MORE_ROOM 20 /* bytes for " and 19 more" */

unsigned
source_net_attempts(const struct source_net *n)
{
	return n->source.hurries ? 1 : (unsigned)generation_conf(n->source.generation)->outgoing_connect_attempts;
}

/* NET-01: each try is in the log; the last one of each address is what is told. */
void
source_net_tried(struct source_net *n, const char *why)
{
	const struct dial_address *to = &n->addresses[n->address_at - 1];
	size_t i = 0;

	while (i < n->try_count && memcmp(n->tries[i].to.ip, to->ip, sizeof(to->ip)) != 0)
		i++;
	if (i < SOURCE_ADDRESSES_MAX)
		n->tries[i] = (struct source_net_try){ *to, arena_text(&n->arena, span_of(why)) };
	if (i == n->try_count && i < SOURCE_ADDRESSES_MAX)
		n->try_count++;
	log_put(n->host->log, &(struct log_line){ .level = LEVEL_INFO, .area = "collect", .text = why,
				      .fields = { { "collector", n->conf->name, 0 },
					      { "remote", span_of(n->problem.remote), 0 },
					      { "attempt", .number = n->round + 1 } } });
}

bool
source_net_goes_on(struct source_net *n, const char *why)
{
	if (n->address_at == 0)
		return false;
	n->tls_failed = true;
	source_net_tried(n, why);
	return n->address_at < n->address_count ||
		(n->refused_count > 0 && n->round + 1 < source_net_attempts(n));
}

/* ---- what is told ---- */

struct telling {
	char *text;
	size_t size, len;
};

static void
put(struct telling *t, const char *before, const char *text)
{
	int n = snprintf(t->text + t->len, t->size - t->len, "%s%s", before, text);

	t->len += n > 0 && (size_t)n < t->size - t->len ? (size_t)n : 0;
	t->text[t->len] = '\0';
}

/* The addresses that failed as the one at FIRST did, as many as there is room for, and how. */
static void
put_alike(struct telling *t, const struct source_net *n, size_t first)
{
	const char *why = n->tries[first].why, *before = t->len > 0 ? "; " : "";
	char address[DIAL_TEXT_SIZE];
	size_t more = 0;

	for (size_t i = first; i < n->try_count; i++) {
		if (strcmp(n->tries[i].why, why) != 0)
			continue;
		dial_address_text(&n->tries[i].to, address);
		*strrchr(address, ':') = '\0'; /* the port is known */
		if (i > first && t->len + strlen(address) + strlen(why) + MORE_ROOM >= t->size) {
			more++;
			continue;
		}
		put(t, before, address);
		before = ", ";
	}
	if (more > 0) {
		snprintf(address, sizeof(address), " and %zu more", more);
		put(t, address, "");
	}
	put(t, ": ", why);
}

const char *
source_net_say_tried(const struct source_net *n, const char *why, char text[SOURCE_WHY_SIZE])
{
	struct telling t = { .text = text, .size = SOURCE_WHY_SIZE };

	if (n->try_count < 2)
		return why;
	text[0] = '\0';
	for (size_t i = 0; i < n->try_count; i++) {
		size_t first = 0;

		while (strcmp(n->tries[first].why, n->tries[i].why) != 0)
			first++;
		if (first == i)
			put_alike(&t, n, i);
	}
	return text;
}
