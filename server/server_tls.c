/*
 * server_tls.c - the certificate: read through the warden, or made where there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/net/tls.h"
#include "server/server_state.h"

#define PEM_FILE_MAX (256 * 1024)
#define NEW_SUFFIX ".new" /* of a file that is being written */

enum err
server_tls_paths(const struct conf *conf, struct tls_paths *out)
{
	bool named = conf->tls_certificate.len > 0;
	int n, m;

	if (named) {
		n = snprintf(out->certificate, sizeof(out->certificate), "%.*s",
			SPAN_FMT(conf->tls_certificate));
		m = snprintf(out->key, sizeof(out->key), "%.*s", SPAN_FMT(conf->tls_key));
	} else {
		n = snprintf(out->certificate, sizeof(out->certificate), "%.*s/tls/cert.pem",
			SPAN_FMT(conf->data));
		m = snprintf(out->key, sizeof(out->key), "%.*s/tls/key.pem", SPAN_FMT(conf->data));
	}
	return (size_t)n < sizeof(out->certificate) && (size_t)m < sizeof(out->key) ? OK :
										      ERR_LIMIT;
}

enum err
server_read_fd(int fd, struct buf *out)
{
	ssize_t n = 1;
	int error;

	while (n > 0) {
		char *room = buf_reserve(out, 4096);

		if (!room) {
			errno = EFBIG;
			break;
		}
		n = read(fd, room, 4096);
		if (n > 0)
			buf_added(out, (size_t)n);
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	error = errno;
	close(fd);
	errno = error;
	return n == 0 ? OK : ERR_IO;
}

static enum err
read_pem(struct server *s, const char *path, struct buf *out)
{
	int fd;
	enum err err = server_open_file(s, path, &fd);

	return err == OK ? server_read_fd(fd, out) : err;
}

/* Whole, or not at all: under another name first. */
static enum err
write_file(const char *path, struct span text, mode_t mode)
{
	char temp[sizeof(((struct tls_paths *)0)->key) + sizeof(NEW_SUFFIX)];
	ssize_t n;
	int fd;

	snprintf(temp, sizeof(temp), "%s" NEW_SUFFIX, path);
	if (unlink(temp) != 0 && errno != ENOENT)
		return ERR_IO;
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return ERR_IO;
	n = write(fd, text.ptr, text.len);
	if (n != (ssize_t)text.len || fsync(fd) != 0 || rename(temp, path) != 0) {
		close(fd);
		unlink(temp);
		return ERR_IO;
	}
	close(fd);
	return OK;
}

static void
make_folder_of(const char *path)
{
	char folder[PATH_MAX / 4];
	size_t end = span_find_last(span_of(path), '/');

	if (end >= sizeof(folder) || path[end] == '\0')
		return;
	memcpy(folder, path, end);
	folder[end] = '\0';
	if (mkdir(folder, 0700) != 0)
		return; /* it is there, or writing the file says what is wrong */
}

/* The key, 0600, then the certificate beside it: one without the other is made anew. */
static enum err
make_certificate(struct server *s, const struct conf *conf, const struct tls_paths *paths,
	struct buf *certificate, struct buf *key)
{
	struct span hostname =
		conf_hostname_is_word(conf) ? conf_default_domain(conf) : conf->hostname;
	enum err err;

	if (hostname.len == 0)
		hostname = SPAN("localhost");
	buf_clear(certificate);
	err = tls_self_signed(hostname, host_now_ms(server_front(s)) / 1000, certificate, key);
	if (err == ERR_SYNTAX)
		err = tls_self_signed(SPAN("localhost"), host_now_ms(server_front(s)) / 1000,
			certificate, key);
	if (err != OK)
		return err;
	make_folder_of(paths->certificate);
	make_folder_of(paths->key);
	err = write_file(paths->key, buf_span(key), 0600);
	if (err == OK)
		err = write_file(paths->certificate, buf_span(certificate), 0644);
	if (err == OK)
		log_put(server_front(s)->log,
			&(struct log_line){ .level = LEVEL_WARNING, .area = "tls",
				.text = "made a self-signed certificate",
				.fields = { { "file", span_of(paths->certificate) },
					{ "name", hostname } } });
	return err;
}

static enum err
load(struct server *s, const struct conf *conf, const struct tls_paths *paths, struct buf *cert,
	struct buf *key, char fault[SERVER_LINE_MAX])
{
	bool ours = conf->tls_certificate.len == 0; /* a key alone is what a crash left */
	enum err err = read_pem(s, paths->certificate, cert);

	if (err == ERR_NOT_FOUND && (ours || access(paths->key, F_OK) != 0)) {
		err = make_certificate(s, conf, paths, cert, key);
		if (err != OK)
			snprintf(fault, SERVER_LINE_MAX,
				"certificate %.150s: cannot be made: %s (is the folder ours?)",
				paths->certificate, strerror(errno));
		return err;
	}
	if (err != OK) {
		snprintf(fault, SERVER_LINE_MAX, "certificate %.150s: %s (see tls.certificate)",
			paths->certificate, strerror(errno));
		return err;
	}
	err = read_pem(s, paths->key, key);
	if (err != OK)
		snprintf(fault, SERVER_LINE_MAX, "key %.150s: %s (see tls.key)", paths->key,
			strerror(errno));
	return err;
}

enum err
server_tls_open(struct server *s, const struct conf *conf, struct tls_server **out,
	char fault[SERVER_LINE_MAX])
{
	struct tls_paths paths;
	struct buf cert, key;
	const char *why = NULL;
	enum err err;

	buf_init(&cert, PEM_FILE_MAX);
	buf_init(&key, PEM_FILE_MAX);
	key.wipes = true; /* also as it grows (H66) */
	err = server_tls_paths(conf, &paths);
	if (err != OK)
		snprintf(fault, SERVER_LINE_MAX, "certificate: the path is too long");
	else
		err = load(s, conf, &paths, &cert, &key, fault);
	if (err == OK) {
		err = tls_server_open(buf_span(&cert), buf_span(&key), out, &why);
		if (err != OK)
			snprintf(fault, SERVER_LINE_MAX,
				"certificate %.150s: %s (see tls.certificate, tls.key)",
				paths.certificate, why);
	}
	buf_fini(&cert);
	buf_fini(&key);
	return err;
}

/* ---- a look at the files, for --check and config check ---- */

/* ERR_DENIED: only whoever starts the server may read it. */
static enum err
look_pem(const char *path, const char *key, struct buf *out, char fault[SERVER_LINE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0 && server_read_fd(fd, out) == OK)
		return OK;
	snprintf(fault, SERVER_LINE_MAX, "%s %.150s: %s", key, path, strerror(errno));
	return errno == EACCES ? ERR_DENIED : ERR_IO;
}

enum err
server_tls_check(const struct conf *conf, char fault[SERVER_LINE_MAX])
{
	struct tls_server *tls = NULL;
	struct tls_paths paths;
	struct buf cert, key;
	const char *why = NULL;
	enum err err = server_tls_paths(conf, &paths);

	if (err != OK || (access(paths.certificate, F_OK) != 0 && errno == ENOENT &&
				 (conf->tls_certificate.len == 0 || access(paths.key, F_OK) != 0)))
		return err; /* there is none: it is made at the start */
	buf_init(&cert, PEM_FILE_MAX);
	buf_init(&key, PEM_FILE_MAX);
	key.wipes = true;
	err = look_pem(paths.certificate, "tls.certificate", &cert, fault);
	if (err == OK)
		err = look_pem(paths.key, "tls.key", &key, fault);
	if (err == OK) {
		err = tls_server_open(buf_span(&cert), buf_span(&key), &tls, &why);
		if (err != OK)
			snprintf(fault, SERVER_LINE_MAX, "tls.certificate %.150s: %s",
				paths.certificate, why);
	}
	tls_server_release(&tls);
	buf_fini(&cert);
	buf_fini(&key);
	return err;
}
