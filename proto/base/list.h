/*
 * list.h - a ring of links that are embedded in the structs they link; no node is allocated.
 *
 * A list head is a struct list of its own. A link that is in no list points to itself, so removing
 * twice does no harm.
 */
#ifndef PROTO_BASE_LIST_H
#define PROTO_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(head) { &(head), &(head) }

/* The struct of type TYPE whose member MEMBER is LINK. */
#define LIST_ITEM(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* AT may be removed inside the loop, others may not. */
#define list_for_each(at, following, head) \
	for ((at) = (head)->next, (following) = (at)->next; (at) != (head); \
		(at) = (following), (following) = (at)->next)

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void
list_insert_before(struct list *at, struct list *link)
{
	link->prev = at->prev;
	link->next = at;
	at->prev->next = link;
	at->prev = link;
}

static inline void
list_append(struct list *head, struct list *link)
{
	list_insert_before(head, link);
}

static inline void
list_prepend(struct list *head, struct list *link)
{
	list_insert_before(head->next, link);
}

static inline void
list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* The first link, taken out; NULL where the list is empty. */
static inline struct list *
list_take_first(struct list *head)
{
	struct list *link = head->next;

	if (link == head)
		return NULL;
	list_remove(link);
	return link;
}

/* Move all links of FROM to the end of TO. */
static inline void
list_move_all(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#endif
