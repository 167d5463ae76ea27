/*
 * console_loop.c - one poll over terminal, server, signals and time.
 *
 * A turn takes all keys, then the server's lines, then lays out once if the size changed, then
 * paints: at once after a key, else at most ten times a second, and figures once a second.
 */
#include "tui/console_loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tui/console.h"
#include "tui/term.h"

#define FRAME_MS 100
#define FRAME_SLOW_MS 2000
#define RESIZE_MS 60
#define TICK_MS 1000
#define ANSWER_MS 400 /* what comes so soon after a key is its answer, and painted at once */

static int wake_pipe[2] = { -1, -1 };
static volatile sig_atomic_t resized, ended;

static void
on_signal(int number)
{
	int saved = errno;

	if (number == SIGWINCH)
		resized = 1;
	else if (number != SIGCONT)
		ended = 1;
	if (write(wake_pipe[1], "", 1) < 0)
		resized = resized; /* the pipe is full: it wakes as well */
	errno = saved;
}

/* The terminal is given back, one line says so, and the signal does what it does. */
static void
on_crash(int number)
{
	static const char text[] =
		"postroom: the console broke off (please report it; the server is not touched)\n";

	term_emergency();
	if (write(STDERR_FILENO, text, sizeof(text) - 1) >= 0)
		raise(number); /* reset by SA_RESETHAND */
}

static int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
take_signals(void)
{
	static const int numbers[] = { SIGWINCH, SIGTERM, SIGHUP, SIGCONT };
	/* else curses takes them, and ends the program when Ctrl-C meets a Ctrl-Z */
	static const int ignored[] = { SIGINT, SIGQUIT, SIGTSTP };
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction crash = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND };

	if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &action, NULL);
	for (size_t i = 0; i < COUNT(ignored); i++)
		signal(ignored[i], SIG_IGN);
	for (size_t i = 0; i < COUNT(crashes); i++)
		sigaction(crashes[i], &crash, NULL);
	return true;
}

struct loop_state {
	struct console *console;
	int64_t painted_ms, pressed_ms, resized_ms; /* resized_ms 0: no change of size waits */
	int64_t frame_ms; /* between two frames that no key caused */
	bool pressed;
	int sync_fd;  /* a test reads a byte from it when its keys are answered; -1: none */
	bool is_owed; /* that byte: since the start, and since a key */
};

/* A test that presses one key after the other names a descriptor here. */
static int
sync_descriptor(void)
{
	const char *text = getenv("POSTROOM_CONSOLE_SYNC");
	uint64_t fd;

	return text && span_u64(span_of(text), 1000, &fd) == OK ? (int)fd : -1;
}

static int64_t
next_ms(const struct loop_state *l)
{
	const struct console *c = l->console;
	int64_t due = c->now_ms + TICK_MS, link = server_link_due_ms(&c->link);

	if (link < due)
		due = link;
	if (c->dirty && l->painted_ms + l->frame_ms < due)
		due = l->painted_ms + l->frame_ms;
	if (c->is_stale && l->painted_ms + TICK_MS < due)
		due = l->painted_ms + TICK_MS;
	if (l->resized_ms && l->resized_ms + RESIZE_MS < due)
		due = l->resized_ms + RESIZE_MS;
	if (c->toast[0] && c->toast_until_ms < due)
		due = c->toast_until_ms;
	return due > c->now_ms ? due - c->now_ms : 0;
}

static void
take_keys(struct loop_state *l)
{
	struct console *c = l->console;
	struct press press;

	while (!c->quit && term_next(&press)) {
		console_press(c, &press);
		l->pressed = l->is_owed = true;
		l->pressed_ms = c->now_ms;
		if (c->suspend) {
			c->suspend = false;
			term_suspend();
			c->repaint = true;
		}
	}
}

static void
lay_out(struct loop_state *l, bool now)
{
	struct console *c = l->console;
	int rows, cols;

	if (resized) {
		resized = 0;
		l->resized_ms = c->now_ms ? c->now_ms : 1;
	}
	if (!now && (!l->resized_ms || c->now_ms - l->resized_ms < RESIZE_MS))
		return;
	l->resized_ms = 0;
	term_size(&rows, &cols);
	term_resized(rows, cols);
	console_resize(c, rows, cols);
}

static void
paint(struct loop_state *l)
{
	struct console *c = l->console;

	c->dirty |= c->is_stale && c->now_ms - l->painted_ms >= TICK_MS;
	if (!c->repaint && (!c->dirty || (!l->pressed && c->now_ms - l->painted_ms < l->frame_ms)))
		return;
	console_draw(c);
	term_paint(&c->cells, c->repaint);
	if (buf_span(&c->clip).len > 0) {
		term_copy(buf_span(&c->clip));
		buf_clear(&c->clip);
	}
	c->repaint = l->pressed = false;
	l->painted_ms = c->now_ms;
}

static void
now_is(struct console *c)
{
	int64_t minute = c->style.now_s / 60;

	c->now_ms = clock_ms();
	c->style.now_s = time(NULL);
	c->dirty |= c->style.now_s / 60 != minute;
	console_tick(c);
}

/* All keys are answered and painted. */
static void
sync_say(struct loop_state *l)
{
	if (l->sync_fd < 0 || !l->is_owed || l->console->dirty || l->console->link.call_count > 0)
		return;
	l->is_owed = false;
	if (write(l->sync_fd, ".", 1) < 0)
		l->sync_fd = -1;
}

static void
turn(struct loop_state *l)
{
	struct console *c = l->console;
	struct pollfd fds[3] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = wake_pipe[0], .events = POLLIN },
		{ .fd = c->link.fd, .events = server_link_events(&c->link) },
	};
	char drained[64];

	(void)poll(fds, c->link.fd >= 0 ? 3 : 2, (int)next_ms(l));
	now_is(c);
	while (read(wake_pipe[0], drained, sizeof(drained)) > 0)
		;
	if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		ended = 1;
	take_keys(l);
	server_link_turn(&c->link, c->now_ms);
	l->pressed |= c->dirty && c->now_ms - l->pressed_ms < ANSWER_MS;
	lay_out(l, false);
	paint(l);
	sync_say(l);
}

int
console_run(const struct console_options *options)
{
	static struct console console;
	struct loop_state l = { .console = &console, .sync_fd = sync_descriptor(), .is_owed = true,
		.frame_ms = options->slow ? FRAME_SLOW_MS : FRAME_MS };

	if (!take_signals())
		return -1;
	if (term_open(theme_choose(options->theme)) != OK)
		return -1;
	console_init(&console, options->path, options->utf8);
	console.style.utc = options->utc;
	console.read_only = options->read_only;
	now_is(&console);
	l.pressed_ms = console.now_ms; /* what a start asks for is shown as soon as what a key asks for */
	lay_out(&l, true);
	server_link_turn(&console.link, console.now_ms);
	console.repaint = false;
	while (!console.quit && !ended)
		turn(&l);
	console_fini(&console);
	term_close();
	return 0;
}
