/*
 * print.c - cleaning, measuring and cutting text; numbers, sizes and times for people.
 */
#include "tui/print.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "proto/base/utf8.h"

#define COPY_SIZE 4096

void
print_put(struct buf *out, struct span text)
{
	if (buf_put(out, text) != OK)
		out->overflow = true; /* looked at by who writes it out */
}

struct print_style
print_style_now(bool utc)
{
	struct print_style style = { .utc = utc, .now_s = time(NULL) };
	struct winsize size;

	style.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
	if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		style.width = size.ws_col >= 20 ? size.ws_col : 80;
	return style;
}

enum err
print_to_fd(int fd, struct span text)
{
	while (text.len > 0) {
		ssize_t wrote = write(fd, text.ptr, text.len);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return ERR_IO;
		text = span_from(text, (size_t)wrote);
	}
	return OK;
}

/* A line feed ends a line, all else is cleaned; a line longer than ROOM comes in parts. */
static enum err
print_block(int to, struct span block, const struct print_style *style)
{
	struct buf out;
	struct span line;
	enum err err;

	buf_init(&out, PRINT_MAX);
	while (block.len > 0) {
		bool ended = span_cut(block, '\n', &line, &block);

		print_clean(&out, line, style);
		print_put(&out, ended ? SPAN("\n") : SPAN(""));
	}
	err = print_to_fd(to, buf_span(&out));
	buf_fini(&out);
	return err;
}

enum err
print_cleaned(int from, int to)
{
	struct print_style style = print_style_now(false);
	char room[COPY_SIZE];
	size_t held = 0;
	ssize_t got;

	while ((got = read(from, room + held, sizeof(room) - held)) > 0) {
		struct span block = { room, held + (size_t)got };
		size_t end = span_find_last(block, '\n');

		end = end < block.len ? end + 1 : block.len < sizeof(room) ? 0 : block.len;
		if (print_block(to, span_range(block, 0, end), &style) != OK)
			return ERR_IO;
		held = block.len - end;
		memmove(room, room + end, held);
	}
	return got < 0 ? ERR_IO : print_block(to, (struct span){ room, held }, &style);
}

static bool
may_show(uint32_t code, bool ascii)
{
	return ascii ? code < 0x80 : code < 0x80 || wcwidth((wchar_t)code) >= 0;
}

void
print_clean(struct buf *out, struct span text, const struct print_style *style)
{
	struct buf clean;
	struct span rest;

	buf_init(&clean, PRINT_MAX);
	if (utf8_put_printable(&clean, text) != OK)
		out->overflow = true;
	rest = buf_span(&clean);
	while (rest.len > 0) {
		struct span before = rest;
		uint32_t code;

		(void)utf8_next(&rest, &code);
		if (may_show(code, style->ascii))
			print_put(out, span_range(before, 0, before.len - rest.len));
		else if (buf_printf(out, "\\u{%X}", (unsigned)code) != OK)
			out->overflow = true;
	}
	buf_fini(&clean);
}

static size_t
code_width(uint32_t code)
{
	int width = wcwidth((wchar_t)code);

	return width < 0 ? 1 : (size_t)width;
}

size_t
print_width(struct span text)
{
	size_t width = 0;
	uint32_t code;

	while (text.len > 0) {
		(void)utf8_next(&text, &code);
		width += code_width(code);
	}
	return width;
}

static void
put_blanks(struct buf *out, size_t count)
{
	for (; count > 0; count--)
		print_put(out, SPAN(" "));
}

/* The longest beginning of TEXT of at most WIDTH columns, with the marks that belong to it. */
static struct span
cut_to(struct span text, size_t width, size_t *used)
{
	struct span rest = text;
	uint32_t code;

	*used = 0;
	while (rest.len > 0) {
		struct span before = rest;
		size_t takes;

		(void)utf8_next(&rest, &code);
		takes = code_width(code);
		if (*used + takes > width)
			return span_range(text, 0, (size_t)(before.ptr - text.ptr));
		*used += takes;
	}
	return text;
}

void
print_cell(struct buf *out, struct span text, size_t width, bool right)
{
	size_t full = print_width(text), used = full;

	if (full > width && width > 0) {
		print_put(out, cut_to(text, width - 1, &used));
		print_put(out, SPAN("~"));
		put_blanks(out, width - 1 - used);
		return;
	}
	put_blanks(out, right ? width - used : 0);
	print_put(out, text);
	put_blanks(out, right ? 0 : width - used);
}

void
print_size(struct buf *out, uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	uint64_t whole = bytes, rest = 0;
	size_t unit = 0;
	bool ok;

	while (whole >= 1024 && unit < sizeof(units) - 1) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (unit == 0)
		ok = buf_put_u64(out, bytes) == OK;
	else if (whole < 10)
		ok = buf_printf(out, "%u.%u%c", (unsigned)whole, (unsigned)(rest * 10 / 1024),
			     units[unit - 1]) == OK;
	else
		ok = buf_printf(out, "%u%c", (unsigned)whole, units[unit - 1]) == OK;
	out->overflow |= !ok;
}

void
print_duration(struct buf *out, uint64_t seconds)
{
	static const struct {
		uint64_t length;
		char unit, next_unit;
		uint64_t next;
	} rows[] = {
		{ 86400, 'd', 'h', 3600 },
		{ 3600, 'h', 'm', 60 },
		{ 60, 'm', 's', 1 },
	};
	bool ok;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (seconds < rows[i].length)
			continue;
		ok = buf_printf(out, "%llu%c", (unsigned long long)(seconds / rows[i].length), rows[i].unit) == OK;
		seconds = seconds % rows[i].length / rows[i].next;
		if (seconds > 0)
			ok = ok && buf_printf(out, " %u%c", (unsigned)seconds, rows[i].next_unit) == OK;
		out->overflow |= !ok;
		return;
	}
	ok = buf_printf(out, "%us", (unsigned)seconds) == OK;
	out->overflow |= !ok;
}

void
print_interval(struct buf *out, uint64_t seconds)
{
	static const struct {
		unsigned length;
		const char *unit;
	} rows[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	size_t i = 0;

	while (seconds % rows[i].length != 0)
		i++;
	out->overflow |= buf_printf(out, "%llu%s", (unsigned long long)(seconds / rows[i].length),
				 seconds > 0 ? rows[i].unit : "") != OK;
}

static bool
time_parts(int64_t seconds, const struct print_style *style, struct tm *out)
{
	time_t at = seconds;

	return style->utc ? gmtime_r(&at, out) != NULL : localtime_r(&at, out) != NULL;
}

static void
put_time(struct buf *out, const char *format, const struct tm *tm, const struct print_style *style)
{
	char room[40];
	size_t len = strftime(room, sizeof(room), format, tm);

	print_put(out, (struct span){ room, len });
	if (style->utc)
		print_put(out, SPAN("Z"));
	else
		print_put(out, (struct span){ room, strftime(room, sizeof(room), "%z", tm) });
}

void
print_time(struct buf *out, struct span text, const struct print_style *style)
{
	int64_t from, to;
	struct tm tm;

	if (text.len < 10 || control_parse_time(text, 0, &from, &to) != OK)
		print_clean(out, text, style);
	else if (time_parts(from, style, &tm))
		put_time(out, "%Y-%m-%d %H:%M:%S", &tm, style);
}

void
print_clock(struct buf *out, struct span text, const struct print_style *style)
{
	int64_t from, to;
	char room[16];
	struct tm tm;

	if (text.len < 10 || control_parse_time(text, 0, &from, &to) != OK ||
		!time_parts(from, style, &tm))
		return;
	print_put(out, (struct span){ room, strftime(room, sizeof(room), "%H:%M:%S", &tm) });
}

void
print_time_short(struct buf *out, const struct json *value, const struct print_style *style)
{
	struct span text = json_text(value);
	int64_t from, to;
	struct tm tm, now;

	if (text.len < 10 || control_parse_time(text, 0, &from, &to) != OK ||
		!time_parts(from, style, &tm) || !time_parts(style->now_s, style, &now)) {
		print_value(out, value, CONTROL_TYPE_TIME, style);
		return;
	}
	if (tm.tm_year == now.tm_year && tm.tm_yday == now.tm_yday)
		put_time(out, "%H:%M:%S", &tm, style);
	else
		put_time(out, "%Y-%m-%d %H:%M", &tm, style);
}

void
print_moment(struct buf *out, struct span text, const struct print_style *style)
{
	const char *format = "%Y-%m-%d";
	int64_t from, to;
	struct tm tm, now;
	char room[32];

	if (text.len < 10 || control_parse_time(text, 0, &from, &to) != OK ||
		!time_parts(from, style, &tm) || !time_parts(style->now_s, style, &now))
		return;
	if (tm.tm_year == now.tm_year)
		format = tm.tm_yday == now.tm_yday ? "%H:%M:%S" : "%b %d %H:%M";
	print_put(out, (struct span){ room, strftime(room, sizeof(room), format, &tm) });
}

void
print_weekday(struct buf *out, struct span text, const struct print_style *style)
{
	int64_t from, to;
	struct tm tm;
	char room[32];

	if (text.len >= 10 && control_parse_time(text, 0, &from, &to) == OK && time_parts(from, style, &tm))
		print_put(out, (struct span){ room, strftime(room, sizeof(room), "%a %b %d %H:%M", &tm) });
}
