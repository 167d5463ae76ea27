/*
 * conf_edit_list.c - items of a list: one more, or in another order; what stands above an item in
 * comments goes along.
 */
#include "conf/conf_edit_inside.h"

#include <string.h>

#include "proto/base/ascii.h"

size_t
edit_dash_of(const struct editing *e, const struct yaml_node *item)
{
	size_t at = item->start.offset;

	while (at > 0 && e->text.ptr[at - 1] != '\n' && e->text.ptr[at] != '-')
		at--;
	return at;
}

static struct patch
append_to_flow(struct editing *e, const struct yaml_node *list, struct span value)
{
	size_t at = list->start.offset + 1;

	if (list->last != NULL) {
		at = edit_pair_end(e, list->last);
		return (struct patch){ at, at, arena_printf(&e->arena, ", %.*s", SPAN_FMT(value)) };
	}
	return (struct patch){ at, list->end.offset - 1,
		arena_printf(&e->arena, " %.*s ", SPAN_FMT(value)) };
}

struct patch
edit_append(struct editing *e, const struct yaml_node *list, struct span value)
{
	size_t dash, start, at;
	bool open;

	if (list->flow || list->last == NULL)
		return append_to_flow(e, list, value);
	dash = edit_dash_of(e, list->last);
	start = edit_line_start(e, dash);
	at = edit_line_end(e, edit_pair_end(e, list->last));
	open = at > 0 && e->text.ptr[at - 1] != '\n';
	return (struct patch){ at, at, arena_printf(&e->arena, "%s%*s- %.*s\n", open ? "\n" : "",
		(int)(dash - start), "", SPAN_FMT(value)) };
}

/* The begin of the comments that stand straight above the line at AT. */
static size_t
comments_above(const struct editing *e, size_t at)
{
	while (at > 0) {
		size_t before = edit_line_start(e, at - 1);
		struct span line = span_trim(span_range(e->text, before, at));

		if (!span_starts(line, SPAN("#")))
			break;
		at = before;
	}
	return at;
}

/* The text of an item that moves with it: whole lines in a list in lines. */
static struct patch
piece_of(struct editing *e, const struct yaml_node *list, const struct yaml_node *item)
{
	struct patch piece = { item->start.offset, edit_pair_end(e, item), SPAN_NONE };

	if (!list->flow) {
		piece.from = comments_above(e, edit_line_start(e, edit_dash_of(e, item)));
		piece.to = edit_line_end(e, piece.to);
	}
	piece.text = span_range(e->text, piece.from, piece.to);
	if (!list->flow && !(piece.text.len > 0 && piece.text.ptr[piece.text.len - 1] == '\n'))
		piece.text = arena_printf(&e->arena, "%.*s\n", SPAN_FMT(piece.text));
	return piece;
}

/* The texts with what stands between the pieces now. */
static struct span
joined(struct editing *e, const struct patch *pieces, const struct span *texts, size_t count)
{
	struct span whole;
	struct buf buf;
	enum err err = OK;

	buf_init(&buf, e->text.len + count);
	buf.wipes = true;
	for (size_t i = 0; i < count && err == OK; i++) {
		if (i > 0)
			err = buf_put(&buf, span_range(e->text, pieces[i - 1].to, pieces[i].from));
		if (err == OK)
			err = buf_put(&buf, texts[i]);
	}
	ENSURE(err == OK);
	whole = arena_copy(&e->arena, buf_span(&buf));
	buf_fini(&buf);
	return whole;
}

struct patch
edit_move(struct editing *e, const struct yaml_node *list, const struct yaml_node *item,
	size_t place)
{
	struct patch *pieces = ARENA_ARRAY(&e->arena, struct patch, list->count + 1);
	struct span *texts = ARENA_ARRAY(&e->arena, struct span, list->count + 1);
	size_t count = 0, from = 0, to;

	for (const struct yaml_node *at = list->first; at != NULL; at = at->next) {
		if (at == item)
			from = count;
		pieces[count++] = piece_of(e, list, at);
	}
	to = place < count ? place - 1 : count - 1;
	for (size_t i = 0, next = 0; i < count; i++) {
		next += next == from;
		texts[i] = i == to ? pieces[from].text : pieces[next++].text;
	}
	return (struct patch){ pieces[0].from, pieces[count - 1].to,
		joined(e, pieces, texts, count) };
}
