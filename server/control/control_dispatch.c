/*
 * control_dispatch.c - which handler answers which method: the front door of this folder.
 *
 * Each row of control_methods.h asks for a control_do_<id> in one of the control_*.c files; a
 * method without one does not link.
 */
#include "server/control/control_call.h"

#define X(id, ...) [CONTROL_##id] = &control_do_##id,
const struct control_handler *const control_handlers[CONTROL_METHOD_COUNT] = {CONTROL_METHODS(X)};
#undef X
