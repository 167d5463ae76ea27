/*
 * control_transfer_in.c - the lines of a file as targets of a call.
 */
#include <stdio.h>
#include <string.h>

#include "proto/base/utf8.h"
#include "server/control/control_transfer.h"

static void
scratch_free(void *arg)
{
	arena_reset(arg);
}

void
transfer_in_init(struct control_call *call, struct transfer_in *t)
{
	arena_init(&t->scratch, NULL);
	t->scratch.wipes = true;
	arena_on_reset(&call->arena, scratch_free, &t->scratch);
}

bool
transfer_in_add(struct control_call *call, struct transfer_in *t, struct transfer_item item,
	struct span key)
{
	if (t->count == t->size) {
		size_t size = t->size ? 2 * t->size : 256;
		struct transfer_item *items = ARENA_ARRAY(&call->arena, struct transfer_item, size);
		struct span *keys = ARENA_ARRAY(&call->arena, struct span, size);

		if (size > 4 * TRANSFER_LINES_MAX)
			return control_fail(
				call, RPC_TOO_LARGE, "more than 100,000 lines", NULL, "file");
		if (t->count) {
			memcpy(items, t->items, t->count * sizeof(*items));
			memcpy(keys, t->keys, t->count * sizeof(*keys));
		}
		t->items = items;
		t->keys = keys;
		t->size = size;
	}
	t->items[t->count] = item;
	t->keys[t->count++] = key;
	return true;
}

/* A program or a picture is refused whole: nobody meant its lines. */
static bool
is_text(struct control_call *call, struct span text)
{
	struct span line;

	if (span_find(text, '\0') == text.len && utf8_is_valid(text))
		return true;
	for (size_t number = 1; span_next_line(&text, &line); number++)
		if (span_find(line, '\0') < line.len || !utf8_is_valid(line))
			return control_failf(call, RPC_INVALID, "file",
				"the file is no UTF-8 text: line %zu; nothing was imported",
				number);
	return true;
}

/* What some spreadsheets put in front of a text file. */
static struct span
without_mark(struct span text)
{
	return span_starts(text, SPAN("\xef\xbb\xbf")) ? span_from(text, 3) : text;
}

bool
transfer_in_lines(struct control_call *call, struct transfer_in *t)
{
	struct span text, line;

	if (!control_read_file(call, control_fd(call, "file"), &text) || !is_text(call, text))
		return false;
	text = without_mark(text);
	for (size_t number = 1; span_next_line(&text, &line); number++) {
		line = span_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (t->count == TRANSFER_LINES_MAX)
			return control_fail(
				call, RPC_TOO_LARGE, "more than 100,000 lines", NULL, "file");
		if (!transfer_in_add(call, t, (struct transfer_item){ .line = line },
			    arena_printf(&call->arena, "line %zu", number)))
			return false;
	}
	t->lines = t->count;
	transfer_in_targets(call, t);
	atomic_store(&call->progress_total, t->count);
	return true;
}

void
transfer_in_targets(struct control_call *call, const struct transfer_in *t)
{
	call->targets = t->keys;
	call->target_count = t->count;
}

void
transfer_in_note(struct control_call *call, const struct transfer_in *t)
{
	size_t left = call->skipped_count;

	call->note = arena_printf(&call->arena, "%llu of %zu lines imported",
		(unsigned long long)call->done, t->lines);
	if (left > 0)
		call->note = arena_printf(&call->arena, "%.*s, %zu skipped",
			SPAN_FMT(call->note), left);
}
