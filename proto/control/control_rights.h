/*
 * control_rights.h - what a caller of the control socket may do (STS-06).
 *
 * A level is a set of rights; rights can be given to and taken from a user one by one. A right
 * belongs to the lowest level that has it. NAMED is in no level: it is given by name, and the peers
 * root and the server's own user have it, since they can read the store's file anyway; each use is
 * audited.
 */
#ifndef PROTO_CONTROL_CONTROL_RIGHTS_H
#define PROTO_CONTROL_CONTROL_RIGHTS_H

#include "proto/base/span.h"

/*  X(id, name, lowest level) */
#define CONTROL_RIGHTS(X) \
	X(NONE, "", NOBODY) \
	X(STATUS_VIEW, "status.view", VIEWER) \
	X(QUEUE_COUNTS, "queue.counts", VIEWER) \
	X(NOTICE_RECEIVE, "notice.receive", VIEWER) \
	X(QUEUE_VIEW, "queue.view", OPERATOR) \
	X(LOG_VIEW, "log.view", OPERATOR) \
	X(CONNECT_START, "connect.start", OPERATOR) \
	X(QUEUE_OPERATE, "queue.operate", OPERATOR) \
	X(NOTICE_SEND, "notice.send", OPERATOR) \
	X(CONFIG_EDIT, "config.edit", ADMINISTRATOR) \
	X(SERVER_STOP, "server.stop", ADMINISTRATOR) \
	X(MESSAGE_READ, "message.read", NAMED)

enum control_level {
	CONTROL_NOBODY, /* may say hello and auth */
	CONTROL_VIEWER,
	CONTROL_OPERATOR,
	CONTROL_ADMINISTRATOR,
	CONTROL_NAMED, /* no level: above all of them */
};

enum control_right {
#define X(id, name, level) CONTROL_RIGHT_##id,
	CONTROL_RIGHTS(X)
#undef X
	CONTROL_RIGHT_COUNT,
};

/* A set of rights, one bit each: 1u << enum control_right. CONTROL_RIGHT_NONE is in every set. */
typedef uint32_t control_rights;

#define CONTROL_RIGHT_BIT(right) ((control_rights)1 << (right))

/* The rights of a level; never holds MESSAGE_READ, add it with CONTROL_RIGHT_BIT. */
control_rights control_rights_of(enum control_level level);
bool control_rights_have(control_rights rights, enum control_right right);

/* "queue.view", "administrator"; static text. */
const char *control_right_name(enum control_right right);
const char *control_level_name(enum control_level level);
/* ERR_NOT_FOUND where there is none of that name. */
MUST_CHECK enum err control_right_find(struct span name, enum control_right *out);
MUST_CHECK enum err control_level_find(struct span name, enum control_level *out);

#endif
