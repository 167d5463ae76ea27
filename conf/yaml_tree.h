/*
 * yaml_tree.h - a configuration text as nodes with their places, bounded in number and depth.
 *
 * Built from events, since values are looked at twice: by the loader, and by the editor that needs
 * to know where they stand. Nodes live in the arena that was given.
 */
#ifndef CONF_YAML_TREE_H
#define CONF_YAML_TREE_H

#include "conf/conf_faults.h"
#include "conf/yaml_events.h"
#include "proto/base/arena.h"

enum yaml_node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct yaml_node {
	enum yaml_node_kind kind;
	bool flow, plain, block;
	struct span text;             /* of a scalar, escapes resolved */
	struct yaml_place start, end; /* end: of the last thing in it, not of the blanks behind */
	struct yaml_node *value;      /* of a key; NULL for all else */
	struct yaml_node *next;       /* the next item, or the next key */
	struct yaml_node *first, *last;
	size_t count;
	struct yaml_node *before; /* the node that was made before this one */
};

struct yaml_tree {
	struct span text;
	struct yaml_node *root; /* NULL: there is nothing but comments */
	struct yaml_node *latest;
};

/*
 * ERR_SYNTAX: at least one fault was added; what was read before it is in *out. ERR_LIMIT: too long
 * (CONF_FILE_MAX), too many nodes or keys, too deep. Nodes' texts are copies in A.
 */
MUST_CHECK enum err yaml_tree_build(
	struct span text, struct arena *a, struct yaml_tree *out, struct conf_faults *faults);

/* The scalar that is written as nothing, null or ~. */
bool yaml_is_null(const struct yaml_node *node);

/* The key node in MAP, or NULL. */
struct yaml_node *yaml_find_key(const struct yaml_node *map, struct span key);
/* Item STEP of LIST: by place, or the map whose `name` is STEP. NULL. */
struct yaml_node *yaml_find_item(const struct yaml_node *list, struct span step);
/* The value at a dotted PATH, NULL where there is none. */
struct yaml_node *yaml_find(const struct yaml_tree *tree, struct span path);
/* Where it stands; no place where TREE is NULL or has no such key. */
struct yaml_place yaml_place_of(const struct yaml_tree *tree, struct span path);

#endif
