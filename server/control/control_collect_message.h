/*
 * control_collect_message.h - the steps of `collect test` with a message.
 */
#ifndef SERVER_CONTROL_CONTROL_COLLECT_MESSAGE_H
#define SERVER_CONTROL_CONTROL_COLLECT_MESSAGE_H

#include "server/control/control_call.h"

bool collect_message_is_given(struct control_call *call);
bool collect_message_work(struct control_call *call); /* worker: reads it */
void collect_message_finish(struct control_call *call); /* nothing without one */

#endif
