/*
 * test_imap_storm.c - clients that change a folder at the same time, and count along (IMP-02).
 *
 * Three clients send commands of chance to real sessions in memory, a fourth comes and goes in the
 * middle of whatever it does (H77). Each keeps what a client keeps: which uid has which number, and
 * the flags, its own silent changes among them. What it is told must fit; in the end it knows all.
 */
#include "tests/harness/site.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/services.h"

#define CLIENTS 4
#define COMES_AND_GOES 3 /* this one */
#define MESSAGES_MAX 4000
#define STEPS 1500
#define PATIENCE 30000 /* turns of 2 ms that an answer may take */
#define UNKNOWN 0xffffffffu

struct known {
	uint32_t uid; /* 0: not heard of */
	uint32_t flags;
};

struct client {
	struct session *session;
	struct buf seen;
	struct known messages[MESSAGES_MAX + 1]; /* by number */
	uint32_t count;
	unsigned tag;
	bool waits;	    /* for the answer to `tag` */
	bool selects;	    /* what comes is a new folder */
	bool numbers_stay; /* no EXPUNGE may come */
};

static struct site site;
static struct client clients[CLIENTS];
static uint32_t seed;

static const char *const flag_names[] = { "\\Seen", "\\Answered", "\\Flagged", "\\Draft", "Work",
	"$Forwarded", "\\Deleted" };

static uint32_t
chance(uint32_t below)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 12) % below;
}

/* ---- what a client hears ---- */

static uint32_t
read_flags(const char *text)
{
	const char *end = strchr(text, ')');
	uint32_t flags = 0;

	assert_non_null(end);
	for (size_t i = 0; i < COUNT(flag_names); i++) {
		const char *at = strstr(text, flag_names[i]);

		if (at && at < end)
			flags |= 1u << i;
	}
	return flags;
}

static void
on_exists(struct client *c, uint32_t number)
{
	assert_in_range(number, c->selects ? 0 : c->count, MESSAGES_MAX);
	if (c->selects)
		c->count = 0;
	while (c->count < number)
		c->messages[++c->count] = (struct known){ 0, UNKNOWN };
}

static void
on_expunge(struct client *c, uint32_t number)
{
	assert_false(c->numbers_stay);
	assert_in_range(number, 1, c->count);
	memmove(&c->messages[number], &c->messages[number + 1],
		(c->count - number) * sizeof(c->messages[0]));
	c->count--;
}

static void
on_fetch(struct client *c, uint32_t number, const char *line)
{
	const char *uid = strstr(line, "UID "), *flags = strstr(line, "FLAGS (");
	struct known *known = &c->messages[number];
	unsigned n = 0;

	assert_in_range(number, 1, c->count);
	if (uid && sscanf(uid, "UID %u", &n) == 1) {
		assert_true(known->uid == 0 || known->uid == n);
		assert_true(number == 1 || known[-1].uid < n);
		known->uid = n;
	}
	if (flags)
		known->flags = read_flags(flags);
}

static void
on_line(struct client *c, const char *line)
{
	char tag[16], word[16];
	unsigned number;

	if (sscanf(line, "* %u %15s", &number, word) == 2) {
		if (strcmp(word, "EXISTS") == 0)
			on_exists(c, number);
		else if (strcmp(word, "EXPUNGE") == 0)
			on_expunge(c, number);
		else if (strcmp(word, "FETCH") == 0)
			on_fetch(c, number, line);
		return;
	}
	if (sscanf(line, "%15s %15s", tag, word) == 2 && tag[0] == 't') {
		assert_true(c->waits && (unsigned)strtoul(tag + 1, NULL, 10) == c->tag);
		if (strcmp(word, "BAD") == 0)
			fail_msg("%s", line);
		c->waits = c->numbers_stay = c->selects = false;
	}
	assert_null(strstr(line, "* BYE"));
}

static void
hear(struct client *c)
{
	struct stream *stream = &c->session->stream;
	struct span sent = stream_memory_sent(stream);
	char line[4096];

	assert_int_equal(buf_put(&c->seen, sent), OK);
	stream_memory_forget(stream, sent.len);
	for (;;) {
		struct span all = buf_span(&c->seen);
		size_t end = span_find(all, '\n');

		if (end == all.len)
			return;
		snprintf(line, sizeof(line), "%.*s", (int)end, all.ptr);
		buf_consume(&c->seen, end + 1);
		on_line(c, line);
	}
}

static void
turn(int ms)
{
	site_turn(&site, ms);
	for (size_t i = 0; i < CLIENTS; i++)
		if (clients[i].session)
			hear(&clients[i]);
}

/* ---- what it says ---- */

static void
say(struct client *c, const char *format, ...)
{
	static char text[1024];
	size_t head = (size_t)snprintf(text, sizeof(text), "t%u ", ++c->tag);
	va_list args;

	va_start(args, format);
	head += (size_t)vsnprintf(text + head, sizeof(text) - head, format, args);
	va_end(args);
	assert_true(head + sizeof("\r\n") <= sizeof(text));
	snprintf(text + head, sizeof(text) - head, "\r\n");
	c->waits = true;
	stream_memory_feed(&c->session->stream, span_of(text));
}

static void
wait_for(struct client *c)
{
	for (int i = 0; c->waits && i < PATIENCE; i++)
		turn(2);
	assert_false(c->waits);
}

static void
open_folder(struct client *c)
{
	c->selects = true;
	say(c, "SELECT INBOX");
	wait_for(c);
	say(c, "UID FETCH 1:* (FLAGS)");
	wait_for(c);
}

static void
come(struct client *c)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)&storage;
	struct peer peer;

	in4->sin_family = AF_INET;
	in4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer_from_sockaddr(&peer, &storage);
	buf_clear(&c->seen);
	c->count = 0;
	c->waits = c->numbers_stay = false;
	c->session = session_open(&site.host, service_find(SPAN("imap")), -1, &peer);
	say(c, "LOGIN anna secret");
	wait_for(c);
	open_folder(c);
}

static void
break_off(struct client *c)
{
	struct session *gone = c->session;

	hear(c);
	c->session = NULL;
	session_close(gone, CLOSE_BROKEN);
	stream_memory_eof(&gone->stream);
}

static void
store(struct client *c, uint32_t first, uint32_t last)
{
	unsigned flag = chance(COUNT(flag_names)), op = chance(3);
	bool silent = chance(2);

	say(c, "STORE %u:%u %sFLAGS%s (%s)", first, last, op == 0 ? "+" : op == 1 ? "-" : "",
		silent ? ".SILENT" : "", flag_names[flag]);
	c->numbers_stay = true;
	for (uint32_t i = first; i <= last && silent; i++) {
		struct known *known = &c->messages[i];

		if (op == 2)
			known->flags = 1u << flag;
		else if (known->flags != UNKNOWN && op == 0)
			known->flags |= 1u << flag;
		else if (known->flags != UNKNOWN)
			known->flags &= ~(1u << flag);
	}
}

static void
say_something(struct client *c)
{
	uint32_t count = c->count ? c->count : 1, first = 1 + chance(count);
	uint32_t last = first + chance(count - first < 8 ? count - first + 1 : 9);
	uint32_t what = chance(12);

	if (c->count == 0 || (what == 0 && c->count < 300)) {
		say(c, "APPEND INBOX (Work) {14+}\r\nSubject: x\r\n\r\n");
	} else if (what <= 4) {
		store(c, first, last);
	} else if (what == 5) {
		say(c, "FETCH %u:%u (UID FLAGS)", first, last);
		c->numbers_stay = true;
	} else if (what == 6) {
		say(c, "SEARCH %u:%u FLAGGED", first, last);
		c->numbers_stay = true;
	} else if (what == 7) {
		say(c, "EXPUNGE");
	} else if (what == 8 && c->count < 300) {
		say(c, "COPY %u:%u INBOX", first, last);
	} else if (what == 9) {
		say(c, "MOVE %u Archive", first);
	} else if (what == 10 && c->messages[c->count].uid) {
		say(c, "UID STORE %u:* +FLAGS (\\Deleted)", c->messages[c->count].uid);
	} else {
		say(c, "NOOP");
	}
}

/* ---- the end ---- */

static void
check_all_is_known(struct client *c)
{
	static struct known before[MESSAGES_MAX + 1];
	uint32_t count;

	say(c, "NOOP");
	wait_for(c);
	count = c->count;
	memcpy(before, c->messages, sizeof(before));
	say(c, "UID FETCH 1:* (FLAGS)");
	wait_for(c);
	assert_int_equal(c->count, count);
	for (uint32_t i = 1; i <= count; i++)
		if (before[i].flags != UNKNOWN)
			assert_int_equal(before[i].flags, c->messages[i].flags);
}

/* A job of somebody who broke off is before this one, or will never be. */
static void
wait_for_the_writer(struct client *c)
{
	say(c, "SUBSCRIBE INBOX");
	wait_for(c);
}

static void
check_all_agree(void)
{
	wait_for_the_writer(&clients[0]);
	for (size_t i = 0; i < COMES_AND_GOES; i++)
		check_all_is_known(&clients[i]);
	for (size_t i = 1; i < COMES_AND_GOES; i++) {
		assert_int_equal(clients[i].count, clients[0].count);
		assert_memory_equal(&clients[i].messages[1], &clients[0].messages[1],
			clients[0].count * sizeof(clients[0].messages[0]));
	}
	assert_int_equal(site_folder_count(&site, "anna", "INBOX"), clients[0].count);
}

static void
everybody_counts_right(void **state)
{
	(void)state;
	for (size_t step = 0; step < STEPS; step++) {
		struct client *c = &clients[chance(CLIENTS)];

		if (!c->session)
			come(c);
		else if (!c->waits)
			say_something(c);
		if (c == &clients[COMES_AND_GOES] && chance(8) == 0)
			break_off(c);
		if (chance(3) == 0)
			turn((int)chance(3));
		if (step % 100 != 99)
			continue;
		for (size_t i = 0; i < CLIENTS; i++)
			if (clients[i].session)
				wait_for(&clients[i]);
		check_all_agree();
	}
}

static int
begin(void **state)
{
	(void)state;
	site_open(&site, "hostname: mail.example.org\n"
			 "domains: { default: example.org, local: [example.org] }\n"
			 "auth: { hash_memory: 8MB, hash_passes: 1 }\n"
			 "services: { imap: { listen: [\"127.0.0.1:0\"] } }\n");
	site_add_user(&site, "anna", "secret");
	seed = 3;
	for (size_t i = 0; i < CLIENTS; i++) {
		buf_init(&clients[i].seen, 4u << 20);
		come(&clients[i]);
	}
	return 0;
}

static int
end(void **state)
{
	(void)state;
	for (size_t i = 0; i < CLIENTS; i++)
		clients[i].session = NULL;
	session_close_all(&site.host, NULL, CLOSE_SHUTDOWN);
	for (int i = 0; i < 200 && !list_is_empty(&site.host.sessions); i++) {
		site_turn(&site, 1);
		loop_fake_advance(site.host.loop, 1000);
	}
	for (size_t i = 0; i < CLIENTS; i++)
		buf_fini(&clients[i].seen);
	site_close(&site);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(everybody_counts_right) };

	return cmocka_run_group_tests_name("imap storm", tests, begin, end);
}
