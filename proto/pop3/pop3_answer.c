/*
 * pop3_answer.c - a status line to a value.
 */
#include "proto/pop3/pop3_answer.h"

static const struct {
	struct span text;
	enum pop3_code code;
} codes[] = {
	{ SPAN("IN-USE"), POP3_CODE_IN_USE },
	{ SPAN("LOGIN-DELAY"), POP3_CODE_LOGIN_DELAY },
	{ SPAN("AUTH"), POP3_CODE_AUTH },
	{ SPAN("SYS/TEMP"), POP3_CODE_SYS_TEMP },
	{ SPAN("SYS/PERM"), POP3_CODE_SYS_PERM },
};

/* What servers without response codes say of a mailbox that is open elsewhere. */
static const struct span locked_words[] = { SPAN("lock"), SPAN("in use"), SPAN("already open"), SPAN("busy") };
/* But this is of the account. */
static const struct span account_words[] = { SPAN("account"), SPAN("disabled"), SPAN("password"), SPAN("blocked") };

static enum pop3_code
code_of(struct span text)
{
	struct span inside, rest;

	if (!span_starts(text, SPAN("[")) || !span_cut(span_from(text, 1), ']', &inside, &rest))
		return POP3_CODE_NONE;
	for (size_t i = 0; i < COUNT(codes); i++)
		if (span_eq_nocase(inside, codes[i].text))
			return codes[i].code;
	return POP3_CODE_NONE;
}

enum err
pop3_answer_parse(struct span line, struct pop3_answer *out)
{
	static const struct {
		struct span word;
		enum pop3_answer_kind kind;
	} words[] = {
		{ SPAN("+OK"), POP3_ANSWER_OK },
		{ SPAN("-ERR"), POP3_ANSWER_ERR },
		{ SPAN("+ "), POP3_ANSWER_CHALLENGE },
	};

	*out = (struct pop3_answer){ 0 };
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!span_starts_nocase(line, words[i].word))
			continue;
		out->kind = words[i].kind;
		out->text = span_trim(span_from(line, words[i].word.len));
		out->code = out->kind == POP3_ANSWER_ERR ? code_of(out->text) : POP3_CODE_NONE;
		return OK;
	}
	if (!span_eq(line, SPAN("+")))
		return ERR_SYNTAX;
	out->kind = POP3_ANSWER_CHALLENGE; /* an empty one, without its blank */
	return OK;
}

static bool
has_any(struct span text, const struct span *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_find_span_nocase(text, words[i]) < text.len)
			return true;
	return false;
}

bool
pop3_answer_is_locked(struct pop3_answer answer)
{
	if (answer.kind != POP3_ANSWER_ERR)
		return false;
	if (answer.code != POP3_CODE_NONE)
		return answer.code == POP3_CODE_IN_USE || answer.code == POP3_CODE_LOGIN_DELAY;
	return has_any(answer.text, locked_words, COUNT(locked_words)) &&
		!has_any(answer.text, account_words, COUNT(account_words));
}

enum err
pop3_line_parse(struct span line, uint32_t *number, struct span *rest)
{
	struct span word;
	uint64_t n;

	span_cut(span_trim(line), ' ', &word, rest);
	if (span_u64(word, UINT32_MAX, &n) != OK || n == 0)
		return ERR_SYNTAX;
	*number = (uint32_t)n;
	*rest = span_trim(*rest);
	return OK;
}
