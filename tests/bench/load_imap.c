/*
 * load_imap.c - load for IMAP servers: one process, one thread, epoll; the same bytes to every server.
 *
 *   load_imap login    LOGIN, SELECT INBOX, LOGOUT: -n sessions
 *   load_imap append   APPEND of -s bytes: -n in all, -c sessions at a time
 *   load_imap store    STORE of one flag of one message: -n in all, over -m messages
 *   load_imap idle     -c connections that have logged in, selected and idle until standard input ends
 *   load_imap ask      the commands given as arguments in one session of -U, -n times each
 *
 * Options: -p PORT -c SESSIONS -n TOTAL -s BYTES -m MESSAGES -u USERS (u0..) -U USER -F FOLDER
 * -t SECONDS (limit). Prints one JSON object, `ask` one for each command and time. It looks at the
 * last line of what comes alone, so that it costs little beside the server. It is no part of the
 * server.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/span.h"

#define PASSWORD "secret"
#define TAG "zQ7"
#define INPUT_SIZE (1 << 20)
#define LINE_SIZE 512
#define LATENCIES_MAX (1 << 20)

enum mode { LOGIN, APPEND, STORE, IDLE, ASK };

struct connection {
	int fd;
	int step;
	bool any_line; /* the greeting and "+": any whole line will do */
	char tail[LINE_SIZE]; /* of the last line */
	size_t tail_len;
	char head[LINE_SIZE]; /* of the command */
	size_t head_len, out;
	bool with_body;
	uint64_t number;
	double began;
};

static struct {
	enum mode mode;
	uint16_t port;
	unsigned sessions, users;
	uint64_t total, messages;
	size_t size;
	double limit_s;
	const char *user, *folder;
	char **commands;
	unsigned command_count;
} option = { .sessions = 1, .users = 50, .total = 1, .messages = 1, .size = 4096, .limit_s = 120,
	.folder = "INBOX" };

static char *body, input[INPUT_SIZE], first_error[200];
static size_t body_len;
static double latencies[LATENCIES_MAX];
static size_t latency_count;
static uint64_t started, finished, errors, bytes_in;
static unsigned open_count, ready_count;
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
	static const char head[] = "From: Sender <sender@example.org>\r\nTo: u@bench.test\r\nSubject: load\r\n"
				   "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\n";
	static const char line[] =
		"The quick brown fox jumps over the lazy dog and runs back home.\r\n";

	body = malloc(option.size + sizeof(head) + sizeof(line) + 2);
	ENSURE(body);
	memcpy(body, head, body_len = sizeof(head) - 1);
	while (body_len < option.size) {
		memcpy(body + body_len, line, sizeof(line) - 1);
		body_len += sizeof(line) - 1;
	}
	memcpy(body + body_len, "\r\n", 2); /* the end of the command, behind the literal */
}

static void
fail(const struct connection *c, const char *why)
{
	errors++;
	if (first_error[0])
		return;
	snprintf(first_error, sizeof(first_error), "step %d: %.150s", c->step, why);
	for (char *p = first_error; *p; p++)
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ')
			*p = '\'';
}

static void
finish_one(struct connection *c)
{
	finished++;
	if (latency_count < LATENCIES_MAX)
		latencies[latency_count++] = now_s() - c->began;
}

/* ---- what is said, step by step; false when the session is over ---- */

#define SAY(c, ...) ((c)->head_len = (size_t)snprintf((c)->head, LINE_SIZE, TAG " " __VA_ARGS__))

static void
say_login(struct connection *c)
{
	if (option.user)
		SAY(c, "LOGIN %s %s\r\n", option.user, PASSWORD);
	else
		SAY(c, "LOGIN u%u %s\r\n", (unsigned)(c->number % option.users), PASSWORD);
}

static bool
say_logout(struct connection *c)
{
	SAY(c, "LOGOUT\r\n");
	c->step = 9;
	return true;
}

/* The command that is measured, again and again. */
static bool
say_next(struct connection *c)
{
	if (started >= option.total)
		return say_logout(c);
	c->number = started++;
	c->began = now_s();
	c->step = 4;
	if (option.mode == APPEND) {
		SAY(c, "APPEND %s {%zu+}\r\n", option.folder, body_len);
		c->with_body = true;
	} else if (option.mode == STORE) {
		SAY(c, "STORE %llu %cFLAGS (\\Flagged)\r\n",
			(unsigned long long)(c->number % option.messages + 1),
			c->number / option.messages % 2 ? '-' : '+');
	} else {
		bytes_in = 0;
		SAY(c, "%s\r\n", option.commands[c->number % option.command_count]);
	}
	return true;
}

static void
tell(const struct connection *c)
{
	double ms = (now_s() - c->began) * 1e3;

	printf("{\"number\":%llu,\"ms\":%.3f,\"bytes\":%llu}\n",
		(unsigned long long)(c->number % option.command_count), ms,
		(unsigned long long)bytes_in);
}

static bool
say(struct connection *c)
{
	switch (c->step) {
	case 0: /* the greeting */
		say_login(c);
		c->step = 1;
		return true;
	case 1:
		if (option.mode == APPEND)
			return say_next(c);
		SAY(c, "SELECT %s\r\n", option.folder);
		c->step = 2;
		return true;
	case 2:
		if (option.mode == LOGIN) {
			finish_one(c);
			return say_logout(c);
		}
		if (option.mode != IDLE)
			return say_next(c);
		SAY(c, "IDLE\r\n");
		c->any_line = true;
		c->step = 3;
		return true;
	case 3:
		ready_count++;
		c->step = 8;
		return true;
	case 4:
		finish_one(c);
		if (option.mode == ASK)
			tell(c);
		return say_next(c);
	case 8:
		return true; /* idle, and told something */
	default:
		return false;
	}
}

/* ---- connections ---- */

static bool
has_output(const struct connection *c)
{
	return c->out < c->head_len + (c->with_body ? body_len + 2 : 0);
}

static void
watch(struct connection *c, int operation)
{
	struct epoll_event e = { .events = EPOLLIN | (has_output(c) ? EPOLLOUT : 0), .data.ptr = c };

	ENSURE(epoll_ctl(poller, operation, c->fd, &e) == 0);
}

static void
connect_one(struct connection *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(option.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
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
	if (option.mode == LOGIN || option.mode == IDLE)
		c->number = started++;
	else
		c->number = open_count; /* which user; commands are counted as they go */
	c->began = now_s();
	c->any_line = true;
	open_count++;
	watch(c, EPOLL_CTL_ADD);
}

static void
close_one(struct connection *c)
{
	close(c->fd);
	c->fd = -1;
	open_count--;
	if (option.mode == LOGIN && started < option.total)
		connect_one(c);
}

static bool
send_some(struct connection *c)
{
	while (has_output(c)) {
		bool in_head = c->out < c->head_len;
		const char *from = in_head ? c->head + c->out : body + (c->out - c->head_len);
		size_t left = in_head ? c->head_len - c->out : body_len + 2 - (c->out - c->head_len);
		ssize_t n = send(c->fd, from, left,
			MSG_NOSIGNAL | MSG_DONTWAIT | (in_head && c->with_body ? MSG_MORE : 0));

		if (n < 0)
			return errno == EAGAIN;
		c->out += (size_t)n;
	}
	return true;
}

/* Keep the last line of all that came, for its tag is what counts. */
static void
keep_tail(struct connection *c, const char *in, size_t len)
{
	const char *before = len > 1 ? memrchr(in, '\n', len - 1) : NULL;

	if (before || c->tail_len >= LINE_SIZE - 1 ||
		(c->tail_len > 0 && c->tail[c->tail_len - 1] == '\n'))
		c->tail_len = 0;
	if (before) {
		len -= (size_t)(before + 1 - in);
		in = before + 1;
	}
	if (len > LINE_SIZE - 1 - c->tail_len)
		len = LINE_SIZE - 1 - c->tail_len;
	memcpy(c->tail + c->tail_len, in, len);
	c->tail_len += len;
	c->tail[c->tail_len] = '\0';
}

/* Has the answer come? *alive says whether it is a good one. */
static bool
answered(struct connection *c, bool *alive)
{
	bool tagged = strncmp(c->tail, TAG " ", sizeof(TAG)) == 0;

	if (c->tail_len == 0 || c->tail[c->tail_len - 1] != '\n' || (!c->any_line && !tagged))
		return false;
	*alive = !tagged || strncmp(c->tail + sizeof(TAG), "OK", 2) == 0;
	if (!*alive)
		fail(c, c->tail);
	c->tail_len = 0;
	c->any_line = c->step == 8;
	return true;
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
			keep_tail(c, input, (size_t)n);
			if (answered(c, &alive) && alive) {
				c->head_len = c->out = 0;
				c->with_body = false;
				alive = say(c);
			}
		}
	}
	if (alive && has_output(c))
		alive = send_some(c);
	if (alive)
		watch(c, EPOLL_CTL_MOD);
	else
		close_one(c);
}

/* ---- all of it ---- */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void
report(double seconds)
{
	qsort(latencies, latency_count, sizeof(latencies[0]), compare);
	printf("{\"done\":%llu,\"errors\":%llu,\"first_error\":\"%s\",\"seconds\":%.4f,\"rate\":%.1f,"
	       "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"ready\":%u}\n",
		(unsigned long long)finished, (unsigned long long)errors, first_error, seconds,
		(double)finished / seconds,
		latency_count ? latencies[latency_count / 2] * 1e3 : 0,
		latency_count ? latencies[latency_count * 99 / 100] * 1e3 : 0, ready_count);
	fflush(stdout);
}

static bool
set_option(int opt)
{
	unsigned long value = strtoul(optarg, NULL, 10);

	switch (opt) {
	case 'p':
		option.port = (uint16_t)value;
		return true;
	case 'c':
		option.sessions = (unsigned)value;
		return true;
	case 'n':
		option.total = value;
		return true;
	case 's':
		option.size = value;
		return true;
	case 'm':
		option.messages = value;
		return true;
	case 'u':
		option.users = (unsigned)value;
		return true;
	case 'U':
		option.user = optarg;
		return true;
	case 'F':
		option.folder = optarg;
		return true;
	case 't':
		option.limit_s = (double)value;
		return true;
	default:
		return false;
	}
}

static void
parse_options(int argc, char **argv)
{
	static const char *const modes[] = { "login", "append", "store", "idle", "ask" };
	int opt;

	for (size_t i = 0; argc > 1 && i < COUNT(modes); i++)
		if (strcmp(argv[1], modes[i]) == 0)
			option.mode = (enum mode)i;
	optind = 2;
	while ((opt = getopt(argc, argv, "p:c:n:s:m:u:U:F:t:")) != -1)
		if (!set_option(opt))
			exit(2);
	option.commands = argv + optind;
	option.command_count = (unsigned)(argc - optind);
	if (option.mode == ASK)
		option.total *= option.command_count;
	if (option.mode == IDLE)
		option.total = option.sessions;
}

/* Serve until nothing is open any more; false where whoever started us is done with the idle. */
static bool
turn(void)
{
	struct epoll_event events[64];
	int n = epoll_wait(poller, events, COUNT(events), 1000);

	for (int i = 0; i < n; i++) {
		struct connection *c = events[i].data.ptr;

		if (!c)
			return false;
		if (c->fd >= 0)
			serve(c, events[i].events);
	}
	return open_count > 0;
}

int
main(int argc, char **argv)
{
	struct epoll_event stdin_event = { .events = EPOLLIN, .data.ptr = NULL };
	struct connection *connections;
	double began = now_s();
	bool told = false;

	parse_options(argc, argv);
	make_body();
	poller = epoll_create1(EPOLL_CLOEXEC);
	connections = calloc(option.sessions, sizeof(*connections));
	ENSURE(poller >= 0 && connections);
	if (option.mode == IDLE)
		(void)epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &stdin_event);
	for (unsigned i = 0; i < option.sessions; i++)
		connect_one(&connections[i]);
	while (now_s() < began + option.limit_s && turn()) {
		if (option.mode == IDLE && !told && ready_count + errors >= option.sessions) {
			report(now_s() - began);
			told = true;
		}
	}
	if (!told)
		report(now_s() - began);
	return errors ? 1 : 0;
}
