/*
 * control_fields.h - records with a table of fields (store/fields.h) as JSON, and back.
 */
#ifndef SERVER_CONTROL_CONTROL_FIELDS_H
#define SERVER_CONTROL_CONTROL_FIELDS_H

#include "server/control/control_call.h"
#include "store/fields.h"

/*
 * Every field that is shown, as members of the open object: texts as strings, lists and bits as
 * arrays, flags as true or false, times as RFC 3339 (null where there is none). Never a secret
 * (H66); ids are their owner's business. HIDES
 * says which are left out; NULL: none.
 */
void control_put_fields(struct json_writer *w, const struct field_table *table, const void *object,
	bool (*hides)(struct span name));

size_t control_characters(struct span text); /* of UTF-8 */

/* Set one KEY=VALUE of OBJECT; fails the call with the key as its field. */
MUST_CHECK enum err control_set_field(struct control_call *call, const struct field_table *table,
	void *object, const struct rpc_pair *pair);

#endif
