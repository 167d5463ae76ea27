/*
 * control_scripts.h - a script in the file of a call, compiled in a child before anything is changed.
 */
#ifndef SERVER_CONTROL_CONTROL_SCRIPTS_H
#define SERVER_CONTROL_CONTROL_SCRIPTS_H

#include "server/control/control_call.h"
#include "server/script/script_check.h"

/* In front of a handler's own state. */
struct control_script {
	struct script_check check;
	struct control_call *call;
	struct span text; /* of the file; empty: it goes */
};

/* Worker, in `work`: the text of the parameter "file". Fails the call. */
bool control_script_read(struct control_call *call, struct control_script *s);
/* Loop, in `ask`: fails the call, later, where it does not compile. */
bool control_script_ask(struct control_call *call, struct control_script *s);

#endif
