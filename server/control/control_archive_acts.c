/*
 * control_archive_acts.c - `archive copy`, `archive hold`, `archive release`: none changes an entry.
 */
#include "server/control/control_archive.h"
#include "server/control/control_mailbox.h"

/* ---- copy ---- */

static bool
copy_check(struct control_call *call)
{
	control_archive_audit(call, "archived message copied to a mailbox",
		arena_printf(&call->arena, "%.*s to %.*s", SPAN_FMT(control_param(call, "id")),
			SPAN_FMT(control_param(call, "user"))));
	return true;
}

/* The same content: byte by byte what was archived (ARC-02). */
static enum err
copy_change(struct control_call *call, struct txn *txn)
{
	struct placement p = {0};
	struct archive_row row;
	struct content content;
	struct folder folder;
	enum err err = control_folder_make(call, txn, control_param(call, "user"),
		control_param(call, "folder"), &folder);

	if (err != OK)
		return err;
	p.user_id = folder.user_id;
	p.folder_id = folder.folder_id;
	if (!control_archive_find(call, txn_view(txn), control_param(call, "id"), &row))
		return ERR_NOT_FOUND;
	p.received_s = (uint32_t)(row.message.time_ms / 1000);
	err = content_get(txn_view(txn), row.message.content_id, &content);
	if (err != OK)
		return err;
	content.header = arena_copy(txn_arena(txn), content.header);
	content.derived = SPAN_NONE;
	p.content = &content;
	err = message_place(txn, &p);
	call->done = err == OK;
	return err;
}

const struct control_handler control_do_archive_copy = {
	.check = copy_check,
	.change = copy_change,
	.object = "archived message",
	.cannot = "remove the copy",
};

/* ---- hold and release ---- */

static bool
hold_check(struct control_call *call)
{
	bool holds = call->request->method->id == CONTROL_archive_hold;
	const struct rpc_value *ids = rpc_value(call->request, "ids");

	for (size_t i = 0; i < ids->count; i++)
		control_archive_audit(call,
			holds ? "archived message held" : "archived message released", ids->items[i]);
	return true;
}

/* One that is there; where not, why is said of the key. */
static enum err
find(struct control_call *call, struct txn *txn, struct span key, uint64_t *id)
{
	struct archive_row row;
	enum err err = control_archive_id(key, id);

	if (err == OK)
		err = archive_find(txn_view(txn), *id, &row);
	if (err == OK && row.kind != ARCHIVE_MESSAGE)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		call->skip_why = "not found";
	return err;
}

static enum err
hold_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct archive_hold hold = {.since_ms = (uint64_t)call->now_ms,
		.who = span_of(call->who.name), .why = control_param(call, "why")}, old;
	uint64_t id;
	enum err err = find(call, txn, key, &id);

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
	uint64_t id;
	enum err err = find(call, txn, key, &id);

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
