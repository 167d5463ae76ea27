/*
 * print_status.c - what the server does, in a few lines.
 *
 *     Postroom 0.1.0, up 2d 4h, 2026-11-22 00:43:00+0100
 *     Sessions   3 (smtp 2, pop3 1)
 *     Queue      1 waiting, 335 bytes, 0 held
 *     ...
 */
#include "tui/print_status.h"

#define TLS_DAYS_SOON 14 /* a certificate that ends sooner is worth a warning */

static void
put_value(struct buf *out, const char *before, const struct json *value, enum control_type type,
	const struct print_style *style)
{
	print_put(out, span_of(before));
	print_value(out, value, type, style);
}

/* "335 bytes", "1.8kB". */
static void
put_bytes(struct buf *out, const char *before, const struct json *value,
	const struct print_style *style)
{
	uint64_t bytes = 0;
	bool known = json_u64(value, UINT64_MAX, &bytes) == OK;

	put_value(out, before, value, CONTROL_TYPE_SIZE, style);
	if (known)
		print_put(out, bytes < 1024 ? SPAN(" bytes") : SPAN("B"));
}

static bool
is_zero(const struct json *value)
{
	uint64_t number;

	return !value || (json_u64(value, UINT64_MAX, &number) == OK && number == 0);
}

static void
put_head(struct buf *out, const struct json *s, const struct print_style *style)
{
	put_value(out, "Postroom ", json_find(s, SPAN("version")), CONTROL_TYPE_TEXT, style);
	put_value(out, ", up ", json_find(s, SPAN("uptime_s")), CONTROL_TYPE_DURATION, style);
	if (json_find(s, SPAN("time")))
		put_value(out, ", ", json_find(s, SPAN("time")), CONTROL_TYPE_TIME, style);
}

/* How many in all, then the services that have some. */
static void
put_sessions(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *sessions = json_find(s, SPAN("sessions"));
	const char *before = " (";

	put_value(out, "Sessions   ", json_find(sessions, SPAN("all")), CONTROL_TYPE_NUMBER, style);
	for (const struct json *at = sessions ? sessions->first : NULL; at; at = at->next) {
		if (span_eq(at->name, SPAN("all")) || is_zero(at))
			continue;
		print_put(out, span_of(before));
		print_clean(out, at->name, style);
		put_value(out, " ", at, CONTROL_TYPE_NUMBER, style);
		before = ", ";
	}
	print_put(out, before[0] == ',' ? SPAN(")") : SPAN(""));
}

static void
put_queue(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *queue = json_find(s, SPAN("queue"));

	put_value(out, "Queue      ", json_find(queue, SPAN("count")), CONTROL_TYPE_NUMBER, style);
	put_bytes(out, " waiting, ", json_find(queue, SPAN("bytes")), style);
	put_value(out, ", ", json_find(queue, SPAN("held")), CONTROL_TYPE_NUMBER, style);
	print_put(out, SPAN(" held"));
}

/* What leaves: absent where nothing could. */
static void
put_outgoing(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *sending = json_find(s, SPAN("outgoing"));
	const struct json *last = json_find(sending, SPAN("last_sent"));

	if (!sending)
		return;
	put_value(out, "Outgoing   ", json_find(sending, SPAN("connections")), CONTROL_TYPE_NUMBER, style);
	put_value(out, " connections, ", json_find(sending, SPAN("slow")), CONTROL_TYPE_NUMBER, style);
	put_value(out, " slow, ", json_find(sending, SPAN("resting")), CONTROL_TYPE_NUMBER, style);
	put_value(out, " of ", json_find(sending, SPAN("destinations")), CONTROL_TYPE_NUMBER, style);
	print_put(out, SPAN(" destinations rest"));
	if (json_text(last).len > 0)
		put_value(out, ", last sent ", last, CONTROL_TYPE_TIME, style);
}

static void
put_mailboxes(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *boxes = json_find(s, SPAN("mailboxes"));

	put_value(out, "Mailboxes  ", json_find(boxes, SPAN("users")), CONTROL_TYPE_NUMBER, style);
	put_value(out, " users, ", json_find(boxes, SPAN("messages")), CONTROL_TYPE_NUMBER, style);
	put_bytes(out, " messages, ", json_find(boxes, SPAN("bytes")), style);
	if (is_zero(json_find(boxes, SPAN("held"))))
		return;
	put_value(out, ", ", json_find(boxes, SPAN("held")), CONTROL_TYPE_NUMBER, style);
	print_put(out, SPAN(" held"));
}

static void
put_store(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *store = json_find(s, SPAN("store"));

	put_value(out, "Store      ", json_find(store, SPAN("state")), CONTROL_TYPE_TEXT, style);
	put_bytes(out, ", ", json_find(store, SPAN("bytes")), style);
	put_bytes(out, ", disk free ", json_find(store, SPAN("free")), style);
}

static void
put_search(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *search = json_find(s, SPAN("search"));

	if (!search)
		return;
	put_value(out, "Search     ", json_find(search, SPAN("state")), CONTROL_TYPE_TEXT, style);
	if (!json_find(search, SPAN("messages")))
		return;
	put_value(out, ", ", json_find(search, SPAN("messages")), CONTROL_TYPE_NUMBER, style);
	put_bytes(out, " messages, ", json_find(search, SPAN("bytes")), style);
	if (is_zero(json_find(search, SPAN("behind"))))
		return;
	put_value(out, ", ", json_find(search, SPAN("behind")), CONTROL_TYPE_NUMBER, style);
	print_put(out, SPAN(" to come"));
}

static void
put_tls(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *tls = json_find(s, SPAN("tls"));

	if (!json_truth(json_find(tls, SPAN("certificate")))) {
		print_put(out, SPAN("TLS        no certificate"));
		return;
	}
	put_value(out, "TLS        certificate ends in ", json_find(tls, SPAN("days")),
		CONTROL_TYPE_NUMBER, style);
	put_value(out, " days, ", json_find(tls, SPAN("expires")), CONTROL_TYPE_TIME, style);
}

static void
put_counters(struct buf *out, const struct json *s, const struct print_style *style)
{
	static const struct {
		struct span name;
		const char *word;
	} rows[] = {
		{ { "received", 8 }, " received" },
		{ { "delivered", 9 }, " delivered" },
		{ { "rejected", 8 }, " rejected" },
		{ { "logins", 6 }, " logins" },
		{ { "logins_failed", 13 }, " failed logins" },
	};
	const struct json *counters = json_find(s, SPAN("counters"));

	for (size_t i = 0; i < COUNT(rows); i++) {
		put_value(out, i == 0 ? "So far     " : ", ", json_find(counters, rows[i].name),
			CONTROL_TYPE_NUMBER, style);
		print_put(out, span_of(rows[i].word));
	}
}

static void
put_alert(struct buf *out, size_t begin, const char *what, const struct json *value,
	const struct print_style *style)
{
	print_put(out, buf_span(out).len == begin ? SPAN("! ") : SPAN("; "));
	print_put(out, span_of(what));
	if (value)
		print_value(out, value, CONTROL_TYPE_TEXT, style);
}

static void
put_full(struct buf *out, size_t begin, const struct json *wanted, const struct print_style *style)
{
	put_alert(out, begin, "the store is full, incoming mail waits", NULL, style);
	if (!is_zero(wanted))
		put_bytes(out, ": room is wanted for ", wanted, style);
}

/* What a person should look at; `status --check` complains of the first four. */
static void
put_alerts(struct buf *out, const struct json *s, const struct print_style *style)
{
	const struct json *fault = json_find(s, SPAN("reload_fault"));
	const struct json *rules = json_find(s, SPAN("rules_fault"));
	const struct json *clock = json_find(s, SPAN("clock"));
	const struct json *tls = json_find(s, SPAN("tls"));
	const struct json *store = json_find(s, SPAN("store"));
	const struct json *stopped = json_find(s, SPAN("stopped"));
	size_t begin = buf_span(out).len;
	uint64_t days = 0;
	bool soon;

	soon = json_truth(json_find(tls, SPAN("certificate"))) &&
		json_u64(json_find(tls, SPAN("days")), TLS_DAYS_SOON, &days) == OK;
	if (json_truth(json_find(store, SPAN("full"))))
		put_full(out, begin, json_find(store, SPAN("wanted")), style);
	for (const struct json *at = stopped ? stopped->first : NULL; at; at = at->next)
		put_alert(out, begin, "a service is stopped: ", at, style);
	if (json_text(fault).len > 0)
		put_alert(out, begin, "the configuration file is not in force: ", fault, style);
	if (json_text(rules).len > 0)
		put_alert(out, begin, "the rules in their file are not in force: ", rules, style);
	if (soon)
		put_alert(out, begin, "the certificate ends soon", NULL, style);
	if (json_text(clock).len > 0)
		put_alert(out, begin, "", clock, style);
}

static void (*const lines[PRINT_STATUS_LINES])(
	struct buf *, const struct json *, const struct print_style *) = {
	put_head, put_sessions, put_queue, put_outgoing, put_mailboxes, put_store, put_search, put_tls,
	put_counters, put_alerts,
};

void
print_status_line(struct buf *out, size_t no, const struct json *status,
	const struct print_style *style)
{
	lines[no](out, status, style);
}

void
print_status(struct buf *out, const struct json *status, const struct print_style *style)
{
	for (size_t i = 0; i < PRINT_STATUS_LINES; i++) {
		size_t begin = buf_span(out).len;

		print_status_line(out, i, status, style);
		print_put(out, buf_span(out).len > begin ? SPAN("\n") : SPAN(""));
	}
}
