/*
 * wheel.h - deadlines in a ring of slots: setting and clearing is O(1) and needs no system call.
 *
 * A slot holds what is due in its tick, in this round or a later one. Ten thousand idle sessions
 * are looked at once a round each. Pure: time comes from the caller.
 */
#ifndef SERVER_NET_WHEEL_H
#define SERVER_NET_WHEEL_H

#include <stdint.h>

#include "proto/base/list.h"

#define WHEEL_SLOTS 1024   /* x LOOP_TICK_MS: a round of 16 s */
#define WHEEL_NEVER INT64_MAX

struct wheel {
	struct list slots[WHEEL_SLOTS];
	int64_t tick_ms;
	int64_t done_tick; /* all due up to it have been taken */
};

void wheel_init(struct wheel *w, int64_t tick_ms, int64_t now_ms);

/* LINK is of something due at DUE_MS; a link that is in a slot already is moved. Returns the time
 * at which wheel_take() must be called. */
int64_t wheel_put(struct wheel *w, struct list *link, int64_t due_ms);

/* Move what is due at NOW_MS to the end of DUE; DUE_MS_OF reads a link's deadline. */
void wheel_take(struct wheel *w, int64_t now_ms, int64_t (*due_ms_of)(const struct list *),
	struct list *due);

/* When to call wheel_take() next (perhaps for nothing); WHEEL_NEVER where all slots are empty. */
int64_t wheel_next_ms(const struct wheel *w);

#endif
