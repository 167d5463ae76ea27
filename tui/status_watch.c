/*
 * status_watch.c - the live view.
 *
 * In place with five escape sequences of our own on a terminal that knows them; as plain lines, a
 * summary now and then, on any other.
 */
#include "tui/status_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tui/print_reply.h"
#include "tui/print_status.h"

#define TICK_MS       1000
#define PLAIN_TICKS   10 /* between two summaries where nothing can be repainted */
#define FIRST_LINES   20 /* of the log, to begin with */
#define DEFAULT_ROWS  24

static volatile sig_atomic_t stopped;

static void
on_signal(int number)
{
	(void)number;
	stopped = 1;
}

/* One line of the view: cut to the terminal, and the rest of its row wiped. */
static void
put_line(const struct watch *w, struct buf *out, struct span text)
{
	size_t width = print_width(text);

	if (w->repaint && w->style.width > 1 && width >= w->style.width)
		print_cell(out, text, w->style.width - 1, false);
	else
		print_put(out, text);
	print_put(out, w->repaint ? SPAN("\033[K\n") : SPAN("\n"));
}

void
watch_draw(const struct watch *w, const struct json *status, unsigned height, struct buf *out)
{
	size_t first = 0, used = 0, room;
	struct buf line;

	buf_init(&line, PRINT_MAX);
	for (size_t i = 0; i < PRINT_STATUS_LINES && status; i++) {
		buf_clear(&line);
		print_status_line(&line, i, status, &w->style);
		if (buf_span(&line).len > 0 && ++used)
			put_line(w, out, buf_span(&line));
	}
	if (!w->connected && ++used)
		put_line(w, out, SPAN("NO SERVER ANSWERS, trying again each second"));
	buf_fini(&line);
	if (height == 0)
		return;
	put_line(w, out, SPAN("-- activity (^C ends the view, the server goes on) --"));
	room = height > used + 2 ? height - used - 2 : 0;
	if (w->line_count > room)
		first = w->line_count - room;
	for (size_t i = first; i < w->line_count; i++)
		put_line(w, out, span_of(w->lines[i]));
}

void
watch_add_line(struct watch *w, const struct json *row)
{
	struct buf text;
	struct span line;

	if (w->line_count == WATCH_LINES) {
		free(w->lines[0]);
		memmove(w->lines, w->lines + 1, sizeof(w->lines[0]) * (WATCH_LINES - 1));
		w->line_count--;
	}
	buf_init(&text, PRINT_MAX);
	print_log_line(&text, row, &w->style);
	line = buf_span(&text);
	w->lines[w->line_count] = strndup(line.ptr, line.len > 0 ? line.len - 1 : 0);
	ENSURE(w->lines[w->line_count]);
	w->line_count++;
	buf_fini(&text);
}

void
watch_fini(struct watch *w)
{
	while (w->line_count > 0)
		free(w->lines[--w->line_count]);
	if (w->connected)
		control_link_close(&w->link);
	w->connected = false;
}

static enum err
print_all(const struct watch *w, struct buf *out)
{
	enum err err = out->overflow ? ERR_LIMIT : print_to_fd(w->out, buf_span(out));

	buf_fini(out);
	return err;
}

/* Lines as they come; printed at once where nothing is repainted. */
static void
on_event(void *arg, const struct json *params)
{
	const struct json *data = json_find(params, SPAN("data"));
	const struct json *lines = json_find(data, SPAN("lines"));
	struct watch *w = arg;
	struct buf out;

	buf_init(&out, PRINT_MAX);
	for (const struct json *row = lines ? lines->first : NULL; row; row = row->next) {
		watch_add_line(w, row);
		if (!w->repaint)
			put_line(w, &out, span_of(w->lines[w->line_count - 1]));
	}
	if (control_link_ack(&w->link, params) != OK) {
		buf_fini(&out);
		return; /* the next call notices that the server is gone */
	}
	if (print_all(w, &out) != OK)
		stopped = 1; /* nobody reads any more */
}

static enum err
call(struct watch *w, const char *method, struct span params, struct arena *a,
	const struct json **result)
{
	return control_link_call(&w->link,
		&(struct link_call){ .method = method, .params = params }, a, result);
}

/* The log, as far as the caller may see it. */
static enum err
begin_log(struct watch *w)
{
	const struct json *result, *rows;
	struct arena a;
	struct span params;
	enum err err;

	arena_init(&a, NULL);
	w->link.on_event = on_event;
	w->link.on_event_arg = w;
	params = arena_printf(&a, "{\"lines\":%d,\"level\":\"info\"}", FIRST_LINES);
	err = call(w, "log.tail", params, &a, &result);
	rows = err == OK ? json_find(result, SPAN("rows")) : NULL;
	for (const struct json *row = rows ? rows->first : NULL; row; row = row->next)
		watch_add_line(w, row);
	if (err == OK)
		err = call(w, "subscribe", SPAN("{\"topic\":\"log\",\"level\":\"info\"}"), &a,
			&result);
	arena_reset(&a);
	return err == ERR_DENIED ? OK : err; /* a viewer without log.view sees the figures */
}

static void
take_size(struct watch *w)
{
	struct winsize size;

	w->rows = DEFAULT_ROWS;
	if (ioctl(w->out, TIOCGWINSZ, &size) != 0 || size.ws_row < 2)
		return;
	w->rows = size.ws_row;
	w->style.width = size.ws_col;
}

static enum err
draw(struct watch *w, const struct json *status, bool first)
{
	struct buf out;

	buf_init(&out, PRINT_MAX);
	if (w->repaint) {
		take_size(w);
		print_put(&out, first ? SPAN("\033[2J\033[H") : SPAN("\033[H"));
	}
	watch_draw(w, status, w->repaint ? w->rows : 0, &out);
	print_put(&out, w->repaint ? SPAN("\033[J") : SPAN(""));
	return print_all(w, &out);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Take events until the next tick. ERR_IO: the server is gone. */
static enum err
wait_tick(struct watch *w, int64_t until_ms)
{
	int64_t left;

	while (!stopped && (left = until_ms - now_ms()) > 0) {
		enum err err = control_link_wait(&w->link, (int)left);

		if (err == ERR_IO)
			return err;
	}
	return OK;
}

/* One look at the server. ERR_FULL: the view cannot be printed any more. */
static enum err
tick(struct watch *w, uint64_t count)
{
	const struct json *status;
	struct arena a;
	enum err err;

	arena_init(&a, NULL);
	err = call(w, "status", SPAN("{}"), &a, &status);
	if (err == OK && (w->repaint || count % PLAIN_TICKS == 0) &&
		draw(w, status, count == 0) != OK)
		err = ERR_FULL;
	arena_reset(&a);
	return err == OK ? wait_tick(w, now_ms() + TICK_MS) : err;
}

/* Say that the server is gone, and look for it each second. */
static enum err
find_again(struct watch *w)
{
	static const struct timespec second = { .tv_sec = 1 };
	const struct json *hello;
	struct arena a;
	enum err err;

	control_link_close(&w->link);
	w->connected = false;
	if (draw(w, NULL, false) != OK)
		return ERR_FULL;
	while (!stopped && !w->connected) {
		nanosleep(&second, NULL);
		if (control_link_open(&w->link, w->path) != OK)
			continue;
		arena_init(&a, NULL);
		err = control_link_hello(&w->link, true, &a, &hello);
		arena_reset(&a);
		w->connected = err == OK;
		if (err != OK)
			control_link_close(&w->link);
	}
	return stopped ? OK : begin_log(w);
}

int
watch_run(struct watch *w)
{
	struct sigaction action = { .sa_handler = on_signal };
	enum err err;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	w->connected = true;
	err = begin_log(w);
	for (uint64_t count = 0; !stopped && err != ERR_FULL; count++) {
		if (err == OK)
			err = tick(w, count);
		if (err == ERR_IO)
			err = find_again(w);
		else if (err == ERR_DENIED)
			break;
	}
	return err == ERR_DENIED ? rpc_code_exit(w->link.error.code) : 0;
}
