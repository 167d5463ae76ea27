/*
 * control_message_send.c - `message send`: a letter of the Main Administrator's to users, groups and lists (USR-47, Q-03).
 *
 * One message for all of them: it goes through the pipeline like any other, so who is reached twice has it once. It is
 * from the Main Administrator's address, and so answers and reports come to him.
 */
#include "conf/conf.h"
#include "proto/base/utf8.h"
#include "server/control/control_transfer.h"
#include "server/pipeline/names.h"
#include "server/queue/own_mail.h"
#include "store/names.h"

struct sending {
	struct span text;
	struct span from;
};

static bool
send_work(struct control_call *call)
{
	struct sending *s = ARENA_NEW(&call->arena, struct sending);
	int fd = control_fd(call, "message");

	call->state = s;
	s->text = control_param(call, "text");
	if (fd >= 0 && !control_read_file(call, fd, &s->text))
		return false;
	if (rpc_value(call->request, "names")->count > OWN_MAIL_NAMES_MAX)
		return control_failf(call, RPC_TOO_LARGE, "names",
			"at most %d names; a group or a list may have more members", OWN_MAIL_NAMES_MAX);
	if (span_trim(s->text).len == 0)
		return control_fail(call, RPC_INVALID, "there is no text",
			"give --message FILE, - for standard input, or --text", "message");
	if (s->text.len > OWN_MAIL_TEXT_MAX)
		return control_failf(call, RPC_TOO_LARGE, "message", "a text has at most %d bytes",
			OWN_MAIL_TEXT_MAX);
	return utf8_is_valid(s->text) ||
		control_fail(call, RPC_INVALID, "the text is not UTF-8", NULL, "message");
}

/* A user, a group or a list, the built-in ones included. */
static bool
is_known(struct control_call *call, struct snapshot *snap, struct span name)
{
	struct name_row row;

	if (names_builtin(name) != BUILTIN_NONE || name_find(snap, name, &row) == OK)
		return true;
	return control_failf(call, RPC_NOT_FOUND, "names", "no user, group or list is called %.*s",
		SPAN_FMT(name));
}

static bool
find_names(struct control_call *call, struct snapshot *snap)
{
	const struct rpc_value *names = rpc_value(call->request, "names");

	for (size_t i = 0; i < names->count; i++)
		if (!is_known(call, snap, names->items[i]))
			return false;
	return true;
}

static enum step
send_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct rpc_value *names = rpc_value(call->request, "names");

	if (!find_names(call, snap))
		return STEP_DONE;
	for (size_t i = 0; i < names->count; i++)
		control_foresee(call, names->items[i]);
	return STEP_DONE;
}

static void
send_finish(struct control_call *call)
{
	struct snapshot *snap = host_snapshot(call->host);
	const struct conf *conf = call->host->conf;
	struct sending *s = call->state;
	struct user admin;

	if (!snap) {
		control_fail_err(call, ERR_BUSY, "the store");
		return;
	}
	if (!find_names(call, snap) ||
		!control_fail_err(call, names_main_administrator(conf, snap, &admin),
			"the Main Administrator"))
		return;
	s->from = arena_printf(&call->arena, "%.*s@%.*s", SPAN_FMT(admin.name),
		SPAN_FMT(conf_default_domain(conf)));
}

static void
on_sent(void *arg, enum err result)
{
	struct control_call *call = arg;
	size_t count = rpc_value(call->request, "names")->count;

	if (result == ERR_DENIED)
		control_fail(call, RPC_REFUSED, "it was sent, but not to all of them",
			"the log says to whom not, and why", "names");
	else if (result != OK)
		control_fail(call, RPC_REFUSED, "it could not be sent", "the log says why", NULL);
	call->done = count;
	call->note = arena_printf(&call->arena, "sent to %zu name%s", count, count > 1 ? "s" : "");
	control_call_go(call, CALL_END);
}

static bool
send_wait(struct control_call *call)
{
	const struct rpc_value *names = rpc_value(call->request, "names");
	const struct sending *s = call->state;
	struct own_mail mail = { .to = names->items[0], .also = names->items + 1,
		.also_count = names->count - 1, .from = s->from, .text = s->text,
		.subject = control_param(call, "subject"), .done = on_sent, .arg = call };

	if (own_mail_send(call->host, &mail) == OK)
		return true;
	control_fail(call, RPC_BUSY, "too many messages of the server wait", "try again in a moment", NULL);
	return false;
}

/* The names follow, each on a line. */
static struct span
send_would(struct control_call *call, const struct rpc_request *request)
{
	return arena_printf(&call->arena, "would send \"%.*s\" to", SPAN_FMT(rpc_text(request, "subject")));
}

const struct control_handler control_do_message_send = {
	.work = send_work,
	.work_kind = WORK_GENERAL,
	.foresee = send_foresee,
	.would = send_would,
	.finish = send_finish,
	.wait = send_wait,
	.object = "message",
};
