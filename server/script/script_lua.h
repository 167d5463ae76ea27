/*
 * script_lua.h - one script run in Lua; the one file that knows Lua is script_lua.c (and script_msg.c, what it shows).
 *
 * For a process of its own that is killed from outside when its time is over: no hook of Lua stops a
 * pattern, and pcall swallows what a hook says (H74). It is never called on a thread of the server.
 */
#ifndef SERVER_SCRIPT_SCRIPT_LUA_H
#define SERVER_SCRIPT_SCRIPT_LUA_H

#include "server/script/script_message.h"

struct lua_State;

/*
 * Run, or only compile, the script of IN; MESSAGE is what it sees of the body. *answer gets the bytes that
 * pipeline/script_answer.h reads, always.
 */
void script_lua_run(
	const struct script_input *in, const struct script_message *message, struct buf *answer);

/* ---- script_msg.c ---- */

/* The table `msg`, left on the stack. IN and MESSAGE must outlive L. */
void script_msg_push(struct lua_State *L, const struct script_input *in,
	const struct script_message *message);

/* ---- script_acts.c: redirect, copy, ... ---- */

/* Functions of the script into the table on the top of the stack; what they say goes into ANSWER. */
void script_acts_set(struct lua_State *L, bool site, struct buf *answer);

#endif
