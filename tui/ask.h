/*
 * ask.h - questions at a terminal: a password without echo, a yes.
 */
#ifndef TUI_ASK_H
#define TUI_ASK_H

#include "proto/base/span.h"

#define ASK_PASSWORD_MAX 256 /* bytes */

/* The room is the caller's, who wipes it. */
struct password {
	char bytes[ASK_PASSWORD_MAX + 2];
	size_t len;
};

/*
 * Take a password: the first line of standard input with FROM_STDIN, else asked for twice at the
 * terminal. ERR_NOT_FOUND: no terminal to ask at; ERR_SYNTAX: the two differ, or it is empty;
 * ERR_LIMIT: over ASK_PASSWORD_MAX.
 */
MUST_CHECK enum err ask_password(bool from_stdin, const char *question, struct password *out);
/* The same for one that exists: asked for once. */
MUST_CHECK enum err ask_password_once(
	bool from_stdin, const char *question, struct password *out);
void password_wipe(struct password *p);

/* The one letter that is answered, as a small one; 0: something else, or there is no terminal. */
char ask_letter(const char *question);
/* Does the person say y? Enter alone is no. False where there is no terminal. */
bool ask_yes(const char *question);

#endif
