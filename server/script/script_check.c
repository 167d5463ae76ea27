/*
 * script_check.c - an order that only compiles.
 */
#include "server/script/script_check.h"

#include "proto/base/utf8.h"
#include "server/pipeline/script_answer.h"
#include "server/script/script_wire.h"

/* "script:3: ..." */
static unsigned
line_of(struct span failed)
{
	struct span rest, number;
	uint64_t line = 0;

	if (!span_starts(failed, SPAN("script:")))
		return 0;
	rest = span_from(failed, 7);
	(void)span_cut(rest, ':', &number, &rest);
	return span_u64(number, UINT32_MAX, &line) == OK ? (unsigned)line : 0;
}

static void
on_done(struct runner_job *job, const struct runner_answer *answer)
{
	struct script_check *c = LIST_ITEM(job, struct script_check, job);
	struct script_answer read = { .user_id = 0 };
	char says[RUNNER_SAYS_SIZE];

	if (answer->end != RUNNER_EXITED || answer->number != 0)
		c->failed = arena_printf(c->arena, "it could not be looked at: the child %s",
			runner_says(answer, says));
	else if (script_answer_read(c->arena, arena_copy(c->arena, answer->output), &read) != OK)
		c->failed = SPAN("it could not be looked at");
	else
		c->failed = read.failed;
	c->line = line_of(c->failed);
	c->done(c);
}

bool
script_check_begin(struct host *host, struct script_check *c, struct span text)
{
	struct buf in;
	enum err err = OK;

	c->failed = SPAN("");
	if (text.len > SCRIPT_TEXT_MAX) {
		c->failed = SPAN("a script has at most 64 KiB");
		return false;
	}
	if (!utf8_is_valid(text) || span_find(text, '\0') < text.len) {
		c->failed = SPAN("a script is text in UTF-8");
		return false;
	}
	buf_init(&in, SCRIPT_INPUT_MAX);
	err = script_item_put(&in, SCRIPT_ITEM_TEXT, text);
	if (err == OK)
		err = script_item_put(&in, SCRIPT_ITEM_CHECK, SPAN(""));
	c->job = (struct runner_job){ .script = true, .input = buf_span(&in), .done = on_done,
		.timeout_ms = SCRIPT_CPU_MS, .output_max = SCRIPT_ANSWER_MAX };
	if (err == OK)
		err = runner_run(host, &c->job);
	buf_fini(&in);
	if (err != OK)
		c->failed = SPAN("too many scripts wait to be run, try again");
	return err == OK;
}

void
script_check_cancel(struct script_check *c)
{
	runner_cancel(&c->job);
}
