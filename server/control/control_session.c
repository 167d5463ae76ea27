/*
 * control_session.c - see control_session.h.
 *
 *      line ---> rpc_request_parse ---> rights ---> control_call_begin ... control_session_put
 *
 * Nothing here knows a method.
 */
#include "server/control/control_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf.h"
#include "server/control/control_call.h"
#include "server/control/control_guard.h"
#include "server/control/control_lists.h"
#include "server/control/control_subscribe.h"
#include "server/server.h"

#define CONTROL_GROUPS_MAX 256	     /* of one peer; the rest is not looked at */
#define CONTROL_LOGIN_MS (60 * 1000) /* for a peer without rights to say `auth` */

/* ---- who is there ---- */

static bool
group_listed(struct host *host, struct conf_list names, const gid_t *groups, size_t count)
{
	for (size_t i = 0; i < names.count; i++) {
		char name[64];
		gid_t gid;

		if (names.items[i].len >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", SPAN_FMT(names.items[i]));
		if (!server_group_find(host->server, name, &gid))
			continue;
		for (size_t j = 0; j < count; j++)
			if (groups[j] == gid)
				return true;
	}
	return false;
}

enum control_level
control_level_of(
	struct host *host, uid_t uid, uid_t own_uid, const gid_t *groups, size_t count)
{
	const struct conf *conf = host->conf;

	if (uid == 0 || uid == own_uid ||
		group_listed(host, conf->console_administrator, groups, count))
		return CONTROL_ADMINISTRATOR;
	if (group_listed(host, conf->console_operator, groups, count))
		return CONTROL_OPERATOR;
	if (group_listed(host, conf->console_viewer, groups, count))
		return CONTROL_VIEWER;
	return CONTROL_NOBODY;
}

static size_t
peer_groups(struct control_session *s, gid_t groups[CONTROL_GROUPS_MAX])
{
	socklen_t size = (CONTROL_GROUPS_MAX - 1) * sizeof(groups[0]);
	int fd = s->base.stream.io.fd;

	groups[0] = s->base.peer.gid;
#ifdef SO_PEERGROUPS
	if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) == 0)
		return 1 + size / sizeof(groups[0]);
#endif
	return 1;
}

static void
session_credentials(struct control_session *s)
{
	gid_t groups[CONTROL_GROUPS_MAX];
	const struct peer *peer = &s->base.peer;
	struct control_who *who = &s->who;
	size_t count = peer_groups(s, groups);

	who->level = control_level_of(s->base.host, peer->uid, geteuid(), groups, count);
	who->rights = control_rights_of(who->level);
	if (peer->uid == 0 || peer->uid == geteuid())
		who->rights |= CONTROL_RIGHT_BIT(CONTROL_RIGHT_MESSAGE_READ);
	if (peer->uid == 0)
		snprintf(who->name, sizeof(who->name), "root");
	else
		snprintf(who->name, sizeof(who->name), "uid %u", (unsigned)peer->uid);
	snprintf(who->via, sizeof(who->via), "control uid=%u pid=%d", (unsigned)peer->uid,
		(int)peer->pid);
	session_set_user(&s->base, 0, span_of(who->name));
}

/* ---- lines ---- */

void
control_session_put(struct control_session *s, struct span line)
{
	if (session_is_closing(&s->base))
		return;
	if (stream_unsent(&s->base.stream) + line.len > CONTROL_OUTPUT_MAX) {
		session_close(&s->base, CLOSE_STUCK); /* H59 */
		return;
	}
	stream_put(&s->base.stream, line);
}

static void
session_put_error(struct control_session *s, struct span id, const struct rpc_error *error)
{
	struct buf out;

	if (id.len == 0)
		return; /* a notification wants no answer */
	buf_init(&out, CONTROL_LINE_MAX);
	rpc_put_error(&out, id, error);
	control_session_put(s, buf_span(&out));
	buf_fini(&out);
}

static unsigned
fds_named(const struct rpc_request *r)
{
	unsigned want = 0;

	for (size_t i = 0; i < r->schema.count; i++)
		if (r->schema.items[i].type == CONTROL_TYPE_FD && r->values[i].present &&
			r->values[i].number < CONTROL_FDS_MAX && r->values[i].number + 1 > want)
			want = (unsigned)r->values[i].number + 1;
	return want;
}

/* The descriptors that the line names, in a preview for the call inside; more than it needs are
 * closed. */
static unsigned
session_take_fds(struct control_session *s, const struct rpc_request *r, bool last, struct arena *a,
	int fds[CONTROL_FDS_MAX])
{
	struct rpc_request *inner = ARENA_NEW(a, struct rpc_request);
	unsigned want = fds_named(r), count = 0;
	struct rpc_error error = {0};
	int fd;

	if (r->method->id == CONTROL_preview && rpc_request_inner(r, true, a, inner, &error))
		want = fds_named(inner);
	while (count < want && (fd = stream_take_fd(&s->base.stream)) >= 0)
		fds[count++] = fd;
	while (last && (fd = stream_take_fd(&s->base.stream)) >= 0)
		close(fd);
	return count;
}

bool
control_session_may(
	struct control_session *s, const struct rpc_request *r, struct rpc_error *error)
{
	const struct control_method *method = r->method;
	bool right = control_rights_have(s->who.rights, method->right);

	if (right && !(s->read_only && control_method_changes(method)))
		return control_guard_may(s, r, error);
	error->what = span_of(method->words[0] ? method->words : method->method);
	error->code = RPC_NO_PERMISSION;
	error->why = right ? SPAN("this session is read-only")
			   : SPAN("you have not the right to do this");
	error->field = span_of(control_right_name(method->right));
	return false;
}

static bool
session_may(struct control_session *s, const struct rpc_request *r, struct rpc_error *error)
{
	/* what is done at once is never too much: a console can always cancel */
	bool at_once = r->method->right == CONTROL_RIGHT_NONE &&
		       control_handlers[r->method->id]->start != NULL;

	*error = (struct rpc_error){
		.what = span_of(r->method->words[0] ? r->method->words : r->method->method)};
	if (!control_session_may(s, r, error))
		return false;
	if (s->call_count >= CONTROL_CALLS_MAX && !at_once) {
		error->code = RPC_BUSY;
		error->why = SPAN("too many requests at once on this connection");
		error->retry_after_s = 1;
		return false;
	}
	return true;
}

static void
session_wipe_secrets(struct control_call *call, const struct rpc_request *r, struct span line)
{
	for (size_t i = 0; i < r->schema.count; i++)
		if (r->schema.items[i].type == CONTROL_TYPE_SECRET) {
			control_call_wipes(call, line);
			control_call_wipes(call, r->values[i].text);
		}
}

static void
session_line(struct control_session *s, struct span line, bool last)
{
	struct control_call *call = control_call_new();
	struct rpc_request *request = ARENA_NEW(&call->arena, struct rpc_request);
	struct rpc_error error = {0};
	int fds[CONTROL_FDS_MAX];
	unsigned fd_count;

	line = call->line = arena_copy(&call->arena, line);
	if (!rpc_request_parse(line, &call->arena, request, &error)) {
		control_call_wipes(call, line);
		session_put_error(s, request->id, &error);
		control_call_free(call);
		return;
	}
	session_wipe_secrets(call, request, line);
	fd_count = session_take_fds(s, request, last, &call->arena, fds);
	if (!session_may(s, request, &error)) {
		for (unsigned i = 0; i < fd_count; i++)
			close(fds[i]);
		session_put_error(s, request->id, &error);
		control_call_free(call);
		return;
	}
	session_set_doing(&s->base, request->method->method);
	if (control_method_changes(request->method))
		session_log(&s->base, LEVEL_INFO, .text = "change",
			.fields = {{"method", span_of(request->method->method), 0},
				{"who", span_of(s->who.name), 0}, {"via", span_of(s->who.via), 0}});
	control_call_begin(s, call, request, fds, fd_count);
}

static void
session_too_long(struct control_session *s)
{
	static const struct rpc_error error = {.code = RPC_TOO_LARGE,
		.what = {"request", 7},
		.why = {"a line is longer than 1 MiB", 27}};

	session_put_error(s, SPAN("null"), &error);
	session_close(&s->base, CLOSE_TOO_LONG);
}

static void
control_input(struct session *base)
{
	struct control_session *s = (struct control_session *)base;

	session_take_conf(base);
	while (!session_is_closing(base) && !stream_is_full(&base->stream)) {
		struct span in = stream_peek(&base->stream);
		size_t end = s->scanned + span_find(span_from(in, s->scanned), '\n');

		if (end >= in.len && in.len < CONTROL_LINE_MAX) {
			s->scanned = in.len;
			break;
		}
		if (end >= CONTROL_LINE_MAX) {
			session_too_long(s);
			return;
		}
		s->scanned = 0;
		if (span_trim(span_range(in, 0, end)).len > 0)
			session_line(s, span_range(in, 0, end), end + 1 == in.len);
		stream_consume_secret(&base->stream, end + 1); /* any line may hold one */
	}
	if (stream_at_eof(&base->stream) && s->call_count == 0)
		session_close(base, CLOSE_PEER);
}

static void
control_open(struct session *base)
{
	struct control_session *s = (struct control_session *)base;

	list_init(&s->calls);
	list_init(&s->subscriptions);
	list_init(&s->cursors);
	session_credentials(s);
	if (s->who.level == CONTROL_NOBODY)
		session_set_deadline(base, CONTROL_LOGIN_MS, CLOSE_LOGIN_TIME);
	session_log(base, LEVEL_DEBUG, .text = "console",
		.fields = {{"who", span_of(s->who.name), 0},
			{"level", span_of(control_level_name(s->who.level)), 0}});
}

/* A closed socket cancels all. */
static void
control_close(struct session *base)
{
	struct control_session *s = (struct control_session *)base;
	struct list *at, *following;

	list_for_each (at, following, &s->calls)
		control_call_leave(LIST_ITEM(at, struct control_call, link));
	control_subscriptions_end(s);
	control_cursors_end(s);
}

/* Over limits.consoles: an answer to whatever would have been asked. */
#define BUSY_LINE                                                                                  \
	"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32004,\"message\":"                      \
	"\"too many consoles are open\",\"data\":{\"code\":\"busy\",\"what\":\"server\",\"why\":"       \
	"\"too many consoles are open (limits.consoles)\",\"hint\":\"close one, or raise it\"}}}\n"

const struct session_class control_session_class = {
	.name = "control",
	.size = sizeof(struct control_session),
	.open = control_open,
	.input = control_input,
	.close = control_close,
	.input_max = CONTROL_LINE_MAX + 1,
	.busy_text = {BUSY_LINE, sizeof(BUSY_LINE) - 1},
};
