/*
 * server_outgoing.c - what outgoing mail needs of the process: roots, secrets in files, its start.
 */
#include <stdio.h>
#include <unistd.h>

#include "server/collect/collect.h"
#include "server/connect/connect.h"
#include "server/net/tls.h"
#include "server/queue/outgoing.h"
#include "server/server_state.h"

#define SYSTEM_ROOTS "/etc/ssl/certs/ca-certificates.crt"
#define ROOTS_MAX (4 * 1024 * 1024) /* bytes */
#define SECRET_FILE_MAX 16384 /* bytes that are read of it, its line end and room to read counted */

struct tls_client *
server_read_roots(struct server *s, const char *path, size_t *count)
{
	struct tls_client *client;
	struct buf text;
	int fd = -1;

	*count = 0;
	buf_init(&text, ROOTS_MAX);
	if (server_open_file(s, path, &fd) != OK || server_read_fd(fd, &text) != OK)
		buf_clear(&text);
	client = tls_client_open(buf_span(&text), count);
	buf_fini(&text);
	return client;
}

struct tls_client *
server_conf_roots(struct server *s, const struct conf *conf)
{
	const char *path = conf->tls_ca.len > 0 ? conf->tls_ca.ptr : SYSTEM_ROOTS;
	size_t count;
	struct tls_client *client = server_read_roots(s, path, &count);

	log_put(s->log,
		&(struct log_line){ .level = count > 0 ? LEVEL_DEBUG : LEVEL_WARNING, .area = "tls",
			.text = count > 0 ? "read the roots" : "no roots: no other server can be verified",
			.fields = { { "file", span_of(path) }, { "count", .number = (int64_t)count } } });
	return client;
}

void
server_outgoing_start(struct server *s)
{
	struct host *front = server_front(s);
	struct tls_client *roots = server_conf_roots(s, front->conf);

	s->outgoing = outgoing_start(front, roots);
	tls_client_release(&roots);
	for (unsigned i = 0; i < s->loop_count; i++)
		s->hosts[i].outgoing = s->outgoing; /* no loop but this one reads it before a session comes */
	s->collect = collect_open(front);
	s->connect = connect_open(front);
}

void
server_outgoing_follow(struct server *s, struct tls_client *roots)
{
	outgoing_set_roots(s->outgoing, roots);
	outgoing_look_again(server_front(s)); /* behind the swap, which was posted before */
}

enum err
server_read_secret(struct server *s, struct span path, struct buf *out)
{
	char name[4096];
	int fd = -1;
	int n = snprintf(name, sizeof(name), "%.*s", SPAN_FMT(path));
	struct span secret;
	struct buf text;
	enum err err;

	if (n < 0 || (size_t)n >= sizeof(name))
		return ERR_LIMIT;
	err = server_open_file(s, name, &fd);
	if (err != OK)
		return err;
	buf_init(&text, SECRET_FILE_MAX);
	text.wipes = true;
	err = server_read_fd(fd, &text);
	secret = buf_span(&text);
	while (secret.len > 0 && (secret.ptr[secret.len - 1] == '\n' || secret.ptr[secret.len - 1] == '\r'))
		secret.len--;
	if (err == OK)
		err = buf_put(out, secret);
	buf_wipe(&text);
	return err;
}
