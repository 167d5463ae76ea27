/*
 * progress_line.c - see progress_line.h.
 */
#include "tui/progress_line.h"

#include <time.h>

#include "tui/print.h"

#define LINE_MAX_BYTES 400
#define RATE_AFTER_MS 1000 /* sooner a rate says nothing */

static uint64_t
member(const struct json *params, const char *name)
{
	uint64_t n;

	return json_u64(json_find(params, span_of(name)), UINT64_MAX, &n) == OK ? n : 0;
}

/* In bytes where they are told, else in pieces. */
struct way {
	uint64_t done, left; /* since it began; from now on */
	bool is_bytes;
};

/* What is left takes as long as what was done. */
static void
put_rate(struct buf *out, struct way way, uint64_t ms)
{
	if (ms < RATE_AFTER_MS || way.done == 0)
		return;
	if (way.is_bytes) {
		print_put(out, SPAN(", "));
		print_size(out, way.done * 1000 / ms);
		print_put(out, SPAN("/s"));
	}
	if (way.left > 0) {
		print_put(out, SPAN(", "));
		print_duration(out, (uint64_t)((double)way.left * (double)ms / (double)way.done / 1000.0 + 0.5));
		print_put(out, SPAN(" left"));
	}
}

static struct way
way_of(const struct progress_line *line, uint64_t done, uint64_t total, bool is_bytes)
{
	return (struct way){ done > line->began_done ? done - line->began_done : 0, total > done ? total - done : 0,
		is_bytes };
}

void
progress_line_put(struct progress_line *line, const struct json *params, int64_t now_ms,
	struct buf *out)
{
	uint64_t done = member(params, "done"), total = member(params, "total");
	uint64_t bytes = member(params, "bytes"), bytes_total = member(params, "bytes_total");
	bool has_bytes = bytes_total > 0;

	if (line->began_ms == 0) {
		line->began_ms = now_ms;
		line->began_done = has_bytes ? bytes : done;
	}
	if (buf_printf(out, "%llu of %llu", (unsigned long long)done, (unsigned long long)total) != OK)
		return;
	if (has_bytes) {
		print_put(out, SPAN(", "));
		print_size(out, bytes);
		print_put(out, SPAN(" of "));
		print_size(out, bytes_total);
	}
	put_rate(out, has_bytes ? way_of(line, bytes, bytes_total, true) : way_of(line, done, total, false),
		(uint64_t)(now_ms - line->began_ms));
}

static void
show(struct progress_line *line, struct span text)
{
	struct buf out;
	size_t width = print_width(text);

	buf_init(&out, LINE_MAX_BYTES);
	print_put(&out, SPAN("\r"));
	print_put(&out, text);
	for (size_t i = width; i < line->shown; i++)
		print_put(&out, SPAN(" "));
	print_put(&out, SPAN("\r"));
	line->shown = width;
	if (out.overflow || print_to_fd(line->fd, buf_span(&out)) != OK)
		line->fd = -1; /* nobody looks any more */
	buf_fini(&out);
}

void
progress_line_show(void *arg, const struct json *params)
{
	struct progress_line *line = arg;
	struct timespec now;
	struct buf text;

	if (line->fd < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	buf_init(&text, LINE_MAX_BYTES / 2);
	progress_line_put(line, params, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1, &text);
	show(line, buf_span(&text));
	buf_fini(&text);
}

void
progress_line_wipe(struct progress_line *line)
{
	if (line->shown > 0 && line->fd >= 0)
		show(line, SPAN(""));
}
