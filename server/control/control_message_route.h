/*
 * control_message_route.h - `message move|copy --routed`: steps of these calls (USR-40).
 */
#ifndef SERVER_CONTROL_CONTROL_MESSAGE_ROUTE_H
#define SERVER_CONTROL_CONTROL_MESSAGE_ROUTE_H

#include "server/control/control_call.h"

bool control_routed_check(struct control_call *call);
/* Sends the messages of the call on as new mail, one after the other; then the call goes on. */
bool control_routed_ask(struct control_call *call);
/* For `each`: is the call a routed one? *err: OK where this message is on disk elsewhere. */
bool control_routed_is(struct control_call *call, enum err *err);

#endif
