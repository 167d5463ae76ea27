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

/* ---- a text of them ---- */

/* Does every address that fits NARROW fit WIDE? Only what is plain to see: the same, *, *@bank.test and boss@bank.test. */
static bool
is_wider(struct span wide, struct span narrow)
{
	struct span end = span_from(wide, 1);

	if (wide.len == 0 || narrow.len == 0)
		return wide.len == 0;
	return span_eq_nocase(wide, narrow) ||
		(wide.ptr[0] == '*' && span_ends_nocase(narrow, end) && span_find_any(end, SPAN("*?")) == end.len);
}

/* From 1; 0: it may count. */
static size_t
hidden_by(const struct archive_rules *rules, const struct archive_rule *rule)
{
	for (size_t i = 0; i < rules->count; i++)
		if (is_wider(rules->items[i].from, rule->from) && is_wider(rules->items[i].to, rule->to))
			return i + 1;
	return 0;
}

/* Tabs become blanks, for an item of the setting has no controls. */
static struct span
copy_line(struct arena *a, struct span line)
{
	char *text = arena_alloc(a, line.len + 1);

	for (size_t i = 0; i < line.len; i++)
		text[i] = line.ptr[i] == '\t' ? ' ' : line.ptr[i];
	return (struct span){ text, line.len };
}

static const char *
line_fault(const struct archive_rules *rules, struct span line, struct archive_rule *rule)
{
	const char *why = NULL;

	if (rules->count == ARCHIVE_RULES_MAX)
		return "there are more than 1000 rules";
	if (line.len > ARCHIVE_RULE_LINE_MAX)
		return "the line is longer than 4096 bytes";
	if (span_has_control(line, SPAN("")))
		return "control characters are not allowed";
	return archive_rule_parse(line, rule, &why) == OK ? NULL : why;
}

enum err
archive_rules_parse(struct span text, struct arena *a, struct archive_rules *out, struct conf_faults *faults)
{
	struct yaml_place at = { .line = 0, .column = 1 };
	struct span rest = text, line;
	struct archive_rule rule;
	enum err err = OK;

	*out = (struct archive_rules){ .lines = ARENA_ARRAY(a, struct span, ARCHIVE_RULES_MAX),
		.items = ARENA_ARRAY(a, struct archive_rule, ARCHIVE_RULES_MAX) };
	if (span_starts(rest, SPAN("\xef\xbb\xbf"))) /* a byte order mark of an editor */
		rest = span_from(rest, 3);
	while (err != ERR_LIMIT && span_next_line(&rest, &line)) {
		const char *why;
		size_t hidden;

		at.line++;
		line = span_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		line = copy_line(a, line);
		why = line_fault(out, line, &rule);
		if (why) {
			conf_fault_add(faults, at, SPAN_NONE, "%s", why);
			err = out->count == ARCHIVE_RULES_MAX ? ERR_LIMIT : ERR_SYNTAX;
			continue;
		}
		hidden = hidden_by(out, &rule);
		if (hidden > 0)
			conf_warning_add(faults, at, SPAN_NONE, "never counts: rule %zu fits all that it fits", hidden);
		out->lines[out->count] = line;
		out->items[out->count++] = rule;
	}
	return err;
}
