/*
 * command_help.c - help, usage and guesses, all drawn from control_methods.h.
 */
#include "tui/command_help.h"

#include <string.h>

#include "proto/base/ascii.h"

#define GUESS_MAX     32 /* bytes of a word that a guess is made for */
#define GUESS_FAR     4  /* edits; what is farther away is no guess */
#define USAGE_MAX     4096
#define USAGE_WIDTH   72 /* columns of a usage line, behind its "usage: " */
#define USAGE_INDENT  8  /* columns of the lines that follow */
#define NOUN_WIDTH    12 /* of the overview: "connection" is the longest */

static const char global_help[] =
	"\nOptions with every command:\n"
	"  -s SOCKET         control socket (else $POSTROOM_SOCKET, ./var/control.sock,\n"
	"                    /run/postroom/control.sock)\n"
	"  -c FILE           configuration for restore, and check without a server\n"
	"                    (else beside the socket, ./var/postroom.yaml, the server's)\n"
	"  --json            all as JSON: one document, or one object a line for lists\n"
	"  --utc             times in UTC\n"
	"  --read-only       refuse whatever would change something\n"
	"With lists: --columns A,B --sort A,-B --filter WORDS --limit N --after KEY\n"
	"With changes: --dry-run, and to select by --filter WORDS or --all: --yes\n"
	"Passwords are asked for, or read from standard input with --password-stdin.\n"
	"--open takes that of message security in the same way, for one command.\n"
	"Exit status: 0 done, 1 refused or not found, 2 wrong usage, 3 no server,\n"
	"4 no permission.\n";

/* Commands that are no method. */
static const struct {
	const char *words, *usage, *line, *help;
} own[] = {
	{ "restore", "DIR [-c FILE]", "Put a backup in place of the store; the server must be stopped.",
		"It runs postroomd --restore. The store that was there is set aside, not removed;\n"
		"what the queue holds then waits for postroom queue release.\n" },
	{ "console", "[--plain] [--slow] [--theme NAME] [--utc] [--read-only]",
		"The console; --plain line by line, --slow, --theme NAME.",
		"--plain goes line by line, for a screen reader or a simple terminal. --slow is\n"
		"for a slow line: what no key asked for is painted every 2 s. On a terminal\n"
		"postroom alone is the same.\n" },
	{ "help", "[COMMAND]", "This page; `help queue` and `help queue list` say more.", "" },
	{ "version", "", "The version of this program.", "" },
};

const struct control_method *
command_find(struct span words)
{
	for (size_t i = 0; words.len > 0 && i < COUNT(control_methods); i++)
		if (span_eq(span_of(control_methods[i].words), words))
			return &control_methods[i];
	return NULL;
}

/* Does the command begin with this noun, of one word or two, and has it a verb behind it? */
static bool
has_noun(const struct control_method *m, struct span noun, struct span *verb)
{
	struct span words = span_of(m->words);

	*verb = span_from(words, noun.len + 1);
	return noun.len > 0 && span_starts(words, noun) && words.len > noun.len + 1 &&
		words.ptr[noun.len] == ' ';
}

bool
command_is_noun(struct span word)
{
	struct span verb;

	for (size_t i = 0; i < COUNT(control_methods); i++)
		if (has_noun(&control_methods[i], word, &verb))
			return true;
	return false;
}

/* Edits (put in, leave out, change, swap no) from A to B; both are at most GUESS_MAX bytes. */
static size_t
distance(struct span a, struct span b)
{
	size_t row[GUESS_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t best = diagonal +
				(ascii_lower(a.ptr[i - 1]) != ascii_lower(b.ptr[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b.len];
}

static void
try_guess(struct span typed, struct span words, size_t *best, struct span *guess)
{
	size_t away;

	if (words.len == 0 || words.len > GUESS_MAX)
		return;
	away = distance(typed, words);
	if (away < *best) {
		*best = away;
		*guess = words;
	}
}

struct span
command_nearest(struct span typed, struct arena *a)
{
	size_t best = typed.len / 2 + 1 < GUESS_FAR ? typed.len / 2 + 1 : GUESS_FAR;
	struct span guess = SPAN_NONE, first, verb;

	if (typed.len > GUESS_MAX)
		return SPAN("see: postroom help");
	(void)span_cut(typed, ' ', &first, &verb);
	if (command_is_noun(first))
		first = SPAN_NONE; /* that word is right; the other one is not */
	for (size_t i = 0; i < COUNT(control_methods); i++) {
		struct span words = span_of(control_methods[i].words), noun;

		try_guess(typed, words, &best, &guess);
		(void)span_cut(words, ' ', &noun, &verb);
		if (first.len > 0)
			try_guess(first, noun, &best, &guess);
	}
	if (guess.len == 0)
		return SPAN("see: postroom help");
	return arena_printf(a, "did you mean: postroom %.*s", SPAN_FMT(guess));
}

struct span
command_verbs(struct span noun, struct arena *a)
{
	struct span all = SPAN("one of:"), before = SPAN_NONE, verb;

	for (size_t i = 0; i < COUNT(control_methods); i++) {
		if (!has_noun(&control_methods[i], noun, &verb) || span_eq(verb, before))
			continue;
		before = verb; /* `folder rights` looks, and gives */
		all = arena_printf(a, "%.*s%s %.*s", SPAN_FMT(all),
			all.ptr[all.len - 1] == ':' ? "" : ",", SPAN_FMT(verb));
	}
	return all;
}

static bool
value_fits(const struct control_param *p, struct span value)
{
	uint64_t number;
	int64_t from, to;

	switch (p->type) {
	case CONTROL_TYPE_COUNT:
		return span_u64(value, INT64_MAX, &number) == OK;
	case CONTROL_TYPE_SIZE:
		return control_parse_size(value, &number) == OK;
	case CONTROL_TYPE_DURATION:
		return control_parse_duration(value, &number) == OK;
	case CONTROL_TYPE_TIME:
		return control_parse_time(value, 0, &from, &to) == OK;
	case CONTROL_TYPE_CHOICE:
		return control_choice_has(p->choices, value);
	case CONTROL_TYPE_KEYS:
		return span_find(value, '=') > 0 && span_find(value, '=') < value.len;
	default:
		return true;
	}
}

bool
command_key_is_among(const char *const *items, size_t count, const char *value)
{
	struct span key, old, rest;

	(void)span_cut(span_of(value), '=', &key, &rest);
	for (size_t i = 0; i < count; i++) {
		(void)span_cut(span_of(items[i]), '=', &old, &rest);
		if (span_eq(old, key))
			return true;
	}
	return false;
}

enum err
command_check_value(const struct control_param *p, const char *value, struct arena *a,
	struct complaint *complaint)
{
	static const char *const wants[CONTROL_TYPES_COUNT] = {
		[CONTROL_TYPE_COUNT] = "wants a whole number",
		[CONTROL_TYPE_SIZE] = "wants a size such as 10MB",
		[CONTROL_TYPE_DURATION] = "wants a duration such as 90s, 5m, 3d",
		[CONTROL_TYPE_TIME] = "wants a time such as 2026-11-20T14:00 or an age such as 2h",
		[CONTROL_TYPE_CHOICE] = "wants one of",
		[CONTROL_TYPE_KEYS] = "wants KEY=VALUE",
	};

	if (value_fits(p, span_of(value)))
		return OK;
	complaint->what = p->name;
	complaint->why = arena_printf(a, "%s%s%.*s", wants[p->type], p->choices.len ? " " : "",
		SPAN_FMT(p->choices));
	complaint->hint = arena_printf(a, "not '%s'", value);
	return ERR_SYNTAX;
}

static void
put(struct buf *out, struct span text)
{
	if (buf_put(out, text) != OK)
		out->overflow = true; /* looked at by who prints it */
}

static void
put_upper(struct buf *out, struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_upper(name.ptr[i]);

		put(out, (struct span){ &c, 1 });
	}
}

/* The word that stands for a value: USER, A|B, KEY=VALUE. */
static void
put_meta(const struct control_param *p, struct buf *out)
{
	switch (p->type) {
	case CONTROL_TYPE_CHOICE:
		put(out, p->choices);
		break;
	case CONTROL_TYPE_KEYS:
		put(out, SPAN("KEY=VALUE..."));
		break;
	case CONTROL_TYPE_FD:
		if (p->option)
			put(out, SPAN("FILE"));
		else
			put_upper(out, p->name);
		break;
	default:
		put_upper(out, p->name);
		break;
	}
	if (p->type == CONTROL_TYPE_TARGETS || p->type == CONTROL_TYPE_LIST)
		put(out, p->option ? SPAN("") : SPAN("..."));
}

static void
put_option(const struct control_param *p, struct buf *out)
{
	put(out, SPAN("--"));
	for (size_t i = 0; i < p->name.len; i++)
		put(out, p->name.ptr[i] == '_' ? SPAN("-") : span_range(p->name, i, i + 1));
	if (p->type == CONTROL_TYPE_FLAG || control_choice_has(p->choices, SPAN("stdout")))
		return;
	if (p->type == CONTROL_TYPE_SECRET) {
		put(out, SPAN("-stdin"));
		return;
	}
	put(out, SPAN(" "));
	put_meta(p, out);
}

static bool
is_list_param(const struct control_param *p)
{
	struct control_schema common;

	control_schema_parse(CONTROL_LIST_PARAMS, &common);
	return control_schema_find(&common, p->name) != NULL;
}

void
command_usage(const struct control_method *m, struct buf *out)
{
	struct control_schema schema;

	control_schema_parse(m->params, &schema);
	put(out, SPAN("postroom "));
	put(out, span_of(m->words));
	for (size_t i = 0; i < schema.count; i++) {
		const struct control_param *p = &schema.items[i];
		bool optional = command_fills_in(p);

		if (m->reply == CONTROL_REPLY_ROWS && is_list_param(p))
			continue;
		put(out, optional ? SPAN(" [") : SPAN(" "));
		if (p->option)
			put_option(p, out);
		else
			put_meta(p, out);
		put(out, optional ? SPAN("]") : SPAN(""));
	}
}

/* "[--lines" and "--from" are not whole yet. */
static bool
is_part(struct span word)
{
	if (word.ptr[0] == '[')
		return word.ptr[word.len - 1] != ']';
	return span_starts(word, SPAN("--")) && span_find(word, ' ') == word.len;
}

/* The next word of a usage line; an option stays with its value: "[--lines LINES]". */
static struct span
usage_word(struct span *rest)
{
	struct span word, more;

	(void)span_cut(*rest, ' ', &word, rest);
	while (rest->len > 0 && is_part(word)) {
		(void)span_cut(*rest, ' ', &more, rest);
		word.len = (size_t)(more.ptr - word.ptr) + more.len;
	}
	return word;
}

/* Its usage, broken between words where it is too wide, and under it what it does. */
static void
put_usage(const struct control_method *m, struct buf *out)
{
	struct span rest, word;
	size_t column = 0;
	struct buf usage;

	buf_init(&usage, USAGE_MAX);
	command_usage(m, &usage);
	for (rest = buf_span(&usage); rest.len > 0; column += word.len) {
		word = usage_word(&rest);
		if (column > 0 && column + 1 + word.len > USAGE_WIDTH) {
			put(out, SPAN("\n          "));
			column = USAGE_INDENT;
		} else if (column > 0) {
			put(out, SPAN(" "));
			column++;
		}
		put(out, word);
	}
	out->overflow |= usage.overflow;
	buf_fini(&usage);
}

static void
put_line(const struct control_method *m, struct buf *out)
{
	put(out, SPAN("  "));
	put_usage(m, out);
	put(out, SPAN("\n      "));
	put(out, span_of(m->help));
	put(out, SPAN("\n"));
}

static void
put_name(struct span name, struct buf *out)
{
	put(out, SPAN("  "));
	put(out, name);
	for (size_t used = name.len; used < NOUN_WIDTH; used++)
		put(out, SPAN(" "));
}

static struct span
first_sentence(const char *help)
{
	struct span all = span_of(help);
	size_t end = span_find_span(all, SPAN(". "));

	return span_range(all, 0, end < all.len ? end + 1 : end);
}

/* One line for each first word: its verbs, or what it does. */
static void
put_overview(struct buf *out)
{
	struct span before = SPAN_NONE, verb_before = SPAN_NONE, noun, verb;
	size_t column = 0;

	for (size_t i = 0; i < COUNT(control_methods); i++) {
		const struct control_method *m = &control_methods[i];
		bool has_verb = span_cut(span_of(m->words), ' ', &noun, &verb);

		if (noun.len == 0 || (has_verb && span_eq(noun, before) && span_eq(verb, verb_before)))
			continue;
		verb_before = verb;
		if (has_verb && span_eq(noun, before)) {
			bool wide = column + verb.len > USAGE_WIDTH - NOUN_WIDTH;

			put(out, wide ? SPAN(",\n            ") : SPAN(", "));
			column = wide ? 0 : column;
		} else {
			put(out, before.len > 0 ? SPAN("\n") : SPAN(""));
			put_name(noun, out);
			column = 0;
		}
		put(out, has_verb ? verb : first_sentence(m->help));
		column += verb.len + 2;
		before = has_verb ? noun : span_of(m->words);
	}
	put(out, SPAN("\n"));
	for (size_t i = 0; i < COUNT(own); i++) {
		put_name(span_of(own[i].words), out);
		put(out, span_of(own[i].line));
		put(out, SPAN("\n"));
	}
}

/* False: WORDS are none of them. */
static bool
put_own(struct span words, struct buf *out)
{
	for (size_t i = 0; i < COUNT(own); i++) {
		if (!span_eq(span_of(own[i].words), words))
			continue;
		put(out, SPAN("usage: postroom "));
		put(out, words);
		put(out, own[i].usage[0] ? SPAN(" ") : SPAN(""));
		put(out, span_of(own[i].usage));
		put(out, SPAN("\n\n"));
		put(out, span_of(own[i].line));
		put(out, SPAN("\n"));
		put(out, span_of(own[i].help));
		return true;
	}
	return false;
}

static void
put_one(const struct control_method *m, struct buf *out)
{
	put(out, SPAN("usage: "));
	put_usage(m, out);
	put(out, SPAN("\n\n"));
	put(out, span_of(m->help));
	put(out, SPAN("\n"));
	if (m->columns[0]) {
		struct control_schema columns;

		control_schema_parse(m->columns, &columns);
		put(out, SPAN("\nFields:"));
		for (size_t i = 0; i < columns.count; i++) {
			put(out, SPAN(" "));
			put(out, columns.items[i].name);
		}
		put(out, SPAN("\n"));
	}
	if (control_right_name(m->right)[0]) {
		put(out, SPAN("Needs the right: "));
		put(out, span_of(control_right_name(m->right)));
		put(out, SPAN("\n"));
	}
}

enum err
command_help(struct span words, struct buf *out)
{
	const struct control_method *one = command_find(words);
	struct span verb;

	if (put_own(words, out))
		return OK;
	if (one) {
		put_one(one, out);
		if (!command_is_noun(words))
			return OK;
	} else if (words.len > 0 && !command_is_noun(words)) {
		return ERR_NOT_FOUND;
	}
	if (words.len == 0) {
		put(out, SPAN("usage: postroom [OPTION]... COMMAND\n\n"
			      "Without a command, on a terminal: the console.\n\n"));
		put_overview(out);
		put(out, SPAN(global_help));
		return OK;
	}
	for (size_t i = 0; i < COUNT(control_methods); i++)
		if (has_noun(&control_methods[i], words, &verb))
			put_line(&control_methods[i], out);
	return OK;
}
