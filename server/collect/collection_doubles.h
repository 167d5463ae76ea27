/*
 * collection_doubles.h - the messages of one session, by the key that doubles have in common (INM-21): a hash table.
 */
#ifndef SERVER_COLLECT_COLLECTION_DOUBLES_H
#define SERVER_COLLECT_COLLECTION_DOUBLES_H

#include <stdbool.h>
#include <stddef.h>

#include "server/pipeline/collected_header.h"

#define COLLECTION_DOUBLES_MAX 100000 /* messages of one session among which doubles are looked for */

struct collection_doubles {
	unsigned char (*keys)[COLLECTED_DOUBLE_SIZE]; /* of ROOM places, a power of two; all zero: free */
	size_t count, room;
};

enum doubles_add {
	DOUBLES_ADDED,
	DOUBLES_THERE, /* it was there already */
	DOUBLES_FULL,
};

enum doubles_add collection_doubles_add(
	struct collection_doubles *d, const unsigned char key[COLLECTED_DOUBLE_SIZE]);
/* KEY is there. */
void collection_doubles_remove(struct collection_doubles *d, const unsigned char key[COLLECTED_DOUBLE_SIZE]);
void collection_doubles_fini(struct collection_doubles *d);

#endif
