/*
 * link_frame.c - see link_frame.h.
 */
#include "tui/link_frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum err
link_connect(const char *path, int *out)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct span text = span_of(path);
	int fd;

	if (text.len >= sizeof(address.sun_path))
		return ERR_LIMIT;
	memcpy(address.sun_path, text.ptr, text.len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_NOT_FOUND;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		int why = errno;

		close(fd);
		return why == EACCES || why == EPERM ? ERR_DENIED : ERR_NOT_FOUND;
	}
	*out = fd;
	return OK;
}

ssize_t
link_send(int fd, struct span bytes, const int *fds, size_t fd_count)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * CONTROL_FDS_MAX)];
	} control = { 0 };
	struct iovec io = { (char *)(uintptr_t)bytes.ptr, bytes.len };
	struct msghdr message = { .msg_iov = &io, .msg_iovlen = 1 };

	ENSURE(fd_count <= CONTROL_FDS_MAX);
	if (fd_count > 0) {
		struct cmsghdr *head;

		message.msg_control = control.room;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(head), fds, sizeof(int) * fd_count);
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL);
}

enum err
link_put_request(struct buf *out, uint64_t id, const char *method, struct span params)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_put_object(&w);
	json_put_member_string(&w, SPAN("jsonrpc"), SPAN("2.0"));
	json_put_member_u64(&w, SPAN("id"), id);
	json_put_member_string(&w, SPAN("method"), span_of(method));
	json_put_name(&w, SPAN("params"));
	json_put_raw(&w, params);
	json_put_close(&w);
	if (json_writer_end(&w) != OK)
		return ERR_LIMIT;
	return buf_put_char(out, '\n');
}

enum err
link_put_ack(struct buf *out, const struct json *params)
{
	uint64_t subscription, seq;

	if (json_u64(json_find(params, SPAN("subscription")), UINT64_MAX, &subscription) != OK ||
		json_u64(json_find(params, SPAN("seq")), UINT64_MAX, &seq) != OK)
		return ERR_SYNTAX;
	return buf_printf(out,
		"{\"jsonrpc\":\"2.0\",\"method\":\"ack\",\"params\":{\"subscription\":%llu,\"seq\":"
		"%llu}}\n",
		(unsigned long long)subscription, (unsigned long long)seq);
}

struct span
link_hello_params(struct arena *a, bool read_only)
{
	return arena_printf(a, "{\"version\":%d,\"client\":\"postroom\",\"read_only\":%s}",
		CONTROL_PROTOCOL, read_only ? "true" : "false");
}

enum err
link_take_line(struct buf *in, size_t *searched, struct arena *a, const struct json **out)
{
	struct span bytes = buf_span(in);
	size_t at = *searched + span_find(span_from(bytes, *searched), '\n');
	enum err err;

	if (at >= bytes.len) {
		*searched = bytes.len;
		return ERR_BUSY;
	}
	err = json_parse(a, span_range(bytes, 0, at), out, NULL);
	buf_consume(in, at + 1);
	*searched = 0;
	return err == OK && json_is(*out, JSON_OBJECT) ? OK : ERR_CORRUPT;
}

static struct span
keep(const struct json *data, struct span name, struct arena *a)
{
	return arena_copy(a, json_text(json_find(data, name)));
}

static uint32_t
number_of(const struct json *data, struct span name)
{
	uint64_t number;

	return json_u64(json_find(data, name), UINT32_MAX, &number) == OK ? (uint32_t)number : 0;
}

void
link_take_error(const struct json *error, struct arena *a, struct rpc_error *out)
{
	const struct json *data = json_find(error, SPAN("data"));

	*out = (struct rpc_error){ .code = RPC_INTERNAL };
	if (rpc_code_find(json_text(json_find(data, SPAN("code"))), &out->code) != OK)
		out->code = RPC_INTERNAL;
	out->what = keep(data, SPAN("what"), a);
	out->why = keep(data, SPAN("why"), a);
	if (out->why.len == 0)
		out->why = keep(error, SPAN("message"), a);
	out->hint = keep(data, SPAN("hint"), a);
	out->field = keep(data, SPAN("field"), a);
	out->line = number_of(data, SPAN("line"));
	out->column = number_of(data, SPAN("column"));
	out->retry_after_s = number_of(data, SPAN("retry_after"));
}
