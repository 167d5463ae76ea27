/*
 * progress.c - see progress.h.
 */
#include "tui/progress.h"

#include "proto/control/control_filter.h"
#include "tui/screen.h"

#define BRIEF_COLS 8
#define METER_COLS 22

void
print_meter(struct buf *out, uint64_t part, uint64_t whole, unsigned cols)
{
	unsigned inside = cols > 2 ? cols - 2 : 0, filled = 0;

	if (whole > 0)
		filled = part >= whole ? inside : (unsigned)((double)part * inside / (double)whole);
	print_put(out, SPAN("["));
	for (unsigned i = 0; i < inside; i++)
		print_put(out, i < filled ? SPAN("|") : SPAN(" "));
	print_put(out, SPAN("]"));
}

static uint64_t
number(const struct json *row, const char *name)
{
	return json_number_or(json_find(row, span_of(name)), 0);
}

/* Of what is to be fetched, in bytes where they are known. */
static void
put_share(const struct json *row, unsigned cols, struct buf *out)
{
	bool bytes = number(row, "to_fetch_bytes") > 0;
	uint64_t whole = number(row, bytes ? "to_fetch_bytes" : "to_fetch"), part = number(row, bytes ? "bytes" : "fetched");

	print_meter(out, part, whole, cols);
	if (whole > 0)
		out->overflow |= buf_printf(out, " %3u%%", part >= whole ? 100 : (unsigned)((double)part * 100 / (double)whole)) != OK;
}

bool
progress_is_under_way(const struct json *row)
{
	if (span_eq(json_text(json_find(row, SPAN("state"))), SPAN("listening")))
		return false;
	return json_text(json_find(row, SPAN("began"))).len > 0;
}

void
progress_put_brief(const struct json *row, const struct print_style *style, struct buf *out)
{
	(void)style;
	if (progress_is_under_way(row) && number(row, "to_fetch") > 0)
		put_share(row, BRIEF_COLS, out);
	else if (json_text(json_find(row, SPAN("last"))).len > 0 || progress_is_under_way(row))
		out->overflow |= buf_printf(out, "%llu", (unsigned long long)number(row, "fetched")) != OK;
	else
		print_put(out, SPAN("-"));
}

/* What is left, at the rate up to now. */
static void
put_rate(const struct json *row, uint64_t seconds, struct buf *out)
{
	uint64_t fetched = number(row, "fetched"), whole = number(row, "to_fetch");
	uint64_t bytes = number(row, "bytes"), all_bytes = number(row, "to_fetch_bytes");
	double left = 0;

	if (seconds == 0 || fetched == 0)
		return;
	if (fetched >= seconds)
		out->overflow |= buf_printf(out, ", %llu/s", (unsigned long long)(fetched / seconds)) != OK;
	else
		out->overflow |= buf_printf(out, ", %llu/min", (unsigned long long)(fetched * 60 / seconds)) != OK;
	if (all_bytes > bytes && bytes > 0)
		left = (double)(all_bytes - bytes) * (double)seconds / (double)bytes;
	else if (whole > fetched)
		left = (double)(whole - fetched) * (double)seconds / (double)fetched;
	if (left <= 0)
		return;
	print_put(out, SPAN(", "));
	print_duration(out, (uint64_t)left + 1);
	print_put(out, SPAN(" left"));
}

void
progress_put(const struct json *row, const struct print_style *style, struct buf *out)
{
	uint64_t whole = number(row, "to_fetch"), bytes = number(row, "to_fetch_bytes");
	int64_t from, to;

	if (!progress_is_under_way(row)) {
		if (json_text(json_find(row, SPAN("last"))).len > 0)
			progress_put_counts(row, style, out);
		else
			print_put(out, SPAN("never yet"));
		return;
	}
	put_share(row, METER_COLS, out);
	out->overflow |= buf_printf(out, "  %llu", (unsigned long long)number(row, "fetched")) != OK;
	if (whole > 0)
		out->overflow |= buf_printf(out, " of %llu", (unsigned long long)whole) != OK;
	print_put(out, SPAN(" messages, "));
	print_size(out, number(row, "bytes"));
	if (bytes > 0) {
		print_put(out, SPAN(" of "));
		print_size(out, bytes);
	}
	if (control_parse_time(json_text(json_find(row, SPAN("began"))), 0, &from, &to) == OK && style->now_s > from)
		put_rate(row, (uint64_t)(style->now_s - from), out);
}

void
progress_put_counts(const struct json *row, const struct print_style *style, struct buf *out)
{
	static const struct {
		const char *name, *word;
	} rows[] = { { "fetched", "fetched" }, { "left", "left there" }, { "deleted", "removed there" }, { "failed", "failed" } };
	bool any = false;

	(void)style;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t n = number(row, rows[i].name);

		if (n > 0 || i == 0)
			out->overflow |= buf_printf(out, "%s%llu %s", any ? ", " : "", (unsigned long long)n, rows[i].word) != OK;
		any = true;
	}
}
