/*
 * control_preview_cli.c - the command that does what a preview would do, as one types it.
 */
#include "proto/base/ascii.h"
#include "server/control/control_lists.h"

#define WORD_TEXT_MAX 200 /* bytes of a word that are shown */

/* What no shell takes for something else. */
static bool
is_plain(struct span word)
{
	const struct span marks = SPAN("@._-+=:/,%");

	for (size_t i = 0; i < word.len; i++)
		if (!ascii_is_alnum(word.ptr[i]) && span_find(marks, word.ptr[i]) == marks.len)
			return false;
	return word.len > 0;
}

static struct span
with(struct arena *a, struct span text, struct span word)
{
	word = span_range(word, 0, WORD_TEXT_MAX);
	return arena_printf(a, is_plain(word) ? "%.*s %.*s" : "%.*s '%.*s'", SPAN_FMT(text),
		SPAN_FMT(word));
}

static struct span
with_items(struct arena *a, struct span text, const struct rpc_value *v)
{
	for (size_t i = 0; i < v->count && i < CONTROL_SAMPLE; i++)
		text = with(a, text, v->items[i]);
	return text;
}

static struct span
with_pairs(struct arena *a, struct span text, const struct rpc_value *v)
{
	for (size_t i = 0; i < v->count; i++)
		text = with(a, text, arena_printf(a, "%.*s=%.*s", SPAN_FMT(v->pairs[i].key),
			SPAN_FMT(v->pairs[i].value)));
	return text;
}

/* The objects themselves where they are few; otherwise as they were chosen. */
static struct span
with_targets(struct arena *a, struct span text, const struct rpc_request *preview,
	const struct rpc_value *targets)
{
	if (targets->count <= CONTROL_SAMPLE)
		return with_items(a, text, targets);
	if (rpc_has(preview, "filter"))
		return with(a, arena_printf(a, "%.*s --filter", SPAN_FMT(text)),
			rpc_text(preview, "filter"));
	return rpc_flag(preview, "all") ? with(a, text, SPAN("--all")) : text;
}

struct span
control_preview_cli(
	struct arena *a, const struct rpc_request *preview, const struct rpc_request *pinned)
{
	struct span text = arena_printf(a, "postroom %s", pinned->method->words);

	for (size_t i = 0; i < pinned->schema.count; i++) {
		const struct rpc_value *v = &pinned->values[i];

		if (pinned->schema.items[i].option || !v->present)
			continue;
		switch (pinned->schema.items[i].type) {
		case CONTROL_TYPE_TARGETS:
			text = with_targets(a, text, preview, v);
			break;
		case CONTROL_TYPE_KEYS:
			text = with_pairs(a, text, v);
			break;
		case CONTROL_TYPE_LIST:
			text = with_items(a, text, v);
			break;
		case CONTROL_TYPE_NAME:
		case CONTROL_TYPE_TEXT:
		case CONTROL_TYPE_ADDRESS:
		case CONTROL_TYPE_CHOICE:
			text = with(a, text, v->text);
			break;
		default:
			break;
		}
	}
	return pinned->method->guard == CONTROL_G3 ? with(a, text, SPAN("--yes")) : text;
}
