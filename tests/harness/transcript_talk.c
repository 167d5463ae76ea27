/*
 * transcript_talk.c - the clients of a transcript: what they say, and when it was heard.
 */
#include "tests/harness/transcript_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/services.h"
#include "server/session/login_proof.h"

static const char *const mode_names[] = { "whole", "byte by byte", "pipelined" };

/* ---- telling ---- */

void
fail(struct run *run, const char *what, struct span got)
{
	if (!run->failed)
		fprintf(stderr, "%s:%zu (%s): %s\n    line: %s\n    got:  %.*s\n", run->path,
			run->at + 1, mode_names[run->mode], what, run->lines[run->at],
			(int)(got.len > 300 ? 300 : got.len), got.ptr ? got.ptr : "");
	run->failed = true;
}

/* ---- the conversation ---- */

const char *
after(const char *line, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(line, prefix, len) == 0 ? line + len : NULL;
}

struct run *now;

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

void __wrap_login_nonce(const struct host *host, struct sasl_nonce *out);

/* Without chance: what a client answers can stand in a transcript. */
void
__wrap_login_nonce(const struct host *host, struct sasl_nonce *out)
{
	static const struct sasl_nonce nonce = { 14, "1896.697170952" };

	(void)host;
	*out = nonce;
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

void
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
void
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

void
feed(struct run *run, struct client *client, struct span bytes)
{
	size_t step = run->mode == MODE_BYTES && bytes.len <= 4096 ? 1 : 65536;

	for (size_t at = 0; at < bytes.len && !client->closed; at += step) {
		stream_memory_feed(&client->session->stream, span_range(bytes, at, at + step));
		turn(run, 0);
	}
}

/* Which client LINE is for, and what it sends: 'C', with how, or 0. */
char
client_line(const char *line, size_t *number, char *how, const char **text)
{
	size_t skip = 1;

	if ((line[0] != 'C' && line[0] != 'S') || line[1] == '\0')
		return 0;
	*number = 0;
	if (line[1] >= '2' && line[1] < '1' + CLIENTS_MAX) {
		*number = (size_t)(line[1] - '1');
		skip = 2;
	}
	*how = line[skip];
	if (*how == '\0' || !strchr(line[0] == 'C' ? ":-&|" : ":+~", *how))
		return 0;
	*text = line + skip + 1;
	if (**text == ' ')
		(*text)++;
	return line[0];
}

/* Commands after which a client may go on without the reply (RFC 2920; RFC 2449, 6.6). */
static bool
may_pipeline(const struct session *session, const char *text)
{
	static const char *const verbs[] = { "MAIL", "RCPT", "RSET", "NOOP", "STAT", "LIST", "UIDL",
		"RETR", "TOP", "DELE" };

	if (session && strcmp(session->service->name, "imap") == 0)
		return imap_may_pipeline(text);
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strncasecmp(text, verbs[i], strlen(verbs[i])) == 0)
			return true;
	return false;
}

/* One line of the client, with what its transcript writes shorter, into OUT. */
static void
put_line(struct run *run, size_t at, struct buf *out)
{
	static char text[LINE_MAX_BYTES];
	char how;
	const char *written;
	size_t whose;

	client_line(run->lines[at], &whose, &how, &written);
	if (!names_expand(run, written, text) || !literal_count(run, at, text)) {
		fail(run, "a name that no line gave, or too long a line", span_of(written));
		return;
	}
	unescape(text, out);
	if (how != '-' && buf_put(out, SPAN("\r\n")) != OK)
		fail(run, "too much to send", SPAN_NONE);
	run->fed[at] = true;
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
		put_line(run, i, out);
		more = how == '&' || how == '|' ||
			(run->mode == MODE_PIPELINED &&
				may_pipeline(run->clients[number].session, text));
	}
}

void
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

static void
take_line(struct client *client)
{
	buf_consume(&client->seen, span_find(buf_span(&client->seen), '\n') + 1);
}

void
expect_line(struct run *run, struct client *client, const char *pattern, char how)
{
	size_t len = strlen(pattern);
	bool many = how == '+' || (len >= 2 && strcmp(pattern + len - 2, "-*") == 0);
	struct span line;
	bool found = false;

	while (next_line(run, client, &line) && !(found = line_matches(run, pattern, line)) &&
		how == '~')
		take_line(client);
	if (!found) {
		fail(run, "expected another line", line);
		return;
	}
	take_line(client);
	while (many && next_line(run, client, &line) && line_matches(run, pattern, line))
		take_line(client);
}
