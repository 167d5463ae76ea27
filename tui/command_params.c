/*
 * command_params.c - what was typed, as the params object of its method.
 */
#include <string.h>

#include "tui/command_line.h"

static bool
has_targets(const struct command *c)
{
	for (size_t i = 0; i < c->schema.count; i++)
		if (c->schema.items[i].type == CONTROL_TYPE_TARGETS)
			return true;
	return false;
}

bool
command_selects(const struct command *c)
{
	return c->kind == COMMAND_METHOD && has_targets(c) &&
		(c->options.all || c->options.filter);
}

const char *
command_value(const struct command *c, const char *name)
{
	const struct control_param *p = control_schema_find(&c->schema, span_of(name));
	size_t place;

	if (!p)
		return NULL;
	place = (size_t)(p - c->schema.items);
	return c->values[place].count > 0 ? c->values[place].items[0] : NULL;
}

static void
put_number(struct json_writer *w, const char *text)
{
	uint64_t number = 0;

	/* its form was looked at when the line was read */
	if (span_u64(span_of(text), INT64_MAX, &number) == OK)
		json_put_u64(w, number);
	else
		json_put_null(w);
}

static void
put_list(struct json_writer *w, const struct command_value *v)
{
	json_put_array(w);
	for (size_t i = 0; i < v->count; i++)
		json_put_string(w, span_of(v->items[i]));
	json_put_close(w);
}

static void
put_keys(struct json_writer *w, const struct command_value *v)
{
	struct span key, value;

	json_put_object(w);
	for (size_t i = 0; i < v->count; i++) {
		(void)span_cut(span_of(v->items[i]), '=', &key, &value);
		json_put_member_string(w, key, value);
	}
	json_put_close(w);
}

static void
put_value(struct json_writer *w, const struct control_param *p, const struct command_value *v)
{
	switch (p->type) {
	case CONTROL_TYPE_COUNT:
	case CONTROL_TYPE_NUMBER:
		put_number(w, v->items[0]);
		break;
	case CONTROL_TYPE_FLAG:
		json_put_bool(w, true);
		break;
	case CONTROL_TYPE_LIST:
	case CONTROL_TYPE_TARGETS:
		put_list(w, v);
		break;
	case CONTROL_TYPE_KEYS:
		put_keys(w, v);
		break;
	default:
		json_put_string(w, span_of(v->items[0]));
		break;
	}
}

void
command_put_params(const struct command *c, struct span secret, struct json_writer *w)
{
	uint64_t fd = 0;

	json_put_object(w);
	for (size_t i = 0; i < c->schema.count; i++) {
		const struct control_param *p = &c->schema.items[i];
		const struct command_value *v = &c->values[i];
		bool sends_fd = p->type == CONTROL_TYPE_FD && (v->count > 0 || !p->optional);

		if (p->type == CONTROL_TYPE_SECRET && secret.ptr) {
			json_put_member_string(w, p->name, secret);
		} else if (sends_fd) {
			json_put_member_u64(w, p->name, fd++);
		} else if (p->type != CONTROL_TYPE_FD && v->count > 0) {
			json_put_name(w, p->name);
			put_value(w, p, v);
		}
	}
	json_put_close(w);
}
