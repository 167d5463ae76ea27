/*
 * check_mail.c - copies, contents, graves.
 *
 * From the folders down: entries name copies, copies and the queue name contents, contents name
 * bodies (check_bodies.c). What nobody names must lie in a grave; what is named must be there, and as often as its
 * row of owners says.
 */
#include "store/bodies.h"
#include "store/check_run.h"
#include "store/graves.h"
#include "store/messages.h"

typedef unsigned long long ull;

/* ---- graves ---- */

static void
visit_grave(struct check *c, const struct row *row)
{
	struct span key = row->key;
	uint64_t bury_ms, id;
	uint8_t kind;

	if (key_take_u64(&key, &bury_ms) != OK || key_take_u8(&key, &kind) != OK ||
		key_take_u64(&key, &id) != OK || kind < GRAVE_COPY || kind > GRAVE_BODY) {
		check_say(c, true, "graves: a key is damaged");
		check_fix_delete(c, TABLE_graves, row->key);
		return;
	}
	id_set_add(kind == GRAVE_COPY	 ? &c->copies_buried :
		   kind == GRAVE_CONTENT ? &c->contents_buried :
					   &c->bodies_buried,
		id);
}

static enum err
fix_bury(struct txn *txn, const struct check_fix *fix)
{
	uint64_t at = txn_now_ms(txn) + GRAVE_DELAY_MS;

	return grave_add(txn, at, (enum grave_kind)fix->n[0], fix->n[1]);
}

void
check_bury(struct check *c, int kind, uint64_t id)
{
	struct check_fix *fix = check_fix_add(c, fix_bury, SPAN_NONE, SPAN_NONE);

	fix->n[0] = (uint64_t)kind;
	fix->n[1] = id;
}

/* ---- copies ---- */

/* A message whose entry was lost comes back behind the others, unread: its uid is a new one. */
static enum err
fix_put_back(struct txn *txn, const struct check_fix *fix)
{
	struct entry e = { .copy_id = fix->n[2] };
	struct content content;
	struct folder f;
	struct copy copy;
	enum err err = copy_get(txn_view(txn), e.copy_id, &copy);

	if (err == OK)
		err = content_get(txn_view(txn), copy.content_id, &content);
	if (err == OK)
		err = folder_get(txn_view(txn), fix->n[0], fix->n[1], &f);
	if (err != OK)
		return err;
	e.uid = f.uidnext++;
	e.modseq = ++f.highest_modseq;
	e.received_s = (uint32_t)(copy.save_ms / 1000);
	e.size = (uint32_t)(copy.front.len + content.header.len + content.body_size);
	f.messages++;
	f.unseen++;
	f.bytes += e.size;
	f.name = arena_copy(txn_arena(txn), f.name); /* the next write moves the map */
	f.extra = arena_copy(txn_arena(txn), f.extra);
	err = entry_append(txn, f.folder_id, &f.last_block_uid, &e);
	return err == OK ? folder_put(txn, &f) : err;
}

static void
put_back(struct check *c, uint64_t copy_id)
{
	struct check_fix *fix = check_fix_add(c, fix_put_back, SPAN_NONE, SPAN_NONE);

	fix->n[0] = c->lost_user;
	fix->n[1] = c->lost_folder;
	fix->n[2] = copy_id;
}

static void
visit_copy(struct check *c, const struct row *row)
{
	uint64_t id = check_id(row);
	struct content content;
	struct copy copy;
	size_t named = id_set_count(&c->copies_named, id);
	bool buried = id_set_count(&c->copies_buried, id) > 0;

	if (copy_get(c->snap, id, &copy) != OK) {
		check_say(c, false, "copies %llu: damaged", (ull)id);
		return;
	}
	id_set_add(&c->contents_named, copy.content_id);
	if (named > 1)
		check_say(c, false, "copies %llu: %zu messages name it", (ull)id, named);
	if (content_get(c->snap, copy.content_id, &content) == ERR_NOT_FOUND)
		check_say(c, false, "copies %llu: its content %llu is gone", (ull)id,
			(ull)copy.content_id);
	if (named > 0 || buried)
		return;
	check_say(c, !c->blocks_lost || c->lost_folder != 0, "copies %llu: no message names it",
		(ull)id);
	if (c->lost_folder != 0)
		put_back(c, id);
	else if (!c->blocks_lost) /* else it may be all that is left of a message: it stays */
		check_bury(c, GRAVE_COPY, id);
}

/* ---- contents ---- */

static enum err
fix_owners(struct txn *txn, const struct check_fix *fix)
{
	struct content content;
	enum err err = content_get(txn_view(txn), fix->n[0], &content);

	if (err != OK)
		return err;
	return content_own(txn, fix->n[0], (int)((int64_t)fix->n[1] - (int64_t)content.owners));
}

static void
check_body_bytes(struct check *c, const struct content *content)
{
	uint64_t size = 0;
	struct span piece;
	enum err err;

	while ((err = body_read(c->snap, content->body_id, size, &piece)) == OK) {
		size += piece.len;
		snapshot_forget_copies(c->snap);
	}
	if (err == ERR_NOT_FOUND && size == content->body_size)
		return;
	check_say(c, false, "contents %llu: damaged: body %llu %s at byte %llu of %llu",
		(ull)content->content_id, (ull)content->body_id,
		err == ERR_NOT_FOUND ? "ends" : "is wrong", (ull)size, (ull)content->body_size);
}

static void
visit_content(struct check *c, const struct row *row)
{
	uint64_t id = check_id(row);
	size_t named = id_set_count(&c->contents_named, id);
	struct content content;
	struct check_fix *fix;

	snapshot_forget_copies(c->snap);
	if (content_get(c->snap, id, &content) != OK) {
		check_say(c, false, "contents %llu: damaged", (ull)id);
		return;
	}
	if (content.body_id != 0)
		id_set_add(&c->bodies_named, content.body_id);
	if (content.owners > named && c->archive_lost) {
		check_say(c, false, "contents %llu: %zu owners, its row says %llu; the archive may have the others",
			(ull)id, named, (ull)content.owners);
	} else if (content.owners != named) {
		check_say(c, true, "contents %llu: %zu owners, its row says %llu", (ull)id, named,
			(ull)content.owners);
		fix = check_fix_add(c, fix_owners, SPAN_NONE, SPAN_NONE);
		fix->n[0] = id;
		fix->n[1] = named;
	}
	if (named == 0 && content.owners == 0 && id_set_count(&c->contents_buried, id) == 0) {
		check_say(c, true, "contents %llu: nobody owns it, and it has no grave", (ull)id);
		check_bury(c, GRAVE_CONTENT, id);
	}
	if (content.owners > 0 && content.body_id != 0)
		check_body_bytes(c, &content); /* without owners its pieces may be half gone */
}

void
check_mail(struct check *c)
{
	check_walk(c, TABLE_graves, visit_grave);
	check_folders(c);
	check_walk(c, TABLE_copies, visit_copy);
	check_walk(c, TABLE_contents, visit_content);
	check_bodies(c);
}
