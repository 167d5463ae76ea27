/*
 * control_targets.h - whom a mailbox may send mail on to, as it is set: assistants, forward_to, the size rules.
 */
#ifndef SERVER_CONTROL_CONTROL_TARGETS_H
#define SERVER_CONTROL_CONTROL_TARGETS_H

#include "server/control/control_call.h"
#include "store/users.h"

/*
 * Writer or worker. Of the lists that USER has and OLD had not: NULL, or why one of them is refused, in the call's
 * arena; then *field is its name. A target is a user, an address, or SMTP:user@domain@host[:port] (RTE-11); a name that
 * only a list, a group or a mapping has is none, for expansion does not step back (RTE-01, Q-10). Who nobody knows
 * may come yet.
 */
const char *control_targets_refuse(struct control_call *call, struct snapshot *snap,
	const struct user *old, const struct user *user, const char **field);

#endif
