/*
 * search_map.c - a few arrays, the least used of them given back.
 */
#include "server/search/search_map.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/err.h"

#define ROW_BYTES (sizeof(uint32_t) + 2 * sizeof(uint64_t))
#define ROOM_FIRST 256

struct search_maps {
	pthread_mutex_t lock;
	struct search_map *maps[SEARCH_MAPS];
	uint64_t uses;
};

struct search_maps *
search_maps_new(void)
{
	struct search_maps *maps = calloc(1, sizeof(*maps));

	ENSURE(maps); /* out of memory ends the process, see arena.h */
	pthread_mutex_init(&maps->lock, NULL);
	return maps;
}

static void
map_free(struct search_map *map)
{
	free(map->uids);
	free(map->contents);
	free(map->copies);
	free(map);
}

static void
release_locked(struct search_map *map)
{
	if (--map->refs == 0)
		map_free(map);
}

void
search_maps_free(struct search_maps **maps)
{
	if (!*maps)
		return;
	for (size_t i = 0; i < SEARCH_MAPS; i++)
		if ((*maps)->maps[i])
			release_locked((*maps)->maps[i]);
	pthread_mutex_destroy(&(*maps)->lock);
	free(*maps);
	*maps = NULL;
}

static void
take_room(struct search_map *map, size_t room)
{
	map->room = room;
	map->uids = realloc(map->uids, room * sizeof(*map->uids));
	map->contents = realloc(map->contents, room * sizeof(*map->contents));
	map->copies = realloc(map->copies, room * sizeof(*map->copies));
	ENSURE(map->uids && map->contents && map->copies);
}

static struct search_map *
map_copy(const struct search_map *from, uint64_t folder_id)
{
	struct search_map *map = calloc(1, sizeof(*map));

	ENSURE(map);
	map->refs = 1;
	map->folder_id = folder_id;
	if (!from || from->count == 0)
		return map;
	take_room(map, from->count + ROOM_FIRST);
	memcpy(map->uids, from->uids, from->count * sizeof(*map->uids));
	memcpy(map->contents, from->contents, from->count * sizeof(*map->contents));
	memcpy(map->copies, from->copies, from->count * sizeof(*map->copies));
	map->count = from->count;
	map->last_uid = from->last_uid;
	return map;
}

struct search_map *
search_map_get(struct search_maps *maps, uint64_t folder_id, uint32_t last_uid, bool *whole)
{
	struct search_map *map = NULL;

	pthread_mutex_lock(&maps->lock);
	for (size_t i = 0; i < SEARCH_MAPS && !map; i++)
		if (maps->maps[i] && maps->maps[i]->folder_id == folder_id)
			map = maps->maps[i];
	*whole = map && map->last_uid >= last_uid;
	if (map)
		map->used = ++maps->uses;
	if (*whole)
		map->refs++;
	else
		map = map_copy(map, folder_id);
	pthread_mutex_unlock(&maps->lock);
	return map;
}

void
search_map_add(struct search_map *map, uint32_t uid, uint64_t content_id, uint64_t copy_id)
{
	if (map->count == map->room)
		take_room(map, map->room ? 2 * map->room : ROOM_FIRST);
	map->uids[map->count] = uid;
	map->contents[map->count] = content_id;
	map->copies[map->count++] = copy_id;
	map->last_uid = uid;
}

static size_t
map_bytes(const struct search_map *map)
{
	return map ? map->room * ROW_BYTES : 0;
}

/* The place for a map of FOLDER_ID: its old one's, a free one, or the least used one's. */
static struct search_map **
find_place(struct search_maps *maps, uint64_t folder_id)
{
	struct search_map **place = &maps->maps[0];

	for (size_t i = 0; i < SEARCH_MAPS; i++) {
		struct search_map **at = &maps->maps[i];

		if (*at && (*at)->folder_id == folder_id)
			return at;
		if (*place && (!*at || (*at)->used < (*place)->used))
			place = at;
	}
	return place;
}

static void
drop_least_used(struct search_maps *maps, const struct search_map *keep)
{
	struct search_map **least = NULL;

	for (size_t i = 0; i < SEARCH_MAPS; i++) {
		struct search_map **at = &maps->maps[i];

		if (*at && *at != keep && (!least || (*at)->used < (*least)->used))
			least = at;
	}
	release_locked(*least);
	*least = NULL;
}

void
search_map_put(struct search_maps *maps, struct search_map *map)
{
	struct search_map **place;
	size_t bytes = 0, count = 0;

	pthread_mutex_lock(&maps->lock);
	place = find_place(maps, map->folder_id);
	if (*place)
		release_locked(*place);
	*place = map;
	map->refs++;
	map->used = ++maps->uses;
	for (size_t i = 0; i < SEARCH_MAPS; i++) {
		bytes += map_bytes(maps->maps[i]);
		count += maps->maps[i] != NULL;
	}
	while (bytes > SEARCH_MAPS_BYTES && count-- > 1) {
		drop_least_used(maps, map);
		bytes = 0;
		for (size_t i = 0; i < SEARCH_MAPS; i++)
			bytes += map_bytes(maps->maps[i]);
	}
	pthread_mutex_unlock(&maps->lock);
}

void
search_map_release(struct search_maps *maps, struct search_map **map)
{
	if (!*map)
		return;
	pthread_mutex_lock(&maps->lock);
	release_locked(*map);
	pthread_mutex_unlock(&maps->lock);
	*map = NULL;
}
