/*
 * yaml_events.h - YAML text to a stream of events; the one place that knows libyaml.
 *
 * It refuses what a configuration has no use for: anchors, aliases, tags, directives, a second
 * document, nesting beyond CONF_DEPTH_MAX (H60). Places are counted in the text as it was given.
 */
#ifndef CONF_YAML_EVENTS_H
#define CONF_YAML_EVENTS_H

#include "proto/base/span.h"

struct yaml_place {
	size_t offset;         /* bytes from the start */
	unsigned line, column; /* from 1; columns count characters. 0: no place */
};

enum yaml_event_kind {
	EVENT_SCALAR,
	EVENT_LIST,
	EVENT_MAP,
	EVENT_END,    /* of the innermost list or map */
	EVENT_FINISH, /* of the text */
	EVENT_BAD,    /* no further event comes; fault says why */
};

struct yaml_event {
	enum yaml_event_kind kind;
	bool flow;        /* [ ] or { } rather than indented */
	bool plain;       /* a scalar without quotes */
	bool block;       /* a scalar of the | or > form */
	struct span text; /* of a scalar; lives until the next event */
	struct yaml_place start, end;
	const char *fault; /* static; not NULL: this is not allowed, but reading goes on */
};

struct yaml_events;

/* TEXT must outlive it. NULL where memory is short. */
struct yaml_events *yaml_events_open(struct span text);
void yaml_events_close(struct yaml_events **events);
void yaml_events_next(struct yaml_events *events, struct yaml_event *out);

#endif
