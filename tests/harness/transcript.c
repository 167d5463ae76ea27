/*
 * transcript.c - runs conversations from plain text against real sessions in memory (house, 11).
 *
 *     transcripts FILE...      each is run whole, byte by byte, and pipelined; prints TAP
 *
 * Lines of a transcript, in order:
 *     test TEXT                       what is shown; IDs of the catalogue and hazards in it
 *     given conf LINE                 a line of the configuration, in place of or besides ours
 *     given service NAME              smtp (as it is), submission, pop3
 *     given peer ADDRESS              192.0.2.9 as it is; 127.0.0.1 may log in without TLS
 *     given user NAME [PASSWORD]      given set NAME KEY VALUE
 *     given mapping PATTERN TARGET    given group NAME a;b
 *     given mail NAME N [LINES]       N messages in an INBOX; given held NAME N
 *     given modes whole               the other two do not suit this one
 *     C: TEXT    the client sends a line     C- TEXT   without its CRLF
 *     C& TEXT    a line that travels with the next one, whatever the mode
 *     S: TEXT    a line must come; `*` matches the rest of it, `250-*` one or more such lines
 *     C2: S2:    a second client; close2, eof2 for it
 *     close      the client breaks the connection       eof  it sends no more, but reads
 *     expect closed | open
 *     expect folder NAME/INBOX N      expect queue N
 *     expect message NAME/INBOX N has|lacks TEXT
 *     expect queued has|lacks TEXT    the first message in the queue
 *     expect silence                  nothing came that was not expected
 *     expect login NAME PROTOCOL noted|never
 *     expect trace TEXT               a line of notes of the newest trace
 *     wait SECONDS                    the clock goes on
 *     fault commit ENOSPC|EIO         the next commit fails
 *     fault cold                      the store's pages are not in memory
 *     expect cold                     workers read some of them
 * In what is sent \r \n \0 \\ \xNN stand for bytes and $(TEXT*N) for N times TEXT.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/services.h"
#include "server/session/pop3_session.h"
#include "server/session/smtp_session.h"
#include "tests/harness/site.h"

#define LINES_MAX   2000
#define TEXT_MAX    (4 * 1024 * 1024) /* bytes sent by one line */
#define ANSWER_MS   10000             /* real time that an expected line may take */
#define CLIENTS_MAX 2

enum mode { MODE_WHOLE, MODE_BYTES, MODE_PIPELINED, MODES };
static const char *const mode_names[] = { "whole", "byte by byte", "pipelined" };

static const struct service services_of_test[] = {
	{ "smtp", &smtp_session_class, TLS_STARTTLS, SERVICE_smtp, false, false },
	{ "submission", &smtp_session_class, TLS_STARTTLS, SERVICE_submission, false, true },
	{ "pop3", &pop3_session_class, TLS_STARTTLS, SERVICE_pop3, false, true },
};

struct client {
	struct session *session;
	struct buf seen; /* what came and was not expected yet */
	bool closed;
};

struct run {
	const char *path;
	char *lines[LINES_MAX];
	size_t count, at;
	enum mode mode;
	struct site site;
	struct client clients[CLIENTS_MAX];
	bool fed[LINES_MAX];
	bool failed;
};

/* ---- faults ---- */

static int commit_fault;
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);

int
__wrap_mdb_txn_commit(MDB_txn *txn)
{
	int fault = commit_fault;

	if (fault == 0)
		return __real_mdb_txn_commit(txn);
	commit_fault = 0;
	mdb_txn_abort(txn);
	return fault;
}

/* All of the store is on disk alone, for who asks. */
static bool all_is_cold;
int __wrap_mincore(void *at, size_t size, unsigned char *in_memory);

int
__wrap_mincore(void *at, size_t size, unsigned char *in_memory)
{
	(void)at;
	memset(in_memory, !all_is_cold, (size + 4095) / 4096);
	return 0;
}

/* ---- telling ---- */

static void
fail(struct run *run, const char *what, struct span got)
{
	if (!run->failed)
		fprintf(stderr, "%s:%zu (%s): %s\n    line: %s\n    got:  %.*s\n", run->path,
			run->at + 1, mode_names[run->mode], what, run->lines[run->at],
			(int)(got.len > 300 ? 300 : got.len), got.ptr ? got.ptr : "");
	run->failed = true;
}

/* ---- the conversation ---- */

static const char *
after(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

static struct run *now; /* for __wrap_stream_fini() */

/* Read from a client what has come. */
static void
collect(struct run *run, struct client *client)
{
	struct span sent = stream_memory_sent(&client->session->stream);

	if (sent.len == 0)
		return;
	if (buf_put(&client->seen, sent) != OK)
		fail(run, "more output than a test should make", sent);
	stream_memory_forget(&client->session->stream, sent.len);
}

void __real_stream_fini(struct stream *s);
void __wrap_stream_fini(struct stream *s);

/* The end of a connection: its last words, before they are gone. */
void
__wrap_stream_fini(struct stream *s)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &now->clients[i];

		if (!client->session || &client->session->stream != s)
			continue;
		collect(now, client);
		client->session = NULL;
		client->closed = true;
	}
	__real_stream_fini(s);
}

static void
turn(struct run *run, int ms)
{
	site_turn(&run->site, ms);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (run->clients[i].session)
			collect(run, &run->clients[i]);
}

static int64_t
real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One text with its escapes undone, into OUT. */
static void
unescape(const char *text, struct buf *out)
{
	char *end;
	int ok = OK;

	while (*text && ok == OK) {
		if (text[0] == '$' && text[1] == '(') {
			const char *star = strrchr(text, '*');
			long times = star ? strtol(star + 1, &end, 10) : 0;

			star = strchr(text, '*');
			times = star ? strtol(star + 1, &end, 10) : 0;
			for (long i = 0; i < times && ok == OK; i++)
				ok = buf_put(out, (struct span){ text + 2, (size_t)(star - text - 2) });
			text = end + 1;
		} else if (text[0] == '\\' && text[1] == 'x') {
			char hex[3] = { text[2], text[3], 0 };

			ok = buf_put_char(out, (char)strtol(hex, NULL, 16));
			text += 4;
		} else if (text[0] == '\\') {
			ok = buf_put_char(out, text[1] == 'r' ? '\r'
					: text[1] == 'n'      ? '\n'
					: text[1] == '0'      ? '\0'
							      : text[1]);
			text += 2;
		} else {
			ok = buf_put_char(out, *text++);
		}
	}
}

static void
feed(struct run *run, struct client *client, struct span bytes)
{
	size_t step = run->mode == MODE_BYTES && bytes.len <= 4096 ? 1 : 65536;

	for (size_t at = 0; at < bytes.len && !client->closed; at += step) {
		stream_memory_feed(&client->session->stream, span_range(bytes, at, at + step));
		turn(run, 0);
	}
}

/* Which client LINE is for, and what it sends: 'C', with how, or 0. */
static char
client_line(const char *line, size_t *number, char *how, const char **text)
{
	size_t skip = 1;

	if ((line[0] != 'C' && line[0] != 'S') || line[1] == '\0')
		return 0;
	*number = 0;
	if (line[1] == '2') {
		*number = 1;
		skip = 2;
	}
	*how = line[skip];
	if (!strchr(":-&", *how))
		return 0;
	*text = line + skip + 1;
	if (**text == ' ')
		(*text)++;
	return line[0];
}

/* Commands after which a client may go on without the reply (RFC 2920; RFC 2449, 6.6). */
static bool
may_pipeline(const char *text)
{
	static const char *const verbs[] = { "MAIL", "RCPT", "RSET", "NOOP", "STAT", "LIST", "UIDL",
		"RETR", "TOP", "DELE" };

	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strncasecmp(text, verbs[i], strlen(verbs[i])) == 0)
			return true;
	return false;
}

/* The lines that go out together with the one at hand. */
static void
gather(struct run *run, size_t number, struct buf *out)
{
	bool more = true;

	for (size_t i = run->at; i < run->count && more; i++) {
		const char *text;
		size_t whose;
		char how, who = client_line(run->lines[i], &whose, &how, &text);

		if (who == 'S' && i > run->at)
			continue;
		if (who != 'C' || whose != number)
			return;
		unescape(text, out);
		if (how != '-' && buf_put(out, SPAN("\r\n")) != OK)
			fail(run, "too much to send", SPAN_NONE);
		run->fed[i] = true;
		more = how == '&' || (run->mode == MODE_PIPELINED && may_pipeline(text));
	}
}

static void
send_line(struct run *run, size_t number)
{
	struct buf bytes;

	if (run->fed[run->at])
		return;
	buf_init(&bytes, TEXT_MAX);
	gather(run, number, &bytes);
	if (run->clients[number].closed)
		fail(run, "the connection is closed", SPAN_NONE);
	else
		feed(run, &run->clients[number], buf_span(&bytes));
	buf_fini(&bytes);
}

/* The next whole line, waited for; false where none comes. */
static bool
next_line(struct run *run, struct client *client, struct span *line)
{
	int64_t until = real_ms() + ANSWER_MS;
	bool was_closed = client->closed;

	for (;;) {
		struct span seen = buf_span(&client->seen);
		size_t lf = span_find(seen, '\n');

		if (lf < seen.len) {
			*line = span_range(seen, 0, lf > 0 && seen.ptr[lf - 1] == '\r' ? lf - 1 : lf);
			return true;
		}
		*line = seen;
		if (was_closed || real_ms() > until)
			return false;
		was_closed = client->closed;
		turn(run, 5);
	}
}

static bool
matches(const char *pattern, struct span line)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return span_starts(line, (struct span){ pattern, len - 1 });
	return span_eq(line, span_of(pattern));
}

static void
take_line(struct client *client)
{
	buf_consume(&client->seen, span_find(buf_span(&client->seen), '\n') + 1);
}

static void
expect_line(struct run *run, struct client *client, const char *pattern)
{
	size_t len = strlen(pattern);
	bool many = len >= 2 && strcmp(pattern + len - 2, "-*") == 0;
	struct span line;

	if (!next_line(run, client, &line) || !matches(pattern, line)) {
		fail(run, "expected another line", line);
		return;
	}
	take_line(client);
	while (many && next_line(run, client, &line) && matches(pattern, line))
		take_line(client);
}

/* ---- given ---- */

struct given {
	char conf[65536];
	const char *service, *peer;
	bool has_services, whole_only;
};

static void
conf_add(struct given *given, const char *line)
{
	size_t len = strlen(given->conf);

	snprintf(given->conf + len, sizeof(given->conf) - len, "%s\n", line);
	if (strncmp(line, "services:", 9) == 0)
		given->has_services = true;
}

static void
read_given(struct run *run, struct given *given)
{
	static const char listed[] =
		"services: { smtp: { listen: [\"127.0.0.1:0\"] }, submission: { listen: "
		"[\"127.0.0.1:0\"] }, pop3: { listen: [\"127.0.0.1:0\"] } }";
	bool domains = false, host = false, auth = false;
	const char *rest;

	*given = (struct given){ .service = "smtp", .peer = "192.0.2.9" };
	for (size_t i = 0; i < run->count; i++) {
		if ((rest = after(run->lines[i], "given conf "))) {
			conf_add(given, rest);
			domains |= strncmp(rest, "domains:", 8) == 0;
			host |= strncmp(rest, "hostname:", 9) == 0;
			auth |= strncmp(rest, "auth:", 5) == 0;
		} else if ((rest = after(run->lines[i], "given service "))) {
			given->service = rest;
		} else if ((rest = after(run->lines[i], "given peer "))) {
			given->peer = rest;
		} else if (after(run->lines[i], "given modes whole")) {
			given->whole_only = true;
		}
	}
	if (!host)
		conf_add(given, "hostname: mail.example.org");
	if (!domains)
		conf_add(given, "domains: { default: example.org, local: [example.org] }");
	if (!auth)
		conf_add(given, "auth: { hash_memory: 8MB, hash_passes: 1 }");
	if (!given->has_services)
		conf_add(given, listed);
}

static const struct service *
service_named(const char *name)
{
	for (size_t i = 0; i < COUNT(services_of_test); i++)
		if (strcmp(services_of_test[i].name, name) == 0)
			return &services_of_test[i];
	fprintf(stderr, "no service %s\n", name);
	exit(1);
}

static struct session *
connect_client(struct run *run, const char *service, const char *address)
{
	struct sockaddr_storage storage = { 0 };
	struct sockaddr_in *in4 = (struct sockaddr_in *)(void *)&storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)&storage;
	struct peer peer;

	if (inet_pton(AF_INET, address, &in4->sin_addr) == 1)
		storage.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1)
		storage.ss_family = AF_INET6;
	peer_from_sockaddr(&peer, &storage);
	return session_open(&run->site.host, service_named(service), -1, &peer);
}

/* A body of PADS lines between its first and its last. */
static void
feed_message(struct run *run, struct client *client, long number, long pads)
{
	char text[512];

	snprintf(text, sizeof(text), "Subject: mail %ld\r\n\r\nfirst %ld\r\n..dot\r\n", number,
		number);
	feed(run, client, span_of(text));
	for (long i = 0; i < pads; i++) {
		snprintf(text, sizeof(text), "pad-%090ld\r\n", i);
		feed(run, client, span_of(text));
	}
	feed(run, client, SPAN("last\r\n.\r\n"));
}

/* Bring N messages into an INBOX the way every message comes: by SMTP. */
static void
bring_mail(struct run *run, const char *user, long n, long pads)
{
	struct client *client = &run->clients[0];
	enum mode mode = run->mode;
	char text[512];

	run->mode = MODE_WHOLE;
	client->session = connect_client(run, "smtp", "198.51.100.1");
	client->closed = false;
	expect_line(run, client, "220 *");
	feed(run, client, SPAN("EHLO source.example.net\r\n"));
	expect_line(run, client, "250-*");
	expect_line(run, client, "250 *");
	for (long i = 1; i <= n; i++) {
		snprintf(text, sizeof(text),
			"MAIL FROM:<bo@example.net>\r\nRCPT TO:<%s@example.org>\r\nDATA\r\n", user);
		feed(run, client, span_of(text));
		expect_line(run, client, "250 2.1.0 *");
		expect_line(run, client, "250 2.1.5 *");
		expect_line(run, client, "354 *");
		feed_message(run, client, i, pads);
		expect_line(run, client, "250 2.0.0 *");
	}
	feed(run, client, SPAN("QUIT\r\n"));
	expect_line(run, client, "221 *");
	for (int i = 0; i < 3; i++)
		turn(run, 0);
	run->mode = mode;
	buf_clear(&client->seen);
	client->closed = false;
}

static void
make_given(struct run *run)
{
	char a[64], b[512], c[512];
	const char *rest;

	for (run->at = 0; run->at < run->count; run->at++) {
		const char *line = run->lines[run->at];

		b[0] = c[0] = '\0';
		if ((rest = after(line, "given user ")) && sscanf(rest, "%63s %511s", a, b) >= 1)
			site_add_user(&run->site, a, b[0] ? b : NULL);
		else if ((rest = after(line, "given set ")) &&
			sscanf(rest, "%63s %511s %511s", a, b, c) == 3)
			site_set_user(&run->site, a, b, c);
		else if ((rest = after(line, "given mapping ")) &&
			sscanf(rest, "%511s %511s", b, c) == 2)
			site_add_mapping(&run->site, b, c);
		else if ((rest = after(line, "given group ")) &&
			sscanf(rest, "%63s %511s", a, b) == 2)
			site_add_group(&run->site, a, b);
		else if ((rest = after(line, "given mail ")) &&
			sscanf(rest, "%63s %511s %511s", a, b, c) >= 2)
			bring_mail(run, a, strtol(b, NULL, 10), strtol(c, NULL, 10));
		else if ((rest = after(line, "given held ")) && sscanf(rest, "%63s %511s", a, b) == 2)
			site_hold_message(&run->site, a, strtoul(b, NULL, 10));
	}
}

/* ---- expect ---- */

static void
expect_closed(struct run *run, bool closed)
{
	for (int i = 0; closed && i < 50 && !run->clients[0].closed; i++)
		turn(run, 2);
	if (run->clients[0].closed != closed)
		fail(run, "it is not", buf_span(&run->clients[0].seen));
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
	char user[64], verb[8];
	unsigned n;
	int used = 0;
	struct buf text, want;
	bool found;

	buf_init(&text, TEXT_MAX);
	buf_init(&want, 65536);
	if (sscanf(rest, "%63[^/]/INBOX %u %7s %n", user, &n, verb, &used) < 3 || used == 0)
		fail(run, "cannot read this line", SPAN_NONE);
	unescape(rest + used, &want);
	if (!site_inbox_read(&run->site, user, n, &text))
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

static void
expect(struct run *run, const char *rest)
{
	char user[64], got[32];
	unsigned n, is;

	if (strcmp(rest, "closed") == 0 || strcmp(rest, "open") == 0) {
		expect_closed(run, rest[0] == 'c');
	} else if (sscanf(rest, "folder %63[^/]/INBOX %u", user, &n) == 2) {
		is = (unsigned)site_inbox_count(&run->site, user);
		snprintf(got, sizeof(got), "%u", is);
		if (is != n)
			fail(run, "another number of messages", span_of(got));
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
	} else if (strcmp(rest, "silence") == 0) {
		if (buf_span(&run->clients[0].seen).len > 0)
			fail(run, "it said something", buf_span(&run->clients[0].seen));
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

/* ---- one line after another ---- */

static void
break_off(struct run *run, struct client *client, bool whole)
{
	if (!client->session)
		return;
	stream_memory_eof(&client->session->stream);
	if (whole)
		session_close(client->session, CLOSE_BROKEN);
	for (int i = 0; i < 5; i++)
		turn(run, 1);
}

static void
run_line(struct run *run, const struct given *given)
{
	const char *line = run->lines[run->at], *text;
	size_t number;
	char how, who = client_line(line, &number, &how, &text);

	if (who && !run->clients[number].session && !run->clients[number].closed)
		run->clients[number].session = connect_client(run, given->service, given->peer);
	if (who == 'C')
		send_line(run, number);
	else if (who == 'S')
		expect_line(run, &run->clients[number], text);
	else if (strcmp(line, "close") == 0 || strcmp(line, "eof") == 0)
		break_off(run, &run->clients[0], line[0] == 'c');
	else if (strcmp(line, "close2") == 0 || strcmp(line, "eof2") == 0)
		break_off(run, &run->clients[1], line[0] == 'c');
	else if ((text = after(line, "expect ")))
		expect(run, text);
	else if ((text = after(line, "wait ")))
		loop_fake_advance(run->site.host.loop, strtol(text, NULL, 10) * 1000);
	else if (strcmp(line, "fault cold") == 0)
		all_is_cold = true;
	else if ((text = after(line, "fault commit ")))
		commit_fault = strcmp(text, "EIO") == 0 ? EIO : ENOSPC;
	else if (line[0] != '\0' && line[0] != '#' && !after(line, "given ") &&
		!after(line, "test "))
		fail(run, "cannot read this line", SPAN_NONE);
}

static void
end_sessions(struct run *run)
{
	for (int i = 0; i < 200 && !list_is_empty(&run->site.host.sessions); i++) {
		session_close_all(&run->site.host, NULL, CLOSE_SHUTDOWN);
		turn(run, 1);
		if (i > 20)
			loop_fake_advance(run->site.host.loop, 1000);
	}
	if (!list_is_empty(&run->site.host.sessions))
		fail(run, "a session did not end", SPAN_NONE);
}

static bool
run_mode(struct run *run, const struct given *given, enum mode mode)
{
	now = run;
	run->mode = mode;
	run->failed = false;
	commit_fault = 0;
	all_is_cold = false;
	memset(run->fed, 0, sizeof(run->fed));
	site_open(&run->site, given->conf);
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		run->clients[i] = (struct client){ 0 };
		buf_init(&run->clients[i].seen, TEXT_MAX);
	}
	make_given(run);
	for (run->at = 0; run->at < run->count && !run->failed; run->at++)
		run_line(run, given);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		run->clients[i].session = NULL;
	run->at = run->count - 1;
	end_sessions(run);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		buf_fini(&run->clients[i].seen);
	site_close(&run->site);
	return !run->failed;
}

static bool
read_lines(struct run *run)
{
	FILE *file = fopen(run->path, "re");
	char *line = NULL;
	size_t size = 0;

	run->count = 0;
	if (!file)
		return false;
	while (run->count < LINES_MAX && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		run->lines[run->count++] = strdup(line);
	}
	free(line);
	fclose(file);
	return run->count > 0;
}

/* What the transcript is about: its line `test`. */
static const char *
title(const struct run *run)
{
	const char *text = run->count > 0 ? after(run->lines[0], "test") : NULL;

	return text ? text + strspn(text, " ") : "";
}

static bool
run_file(const char *path, int number)
{
	static struct run run;
	static struct given given;
	bool ok;

	run.path = path;
	ok = read_lines(&run);
	read_given(&run, &given);
	for (enum mode mode = 0; mode < MODES && ok; mode++)
		if (mode == MODE_WHOLE || !given.whole_only)
			ok = run_mode(&run, &given, mode);
	printf("%s %d - %s: %s\n", ok ? "ok" : "not ok", number, path, title(&run));
	for (size_t i = 0; i < run.count; i++)
		free(run.lines[i]);
	return ok;
}

int
main(int argc, char **argv)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 1; i < argc; i++)
		failed += !run_file(argv[i], i);
	return failed > 0;
}
