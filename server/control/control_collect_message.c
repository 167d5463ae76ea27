/*
 * control_collect_message.c - `collect test NAME --message FILE`: for whom that message would be, and why.
 *
 * As `explain --collect NAME --message FILE`, in the rows of a test of the login.
 */
#include "server/control/control_collect_message.h"

#include "server/control/control_explain.h"
#include "server/control/control_notes.h"

bool
collect_message_is_given(struct control_call *call)
{
	return rpc_has(call->request, "message");
}

bool
collect_message_work(struct control_call *call)
{
	struct explained *e = ARENA_NEW(&call->arena, struct explained);

	if (!collect_message_is_given(call))
		return true;
	call->state = e;
	e->from_header = true;
	return explained_read(call, e);
}

static void
put_row(struct control_call *call, size_t *row, struct span step, struct span result, bool ok)
{
	control_row(&call->rows, arena_printf(&call->arena, "%zu", ++*row));
	control_put_text(&call->rows, step);
	control_put_text(&call->rows, result);
	control_put_text(&call->rows, ok ? SPAN("ok") : SPAN("failed"));
	control_put_number(&call->rows, ok);
}

void
collect_message_finish(struct control_call *call)
{
	struct explained *e = call->state;
	struct explain_ask ask = {.via = MAIL_VIA_POP3, .collect = control_param(call, "name")};
	struct span notes;
	struct note note;
	size_t row = 0;

	if (!collect_message_is_given(call) || !explained_run(call, e, &ask))
		return;
	notes = plan_notes(&e->plan);
	while (note_take(&notes, &note) == PARSE_DONE)
		put_row(call, &row, note.stage,
			control_note_text(&call->arena, note.code, note.found, note.because), true);
	for (size_t i = 0; i < e->to_count; i++)
		put_row(call, &row, SPAN("recipient"), e->to[i], true);
	if (e->verdict != STAGE_NEXT) {
		put_row(call, &row, SPAN("refused"), e->plan.reply.text, false);
		e->plan.copies = NULL;
	}
	for (const struct plan_copy *c = e->plan.copies; c && row < EXPLAIN_COPIES_MAX; c = c->next)
		put_row(call, &row, span_of(c->kind == COPY_DISCARD ? "kept nowhere" : "goes to"),
			explained_target(call, c), true);
	control_rows_end(&call->rows);
}
