/*
 * control_backup.c - a copy of the running store, and the check of the store in a process of its
 * own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/control/control_call.h"
#include "server/server.h"
#include "store/backup.h"

#define REPORT_MAX (4 * 1024 * 1024)

/* ---- backup ---- */

struct backup {
	struct backup_job job;
	struct control_call *call;
};

static void
backup_progress(void *arg, uint64_t done, uint64_t total)
{
	struct backup *b = arg;

	atomic_store(&b->call->progress_done, done);
	atomic_store(&b->call->progress_total, total);
	if (control_is_cancelled(b->call))
		atomic_store(&b->job.cancel, true);
}

static bool
backup_work(struct control_call *call)
{
	struct backup *b = ARENA_NEW(&call->arena, struct backup);
	enum err err;

	b->call = call;
	b->job.store = call->host->store;
	b->job.dir_fd = control_fd(call, "dir");
	b->job.progress = backup_progress;
	b->job.arg = b;
	if (b->job.dir_fd < 0)
		return control_fail(
			call, RPC_INVALID, "no folder came with the request", NULL, "dir");
	err = backup_run(&b->job);
	if (err == ERR_EXISTS)
		return control_fail(call, RPC_CLASH, "the folder holds a backup already",
			"give an empty folder", "dir");
	if (err == ERR_BUSY)
		return control_fail(call, RPC_BUSY, "given up, the store grew too much meanwhile",
			"try again at a quieter time", NULL);
	if (err == ERR_DENIED)
		return control_fail(call, RPC_REFUSED, "cancelled", NULL, NULL);
	if (!control_fail_err(call, err, "the backup"))
		return false;
	call->done = 1;
	call->note = b->job.findings == 0
		? arena_printf(&call->arena, "%llu bytes, checked", (unsigned long long)b->job.bytes)
		: arena_printf(&call->arena,
			  "%llu bytes; the copy is kept, but the store is damaged: %llu findings, the first: %s "
			  "(postroom check tells all)",
			  (unsigned long long)b->job.bytes, (unsigned long long)b->job.findings,
			  b->job.first_finding);
	return true;
}

const struct control_handler control_do_backup = {
	.work = backup_work,
	.work_kind = WORK_LONG,
};

/* ---- check ---- */

struct check {
	int fd; /* of the report, in memory */
	int status;
};

static void
check_close(void *arg)
{
	struct check *c = arg;

	if (c->fd >= 0)
		close(c->fd);
}

/* "users 17: no name row (repaired)" */
static void
check_row(struct control_rows *rows, struct span line, size_t number)
{
	bool repaired = span_ends_nocase(line, SPAN("(repaired)"));
	struct span where, why, what, rest;
	char key[24];

	snprintf(key, sizeof(key), "%zu", number);
	if (!span_cut(line, ':', &where, &why)) {
		why = line;
		where = SPAN("");
	}
	span_cut(where, ' ', &what, &rest);
	control_row(rows, span_of(key));
	control_put_text(rows, what.ptr ? what : SPAN(""));
	control_put_text(rows, rest.ptr ? rest : SPAN(""));
	control_put_text(rows, span_trim(why));
	control_put_number(rows, repaired);
}

static void
check_rows(struct control_call *call)
{
	struct check *c = call->state;
	struct span rest, line;
	size_t number = 0;
	struct buf text;
	ssize_t n = 1;

	buf_init(&text, REPORT_MAX);
	while (n > 0) {
		char *room = buf_reserve(&text, 65536);

		n = room ? pread(c->fd, room, 65536, (off_t)buf_span(&text).len) : 0;
		if (n > 0)
			buf_added(&text, (size_t)n);
	}
	rest = buf_span(&text);
	while (c->status != 0 && span_next_line(&rest, &line))
		if (line.len > 0)
			check_row(&call->rows, line, ++number);
	if (c->status != 0 && number == 0) {
		char why[80];

		snprintf(why, sizeof(why), "the check ended with status %d and said nothing",
			c->status);
		check_row(&call->rows, span_of(why), 1);
	}
	buf_fini(&text);
	control_rows_end(&call->rows);
}

static void
check_done(void *arg, int status)
{
	struct control_call *call = arg;
	struct check *c = call->state;

	c->status = status;
	if (status < 0)
		control_fail(call, RPC_INTERNAL, "the check could not be run", NULL, NULL);
	else
		check_rows(call);
	control_call_end(call);
}

static void
check_start(struct control_call *call)
{
	struct check *c = ARENA_NEW(&call->arena, struct check);
	enum err err = OK;

	call->state = c;
	c->fd = memfd_create("check", MFD_CLOEXEC);
	arena_on_reset(&call->arena, check_close, c);
	if (c->fd < 0)
		err = ERR_IO;
	else if (rpc_flag(call->request, "repair"))
		control_fail(call, RPC_REFUSED, "repair wants the server stopped",
			"stop it and run postroomd --check-store --repair", "repair");
	else
		err = server_check_store(call->host->server, c->fd, check_done, call);
	if (err == ERR_BUSY)
		control_fail(call, RPC_BUSY, "a check runs already", NULL, NULL);
	if (!control_fail_err(call, err, "the check") || call->failed)
		control_call_end(call);
}

const struct control_handler control_do_store_check = {.start = check_start};
