/*
 * server_warden.c - an address or a file by the warden, or by ourselves where there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "server/server_state.h"
#include "server/warden/warden_requests.h"

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
