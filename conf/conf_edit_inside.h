/*
 * conf_edit_inside.h - what the files of conf_edit share: conf_edit.c (keys), conf_edit_list.c (items of
 * lists), conf_edit_block.c (new items, one key a line).
 */
#ifndef CONF_CONF_EDIT_INSIDE_H
#define CONF_CONF_EDIT_INSIDE_H

#include "conf/conf_edit.h"
#include "conf/yaml_tree.h"

struct patch {
	size_t from, to; /* bytes of the old text that go */
	struct span text;
};

struct editing {
	struct arena arena;
	struct span text;
	struct yaml_tree tree;
	struct conf_faults *faults;
};

/* Where a dotted path ends in the tree. */
struct spot {
	struct yaml_node *parent; /* the innermost map or list that is there; NULL: an empty text */
	struct yaml_node *before; /* the key, or the item, that holds PARENT; NULL at the top */
	struct yaml_node *found;  /* a key of PARENT, or an item of it; NULL: not there */
	struct yaml_node *previous;
	struct span rest; /* steps that are not there, dotted */
};

/* ---- conf_edit.c ---- */

/* Just behind the colon of KEY; where it has none, behind the key. */
size_t edit_colon_end(const struct editing *e, const struct yaml_node *key);
/* Behind a key with its value, or behind an item. */
size_t edit_pair_end(const struct editing *e, const struct yaml_node *node);
size_t edit_line_start(const struct editing *e, size_t at);
/* Behind the LF of the line that holds AT, or the end of the text. */
size_t edit_line_end(const struct editing *e, size_t at);
/* "\n" or "\r\n": that of the first line. */
struct span edit_line_ending(const struct editing *e);
/* No word that YAML does not read as itself, or that another reader might not. */
bool edit_is_plain(struct span text);

/* ---- conf_edit_list.c ---- */

/* The dash of an item of a list in lines. */
size_t edit_dash_of(const struct editing *e, const struct yaml_node *item);
/* One more item at the end of LIST. */
struct patch edit_append(struct editing *e, const struct yaml_node *list, struct span value);
/* ITEM of LIST stands at PLACE, from 1, the others in their order around it. */
struct patch edit_move(struct editing *e, const struct yaml_node *list,
	const struct yaml_node *item, size_t place);

/* ---- conf_edit_block.c ---- */

/*
 * VALUE, an item or else a list of items, one line of JSON or YAML, becomes lines at PATH. False: the text has no room
 * for lines there, or VALUE is neither.
 */
bool edit_write_lines(
	struct editing *e, struct span path, struct span value, bool is_item, struct patch *out);

#endif
