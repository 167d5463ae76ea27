/*
 * control_filter.c - filter words: read once, matched row by row.
 */
#include "proto/control/control_filter.h"

#include <string.h>

#include "proto/base/ascii.h"

#define DATE_MAX 40 /* bytes of one end of a range of times */

static const struct {
	const char *word, *columns;
} fields[] = {
#define X(word, columns) { word, columns },
	CONTROL_FILTER_FIELDS(X)
#undef X
};

struct parser {
	struct control_filter *filter;
	struct arena *arena;
	struct span text;
	int64_t now_s;
	const char *why; /* the fault of the word being read */
};

static bool
fail(struct parser *p, const char *why)
{
	p->why = why;
	return false;
}

static bool
is_numeric(enum control_type type)
{
	return type == CONTROL_TYPE_NUMBER || type == CONTROL_TYPE_COUNT ||
		type == CONTROL_TYPE_SIZE || type == CONTROL_TYPE_DURATION ||
		type == CONTROL_TYPE_TIME || type == CONTROL_TYPE_FLAG;
}

static void
add_column(const struct parser *p, struct control_filter_word *word, struct span name)
{
	const struct control_param *column = control_schema_find(&p->filter->columns, name);

	if (column && word->column_count < COUNT(word->columns))
		word->columns[word->column_count++] = (size_t)(column - p->filter->columns.items);
}

/* The first column that the list has of an alias; all of them for a text field. */
static void
add_alias(const struct parser *p, struct control_filter_word *word, const char *columns)
{
	struct span rest = span_of(columns), name;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &name, &rest);
		add_column(p, word, name);
	}
}

static enum control_type
column_type(const struct parser *p, const struct control_filter_word *word)
{
	if (word->every_column)
		return CONTROL_TYPE_TEXT;
	return p->filter->columns.items[word->columns[0]].type;
}

/* Columns of one kind only: what is compared as a number cannot be compared as text. */
static void
drop_other_kinds(const struct parser *p, struct control_filter_word *word)
{
	bool numeric = is_numeric(column_type(p, word));
	size_t kept = 0;

	for (size_t i = 0; i < word->column_count; i++) {
		size_t column = word->columns[i];

		if (is_numeric(p->filter->columns.items[column].type) == numeric)
			word->columns[kept++] = column;
	}
	word->column_count = numeric ? 1 : kept;
}

static bool
find_field(struct parser *p, struct span name, struct control_filter_word *word)
{
	if (name.len == 0 || span_eq(name, SPAN("text"))) {
		word->every_column = true;
		return true;
	}
	for (size_t i = 0; i < COUNT(fields); i++)
		if (span_eq(span_of(fields[i].word), name))
			add_alias(p, word, fields[i].columns);
	if (word->column_count == 0)
		add_column(p, word, name);
	if (word->column_count == 0)
		return fail(p, "this list has no such field");
	drop_other_kinds(p, word);
	return true;
}

static bool
parse_flag(struct span text, int64_t *value)
{
	static const struct {
		struct span word;
		int64_t value;
	} words[] = {
		{ { "yes", 3 }, 1 },
		{ { "on", 2 }, 1 },
		{ { "true", 4 }, 1 },
		{ { "no", 2 }, 0 },
		{ { "off", 3 }, 0 },
		{ { "false", 5 }, 0 },
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (span_eq_nocase(words[i].word, text)) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

/* What one end of a comparison covers: a day is many seconds, a number only itself. */
static bool
parse_value(struct parser *p, enum control_type type, struct span text, int64_t *from, int64_t *to)
{
	uint64_t value = 0;
	enum err err;

	if (type == CONTROL_TYPE_TIME)
		return control_parse_time(text, p->now_s, from, to) == OK ||
			fail(p, "a time is 2026-11-20, 2026-11-20T14:00 or an age such as 2h");
	if (type == CONTROL_TYPE_FLAG && parse_flag(text, from)) {
		*to = *from;
		return true;
	}
	if (type == CONTROL_TYPE_FLAG)
		return fail(p, "this is yes or no");
	if (type == CONTROL_TYPE_DURATION)
		err = control_parse_duration(text, &value);
	else
		err = control_parse_size(text, &value);
	*from = *to = (int64_t)value;
	return err == OK || fail(p, "this wants a number, as in size>1M, age>2h or try>3");
}

/* "2026-11-20..21": the end takes from the beginning what it leaves out. */
static struct span
range_end(struct span low, struct span high, char *room)
{
	size_t prefix = low.len - high.len;

	if (high.len >= low.len || low.len > DATE_MAX || low.len < 10)
		return high;
	memcpy(room, low.ptr, prefix);
	memcpy(room + prefix, high.ptr, high.len);
	return (struct span){ room, low.len };
}

static bool
parse_range(struct parser *p, enum control_type type, struct span text, struct control_choice *out)
{
	size_t dots = span_find_span(text, SPAN(".."));
	struct span low = span_range(text, 0, dots), high = span_from(text, dots + 2);
	char room[DATE_MAX];
	int64_t ignored;

	if (dots == text.len)
		return parse_value(p, type, text, &out->low, &out->high);
	if (type == CONTROL_TYPE_TIME)
		high = range_end(low, high, room);
	if (!parse_value(p, type, low, &out->low, &ignored) ||
		!parse_value(p, type, high, &ignored, &out->high))
		return false;
	return out->low <= out->high || fail(p, "the range ends before it begins");
}

/* An age of a time runs the other way: time>2h is longer ago, so it is smaller. */
static bool
runs_backwards(enum control_type type, struct span text)
{
	return type == CONTROL_TYPE_TIME && text.len > 0 &&
	       ascii_is_alpha(text.ptr[text.len - 1]) && span_find(text, '-') == text.len;
}

static bool
parse_comparison(struct parser *p, enum control_type type, struct span text, struct span sign,
	struct control_choice *out)
{
	bool or_equal = sign.len == 2, more = sign.ptr[0] == '>';
	int64_t from, to;

	if (!parse_value(p, type, text, &from, &to))
		return false;
	if (runs_backwards(type, text))
		more = !more;
	*out = (struct control_choice){ .text = text, .low = INT64_MIN, .high = INT64_MAX };
	if (more)
		out->low = or_equal ? from : to + 1;
	else
		out->high = or_equal ? to : from - 1;
	return true;
}

static bool
parse_choice(struct parser *p, enum control_type type, struct span text, struct span sign,
	struct control_choice *out)
{
	bool compares = sign.len > 0 && (sign.ptr[0] == '<' || sign.ptr[0] == '>');

	*out = (struct control_choice){ .text = text, .whole = span_eq(sign, SPAN("=")) };
	if (text.len == 0)
		return fail(p, "a value is missing");
	if (!is_numeric(type))
		return !compares || fail(p, "this field is text and cannot be compared");
	if (compares)
		return parse_comparison(p, type, text, sign, out);
	return parse_range(p, type, text, out);
}

/* The end of the part of TEXT before an unquoted byte of SET; text.len where there is none. */
static size_t
find_unquoted(struct span text, const char *set)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"')
			quoted = !quoted;
		else if (!quoted && strchr(set, text.ptr[i]) && text.ptr[i])
			return i;
	}
	return text.len;
}

static bool
has_open_quote(struct span text)
{
	bool quoted = false;

	for (size_t i = 0; i < text.len; i++)
		quoted ^= text.ptr[i] == '"';
	return quoted;
}

/* Without the quotes; a copy only where there were any. */
static struct span
unquote(struct arena *a, struct span text)
{
	char *copy;
	size_t len = 0;

	if (span_find(text, '"') == text.len)
		return text;
	copy = arena_alloc(a, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '"')
			copy[len++] = text.ptr[i];
	return (struct span){ copy, len };
}

static size_t
count_choices(struct span text)
{
	size_t count = 1, at;

	while ((at = find_unquoted(text, "|")) < text.len) {
		text = span_from(text, at + 1);
		count++;
	}
	return count;
}

static bool
parse_choices(struct parser *p, struct span text, struct span sign,
	struct control_filter_word *word)
{
	enum control_type type = column_type(p, word);

	word->choices = ARENA_ARRAY(p->arena, struct control_choice, count_choices(text));
	do {
		size_t at = find_unquoted(text, "|");
		struct span one = unquote(p->arena, span_range(text, 0, at));

		if (!parse_choice(p, type, one, sign, &word->choices[word->choice_count++]))
			return false;
		if (at == text.len)
			return true;
		text = span_from(text, at + 1);
	} while (true);
}

static bool
parse_word(struct parser *p, struct span text, struct control_filter_word *word)
{
	size_t at, sign = 1;

	word->negate = text.len > 1 && text.ptr[0] == '-';
	text = span_from(text, word->negate);
	if (has_open_quote(text))
		return fail(p, "a quote is not closed");
	at = find_unquoted(text, ":<>=|");
	if (at == text.len || at == 0 || text.ptr[at] == '|') {
		word->every_column = true;
		return parse_choices(p, text, SPAN_NONE, word);
	}
	if (text.ptr[at] != ':' && at + 1 < text.len && text.ptr[at + 1] == '=')
		sign = 2;
	return find_field(p, span_range(text, 0, at), word) &&
		parse_choices(p, span_from(text, at + sign), span_range(text, at, at + sign), word);
}

static void
note_fault(struct parser *p, struct span word)
{
	p->filter->faults[p->filter->fault_count++] = (struct control_filter_fault){
		.at = (size_t)(word.ptr - p->text.ptr),
		.len = word.len,
		.why = p->why,
	};
}

/* False where there is one word too many, or one with too many alternatives. */
static bool
add_word(struct parser *p, struct span text)
{
	struct control_filter *filter = p->filter;
	struct control_filter_word *word = &filter->words[filter->word_count];

	if (filter->word_count + filter->fault_count == CONTROL_FILTER_WORDS_MAX ||
		count_choices(text) > CONTROL_FILTER_CHOICES_MAX)
		return false;
	*word = (struct control_filter_word){ 0 };
	if (parse_word(p, text, word))
		filter->word_count++;
	else
		note_fault(p, text);
	return true;
}

enum err
control_filter_parse(struct span text, const char *columns, int64_t now_s, struct arena *a,
	struct control_filter *out)
{
	struct parser p = { .filter = out, .arena = a, .text = text, .now_s = now_s };
	struct span rest = text;

	out->word_count = out->fault_count = 0;
	control_schema_parse(columns, &out->columns);
	if (text.len > CONTROL_FILTER_MAX)
		return ERR_LIMIT;
	while ((rest = span_trim(rest)).len > 0) {
		size_t end = find_unquoted(rest, " \t");

		if (!add_word(&p, span_range(rest, 0, end))) {
			out->word_count = out->fault_count = 0;
			return ERR_LIMIT;
		}
		rest = span_from(rest, end);
	}
	return out->fault_count > 0 ? ERR_SYNTAX : OK;
}
