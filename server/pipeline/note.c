/*
 * note.c - notes to bytes, bytes to sentences.
 *
 * Values come from peers. They are stored as they are and cleaned by whoever shows them (H70); here
 * only controls become a mark, since a sentence is one line.
 */
#include "server/pipeline/note.h"

#include <string.h>

#include "proto/base/ascii.h"

struct note_row {
	unsigned char code;
	const char *stage;
	const char *sentence;
};

/* A switch, so that two notes of one number do not compile. */
static const struct note_row *
row_find(unsigned char code)
{
	switch (code) {
#define X(number, name, at, text)                                                                  \
	case number: {                                                                             \
		static const struct note_row row = { NOTE_##name, at, text };                      \
		return &row;                                                                       \
	}
		NOTES(X)
#undef X
	default:
		return NULL;
	}
}

static size_t
value_encode(char *out, struct span value)
{
	size_t len = value.len > NOTE_VALUE_MAX ? NOTE_VALUE_MAX : value.len;

	out[0] = (char)len;
	if (len > 0)
		memcpy(out + 1, value.ptr, len);
	if (value.len > NOTE_VALUE_MAX)
		memcpy(out + 1 + len - 3, "...", 3);
	return 1 + len;
}

size_t
note_encode(char *out, enum note_code code, struct span found, struct span because)
{
	size_t used = 1;

	out[0] = (char)code;
	used += value_encode(out + used, found);
	used += value_encode(out + used, because);
	return used;
}

static enum parse
value_take(struct span *rest, struct span *out)
{
	size_t len;

	if (rest->len < 1)
		return PARSE_BAD;
	len = (unsigned char)rest->ptr[0];
	if (rest->len - 1 < len)
		return PARSE_BAD;
	*out = span_range(*rest, 1, 1 + len);
	*rest = span_from(*rest, 1 + len);
	return PARSE_DONE;
}

enum parse
note_take(struct span *rest, struct note *out)
{
	const struct note_row *row;
	unsigned char code;

	*out = (struct note){ 0 };
	if (rest->len == 0)
		return PARSE_MORE;
	code = (unsigned char)rest->ptr[0];
	*rest = span_from(*rest, 1);
	if (value_take(rest, &out->found) != PARSE_DONE ||
		value_take(rest, &out->because) != PARSE_DONE)
		return PARSE_BAD;
	row = row_find(code);
	out->code = (enum note_code)code;
	out->stage = row ? span_of(row->stage) : SPAN("unknown");
	out->sentence = row ? span_of(row->sentence) : SPAN_NONE;
	return PARSE_DONE;
}

bool
note_is_report(const struct note *note)
{
	return note->code == NOTE_MAPPING_LOST || note->code == NOTE_MAPPING_CHAIN ||
		note->code == NOTE_LIST_DEEP || note->code == NOTE_LIST_LOST ||
		note->code == NOTE_MONITOR_LOST;
}

static enum err
clean_put(struct buf *out, struct span value)
{
	enum err err = OK;

	for (size_t i = 0; i < value.len && err == OK; i++)
		err = buf_put_char(out, ascii_is_control(value.ptr[i]) ? '?' : value.ptr[i]);
	return err;
}

enum err
note_format(const struct note *note, struct buf *out)
{
	struct span rest = note->sentence, text;
	enum err err = OK;

	if (!rest.ptr)
		return buf_printf(out, "a note of a newer server, number %d", (int)note->code);
	while (rest.len > 0 && err == OK) {
		bool found = span_starts(rest, SPAN("{1}"));

		if (found || span_starts(rest, SPAN("{2}"))) {
			err = clean_put(out, found ? note->found : note->because);
			rest = span_from(rest, 3);
			continue;
		}
		text = span_range(rest, 0, 1 + span_find(span_from(rest, 1), '{'));
		err = buf_put(out, text);
		rest = span_from(rest, text.len);
	}
	return err;
}
