/*
 * params.h - the parameters of one call: a JSON object that is put together, sent, and wiped.
 *
 *     params_begin --> json_put_member_...(&p.w) --> params_send or params_do; or params_end, then params_fini
 */
#ifndef TUI_PARAMS_H
#define TUI_PARAMS_H

#include "proto/base/json.h"
#include "tui/server_link.h"

struct console;

struct params {
	struct buf text; /* CONTROL_LINE_MAX bytes at most */
	struct json_writer w;
};

void params_begin(struct params *p);
/* Ask for METHOD. False: there is no server, or it is too much; DONE is not called then. */
bool params_send(struct params *p, struct server_link *link, const char *method, link_done *done, void *owner);
/* As a key of a screen does it: at once or after a preview, by its guard. */
void params_do(struct params *p, struct console *c, const char *method);

/* The object is whole, in p->text. ERR_LIMIT: it is not. */
MUST_CHECK enum err params_end(struct params *p);
void params_fini(struct params *p);

#endif
