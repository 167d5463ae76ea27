/*
 * control_collect_test.c - `collect test`: the way to a mailbox and into it, step by step, with nothing fetched.
 */
#include <string.h>

#include "server/collect/collect.h"
#include "server/control/control_call.h"
#include "server/control/control_collect_message.h"

#define TESTS_MAX 10 /* that log in at one time */

struct collect_test {
	struct collect_probe probe;
	struct control_call *call;
	size_t rows;
};

static unsigned tests; /* that log in just now; front loop */

enum test_state { TEST_OK, TEST_NOTE, TEST_FAILED };

static void
put_row(struct collect_test *t, const char *step, struct span result, enum test_state state)
{
	static const char *const words[] = { "ok", "note", "failed" };
	struct control_rows *rows = &t->call->rows;

	control_row(rows, arena_printf(&t->call->arena, "%zu", ++t->rows));
	control_put_text(rows, span_of(step));
	control_put_text(rows, result);
	control_put_text(rows, span_of(words[state]));
	control_put_number(rows, state != TEST_FAILED);
}

/* The way to the server, as far as it went. */
static void
put_way(struct collect_test *t)
{
	const struct collect_probe *p = &t->probe;
	struct arena *a = &t->call->arena;
	bool clear = strcmp(p->tls, "in clear") == 0;

	if (p->has_token)
		put_row(t, "token", SPAN("the program has printed one"), TEST_OK);
	if (p->addresses > 0)
		put_row(t, "name", arena_printf(a, "has %u address%s", p->addresses, p->addresses > 1 ? "es" : ""), TEST_OK);
	if (!p->is_connected)
		return;
	put_row(t, "connect", span_of(p->remote), TEST_OK);
	if (p->tls[0] && (!p->wants_tls || !clear) && (p->ok || strcmp(p->failed_step, "encryption") != 0))
		put_row(t, "encryption", clear ? SPAN("none: name and password go in clear") : span_of(p->tls),
			clear ? TEST_NOTE : TEST_OK);
}

static void
put_mailbox(struct collect_test *t)
{
	const struct collect_probe *p = &t->probe;
	struct arena *a = &t->call->arena;

	put_row(t, "mailbox", arena_printf(a, "%llu message%s, %llu bytes; %llu not fetched before",
		(unsigned long long)p->count, p->count == 1 ? "" : "s", (unsigned long long)p->bytes,
		(unsigned long long)p->fresh), TEST_OK);
	put_row(t, "unique ids", p->has_unique ? SPAN("messages are told apart by them") :
		SPAN("none: messages are told apart by their headers, where these can be had"),
		p->has_unique ? TEST_OK : TEST_NOTE);
	put_row(t, "headers", p->has_head ? SPAN("can be looked at before a message is fetched") :
		SPAN("cannot be had alone: download rules see the size only"),
		p->has_head ? TEST_OK : TEST_NOTE);
	if (!p->has_sizes)
		put_row(t, "sizes", SPAN("are not told beforehand: max_kb does not act"), TEST_NOTE);
}

static void
put_failure(struct collect_test *t)
{
	const struct collect_probe *p = &t->probe;
	bool dials = strcmp(p->failed_step, "connect") == 0 && p->remote[0] && p->addresses < 2; /* or WHY names them */

	put_row(t, p->failed_step, dials ? arena_printf(&t->call->arena, "%s: %s", p->remote, p->why) : span_of(p->why),
		TEST_FAILED);
}

static void
on_done(struct collect_probe *p)
{
	struct collect_test *t = LIST_ITEM(p, struct collect_test, probe);
	bool mailbox = p->ok || strcmp(p->failed_step, "mailbox") == 0;

	tests--;
	put_way(t);
	if (p->is_connected && mailbox)
		put_row(t, "login", SPAN("the account is taken"), TEST_OK);
	else if (mailbox)
		put_row(t, "folder", span_of(p->remote), TEST_OK);
	if (p->ok)
		put_mailbox(t);
	else
		put_failure(t);
	control_rows_end(&t->call->rows);
	control_call_end(t->call);
}

static bool
may_test(struct control_call *call, struct span name)
{
	const struct conf_collector *c = conf_collector(call->host->conf, name);

	if (!c)
		return control_failf(
			call, RPC_NOT_FOUND, "name", "there is no collector %.*s", SPAN_FMT(name));
	if (c->kind == COLLECTOR_SMTP)
		return control_fail(call, RPC_REFUSED, "it is of kind smtp: mail is brought to it",
			"there is no account to log in to", "name");
	return tests < TESTS_MAX || control_fail(call, RPC_BUSY, "too many tests at once",
		"try again in a moment", NULL);
}

/* True: the end comes by on_done(). */
static bool
test_login(struct control_call *call)
{
	struct collect_test *t = ARENA_NEW(&call->arena, struct collect_test);
	struct span name = control_param(call, "name");

	t->call = call;
	t->probe.done = on_done;
	if (collect_message_is_given(call) || !may_test(call, name) ||
		!control_fail_err(call, collect_probe(call->host->collect, name, &t->probe), "collector"))
		return false;
	tests++;
	return true;
}

const struct control_handler control_do_collect_test = {
	.work = collect_message_work,
	.work_kind = WORK_GENERAL,
	.finish = collect_message_finish,
	.wait = test_login,
};
