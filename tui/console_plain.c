/*
 * console_plain.c - see console_plain.h.
 */
#include "tui/console_plain.h"

#include <stdlib.h>
#include <string.h>

#include "tui/console.h"

enum err
plain_words(struct span line, struct arena *a, char *words[PLAIN_WORDS_MAX], size_t *count)
{
	char *out = arena_alloc(a, line.len + 1), quote = 0;
	bool inside = false;

	*count = 0;
	for (size_t i = 0; i < line.len; i++) {
		char c = line.ptr[i];

		if (!quote && (c == ' ' || c == '\t')) {
			if (inside)
				*out++ = '\0';
			inside = false;
			continue;
		}
		if (!inside) {
			if (*count + 1 >= PLAIN_WORDS_MAX)
				return ERR_LIMIT;
			words[(*count)++] = out;
			inside = true;
		}
		if (c == quote && quote)
			quote = 0;
		else if (!quote && (c == '\'' || c == '"'))
			quote = c;
		else if (c == '\\' && quote != '\'' && i + 1 < line.len)
			*out++ = line.ptr[++i];
		else
			*out++ = c;
		if ((size_t)(out - words[*count - 1]) > line.len)
			return ERR_LIMIT;
	}
	*out = '\0';
	return quote ? ERR_SYNTAX : OK;
}

static void
say(const struct plain *p, struct span text)
{
	if (print_to_fd(p->out, text) != OK)
		exit(1); /* nobody reads any more */
}

static void
say_line(const struct plain *p, const char *text)
{
	say(p, span_of(text));
	say(p, SPAN("\n"));
}

static void
say_screens(const struct plain *p)
{
	for (size_t i = 0; screens[i]; i++) {
		const struct control_method *m = screens[i]->method ?
			control_method_find(span_of(screens[i]->method)) :
			NULL;

		say(p, span_of(screens[i]->name));
		say(p, SPAN(": "));
		say(p, span_of(m ? m->help : screens[i]->help));
		say(p, SPAN("\n"));
	}
}

/* What the keys of a screen do, as the commands that do the same. */
static void
say_keys(const struct plain *p, const struct screen_class *class)
{
	for (const struct key_action *k = class->keys; k && k->label; k++) {
		const struct control_method *m =
			k->method ? control_method_find(span_of(k->method)) : NULL;

		if (!m)
			continue;
		say(p, span_of(k->label));
		say(p, SPAN(": postroom "));
		say(p, span_of(m->words));
		say(p, SPAN(". "));
		say(p, span_of(m->help));
		say(p, SPAN("\n"));
	}
}

static void
say_help(const struct plain *p)
{
	say_line(p, "A screen's name shows its first " PLAIN_ROWS " rows, next the following ones.");
	say_line(p, "screens names them; keys SCREEN says what can be done there.");
	say_line(p, "Any other line is a command: user show anna, queue hold 4Kx0, explain --from a@b ...");
	say_line(p, "help COMMAND explains one; quit leaves.");
}

static size_t
add_option(char *words[PLAIN_WORDS_MAX], size_t count, const char *option, const char *value, struct arena *a)
{
	words[count++] = (char *)(uintptr_t)arena_text(a, span_of(option));
	words[count++] = (char *)(uintptr_t)arena_text(a, span_of(value));
	return count;
}

/* "name,state": what the screen shows, not all that its command has. */
static const char *
columns_text(const struct screen_class *class, struct arena *a)
{
	struct span text = SPAN("");

	for (const struct column *c = class->columns; c->title; c++)
		text = arena_printf(a, "%.*s%s%s", SPAN_FMT(text), text.len > 0 ? "," : "", c->field);
	return arena_text(a, text);
}

/* The words that show a screen: its command, how many rows, their columns, and which where it does not have all. */
static size_t
screen_words(const struct screen_class *class, char *words[PLAIN_WORDS_MAX], struct arena *a)
{
	const struct control_method *m =
		control_method_find(span_of(class->method ? class->method : "status"));
	struct span rest = span_of(m->words), word;
	size_t count = 0;

	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &word, &rest);
		words[count++] = (char *)(uintptr_t)arena_text(a, word);
	}
	if (m->reply != CONTROL_REPLY_ROWS)
		return count;
	count = add_option(words, count, "--limit", PLAIN_ROWS, a);
	if (class->columns)
		count = add_option(words, count, "--columns", columns_text(class, a), a);
	if (class->filter && !span_ends_nocase(span_of(class->filter), SPAN(":")))
		count = add_option(words, count, "--filter", class->filter, a); /* "target:" wants a name behind it */
	return count;
}

struct plain_state {
	const struct plain *plain;
	struct arena last_arena; /* of the two below */
	char *last[PLAIN_WORDS_MAX];
	size_t last_count;
	struct span more; /* where `next` goes on; empty: nowhere */
};

static void
run_words(struct plain_state *s, char *const *words, size_t count)
{
	struct arena kept;

	arena_init(&kept, NULL);
	s->more = SPAN("");
	for (size_t i = 0; i < count; i++)
		s->last[i] = (char *)(uintptr_t)arena_text(&kept, span_of(words[i]));
	s->last_count = count;
	arena_reset(&s->last_arena);
	s->last_arena = kept;
	s->plain->run(s->plain->arg, count, s->last, &s->last_arena, &s->more);
	if (s->more.len > 0)
		say_line(s->plain, "There are more: next");
}

static void
run_next(struct plain_state *s)
{
	char *words[PLAIN_WORDS_MAX];
	size_t count = 0;

	if (s->more.len == 0 || s->last_count + 2 >= PLAIN_WORDS_MAX) {
		say_line(s->plain, "There is nothing more.");
		return;
	}
	for (size_t i = 0; i < s->last_count; i++)
		if (strcmp(s->last[i], "--after") == 0)
			i++;
		else
			words[count++] = s->last[i];
	words[count++] = (char *)(uintptr_t)arena_text(&s->last_arena, SPAN("--after"));
	words[count++] = (char *)(uintptr_t)arena_text(&s->last_arena, s->more);
	run_words(s, words, count);
}

/* False: leave. */
static bool
run_line(struct plain_state *s, struct span line, struct arena *a)
{
	const struct plain *p = s->plain;
	char *words[PLAIN_WORDS_MAX];
	const struct screen_class *class;
	size_t count = 0;

	if (plain_words(line, a, words, &count) != OK) {
		say_line(p, "This cannot be read: a quote is open, or there are too many words.");
		return true;
	}
	if (count == 0)
		return true;
	class = console_find(span_of(words[count - 1]));
	if (strcmp(words[0], "quit") == 0 || strcmp(words[0], "q") == 0)
		return false;
	if (count == 1 && strcmp(words[0], "help") == 0)
		say_help(p);
	else if (count == 1 && strcmp(words[0], "screens") == 0)
		say_screens(p);
	else if (count == 1 && strcmp(words[0], "next") == 0)
		run_next(s);
	else if (count == 2 && strcmp(words[0], "keys") == 0 && class)
		say_keys(p, class);
	else if (count == 1 && class)
		run_words(s, words, screen_words(class, words, a));
	else
		run_words(s, words, count);
	return true;
}

void
plain_run(const struct plain *p)
{
	struct plain_state s = { .plain = p };
	char *line = NULL;
	size_t room = 0;
	bool on = true;
	ssize_t got;
	struct arena a;

	arena_init(&s.last_arena, NULL);
	if (p->prompts)
		say_line(p, "Postroom, line by line. help says how, quit leaves.");
	while (on) {
		struct span text;

		if (p->prompts)
			say(p, SPAN("postroom> "));
		got = getline(&line, &room, p->in);
		if (got < 0)
			break;
		text = (struct span){ line, got < PLAIN_LINE_MAX ? (size_t)got : PLAIN_LINE_MAX };
		arena_init(&a, NULL);
		on = run_line(&s, span_range(text, 0, span_find(text, '\n')), &a);
		arena_reset(&a);
	}
	free(line);
	arena_reset(&s.last_arena);
}
