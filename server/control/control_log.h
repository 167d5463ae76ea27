/*
 * control_log.h - what showing the log and following it share.
 */
#ifndef SERVER_CONTROL_CONTROL_LOG_H
#define SERVER_CONTROL_CONTROL_LOG_H

#include "server/control/control_call.h"
#include "server/log.h"

#define CONTROL_LOG_CELLS 6 /* time level service session message text */

/* The parameters level, service and session; fails the call. */
bool control_log_filter(struct control_call *call, struct log_filter *f);
/* A line of the log in its parts; "-" is empty. Pure. */
void control_log_split(struct span line, struct span cells[CONTROL_LOG_CELLS]);

#endif
