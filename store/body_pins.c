/*
 * body_pins.c - open addressing with linear probing; a removed slot is filled from behind it.
 *
 * It holds at most one entry a session that is just sending, so it stays small.
 */
#include "store/body_pins.h"

#include <stdlib.h>

#include "proto/base/err.h"

#define FIRST_ROOM 64

void
body_pins_init(struct body_pins *pins)
{
	*pins = (struct body_pins){ .room = FIRST_ROOM };
	pthread_mutex_init(&pins->lock, NULL);
	pins->slots = calloc(pins->room, sizeof(*pins->slots));
	ENSURE(pins->slots);
}

void
body_pins_fini(struct body_pins *pins)
{
	pthread_mutex_destroy(&pins->lock);
	free(pins->slots);
}

static size_t
home_of(const struct body_pins *pins, uint64_t body_id)
{
	return (size_t)(body_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (pins->room - 1);
}

/* The slot of BODY_ID, or the empty one where it would go. */
static struct body_pin_slot *
slot_of(struct body_pins *pins, uint64_t body_id)
{
	size_t at = home_of(pins, body_id);

	while (pins->slots[at].count && pins->slots[at].body_id != body_id)
		at = (at + 1) & (pins->room - 1);
	return &pins->slots[at];
}

static void
grow(struct body_pins *pins)
{
	struct body_pin_slot *old = pins->slots;
	size_t old_room = pins->room;

	pins->room *= 2;
	pins->slots = calloc(pins->room, sizeof(*pins->slots));
	ENSURE(pins->slots); /* out of memory ends the process, see arena.h */
	for (size_t i = 0; i < old_room; i++)
		if (old[i].count)
			*slot_of(pins, old[i].body_id) = old[i];
	free(old);
}

void
body_pins_add(struct body_pins *pins, uint64_t body_id)
{
	struct body_pin_slot *slot;

	pthread_mutex_lock(&pins->lock);
	if (pins->used * 2 >= pins->room)
		grow(pins);
	slot = slot_of(pins, body_id);
	slot->body_id = body_id;
	if (slot->count++ == 0)
		pins->used++;
	pthread_mutex_unlock(&pins->lock);
}

/* Empty the slot at HOLE, then let those behind it move up, so that probing still finds them. */
static void
close_gap(struct body_pins *pins, size_t hole)
{
	size_t mask = pins->room - 1;

	pins->slots[hole].count = 0;
	for (size_t at = (hole + 1) & mask; pins->slots[at].count; at = (at + 1) & mask) {
		struct body_pin_slot moved = pins->slots[at];

		pins->slots[at].count = 0;
		*slot_of(pins, moved.body_id) = moved;
	}
}

void
body_pins_remove(struct body_pins *pins, uint64_t body_id)
{
	struct body_pin_slot *slot;

	pthread_mutex_lock(&pins->lock);
	slot = slot_of(pins, body_id);
	ENSURE(slot->count > 0);
	if (--slot->count == 0) {
		pins->used--;
		close_gap(pins, (size_t)(slot - pins->slots));
	}
	pthread_mutex_unlock(&pins->lock);
}

bool
body_pins_has(struct body_pins *pins, uint64_t body_id)
{
	bool has;

	pthread_mutex_lock(&pins->lock);
	has = slot_of(pins, body_id)->count > 0;
	pthread_mutex_unlock(&pins->lock);
	return has;
}
