/*
 * server_warden.c - an address or a file by the warden, or by ourselves where there is none; PAM; a runner.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/server_state.h"
#include "server/warden/warden_requests.h"

#define PAM_GRACE_MS 2000 /* for the warden to notice that a child is overdue */

enum err
server_bind(struct server *s, const struct listen_address *address, int *fd)
{
	struct warden_request request = { .kind = WARDEN_BIND };
	struct warden_reply reply;
	enum err err;

	if (s->options->warden_fd < 0)
		return listen_address_bind(address, fd);
	memcpy(request.text, address->text, sizeof(address->text));
	err = warden_ask(s->options->warden_fd, &request, -1, &reply, fd);
	errno = reply.error;
	return err;
}

enum err
server_open_file(struct server *s, const char *path, int *fd)
{
	struct warden_request request = { .kind = WARDEN_OPEN };
	struct warden_reply reply;
	enum err err;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* no wait for a pipe */
	if (*fd >= 0)
		return OK;
	if (errno == ENOENT)
		return ERR_NOT_FOUND;
	if (s->options->warden_fd < 0 || strlen(path) >= sizeof(request.text))
		return ERR_IO;
	memcpy(request.text, path, strlen(path));
	err = warden_ask(s->options->warden_fd, &request, -1, &reply, fd);
	errno = reply.error;
	return err;
}

bool
server_group_find(struct server *s, const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);
	FILE *file = NULL;
	int fd = -1;

	if (!group && server_open_file(s, WARDEN_GROUP_FILE, &fd) == OK)
		file = fdopen(fd, "r"); /* what replaced it is closed to the C library (Landlock) */
	if (!file && fd >= 0)
		close(fd);
	while (file && (group = fgetgrent(file)) && strcmp(group->gr_name, name) != 0)
		continue;
	if (group)
		*gid = group->gr_gid;
	if (file)
		fclose(file);
	return group != NULL;
}

int
server_runner_start(void *server)
{
	struct server *s = server;
	struct warden_request request = { .kind = WARDEN_RUNNER };
	struct warden_reply reply = { .error = ENOSYS };
	int fd = -1;

	if (s->options->warden_fd < 0 ||
		warden_ask(s->options->warden_fd, &request, -1, &reply, &fd) != OK)
		errno = reply.error;
	return fd;
}

void
server_runner_fault(void *server, const char *text)
{
	struct server *s = server;

	log_put(s->log, &(struct log_line){ .level = LEVEL_ERROR, .area = "runner", .text = text });
}

/* What the child of the warden says; ERR_BUSY: it did not in time. */
static enum err
pam_answer(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int32_t answer = -1;
	int n;

	do
		n = poll(&p, 1, WARDEN_PAM_MS + PAM_GRACE_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0 || read(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		return ERR_BUSY;
	return answer == 0 ? OK : ERR_DENIED;
}

enum err
server_pam_check(const struct server *s, struct span account, struct span password)
{
	struct warden_request request = { .kind = WARDEN_PAM };
	struct warden_reply reply;
	enum err err;
	int fd;

	if (s->options->warden_fd < 0 || account.len >= sizeof(request.text) ||
		password.len >= sizeof(request.secret) ||
		span_find(password, '\0') < password.len)
		return ERR_DENIED;
	memcpy(request.text, account.ptr, account.len);
	memcpy(request.secret, password.ptr, password.len);
	err = warden_ask(s->options->warden_fd, &request, -1, &reply, &fd);
	explicit_bzero(&request, sizeof(request)); /* H66 */
	if (err != OK)
		return err == ERR_DENIED ? ERR_DENIED : ERR_BUSY;
	err = pam_answer(fd);
	close(fd);
	return err;
}
