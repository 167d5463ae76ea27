/*
 * console_server.h - a server for the console that a test plays: what it answers is fixed by method.
 *
 * It sits at the other end of a socket pair, in the same thread; nothing waits and the clock stands.
 */
#ifndef TESTS_UNIT_CONSOLE_SERVER_H
#define TESTS_UNIT_CONSOLE_SERVER_H

#include "tui/console.h"

struct answer {
	const char *method;
	const char *with; /* must stand in the request; NULL: any */
	const char *result; /* JSON; or, with '!' in front, that of an error's data */
};

struct play {
	struct console console;
	int fd; /* the server's end; -1: it is down */
	const struct answer *answers;
	struct buf in;
	struct buf asked; /* "METHOD PARAMS\n" of all requests but acks */
	struct buf screen;
};

void play_begin(struct play *p, const struct answer *answers, int rows, int cols);
void play_end(struct play *p);
/* The server goes; it comes back. */
void play_break(struct play *p);
void play_connect(struct play *p);
/* Let both sides do all they can. */
void play_pump(struct play *p);
/* Press keys: letters, and <Enter> <Esc> <Tab> <Up> <Down> <F2> ... in words. */
void play_keys(struct play *p, const char *keys);
/* The server tells an event of TOPIC with DATA. */
void play_event(struct play *p, const char *topic, const char *data);
/* The screen as text. */
const char *play_screen(struct play *p);
bool play_sees(struct play *p, const char *text);
/* Was this asked for since the last look? Forgets what was asked. */
bool play_was_asked(struct play *p, const char *text);

#endif
