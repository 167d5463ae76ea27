/*
 * yaml_events.c - libyaml behind four functions.
 *
 * libyaml marks places in characters; edits need bytes, so a cursor walks the text along with it.
 */
#include "conf/yaml_events.h"

#include <stdlib.h>
#include <yaml.h>

#include "conf/conf_types.h"

struct yaml_events {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_event;
	bool finished;
	unsigned depth;
	unsigned documents;
	struct span text;
	size_t at_index, at_offset; /* the same place in characters and in bytes */
};

struct yaml_events *
yaml_events_open(struct span text)
{
	struct yaml_events *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	if (!yaml_parser_initialize(&e->parser)) {
		free(e);
		return NULL;
	}
	e->text = text.ptr ? text : SPAN("");
	yaml_parser_set_encoding(&e->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&e->parser, (const unsigned char *)e->text.ptr, e->text.len);
	return e;
}

void
yaml_events_close(struct yaml_events **events)
{
	struct yaml_events *e = *events;

	if (e == NULL)
		return;
	if (e->has_event)
		yaml_event_delete(&e->event);
	yaml_parser_delete(&e->parser);
	free(e);
	*events = NULL;
}

static bool
is_inside_char(const struct yaml_events *e, size_t offset)
{
	return offset < e->text.len && ((unsigned char)e->text.ptr[offset] & 0xc0) == 0x80;
}

/* Walk the cursor to character INDEX; events come nearly in order, so the way is short. */
static size_t
offset_of(struct yaml_events *e, size_t index)
{
	while (e->at_index < index && e->at_offset < e->text.len) {
		do
			e->at_offset++;
		while (is_inside_char(e, e->at_offset));
		e->at_index++;
	}
	while (e->at_index > index && e->at_offset > 0) {
		do
			e->at_offset--;
		while (e->at_offset > 0 && is_inside_char(e, e->at_offset));
		e->at_index--;
	}
	return e->at_offset;
}

static struct yaml_place
place_of(struct yaml_events *e, yaml_mark_t mark)
{
	return (struct yaml_place){
		.offset = offset_of(e, mark.index),
		.line = (unsigned)mark.line + 1,
		.column = (unsigned)mark.column + 1,
	};
}

/* A byte that is no text has an offset and no mark. */
static struct yaml_place
place_of_byte(const struct yaml_events *e, size_t offset)
{
	struct yaml_place place = { .offset = offset, .line = 1, .column = 1 };

	for (size_t i = 0; i < offset && i < e->text.len; i++) {
		if (e->text.ptr[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (!is_inside_char(e, i)) {
			place.column++;
		}
	}
	return place;
}

static void
bad(struct yaml_events *e, struct yaml_event *out, const char *why, struct yaml_place at)
{
	e->finished = true;
	*out = (struct yaml_event){ .kind = EVENT_BAD, .start = at, .end = at, .fault = why };
}

static void
bad_syntax(struct yaml_events *e, struct yaml_event *out)
{
	const yaml_parser_t *p = &e->parser;

	if (p->error == YAML_MEMORY_ERROR)
		bad(e, out, "out of memory", place_of_byte(e, 0));
	else if (p->error == YAML_READER_ERROR)
		bad(e, out, p->problem, place_of_byte(e, p->problem_offset));
	else
		bad(e, out, p->problem, place_of(e, p->problem_mark));
}

static void
take_scalar(const yaml_event_t *from, struct yaml_event *out)
{
	yaml_scalar_style_t style = from->data.scalar.style;

	out->kind = EVENT_SCALAR;
	out->text.ptr = (const char *)from->data.scalar.value;
	out->text.len = from->data.scalar.length;
	out->plain = style == YAML_PLAIN_SCALAR_STYLE;
	out->block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
	if (from->data.scalar.anchor != NULL)
		out->fault = "anchors are not allowed";
	else if (from->data.scalar.tag != NULL)
		out->fault = "tags are not allowed";
}

static void
take_collection(struct yaml_events *e, struct yaml_event *out)
{
	const yaml_event_t *from = &e->event;
	bool is_list = from->type == YAML_SEQUENCE_START_EVENT;
	const void *anchor = is_list ? from->data.sequence_start.anchor
				     : from->data.mapping_start.anchor;
	const void *tag = is_list ? from->data.sequence_start.tag : from->data.mapping_start.tag;

	out->kind = is_list ? EVENT_LIST : EVENT_MAP;
	out->flow = is_list ? from->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
			    : from->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	if (anchor != NULL)
		out->fault = "anchors are not allowed";
	else if (tag != NULL)
		out->fault = "tags are not allowed";
	if (++e->depth > CONF_DEPTH_MAX)
		bad(e, out, "nested too deep", out->start);
}

/* True where the event was taken, false where it is of no interest. */
static bool
take(struct yaml_events *e, struct yaml_event *out)
{
	const yaml_event_t *from = &e->event;

	switch (from->type) {
	case YAML_SCALAR_EVENT:
		take_scalar(from, out);
		return true;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		take_collection(e, out);
		return true;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		e->depth--;
		out->kind = EVENT_END;
		return true;
	case YAML_ALIAS_EVENT:
		out->kind = EVENT_SCALAR;
		out->fault = "aliases are not allowed";
		return true;
	case YAML_DOCUMENT_START_EVENT:
		if (e->documents++ > 0)
			bad(e, out, "a second document is not allowed", out->start);
		else if (from->data.document_start.version_directive != NULL ||
			 from->data.document_start.tag_directives.start !=
				 from->data.document_start.tag_directives.end)
			bad(e, out, "directives are not allowed", out->start);
		return e->finished;
	case YAML_STREAM_END_EVENT:
		e->finished = true;
		out->kind = EVENT_FINISH;
		return true;
	default:
		return false;
	}
}

void
yaml_events_next(struct yaml_events *e, struct yaml_event *out)
{
	do {
		*out = (struct yaml_event){ .kind = EVENT_FINISH };
		if (e->finished)
			return;
		if (e->has_event)
			yaml_event_delete(&e->event);
		e->has_event = yaml_parser_parse(&e->parser, &e->event) != 0;
		if (!e->has_event) {
			bad_syntax(e, out);
			return;
		}
		out->start = place_of(e, e->event.start_mark);
		out->end = place_of(e, e->event.end_mark);
	} while (!take(e, out));
}
