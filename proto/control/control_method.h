/*
 * control_method.h - the rows of control_methods.h as values that can be looked up.
 */
#ifndef PROTO_CONTROL_CONTROL_METHOD_H
#define PROTO_CONTROL_CONTROL_METHOD_H

#include "proto/control/control_methods.h"
#include "proto/control/control_rights.h"
#include "proto/control/control_schema.h"

#define CONTROL_PROTOCOL 1          /* hello.protocol; a change that breaks old clients raises it */
#define CONTROL_LINE_MAX 1048576    /* bytes of one line with its LF, both ways (H59) */
#define CONTROL_FDS_MAX 4           /* descriptors that may come with one line */
#define CONTROL_TARGETS_MAX 10000   /* objects that one call may name */
#define CONTROL_PAGE_MAX 200        /* rows of one list.page */
#define CONTROL_KEYS_MAX 400        /* keys that one list.page may ask for */
#define CONTROL_EVENTS_MAX 64       /* events of one subscription that wait for an ack */

enum control_id {
#define X(id, ...) CONTROL_##id,
	CONTROL_METHODS(X)
#undef X
	CONTROL_METHOD_COUNT,
};

enum control_guard { CONTROL_G0, CONTROL_G1, CONTROL_G2, CONTROL_G3 };

enum control_reply {
	CONTROL_REPLY_ROWS,
	CONTROL_REPLY_OBJECT,
	CONTROL_REPLY_TEXT,
	CONTROL_REPLY_DONE,
	CONTROL_REPLY_FAULTS,
};

struct control_method {
	enum control_id id;
	const char *method; /* "queue.list" */
	const char *words;  /* "queue list"; "" where it is no command */
	enum control_right right;
	enum control_guard guard;
	enum control_reply reply;
	const char *params;  /* with CONTROL_LIST_PARAMS where it gives rows; may begin with a blank */
	const char *columns;
	const char *help;
};

extern const struct control_method control_methods[CONTROL_METHOD_COUNT];

/* By the name on the wire; NULL where there is none. */
const struct control_method *control_method_find(struct span method);
static inline bool
control_method_changes(const struct control_method *m)
{
	return m->guard != CONTROL_G0;
}
/* READ_ONLY (--read-only, hello.read_only) keeps the right to look and takes that to change. */
bool control_method_allowed(
	const struct control_method *m, control_rights rights, bool read_only);
const char *control_reply_name(enum control_reply reply); /* "rows" */

#endif
