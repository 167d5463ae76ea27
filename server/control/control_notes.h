/*
 * control_notes.h - the pipeline's notes as sentences for people.
 */
#ifndef SERVER_CONTROL_CONTROL_NOTES_H
#define SERVER_CONTROL_CONTROL_NOTES_H

#include "server/control/control_call.h"
#include "server/pipeline/note.h"

/* NAME: an array of sentences, "mapping: ...", one for each note of NOTES. */
void control_put_notes(struct json_writer *w, struct span name, struct span notes);
/* The same as spans in A. */
struct span *control_note_lines(struct arena *a, struct span notes, size_t *count);
/* One note as a sentence in A. */
struct span control_note_text(
	struct arena *a, enum note_code code, struct span found, struct span because);
struct span control_note_line(struct arena *a, const struct note *note); /* with its stage */

/* TEXT with every bare LF as CRLF, in A; TEXT itself where it has none. */
struct span control_crlf(struct arena *a, struct span text);

#endif
