/*
 * control_archive.c - `archive search` and `archive show` (ARC-02). Each use is audited (ARC-05).
 */
#include "server/control/control_archive.h"

#include <stdio.h>

#include "server/control/control_mailbox.h"
#include "server/control/control_show.h"
#include "store/traces.h"
#include "proto/mail/message_no.h"

#define FOUND_ROWS_MAX 10000 /* where an order or a filter of rows wants all of them */
#define RECIPIENTS_SHOWN 50  /* in a row; all of them when it is shown */

void
control_archive_audit(struct control_call *call, const char *what, struct span which)
{
	if (call->foresees)
		return;
	log_put(call->host->log,
		&(struct log_line){.level = LEVEL_INFO,
			.area = "security",
			.text = what,
			.fields = {{"who", span_of(call->who.name), 0},
				{"via", span_of(call->who.via), 0}, {"which", which, 0}}});
}

void
control_archive_audit_count(struct control_call *call, const char *what, struct span which)
{
	log_put(call->host->log,
		&(struct log_line){.level = LEVEL_INFO,
			.area = "security",
			.text = what,
			.fields = {{"who", span_of(call->who.name), 0},
				{"via", span_of(call->who.via), 0}, {"which", which, 0},
				{"count", SPAN_NONE, (int64_t)call->done},
				{"skipped", SPAN_NONE, (int64_t)(call->skipped_count + call->skipped_more)}}});
}

static bool
is_query(struct span name)
{
	static const char *const names[] = {"from", "to", "subject", "text", "attachment", "since", "until",
		"min_size", "max_size", "direction", "held"};

	for (size_t i = 0; i < COUNT(names); i++)
		if (span_eq(name, span_of(names[i])))
			return true;
	return false;
}

struct span
control_archive_asked(struct arena *a, const struct rpc_request *r)
{
	struct span text = SPAN("");

	for (size_t i = 0; i < r->schema.count; i++) {
		const struct control_param *p = &r->schema.items[i];

		if (r->values[i].present && is_query(p->name))
			text = arena_printf(a, "%.*s%s%.*s%s%.*s", SPAN_FMT(text), text.len ? " " : "",
				SPAN_FMT(p->name), p->type == CONTROL_TYPE_FLAG ? "" : "=",
				SPAN_FMT(r->values[i].text));
	}
	return text;
}

bool
control_archive_is_one(struct control_call *call, const struct rpc_request *r)
{
	return call->pinned || rpc_value(r, "ids")->count == 0 || control_archive_asked(&call->arena, r).len == 0 ||
		control_fail(call, RPC_INVALID,
			"name messages, or say which by the options of archive search: not both", NULL, "ids");
}

enum err
control_archive_id(struct span text, uint64_t *id)
{
	return span_u64(text, UINT64_MAX, id) == OK && *id > 0 ? OK : ERR_NOT_FOUND;
}

bool
control_archive_find(
	struct control_call *call, struct snapshot *snap, struct span id, struct archive_row *out)
{
	struct archive_row before;
	uint64_t number = 0;
	enum err err = control_archive_id(id, &number);

	if (err == OK)
		err = archive_find(snap, number, out);
	if (err == OK && out->kind == ARCHIVE_MESSAGE)
		return true;
	if (err == OK || err == ERR_NOT_FOUND) {
		bool gone = number > 0 && number < UINT64_MAX &&
			    archive_prev(snap, number + 1, &before) == OK &&
			    before.kind == ARCHIVE_GAP && before.run.last >= number;

		return control_fail(call, RPC_NOT_FOUND,
			gone ? "retention took it out of the archive"
			     : "the archive has no message of this number",
			"archive search finds what is there", "id");
	}
	return control_fail_err(call, err, "archived message");
}

struct span
control_archive_direction(struct arena *a, unsigned direction)
{
	static const char *const words[] = {"incoming", "outgoing", "internal"};
	struct span text = SPAN("");

	for (unsigned i = 0; i < COUNT(words); i++)
		if (direction >> i & 1)
			text = arena_printf(
				a, "%.*s%s%s", SPAN_FMT(text), text.len ? ", " : "", words[i]);
	return text;
}

/* ---- search ---- */

struct finding {
	struct archive_search search;
	struct arena scratch; /* of one row */
	size_t enough;
};

static void
finding_free(void *arg)
{
	struct finding *f = arg;

	archive_search_fini(&f->search);
	arena_reset(&f->scratch);
}

static bool
take_time(struct control_call *call, const char *name, uint64_t *ms)
{
	int64_t from_s, to_s;

	if (!rpc_has(call->request, name))
		return true;
	if (control_parse_time(control_param(call, name), call->now_ms / 1000, &from_s, &to_s) != OK)
		return control_fail(call, RPC_INVALID, "this is no time", NULL, name);
	*ms = (uint64_t)from_s * 1000;
	if (name[0] == 'u') /* until: what the text covers is in it, as a day */
		*ms = (uint64_t)to_s * 1000;
	return true;
}

unsigned
control_archive_direction_of(struct span word)
{
	return span_eq(word, SPAN("incoming"))	 ? ARCHIVE_INCOMING
	       : span_eq(word, SPAN("outgoing")) ? ARCHIVE_OUTGOING
	       : span_eq(word, SPAN("internal")) ? ARCHIVE_INTERNAL
						 : 0;
}

static bool
take_query(struct control_call *call, struct archive_query *q)
{
	const struct rpc_request *r = call->request;

	*q = (struct archive_query){.from = control_param(call, "from"),
		.to = control_param(call, "to"),
		.subject = control_param(call, "subject"),
		.text = control_param(call, "text"),
		.attachment = control_param(call, "attachment"),
		.min_size = rpc_number(r, "min_size", 0),
		.max_size = rpc_number(r, "max_size", 0),
		.direction = control_archive_direction_of(control_param(call, "direction")),
		.held = rpc_flag(r, "held")};
	if (span_find_any(q->attachment, SPAN("*?")) < q->attachment.len)
		return control_fail(call, RPC_INVALID, "a name is looked up by its words, like `invoice pdf`, not by a pattern",
			NULL, "attachment");
	return take_time(call, "since", &q->since_ms) && take_time(call, "until", &q->until_ms);
}

bool
control_archive_search(struct control_call *call, struct archive_search *s, uint64_t before_id)
{
	struct archive_query query;

	if (!take_query(call, &query))
		return false;
	if (archive_search_init(s, &query, call->host->search, before_id, &call->arena) == OK)
		return true;
	archive_search_fini(s);
	return control_failf(call, RPC_TOO_LARGE, "text",
		"more than %d words, or one that is too long", ARCHIVE_NEEDLES_MAX);
}

void
control_archive_ask(struct control_call *call, struct archive_search *s)
{
	bool more = true;

	while (more && !control_is_cancelled(call))
		archive_search_ask(s, &call->cancelled, &more);
}

/* As many as a reply shows, and those that say where it goes on; all where somebody sorts or keeps them. */
static size_t
rows_wanted(const struct control_call *call)
{
	const struct control_rows *rows = &call->rows;

	if (call->keep == CONTROL_KEEP_IDS || call->keep == CONTROL_KEEP_NONE ||
		call->keep == CONTROL_KEEP_TARGETS)
		return SIZE_MAX;
	if (call->keep != CONTROL_KEEP_PAGE || rows->sort_column != rows->columns.count ||
		rows->limit > FOUND_ROWS_MAX)
		return FOUND_ROWS_MAX;
	return rows->limit + 2;
}

static bool
search_check(struct control_call *call)
{
	struct finding *f = ARENA_NEW(&call->arena, struct finding);
	uint64_t after = 0;

	if (call->rows.after.len > 0 && control_archive_id(call->rows.after, &after) != OK)
		return control_fail(call, RPC_INVALID, "this is no key of a row", NULL, "after");
	call->state = f;
	arena_init(&f->scratch, NULL);
	arena_on_reset(&call->arena, finding_free, f);
	f->enough = rows_wanted(call);
	/* the row `after` is found once more, so that the reply sees it is there */
	if (!control_archive_search(call, &f->search, after > 0 ? after + 1 : 0))
		return false;
	control_archive_audit(call, "archive searched", SPAN_NONE);
	return true;
}

static bool
search_work(struct control_call *call)
{
	struct finding *f = call->state;

	control_archive_ask(call, &f->search);
	return true;
}

static void
put_subject(struct control_rows *rows, struct snapshot *snap, struct arena *a, uint64_t content_id)
{
	struct control_heading h = {0};
	struct content content;

	if (!control_rows_want(rows, "subject")) {
		control_put_null(rows);
		return;
	}
	if (content_get(snap, content_id, &content) == OK && !content.veiled)
		control_heading(a, content.header, &h);
	control_put_text(rows, h.subject.ptr ? h.subject : SPAN(""));
}

static void
put_row(struct control_rows *rows, struct snapshot *snap, struct arena *a,
	const struct archive_row *row)
{
	const struct archive_message *m = &row->message;
	struct span to[RECIPIENTS_SHOWN], rest = m->recipients, number;
	struct archive_hold hold;
	char no[MESSAGE_NO_SIZE];
	size_t n = 0;

	number = arena_printf(a, "%llu", (unsigned long long)row->archive_id);
	while (n < COUNT(to) && trace_recipient_next(&rest, &to[n]))
		n++;
	control_row(rows, number);
	control_put_text(rows, number);
	control_put_time_ms(rows, (int64_t)m->time_ms);
	control_put_text(rows, m->from.len > 0 ? m->from : SPAN(""));
	control_put_list(rows, to, n);
	put_subject(rows, snap, a, m->content_id);
	control_put_number(rows, (int64_t)m->size);
	control_put_text(rows, control_archive_direction(a, m->direction));
	control_put_number(rows, archive_hold_find(snap, row->archive_id, &hold) != ERR_NOT_FOUND);
	control_put_text(rows, m->auth_user.len > 0 ? m->auth_user : SPAN(""));
	control_put_text(rows, m->source.len > 0 ? m->source : SPAN(""));
	control_put_text(rows, m->message_no ? message_no_format(m->message_no, no) : SPAN(""));
	arena_reset(a);
}

static enum step
search_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct finding *f = call->state;
	struct archive_row row;
	enum err err = OK;

	while (call->rows.count < f->enough && err == OK) {
		err = archive_search_next(snap, &f->search, ARCHIVE_LOOKS, &row);
		if (err == OK)
			put_row(&call->rows, snap, &f->scratch, &row);
		if (err == ERR_BUSY)
			err = OK;
		if (err == OK && control_slice_is_over_now(&slice))
			return STEP_MORE;
	}
	if (err == OK || err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "archive");
	return STEP_FAIL;
}

/* ---- a list that is kept by its numbers ---- */

static bool
keyed_id(struct span key, uint64_t *id)
{
	return control_archive_id(key, id) == OK;
}

static struct span
keyed_key(uint64_t id, struct arena *a)
{
	return arena_printf(a, "%llu", (unsigned long long)id);
}

static enum err
keyed_row(struct control_call *call, struct control_rows *rows, struct snapshot *snap, uint64_t id,
	struct span filter)
{
	struct archive_row row;
	struct arena a;
	enum err err = archive_find(snap, id, &row);

	(void)call;
	(void)filter;
	if (err != OK || row.kind != ARCHIVE_MESSAGE)
		return err == OK ? ERR_NOT_FOUND : err;
	arena_init(&a, NULL);
	put_row(rows, snap, &a, &row);
	return OK;
}

/* What came since the search is found by another one. */
static enum err
keyed_after(struct snapshot *snap, uint64_t id, uint64_t *next)
{
	(void)snap;
	(void)id;
	(void)next;
	return ERR_NOT_FOUND;
}

static const struct control_keyed keyed = {
	.id = keyed_id, .key = keyed_key, .row = keyed_row, .after = keyed_after};

const struct control_handler control_do_archive_search = {
	.check = search_check,
	.work = search_work,
	.work_kind = WORK_GENERAL,
	.read = search_read,
	.keyed = &keyed,
};

/* ---- show ---- */

static bool
show_check(struct control_call *call)
{
	int fd = control_fd(call, rpc_has(call->request, "raw") ? "raw" : "out");

	return control_show_begin(call, fd, "archived message read",
		(struct log_field){"which", control_param(call, "id"), 0}, (struct log_field){0});
}

/* The envelope, which no field of the message tells. */
static void
put_envelope(struct control_call *call, struct snapshot *snap, void *arg)
{
	const struct archive_row *row = arg;
	const struct archive_message *m = &row->message;
	struct json_writer *w = &call->json;
	struct span rest = m->recipients, address;
	struct archive_hold hold;
	char no[MESSAGE_NO_SIZE];

	control_put_time(w, SPAN("time"), (int64_t)m->time_ms);
	json_put_member_string(w, SPAN("sender"), m->from);
	json_put_name(w, SPAN("recipients"));
	json_put_array(w);
	while (trace_recipient_next(&rest, &address))
		json_put_string(w, address);
	json_put_close(w);
	json_put_member_string(
		w, SPAN("direction"), control_archive_direction(&call->arena, m->direction));
	json_put_member_string(w, SPAN("user"), m->auth_user);
	json_put_member_string(w, SPAN("service"), m->source);
	json_put_member_string(w, SPAN("message"),
		m->message_no ? message_no_format(m->message_no, no) : SPAN(""));
	json_put_member_bool(w, SPAN("hold"),
		archive_hold_find(snap, row->archive_id, &hold) != ERR_NOT_FOUND);
}

static enum step
show_read(struct control_call *call, struct snapshot *snap)
{
	struct archive_row row;
	struct content content;
	enum err err;

	if (control_show_has_begun(call))
		return control_show_more(call, snap);
	if (!control_archive_find(call, snap, control_param(call, "id"), &row))
		return STEP_FAIL;
	err = content_get(snap, row.message.content_id, &content);
	if (!control_fail_err(call, err, "archived message"))
		return STEP_FAIL;
	return control_show_letter(call, snap,
		&(struct control_letter){.content = &content,
			.size = row.message.size,
			.received_ms = (int64_t)row.message.time_ms,
			.more = put_envelope,
			.arg = &row});
}

const struct control_handler control_do_archive_show = {
	.check = show_check,
	.read = show_read,
	.spill = control_show_spill,
};
