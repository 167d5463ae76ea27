/*
 * control_log.c - lines of the log: the last ones, or those of a time. Follow: control_subscribe.c.
 */
#include <stdio.h>
#include <string.h>

#include "server/control/control_log.h"
#include "server/server.h"

#define TAIL_LINES 100
#define SHOW_LINES 20000
#define LOG_TEXT_MAX (32 * 1024 * 1024)

struct log_look {
	struct log_filter filter;
	struct log_writer *writer;
	size_t lines;
	int64_t since_s, until_s;
};

bool
control_log_filter(struct control_call *call, struct log_filter *f)
{
	struct span level = control_param(call, "level");

	*f = (struct log_filter){.level = LEVEL_DEBUG};
	if (level.len && log_level_find(level, &f->level) != OK)
		return control_fail(call, RPC_INVALID, "no such level", NULL, "level");
	snprintf(f->area, sizeof(f->area), "%.*s", SPAN_FMT(control_param(call, "service")));
	snprintf(f->session, sizeof(f->session), "%.*s", SPAN_FMT(control_param(call, "session")));
	return true;
}

static bool
tail_check(struct control_call *call)
{
	struct log_look *look = ARENA_NEW(&call->arena, struct log_look);

	call->state = look;
	look->writer = server_log_writer(call->host->server);
	look->lines = rpc_number(call->request, "lines", TAIL_LINES);
	look->until_s = INT64_MAX;
	if (look->lines > SHOW_LINES)
		look->lines = SHOW_LINES;
	return control_log_filter(call, &look->filter);
}

static bool
time_param(struct control_call *call, const char *name, int64_t *out)
{
	int64_t to_s;

	if (!rpc_has(call->request, name))
		return true;
	if (control_parse_time(control_param(call, name), call->now_ms / 1000, out, &to_s) == OK)
		return true;
	return control_fail(call, RPC_INVALID, "this is no time", NULL, name);
}

static bool
show_check(struct control_call *call)
{
	struct log_look *look = ARENA_NEW(&call->arena, struct log_look);

	call->state = look;
	look->writer = server_log_writer(call->host->server);
	look->lines = SHOW_LINES;
	look->until_s = INT64_MAX;
	if (!control_log_filter(call, &look->filter))
		return false;
	snprintf(look->filter.text, sizeof(look->filter.text), "%.*s",
		SPAN_FMT(control_param(call, "message")));
	return time_param(call, "since", &look->since_s) &&
	       time_param(call, "until", &look->until_s);
}

static struct span
word_take(struct span *rest)
{
	struct span word;

	span_cut(*rest, ' ', &word, rest);
	return span_eq(word, SPAN("-")) ? SPAN("") : word;
}

void
control_log_split(struct span line, struct span cells[CONTROL_LOG_CELLS])
{
	for (size_t i = 0; i + 1 < CONTROL_LOG_CELLS; i++)
		cells[i] = word_take(&line);
	cells[CONTROL_LOG_CELLS - 1] = line;
}

static void
log_row(struct control_rows *rows, const struct log_look *look, struct span line, size_t number)
{
	struct span cells[CONTROL_LOG_CELLS];
	int64_t from_s = 0, to_s;
	char key[24];

	control_log_split(line, cells);
	if (control_parse_time(cells[0], 0, &from_s, &to_s) != OK)
		from_s = 0;
	if (from_s < look->since_s || from_s > look->until_s)
		return;
	snprintf(key, sizeof(key), "%zu", number);
	control_row(rows, span_of(key));
	control_put_time_text(rows, cells[0], from_s);
	for (size_t i = 1; i < CONTROL_LOG_CELLS; i++)
		control_put_text(rows, cells[i].ptr ? cells[i] : SPAN(""));
}

static bool
log_work(struct control_call *call)
{
	struct log_look *look = call->state;
	struct span rest, line;
	struct buf text;
	size_t number = 0;
	enum err err;

	buf_init(&text, LOG_TEXT_MAX);
	log_writer_sync(look->writer);
	err = log_tail(look->writer, "main", &look->filter, look->lines, &text);
	rest = buf_span(&text);
	while ((err == OK || err == ERR_LIMIT) && span_next_line(&rest, &line))
		log_row(&call->rows, look, line, ++number);
	buf_fini(&text);
	control_rows_end(&call->rows);
	return err == ERR_LIMIT || err == ERR_NOT_FOUND || control_fail_err(call, err, "the log");
}

const struct control_handler control_do_log_tail = {
	.check = tail_check,
	.work = log_work,
	.work_kind = WORK_GENERAL,
};
const struct control_handler control_do_log_show = {
	.check = show_check,
	.work = log_work,
	.work_kind = WORK_GENERAL,
};
