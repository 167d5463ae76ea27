/*
 * yaml_tree.c - events put together to nodes, with a stack of its own.
 */
#include "conf/yaml_tree.h"

struct builder {
	struct yaml_tree *tree;
	struct arena *arena;
	struct conf_faults *faults;
	struct yaml_node *open[CONF_DEPTH_MAX];
	struct yaml_node *key[CONF_DEPTH_MAX]; /* in a map: the key that waits for its value */
	size_t depth;
	size_t nodes;
	bool is_bad;
	bool over_limit;
};

static void
fault(struct builder *b, struct yaml_place at, const char *text)
{
	conf_fault_add(b->faults, at, SPAN_NONE, "%s", text);
	b->is_bad = true;
}

static void
append(struct yaml_node *parent, struct yaml_node *node)
{
	if (parent->last != NULL)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->count++;
}

static void
add_key(struct builder *b, struct yaml_node *map, struct yaml_node *key)
{
	const struct yaml_node *same = NULL;

	if (key->kind != NODE_SCALAR)
		fault(b, key->start, "a key must be a word");
	else
		same = yaml_find_key(map, key->text);
	if (same != NULL) {
		conf_fault_add(b->faults, key->start, key->text, "duplicate key, first on line %u",
			same->start.line);
		b->is_bad = true;
	}
	append(map, key);
	if (map->count > CONF_KEYS_MAX) {
		fault(b, key->start, "too many keys");
		b->over_limit = true;
	}
}

/* Hang NODE where it belongs: root, item, key or value. */
static void
add(struct builder *b, struct yaml_node *node)
{
	struct yaml_node *parent;

	if (b->depth == 0) {
		b->tree->root = node;
		return;
	}
	parent = b->open[b->depth - 1];
	if (parent->kind == NODE_LIST) {
		append(parent, node);
	} else if (b->key[b->depth - 1] == NULL) {
		add_key(b, parent, node);
		b->key[b->depth - 1] = node;
	} else {
		b->key[b->depth - 1]->value = node;
		b->key[b->depth - 1] = NULL;
	}
}

/* A | scalar is said to end behind the line breaks that follow it. */
static void
trim_end(const struct builder *b, struct yaml_node *node)
{
	while (node->end.offset > node->start.offset &&
		span_find(SPAN(" \t\r\n"), b->tree->text.ptr[node->end.offset - 1]) < 4)
		node->end.offset--;
}

static struct yaml_node *
new_node(struct builder *b, const struct yaml_event *event)
{
	struct yaml_node *node = ARENA_NEW(b->arena, struct yaml_node);

	node->kind = event->kind == EVENT_SCALAR ? NODE_SCALAR
		     : event->kind == EVENT_LIST ? NODE_LIST
						 : NODE_MAP;
	node->flow = event->flow;
	node->plain = event->plain;
	node->block = event->block;
	node->before = b->tree->latest;
	b->tree->latest = node;
	node->start = event->start;
	node->end = event->end;
	if (event->kind == EVENT_SCALAR)
		node->text = arena_copy(b->arena, event->text);
	if (event->block)
		trim_end(b, node);
	if (event->fault != NULL)
		fault(b, event->start, event->fault);
	if (++b->nodes > CONF_NODES_MAX) {
		fault(b, event->start, "too many values");
		b->over_limit = true;
	}
	return node;
}

static void
close_node(struct builder *b, const struct yaml_event *event)
{
	struct yaml_node *node = b->open[--b->depth];
	const struct yaml_node *last = node->last;

	if (last != NULL && last->value != NULL && last->value->end.offset > last->end.offset)
		last = last->value;
	if (node->flow || last == NULL)
		node->end = event->end;
	else
		node->end = last->end;
}

static void
take(struct builder *b, const struct yaml_event *event)
{
	struct yaml_node *node;

	if (event->kind == EVENT_END) {
		close_node(b, event);
		return;
	}
	node = new_node(b, event);
	add(b, node);
	if (node->kind != NODE_SCALAR) {
		b->open[b->depth] = node;
		b->key[b->depth++] = NULL;
	}
}

static void
read_all(struct builder *b, struct yaml_events *events)
{
	struct yaml_event event;

	for (yaml_events_next(events, &event); event.kind != EVENT_FINISH && !b->over_limit;
		yaml_events_next(events, &event)) {
		if (event.kind == EVENT_BAD) {
			fault(b, event.start, event.fault);
			return;
		}
		take(b, &event);
	}
}

enum err
yaml_tree_build(
	struct span text, struct arena *a, struct yaml_tree *out, struct conf_faults *faults)
{
	struct builder b = { .tree = out, .arena = a, .faults = faults };
	struct yaml_events *events;

	*out = (struct yaml_tree){ .text = text.ptr ? text : SPAN("") };
	if (text.len > CONF_FILE_MAX) {
		conf_fault_add(faults, (struct yaml_place){ .line = 1, .column = 1 }, SPAN_NONE,
			"longer than %d bytes", CONF_FILE_MAX);
		return ERR_LIMIT;
	}
	events = yaml_events_open(text);
	ENSURE(events != NULL);
	read_all(&b, events);
	yaml_events_close(&events);
	if (out->root != NULL && yaml_is_null(out->root))
		out->root = NULL;
	return b.over_limit ? ERR_LIMIT : b.is_bad ? ERR_SYNTAX : OK;
}

bool
yaml_is_null(const struct yaml_node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
	       (node->text.len == 0 || span_eq(node->text, SPAN("~")) ||
		       span_eq_nocase(node->text, SPAN("null")));
}

struct yaml_node *
yaml_find_key(const struct yaml_node *map, struct span key)
{
	for (struct yaml_node *at = map->first; at != NULL; at = at->next)
		if (at->kind == NODE_SCALAR && span_eq(at->text, key))
			return at;
	return NULL;
}

static bool
is_named(const struct yaml_node *item, struct span name)
{
	const struct yaml_node *key;

	if (item->kind != NODE_MAP)
		return false;
	key = yaml_find_key(item, SPAN("name"));
	return key != NULL && key->value != NULL && key->value->kind == NODE_SCALAR &&
	       span_eq(key->value->text, name);
}

struct yaml_node *
yaml_find_item(const struct yaml_node *list, struct span step)
{
	uint64_t place = 0;
	bool by_place = span_u64(step, CONF_NODES_MAX, &place) == OK;

	for (struct yaml_node *at = list->first; at != NULL; at = at->next)
		if (is_named(at, step))
			return at;
	for (struct yaml_node *at = list->first; by_place && at != NULL; at = at->next)
		if (place-- == 0)
			return at;
	return NULL;
}

struct yaml_node *
yaml_find(const struct yaml_tree *tree, struct span path)
{
	struct yaml_node *at = tree->root;
	struct span step;

	while (at != NULL && path.len > 0) {
		span_cut(path, '.', &step, &path);
		if (at->kind == NODE_MAP) {
			at = yaml_find_key(at, step);
			at = at != NULL ? at->value : NULL;
		} else {
			at = at->kind == NODE_LIST ? yaml_find_item(at, step) : NULL;
		}
	}
	return at;
}

struct yaml_place
yaml_place_of(const struct yaml_tree *tree, struct span path)
{
	const struct yaml_node *node = tree != NULL ? yaml_find(tree, path) : NULL;

	return node != NULL ? node->start : (struct yaml_place){ 0 };
}
