/*
 * command_run.c - one command, done.
 */
#include "tui/command_run.h"

#include <unistd.h>

#include "tui/ask.h"
#include "tui/command_files.h"
#include "tui/command_run_inside.h"
#include "tui/params.h"
#include "tui/print_reply.h"
#include "tui/progress_line.h"

#define PART_MAX 1000 /* bytes of a complaint's three parts, each */

/* A sentence may repeat what was given, which may be 1 MiB; cut where a character begins. */
static void
put_part(struct buf *line, struct span part, const struct print_style *style)
{
	size_t n = PART_MAX;

	while (n > 0 && n < part.len && ((unsigned char)part.ptr[n] & 0xc0) == 0x80)
		n--;
	print_clean(line, span_range(part, 0, n), style);
	if (n < part.len)
		print_clean(line, SPAN("..."), style);
}

void
run_complain(int fd, struct complaint complaint, const struct print_style *style)
{
	struct buf line;
	bool ok;

	buf_init(&line, PRINT_MAX);
	ok = buf_put(&line, SPAN("postroom: ")) == OK;
	put_part(&line, complaint.what, style);
	ok = ok && buf_put(&line, SPAN(": ")) == OK;
	put_part(&line, complaint.why, style);
	if (complaint.hint.len > 0) {
		ok = ok && buf_put(&line, SPAN(" (")) == OK;
		put_part(&line, complaint.hint, style);
		ok = ok && buf_put(&line, SPAN(")")) == OK;
	}
	if (ok && buf_put(&line, SPAN("\n")) == OK)
		ok = print_to_fd(fd, buf_span(&line)) == OK;
	buf_fini(&line);
	(void)ok; /* a complaint that cannot be printed has nowhere else to go; the status tells */
}

int
run_tell(struct run *r, int status, struct span what, const char *why, struct span hint)
{
	run_complain(r->complaints, (struct complaint){ what, span_of(why), hint }, &r->style);
	return status;
}

struct span
run_words(struct run *r)
{
	const struct command *c = r->command;
	const struct control_param *first = c->schema.items;

	if (!c->method)
		return SPAN("hello");
	if (c->schema.count == 0 || first->option || c->values[0].count != 1 ||
		first->type == CONTROL_TYPE_SECRET || first->type == CONTROL_TYPE_FD)
		return span_of(c->method->words);
	return arena_printf(r->arena, "%s %s", c->method->words, c->values[0].items[0]);
}

static int
server_error(struct run *r)
{
	const struct rpc_error *e = &r->link->error;
	struct complaint c = { e->what, e->why, e->hint };

	if (c.what.len == 0 ||
		(r->command->method && span_eq(c.what, span_of(r->command->method->words))))
		c.what = run_words(r);
	if (e->field.len > 0 && c.hint.len == 0)
		c.hint = e->code == RPC_NO_PERMISSION ?
			arena_printf(r->arena, "it wants the right %.*s", SPAN_FMT(e->field)) :
			e->field;
	run_complain(r->complaints, c, &r->style);
	return rpc_code_exit(e->code);
}

int
run_failed(struct run *r, enum err err)
{
	if (err == ERR_DENIED)
		return server_error(r);
	if (err == ERR_LIMIT)
		return run_tell(r, EXIT_REFUSED, SPAN("request"), "it is over 1 MiB",
			SPAN("name fewer objects, or select by --filter"));
	if (err == ERR_CORRUPT)
		return run_tell(r, EXIT_NO_SERVER, SPAN("server"), "its answer is no JSON that can be read",
			SPAN("are both of one version? please report it"));
	return run_tell(r, EXIT_NO_SERVER, SPAN("server"), "it ended the connection",
		SPAN("see its log"));
}

/* The params object of the command, as JSON in OUT. */
static enum err
make_params(struct run *r, struct buf *out)
{
	struct json_writer w;

	buf_init(out, CONTROL_LINE_MAX);
	json_writer_init(&w, out);
	command_put_params(r->command, r->secret, &w);
	return json_writer_end(&w);
}

enum err
run_call(struct run *r, const char *method, struct buf *params, const struct command_files *files,
	const struct json **result)
{
	struct link_call c = { .method = method, .params = buf_span(params) };
	struct progress_line line = { .fd = r->complaints };
	enum err err;

	if (files) {
		c.fds = files->fds;
		c.fd_count = files->count;
	}
	r->link->on_progress = r->interactive ? progress_line_show : NULL;
	r->link->on_progress_arg = &line;
	err = control_link_call(r->link, &c, r->arena, result);
	r->link->on_progress = NULL;
	progress_line_wipe(&line);
	return err;
}

/* Set a parameter that takes the list on to its next page. */
void
run_set_param(struct run *r, const char *name, struct span text)
{
	const struct control_param *p = control_schema_find(&r->command->schema, span_of(name));
	struct command_value *v = &r->command->values[p - r->command->schema.items];

	v->items = ARENA_ARRAY(r->arena, const char *, 1);
	v->items[0] = arena_text(r->arena, text);
	v->count = 1;
}

/* *OUTQUEUE stands above the users and counts for none (USR-06). */
static size_t
rows_counted(const struct json *rows)
{
	struct span name = json_text(json_find(rows->first, SPAN("name")));

	return rows->count - (span_starts(name, SPAN("*")) ? 1 : 0);
}

/* One page; *next is where the next begins, empty at the end; *left what --limit leaves. OWN is of the
 * whole run. */
static int
run_page(struct run *r, struct arena *own, uint64_t *left, struct span *next)
{
	const struct json *result, *rows;
	struct buf params;
	enum err err = make_params(r, &params);

	if (err == OK)
		err = run_call(r, r->command->method->method, &params, NULL, &result);
	buf_fini(&params);
	if (err != OK)
		return run_failed(r, err);
	rows = json_find(result, SPAN("rows"));
	*next = json_text(json_find(result, SPAN("next")));
	if (!rows || rows_counted(rows) >= *left) {
		r->more = arena_copy(own, *next);
		*next = SPAN_NONE;
	} else
		*left -= rows_counted(rows);
	return run_print_result(r, r->command->method, result);
}

static int
run_rows(struct run *r)
{
	const char *limit = command_value(r->command, "limit");
	struct arena *own = r->arena, page;
	uint64_t left = UINT64_MAX;
	struct span next;
	int status;

	if (limit && span_u64(span_of(limit), INT64_MAX, &left) != OK)
		return EXIT_USAGE;
	do {
		arena_init(&page, NULL);
		r->arena = &page;
		status = run_page(r, own, &left, &next);
		r->arena = own;
		if (status == EXIT_DONE && next.len > 0) {
			run_set_param(r, "after", next);
			if (limit)
				run_set_param(r, "limit",
					arena_printf(own, "%llu", (unsigned long long)left));
		}
		r->style.no_titles = true;
		arena_reset(&page);
	} while (status == EXIT_DONE && next.len > 0);
	return status;
}

/* One that may be left out is taken with --password-stdin alone. */
static bool
wants_secret(const struct command *c)
{
	for (size_t i = 0; i < c->schema.count; i++)
		if (c->schema.items[i].type == CONTROL_TYPE_SECRET)
			return !c->schema.items[i].optional || c->options.password_stdin;
	return false;
}

/* One that is there already is not asked for twice. */
static bool
is_known_secret(const struct command *c)
{
	return c->method->id == CONTROL_security_open || c->method->id == CONTROL_security_off;
}

static int
take_secret(struct run *r, struct password *password)
{
	static const char *const why[] = {
		[ERR_SYNTAX] = "the password is empty, or the two differ",
		[ERR_LIMIT] = "the password is over 256 bytes",
		[ERR_NOT_FOUND] = "a password is wanted, and there is no terminal to ask at",
	};
	bool from_stdin = r->command->options.password_stdin;
	enum err err = is_known_secret(r->command)
		? ask_password_once(from_stdin, "Password: ", password)
		: ask_password(from_stdin, "Password: ", password);

	if (err == OK)
		return EXIT_DONE;
	return run_tell(r, EXIT_USAGE, span_of(r->command->method->words),
		(size_t)err < COUNT(why) && why[err] ? why[err] : "the password could not be read",
		r->command->options.password_stdin ? SPAN_NONE : SPAN("use --password-stdin"));
}

static bool
wants_confirm(const struct run *r)
{
	return r->interactive && span_eq(r->link->error.field, SPAN("confirm")) &&
		!command_value(r->command, "confirm");
}

bool
run_confirms(struct run *r)
{
	if (!wants_confirm(r))
		return false;
	run_complain(r->complaints,
		(struct complaint){ run_words(r), r->link->error.why, SPAN_NONE }, &r->style);
	if (!ask_yes("Do it? [y/N] "))
		return false;
	run_set_param(r, "confirm", SPAN(""));
	return true;
}

int
run_direct(struct run *r, struct command_files *files)
{
	const struct control_method *m = r->command->method;
	const struct json *result;
	struct buf params;
	enum err err;

	if (r->command->options.yes && control_schema_find(&r->command->schema, SPAN("confirm")))
		run_set_param(r, "confirm", SPAN(""));
	err = make_params(r, &params);
	if (err == OK)
		err = run_call(r, m->method, &params, files, &result);
	buf_wipe(&params);
	if (err == ERR_DENIED && run_confirms(r))
		return run_direct(r, files);
	if (err != OK)
		return run_failed(r, err);
	if (files->to_stdout >= 0)
		return command_files_finish(files) == OK ? EXIT_DONE : EXIT_REFUSED;
	return run_print_result(r, m, result);
}

static int
run_with_files(struct run *r)
{
	const struct control_method *m = r->command->method;
	struct command_files files;
	struct complaint complaint = { 0 };
	int status;

	if (command_files_open(r->command, r->arena, &files, &complaint) != OK) {
		run_complain(r->complaints, complaint, &r->style);
		return EXIT_REFUSED;
	}
	if (control_method_changes(m) &&
		(r->command->options.dry_run || command_selects(r->command) || run_shows_first(r)))
		status = run_preview(r, &files);
	else
		status = run_direct(r, &files);
	command_files_close(&files);
	return status;
}

/* USR-11: ticked by default where a person adds; a script says --welcome. */
static bool
welcomes(const struct run *r)
{
	return r->command->method->id == CONTROL_user_add &&
		!r->command->options.password_stdin && !command_value(r->command, "no_welcome");
}

static int
run_with_secret(struct run *r)
{
	struct password password = { .len = 0 };
	int status = EXIT_DONE;

	if (wants_secret(r->command)) {
		status = take_secret(r, &password);
		r->secret = (struct span){ password.bytes, password.len };
		if (welcomes(r))
			run_set_param(r, "welcome", SPAN(""));
	}
	if (status == EXIT_DONE)
		status = run_with_files(r);
	r->secret = SPAN_NONE;
	password_wipe(&password);
	return status;
}

/* For a supervisor: 0, or 1 with what is wrong. */
static int
run_check(struct run *r)
{
	const struct json *status;
	struct span stopped;
	enum err err = control_link_call(r->link,
		&(struct link_call){ .method = "status", .params = SPAN("{}") }, r->arena, &status);

	if (err != OK) {
		run_failed(r, err);
		return EXIT_REFUSED;
	}
	if (json_text(json_find(status, SPAN("reload_fault"))).len > 0)
		return run_tell(r, EXIT_REFUSED, SPAN("config"), "the file is not in force",
			json_text(json_find(status, SPAN("reload_fault"))));
	if (json_text(json_find(status, SPAN("rules_fault"))).len > 0)
		return run_tell(r, EXIT_REFUSED, SPAN("rules"), "the file is not in force",
			json_text(json_find(status, SPAN("rules_fault"))));
	if (json_truth(json_find(json_find(status, SPAN("store")), SPAN("full"))))
		return run_tell(r, EXIT_REFUSED, SPAN("store"), "it is full", SPAN_NONE);
	stopped = json_text(json_item(json_find(status, SPAN("stopped")), 0));
	if (stopped.len > 0)
		return run_tell(r, EXIT_REFUSED, stopped, "this service is stopped",
			arena_printf(r->arena, "postroom service start %.*s", SPAN_FMT(stopped)));
	return EXIT_DONE;
}

/* --sort is "size", "-size", "size:asc" or "size:desc". */
static bool
sort_known(const struct run *r, struct span *wrong)
{
	bool listed = control_schema_find(&r->command->schema, SPAN("sort"));
	struct span column, order;

	if (!listed || !command_value(r->command, "sort"))
		return true;
	span_cut(span_of(command_value(r->command, "sort")), ':', &column, &order);
	if (span_starts(column, SPAN("-")))
		column = span_from(column, 1);
	return print_columns_known(r->command->method, arena_text(r->arena, column), wrong);
}

int
run_check_options(struct run *r)
{
	const struct command_options *o = &r->command->options;
	const struct control_method *m = r->command->method;
	struct span wrong;

	if (o->columns && !print_columns_known(m, o->columns, &wrong))
		return run_tell(r, EXIT_USAGE, wrong, "this list has no such column",
			arena_printf(r->arena, "see: postroom help %s", m->words));
	if (!sort_known(r, &wrong))
		return run_tell(r, EXIT_USAGE, wrong, "this list cannot be sorted by it",
			arena_printf(r->arena, "see: postroom help %s", m->words));
	if (o->dry_run && !control_method_changes(m))
		return run_tell(r, EXIT_USAGE, SPAN("--dry-run"), "this command changes nothing",
			SPAN_NONE);
	return EXIT_DONE;
}

/* Message security is opened for this session, which is this command's (SEC-09). */
static int
run_open(struct run *r)
{
	struct password password = { .len = 0 };
	const struct json *result;
	struct params p;
	enum err err = ask_password_once(
		!isatty(STDIN_FILENO), "Password of message security: ", &password);

	if (err != OK)
		return run_tell(r, EXIT_USAGE, SPAN("--open"), "the password could not be read",
			SPAN("give it on standard input, or at a terminal"));
	params_begin(&p);
	json_put_member_string(&p.w, SPAN("password"), (struct span){ password.bytes, password.len });
	password_wipe(&password);
	err = params_end(&p);
	if (err == OK)
		err = run_call(r, "security.open", &p.text, NULL, &result);
	params_fini(&p);
	return err == OK ? EXIT_DONE : run_failed(r, err);
}

int
run_command(struct run *r)
{
	int status = r->command->options.open ? run_open(r) : EXIT_DONE;

	if (status != EXIT_DONE)
		return status;
	if (r->command->options.check)
		return run_check(r);
	if (run_is_edit(r->command->method))
		return run_edit(r);
	if (r->command->method->id == CONTROL_config_edit && !command_value(r->command, "file"))
		return run_config_edit(r);
	if (r->command->method->reply != CONTROL_REPLY_ROWS)
		return run_with_secret(r);
	status = run_rows(r);
	return status == EXIT_DONE && r->command->options.follow ? run_follow(r) : status;
}
