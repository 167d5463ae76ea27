/*
 * collect_site.c - a site with one collector, and what is looked at when it has collected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/collect_site.h"

#include "store/fetched.h"

struct site site;
_Atomic int64_t offset_ms;
static char texts[FAKE_MESSAGES][300];

/* ---- a site and a mailbox ---- */

void
begin_without_administrator(const char *conf)
{
	offset_ms = 0;
	site_open(&site, conf);
	site.host.clock_offset_ms = &offset_ms;
	site_add_user(&site, "anna", NULL);
	site.host.collect = collect_open(&site.host);
	site.host.collect->kind = &fake_source;
	fake_box = (struct fake_box){ .ahead = 8 };
}

void
begin(const char *conf)
{
	begin_without_administrator(conf);
	site_add_user(&site, "postmaster", NULL);
}

void
end(void)
{
	collect_end(site.host.collect);
	for (int i = 0; i < 4000 && (!collect_is_over(site.host.collect) || site.host.collect->sweeps); i++)
		site_turn(&site, 1);
	assert_true(collect_is_over(site.host.collect));
	collect_close(&site.host.collect);
	site_close(&site);
}

struct fake_message *
add_text(const char *text)
{
	struct fake_message *m = &fake_box.messages[fake_box.count++];

	*m = (struct fake_message){ .text = text };
	return m;
}

/* COUNT messages to anna, "Subject: message N". */
void
fill(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t n = fake_box.count;

		snprintf(texts[n], sizeof(texts[n]),
			"Return-Path: <carl@example.net>\r\nReceived: from a by b; Sat, 3 Jan 1998 01:05:34 +0000\r\n"
			"From: carl@example.net\r\nTo: anna@example.org\r\nMessage-Id: <m%zu@example.net>\r\n"
			"Subject: message %zu\r\n\r\nHello %zu\r\n", n, n, n);
		add_text(texts[n]);
	}
}

bool
is_idle(void)
{
	struct collect_view view;

	for (size_t i = 0; collect_view_at(site.host.collect, i, &view); i++)
		if (view.state != COLLECT_IDLE)
			return false;
	return true;
}

struct collect_view
view_of(const char *name)
{
	struct collect_view view;

	assert_int_equal(collect_view_named(site.host.collect, span_of(name), &view), OK);
	return view;
}

/* The writer and the workers take real time; timers are moved by what has passed. */
void
turn(void)
{
	site_turn(&site, 2);
	loop_fake_advance(site.host.loop, 1);
}

void
turn_until_idle(void)
{
	for (int i = 0; i < 30000 && !is_idle(); i++)
		turn();
	assert_true(is_idle());
}

struct collect_view
collect(void)
{
	uint64_t number;

	assert_int_equal(collect_now(site.host.collect, SPAN("ISP"), "a test", &number), OK);
	turn_until_idle();
	assert_int_equal(view_of("isp").number, number);
	return view_of("isp");
}

/* How many of the messages of the folder have SUBJECT. */
size_t
count_of(const char *user, const char *subject)
{
	size_t count = site_folder_count(&site, user, "INBOX"), found = 0;
	char wanted[80];

	snprintf(wanted, sizeof(wanted), "Subject: %s\r\n", subject);
	for (size_t n = 1; n <= count; n++) {
		struct buf text;

		buf_init(&text, 4u << 20);
		assert_true(site_folder_read(&site, user, "INBOX", n, &text));
		found += span_find_span(buf_span(&text), span_of(wanted)) < buf_span(&text).len;
		buf_fini(&text);
	}
	return found;
}

void
assert_each_once(size_t count)
{
	char subject[40];

	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), count);
	for (size_t i = 0; i < count; i++) {
		snprintf(subject, sizeof(subject), "message %zu", i);
		assert_int_equal(count_of("anna", subject), 1);
	}
}

size_t
row_count(void)
{
	static struct fetched rows[500];
	struct fetched_collector c;
	struct snapshot *snap;
	size_t count = 0;

	assert_int_equal(snapshot_open(site.host.store, &snap), OK);
	if (fetched_collector_find(snap, SPAN("isp"), &c) == OK) {
		count = COUNT(rows);
		assert_int_equal(fetched_read(snap, c.id, NULL, rows, &count), OK);
	}
	snapshot_close(&snap);
	return count;
}
