/*
 * lan_threads.h - lan.threads: targets of LAN forwarding and their most sessions (LAN-06):
 *
 *     192.168.1.1:1025-5 mail.branch.test-1
 *
 * Separated by blanks; the port is 25 where none is given.
 */
#ifndef CONF_LAN_THREADS_H
#define CONF_LAN_THREADS_H

#include "proto/base/err.h"
#include "proto/mail/lan_target.h"

#define LAN_THREADS_TARGET_MAX 1000 /* sessions that a line may allow */

/* ERR_SYNTAX: *bad is the first entry that is none. */
MUST_CHECK enum err lan_threads_check(struct span threads, struct span *bad);
/* The most sessions to TARGET; 0: no entry names it. */
unsigned lan_threads_max(struct span threads, const struct lan_target *target);

#endif
