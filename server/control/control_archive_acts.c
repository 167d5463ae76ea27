/*
 * control_archive_acts.c - `archive copy`, `archive hold`, `archive release`: none changes an entry.
 */
#include "server/control/control_archive.h"
#include "server/control/control_mailbox.h"

#define COPY_ALL SPAN("all")
#define COPY_MAX 10000 /* messages of one call */

/* One that is there; where not, why is said of the key. */
static enum err
find(struct control_call *call, struct txn *txn, struct span key, uint64_t *id, struct archive_row *row)
{
	enum err err = control_archive_id(key, id);

	if (err == OK)
		err = archive_find(txn_view(txn), *id, row);
	if (err == OK && row->kind != ARCHIVE_MESSAGE)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		call->skip_why = "not found";
	return err;
}

/* ---- copy ---- */

struct copying {
	struct archive_search search; /* of the ID `all` */
	bool searches;
	struct span *keys;
	size_t count, room;
};

static void
copying_free(void *arg)
{
	archive_search_fini(&((struct copying *)arg)->search);
}

static bool
copy_check(struct control_call *call)
{
	struct copying *c = ARENA_NEW(&call->arena, struct copying);
	struct span asked = control_archive_asked(&call->arena, call->request), id = control_param(call, "id");

	call->state = c;
	c->searches = span_eq(id, COPY_ALL);
	if (c->searches != (asked.len > 0))
		return control_fail(call, RPC_INVALID, c->searches ? "say which by the options of archive search"
			: "an ID, or `all` with the options of archive search: not both", NULL, "id");
	control_archive_audit(call, "archived message copied to a mailbox",
		arena_printf(&call->arena, "%.*s to %.*s", SPAN_FMT(c->searches ? asked : id),
			SPAN_FMT(control_param(call, "user"))));
	c->keys = c->searches ? NULL : ARENA_NEW(&call->arena, struct span);
	if (!c->searches) {
		c->keys[c->count++] = id;
		return true;
	}
	if (!control_archive_search(call, &c->search, 0))
		return false;
	arena_on_reset(&call->arena, copying_free, c);
	return true;
}

static bool
copy_work(struct control_call *call)
{
	struct copying *c = call->state;

	if (c->searches)
		control_archive_ask(call, &c->search);
	return true;
}

static bool
copy_keep(struct control_call *call, struct copying *c, uint64_t id)
{
	if (c->count == COPY_MAX)
		return control_failf(call, RPC_TOO_LARGE, "id", "more than %d messages are found: narrow the search",
			COPY_MAX);
	if (!c->keys)
		c->keys = ARENA_ARRAY(&call->arena, struct span, COPY_MAX);
	c->keys[c->count++] = arena_printf(&call->arena, "%llu", (unsigned long long)id);
	return true;
}

/* Which they are, before the first is copied. */
static enum step
copy_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct copying *c = call->state;
	struct archive_row row;
	enum err err = c->searches ? OK : ERR_NOT_FOUND;

	while (err == OK || err == ERR_BUSY) {
		err = archive_search_next(snap, &c->search, ARCHIVE_LOOKS, &row);
		if (err == OK && !copy_keep(call, c, row.archive_id))
			return STEP_FAIL;
		if ((err == OK || err == ERR_BUSY) && control_slice_is_over_now(&slice))
			return STEP_MORE;
	}
	call->targets = c->keys;
	call->target_count = c->count;
	if (err != ERR_NOT_FOUND)
		control_fail_err(call, err, "archive");
	return err == ERR_NOT_FOUND ? STEP_DONE : STEP_FAIL;
}

static enum step
copy_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct copying *c = call->state;
	enum step step = copy_read(call, snap);

	if (step == STEP_DONE && c->searches)
		control_foresee(call, arena_printf(&call->arena, "%zu message%s", c->count, c->count == 1 ? "" : "s"));
	return step;
}

/* The same content: byte by byte what was archived (ARC-02). */
static enum err
copy_each(struct control_call *call, struct txn *txn, struct span key)
{
	const struct copying *c = call->state;
	struct placement p = {0};
	struct archive_row row;
	struct content content;
	struct folder folder;
	uint64_t id;
	enum err err = control_folder_make(call, txn, control_param(call, "user"),
		control_param(call, "folder"), &folder);

	if (err != OK) {
		control_fail_err(call, err, "the mailbox");
		return err;
	}
	p.user_id = folder.user_id;
	p.folder_id = folder.folder_id;
	if (c->searches)
		err = find(call, txn, key, &id, &row);
	else if (!control_archive_find(call, txn_view(txn), key, &row))
		err = ERR_DENIED;
	if (err != OK)
		return err;
	p.received_s = (uint32_t)(row.message.time_ms / 1000);
	err = content_get(txn_view(txn), row.message.content_id, &content);
	if (err != OK)
		return err;
	content.header = arena_copy(txn_arena(txn), content.header);
	content.derived = SPAN_NONE;
	p.content = &content;
	return message_place(txn, &p);
}

static void
copy_finish(struct control_call *call)
{
	const struct copying *c = call->state;

	if (c->searches)
		control_archive_audit_count(call, "archived messages were copied to a mailbox",
			control_archive_asked(&call->arena, call->request));
}

const struct control_handler control_do_archive_copy = {
	.check = copy_check,
	.work = copy_work,
	.work_kind = WORK_GENERAL,
	.read = copy_read,
	.foresee = copy_foresee,
	.each = copy_each,
	.finish = copy_finish,
	.object = "archived message",
	.cannot = "remove the copy",
};

/* ---- hold and release ---- */

static bool
hold_check(struct control_call *call)
{
	bool holds = call->request->method->id == CONTROL_archive_hold;
	const struct rpc_value *ids = rpc_value(call->request, "ids");

	if (!control_archive_is_one(call, call->request))
		return false;
	for (size_t i = 0; i < ids->count; i++)
		control_archive_audit(call,
			holds ? "archived message held" : "archived message released", ids->items[i]);
	return true;
}

static enum err
hold_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct archive_hold hold = {.since_ms = (uint64_t)call->now_ms,
		.who = span_of(call->who.name), .why = control_param(call, "why")}, old;
	struct archive_row row;
	uint64_t id;
	enum err err = find(call, txn, key, &id, &row);

	if (err != OK)
		return err;
	if (archive_hold_find(txn_view(txn), id, &old) == OK) {
		call->skip_why = "is held already";
		return ERR_EXISTS;
	}
	return archive_hold_put(txn, id, &hold);
}

static enum err
release_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct archive_row row;
	uint64_t id;
	enum err err = find(call, txn, key, &id, &row);

	if (err == OK)
		err = archive_hold_remove(txn, id);
	if (err == ERR_NOT_FOUND && !call->skip_why)
		call->skip_why = "is not held";
	return err;
}

const struct control_handler control_do_archive_hold = {
	.check = hold_check, .each = hold_each, .object = "archived message"};
const struct control_handler control_do_archive_release = {
	.check = hold_check, .each = release_each, .object = "archived message"};
