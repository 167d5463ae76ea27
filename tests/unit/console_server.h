/*
 * console_server.h - a server for the console that a test plays: what it answers is fixed by method.
 *
 * It sits at the other end of a socket pair, in the same thread; nothing waits and the clock stands.
 */
#ifndef TESTS_UNIT_CONSOLE_SERVER_H
#define TESTS_UNIT_CONSOLE_SERVER_H

#include "tui/console.h"

/* What a server says of itself, and what the console asks first. */
#define PLAY_STATUS \
	"{\"version\":\"0.1\",\"uptime_s\":61,\"sessions\":{\"all\":3,\"smtp\":2,\"pop3\":1}," \
	"\"queue\":{\"count\":2,\"held\":1,\"bin\":0,\"recipients\":2},\"outgoing\":{\"routes\":2," \
	"\"destinations\":3,\"resting\":1,\"connections\":2},\"stopped\":[\"pop3s\"]," \
	"\"mailboxes\":{\"users\":2,\"messages\":9,\"bytes\":2048}," \
	"\"store\":{\"used\":4096,\"free\":1048576,\"commits\":7}}"
#define PLAY_HELLO \
	"{\"version\":\"0.1\",\"hostname\":\"mail.example.org\",\"epoch\":\"e1\",\"user\":\"anna\"," \
	"\"role\":\"administrator\",\"rights\":[\"status.view\",\"queue.view\",\"log.view\"," \
	"\"queue.operate\",\"config.edit\",\"server.stop\",\"connect.start\"]}"
#define PLAY_BEGIN \
	{ "hello", NULL, PLAY_HELLO }, { "subscribe", NULL, "{\"subscription\":1,\"seq\":0}" }, \
	{ "log.tail", NULL, "{\"rows\":[{\"time\":\"2026-11-21T14:01:00Z\",\"level\":\"error\"," \
			    "\"service\":\"smtp\",\"session\":\"s1\",\"message\":\"\"," \
			    "\"text\":\"it \\u001b[2J broke\"}]}" }, \
	{ "trace", NULL, "{\"rows\":[{\"time\":\"2026-11-21T14:02:00Z\",\"id\":\"100\"," \
			 "\"from\":\"a@b.test\",\"to\":[\"anna@example.org\"],\"size\":5," \
			 "\"result\":\"250 accepted\"}]}" }
/* What a change answers. */
#define PLAY_DONE(note) \
	"{\"done\":1,\"skipped\":[],\"undo\":\"5\",\"undo_until\":null,\"note\":\"" note "\"}"
/* A list with one row is opened. */
#define PLAY_LIST(method, cursor) { "list.open", method, "{\"cursor\":\"" cursor "\",\"total\":1}" }
/* What else may be asked, and the end of the answers. */
#define PLAY_END \
	{ "list.page", NULL, "{\"rows\":[],\"rank\":0,\"total\":0}" }, { "apply", NULL, PLAY_DONE("done") }, \
	{ "list.close", NULL, "{\"done\":1}" }, { 0 }

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
/* COUNT keys at random, of LETTERS and others; pastes, sizes, cuts of the line: the same each time. No token is applied that no
 * preview gave. */
void play_storm(struct play *p, const char *letters, int count);
/* The screen as text. */
const char *play_screen(struct play *p);
/* The page docs/screens/NAME-COLSxROWS.txt is the screen; written anew with POSTROOM_WRITE_SCREENS=1. */
bool play_is_page(struct play *p, const char *name);
/* Pages that follow from one another by keys, at each size of which the manual has a picture. */
struct play_page {
	const char *name, *keys;
};
struct play_tour {
	const struct answer *answers;
	const struct play_page *pages;
	size_t count;
	bool told; /* the server tells its status first */
	bool tiny; /* the smallest size as well */
};
void play_pages(struct play *p, const struct play_tour *tour);
bool play_sees(struct play *p, const char *text);
/* Was this asked for since the last look? Forgets what was asked. */
bool play_was_asked(struct play *p, const char *text);

#endif
