/*
 * transcript_expect.c - the lines `expect`: what the site is like now.
 */
#include "server/queue/refusals.h"
#include "tests/harness/transcript_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
expect_closed(struct run *run, const char *rest)
{
	const struct client *client = &run->clients[strchr(rest, '2') ? 1 : 0];
	bool closed = rest[0] == 'c';

	for (int i = 0; closed && i < 50 && !client->closed; i++)
		turn(run, 2);
	if (client->closed != closed)
		fail(run, "it is not", buf_span(&client->seen));
}

static void
expect_silence(struct run *run, const struct client *client)
{
	for (int i = 0; i < 3; i++)
		turn(run, 0);
	if (buf_span(&client->seen).len > 0)
		fail(run, "it said something", buf_span(&client->seen));
}

/* "A folder 3": its name may hold spaces. */
static bool
folder_and_number(const char *text, char folder[256], unsigned *n)
{
	const char *space = strrchr(text, ' ');

	if (!space || space - text > 255)
		return false;
	snprintf(folder, 256, "%.*s", (int)(space - text), text);
	return sscanf(space, "%u", n) == 1;
}

static void
expect_folder(struct run *run, const char *rest)
{
	char user[64], folder[256], got[32];
	unsigned n, is;
	int used = 0;

	if (sscanf(rest, "%63[^/]/%n", user, &used) != 1 || used == 0 ||
		!folder_and_number(rest + used, folder, &n)) {
		fail(run, "cannot read this line", SPAN_NONE);
		return;
	}
	is = (unsigned)site_folder_count(&run->site, user, folder);
	snprintf(got, sizeof(got), "%u", is);
	if (is != n)
		fail(run, "another number of messages", span_of(got));
}

static void
expect_queued(struct run *run, const char *rest)
{
	char verb[8];
	int used = 0;
	struct buf text;
	bool found;

	buf_init(&text, TEXT_MAX);
	if (sscanf(rest, "%7s %n", verb, &used) < 1 || used == 0)
		fail(run, "cannot read this line", SPAN_NONE);
	if (!site_queue_read(&run->site, &text))
		fail(run, "no whole message in the queue", SPAN_NONE);
	found = span_find_span(buf_span(&text), span_of(rest + used)) < buf_span(&text).len;
	if (found != (strcmp(verb, "has") == 0))
		fail(run, "the message is otherwise", buf_span(&text));
	buf_fini(&text);
}

static void
expect_login(struct run *run, const char *rest)
{
	char user[64], protocol[16], verb[8];
	bool noted = false;

	if (sscanf(rest, "%63s %15s %7s", user, protocol, verb) != 3) {
		fail(run, "cannot read this line", SPAN_NONE);
		return;
	}
	for (int i = 0; i < 50 && !noted; i++) {
		turn(run, 2);
		noted = site_has_login(&run->site, user, protocol);
		if (strcmp(verb, "never") == 0)
			break;
	}
	if (noted != (strcmp(verb, "noted") == 0))
		fail(run, "it is not so", SPAN_NONE);
}

static void
expect_message(struct run *run, const char *rest)
{
	char user[64], folder[256], verb[8];
	unsigned n;
	int used = 0;
	struct buf text, want;
	bool found;

	buf_init(&text, TEXT_MAX);
	buf_init(&want, 65536);
	if (sscanf(rest, "%63[^/]/%255s %u %7s %n", user, folder, &n, verb, &used) < 4 || used == 0)
		fail(run, "cannot read this line", SPAN_NONE);
	unescape(rest + used, &want);
	if (!site_folder_read(&run->site, user, folder, n, &text))
		fail(run, "no such message", SPAN_NONE);
	found = span_find_span(buf_span(&text), buf_span(&want)) < buf_span(&text).len;
	if (found != (strcmp(verb, "has") == 0))
		fail(run, "the message is otherwise", buf_span(&text));
	buf_fini(&text);
	buf_fini(&want);
}

static void
expect_trace(struct run *run, const char *text)
{
	struct buf notes;

	buf_init(&notes, 65536);
	if (!site_trace_read(&run->site, &notes) ||
		span_find_span(buf_span(&notes), span_of(text)) >= buf_span(&notes).len)
		fail(run, "the trace does not say so", buf_span(&notes));
	buf_fini(&notes);
}

void
expect(struct run *run, const char *rest)
{
	char got[32];
	unsigned n, is;

	if (after(rest, "closed") || after(rest, "open")) {
		expect_closed(run, rest);
	} else if (after(rest, "folder ")) {
		expect_folder(run, rest + 7);
	} else if (sscanf(rest, "queue %u", &n) == 1) {
		is = (unsigned)site_queue_count(&run->site);
		snprintf(got, sizeof(got), "%u", is);
		if (is != n)
			fail(run, "another number in the queue", span_of(got));
	} else if (strncmp(rest, "message ", 8) == 0) {
		expect_message(run, rest + 8);
	} else if (strcmp(rest, "cold") == 0) {
		if (metric_get(&run->site.metrics, cold_reads) == 0)
			fail(run, "no worker read anything", SPAN_NONE);
	} else if (sscanf(rest, "refused %u", &n) == 1) {
		is = (unsigned)metric_get(&run->site.metrics, refused);
		snprintf(got, sizeof(got), "%u", is);
		if (is != n || refusals_waiting(run->site.host.refusals) != n)
			fail(run, "another number of connections refused", span_of(got));
	} else if (after(rest, "silence")) {
		expect_silence(run, &run->clients[strchr(rest, '2') ? 1 : 0]);
	} else if (after(rest, "unsaid ")) {
		if (span_find_span(buf_span(&run->clients[0].seen), span_of(rest + 7)) <
			buf_span(&run->clients[0].seen).len)
			fail(run, "it was said", buf_span(&run->clients[0].seen));
	} else if (strncmp(rest, "queued ", 7) == 0) {
		expect_queued(run, rest + 7);
	} else if (strncmp(rest, "login ", 6) == 0) {
		expect_login(run, rest + 6);
	} else if (strncmp(rest, "trace ", 6) == 0) {
		expect_trace(run, rest + 6);
	} else {
		fail(run, "cannot read this line", SPAN_NONE);
	}
}
