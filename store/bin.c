/*
 * bin.c - into the bin, what is known of what lies there, and back again.
 */
#include "store/bin_rows.h"
#include "store/folder_jobs.h"
#include "store/message_leave.h"
#include "store/message_ways.h"

#define SAME_ACT_MS 60000 /* what is removed within it needs no row of its own */

/* ---- taking ---- */

static enum err
bin_of(struct txn *txn, uint64_t user_id, uint64_t *bin_id)
{
	struct folder bin;
	enum err err = folder_find(txn_view(txn), user_id, FOLDER_BIN, &bin);

	*bin_id = bin.folder_id;
	return err == ERR_NOT_FOUND ? folder_make(txn, user_id, FOLDER_BIN, bin_id) : err;
}

static bool
same_keywords(const struct folder_keywords *a, const struct folder_keywords *b)
{
	for (unsigned i = 0; i < a->count && i < b->count; i++)
		if (!span_eq(a->names[i], b->names[i]))
			return false;
	return a->count == b->count;
}

/* Does the row before say the same already? */
static bool
is_told(struct snapshot *snap, const struct origin *o)
{
	struct origin last;

	return origin_of(snap, o->bin_id, o->first_uid, &last) == OK &&
	       last.folder_id == o->folder_id && last.folder_id != 0 &&
	       o->removed_ms < last.removed_ms + SAME_ACT_MS &&
	       span_eq(last.folder_name, o->folder_name) &&
	       same_keywords(&last.keywords, &o->keywords);
}

static enum err
origin_tell(struct txn *txn, const struct folder *from, const struct bin_result *out)
{
	struct origin o = { .bin_id = out->bin_id,
		.first_uid = out->first_uid,
		.user_id = folder_bin_owner(from),
		.folder_id = from->folder_id,
		.removed_ms = txn_now_ms(txn) };
	enum err err = folder_keywords_load(txn, from->folder_id, &o.keywords);

	o.folder_name = arena_copy(txn_arena(txn), from->name);
	if (err == ERR_CORRUPT) /* their names are lost, the messages not */
		err = OK;
	return err != OK || is_told(txn_view(txn), &o) ? err : origin_put(txn, &o);
}

static enum err
into_bin(struct leaving *l, struct entry *e)
{
	(void)l;
	if (e->flags & FLAG_HELD)
		e->flags |= FLAG_WAS_HELD;
	e->flags |= FLAG_HELD;
	return OK;
}

enum err
bin_take(struct txn *txn, const struct folder *where, struct uid_list list, unsigned blocks,
	struct bin_result *out)
{
	struct arrival to;
	struct leaving l = { .to = &to, .change = into_bin, .blocks = blocks };
	uint64_t owner_id;
	enum err err;

	*out = (struct bin_result){ .count = 0 };
	owner_id = folder_bin_owner(where);
	err = bin_of(txn, owner_id, &out->bin_id);
	if (err == OK && out->bin_id == where->folder_id)
		err = ERR_EXISTS;
	if (err == OK)
		err = arrival_begin(&to, txn, owner_id, out->bin_id);
	if (err != OK)
		return err;
	out->first_uid = to.folder.uidnext;
	err = leaving_run(&l, txn, where, list);
	if (err != OK)
		return err;
	out->count = l.count;
	out->all = l.all;
	out->next = l.all ? list.count : l.p.next;
	if (l.count == 0)
		return OK;
	out->modseq = l.p.folder.highest_modseq;
	err = arrival_end(&to);
	return err == OK ? origin_tell(txn, &l.p.folder, out) : err;
}

/* ---- what is known of it ---- */

/* How an older server kept it: "FOLDER_ID UID FLAGS words" in front of the keywords of the copy. */
static void
old_item(const struct copy *copy, struct bin_item *out)
{
	struct span folder_id, uid, flags;
	uint64_t number;

	span_cut(copy->keywords, ' ', &folder_id, &out->keywords);
	span_cut(out->keywords, ' ', &uid, &out->keywords);
	span_cut(out->keywords, ' ', &flags, &out->keywords);
	if (span_u64(folder_id, UINT64_MAX, &out->folder_id) != OK)
		out->folder_id = 0;
	out->flags = span_u64(flags, UINT32_MAX, &number) == OK ? (uint32_t)number : 0;
	out->removed_ms = copy->save_ms;
}

static enum err
item_words(const struct origin *o, const struct entry *e, const struct copy *copy,
	struct arena *a, struct span *out)
{
	struct buf words;
	enum err err;

	buf_init(&words, KEYWORDS_WORDS_MAX);
	err = keywords_put(&words, &o->keywords, e->flags);
	if (err == OK && copy->keywords.len > 0)
		err = keyword_put(&words, copy->keywords);
	*out = arena_copy(a, buf_span(&words));
	buf_fini(&words);
	return err;
}

enum err
bin_item_get(struct snapshot *snap, uint64_t bin_id, const struct entry *entry, struct arena *a,
	struct bin_item *out)
{
	struct origin o;
	struct copy copy;
	enum err err = copy_get(snap, entry->copy_id, &copy);

	*out = (struct bin_item){ .folder_name = SPAN("") };
	if (err != OK)
		return err;
	err = origin_of(snap, bin_id, entry->uid, &o);
	if (err == ERR_NOT_FOUND || (err == OK && o.removed_ms == 0)) {
		old_item(&copy, out);
		return OK;
	}
	if (err != OK)
		return err;
	out->folder_id = o.folder_id;
	out->folder_name = o.folder_name;
	out->removed_ms = o.removed_ms;
	out->flags = entry->flags & (FLAGS_SYSTEM | FLAG_WAS_HELD);
	if (out->flags & FLAG_WAS_HELD)
		out->flags ^= FLAG_WAS_HELD | FLAG_HELD;
	return item_words(&o, entry, &copy, a, &out->keywords);
}

/* ---- back again ---- */

/* Where it was, or what has that name now, or a new one. */
static enum err
folder_for(struct txn *txn, uint64_t user_id, const struct bin_item *item, struct folder *to)
{
	struct span name = item->folder_name.len ? item->folder_name : SPAN("INBOX");
	uint64_t folder_id;
	enum err err = folder_get(txn_view(txn), user_id, item->folder_id, to);

	if (err == OK && !folder_name_is_hidden(to->name))
		return OK;
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (folder_name_is_hidden(name))
		name = SPAN("INBOX");
	err = folder_find(txn_view(txn), user_id, name, to);
	if (err != ERR_NOT_FOUND)
		return err;
	err = folder_make(txn, user_id, arena_copy(txn_arena(txn), name), &folder_id);
	return err == OK ? folder_get(txn_view(txn), user_id, folder_id, to) : err;
}

enum err
bin_restore(struct txn *txn, uint64_t user_id, uint32_t uid, struct folder *to, uint32_t *new_uid)
{
	struct placement place = { .user_id = user_id };
	struct bin_item item;
	struct folder bin;
	struct entry entry;
	enum err err = folder_find(txn_view(txn), user_id, FOLDER_BIN, &bin);

	if (err == OK)
		err = entry_find(txn_view(txn), bin.folder_id, uid, &entry);
	if (err == OK)
		err = bin_item_get(txn_view(txn), bin.folder_id, &entry, txn_arena(txn), &item);
	if (err == OK)
		item.keywords = arena_copy(txn_arena(txn), item.keywords);
	if (err == OK)
		err = folder_for(txn, user_id, &item, to);
	if (err != OK)
		return err;
	place.folder_id = to->folder_id;
	place.flags = item.flags & (FLAGS_SYSTEM | FLAG_HELD) & ~FLAG_DELETED;
	place.keywords = item.keywords;
	place.first_ms = txn_now_ms(txn); /* else a prune rule would take it at once again */
	bin.name = FOLDER_BIN; /* what pointed into the map may have moved */
	err = message_way_move(txn, &bin, uid, &place);
	*new_uid = place.uid;
	return err == OK ? folder_get(txn_view(txn), user_id, place.folder_id, to) : err;
}
