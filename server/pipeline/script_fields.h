/*
 * script_fields.h - which fields of a header a script may set; asked by the child and by the server.
 */
#ifndef SERVER_PIPELINE_SCRIPT_FIELDS_H
#define SERVER_PIPELINE_SCRIPT_FIELDS_H

#include "proto/base/span.h"

#define SCRIPT_FIELD_NAME_MAX 76 /* bytes */

/*
 * A field name (RFC 5322, 3.6.8), and none that says how the message came, how its body is to be read, who
 * vouches for it, or what later code believes (H13).
 */
bool script_field_may_be_set(struct span name);

#endif
