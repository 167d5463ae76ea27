/*
 * sink.c - a mail server that takes everything and keeps nothing, for measuring and crowds of destinations.
 *
 *   sink -p PORT [-l LIST] [-d MS]
 *
 * One process, one thread, epoll. It listens on all loopback addresses, so that 127.x.y.z are as many
 * hosts as one likes, and the second number of the address says how each of them behaves:
 *
 *   101  421 to everybody     102  closes at once       103  accepts and says nothing
 *   104  451 to RCPT          105  each answer -d MS late
 *   106  no answer to the text    107  550 to RCPT       others  take everything
 *
 * EHLO offers what Postfix's own server offers. -l appends a line "NUMBER SECOND-NUMBER MS" for each message
 * that was taken, NUMBER being the first digits of its recipient. A line on standard input is answered by one of
 * JSON: messages, connections, most at one time, milliseconds of the first and the last message. It ends
 * with its input. It is no part of the server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/list.h"
#include "proto/base/span.h"

#define LINE_MAX_SIZE 1024
#define OUT_SIZE 4096
#define INPUT_SIZE (256 * 1024)

enum manner { BUSY = 101, CLOSES, SILENT, DEFERS, LATE, FORGETS, REFUSES };
enum { COMMANDS, TEXT, CHUNK };

struct connection {
	int fd;
	unsigned manner;
	int state;
	char line[LINE_MAX_SIZE];
	size_t line_len;
	uint64_t chunk_left;
	bool chunk_last;
	unsigned recipients;
	uint64_t number; /* of the last recipient */
	char out[OUT_SIZE];
	size_t out_len;
	bool over;
	struct list late; /* in `late_ones`, until... */
	int64_t due_ms;
};

static struct {
	uint16_t port;
	int64_t late_ms;
	FILE *list;
} option = { .late_ms = 250 };

static struct {
	uint64_t messages, connections;
	unsigned open, most;
	int64_t first_ms, last_ms;
} seen;

static int poller;
static struct list late_ones;
static char input[INPUT_SIZE];

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
say(struct connection *c, const char *text)
{
	size_t len = strlen(text);

	ENSURE(c->out_len + len <= sizeof(c->out));
	memcpy(c->out + c->out_len, text, len);
	c->out_len += len;
}

static void
taken(struct connection *c)
{
	if (c->manner == FORGETS)
		return;
	seen.last_ms = now_ms();
	if (seen.messages++ == 0)
		seen.first_ms = seen.last_ms;
	if (option.list)
		fprintf(option.list, "%llu %u %lld\n", (unsigned long long)c->number, c->manner,
			(long long)seen.last_ms);
	say(c, "250 2.0.0 taken\r\n");
	c->recipients = 0;
}

static uint64_t
number_in(const char *text)
{
	return strtoull(text + strcspn(text, "0123456789"), NULL, 10);
}

static void
on_rcpt(struct connection *c)
{
	if (c->manner == DEFERS || c->manner == REFUSES) {
		say(c, c->manner == DEFERS ? "451 4.3.0 not now\r\n" : "550 5.1.1 nobody\r\n");
		return;
	}
	c->number = number_in(c->line);
	c->recipients++;
	say(c, "250 2.1.5 ok\r\n");
}

static void
on_data(struct connection *c)
{
	c->line_len = 0;
	if (c->recipients == 0) {
		say(c, "554 5.5.1 no recipients\r\n");
		return;
	}
	say(c, "354 go on\r\n");
	c->state = TEXT;
	memcpy(c->line, "\r\n", 2); /* the text begins a line */
	c->line_len = 2;
}

static void
on_bdat(struct connection *c)
{
	c->chunk_left = number_in(c->line);
	c->chunk_last = strcasestr(c->line, "LAST");
	c->state = CHUNK;
}

static void
on_command(struct connection *c)
{
	static const char hello[] = "250-sink.test\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n"
				    "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n"
				    "250-SMTPUTF8\r\n250 CHUNKING\r\n";

	if (strncasecmp(c->line, "EHLO", 4) == 0) {
		say(c, hello);
	} else if (strncasecmp(c->line, "RCPT", 4) == 0) {
		on_rcpt(c);
	} else if (strncasecmp(c->line, "DATA", 4) == 0) {
		on_data(c);
		return;
	} else if (strncasecmp(c->line, "BDAT", 4) == 0) {
		on_bdat(c);
	} else if (strncasecmp(c->line, "QUIT", 4) == 0) {
		say(c, "221 2.0.0 bye\r\n");
		c->over = true;
	} else {
		say(c, "250 2.0.0 ok\r\n");
	}
	c->line_len = 0;
}

static size_t
take_command(struct connection *c, struct span in)
{
	size_t end = span_find(in, '\n'), used = end < in.len ? end + 1 : in.len;

	ENSURE(c->line_len + used < sizeof(c->line));
	memcpy(c->line + c->line_len, in.ptr, used);
	c->line_len += used;
	c->line[c->line_len] = '\0';
	if (end < in.len)
		on_command(c);
	return used;
}

/* The end of the text, which may have come in pieces: the last bytes stand in `line`. */
static size_t
take_text(struct connection *c, struct span in)
{
	static const struct span dot = SPAN("\r\n.\r\n");
	char edge[8 + sizeof("\r\n.\r\n")];
	size_t front = in.len < dot.len ? in.len : dot.len, at, keep;

	memcpy(edge, c->line, c->line_len);
	memcpy(edge + c->line_len, in.ptr, front);
	for (at = 0; at + dot.len <= c->line_len + front; at++) {
		if (memcmp(edge + at, dot.ptr, dot.len) == 0) {
			size_t used = at + dot.len - c->line_len;

			c->state = COMMANDS;
			c->line_len = 0;
			taken(c);
			return used;
		}
	}
	if (in.len > dot.len) {
		const char *found = memmem(in.ptr, in.len, dot.ptr, dot.len);

		if (found) {
			c->state = COMMANDS;
			c->line_len = 0;
			taken(c);
			return (size_t)(found - in.ptr) + dot.len;
		}
		keep = dot.len - 1;
		memcpy(c->line, in.ptr + in.len - keep, keep);
		c->line_len = keep;
		return in.len;
	}
	keep = c->line_len + front < dot.len - 1 ? c->line_len + front : dot.len - 1;
	memcpy(c->line, edge + c->line_len + front - keep, keep);
	c->line_len = keep;
	return in.len;
}

static size_t
take_chunk(struct connection *c, struct span in)
{
	size_t used = in.len < c->chunk_left ? in.len : (size_t)c->chunk_left;

	c->chunk_left -= used;
	if (c->chunk_left > 0)
		return used;
	c->state = COMMANDS;
	if (c->recipients == 0)
		say(c, "554 5.5.1 no recipients\r\n");
	else if (c->chunk_last)
		taken(c);
	else
		say(c, "250 2.0.0 ok\r\n");
	return used;
}

static void
take(struct connection *c, struct span in)
{
	while (in.len > 0 && !c->over) {
		size_t used = c->state == COMMANDS ? take_command(c, in) :
			c->state == TEXT	   ? take_text(c, in) :
						     take_chunk(c, in);

		in = span_from(in, used);
	}
}

/* ---- connections ---- */

static void
close_one(struct connection *c)
{
	list_remove(&c->late);
	close(c->fd);
	free(c);
	seen.open--;
}

static void
flush(struct connection *c)
{
	if (c->out_len > 0 && send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) < 0)
		c->over = true; /* what it has to take fits into any buffer */
	c->out_len = 0;
	if (c->over)
		close_one(c);
}

static void
answer(struct connection *c)
{
	if (c->manner != LATE) {
		flush(c);
	} else if (c->out_len > 0 && list_is_empty(&c->late)) {
		c->due_ms = now_ms() + option.late_ms;
		list_append(&late_ones, &c->late);
	}
}

static void
serve(struct connection *c)
{
	ssize_t n = recv(c->fd, input, sizeof(input), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		close_one(c);
		return;
	}
	if (c->manner != SILENT)
		take(c, (struct span){ input, (size_t)n });
	answer(c);
}

static void
accept_one(int listener)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c;
	struct epoll_event e = { .events = EPOLLIN };

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	ENSURE(c && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	c->manner = ntohl(at.sin_addr.s_addr) >> 16 & 255;
	list_init(&c->late);
	e.data.ptr = c;
	ENSURE(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) == 0);
	seen.connections++;
	if (++seen.open > seen.most)
		seen.most = seen.open;
	if (c->manner == SILENT)
		return;
	if (c->manner != CLOSES)
		say(c, c->manner == BUSY ? "421 4.3.2 not now\r\n" : "220 sink.test ESMTP\r\n");
	c->over = c->manner == BUSY || c->manner == CLOSES;
	answer(c);
}

/* Milliseconds until the next late answer. */
static int
answer_late_ones(void)
{
	int64_t now = now_ms();

	while (!list_is_empty(&late_ones)) {
		struct connection *c = LIST_ITEM(late_ones.next, struct connection, late);

		if (c->due_ms > now)
			return (int)(c->due_ms - now);
		list_remove(&c->late);
		list_init(&c->late);
		flush(c);
	}
	return -1;
}

static void
report(void)
{
	char line[256];

	if (option.list)
		fflush(option.list);
	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	printf("{\"messages\":%llu,\"connections\":%llu,\"open\":%u,\"most\":%u,\"first_ms\":%lld,\"last_ms\":%lld}\n",
		(unsigned long long)seen.messages, (unsigned long long)seen.connections, seen.open,
		seen.most, (long long)seen.first_ms, (long long)seen.last_ms);
	fflush(stdout);
}

static int
listen_on_loopback(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(option.port) };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ENSURE(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof("lo")) != 0 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 4096) != 0) {
		perror("sink");
		exit(1);
	}
	return fd;
}

static void
parse_options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "p:l:d:")) != -1) {
		if (opt == 'p')
			option.port = (uint16_t)strtoul(optarg, NULL, 10);
		else if (opt == 'd')
			option.late_ms = strtol(optarg, NULL, 10);
		else if (opt == 'l')
			option.list = fopen(optarg, "ae");
		else
			exit(2);
	}
}

int
main(int argc, char **argv)
{
	struct epoll_event events[64], e = { .events = EPOLLIN };
	int listener;

	parse_options(argc, argv);
	list_init(&late_ones);
	listener = listen_on_loopback();
	poller = epoll_create1(EPOLL_CLOEXEC);
	e.data.ptr = &listener;
	ENSURE(poller >= 0 && epoll_ctl(poller, EPOLL_CTL_ADD, listener, &e) == 0);
	e.data.ptr = stdin;
	ENSURE(epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &e) == 0);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(poller, events, COUNT(events), answer_late_ones());

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &listener)
				accept_one(listener);
			else if (events[i].data.ptr == stdin)
				report();
			else
				serve(events[i].data.ptr);
		}
	}
}
