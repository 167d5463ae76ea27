/*
 * content_script.h - the site's script, of the file rules.content, as it is in force.
 *
 * The front loop puts a text in force that was compiled before; any loop takes a copy of it for a message.
 */
#ifndef SERVER_SCRIPT_CONTENT_SCRIPT_H
#define SERVER_SCRIPT_CONTENT_SCRIPT_H

#include "proto/base/buf.h"
#include "server/host.h"

struct content_script;

struct content_script *content_script_open(void);
void content_script_close(struct content_script **c);

/* Put TEXT in force; empty: there is none. Any thread. */
void content_script_set(struct content_script *c, struct span text);
bool content_script_is_there(const struct host *host);
/* Append it as the item of a script's input. ERR_NOT_FOUND: there is none. Any thread. */
MUST_CHECK enum err content_script_put(const struct host *host, struct buf *out);
/* A copy of the text in A; empty: there is none. */
struct span content_script_text(const struct host *host, struct arena *a);

#endif
