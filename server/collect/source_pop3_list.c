/*
 * source_pop3_list.c - LIST, then UIDL, as one list of items.
 *
 * Sizes are kept by number until UIDL names the message; both are told together then. What a server numbers twice, or
 * not at all, is told once.
 */
#include <stdlib.h>
#include <string.h>

#include "server/collect/source_pop3.h"

#define LISTED (UINT64_C(1) << 63)
#define TOLD (UINT64_C(1) << 62)
#define SIZE_MASK (TOLD - 1) /* all of it: not known */
#define PLACES_FIRST 1024

void
source_pop3_list_fini(struct source_pop3 *p)
{
	free(p->list.sizes);
	p->list = (struct source_pop3_list){ 0 };
}

void
source_pop3_list_begin(struct source_pop3 *p)
{
	source_pop3_list_fini(p);
}

/* NULL: more messages than we count. */
static uint64_t *
place_of(struct source_pop3 *p, uint32_t number)
{
	struct source_pop3_list *l = &p->list;
	uint32_t places = l->places > 0 ? l->places : PLACES_FIRST;

	if (number > SOURCE_ITEMS_MAX)
		return NULL;
	while (places <= number)
		places *= 2;
	if (places > l->places) {
		l->sizes = realloc(l->sizes, places * sizeof(*l->sizes));
		ENSURE(l->sizes);
		memset(l->sizes + l->places, 0, (places - l->places) * sizeof(*l->sizes));
		l->places = places;
	}
	return &l->sizes[number];
}

static uint64_t
size_at(uint64_t place)
{
	return !(place & LISTED) || (place & SIZE_MASK) == SIZE_MASK ? SOURCE_SIZE_UNKNOWN : place & SIZE_MASK;
}

uint64_t
source_pop3_size(const struct source_pop3 *p, uint32_t number)
{
	return number < p->list.places ? size_at(p->list.sizes[number]) : SOURCE_SIZE_UNKNOWN;
}

void
source_pop3_list_size(struct source_pop3 *p, uint32_t number, uint64_t size)
{
	uint64_t *place = place_of(p, number);

	if (place && !(*place & LISTED))
		*place |= LISTED | (size < SIZE_MASK ? size : SIZE_MASK);
}

static void
tell(struct source_pop3 *p, uint32_t number, uint64_t *place, struct span unique)
{
	struct source_item item = { .number = number, .size = size_at(*place),
		.unique = span_range(unique, 0, SOURCE_UNIQUE_MAX) };

	*place |= TOLD;
	if (p->list.items++ < SOURCE_ITEMS_MAX)
		p->net.source.events->item(&p->net.source, &item);
}

void
source_pop3_list_unique(struct source_pop3 *p, uint32_t number, struct span unique)
{
	uint64_t *place = place_of(p, number);

	if (place && !(*place & TOLD))
		tell(p, number, place, unique);
}

/* Neither LIST nor UIDL: what STAT counts. */
static uint32_t
last_number(const struct source_pop3 *p)
{
	uint32_t places = p->list.places;

	if (places > 0)
		return places - 1 < SOURCE_ITEMS_MAX ? places - 1 : SOURCE_ITEMS_MAX;
	return p->stat_count > SOURCE_ITEMS_MAX ? 0 : (uint32_t)p->stat_count;
}

void
source_pop3_list_go_on(struct source_pop3 *p)
{
	struct source_pop3_list *l = &p->list;
	uint32_t steps = SOURCE_POP3_END_STEP;

	for (; l->ends && l->end_at <= l->last; l->end_at++) {
		uint64_t *place;

		if (steps-- == 0) {
			source_net_defer(&p->net);
			return;
		}
		place = place_of(p, l->end_at);
		if ((l->by_stat || (*place & LISTED)) && !(*place & TOLD))
			tell(p, l->end_at, place, SPAN_NONE);
	}
	if (!l->ends)
		return;
	l->ends = false;
	p->net.source.events->listed(&p->net.source, l->has_unique);
}

void
source_pop3_list_end(struct source_pop3 *p, bool has_unique)
{
	struct source_pop3_list *l = &p->list;

	l->by_stat = l->places == 0;
	l->has_unique = has_unique;
	l->end_at = 1;
	l->last = last_number(p);
	l->ends = true;
	source_pop3_list_go_on(p);
}
