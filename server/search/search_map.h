/*
 * search_map.h - which content a uid of a folder names, remembered for a while.
 *
 * An entry names a copy and the copy its content: to look each up costs 100 ms for 100,000 messages, and the
 * index answers with contents in 2. What a uid names never changes, so a map may be old: it only ends
 * earlier. Maps are shared, counted, and never change; the least used go at SEARCH_MAPS_BYTES.
 */
#ifndef SERVER_SEARCH_SEARCH_MAP_H
#define SERVER_SEARCH_SEARCH_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEARCH_MAPS 64                /* folders */
#define SEARCH_MAPS_BYTES (32u << 20) /* of all together; one folder alone may have it all */

struct search_map {
	unsigned refs; /* under the lock of the maps */
	uint64_t folder_id;
	uint64_t used; /* when, in uses */
	uint32_t last_uid; /* all messages up to here are in it */
	size_t count, room;
	uint32_t *uids; /* rising */
	uint64_t *contents, *copies;
};

struct search_maps;
struct search_maps *search_maps_new(void);
void search_maps_free(struct search_maps **maps);

/*
 * A copy of the map of FOLDER_ID to be added to, or the map itself where LAST_UID is in it already (*whole). Never NULL;
 * an empty one where none is known. Any thread.
 */
struct search_map *search_map_get(
	struct search_maps *maps, uint64_t folder_id, uint32_t last_uid, bool *whole);
void search_map_add(struct search_map *map, uint32_t uid, uint64_t content_id, uint64_t copy_id);
/* MAP, got and added to, is what others get from now on; it may not be added to any more. */
void search_map_put(struct search_maps *maps, struct search_map *map);
void search_map_release(struct search_maps *maps, struct search_map **map);

#endif
