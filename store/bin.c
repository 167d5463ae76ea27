/*
 * bin.c - see bin.h.
 *
 * Rows of `binned` are by the folder_id of the bin and the uid from which on they hold, so what they
 * say of a message is found in one step, and one row serves all that one act removed.
 */
#include "store/bin.h"

#include "store/folder_jobs.h"
#include "store/lmdb_txn.h"
#include "store/message_leave.h"
#include "store/message_ways.h"
#include "store/rows.h"

#define BINNED_VERSION 1
#define BINNED_ROOM (RECORD_HEAD + 40 + FOLDER_NAME_MAX + FOLDER_KEYWORDS * (KEYWORD_MAX + 2))
#define SAME_ACT_MS 60000  /* what is removed within it needs no row of its own */
#define SWEEP_MESSAGES 150 /* expunged in a slice */
#define SWEEP_BINS 300     /* looked at in a slice */
#define SWEEP_ROUNDS 12    /* of a full store: from 30 days to minutes */

/* A row of `binned`. */
struct origin {
	uint64_t bin_id;
	uint32_t first_uid;
	uint64_t user_id;
	uint64_t folder_id;  /* 0: not known */
	uint64_t removed_ms; /* 0: by an older server, the copies tell all of it */
	struct span folder_name;
	struct folder_keywords keywords;
};

/* ---- rows ---- */

static enum err
origin_put(struct txn *txn, const struct origin *o)
{
	char room[BINNED_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), BINNED_VERSION);
	record_put_varint(&out, o->user_id);
	record_put_varint(&out, o->folder_id);
	record_put_u64(&out, o->removed_ms);
	record_put_span(&out, o->folder_name);
	record_put_u8(&out, (uint8_t)o->keywords.count);
	for (unsigned i = 0; i < o->keywords.count; i++)
		record_put_span(&out, o->keywords.names[i]);
	key_u64_u32(&key, o->bin_id, o->first_uid);
	return table_put_record(txn, TABLE_binned, &key, &out);
}

static enum err
origin_take(struct snapshot *snap, const struct row *row, struct origin *o)
{
	struct span key = row->key;
	struct record_in in;
	enum err err;

	*o = (struct origin){ .bin_id = 0 };
	if (key_take_u64(&key, &o->bin_id) != OK || key_take_u32(&key, &o->first_uid) != OK) {
		o->bin_id = UINT64_MAX; /* nobody gets past such a key */
		return table_damaged(snap, TABLE_binned, row->key, "key");
	}
	err = row_record(snap, TABLE_binned, row, BINNED_VERSION, &in);
	if (err != OK)
		return err;
	o->user_id = record_take_varint(&in);
	o->folder_id = record_take_varint(&in);
	o->removed_ms = record_take_u64(&in);
	o->folder_name = record_take_span(&in);
	o->keywords.count = record_take_u8(&in);
	for (unsigned i = 0; i < o->keywords.count && i < FOLDER_KEYWORDS; i++)
		o->keywords.names[i] = record_take_span(&in);
	if (record_end(&in) == OK && o->keywords.count <= FOLDER_KEYWORDS)
		return OK;
	return table_damaged(snap, TABLE_binned, row->key, "fields");
}

/* What holds for UID of a bin: the last row at or before it. */
static enum err
origin_of(struct snapshot *snap, uint64_t bin_id, uint32_t uid, struct origin *o)
{
	struct key key, prefix;
	struct row row;
	enum err err;

	key_u64_u32(&key, bin_id, uid);
	key_put_u8(&key, 0); /* the next key there can be */
	err = table_seek_before(snap, TABLE_binned, &key, &row);
	key_u64(&prefix, bin_id);
	if (err == OK && !row_has_prefix(&row, &prefix))
		err = ERR_NOT_FOUND;
	return err == OK ? origin_take(snap, &row, o) : err;
}

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
	bin.name = FOLDER_BIN; /* what pointed into the map may have moved */
	err = message_way_move(txn, &bin, uid, &place);
	*new_uid = place.uid;
	return err == OK ? folder_get(txn_view(txn), user_id, place.folder_id, to) : err;
}

/* ---- the end of it ---- */

struct sweeping {
	struct txn *txn;
	struct bin_sweep *state;
	uint64_t before_ms;
	struct folder bin;
	struct folder_room room;
};

/* Is the entry old enough to go? Its copy tells where the row does not. */
static enum err
is_due(struct sweeping *s, const struct entry *e, bool *due)
{
	struct origin o;
	struct copy copy;
	enum err err = origin_of(txn_view(s->txn), s->bin.folder_id, e->uid, &o);

	*due = err == OK && o.removed_ms != 0 && o.removed_ms < s->before_ms;
	if (err == ERR_CORRUPT || (err == OK && o.removed_ms != 0))
		return OK; /* of a damaged one nobody knows the time: it waits for check */
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	err = copy_get(txn_view(s->txn), e->copy_id, &copy);
	*due = err != OK || copy.save_ms < s->before_ms; /* damaged: check has told of it */
	return err == ERR_IO ? err : OK;
}

/* Rows that hold for nothing any more: those before the one of FIRST_UID. */
static enum err
forget_origins(struct sweeping *s, uint32_t first_uid)
{
	struct key prefix, key;
	struct row row;
	struct origin o;
	enum err err = origin_of(txn_view(s->txn), s->bin.folder_id, first_uid, &o);
	uint32_t keep = err == OK ? o.first_uid : 0;

	key_u64(&prefix, s->bin.folder_id);
	while (err == OK) {
		uint32_t uid;
		struct span at;

		err = table_seek(txn_view(s->txn), TABLE_binned, &prefix, &row);
		if (err != OK || !row_has_prefix(&row, &prefix))
			break;
		at = span_from(row.key, prefix.len);
		if (key_take_u32(&at, &uid) != OK || uid >= keep)
			break;
		key_name(&key, row.key);
		err = table_delete(s->txn, TABLE_binned, &key);
	}
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* The first messages of the bin whose time is over. */
static enum err
sweep_messages(struct sweeping *s, size_t *count)
{
	uint32_t uids[SWEEP_MESSAGES];
	struct entry entry = { .uid = 0 };
	bool due = true;
	enum err err = OK;

	for (*count = 0; *count < SWEEP_MESSAGES && due; *count += due) {
		err = entry_next(txn_view(s->txn), s->bin.folder_id, entry.uid, &entry);
		if (err == OK)
			err = is_due(s, &entry, &due);
		if (err != OK)
			break;
		if (due) {
			uids[*count] = entry.uid;
			s->state->freed_bytes += entry.size;
		}
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (*count == 0)
		return forget_origins(s, err == OK ? entry.uid : UINT32_MAX);
	return message_expunge(s->txn, &s->bin, (struct uid_list){ uids, *count }, 0, count);
}

static enum err
forget_bin(struct txn *txn, uint64_t bin_id)
{
	struct key prefix;
	bool more;

	key_u64(&prefix, bin_id);
	return rows_purge(txn, TABLE_binned, &prefix, SWEEP_MESSAGES, &more);
}

/* The bin of the first row behind state->at. Rows whose bin is gone go as well. */
static enum err
sweep_bin(struct sweeping *s, size_t *count)
{
	struct origin o;
	struct key key;
	struct row row;
	enum err err;

	*count = 0;
	if (s->state->at == UINT64_MAX)
		return ERR_NOT_FOUND;
	key_u64(&key, s->state->at + 1);
	err = table_seek(txn_view(s->txn), TABLE_binned, &key, &row);
	if (err == OK)
		err = origin_take(txn_view(s->txn), &row, &o);
	if (err == OK || err == ERR_CORRUPT) {
		s->state->at = o.bin_id; /* a damaged one is for check, others wait behind it */
		if (err == OK)
			err = folder_load(s->txn, o.user_id, o.bin_id, &s->bin, &s->room);
		if (err == ERR_NOT_FOUND)
			return forget_bin(s->txn, o.bin_id);
	} else {
		return err;
	}
	if (err == OK)
		err = sweep_messages(s, count);
	if (*count > 0)
		s->state->at = o.bin_id - 1; /* at it again */
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* How old what goes in this round is at least. */
static uint64_t
round_age_ms(const struct bin_sweep *state)
{
	uint64_t keep = state->keep_ms > BIN_KEEP_MIN_MS ? state->keep_ms : BIN_KEEP_MIN_MS;

	return state->round < SWEEP_ROUNDS ? keep >> state->round : 0;
}

/* The walk is over. A full store begins another, until it has what it wants. */
static bool
next_round(struct txn *txn, struct bin_sweep *state)
{
	bool wants = store_is_full(txn_store(txn)) &&
		     state->freed_bytes < room_wanted(txn_store(txn));

	state->at = 0;
	return wants && state->round++ < SWEEP_ROUNDS;
}

enum err
bin_sweep_some(struct txn *txn, struct bin_sweep *state, bool *more)
{
	struct sweeping s = { .txn = txn, .state = state };
	uint64_t now_ms = txn_now_ms(txn), age_ms = round_age_ms(state);
	size_t count;

	s.before_ms = now_ms > age_ms ? now_ms - age_ms : 0;
	*more = true;
	for (unsigned i = 0; i < SWEEP_BINS; i++) {
		enum err err = sweep_bin(&s, &count);

		if (err == ERR_NOT_FOUND)
			*more = next_round(txn, state);
		if (err != OK || count > 0)
			return err == ERR_NOT_FOUND ? OK : err;
	}
	return OK;
}

/* ---- a store of before ---- */

enum err
bins_fill(struct txn *txn)
{
	struct key at;
	struct row row;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(txn_view(txn), TABLE_folders, &at, &row)) == OK) {
		struct span key = row.key;
		struct origin o = { .first_uid = 1 };
		struct folder f;

		key_name(&at, row.key);
		key_put_u8(&at, 0); /* the next key there can be */
		if (key_take_u64(&key, &o.user_id) != OK || key_take_u64(&key, &o.bin_id) != OK ||
			folder_get(txn_view(txn), o.user_id, o.bin_id, &f) != OK ||
			!span_eq(f.name, FOLDER_BIN))
			continue;
		err = origin_put(txn, &o);
		if (err != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* ---- for check ---- */

bool
bin_origin_holds(struct snapshot *snap, const struct row *row)
{
	struct folder bin;
	struct origin o;

	return origin_take(snap, row, &o) == OK &&
	       folder_get(snap, o.user_id, o.bin_id, &bin) != ERR_NOT_FOUND;
}

enum err
bin_origin_mend(struct txn *txn, struct span key)
{
	struct origin o = { .removed_ms = txn_now_ms(txn) };
	struct folder bin;
	struct key row;
	enum err err = OK;

	key_name(&row, key);
	if (key_take_u64(&key, &o.bin_id) != OK || key_take_u32(&key, &o.first_uid) != OK)
		err = ERR_NOT_FOUND;
	if (err == OK)
		err = folder_by_id(txn_view(txn), o.bin_id, &bin);
	if (err == ERR_NOT_FOUND)
		return table_delete(txn, TABLE_binned, &row);
	o.user_id = bin.user_id;
	return err == OK ? origin_put(txn, &o) : err;
}
