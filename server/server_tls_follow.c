/*
 * server_tls_follow.c - a certificate whose file was replaced is taken over (SVC-07): new sessions
 * see it, open ones go on with the old one.
 *
 * Programs that renew certificates write the chain and the key one after the other. So a
 * change is looked at when both have been left alone for a while.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/net/tls.h"
#include "server/server_state.h"

#define LEFT_ALONE_S 5

/* Opened as for reading it: its folder may be closed to us, but not to the warden. */
void
server_stamp_file(struct server *s, const char *path, struct file_stamp *out)
{
	struct stat st;
	int fd;

	*out = (struct file_stamp){ 0 };
	if (server_open_file(s, path, &fd) != OK)
		return;
	if (fstat(fd, &st) == 0)
		*out = (struct file_stamp){ st.st_ino, st.st_size, st.st_mtim.tv_sec,
			st.st_mtim.tv_nsec };
	close(fd);
}

bool
server_stamp_eq(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime_s == b->mtime_s &&
		a->mtime_ns == b->mtime_ns;
}

static void
take_stamps(struct server *s, const struct conf *conf, struct file_stamp out[2])
{
	struct tls_paths paths;

	memset(out, 0, 2 * sizeof(*out));
	if (server_tls_paths(conf, &paths) != OK)
		return;
	server_stamp_file(s, paths.certificate, &out[0]);
	server_stamp_file(s, paths.key, &out[1]);
}

void
server_tls_mark(struct server *s, const struct conf *conf)
{
	take_stamps(s, conf, s->tls_stamps);
}

void
server_tls_follow(struct server *s)
{
	struct host *front = server_front(s);
	struct tls_server *tls = NULL;
	struct file_stamp now[2];
	char fault[SERVER_LINE_MAX] = "";

	if (server_load_is_busy(s))
		return; /* which reads them, too */
	take_stamps(s, front->conf, now);
	if (server_stamp_eq(&now[0], &s->tls_stamps[0]) && server_stamp_eq(&now[1], &s->tls_stamps[1]))
		return;
	if (now[0].ino == 0 || now[1].ino == 0)
		return; /* gone: a reload says what is wrong */
	for (int i = 0; i < 2; i++) {
		int64_t age_s = (int64_t)time(NULL) - now[i].mtime_s;

		if (age_s >= 0 && age_s < LEFT_ALONE_S)
			return;
	}
	memcpy(s->tls_stamps, now, sizeof(now));
	if (server_tls_open(s, front->conf, &tls, fault) != OK) {
		log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "tls",
					.text = "the new certificate is refused, the old one stays",
					.fields = { { "why", span_of(fault) } } });
		return;
	}
	server_swap(s, front->generation, tls);
	tls_server_release(&tls);
	log_put(s->log, &(struct log_line){ .level = LEVEL_INFO, .area = "tls",
				.text = "a new certificate is taken over" });
}
