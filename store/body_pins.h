/*
 * body_pins.h - a count for each body that a reply is just being sent from; in memory, any thread.
 */
#ifndef STORE_BODY_PINS_H
#define STORE_BODY_PINS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct body_pin_slot {
	uint64_t body_id;
	uint32_t count;
};

struct body_pins {
	pthread_mutex_t lock;
	struct body_pin_slot *slots; /* open addressing, a power of two */
	size_t room, used;
};

struct store;
struct body_pins *store_body_pins(struct store *store);

void body_pins_init(struct body_pins *pins);
void body_pins_fini(struct body_pins *pins);
void body_pins_add(struct body_pins *pins, uint64_t body_id);
void body_pins_remove(struct body_pins *pins, uint64_t body_id);
bool body_pins_has(struct body_pins *pins, uint64_t body_id);

#endif
