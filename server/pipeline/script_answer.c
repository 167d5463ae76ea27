/*
 * script_answer.c - reads the answer of a script as one reads a peer (H74).
 *
 * On its way it is one byte, 'D' for done or 'E' for an error whose text follows; then for each action a byte for
 * its kind and two texts, each with two bytes of length, high byte first.
 */
#include "server/pipeline/script_answer.h"

#include <string.h>

#include "proto/base/utf8.h"
#include "proto/mail/header.h"
#include "server/pipeline/mail.h"
#include "server/pipeline/script_fields.h"

#define FAILED_MAX 300 /* bytes of an error that are kept */

static const struct {
	struct span word;
	bool users;
} rows[] = {
#define X(number, name, said, users) [SCRIPT_##name] = { { said, sizeof(said) - 1 }, users },
	SCRIPT_ACTIONS(X)
#undef X
};

struct reader {
	struct arena *arena;
	struct span rest;
	struct script_answer *out;
	struct script_action *actions;
	size_t sends, fields, logs;
};

const struct script_answer *
mail_script(const struct mail *mail, uint64_t user_id)
{
	size_t from = 0, to = mail->scripts ? mail->scripts->user_count : 0;

	while (from < to) {
		size_t at = from + (to - from) / 2;
		const struct script_answer *answer = &mail->scripts->users[at];

		if (answer->user_id == user_id)
			return answer;
		if (answer->user_id < user_id)
			from = at + 1;
		else
			to = at;
	}
	return NULL;
}

static bool
take_text(struct span *rest, struct span *out)
{
	size_t len;

	if (rest->len < 2)
		return false;
	len = (size_t)(unsigned char)rest->ptr[0] << 8 | (unsigned char)rest->ptr[1];
	if (len > SCRIPT_VALUE_MAX || len > rest->len - 2)
		return false;
	*out = span_range(*rest, 2, 2 + len);
	*rest = span_from(*rest, 2 + len);
	return true;
}

/* One line of printable text, in A. */
static struct span
clean(struct arena *a, struct span text, size_t max)
{
	struct span cut = span_range(text, 0, max);
	char *to = arena_alloc(a, cut.len + 1);

	return (struct span){ to, span_copy_clean(cut, to, cut.len) };
}

/* A reply of SMTP is ASCII. */
static struct span
clean_ascii(struct arena *a, struct span text)
{
	struct span out = clean(a, text, SCRIPT_VALUE_MAX);
	char *at = (char *)out.ptr;

	for (size_t i = 0; i < out.len; i++)
		if ((unsigned char)at[i] >= 0x7f)
			at[i] = '?';
	return out;
}

/* ---- one action ---- */

static bool
read_address(struct reader *r, struct script_action *action)
{
	return ++r->sends <= SCRIPT_SENDS_MAX &&
		address_parse(r->arena, action->text, &action->address) == OK &&
		!address_is_null(&action->address);
}

static bool
read_field(struct reader *r, struct script_action *action)
{
	if (++r->fields > SCRIPT_FIELDS_MAX || !script_field_may_be_set(action->text) ||
		span_has_control(action->value, SPAN("\t")) || !utf8_is_valid(action->value))
		return false;
	action->text = arena_copy(r->arena, action->text);
	action->value = arena_copy(r->arena, action->value);
	return true;
}

static bool
read_words(struct reader *r, struct script_action *action)
{
	if (action->kind == SCRIPT_LOG) {
		action->text = clean(r->arena, action->text, SCRIPT_VALUE_MAX);
		return ++r->logs <= SCRIPT_LOGS_MAX;
	}
	action->text = clean_ascii(r->arena, action->text);
	return true;
}

static bool
read_action(struct reader *r)
{
	unsigned kind = (unsigned char)r->rest.ptr[0];
	struct script_action *action = &r->actions[r->out->count];

	if (r->out->count == SCRIPT_ACTIONS_MAX || kind >= COUNT(rows) || rows[kind].word.len == 0 ||
		(r->out->user_id != 0 && !rows[kind].users))
		return false;
	*action = (struct script_action){ .kind = (enum script_action_kind)kind };
	r->rest = span_from(r->rest, 1);
	if (!take_text(&r->rest, &action->text) || !take_text(&r->rest, &action->value))
		return false;
	r->out->count++;
	r->out->keeps |= kind == SCRIPT_KEEP;
	r->out->redirects |= kind == SCRIPT_REDIRECT;
	r->out->discards |= kind == SCRIPT_DISCARD;
	if (kind == SCRIPT_REDIRECT || kind == SCRIPT_COPY)
		return read_address(r, action);
	return kind == SCRIPT_SET_HEADER ? read_field(r, action) : read_words(r, action);
}

static void
empty(struct script_answer *out)
{
	*out = (struct script_answer){ .user_id = out->user_id, .name = out->name };
}

enum err
script_answer_read(struct arena *a, struct span bytes, struct script_answer *out)
{
	struct reader r = { .arena = a, .rest = span_from(bytes, 1), .out = out };
	bool ok;

	empty(out);
	if (bytes.len == 0 || bytes.len > SCRIPT_ANSWER_MAX)
		return ERR_SYNTAX;
	if (bytes.ptr[0] == 'E') {
		out->failed = clean(a, r.rest, FAILED_MAX);
		if (out->failed.len == 0)
			out->failed = SPAN("error");
		return OK;
	}
	r.actions = ARENA_ARRAY(a, struct script_action, SCRIPT_ACTIONS_MAX);
	out->actions = r.actions;
	ok = bytes.ptr[0] == 'D';
	while (ok && r.rest.len > 0)
		ok = read_action(&r);
	if (!ok)
		empty(out);
	return ok ? OK : ERR_SYNTAX;
}

/* ---- in words ---- */

struct span
script_answer_text(struct arena *a, const struct script_answer *answer)
{
	struct span all = SPAN("");

	for (size_t i = 0; i < answer->count; i++) {
		const struct script_action *action = &answer->actions[i];
		const char *comma = all.len > 0 ? ", " : "";
		struct span word = rows[action->kind].word;

		if (action->kind == SCRIPT_LOG)
			continue;
		if (action->kind == SCRIPT_SET_HEADER)
			all = arena_printf(a, "%.*s%s%.*s %.*s: %.*s", SPAN_FMT(all), comma,
				SPAN_FMT(word), SPAN_FMT(action->text), SPAN_FMT(action->value));
		else
			all = arena_printf(a, "%.*s%s%.*s%s%.*s", SPAN_FMT(all), comma, SPAN_FMT(word),
				action->text.len > 0 ? " " : "", SPAN_FMT(action->text));
	}
	return all.len > 0 ? all : SPAN("nothing: the normal way");
}
