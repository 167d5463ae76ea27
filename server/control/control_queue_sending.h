/*
 * control_queue_sending.h - who stops a message hears where it is too late.
 */
#ifndef SERVER_CONTROL_CONTROL_QUEUE_SENDING_H
#define SERVER_CONTROL_CONTROL_QUEUE_SENDING_H

#include "server/control/control_call.h"

/*
 * Front loop, `finish` of a method about messages of the queue: those of its targets that a connection has
 * at this moment are named behind the note, for what is on the wire is not called back.
 */
void control_queue_tell_sending(struct control_call *call);

#endif
