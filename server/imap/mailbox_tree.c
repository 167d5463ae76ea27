/*
 * mailbox_tree.c - sort the names of LIST in steps, then walk their levels.
 */
#include "server/imap/mailbox_tree.h"

#include <stdlib.h>
#include <string.h>

void
mailbox_tree_init(struct mailbox_tree *t, struct arena *a, unsigned select, bool recursive)
{
	*t = (struct mailbox_tree){ .arena = a, .select = select, .recursive = recursive };
}

/* ---- gathering ---- */

static void
grow(struct mailbox_tree *t)
{
	size_t room = t->room ? 4 * t->room : 64;
	struct mailbox_node *nodes = ARENA_ARRAY(t->arena, struct mailbox_node, room);

	if (t->count > 0)
		memcpy(nodes, t->nodes, t->count * sizeof(*nodes));
	t->nodes = nodes;
	t->room = room;
}

enum err
mailbox_tree_add(struct mailbox_tree *t, const struct mailbox_node *node)
{
	if (t->count == TREE_NODES_MAX)
		return ERR_LIMIT;
	if (t->count == t->room)
		grow(t);
	t->nodes[t->count++] = *node;
	return OK;
}

/* ---- order ---- */

int
mailbox_name_cmp(struct span a, struct span b)
{
	size_t shorter = a.len < b.len ? a.len : b.len, i = 0;

	while (i < shorter && a.ptr[i] == b.ptr[i])
		i++;
	if (i == shorter)
		return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
	if (a.ptr[i] == '/' || b.ptr[i] == '/')
		return a.ptr[i] == '/' ? -1 : 1;
	return (unsigned char)a.ptr[i] < (unsigned char)b.ptr[i] ? -1 : 1;
}

bool
mailbox_name_is_under(struct span name, struct span parent)
{
	return name.len > parent.len && name.ptr[parent.len] == '/' && span_starts(name, parent);
}

static int
node_cmp(const void *a, const void *b)
{
	const struct mailbox_node *x = a, *y = b;

	return mailbox_name_cmp(x->name, y->name);
}

/* Two neighbouring runs of FROM, up to WIDTH each, into one of TO. */
static void
merge_runs(const struct mailbox_tree *t, size_t start)
{
	size_t middle = start + t->width < t->count ? start + t->width : t->count;
	size_t end = middle + t->width < t->count ? middle + t->width : t->count;
	size_t a = start, b = middle;

	for (size_t at = start; at < end; at++) {
		bool first = b == end || (a < middle && node_cmp(&t->nodes[a], &t->nodes[b]) <= 0);

		t->other[at] = t->nodes[first ? a++ : b++];
	}
}

static void
merge_pass(struct mailbox_tree *t)
{
	struct mailbox_node *from = t->nodes;

	if (!t->other)
		t->other = ARENA_ARRAY(t->arena, struct mailbox_node, t->room);
	for (size_t start = 0; start < t->count; start += 2 * t->width)
		merge_runs(t, start);
	t->nodes = t->other;
	t->other = from;
	t->width *= 2;
}

/* A folder that is subscribed came twice. */
static void
join_doubles(struct mailbox_tree *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i++) {
		struct mailbox_node *node = &t->nodes[i], *last = kept ? &t->nodes[kept - 1] : NULL;

		if (!last || !span_eq(last->name, node->name)) {
			t->nodes[kept++] = *node;
			continue;
		}
		node->subscribed |= last->subscribed;
		last->subscribed = node->subscribed;
		if (last->folder_id == 0)
			*last = *node;
	}
	t->count = kept;
}

bool
mailbox_tree_sort_step(struct mailbox_tree *t)
{
	size_t left = t->count - t->sorted;

	if (left > 0) {
		size_t run = left < TREE_RUN ? left : TREE_RUN;

		qsort(t->nodes + t->sorted, run, sizeof(*t->nodes), node_cmp);
		t->sorted += run;
		return true;
	}
	if (t->width == 0)
		t->width = TREE_RUN;
	if (t->width < t->count) {
		merge_pass(t);
		return true;
	}
	join_doubles(t);
	t->sorted = t->count;
	return false;
}

/* ---- walking ---- */

void
mailbox_walk_init(struct mailbox_walk *walk, const struct mailbox_tree *t,
	bool (*matches)(const void *arg, struct span name), const void *arg)
{
	*walk = (struct mailbox_walk){ .tree = t, .matches = matches, .arg = arg };
}

static bool
is_selected(const struct mailbox_tree *t, const struct mailbox_node *node)
{
	if ((t->select & TREE_SUBSCRIBED) && !node->subscribed)
		return false;
	if ((t->select & TREE_SPECIAL_USE) && (node->folder_id == 0 || node->uses == 0))
		return false;
	return t->select != 0 || node->folder_id != 0;
}

/* Bytes that A and B begin with alike. */
static size_t
common_length(struct span a, struct span b)
{
	size_t i = 0;

	while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i])
		i++;
	return i;
}

/* The first level of the node that the one before it has not: where its walk begins. */
static size_t
first_level(const struct mailbox_tree *t, size_t at)
{
	struct span name = t->nodes[at].name, before;
	size_t common, level;

	if (at == 0)
		return span_find(name, '/');
	before = t->nodes[at - 1].name;
	common = common_length(before, name);
	for (level = span_find(name, '/'); level < name.len;
		level += 1 + span_find(span_from(name, level + 1), '/'))
		if (level > common || (level == common && before.len > common))
			break;
	return level;
}

/* What lies beneath the item, in the nodes from AT on. */
static void
look_beneath(const struct mailbox_tree *t, size_t at, size_t *looks, struct mailbox_item *item)
{
	bool alone = false; /* one of them is selected and not shown itself */

	for (; at < t->count && mailbox_name_is_under(t->nodes[at].name, item->name); at++) {
		const struct mailbox_node *node = &t->nodes[at];
		bool selected = t->recursive && is_selected(t, node);

		*looks -= *looks > 0;
		item->has_children |= node->folder_id != 0;
		item->child_info |= selected;
		alone |= selected && !node->matches;
		if (item->has_children && (!t->recursive || alone))
			break;
	}
	if (!item->selected && !alone) /* RFC 5258, 3.5 */
		item->child_info = false;
}

/* Is it shown? The levels of a name count for nothing where only folders themselves are asked for. */
static bool
is_shown(const struct mailbox_tree *t, const struct mailbox_item *item)
{
	if (item->selected)
		return true;
	return t->select == 0 ? item->has_children : t->recursive && item->child_info;
}

static bool
item_matches(const struct mailbox_walk *walk, const struct mailbox_item *item)
{
	return item->node ? item->node->matches : walk->matches(walk->arg, item->name);
}

bool
mailbox_walk_next(struct mailbox_walk *walk, size_t *looks, struct mailbox_item *item)
{
	const struct mailbox_tree *t = walk->tree;

	while (walk->at < t->count && *looks > 0) {
		const struct mailbox_node *node = &t->nodes[walk->at];
		size_t beneath = walk->at;

		if (walk->level == 0)
			walk->level = first_level(t, walk->at);
		*item = (struct mailbox_item){ .name = span_range(node->name, 0, walk->level) };
		if (walk->level == node->name.len) {
			item->node = node;
			item->selected = is_selected(t, node);
			beneath = ++walk->at;
			walk->level = 0;
		} else {
			walk->level += 1 + span_find(span_from(node->name, walk->level + 1), '/');
		}
		--*looks;
		if (!item_matches(walk, item))
			continue;
		look_beneath(t, beneath, looks, item);
		if (is_shown(t, item))
			return true;
	}
	return false;
}
