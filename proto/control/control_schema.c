/*
 * control_schema.c - reading the schemas of control_methods.h.
 */
#include "proto/control/control_schema.h"

static const struct {
	struct span word;
	const char *json;
} types[] = {
#define X(id, word, json) [CONTROL_TYPE_##id] = { { word, sizeof(word) - 1 }, json },
	CONTROL_TYPES(X)
#undef X
};

static enum control_type
type_of(struct span word)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (span_eq(types[i].word, word))
			return (enum control_type)i;
	ENSURE(!"a schema names no type");
	return CONTROL_TYPE_TEXT;
}

static struct control_param
parse_item(struct span item)
{
	struct control_param p = { 0 };
	struct span type, tail;

	p.option = span_starts(item, SPAN("-"));
	item = span_from(item, p.option);
	p.optional = item.len > 0 && item.ptr[item.len - 1] == '?';
	item.len -= p.optional;
	ENSURE(span_cut(item, ':', &p.name, &type) && p.name.len > 0);
	if (span_cut(type, '(', &type, &tail)) {
		ENSURE(tail.len > 1 && tail.ptr[tail.len - 1] == ')');
		p.choices = span_range(tail, 0, tail.len - 1);
	}
	p.type = type_of(type);
	return p;
}

void
control_schema_parse(const char *text, struct control_schema *out)
{
	struct span rest = span_of(text), item;

	out->count = 0;
	while (rest.len > 0) {
		(void)span_cut(rest, ' ', &item, &rest);
		if (item.len == 0)
			continue;
		ENSURE(out->count < CONTROL_PARAMS_MAX);
		out->items[out->count++] = parse_item(item);
	}
}

const struct control_param *
control_schema_find(const struct control_schema *schema, struct span name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (span_eq(schema->items[i].name, name))
			return &schema->items[i];
	return NULL;
}

bool
control_choice_has(struct span choices, struct span word)
{
	struct span choice;

	while (choices.len > 0) {
		(void)span_cut(choices, '|', &choice, &choices);
		if (span_eq(choice, word))
			return true;
	}
	return false;
}

const char *
control_type_word(enum control_type type)
{
	ENSURE((size_t)type < COUNT(types));
	return types[type].word.ptr;
}

const char *
control_type_json(enum control_type type)
{
	ENSURE((size_t)type < COUNT(types));
	return types[type].json;
}
