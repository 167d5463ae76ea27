/*
 * pop3_command.c - verbs and their arguments, by table.
 */
#include "proto/pop3/pop3_command.h"


enum shape {
	NOTHING,
	TEXT,         /* all that follows the first blank, blanks and all: passwords have them */
	WORDS,        /* one or two words: AUTH, APOP */
	NUMBER,       /* a message */
	MAY_NUMBER,   /* a message, or all */
	NUMBER_LINES, /* a message and a count of lines */
};

static const struct {
	struct span name;
	enum shape shape;
} verbs[POP3_VERBS] = {
#define ROW(name, shape) { { (name), sizeof(name) - 1 }, (shape) }
	[POP3_VERB_UNKNOWN] = ROW("?", NOTHING),
	[POP3_VERB_USER] = ROW("USER", TEXT),
	[POP3_VERB_PASS] = ROW("PASS", TEXT),
	[POP3_VERB_APOP] = ROW("APOP", WORDS),
	[POP3_VERB_STAT] = ROW("STAT", NOTHING),
	[POP3_VERB_LIST] = ROW("LIST", MAY_NUMBER),
	[POP3_VERB_UIDL] = ROW("UIDL", MAY_NUMBER),
	[POP3_VERB_RETR] = ROW("RETR", NUMBER),
	[POP3_VERB_DELE] = ROW("DELE", NUMBER),
	[POP3_VERB_TOP] = ROW("TOP", NUMBER_LINES),
	[POP3_VERB_NOOP] = ROW("NOOP", NOTHING),
	[POP3_VERB_RSET] = ROW("RSET", NOTHING),
	[POP3_VERB_QUIT] = ROW("QUIT", NOTHING),
	[POP3_VERB_CAPA] = ROW("CAPA", NOTHING),
	[POP3_VERB_STLS] = ROW("STLS", NOTHING),
	[POP3_VERB_AUTH] = ROW("AUTH", WORDS),
	[POP3_VERB_UTF8] = ROW("UTF8", NOTHING),
#undef ROW
};

struct span
pop3_verb_name(enum pop3_verb verb)
{
	return verbs[verb].name;
}

static enum pop3_verb
find_verb(struct span word)
{
	for (size_t i = POP3_VERB_UNKNOWN + 1; i < POP3_VERBS; i++)
		if (span_eq_nocase(word, verbs[i].name))
			return (enum pop3_verb)i;
	return POP3_VERB_UNKNOWN;
}

static enum err
set_number(struct span word, uint64_t min, uint32_t *out)
{
	uint64_t number;

	if (span_u64(word, UINT32_MAX, &number) != OK || number < min)
		return ERR_SYNTAX;
	*out = (uint32_t)number;
	return OK;
}

static enum err
set_words(struct pop3_command *c, struct span rest)
{
	if (span_cut(span_trim(rest), ' ', &c->argument, &rest))
		c->initial = span_trim(rest);
	return c->argument.len > 0 ? OK : ERR_SYNTAX;
}

static enum err
set_numbers(struct pop3_command *c, enum shape shape, struct span rest)
{
	struct span first, second;
	bool two = span_cut(span_trim(rest), ' ', &first, &second);

	if (shape == MAY_NUMBER && first.len == 0)
		return OK;
	if (two != (shape == NUMBER_LINES) || set_number(first, 1, &c->number) != OK)
		return ERR_SYNTAX;
	return two ? set_number(span_trim(second), 0, &c->lines) : OK;
}

enum err
pop3_command_parse(struct span line, struct pop3_command *out)
{
	struct span word, rest;

	(void)span_cut(line, ' ', &word, &rest);
	*out = (struct pop3_command){ .verb = find_verb(word) };
	if (out->verb == POP3_VERB_UNKNOWN)
		return ERR_NOT_FOUND;
	if (span_has_control(line, SPAN("\t")))
		return ERR_SYNTAX;
	switch (verbs[out->verb].shape) {
	case NOTHING:
		return span_trim(rest).len == 0 ? OK : ERR_SYNTAX;
	case TEXT:
		out->argument = rest;
		return rest.len > 0 ? OK : ERR_SYNTAX;
	case WORDS:
		return set_words(out, rest);
	default:
		return set_numbers(out, verbs[out->verb].shape, rest);
	}
}
