/*
 * lanes.c - two hash tables with chains, and lists.
 */
#include "server/queue/lanes.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"

#define FIRST_SIZE 256 /* places of each table; a power of 2 */

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 31;
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ (x >> 29);
}

static uint64_t
hash_text(uint64_t hash, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)ascii_lower(text.ptr[i])) * UINT64_C(0x100000001b3);
	return mix(hash);
}

static uint64_t
hash_lane(struct span route, struct span hop)
{
	return hash_text(hash_text(UINT64_C(0xcbf29ce484222325), route), hop);
}

static uint64_t
hash_item(uint64_t queue_id, uint32_t recipient_no)
{
	return mix(queue_id * 2654435761u + recipient_no);
}

static void *
table_of(size_t size)
{
	void *table = calloc(size, sizeof(void *));

	ENSURE(table);
	return table;
}

void
lanes_init(struct lanes *l)
{
	*l = (struct lanes){ .table_size = FIRST_SIZE, .known_size = FIRST_SIZE };
	l->table = table_of(FIRST_SIZE);
	l->known = table_of(FIRST_SIZE);
	list_init(&l->first);
	list_init(&l->more);
	list_init(&l->doubtful);
	list_init(&l->paced);
	list_init(&l->refused);
	list_init(&l->filled);
}

static void
leave_line(struct lanes *l, struct lane *lane)
{
	if (!list_is_empty(&lane->turn) && lane->in_first)
		l->first_count--;
	lane->in_first = false;
	list_remove(&lane->turn);
}

static void
lane_free(struct lanes *l, struct lane *lane)
{
	leave_line(l, lane);
	list_remove(&lane->filled_link);
	free(lane->failure);
	free(lane->sizes);
	free(lane);
}

void
lanes_fini(struct lanes *l)
{
	for (size_t i = 0; i < l->known_size; i++) {
		while (l->known[i]) {
			struct item *item = l->known[i];

			l->known[i] = item->hash_next;
			free(item);
		}
	}
	for (size_t i = 0; i < l->table_size; i++) {
		for (struct lane *lane = l->table[i], *next; lane; lane = next) {
			next = lane->hash_next;
			lane_free(l, lane);
		}
	}
	for (struct lane_group *group = l->groups, *next; group; group = next) {
		next = group->next;
		free(group);
	}
	free(l->table);
	free(l->known);
}

/* ---- lanes ---- */

static bool
is_lane(const struct lane *lane, struct span route, struct span hop)
{
	return span_eq_nocase(lane->route, route) && span_eq_nocase(lane->hop, hop);
}

struct lane *
lane_find(const struct lanes *l, struct span route, struct span hop)
{
	struct lane *lane = l->table[hash_lane(route, hop) & (l->table_size - 1)];

	while (lane && !is_lane(lane, route, hop))
		lane = lane->hash_next;
	return lane;
}

static void
grow_lanes(struct lanes *l)
{
	struct lane **old = l->table;
	size_t size = l->table_size;

	l->table_size *= 2;
	l->table = table_of(l->table_size);
	for (size_t place = 0; place < size; place++) {
		for (struct lane *lane = old[place], *next; lane; lane = next) {
			size_t i = hash_lane(lane->route, lane->hop) & (l->table_size - 1);

			next = lane->hash_next;
			lane->hash_next = l->table[i];
			l->table[i] = lane;
		}
	}
	free(old);
}

static struct lane_group *
group_of(struct lanes *l, struct span name)
{
	struct lane_group *group = l->groups;

	while (group && !span_eq_nocase(group->name, name))
		group = group->next;
	if (group)
		return group;
	group = calloc(1, sizeof(*group) + name.len + 1);
	ENSURE(group);
	if (name.len > 0)
		memcpy(group + 1, name.ptr, name.len);
	group->name = (struct span){ (char *)(group + 1), name.len };
	list_init(&group->line);
	list_init(&group->idle);
	group->lanes = l;
	group->next = l->groups;
	l->groups = group;
	return group;
}

struct lane *
lane_of(struct lanes *l, struct span group, struct span route, struct span hop)
{
	struct lane *lane = lane_find(l, route, hop);
	char *names;
	size_t i;

	if (lane)
		return lane;
	if (l->lane_count >= l->table_size)
		grow_lanes(l);
	lane = calloc(1, sizeof(*lane) + route.len + hop.len + 2);
	ENSURE(lane);
	names = (char *)(lane + 1);
	if (route.len > 0)
		memcpy(names, route.ptr, route.len);
	if (hop.len > 0)
		memcpy(names + route.len + 1, hop.ptr, hop.len);
	lane->route = (struct span){ names, route.len };
	lane->hop = (struct span){ names + route.len + 1, hop.len };
	lane->group = group_of(l, group);
	lane->line.last = &lane->line.first;
	lane->limit = 1;
	list_init(&lane->turn);
	list_init(&lane->filled_link);
	list_init(&lane->idle);
	l->lane_count++;
	i = hash_lane(route, hop) & (l->table_size - 1);
	lane->hash_next = l->table[i];
	l->table[i] = lane;
	return lane;
}

struct lane_failure *
lane_failure(struct lane *lane)
{
	if (!lane->failure)
		lane->failure = calloc(1, sizeof(*lane->failure));
	ENSURE(lane->failure);
	return lane->failure;
}

const struct lane_failure *
lane_last_failure(const struct lane *lane)
{
	static const struct lane_failure none;

	return lane->failure ? lane->failure : &none;
}

bool
lane_rests(const struct lane *lane, int64_t now_ms)
{
	return lane->rests_until_ms == INT64_MAX ||
		(lane->rests_until_ms > now_ms && lane->rested == lane->group->lanes->epoch);
}

size_t
lane_room(const struct lanes *l, size_t max)
{
	size_t half = l->item_count < max ? (max - l->item_count) / 2 : 0;

	return half > LANE_ITEMS_MIN ? half : LANE_ITEMS_MIN;
}

/* ---- lines ---- */

void
lane_stand(struct lanes *l, struct lane *lane, struct list *line)
{
	if (!list_is_empty(&lane->turn))
		return;
	list_append(line, &lane->turn);
	lane->in_first = line == &l->first;
	l->first_count += lane->in_first;
}

struct lane *
lane_next(struct lanes *l, struct list *line, bool newest)
{
	struct lane *lane;

	if (list_is_empty(line))
		return NULL;
	lane = LIST_ITEM(newest ? line->prev : line->next, struct lane, turn);
	leave_line(l, lane);
	return lane;
}

/* Where many lanes are known what is empty goes at once: the rows in the store know when they are due. */
static bool
is_forgotten(const struct lanes *l, const struct lane *lane, int64_t now_ms)
{
	return lane->waiting == 0 && lane->connections == 0 && lane->flushes == 0 &&
		(lane->rests_until_ms < now_ms - LANES_KEEP_MS || l->lane_count > LANES_MAX / 4 * 3);
}

void
lanes_sweep(struct lanes *l, int64_t now_ms, size_t places)
{
	if (places == 0 || places > l->table_size)
		places = l->table_size;
	for (size_t i = 0; i < places; i++) {
		struct lane **at = &l->table[l->swept++ & (l->table_size - 1)];

		while (*at) {
			struct lane *lane = *at;

			if (!is_forgotten(l, lane, now_ms)) {
				at = &lane->hash_next;
				continue;
			}
			*at = lane->hash_next;
			lane_free(l, lane);
			l->lane_count--;
		}
	}
}

/* ---- rates ---- */

#define MINUTE_US INT64_C(60000000)

bool
pace_allows(struct pace *pace, int64_t per_minute, int64_t now_ms)
{
	int64_t now_us = now_ms * 1000;

	if (per_minute <= 0)
		return true;
	if (pace->next_us > now_us + MINUTE_US / per_minute) /* the clock was set back */
		pace->next_us = now_us;
	return pace->next_us <= now_us;
}

void
pace_note(struct pace *pace, int64_t per_minute, int64_t now_ms)
{
	int64_t earliest_us = now_ms * 1000 - PACE_BEHIND_US;

	if (per_minute <= 0)
		return;
	if (pace->next_us < earliest_us)
		pace->next_us = earliest_us;
	pace->next_us += MINUTE_US / per_minute;
}

/* ---- items ---- */

const struct item *
item_find(const struct lanes *l, uint64_t queue_id, uint32_t recipient_no)
{
	const struct item *item = l->known[hash_item(queue_id, recipient_no) & (l->known_size - 1)];

	while (item && (item->queue_id != queue_id || item->recipient_no != recipient_no))
		item = item->hash_next;
	return item;
}

static void
know(struct lanes *l, struct item *item)
{
	size_t i = hash_item(item->queue_id, item->recipient_no) & (l->known_size - 1);

	item->hash_next = l->known[i];
	l->known[i] = item;
}

static void
grow_known(struct lanes *l)
{
	struct item **old = l->known;
	size_t size = l->known_size;

	l->known_size *= 2;
	l->known = table_of(l->known_size);
	for (size_t i = 0; i < size; i++) {
		for (struct item *item = old[i], *next; item; item = next) {
			next = item->hash_next;
			know(l, item);
		}
	}
	free(old);
}

static void
add(struct lanes *l, struct lane *lane, struct item_line *line, struct item_name name)
{
	struct item *item = calloc(1, sizeof(*item));

	ENSURE(item);
	if (l->item_count >= l->known_size)
		grow_known(l);
	item->queue_id = name.queue_id;
	item->recipient_no = name.recipient_no;
	know(l, item);
	l->item_count++;
	*line->last = item;
	line->last = &item->next;
	lane->newest_id = name.queue_id;
	lane->waiting++;
	if (list_is_empty(&lane->filled_link))
		list_append(&l->filled, &lane->filled_link);
}

void
item_add(struct lanes *l, struct lane *lane, uint64_t queue_id, uint32_t recipient_no)
{
	add(l, lane, &lane->line, (struct item_name){ queue_id, recipient_no });
}

void
item_add_by_size(struct lanes *l, struct lane *lane, struct item_name name, uint64_t size_bytes)
{
	size_t class = 0;

	if (!lane->sizes) {
		lane->sizes = calloc(LANE_SIZES, sizeof(*lane->sizes));
		ENSURE(lane->sizes);
		for (size_t i = 0; i < LANE_SIZES; i++)
			lane->sizes[i].last = &lane->sizes[i].first;
	}
	while (class < LANE_SIZES - 1 && size_bytes >> (10 + class) > 0)
		class++;
	add(l, lane, &lane->sizes[class], name);
}

/* What came back first, then the smallest. */
static struct item_line *
next_line(struct lane *lane)
{
	struct item_line *line = &lane->line;

	for (size_t i = 0; lane->sizes && !line->first && i < LANE_SIZES; i++)
		line = &lane->sizes[i];
	return line;
}

uint64_t
lane_next_entry(struct lane *lane)
{
	const struct item *item = next_line(lane)->first;

	return item ? item->queue_id : 0;
}

static struct item *
take(struct lane *lane, size_t max, bool one_entry)
{
	struct item_line *line = next_line(lane);
	struct item *first = line->first, *end = first;
	size_t count = 1;

	if (!first || max == 0)
		return NULL;
	while (count < max && end->next &&
		(!one_entry || end->next->queue_id == first->queue_id)) {
		end = end->next;
		count++;
	}
	line->first = end->next;
	end->next = NULL;
	if (!line->first)
		line->last = &line->first;
	lane->waiting -= (unsigned)count;
	return first;
}

struct item *
lane_take(struct lane *lane, size_t max)
{
	return take(lane, max, true);
}

struct item *
lane_take_any(struct lane *lane, size_t max)
{
	return take(lane, max, false);
}

void
lane_give_back(struct lane *lane, struct item *chain)
{
	struct item *end = chain;

	if (!chain)
		return;
	lane->waiting += (unsigned)items_count(chain);
	for (end->is_given = false; end->next; end->is_given = false)
		end = end->next;
	end->next = lane->line.first;
	if (!lane->line.first)
		lane->line.last = &end->next;
	lane->line.first = chain;
}

void
items_forget(struct lanes *l, struct item *chain)
{
	while (chain) {
		struct item *item = chain;
		size_t i = hash_item(item->queue_id, item->recipient_no) & (l->known_size - 1);
		struct item **at = &l->known[i];

		chain = item->next;
		while (*at && *at != item)
			at = &(*at)->hash_next;
		ENSURE(*at == item);
		*at = item->hash_next;
		l->item_count--;
		free(item);
	}
}

void
lane_forget(struct lanes *l, struct lane *lane)
{
	while (lane->waiting > 0)
		items_forget(l, lane_take_any(lane, lane->waiting));
}

size_t
items_count(const struct item *chain)
{
	size_t count = 0;

	for (; chain; chain = chain->next)
		count++;
	return count;
}
