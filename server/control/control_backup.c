/*
 * control_backup.c - a copy of the running store, and its check, in processes of their own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/backup_child.h"
#include "server/control/control_call.h"
#include "server/server.h"

#define REPORT_MAX (4 * 1024 * 1024)

/* ---- backup: a child of the warden's, see backup_child.h ---- */

struct backup {
	struct control_call *call;
	struct loop_io io; /* what the child says */
	char text[BACKUP_LINE_MAX];
	size_t len;
	bool told; /* how it ended */
};

static void
backup_failed(struct control_call *call, enum err err)
{
	if (err == ERR_EXISTS)
		control_fail(call, RPC_CLASH, "the folder holds a backup already",
			"give an empty folder", "dir");
	else if (err == ERR_BUSY)
		control_fail(call, RPC_BUSY, "given up, the store grew too much meanwhile",
			"try again at a quieter time", NULL);
	else if (err == ERR_DENIED)
		control_fail(call, RPC_REFUSED, "cancelled", NULL, NULL);
	else
		control_fail_err(call, err, "the backup");
}

static void
backup_done(struct control_call *call, struct span bytes, struct span findings, struct span first)
{
	call->done = 1;
	call->note = span_eq(findings, SPAN("0"))
		? arena_printf(&call->arena, "%.*s bytes, checked", SPAN_FMT(bytes))
		: arena_printf(&call->arena,
			  "%.*s bytes; the copy is kept, but the store is damaged: %.*s findings, the first: %.*s "
			  "(postroom check tells all)",
			  SPAN_FMT(bytes), SPAN_FMT(findings), SPAN_FMT(first));
}

static void
backup_line(struct backup *b, struct span line)
{
	struct span word, first, second, rest;
	uint64_t done = 0, total = 0;

	span_cut(line, ' ', &word, &rest);
	span_cut(rest, ' ', &first, &second);
	if (span_eq(word, SPAN("progress")) && span_u64(first, UINT64_MAX, &done) == OK &&
		span_u64(second, UINT64_MAX, &total) == OK) {
		atomic_store(&b->call->progress_done, done);
		atomic_store(&b->call->progress_total, total);
	} else if (span_eq(word, SPAN("failed")) && span_u64(first, ERR_CORRUPT, &done) == OK) {
		backup_failed(b->call, (enum err)done);
		b->told = true;
	} else if (span_eq(word, SPAN("done"))) {
		span_cut(second, ' ', &second, &rest);
		backup_done(b->call, first, second, rest);
		b->told = true;
	}
}

static void
backup_end(struct backup *b)
{
	struct control_call *call = b->call;

	loop_io_watch(call->host->loop, &b->io, 0);
	close(b->io.fd);
	if (!b->told)
		control_fail(call, control_is_cancelled(call) ? RPC_REFUSED : RPC_INTERNAL,
			control_is_cancelled(call) ? "cancelled" : "the backup broke off",
			"the folder holds nothing of it", NULL);
	control_call_end(call);
}

static void
on_backup(struct loop_io *io, unsigned ready)
{
	struct backup *b = LIST_ITEM(io, struct backup, io);
	ssize_t n = read(io->fd, b->text + b->len, sizeof(b->text) - b->len);
	struct span rest, line;
	size_t end;

	(void)ready;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || control_is_cancelled(b->call)) {
		backup_end(b);
		return;
	}
	b->len += (size_t)n;
	rest = (struct span){ b->text, b->len };
	while ((end = span_find(rest, '\n')) < rest.len) {
		line = span_range(rest, 0, end);
		rest = span_from(rest, end + 1);
		backup_line(b, line);
	}
	b->len = rest.len < sizeof(b->text) ? rest.len : 0; /* a line without end is none */
	memmove(b->text, rest.ptr, b->len);
}

static void
backup_start(struct control_call *call)
{
	struct backup *b = ARENA_NEW(&call->arena, struct backup);
	int dir = control_fd(call, "dir"), fd = -1;
	enum err err = dir < 0 ? ERR_SYNTAX : server_backup(call->host->server, dir, &fd);

	if (err == OK) {
		b->call = call;
		loop_io_init(&b->io, fd, on_backup);
		loop_io_watch(call->host->loop, &b->io, LOOP_READ);
		return;
	}
	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID, "no folder came with the request", NULL, "dir");
	else if (err == ERR_BUSY)
		control_fail(call, RPC_BUSY, "a backup runs already", NULL, NULL);
	else
		control_fail_err(call, err, "the backup");
	control_call_end(call);
}

const struct control_handler control_do_backup = {.start = backup_start};

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
