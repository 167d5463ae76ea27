/*
 * script_child.h - a process of the runner that runs one script, locked in, and ends (H73, H74).
 */
#ifndef SERVER_SCRIPT_SCRIPT_CHILD_H
#define SERVER_SCRIPT_SCRIPT_CHILD_H

#include <stddef.h>
#include <stdnoreturn.h>

struct conf;

/*
 * In a child of a keeper: read the order of SIZE bytes from INPUT, write the answer to OUTPUT, exit with 0. Whoever
 * started it kills it when its time is over. CONF, with what secrets are in it, is forgotten first; may be NULL.
 */
noreturn void script_child_run(int input, size_t size, int output, struct conf *conf);

#endif
