/*
 * command_line.c - words and options into a method with its parameters.
 *
 * First the command's words are found, then all else is read with the schema of its row in hand:
 * an option that takes a value is known to take one.
 */
#include "tui/command_line.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "tui/command_help.h"
#include "tui/command_options.h"

#define WORDS_MAX 4 /* words of a command */

struct reader {
	size_t argc;
	char *const *argv;
	struct arena *arena;
	struct command *out;
	struct complaint *complaint;
	size_t words[WORDS_MAX]; /* places of the command's words in argv */
	size_t word_count;
	size_t at;
	size_t positional; /* place in the schema that takes the next word */
	bool only_words;   /* after "--" */
	bool overfull;     /* there was no place for a word */
};

static enum err
wrong(struct reader *r, struct span what, const char *why, struct span hint)
{
	*r->complaint = (struct complaint){ what, span_of(why), hint };
	return ERR_SYNTAX;
}

static enum err
wrong_here(struct reader *r, struct span what, const char *why)
{
	const char *words = r->out->method ? r->out->method->words : "";

	return wrong(r, what, why,
		arena_printf(r->arena, "see: postroom help%s%s", words[0] ? " " : "", words));
}

/* The first words that are no options, as many as a command may have. */
static void
find_words(struct reader *r)
{
	const char *value;

	for (size_t i = 0; i < r->argc && r->word_count < WORDS_MAX; i++) {
		struct span name = option_name(r->argv[i], &value);

		if (!option_is(r->argv[i]))
			r->words[r->word_count++] = i;
		else if (option_takes_value(name) && !value)
			i++;
		else if (r->word_count > 0 && !option_find(name))
			return; /* an option of the command: its value is no word */
	}
}

/* The first COUNT words that were typed. */
static struct span
typed_words(struct reader *r, size_t count)
{
	struct span typed = span_of(r->argv[r->words[0]]);

	for (size_t i = 1; i < count; i++)
		typed = arena_printf(
			r->arena, "%.*s %s", SPAN_FMT(typed), r->argv[r->words[i]]);
	return typed;
}

/* The longest of them that is a command: `route lan show` before `route list`, both before `status`. */
static const struct control_method *
find_method(struct reader *r)
{
	for (size_t count = r->word_count; count > 0; count--) {
		const struct control_method *m = command_find(typed_words(r, count));

		if (m) {
			r->word_count = count;
			return m;
		}
	}
	return NULL;
}

static enum err
no_method(struct reader *r)
{
	size_t count = r->word_count;
	struct span typed;

	if (count > 2 && !command_is_noun(typed_words(r, 2)))
		count = 2; /* what follows cannot be of the command */
	typed = typed_words(r, count);
	if (command_is_noun(typed))
		return wrong(r, typed, "a verb is missing", command_verbs(typed, r->arena));
	return wrong(r, typed, "there is no such command", command_nearest(typed, r->arena));
}

static enum err
add_value(struct reader *r, size_t place, const char *value)
{
	struct command_value *v = &r->out->values[place];
	enum control_type type = r->out->schema.items[place].type;
	bool many = type == CONTROL_TYPE_LIST || type == CONTROL_TYPE_TARGETS ||
		type == CONTROL_TYPE_KEYS;

	if (v->count > 0 && !many)
		return wrong_here(r, r->out->schema.items[place].name, "is given twice");
	if (type == CONTROL_TYPE_KEYS && command_key_is_among(v->items, v->count, value))
		return wrong_here(r, span_of(value), "its key is given twice");
	if (!v->items)
		v->items = ARENA_ARRAY(r->arena, const char *, many ? r->argc : 1);
	v->items[v->count++] = value;
	return command_check_value(&r->out->schema.items[place], value, r->arena, r->complaint);
}

/* "--to-folder" is the parameter to_folder. */
static size_t
find_param_option(const struct reader *r, struct span name)
{
	const struct control_schema *schema = &r->out->schema;
	char room[64];

	if (!span_starts(name, SPAN("--")) || name.len - 2 > sizeof(room))
		return schema->count;
	name = span_from(name, 2);
	for (size_t i = 0; i < name.len; i++)
		room[i] = name.ptr[i] == '-' ? '_' : name.ptr[i];
	for (size_t i = 0; i < schema->count; i++)
		if (schema->items[i].option && schema->items[i].type != CONTROL_TYPE_SECRET &&
			span_eq(schema->items[i].name, (struct span){ room, name.len }))
			return i;
	return schema->count;
}

/* The value of an option: behind its '=', or the next argument. */
static enum err
take_value(struct reader *r, struct span name, const char **value)
{
	if (*value)
		return OK;
	if (r->at + 1 >= r->argc)
		return wrong_here(r, name, "wants a value");
	*value = r->argv[++r->at];
	return OK;
}

static bool
option_belongs(const struct reader *r, const struct option *option)
{
	struct span rest = span_of(option->only), method;

	if (!option->only)
		return true;
	if (!r->out->method)
		return strcmp(option->only, "console") == 0 &&
			(r->out->kind == COMMAND_CONSOLE || r->out->kind == COMMAND_NONE);
	while (r->out->method && rest.len > 0) {
		(void)span_cut(rest, ' ', &method, &rest);
		if (span_eq(span_of(r->out->method->method), method))
			return true;
	}
	return false;
}

static enum err
set_option(struct reader *r, const struct option *option, const char *value)
{
	char *field = (char *)&r->out->options + option->offset;
	enum err err;

	if (!option_belongs(r, option))
		return wrong_here(r, span_of(option->name), "does not go with this command");
	if (!option->takes_value && value)
		return wrong_here(r, span_of(option->name), "takes no value");
	if (!option->takes_value) {
		*(bool *)field = true;
		return OK;
	}
	err = take_value(r, span_of(option->name), &value);
	if (err == OK)
		*(const char **)(void *)field = value;
	return err;
}

static enum err
read_param_option(struct reader *r, struct span name, size_t place, const char *value)
{
	enum err err;

	const struct control_param *p = &r->out->schema.items[place];

	if (p->type == CONTROL_TYPE_FD && control_choice_has(p->choices, SPAN("stdout")))
		return value ? wrong_here(r, name, "takes no value") : add_value(r, place, "-");
	if (p->type == CONTROL_TYPE_FLAG)
		return value ? wrong_here(r, name, "takes no value") : add_value(r, place, "yes");
	err = take_value(r, name, &value);
	return err == OK ? add_value(r, place, value) : err;
}

static enum err
read_option(struct reader *r, const char *arg)
{
	const char *value;
	struct span name = option_name(arg, &value);
	size_t place = find_param_option(r, name);
	const struct option *option = option_find(name);

	if (place < r->out->schema.count)
		return read_param_option(r, name, place, value);
	if (!option && arg[1] != '-' && r->out->schema.count > 0)
		return wrong_here(r, name, "there is no such option; a value that begins with - follows a --");
	if (!option)
		return wrong_here(r, name, "there is no such option");
	return set_option(r, option, value);
}

/* A word may end a list where what follows it is KEY=VALUE. */
static bool
moves_on(const struct reader *r, const char *word)
{
	const struct control_schema *schema = &r->out->schema;
	size_t next = r->positional + 1;

	return r->out->values[r->positional].count > 0 && next < schema->count &&
		schema->items[next].type == CONTROL_TYPE_KEYS && strchr(word, '=');
}

/* As the usage line writes it. */
static struct span
upper(struct reader *r, struct span name)
{
	char *copy = arena_alloc(r->arena, name.len + 1);

	for (size_t i = 0; i < name.len; i++)
		copy[i] = ascii_upper(name.ptr[i]);
	return (struct span){ copy, name.len };
}

static enum err
read_word(struct reader *r, const char *word)
{
	const struct control_schema *schema = &r->out->schema;
	enum control_type type;
	enum err err;

	if (r->out->kind != COMMAND_METHOD) {
		r->out->words[r->out->word_count++] = word;
		return OK;
	}
	while (r->positional < schema->count && schema->items[r->positional].option)
		r->positional++;
	r->overfull = r->positional == schema->count;
	if (r->overfull)
		return wrong_here(r, span_of(word), "is one word too many");
	r->positional += moves_on(r, word);
	if (word[0] == '\0' && !span_eq(schema->items[r->positional].name, SPAN("value")))
		return wrong_here(r, upper(r, schema->items[r->positional].name), "is empty");
	type = schema->items[r->positional].type;
	err = add_value(r, r->positional, word);
	if (type != CONTROL_TYPE_LIST && type != CONTROL_TYPE_TARGETS && type != CONTROL_TYPE_KEYS)
		r->positional++;
	return err;
}

static bool
is_command_word(const struct reader *r, size_t at)
{
	for (size_t i = 0; i < r->word_count; i++)
		if (r->words[i] == at)
			return true;
	return false;
}

static enum err
read_all(struct reader *r)
{
	for (r->at = 0; r->at < r->argc; r->at++) {
		const char *arg = r->argv[r->at];
		enum err err = OK;

		if (is_command_word(r, r->at))
			continue;
		if (!r->only_words && strcmp(arg, "--") == 0)
			r->only_words = true;
		else if (!r->only_words && option_is(arg))
			err = read_option(r, arg);
		else
			err = read_word(r, arg);
		if (err != OK)
			return err;
	}
	return OK;
}

bool
command_fills_in(const struct control_param *p)
{
	return p->optional || p->type == CONTROL_TYPE_SECRET ||
		(p->type == CONTROL_TYPE_FD && p->option && control_choice_has(p->choices, SPAN("write")));
}

static enum err
check_complete(struct reader *r)
{
	const struct command *c = r->out;

	for (size_t i = 0; i < c->schema.count; i++) {
		const struct control_param *p = &c->schema.items[i];

		if (c->values[i].count > 0 || command_fills_in(p) ||
			(p->type == CONTROL_TYPE_TARGETS && command_selects(c)))
			continue;
		return wrong(r, span_of(c->method->words),
			arena_text(r->arena, arena_printf(r->arena, "%.*s is missing",
						     SPAN_FMT(upper(r, p->name)))),
			arena_printf(r->arena, "see: postroom help %s", c->method->words));
	}
	return OK;
}

static const struct {
	const char *word;
	enum command_kind kind;
} own_words[] = {
	{ "help", COMMAND_HELP },
	{ "--help", COMMAND_HELP },
	{ "-h", COMMAND_HELP },
	{ "version", COMMAND_VERSION },
	{ "--version", COMMAND_VERSION },
	{ "restore", COMMAND_RESTORE },
	{ "console", COMMAND_CONSOLE },
};

/* Commands that are no method: they stand first, but for the program's own options. */
static bool
is_own_command(struct reader *r)
{
	size_t last = r->word_count > 0 ? r->words[0] + 1 : r->argc;

	for (size_t at = 0; at < last; at++)
		for (size_t i = 0; i < COUNT(own_words); i++) {
			if (strcmp(r->argv[at], own_words[i].word) != 0 ||
				(at > 0 && strcmp(r->argv[at - 1], "-s") == 0))
				continue;
			r->out->kind = own_words[i].kind;
			r->words[0] = at;
			r->word_count = 1;
			r->out->words = ARENA_ARRAY(r->arena, const char *, r->argc);
			return true;
		}
	return false;
}

/* --filter goes to the server with a list, and selects the objects of a change. */
static enum err
check_filter(struct reader *r)
{
	const struct command *c = r->out;
	bool targets = false;

	for (size_t i = 0; i < c->schema.count; i++)
		targets |= c->schema.items[i].type == CONTROL_TYPE_TARGETS;
	if (c->options.all && c->options.filter)
		return wrong_here(r, SPAN("--all"), "does not go with --filter");
	if ((c->options.all || c->options.filter) && !targets)
		return wrong_here(r, c->options.all ? SPAN("--all") : SPAN("--filter"),
			"does not go with this command");
	return OK;
}

static void
begin_method(struct reader *r, const struct control_method *m)
{
	r->out->method = m;
	memset(r->out->values, 0, sizeof(r->out->values));
	control_schema_parse(m->params, &r->out->schema);
	r->positional = 0;
	r->only_words = r->overfull = false;
}

/* `folder rights anna Sent` looks, with two words more it changes: the row behind it has the same words. */
static enum err
read_method(struct reader *r, const struct control_method *m)
{
	const struct control_method *end = control_methods + CONTROL_METHOD_COUNT;
	enum err err;

	begin_method(r, m);
	err = read_all(r);
	if (err == OK || !r->overfull || m + 1 == end || strcmp(m->words, m[1].words) != 0)
		return err;
	begin_method(r, m + 1);
	return read_all(r);
}

enum err
command_parse(size_t argc, char *const *argv, struct arena *a, struct command *out,
	struct complaint *complaint)
{
	struct reader r = {
		.argc = argc, .argv = argv, .arena = a, .out = out, .complaint = complaint
	};
	enum err err;

	*out = (struct command){ .kind = COMMAND_NONE };
	*complaint = (struct complaint){ 0 };
	find_words(&r);
	if (is_own_command(&r))
		return read_all(&r);
	if (r.word_count > 0) {
		out->kind = COMMAND_METHOD;
		out->method = find_method(&r);
		if (!out->method)
			return no_method(&r);
	}
	err = out->method ? read_method(&r, out->method) : read_all(&r);
	if (err != OK || out->kind != COMMAND_METHOD)
		return err;
	if (out->options.help) {
		out->kind = COMMAND_HELP;
		out->words = ARENA_ARRAY(a, const char *, 1);
		out->words[out->word_count++] = out->method->words;
		return OK;
	}
	err = check_filter(&r);
	return err == OK ? check_complete(&r) : err;
}
