/*
 * load.c - load for mail servers: one process, one thread, epoll; the same bytes to every server.
 *
 *   load smtp   messages in: -n in all, -k a session, -r recipients each
 *   load pop    login, STAT, QUIT: -n sessions
 *   load retr   RETR 1..n of one mailbox: -w commands in flight
 *   load idle   -c POP3 connections that were greeted and wait until standard input ends
 *
 * Options: -p PORT -c SESSIONS -n TOTAL -k EACH -s BYTES -r RECIPIENTS -w WINDOW -u USERS (u0..)
 * -U USER -D DOMAINS (elsewhere: mN@d0.test..) -t SECONDS (limit).  Prints one JSON object.  It is no part of the server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/span.h"

#define DOMAIN "bench.test"
#define PASSWORD "secret"
#define COMMANDS_MAX 8192 /* bytes of commands in flight */
#define INPUT_SIZE (256 * 1024)
#define LATENCIES_MAX (1 << 20)

enum mode { SMTP, POP, RETR, IDLE };

struct connection {
	int fd;
	int step;
	unsigned replies; /* still expected to what was sent */
	unsigned sent;	  /* messages of this session */
	unsigned recipient;
	bool multiline; /* POP3: the reply ends with a dot */
	bool in_body;
	char head[60]; /* the first bytes of the line being read */
	size_t line_len;
	char commands[COMMANDS_MAX];
	size_t commands_len, out; /* bytes of commands and body that have gone */
	bool with_body;
	uint64_t number;
	double began;
};

static struct {
	enum mode mode;
	uint16_t port;
	unsigned sessions, each, recipients, window, users, domains;
	uint64_t total;
	size_t size;
	double limit_s;
	const char *user;
} option = {.sessions = 1,
	.each = 1,
	.recipients = 1,
	.window = 1,
	.users = 50,
	.total = 1,
	.size = 4096,
	.limit_s = 120};

static char *body;
static size_t body_len;
static char input[INPUT_SIZE];
static double latencies[LATENCIES_MAX];
static size_t latency_count;
static uint64_t started, finished, errors, bytes_in;
static unsigned open_count, ready_count;
static char first_error[200];
static int poller;

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
make_body(void)
{
	static const char line[] =
		"The quick brown fox jumps over the lazy dog and runs back home.\r\n";
	size_t head_room = 160; /* the header that say_message() writes */

	body = malloc(option.size + sizeof(line) + 8);
	ENSURE(body);
	while (body_len + head_room < option.size) {
		memcpy(body + body_len, line, sizeof(line) - 1);
		body_len += sizeof(line) - 1;
	}
	memcpy(body + body_len, ".\r\n", 3);
	body_len += 3;
}

static void say(struct connection *c, unsigned replies, const char *format, ...) PRINTF_LIKE(3, 4);

static void
say(struct connection *c, unsigned replies, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(c->commands + c->commands_len, COMMANDS_MAX - c->commands_len, format, args);
	va_end(args);
	ENSURE(n > 0 && c->commands_len + (size_t)n < COMMANDS_MAX);
	c->commands_len += (size_t)n;
	c->replies += replies;
}

static void
fail(const struct connection *c, const char *why)
{
	errors++;
	if (!first_error[0])
		snprintf(first_error, sizeof(first_error), "step %d: %s", c->step, why);
}

static void
finish_one(struct connection *c)
{
	finished++;
	if (latency_count < LATENCIES_MAX)
		latencies[latency_count++] = now_s() - c->began;
}

/* Each step says what comes next; false when the session is over. */
static bool
next_smtp(struct connection *c)
{
	switch (c->step) {
	case 0:
		say(c, 1, "EHLO client." DOMAIN "\r\n");
		c->step = 1;
		return true;
	case 4: /* the message was accepted */
		finish_one(c);
		/* fall through */
	case 1:
		if (started >= option.total || c->sent >= option.each) {
			say(c, 1, "QUIT\r\n");
			c->step = 9;
			return true;
		}
		c->number = started++;
		c->began = now_s();
		c->sent++;
		c->recipient = 0;
		say(c, 1, "MAIL FROM:<sender%u@example.org>\r\n", (unsigned)(c->number % 97));
		c->step = 2;
		return true;
	case 2:
		if (c->recipient < option.recipients && option.user) {
			say(c, 1, "RCPT TO:<%s@" DOMAIN ">\r\n", option.user);
			c->recipient++;
			return true;
		}
		if (c->recipient < option.recipients && option.domains > 0) {
			say(c, 1, "RCPT TO:<m%llu@d%llu.test>\r\n", (unsigned long long)c->number,
				(unsigned long long)(c->number + c->recipient) % option.domains);
			c->recipient++;
			return true;
		}
		if (c->recipient < option.recipients) {
			say(c, 1, "RCPT TO:<u%u@" DOMAIN ">\r\n",
				(unsigned)((c->number * option.recipients + c->recipient++) %
					   option.users));
			return true;
		}
		say(c, 1, "DATA\r\n");
		c->step = 3;
		return true;
	case 3:
		say(c, 1,
			"From: Sender <sender@example.org>\r\nTo: u@" DOMAIN
			"\r\nSubject: load %llu\r\n"
			"Message-ID: <%llu.%d@example.org>\r\nDate: Sat, 21 Nov 2026 10:00:00 "
			"+0000\r\n\r\n",
			(unsigned long long)c->number, (unsigned long long)c->number, getpid());
		c->with_body = true;
		c->step = 4;
		return true;
	default:
		return false;
	}
}

static bool
next_retr(struct connection *c)
{
	if (c->step == 4)
		finished += c->sent;
	c->sent = 0;
	c->step = 4;
	c->multiline = true;
	while (c->sent < option.window && started < option.total) {
		say(c, 1, "RETR %llu\r\n", (unsigned long long)++started);
		c->sent++;
	}
	if (c->sent)
		return true;
	c->multiline = false;
	say(c, 1, "QUIT\r\n");
	c->step = 9;
	return true;
}

static bool
next_pop(struct connection *c)
{
	switch (c->step) {
	case 0:
		if (option.mode == IDLE) {
			ready_count++;
			c->step = 10;
			return true;
		}
		if (option.user)
			say(c, 1, "USER %s\r\n", option.user);
		else
			say(c, 1, "USER u%u\r\n", (unsigned)(c->number % option.users));
		c->step = 1;
		return true;
	case 1:
		say(c, 1, "PASS " PASSWORD "\r\n");
		c->step = 2;
		return true;
	case 2:
		if (option.mode == RETR)
			return next_retr(c);
		say(c, 1, "STAT\r\n");
		c->step = 3;
		return true;
	case 3:
		say(c, 1, "QUIT\r\n");
		c->step = 8;
		return true;
	case 4:
		return next_retr(c);
	case 8:
		finish_one(c);
		return false;
	default:
		return false;
	}
}

static void watch(struct connection *c, int operation);

static void
connect_one(struct connection *c)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(option.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1;

	memset(c, 0, sizeof(*c));
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ENSURE(c->fd >= 0);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		fail(c, strerror(errno));
		close(c->fd);
		c->fd = -1;
		return;
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (option.mode != SMTP) {
		c->number = option.mode == RETR ? 0 : started++;
		c->began = now_s();
	}
	c->replies = 1; /* the greeting */
	open_count++;
	watch(c, EPOLL_CTL_ADD);
}

static bool
has_output(const struct connection *c)
{
	return c->out < c->commands_len + (c->with_body ? body_len : 0);
}

static void
watch(struct connection *c, int operation)
{
	struct epoll_event e = {.events = EPOLLIN | (has_output(c) ? EPOLLOUT : 0), .data.ptr = c};

	ENSURE(epoll_ctl(poller, operation, c->fd, &e) == 0);
}

static void
close_one(struct connection *c)
{
	bool more = option.mode == SMTP || option.mode == POP;

	close(c->fd);
	c->fd = -1;
	open_count--;
	if (more && started < option.total)
		connect_one(c);
}

static bool
send_some(struct connection *c)
{
	while (has_output(c)) {
		bool in_commands = c->out < c->commands_len;
		const char *from =
			in_commands ? c->commands + c->out : body + (c->out - c->commands_len);
		size_t left = in_commands ? c->commands_len - c->out
					  : body_len - (c->out - c->commands_len);
		ssize_t n = send(c->fd, from, left,
			MSG_NOSIGNAL | MSG_DONTWAIT | (in_commands && c->with_body ? MSG_MORE : 0));

		if (n < 0)
			return errno == EAGAIN;
		c->out += (size_t)n;
	}
	return true;
}

/* One whole line has been read; true where it ends a reply. */
static bool
line_ends_reply(struct connection *c)
{
	if (option.mode == SMTP)
		return c->head[3] != '-';
	if (!c->multiline)
		return true;
	if (!c->in_body) {
		c->in_body = true;
		return false;
	}
	if (c->line_len != sizeof(".\r\n") - 1 || c->head[0] != '.')
		return false;
	c->in_body = false;
	return true;
}

static bool
is_refusal(const struct connection *c)
{
	if (option.mode == SMTP)
		return c->head[0] != '2' && c->head[0] != '3';
	return !c->in_body && c->head[0] != '+';
}

/* False where the server refused. */
static bool
read_lines(struct connection *c, struct span in)
{
	while (in.len) {
		size_t end = span_find(in, '\n');
		size_t used = end < in.len ? end + 1 : in.len;

		for (size_t i = 0; i < used && c->line_len + i < sizeof(c->head); i++)
			c->head[c->line_len + i] = in.ptr[i];
		c->line_len += used;
		in = span_from(in, used);
		if (end + 1 != used)
			return true;
		if (is_refusal(c)) {
			size_t shown = c->line_len < sizeof(c->head) ? c->line_len : sizeof(c->head) - 1;

			c->head[shown] = '\0';
			c->head[strcspn(c->head, "\r\n\"\\")] = '\0'; /* it goes into JSON */
			fail(c, c->head);
			return false;
		}
		if (line_ends_reply(c) && c->replies)
			c->replies--;
		c->line_len = 0;
	}
	return true;
}

static bool
step_on(struct connection *c)
{
	c->commands_len = c->out = 0;
	c->with_body = false;
	return option.mode == SMTP ? next_smtp(c) : next_pop(c);
}

static void
serve(struct connection *c, uint32_t events)
{
	bool alive = true;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		ssize_t n = recv(c->fd, input, sizeof(input), MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			if (c->step != 9)
				fail(c, "the server closed");
			alive = false;
		} else if (n > 0) {
			bytes_in += (uint64_t)n;
			alive = read_lines(c, (struct span){input, (size_t)n});
			if (alive && c->replies == 0)
				alive = step_on(c);
		}
	}
	if (alive && has_output(c))
		alive = send_some(c);
	if (alive)
		watch(c, EPOLL_CTL_MOD);
	else
		close_one(c);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
latency_ms(double part)
{
	return latency_count ? latencies[(size_t)((double)(latency_count - 1) * part)] * 1e3 : 0;
}

static void
report(double seconds)
{
	qsort(latencies, latency_count, sizeof(latencies[0]), compare);
	printf("{\"done\":%llu,\"errors\":%llu,\"first_error\":\"%s\",\"seconds\":%.4f,\"rate\":%."
	       "1f,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"mb_in\":%.2f,\"ready\":%u}\n",
		(unsigned long long)finished, (unsigned long long)errors, first_error, seconds,
		(double)finished / seconds, latency_ms(0.5), latency_ms(0.99),
		(double)bytes_in / 1e6, ready_count);
	fflush(stdout);
}

static void
parse_options(int argc, char **argv)
{
	static const char *const modes[] = {"smtp", "pop", "retr", "idle"};
	int opt;

	for (size_t i = 0; argc > 1 && i < COUNT(modes); i++)
		if (strcmp(argv[1], modes[i]) == 0)
			option.mode = (enum mode)i;
	optind = 2;
	while ((opt = getopt(argc, argv, "p:c:n:k:s:r:w:u:U:D:t:")) != -1) {
		unsigned long value = strtoul(optarg, NULL, 10);

		switch (opt) {
		case 'p':
			option.port = (uint16_t)value;
			break;
		case 'c':
			option.sessions = (unsigned)value;
			break;
		case 'n':
			option.total = value;
			break;
		case 'k':
			option.each = (unsigned)value;
			break;
		case 's':
			option.size = value;
			break;
		case 'r':
			option.recipients = (unsigned)value;
			break;
		case 'w':
			option.window = (unsigned)value;
			break;
		case 'u':
			option.users = (unsigned)value;
			break;
		case 'D':
			option.domains = (unsigned)value;
			break;
		case 'U':
			option.user = optarg;
			break;
		case 't':
			option.limit_s = (double)value;
			break;
		default:
			exit(2);
		}
	}
}

int
main(int argc, char **argv)
{
	struct connection *connections;
	struct epoll_event events[64], stdin_event = {.events = EPOLLIN, .data.ptr = NULL};
	double began;
	bool told = false;

	parse_options(argc, argv);
	make_body();
	poller = epoll_create1(EPOLL_CLOEXEC);
	connections = calloc(option.sessions, sizeof(*connections));
	ENSURE(poller >= 0 && connections);
	if (option.mode == IDLE) {
		option.total = option.sessions;
		(void)epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &stdin_event);
	}
	began = now_s();
	for (unsigned i = 0; i < option.sessions; i++)
		connect_one(&connections[i]);
	while (open_count > 0 && now_s() < began + option.limit_s) {
		int n = epoll_wait(poller, events, COUNT(events), 1000);

		for (int i = 0; i < n; i++) {
			struct connection *c = events[i].data.ptr;

			if (!c)
				return 0; /* idle: whoever started us is done */
			if (c->fd >= 0)
				serve(c, events[i].events);
		}
		if (option.mode == IDLE && !told && ready_count + errors >= option.sessions) {
			report(now_s() - began);
			told = true;
		}
	}
	if (!told)
		report(now_s() - began);
	return errors ? 1 : 0;
}
