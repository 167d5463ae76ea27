/*
 * archive_rules.c - lines of archive.rules.
 */
#include "conf/archive_rules.h"

static struct span
take_word(struct span *rest)
{
	struct span word = span_trim(*rest);
	size_t end = span_find_any(word, SPAN(" \t"));

	*rest = span_from(word, end);
	return span_range(word, 0, end);
}

static enum err
bad(const char **why, const char *text)
{
	*why = text;
	return ERR_SYNTAX;
}

enum err
archive_rule_parse(struct span line, struct archive_rule *out, const char **why)
{
	struct span rest = line, word = take_word(&rest);
	uint64_t days;

	*out = (struct archive_rule){ 0 };
	if (span_u64(word, ARCHIVE_KEEP_DAYS_MAX, &days) != OK)
		return bad(why, "a line begins with the days that it keeps, 0 to 36600");
	out->days = (int64_t)days;
	while ((word = take_word(&rest)).len > 0) {
		if (span_starts(word, SPAN("from=")) && out->from.len == 0)
			out->from = span_from(word, 5);
		else if (span_starts(word, SPAN("to=")) && out->to.len == 0)
			out->to = span_from(word, 3);
		else
			return bad(why, "a line is `DAYS [from=PATTERN] [to=PATTERN]`");
	}
	if (out->from.len == 0 && out->to.len == 0)
		return bad(why, "a line names from=PATTERN, to=PATTERN or both");
	return OK;
}
