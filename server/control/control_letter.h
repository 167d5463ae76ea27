/*
 * control_letter.h - the body of a message for people: its text, and what else is in it.
 */
#ifndef SERVER_CONTROL_CONTROL_LETTER_H
#define SERVER_CONTROL_CONTROL_LETTER_H

#include "proto/mime/mime_derived.h"
#include "server/control/control_call.h"
#include "store/contents.h"

#define LETTER_TEXT_MAX (256 * 1024) /* bytes of text in a reply (console.md 6) */
#define LETTER_PARTS_MAX 1000        /* parts that are listed */

/*
 * Put the members `text`, the first part of plain text decoded, else HTML as text, and `parts`: a line
 * for each, "number type size encoding name". What cannot be read is left out.
 */
void control_put_letter(struct control_call *call, struct snapshot *snap, const struct content *c);

/*
 * The part "1.2" of C: its place, and how it is encoded. False: the call has failed, there is no such
 * part.
 */
bool control_letter_part(struct control_call *call, struct snapshot *snap, const struct content *c,
	struct span number, struct mime_part *out);

#endif
