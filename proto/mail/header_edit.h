/*
 * header_edit.h - changes to a header section: addresses replaced where they stand, fields set or removed.
 *
 * Pure. What is not changed stays byte for byte, folds, comments and display names too. Time in step with
 * the header's length (and what MAP takes).
 */
#ifndef PROTO_MAIL_HEADER_EDIT_H
#define PROTO_MAIL_HEADER_EDIT_H

#include "proto/mail/header.h"

/* What ADDRESS, an addr-spec as it stands there, becomes; ptr NULL: it stays. */
typedef struct span header_map(void *arg, struct span address);

/*
 * Append HEADER with the addresses of the fields NAMES (any letter case) mapped, of all together the first
 * MAX. ERR_LIMIT: OUT is full, or there are more than MAX.
 */
struct header_addresses {
	const struct span *names;
	size_t name_count, max;
	header_map *map;
	void *arg;
};
MUST_CHECK enum err header_put_mapped(
	struct buf *out, struct span header, const struct header_addresses *addresses);

/* "Field: data", or "Field:" to remove it (HDR-01). */
struct header_modifier {
	struct span name, value; /* value empty: remove */
	bool found;              /* by header_put_modified(): the header has such a field */
};
/* ERR_SYNTAX: no field name, or a control in the data. Spans point into LINE. */
MUST_CHECK enum err header_modifier_parse(struct span line, struct header_modifier *out);

/* The data's %O, %N and %% filled in (HDR-01); other '%' stay. Lives in A. */
struct header_originator {
	struct span address, name;
};
struct span header_modifier_fill(
	struct arena *a, struct span value, const struct header_originator *from);

/*
 * Append HEADER with each modifier carried out: the first field of that name is replaced and the others go;
 * where there is none it is added at the end. Of two modifiers of one field the later counts. ERR_SYNTAX, ERR_LIMIT as header_put_text().
 */
MUST_CHECK enum err header_put_modified(
	struct buf *out, struct span header, struct header_modifier *modifiers, size_t count);

#endif
