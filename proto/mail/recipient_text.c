/*
 * recipient_text.c - see recipient_text.h. Each function is one pass with a bounded look ahead.
 */
#include "proto/mail/recipient_text.h"

#include "proto/base/ascii.h"

static bool
is_space(char c)
{
	return ascii_is_blank(c) || c == '\r' || c == '\n';
}

/* IN begins with '(' or '"': how many bytes that is, to the end where it is left open. */
static size_t
quoted_len(struct span in)
{
	bool comment = in.ptr[0] == '(';
	size_t depth = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];

		if (c == '\\')
			i++;
		else if (comment)
			depth = c == '(' ? depth + 1 : c == ')' ? depth - 1 : depth;
		else if (c == '"')
			depth++;
		if (comment ? depth == 0 : depth == 2)
			return i + 1;
	}
	return in.len;
}

/* ---- an address ---- */

struct cleaned {
	char bytes[ADDRESS_PATH_MAX];
	size_t len;
};

static enum err
cleaned_add(struct cleaned *to, struct span bytes)
{
	if (bytes.len > sizeof(to->bytes) - to->len)
		return ERR_LIMIT;
	for (size_t i = 0; i < bytes.len; i++)
		to->bytes[to->len++] = bytes.ptr[i];
	return OK;
}

/* Blanks may stand around a dot and an '@' (RFC 5322, 4.4), not within a word. */
static bool
may_join(const struct cleaned *to, char next)
{
	char before = to->len > 0 ? to->bytes[to->len - 1] : '@';

	return next == '@' || next == '.' || before == '@' || before == '.';
}

static enum err
clean(struct span in, struct cleaned *to)
{
	bool space = false;

	to->len = 0;
	for (size_t i = 0; i < in.len;) {
		char c = in.ptr[i];
		size_t len = c == '"' || c == '(' ? quoted_len(span_from(in, i)) : 1;

		if (c == '(' || is_space(c)) {
			space = true;
			i += len;
			continue;
		}
		if (space && !may_join(to, c))
			return ERR_SYNTAX;
		space = false;
		if (cleaned_add(to, span_range(in, i, i + len)) != OK)
			return ERR_LIMIT;
		i += len;
	}
	return OK;
}

/* Without what people and programs put around it: <>, 'quotes', mailto:, @a.test,@b.test: */
static struct span
strip(struct span s)
{
	if (span_starts(s, SPAN("<")))
		s = span_from(s, 1);
	if (s.len > 0 && s.ptr[s.len - 1] == '>')
		s.len--;
	if (s.len > 2 && s.ptr[0] == '\'' && s.ptr[s.len - 1] == '\'')
		s = span_range(s, 1, s.len - 1);
	if (span_starts_nocase(s, SPAN("mailto:")))
		s = span_from(s, 7);
	if (span_starts(s, SPAN("@"))) /* RFC 5322, 4.4: obs-route */
		s = span_from(s, span_find(s, ':') + 1);
	return s;
}

enum err
recipient_text_address(struct arena *a, struct span text, struct address *out)
{
	struct cleaned cleaned;
	enum err err = clean(text, &cleaned);

	if (err != OK)
		return err;
	return address_parse(a, strip((struct span){ cleaned.bytes, cleaned.len }), out);
}

/* ---- Received ---- */

/* The next word of IN from *AT on: blanks and comments are skipped; <...> and "..." are one word. ';' is one too. */
static struct span
next_word(struct span in, size_t *at)
{
	size_t from, i = *at;

	while (i < in.len && (is_space(in.ptr[i]) || in.ptr[i] == '('))
		i += in.ptr[i] == '(' ? quoted_len(span_from(in, i)) : 1;
	from = i;
	while (i < in.len && !is_space(in.ptr[i]) && in.ptr[i] != '(' && in.ptr[i] != ';' && in.ptr[i] != ',') {
		if (in.ptr[i] == '<')
			i += span_find(span_from(in, i), '>') + 1;
		else
			i += in.ptr[i] == '"' ? quoted_len(span_from(in, i)) : 1;
	}
	if (i > in.len)
		i = in.len;
	if (i == from && i < in.len)
		i++; /* ';' or ',' */
	*at = i;
	return span_range(in, from, i);
}

/* Behind one of these stands a value, even if it reads `for`. */
static bool
wants_value(struct span word)
{
	static const char *const words[] = { "from", "by", "via", "with", "id" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (span_eq_nocase(word, span_of(words[i])))
			return true;
	return false;
}

/*
 * *REST begins with ',' once an address has been taken: another may follow it.
 */
bool
recipient_text_for(struct span *rest, struct span *address)
{
	struct span in = *rest, word, before = SPAN_NONE;
	size_t at = 0;

	while ((word = next_word(in, &at)).len > 0) {
		bool more = before.len == 0 && span_eq(word, SPAN(","));

		if (span_eq(word, SPAN(";")))
			break;
		if (more || (span_eq_nocase(word, SPAN("for")) && !wants_value(before))) {
			*address = next_word(in, &at);
			*rest = span_from(in, at);
			if (address->len > 0 && span_find(SPAN(";,"), address->ptr[0]) == 2)
				return true;
			break;
		}
		before = word;
	}
	*rest = SPAN_NONE;
	return false;
}

/* ---- templates and marks ---- */

/* The first '*' of PATTERN divides it. */
static bool
divide(struct span pattern, struct span *prefix, struct span *suffix)
{
	return span_cut(pattern, '*', prefix, suffix);
}

bool
recipient_text_template(struct span value, struct span template, struct span *part)
{
	struct span prefix, suffix;

	value = span_trim_folds(value);
	if (!divide(template, &prefix, &suffix) || value.len < prefix.len + suffix.len ||
		!span_starts_nocase(value, prefix) || !span_ends_nocase(value, suffix))
		return false;
	*part = span_range(value, prefix.len, value.len - suffix.len);
	return true;
}

/* The end of a name that begins at the front of TEXT; text.len where there is none in reach. */
static size_t
name_end(struct span text, struct span suffix)
{
	struct span reach = span_range(text, 0, RECIPIENT_NAME_MAX + suffix.len);
	size_t end = suffix.len > 0 ? span_find_span_nocase(reach, suffix) : span_find_any(reach, SPAN(" \t"));

	if (end < reach.len)
		return end;
	return suffix.len == 0 && reach.len == text.len ? reach.len : text.len + 1;
}

bool
recipient_text_marked(struct span *rest, struct span marker, struct span *name)
{
	struct span prefix, suffix;

	if (!divide(marker, &prefix, &suffix))
		return false;
	while (rest->len > 0) {
		size_t at = prefix.len > 0 ? span_find_span_nocase(*rest, prefix) : 0;
		struct span after = span_from(*rest, at + prefix.len);
		struct span text = suffix.len > 0 ? after : span_trim(after);
		size_t end = name_end(text, suffix);
		size_t blank = prefix.len > 0 ? 0 : span_find_any(*rest, SPAN(" \t")) + 1;

		if (prefix.len > 0 && at >= rest->len)
			break;
		*name = span_trim(span_range(text, 0, end));
		if (prefix.len == 0 && end <= text.len && blank <= end) { /* the word before the mark, no more */
			*rest = span_from(*rest, blank);
			continue;
		}
		if (end > text.len || name->len == 0) {
			*rest = span_from(*rest, prefix.len > 0 ? at + 1 : blank);
			continue;
		}
		*rest = span_from(text, end + suffix.len);
		return true;
	}
	return false;
}

/* ---- names beside an address ---- */

struct beside {
	struct span *names;
	size_t count, max;
};

static void
beside_add(struct beside *to, struct span name)
{
	name = span_trim_folds(name);
	if (name.len > 2 && span_find(SPAN("\"'"), name.ptr[0]) < 2 && name.ptr[name.len - 1] == name.ptr[0])
		name = span_trim_folds(span_range(name, 1, name.len - 1));
	if (name.len > 0 && to->count < to->max)
		to->names[to->count++] = name;
}

/* What the brackets at the front of IN hold. */
static struct span
inside_brackets(struct span in)
{
	size_t len = quoted_len(in);

	return span_range(in, 1, in.ptr[len - 1] == ')' ? len - 1 : len);
}

/* Which of the three kinds a walk over RAW takes. */
enum beside_kind { IN_ANGLE, IN_BRACKETS, IN_WORDS };

static void
beside_walk(struct span raw, enum beside_kind kind, struct beside *to)
{
	bool angle = false;
	size_t word = 0; /* where the words at hand begin */

	for (size_t i = 0; i < raw.len;) {
		struct span here = span_from(raw, i);
		char c = raw.ptr[i];

		if (kind == IN_WORDS && !angle && (c == '(' || c == '<'))
			beside_add(to, span_range(raw, word, i));
		if (c == '(' && kind == (angle ? IN_ANGLE : IN_BRACKETS))
			beside_add(to, inside_brackets(here));
		i += c == '(' || c == '"' ? quoted_len(here) : 1;
		if (c == '<')
			angle = true;
		if (c == '>')
			angle = false;
		if (c == '(' || c == '>')
			word = i;
	}
	if (kind == IN_WORDS && !angle)
		beside_add(to, span_range(raw, word, raw.len));
}

size_t
recipient_text_beside(struct span raw, struct span *names, size_t max)
{
	struct beside to = { names, 0, max };

	beside_walk(raw, IN_ANGLE, &to);
	beside_walk(raw, IN_BRACKETS, &to);
	if (span_find(raw, '<') < raw.len) /* else the words are the address */
		beside_walk(raw, IN_WORDS, &to);
	return to.count;
}
