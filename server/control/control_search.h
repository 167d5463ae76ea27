/*
 * control_search.h - figures of the index of words, for `search status` and `status`.
 */
#ifndef SERVER_CONTROL_CONTROL_SEARCH_H
#define SERVER_CONTROL_CONTROL_SEARCH_H

#include "proto/base/json.h"
#include "server/host.h"

/* Members of an object that is open. */
void control_put_search(struct json_writer *w, const struct host *host);

#endif
