/*
 * blocklist.c - lines of smtp.blocklists.
 */
#include "conf/blocklist.h"

#include <stdio.h>
#include <string.h>

#include "proto/dns/dns_message.h"

#define PATTERN_MAX 15 /* bytes of "255.255.255.255" */

static enum err
bad(const char **why, const char *text)
{
	*why = text;
	return ERR_SYNTAX;
}

static struct span
take_word(struct span *rest)
{
	struct span word;

	*rest = span_trim(*rest);
	if (!span_cut(*rest, ' ', &word, rest))
		*rest = SPAN_NONE;
	*rest = span_trim(*rest);
	return word;
}

static bool
is_pattern(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!strchr("0123456789.*?", text.ptr[i]))
			return false;
	return text.len > 0 && text.len <= PATTERN_MAX;
}

/* It goes into a reply and a header field: printable ASCII. */
static bool
is_text(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	return text.len <= BLOCKLIST_TEXT_MAX;
}

enum err
blocklist_parse(struct span line, struct blocklist *out, const char **why)
{
	struct span rest = line, word;

	*out = (struct blocklist){ .zone = take_word(&rest) };
	if (out->zone.len > BLOCKLIST_ZONE_MAX || !dns_name_is_valid(out->zone) || !is_text(out->zone))
		return bad(why, "a line is `zone [=answer pattern] reject|mark [text]`");
	word = take_word(&rest);
	if (span_starts(word, SPAN("="))) {
		out->pattern = span_from(word, 1);
		if (!is_pattern(out->pattern))
			return bad(why, "an answer pattern is like =127.0.0.2 or =127.0.0.*");
		word = take_word(&rest);
	}
	out->mark = span_eq(word, SPAN("mark"));
	out->text = rest;
	if (!out->mark && !span_eq(word, SPAN("reject")))
		return bad(why, "the action is reject or mark");
	if (!is_text(out->text))
		return bad(why, "the text is at most 200 printable ASCII characters");
	return OK;
}

bool
blocklist_fits(const struct blocklist *list, const unsigned char ip[4])
{
	char text[PATTERN_MAX + 1];
	int len;

	if (list->pattern.len == 0)
		return ip[0] == 127 && !(ip[1] == 255 && ip[2] == 255);
	len = snprintf(text, sizeof(text), "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	return span_match_wildcard(list->pattern, (struct span){ text, (size_t)len });
}
