/*
 * spool_door.c - SMTP as our own client speaks it, and files. On a worker, which may wait.
 */
#include "server/queue/spool_door.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/smtp/smtp_data.h"
#include "server/net/crypto.h"
#include "server/net/random.h"
#include "server/net/work.h"

#define INPUT_SIZE 65536
#define PATH_SIZE 1024
#define ADDRESS_SIZE 600
#define LINE_MAX_BYTES (1 << 30) /* a line of text: any */
#define NAME_SIZE 41		 /* 20 bytes of the hash, in hexadecimal digits */
#define TEMPORARY_SIZE 32

struct spool_file {
	int fd, folder; /* -1: not open */
	char to[ADDRESS_SIZE], temporary[TEMPORARY_SIZE];
	struct crypto_sha256_stream hash;
};

struct spool_door {
	struct work work;
	int fd;
	bool users; /* PATH/out/LOCAL-PART */
	char root[PATH_SIZE], from[ADDRESS_SIZE], why[200];
	char input[INPUT_SIZE];
	size_t len, used;
	struct spool_file files[SPOOL_DOOR_RECIPIENTS];
	size_t count;
};

/* ---- bytes ---- */

static bool
say(struct spool_door *d, const char *line)
{
	size_t len = strlen(line), at = 0;

	while (at < len) {
		ssize_t n = send(d->fd, line + at, len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* More input behind what is left of it. */
static bool
fill(struct spool_door *d)
{
	ssize_t n;

	memmove(d->input, d->input + d->used, d->len - d->used);
	d->len -= d->used;
	d->used = 0;
	if (d->len == sizeof(d->input))
		return false;
	do
		n = recv(d->fd, d->input + d->len, sizeof(d->input) - d->len, 0);
	while (n < 0 && errno == EINTR);
	d->len += n > 0 ? (size_t)n : 0;
	return n > 0;
}

static struct span
rest(const struct spool_door *d)
{
	return (struct span){ d->input + d->used, d->len - d->used };
}

static bool
take_line(struct spool_door *d, struct span *line)
{
	while (span_find(rest(d), '\n') == rest(d).len)
		if (!fill(d))
			return false;
	*line = span_range(rest(d), 0, span_find(rest(d), '\n'));
	d->used += line->len + 1;
	if (line->len > 0 && line->ptr[line->len - 1] == '\r')
		line->len--;
	return true;
}

/* ---- files ---- */

static bool
failed(struct spool_door *d, const char *what)
{
	snprintf(d->why, sizeof(d->why), "%s: %s", what, strerror(errno));
	return false;
}

static bool
write_all(struct spool_door *d, struct spool_file *f, struct span text)
{
	size_t at = 0;

	while (at < text.len) {
		ssize_t n = write(f->fd, text.ptr + at, text.len - at);

		if (n < 0 && errno != EINTR)
			return failed(d, "cannot write a file");
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* The folder PATH, not by a link: who shares it must not lead mail elsewhere. */
static int
open_folder(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool
sync_folder(const char *path)
{
	int fd = open_folder(path);
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* What a group may do there the other server may, whatever the umask of this one (FXF-03). */
static bool
share(int fd, mode_t rights)
{
	struct stat st;

	return fstat(fd, &st) == 0 && fchmod(fd, (st.st_mode & 07777) | rights) == 0;
}

/* PATH/out/LOCAL-PART is made where it is not there. */
static bool
make_folder(struct spool_door *d, const char *path)
{
	char out[PATH_SIZE];
	int fd;
	bool ok;

	if (mkdir(path, 0770) != 0)
		return true; /* it is there, or open_folder() says what is wrong */
	fd = open_folder(path);
	ok = fd >= 0 && share(fd, 0770);
	if (fd >= 0)
		close(fd);
	snprintf(out, sizeof(out), "%.900s/out", d->root);
	return (ok && sync_folder(out)) || failed(d, "cannot make a folder");
}

/* PATH/in, or PATH/out/LOCAL-PART; no way out of it by a name. */
static bool
choose_folder(struct spool_door *d, struct spool_file *f)
{
	struct span to = span_of(f->to), user = span_range(to, 0, span_find_last(to, '@'));
	char path[PATH_SIZE];
	int n;

	if (!d->users)
		n = snprintf(path, sizeof(path), "%.900s/in", d->root);
	else
		n = snprintf(path, sizeof(path), "%.700s/out/%.*s", d->root, SPAN_FMT(user));
	if (n < 0 || (size_t)n >= sizeof(path) ||
		(d->users && (user.len == 0 || user.ptr[0] == '.' || span_find(user, '/') < user.len))) {
		errno = EINVAL;
		return failed(d, "no folder can be called so");
	}
	if (d->users && !make_folder(d, path))
		return false;
	f->folder = open_folder(path);
	return f->folder >= 0 || failed(d, "cannot open the folder");
}

static bool
put_envelope(struct spool_door *d, struct spool_file *f)
{
	char text[2 * ADDRESS_SIZE + 100];
	int n = snprintf(text, sizeof(text), "X-Envelope-From: <%s>\r\nX-Envelope-To: <%s>\r\n", d->from, f->to);
	struct span lines = { text, (size_t)n };

	crypto_sha256_begin(&f->hash);
	crypto_sha256_feed(&f->hash, lines);
	return d->users || write_all(d, f, lines);
}

static bool
open_file(struct spool_door *d, struct spool_file *f)
{
	unsigned char name[8];
	char digits[2 * sizeof(name) + 1] = "";

	if (!choose_folder(d, f))
		return false;
	random_fill(name, sizeof(name));
	for (size_t i = 0; i < sizeof(name); i++)
		snprintf(digits + 2 * i, 3, "%02x", name[i]);
	snprintf(f->temporary, sizeof(f->temporary), ".%s.tmp", digits);
	f->fd = openat(f->folder, f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0660);
	if (f->fd < 0 || !share(f->fd, 0660))
		return failed(d, "cannot make a file");
	return put_envelope(d, f);
}

static void
drop_file(struct spool_file *f)
{
	if (f->fd >= 0) {
		close(f->fd);
		unlinkat(f->folder, f->temporary, 0);
	}
	if (f->folder >= 0)
		close(f->folder);
	f->fd = f->folder = -1;
}

/* Under its own name, unless it was taken already; on disk, both. */
static bool
close_file(struct spool_door *d, struct spool_file *f)
{
	unsigned char sum[CRYPTO_SHA256_SIZE];
	char digits[NAME_SIZE] = "", name[NAME_SIZE + 10], taken[NAME_SIZE + 20];
	bool ok;

	crypto_sha256_end(&f->hash, sum);
	for (size_t i = 0; i < NAME_SIZE / 2; i++)
		snprintf(digits + 2 * i, 3, "%02x", sum[i]);
	snprintf(name, sizeof(name), "%s.eml", digits);
	snprintf(taken, sizeof(taken), "%s.taken", name);
	if (fsync(f->fd) != 0)
		return failed(d, "cannot sync a file");
	if (faccessat(f->folder, taken, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		drop_file(f);
		return true;
	}
	if (renameat(f->folder, f->temporary, f->folder, name) != 0)
		return failed(d, "cannot name a file");
	close(f->fd);
	f->fd = -1;
	ok = fsync(f->folder) == 0 || failed(d, "cannot sync a folder");
	drop_file(f);
	return ok;
}

static void
drop_all(struct spool_door *d)
{
	for (size_t i = 0; i < d->count; i++)
		drop_file(&d->files[i]);
	d->count = 0;
}

/* ---- the conversation ---- */

/* What stands between < and >. */
static bool
take_path(struct span line, char out[ADDRESS_SIZE])
{
	size_t open = span_find(line, '<'), close = span_find_last(line, '>');
	struct span path = span_range(line, open + 1, close);

	if (open >= close || close >= line.len || path.len >= ADDRESS_SIZE)
		return false;
	out[span_copy_clean(path, out, ADDRESS_SIZE - 1)] = '\0';
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
put_text(struct spool_door *d, struct span text)
{
	for (size_t i = 0; i < d->count; i++) {
		crypto_sha256_feed(&d->files[i].hash, text);
		if (!write_all(d, &d->files[i], text))
			return false;
	}
	return true;
}

/* All of the text, also where it cannot be written any more. False: our side has left. */
static bool
take_text(struct spool_door *d, bool *good)
{
	struct smtp_data data;
	enum parse parse = PARSE_MORE;

	smtp_data_init(&data, LINE_MAX_BYTES);
	while (parse == PARSE_MORE) {
		struct span text;
		size_t used;

		if (rest(d).len == 0 && !fill(d))
			return false;
		parse = smtp_data_take(&data, rest(d), &text, &used);
		*good = *good && put_text(d, text);
		d->used += used;
	}
	return parse == PARSE_DONE;
}

static bool
data(struct spool_door *d)
{
	char line[300];
	bool good = d->count > 0;

	for (size_t i = 0; i < d->count && good; i++)
		good = open_file(d, &d->files[i]);
	if (!good) {
		snprintf(line, sizeof(line), "451 4.3.0 %s\r\n", d->count > 0 ? d->why : "nobody");
		drop_all(d);
		return say(d, line);
	}
	if (!say(d, "354 go on\r\n") || !take_text(d, &good)) {
		drop_all(d);
		return false;
	}
	for (size_t i = 0; i < d->count && good; i++)
		good = close_file(d, &d->files[i]);
	drop_all(d);
	snprintf(line, sizeof(line), good ? "250 2.0.0 written\r\n" : "451 4.3.0 %s\r\n", d->why);
	return say(d, line);
}

static bool
obey(struct spool_door *d, struct span line)
{
	if (span_starts_nocase(line, SPAN("EHLO")))
		return say(d, "250-folder\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n");
	if (span_starts_nocase(line, SPAN("HELO")))
		return say(d, "250 folder\r\n");
	if (span_starts_nocase(line, SPAN("MAIL"))) {
		drop_all(d);
		return say(d, take_path(line, d->from) ? "250 2.1.0 yes\r\n" : "501 5.1.7 no address\r\n");
	}
	if (span_starts_nocase(line, SPAN("RCPT")))
		return add_recipient(d, line);
	if (span_starts_nocase(line, SPAN("DATA")))
		return data(d);
	if (span_starts_nocase(line, SPAN("RSET"))) {
		drop_all(d);
		return say(d, "250 2.0.0 forgotten\r\n");
	}
	if (span_starts_nocase(line, SPAN("QUIT"))) {
		say(d, "221 2.0.0 bye\r\n");
		return false;
	}
	return say(d, "502 5.5.1 not here\r\n");
}

/* So that a test of the route says it, and mail waits for the folder as for a server. */
static bool
greet(struct spool_door *d)
{
	char path[PATH_SIZE], line[300];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%.900s/%s", d->root, d->users ? "out" : "in");
	fd = open_folder(path);
	ok = fd >= 0 && faccessat(fd, ".", W_OK | X_OK, 0) == 0;
	if (!ok)
		failed(d, "cannot use the folder");
	if (fd >= 0)
		close(fd);
	snprintf(line, sizeof(line), ok ? "220 folder\r\n" : "421 4.3.0 %s\r\n", d->why);
	return say(d, line) && ok;
}

static void
run(struct work *work)
{
	struct spool_door *d = LIST_ITEM(work, struct spool_door, work);
	struct span line;

	if (greet(d))
		while (take_line(d, &line) && obey(d, line))
			;
	drop_all(d);
	close(d->fd);
	d->fd = -1;
}

static void
done(struct work *work, enum err result)
{
	struct spool_door *d = LIST_ITEM(work, struct spool_door, work);

	(void)result;
	if (d->fd >= 0)
		close(d->fd); /* it waited too long for a worker */
	free(d);
}

int
spool_door_open(struct host *host, const struct conf_route *route)
{
	struct timeval wait = { .tv_sec = SPOOL_DOOR_WAIT_S };
	struct spool_door *d = calloc(1, sizeof(*d));
	int fds[2];

	ENSURE(d);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
		free(d);
		return -1;
	}
	d->fd = fds[1];
	d->users = route->spool_layout == SPOOL_LAYOUT_USERS;
	snprintf(d->root, sizeof(d->root), "%.*s", SPAN_FMT(route->path));
	d->work = (struct work){ .loop = host->loop, .kind = WORK_LONG, .run = run, .done = done };
	list_init(&d->work.link);
	if (setsockopt(fds[1], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
		fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0 || workers_submit(host->workers, &d->work) != OK) {
		close(fds[0]);
		close(fds[1]);
		free(d);
		errno = EAGAIN;
		return -1;
	}
	return fds[0];
}
