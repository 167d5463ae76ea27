/*
 * spool_door_talk.c - SMTP as our own client speaks it, one step at a time: what has come is taken, the answers are given.
 *
 * Our side sends a command when it has the answer to the one before, so there is room for each answer in the socket.
 */
#include "server/queue/spool_door_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LINE_MAX_BYTES (1 << 30) /* a line of text: any */

/* ---- bytes ---- */

/* False, and it is over: our side has left. */
static bool
say(struct spool_door *d, const char *line)
{
	size_t len = strlen(line), at = 0;

	while (at < len && !d->over) {
		ssize_t n = send(d->fd, line + at, len - at, MSG_NOSIGNAL);

		d->over = n < 0 && errno != EINTR;
		at += n > 0 ? (size_t)n : 0;
	}
	return !d->over;
}

/* More input behind what is left of it. False: none now, or it is over. */
static bool
fill(struct spool_door *d)
{
	ssize_t n;

	memmove(d->input, d->input + d->used, d->len - d->used);
	d->len -= d->used;
	d->used = 0;
	do
		n = d->len == sizeof(d->input) ? 0 : recv(d->fd, d->input + d->len, sizeof(d->input) - d->len, 0);
	while (n < 0 && errno == EINTR);
	d->over = n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
	d->len += n > 0 ? (size_t)n : 0;
	d->taken += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static struct span
rest(const struct spool_door *d)
{
	return (struct span){ d->input + d->used, d->len - d->used };
}

/* False: it is not whole. */
static bool
take_line(struct spool_door *d, struct span *line)
{
	size_t end = span_find(rest(d), '\n');

	if (end == rest(d).len)
		return false;
	*line = span_range(rest(d), 0, end);
	d->used += end + 1;
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* ---- the conversation ---- */

/* What stands between < and >. */
static bool
take_path(struct span line, char out[SPOOL_DOOR_ADDRESS])
{
	size_t open = span_find(line, '<'), close = span_find_last(line, '>');
	struct span path = span_range(line, open + 1, close);

	if (open >= close || close >= line.len || path.len >= SPOOL_DOOR_ADDRESS)
		return false;
	out[span_copy_clean(path, out, SPOOL_DOOR_ADDRESS - 1)] = '\0';
	return true;
}

static bool
add_recipient(struct spool_door *d, struct span line)
{
	struct spool_file *f = &d->files[d->count];

	if (d->count == SPOOL_DOOR_RECIPIENTS)
		return say(d, "452 4.5.3 files enough for one message\r\n");
	f->fd = f->folder = -1;
	if (!take_path(line, f->to))
		return say(d, "501 5.1.3 no address\r\n");
	d->count++;
	return say(d, "250 2.1.5 yes\r\n");
}

static bool
begin_text(struct spool_door *d)
{
	char line[300];

	d->good = d->count > 0;
	for (size_t i = 0; i < d->count && d->good; i++)
		d->good = spool_door_open_file(d, &d->files[i]);
	if (d->good) {
		d->takes_text = true;
		smtp_data_init(&d->data, LINE_MAX_BYTES);
		return say(d, "354 go on\r\n");
	}
	snprintf(line, sizeof(line), "451 4.3.0 %s\r\n", d->count > 0 ? d->why : "nobody");
	spool_door_drop_all(d);
	return say(d, line);
}

static bool
end_text(struct spool_door *d)
{
	char line[300];

	d->takes_text = false;
	for (size_t i = 0; i < d->count && d->good; i++)
		d->good = spool_door_close_file(d, &d->files[i]);
	spool_door_drop_all(d);
	snprintf(line, sizeof(line), d->good ? "250 2.0.0 written\r\n" : "451 4.3.0 %s\r\n", d->why);
	return say(d, line);
}

/* Some of the text, also where it cannot be written any more. */
static void
take_text(struct spool_door *d)
{
	struct span text;
	size_t used;
	enum parse parse = smtp_data_take(&d->data, rest(d), &text, &used);

	d->good = d->good && spool_door_put(d, text);
	d->used += used;
	if (parse == PARSE_DONE)
		end_text(d);
	d->over |= parse == PARSE_BAD;
}

static bool
obey(struct spool_door *d, struct span line)
{
	if (span_starts_nocase(line, SPAN("EHLO")))
		return say(d, "250-folder\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n");
	if (span_starts_nocase(line, SPAN("HELO")))
		return say(d, "250 folder\r\n");
	if (span_starts_nocase(line, SPAN("MAIL"))) {
		spool_door_drop_all(d);
		return say(d, take_path(line, d->from) ? "250 2.1.0 yes\r\n" : "501 5.1.7 no address\r\n");
	}
	if (span_starts_nocase(line, SPAN("RCPT")))
		return add_recipient(d, line);
	if (span_starts_nocase(line, SPAN("DATA")))
		return begin_text(d);
	if (span_starts_nocase(line, SPAN("RSET"))) {
		spool_door_drop_all(d);
		return say(d, "250 2.0.0 forgotten\r\n");
	}
	if (span_starts_nocase(line, SPAN("QUIT"))) {
		say(d, "221 2.0.0 bye\r\n");
		d->over = true;
		return false;
	}
	return say(d, "502 5.5.1 not here\r\n");
}

/* So that a test of the route says it, and mail waits for the folder as for a server. */
static void
greet(struct spool_door *d)
{
	char line[300];
	bool ok = spool_door_usable(d);

	d->greeted = true;
	snprintf(line, sizeof(line), ok ? "220 folder\r\n" : "421 4.3.0 %s\r\n", d->why);
	d->over = !say(d, line) || !ok;
}

/* What is here already. */
static void
take(struct spool_door *d)
{
	struct span line;

	for (size_t before = SIZE_MAX; !d->over && rest(d).len != before && rest(d).len > 0;) {
		before = rest(d).len;
		if (d->takes_text)
			take_text(d);
		else if (!take_line(d, &line))
			return;
		else
			obey(d, line);
	}
}

bool
spool_door_step(struct spool_door *d)
{
	d->taken = 0;
	if (!d->greeted)
		greet(d);
	while (!d->over && d->taken < SPOOL_DOOR_STEP && fill(d))
		take(d);
	if (d->over)
		spool_door_drop_all(d);
	return !d->over && d->taken >= SPOOL_DOOR_STEP;
}
