/*
 * conf_shapes.h - the rows of each kind of item, found by the type of the list that holds them.
 */
#ifndef CONF_CONF_SHAPES_H
#define CONF_CONF_SHAPES_H

#include "conf/conf.h"

struct conf_shape {
	const struct setting *rows;
	size_t count;
	size_t size; /* of one item in C; its first member is uint64_t given */
};

/* Only for types of which setting_is_shape() is true. */
const struct conf_shape *conf_shape_of(enum setting_type type);
/* What all struct conf_routes, conf_collectors, ... have in common. */
struct conf_items {
	const void *items;
	size_t count;
};

/* The row of KEY among ROWS, or NULL. */
const struct setting *setting_find(const struct setting *rows, size_t count, struct span key);
/* Does some key of struct conf begin with KEY and a dot? */
bool setting_is_section(struct span key);
/* A row without a default of its own: it must be given. */
bool setting_is_required(const struct setting *row);

/*
 * The row that a dotted key leads to, also inside items ("services.smtp.listen",
 * "outgoing.routes.isp.tls"), without looking whether there is such an item. NULL: no such setting.
 * *is_item where it names an item as a whole ("services.smtp"); the row is then that of the list.
 */
const struct setting *setting_of_path(struct span path, bool *is_item);

#endif
