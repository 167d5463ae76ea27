/*
 * script_message.h - what a script of the site sees of a body: its text, and its attachments.
 *
 * In the child: what MIME a stranger wrote is taken apart there, before it is locked in (iconv reads its tables).
 */
#ifndef SERVER_SCRIPT_SCRIPT_MESSAGE_H
#define SERVER_SCRIPT_SCRIPT_MESSAGE_H

#include "server/script/script_wire.h"

struct script_message {
	struct buf text; /* UTF-8, at most SCRIPT_BODY_TEXT_MAX */
};

/* The text of IN's body, as far as it was given. Nothing where it cannot be read. */
void script_message_read(struct script_message *m, const struct script_input *in);
void script_message_fini(struct script_message *m);

/* VALUE of a field, unfolded and decoded, appended to OUT. */
void script_value_put(struct buf *out, struct span value);

#endif
