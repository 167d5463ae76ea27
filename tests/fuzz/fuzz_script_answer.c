/*
 * fuzz_script_answer.c - what a script's child said, whatever it is: of what is taken every address can be written
 * to, every field is one line, and no limit is passed (H74, H11).
 */
#include "proto/mail/header.h"
#include "server/pipeline/script_answer.h"
#include "server/pipeline/script_fields.h"
#include "tests/fuzz/fuzz.h"

static void
check_action(const struct script_action *action, struct buf *out)
{
	bool sends = action->kind == SCRIPT_REDIRECT || action->kind == SCRIPT_COPY;

	ENSURE(!sends || (address_is_valid(&action->address) && !address_is_null(&action->address)));
	ENSURE(!span_has_control(action->text, SPAN("")));
	if (action->kind == SCRIPT_SET_HEADER && action->value.len > 0) {
		ENSURE(script_field_may_be_set(action->text));
		buf_clear(out);
		ENSURE(header_put_text(out, action->text, action->value) != ERR_SYNTAX);
	}
}

FUZZ(in, a, out)
{
	struct script_answer answer = { .user_id = in.len > 0 ? (uint64_t)in.ptr[0] & 1 : 0 };
	size_t sends = 0;

	if (script_answer_read(a, span_from(in, 1), &answer) != OK) {
		ENSURE(answer.count == 0 && !answer.redirects && !answer.discards);
		return;
	}
	for (size_t i = 0; i < answer.count; i++) {
		check_action(&answer.actions[i], out);
		sends += answer.actions[i].kind == SCRIPT_REDIRECT || answer.actions[i].kind == SCRIPT_COPY;
		ENSURE(answer.user_id == 0 || answer.actions[i].kind < SCRIPT_REJECT);
	}
	ENSURE(sends <= SCRIPT_SENDS_MAX && answer.count <= SCRIPT_ACTIONS_MAX);
	ENSURE(script_answer_text(a, &answer).len > 0);
}
