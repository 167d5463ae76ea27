/*
 * smtp_command.c - verbs, paths and parameters, by table.
 */
#include "proto/smtp/smtp_command.h"

#include "proto/base/hex.h"
#include "proto/base/utf8.h"

enum argument { NO_ARGUMENT, MAY_ARGUMENT, MUST_ARGUMENT };

static const struct {
	struct span name;
	enum argument argument;
} verbs[SMTP_VERBS] = {
#define ROW(name, argument) { { (name), sizeof(name) - 1 }, (argument) }
	[SMTP_VERB_UNKNOWN] = ROW("?", MAY_ARGUMENT),
	[SMTP_VERB_HELO] = ROW("HELO", MUST_ARGUMENT),
	[SMTP_VERB_EHLO] = ROW("EHLO", MUST_ARGUMENT),
	[SMTP_VERB_LHLO] = ROW("LHLO", MUST_ARGUMENT),
	[SMTP_VERB_MAIL] = ROW("MAIL", MUST_ARGUMENT),
	[SMTP_VERB_RCPT] = ROW("RCPT", MUST_ARGUMENT),
	[SMTP_VERB_DATA] = ROW("DATA", NO_ARGUMENT),
	[SMTP_VERB_RSET] = ROW("RSET", NO_ARGUMENT),
	[SMTP_VERB_NOOP] = ROW("NOOP", MAY_ARGUMENT),
	[SMTP_VERB_QUIT] = ROW("QUIT", NO_ARGUMENT),
	[SMTP_VERB_VRFY] = ROW("VRFY", MUST_ARGUMENT),
	[SMTP_VERB_EXPN] = ROW("EXPN", MUST_ARGUMENT),
	[SMTP_VERB_HELP] = ROW("HELP", MAY_ARGUMENT),
	[SMTP_VERB_STARTTLS] = ROW("STARTTLS", NO_ARGUMENT),
	[SMTP_VERB_AUTH] = ROW("AUTH", MUST_ARGUMENT),
#undef ROW
};

struct span
smtp_verb_name(enum smtp_verb verb)
{
	return verbs[verb].name;
}

/* xtext (RFC 3461, 4): printable ASCII without '=' and a lone '+', which begins "+HH". */
static bool
is_xtext(struct span s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == '=')
			return false;
		if (s.ptr[i] != '+')
			continue;
		if (i + 2 >= s.len || hex_digit(s.ptr[i + 1]) < 0 || hex_digit(s.ptr[i + 2]) < 0)
			return false;
		i += 2;
	}
	return true;
}

static enum err
set_size(struct smtp_command *c, struct span value)
{
	enum err err = value.len <= 20 ? span_u64(value, UINT64_MAX, &c->mail.size) : ERR_SYNTAX;

	if (err == ERR_LIMIT) { /* RFC 1870, 4: 20 digits may say more than 64 bits hold */
		c->mail.size = UINT64_MAX;
		err = OK;
	}
	if (c->mail.has_size)
		return ERR_SYNTAX;
	c->mail.has_size = true;
	return err;
}

static enum err
set_body(struct smtp_command *c, struct span value)
{
	if (c->mail.body != BODY_UNSAID)
		return ERR_SYNTAX;
	if (span_eq_nocase(value, SPAN("7BIT")))
		c->mail.body = BODY_7BIT;
	else if (span_eq_nocase(value, SPAN("8BITMIME")))
		c->mail.body = BODY_8BITMIME;
	return c->mail.body != BODY_UNSAID ? OK : ERR_SYNTAX;
}

static enum err
set_smtputf8(struct smtp_command *c, struct span value)
{
	if (value.ptr || c->mail.smtputf8)
		return ERR_SYNTAX;
	c->mail.smtputf8 = true;
	return OK;
}

static enum err
set_ret(struct smtp_command *c, struct span value)
{
	if (c->mail.ret != DSN_RET_UNSAID)
		return ERR_SYNTAX;
	if (span_eq_nocase(value, SPAN("FULL")))
		c->mail.ret = DSN_RET_FULL;
	else if (span_eq_nocase(value, SPAN("HDRS")))
		c->mail.ret = DSN_RET_HDRS;
	return c->mail.ret != DSN_RET_UNSAID ? OK : ERR_SYNTAX;
}

static enum err
set_envid(struct smtp_command *c, struct span value)
{
	if (c->mail.envid.ptr || value.len == 0 || value.len > DSN_ENVID_MAX || !is_xtext(value))
		return ERR_SYNTAX;
	c->mail.envid = value;
	return OK;
}

static enum err
set_auth(struct smtp_command *c, struct span value)
{
	if (c->mail.auth.ptr || value.len == 0 || value.len > DSN_ORCPT_MAX)
		return ERR_SYNTAX;
	if (!is_xtext(value))
		return ERR_SYNTAX;
	c->mail.auth = value;
	return OK;
}

/* RFC 3461, 4.1: NEVER stands alone. */
static enum err
set_notify(struct smtp_command *c, struct span value)
{
	static const struct {
		struct span word;
		unsigned bit;
	} words[] = {
		{ { "NEVER", 5 }, DSN_NOTIFY_NEVER },
		{ { "SUCCESS", 7 }, DSN_NOTIFY_SUCCESS },
		{ { "FAILURE", 7 }, DSN_NOTIFY_FAILURE },
		{ { "DELAY", 5 }, DSN_NOTIFY_DELAY },
	};
	unsigned bits = 0;
	bool more = c->recipient.notify == 0;

	while (more) {
		struct span word;
		unsigned bit = 0;

		more = span_cut(value, ',', &word, &value);
		for (size_t i = 0; i < COUNT(words); i++)
			if (span_eq_nocase(word, words[i].word))
				bit = words[i].bit;
		if (bit == 0)
			return ERR_SYNTAX;
		bits |= bit;
	}
	if (bits == 0 || ((bits & DSN_NOTIFY_NEVER) && bits != DSN_NOTIFY_NEVER))
		return ERR_SYNTAX;
	c->recipient.notify = bits;
	return OK;
}

/* RFC 3461, 4.2; with SMTPUTF8 the address may be UTF-8 (RFC 6533, 3). */
static enum err
set_orcpt(struct smtp_command *c, struct span value)
{
	struct span type, address;
	uint32_t code;

	if (c->recipient.orcpt.ptr || value.len > DSN_ORCPT_MAX)
		return ERR_SYNTAX;
	if (!span_cut(value, ';', &type, &address) || type.len == 0 || !is_xtext(type) ||
		address.len == 0)
		return ERR_SYNTAX;
	if (!span_eq_nocase(type, SPAN("utf-8")) && !is_xtext(address))
		return ERR_SYNTAX;
	while (address.len > 0)
		if (!utf8_next(&address, &code) || !utf8_is_printable(code) || code == ' ')
			return ERR_SYNTAX;
	c->recipient.orcpt = value;
	return OK;
}

static const struct parameter {
	enum smtp_verb verb;
	struct span name;
	enum err (*set)(struct smtp_command *, struct span);
} parameters[] = {
#define ROW(verb, name, set) { SMTP_VERB_##verb, { (name), sizeof(name) - 1 }, (set) }
	ROW(MAIL, "SIZE", set_size),         /* RFC 1870 */
	ROW(MAIL, "BODY", set_body),         /* RFC 6152 */
	ROW(MAIL, "SMTPUTF8", set_smtputf8), /* RFC 6531 */
	ROW(MAIL, "RET", set_ret),           /* RFC 3461 */
	ROW(MAIL, "ENVID", set_envid),       /* RFC 3461 */
	ROW(MAIL, "AUTH", set_auth),         /* RFC 4954, 5 */
	ROW(RCPT, "NOTIFY", set_notify),     /* RFC 3461 */
	ROW(RCPT, "ORCPT", set_orcpt),       /* RFC 3461 */
#undef ROW
};

static enum smtp_fault
set_parameter(struct smtp_command *c, struct span text)
{
	struct span name, value;

	if (!span_cut(text, '=', &name, &value))
		value = SPAN_NONE;
	for (size_t i = 0; i < COUNT(parameters); i++)
		if (parameters[i].verb == c->verb && span_eq_nocase(parameters[i].name, name))
			return parameters[i].set(c, value) == OK ? SMTP_FAULT_NONE
								 : SMTP_FAULT_VALUE;
	return SMTP_FAULT_PARAMETER;
}

static enum smtp_fault
take_parameters(struct smtp_command *c, struct span rest)
{
	enum smtp_fault fault = SMTP_FAULT_NONE;
	struct span word;

	if (rest.len > 0 && rest.ptr[0] != ' ')
		return SMTP_FAULT_ADDRESS;
	for (rest = span_trim(rest); rest.len > 0 && fault == SMTP_FAULT_NONE;
		rest = span_trim(rest)) {
		(void)span_cut(rest, ' ', &word, &rest);
		fault = set_parameter(c, word);
	}
	return fault;
}

/* RFC 5321, 4.1.1.2 and 4.1.1.3 */
static enum smtp_fault
take_path(struct arena *a, struct smtp_command *c, struct span keyword)
{
	struct span rest = c->argument;
	enum smtp_fault fault;
	size_t used;

	if (!span_starts_nocase(rest, keyword))
		return SMTP_FAULT_ARGUMENT;
	rest = span_trim(span_from(rest, keyword.len)); /* "FROM: <a@b>" is common */
	if (address_parse_path(a, rest, &c->path, &used) != OK)
		return SMTP_FAULT_ADDRESS;
	if (c->verb == SMTP_VERB_RCPT && address_is_null(&c->path))
		return SMTP_FAULT_ADDRESS;
	fault = take_parameters(c, span_from(rest, used));
	if (fault == SMTP_FAULT_NONE && c->verb == SMTP_VERB_MAIL && !c->mail.smtputf8 &&
		c->path.flags & ADDRESS_UTF8)
		return SMTP_FAULT_UTF8_NEEDED;
	return fault;
}

static enum smtp_fault
take_auth(struct smtp_command *c)
{
	struct span rest;

	if (span_cut(c->argument, ' ', &c->argument, &rest))
		c->initial = span_trim(rest);
	return SMTP_FAULT_NONE;
}

static enum smtp_verb
find_verb(struct span word)
{
	for (size_t i = SMTP_VERB_UNKNOWN + 1; i < SMTP_VERBS; i++)
		if (span_eq_nocase(word, verbs[i].name))
			return (enum smtp_verb)i;
	return SMTP_VERB_UNKNOWN;
}

static enum smtp_fault
parse_argument(struct arena *a, struct smtp_command *c, struct span line)
{
	if (c->verb == SMTP_VERB_UNKNOWN)
		return SMTP_FAULT_UNKNOWN;
	if (span_has_control(line, SPAN("\t")))
		return SMTP_FAULT_ARGUMENT;
	if (verbs[c->verb].argument == NO_ARGUMENT && c->argument.len > 0)
		return SMTP_FAULT_ARGUMENT;
	if (verbs[c->verb].argument == MUST_ARGUMENT && c->argument.len == 0)
		return SMTP_FAULT_ARGUMENT;
	switch (c->verb) {
	case SMTP_VERB_HELO:
	case SMTP_VERB_EHLO:
	case SMTP_VERB_LHLO:
		return c->argument.len <= SMTP_HELO_MAX && utf8_is_valid(c->argument)
			? SMTP_FAULT_NONE
			: SMTP_FAULT_ARGUMENT;
	case SMTP_VERB_MAIL:
		return take_path(a, c, SPAN("FROM:"));
	case SMTP_VERB_RCPT:
		return take_path(a, c, SPAN("TO:"));
	case SMTP_VERB_AUTH:
		return take_auth(c);
	default:
		return SMTP_FAULT_NONE;
	}
}

void
smtp_command_parse(struct arena *a, struct span line, struct smtp_command *out)
{
	size_t end = span_find_any(line, SPAN(" \t"));

	*out = (struct smtp_command){
		.verb = find_verb(span_range(line, 0, end)),
		.argument = span_trim(span_from(line, end)),
	};
	out->fault = parse_argument(a, out, line);
}
