/*
 * control_notes.c - see control_notes.h.
 */
#include "server/control/control_notes.h"

#include <string.h>

#define SENTENCE_MAX 2048

struct span
control_note_line(struct arena *a, const struct note *note)
{
	struct span line = SPAN("?");
	struct buf text;

	buf_init(&text, SENTENCE_MAX);
	if (note_format(note, &text) == OK)
		line = note->stage.len ? arena_printf(a, "%.*s: %.*s", SPAN_FMT(note->stage),
						 SPAN_FMT(buf_span(&text)))
				       : arena_copy(a, buf_span(&text));
	buf_fini(&text);
	return line;
}

struct span
control_note_text(struct arena *a, enum note_code code, struct span found, struct span because)
{
	char bytes[NOTE_SIZE_MAX];
	struct span rest = {bytes, note_encode(bytes, code, found, because)};
	struct span line = SPAN_NONE;
	struct note note;
	struct buf text;

	buf_init(&text, SENTENCE_MAX);
	if (note_take(&rest, &note) == PARSE_DONE && note_format(&note, &text) == OK)
		line = arena_copy(a, buf_span(&text));
	buf_fini(&text);
	return line;
}

void
control_put_notes(struct json_writer *w, struct span name, struct span notes)
{
	struct arena a;
	struct note note;

	arena_init(&a, NULL);
	json_put_name(w, name);
	json_put_array(w);
	while (note_take(&notes, &note) == PARSE_DONE)
		json_put_string(w, control_note_line(&a, &note));
	json_put_close(w);
	arena_reset(&a);
}

struct span *
control_note_lines(struct arena *a, struct span notes, size_t *count)
{
	struct span rest = notes, *lines;
	struct note note;

	*count = 0;
	while (note_take(&rest, &note) == PARSE_DONE)
		++*count;
	lines = ARENA_ARRAY(a, struct span, *count);
	for (size_t i = 0; i < *count && note_take(&notes, &note) == PARSE_DONE; i++)
		lines[i] = control_note_line(a, &note);
	return lines;
}

struct span
control_crlf(struct arena *a, struct span text)
{
	size_t bare = 0, out = 0;
	char *to;

	for (size_t i = 0; i < text.len; i++)
		bare += text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r');
	if (bare == 0)
		return text;
	to = arena_alloc(a, text.len + bare);
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
			to[out++] = '\r';
		to[out++] = text.ptr[i];
	}
	return (struct span){to, out};
}
