/*
 * ask.c - questions at a terminal.
 */
#include "tui/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "proto/base/ascii.h"
#include "tui/end_signals.h"
#include "tui/print.h"

/* One line, without its end; byte by byte, so that nothing behind it is taken from a pipe. */
static enum err
read_line(int fd, char *room, size_t size, size_t *len)
{
	char c;

	for (*len = 0;;) {
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR && !end_signals_came())
			continue;
		if (got < 0)
			return ERR_IO;
		if (got == 0 || c == '\n')
			break;
		if (*len == size)
			return ERR_LIMIT;
		room[(*len)++] = c;
	}
	if (*len > 0 && room[*len - 1] == '\r')
		(*len)--;
	return OK;
}

static enum err
say(int fd, const char *text)
{
	return print_to_fd(fd, span_of(text));
}

static enum err
read_unseen(int tty, const struct termios *before, const char *question, struct password *out)
{
	struct termios quiet = *before;
	enum err err;

	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0) /* before it asks: a quick answer is not shown */
		return ERR_IO;
	err = say(tty, question);
	if (err == OK)
		err = read_line(tty, out->bytes, sizeof(out->bytes), &out->len);
	if (tcsetattr(tty, TCSAFLUSH, before) != 0 || say(tty, "\n") != OK)
		return ERR_IO;
	return err;
}

static enum err
ask_hidden(int tty, const char *question, struct password *out)
{
	struct termios before;
	enum err err;

	if (tcgetattr(tty, &before) != 0)
		return ERR_NOT_FOUND;
	end_signals_hold(); /* while nothing is echoed: the echo comes back first */
	err = read_unseen(tty, &before, question, out);
	end_signals_release();
	return err;
}

static enum err
ask_twice(int tty, const char *question, struct password *out)
{
	struct password again = { .len = 0 };
	enum err err = ask_hidden(tty, question, out);

	if (err == OK)
		err = ask_hidden(tty, "Once more: ", &again);
	if (err == OK && (again.len != out->len || memcmp(again.bytes, out->bytes, out->len) != 0))
		err = ERR_SYNTAX;
	password_wipe(&again);
	return err;
}

static enum err
ask(bool from_stdin, bool twice, const char *question, struct password *out)
{
	enum err err;
	int tty;

	out->len = 0;
	if (from_stdin) {
		err = read_line(STDIN_FILENO, out->bytes, sizeof(out->bytes), &out->len);
	} else {
		tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
		if (tty < 0)
			return ERR_NOT_FOUND;
		err = twice ? ask_twice(tty, question, out) : ask_hidden(tty, question, out);
		close(tty);
	}
	if (err == OK && out->len == 0)
		return ERR_SYNTAX;
	return err == OK && out->len > ASK_PASSWORD_MAX ? ERR_LIMIT : err;
}

enum err
ask_password(bool from_stdin, const char *question, struct password *out)
{
	return ask(from_stdin, true, question, out);
}

enum err
ask_password_once(bool from_stdin, const char *question, struct password *out)
{
	return ask(from_stdin, false, question, out);
}

void
password_wipe(struct password *p)
{
	explicit_bzero(p, sizeof(*p));
}

char
ask_letter(const char *question)
{
	char answer[16];
	size_t len;

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return '\0';
	if (say(STDERR_FILENO, question) != OK ||
		read_line(STDIN_FILENO, answer, sizeof(answer), &len) != OK)
		return '\0';
	return len == 1 ? ascii_lower(answer[0]) : '\0';
}

bool
ask_yes(const char *question)
{
	return ask_letter(question) == 'y';
}
