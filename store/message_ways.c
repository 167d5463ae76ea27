/*
 * message_ways.c - see message_ways.h.
 *
 * A row of a change:   key     folder_id, uid       where the message is since
 *                      before  user_id, folder_id, flags, keywords     where it was, and how
 */
#include "store/message_ways.h"

#include "store/bin.h"
#include "store/change_rows.h"
#include "store/users.h"

#define WAY_ROOM (RECORD_HEAD + COPY_KEYWORDS_MAX + 64)

struct way {
	uint64_t user_id, folder_id;
	uint32_t flags;
	struct span keywords;
};

static enum err
way_record(struct txn *txn, uint64_t folder_id, uint32_t uid, const struct way *was)
{
	char *room = arena_alloc(txn_arena(txn), WAY_ROOM);
	struct record_out out;
	struct key key;
	struct change_row row;

	record_begin(&out, room, WAY_ROOM, ROW_VERSION);
	record_put_varint(&out, was->user_id);
	record_put_varint(&out, was->folder_id);
	record_put_u32(&out, was->flags);
	record_put_span(&out, was->keywords);
	if (out.overflow)
		return ERR_LIMIT;
	key_u64_u32(&key, folder_id, uid);
	row = (struct change_row){ .table = SPAN(MESSAGE_WAYS), .key = key_span(&key),
		.existed = true, .exists = true,
		.before = { room + RECORD_HEAD, out.len - RECORD_HEAD }, .after = SPAN_NONE };
	return change_record_row(txn, &row);
}

/* ROW taken apart; the keywords point into it. */
static enum err
way_take(const struct change_row *row, uint64_t *folder_id, uint32_t *uid, struct way *was)
{
	struct record_in in = { .at = row->before.ptr, .end = row->before.ptr + row->before.len };
	struct span key = row->key;
	enum err err = key_take_u64(&key, folder_id);

	if (err == OK)
		err = key_take_u32(&key, uid);
	was->user_id = record_take_varint(&in);
	was->folder_id = record_take_varint(&in);
	was->flags = record_take_u32(&in);
	was->keywords = record_take_span(&in);
	return err == OK ? record_end(&in) : err;
}

enum err
message_way_hold(struct txn *txn, const struct folder *where, uint32_t uid, bool hold)
{
	struct way was = { where->user_id, where->folder_id, hold ? 0 : FLAG_HELD, SPAN("") };
	uint64_t folder_id = where->folder_id;
	uint32_t new_uid;
	enum err err = message_hold(txn, where, uid, hold, &new_uid);

	if (err != OK) /* it was so already: there is no way to keep */
		return err == ERR_EXISTS ? OK : err;
	return way_record(txn, folder_id, new_uid, &was);
}

/* As it is, in words that mean the same in every folder. */
static enum err
way_of(struct txn *txn, const struct folder *where, uint32_t uid, struct way *was)
{
	struct entry entry;
	enum err err = entry_find(txn_view(txn), where->folder_id, uid, &entry);

	*was = (struct way){ .user_id = where->user_id, .folder_id = where->folder_id };
	if (err != OK)
		return err;
	was->flags = entry.flags & ~(FLAGS_KEYWORDS | FLAG_MORE_KEYWORDS);
	return message_keywords(
		txn_view(txn), where->folder_id, &entry, txn_arena(txn), &was->keywords);
}

enum err
message_way_move(
	struct txn *txn, const struct folder *where, uint32_t uid, struct placement *place)
{
	struct way was;
	enum err err = way_of(txn, where, uid, &was);

	if (err == OK)
		err = message_move(txn, where, uid, place);
	return err == OK ? way_record(txn, place->folder_id, place->uid, &was) : err;
}

enum err
message_way_bin(struct txn *txn, const struct folder *where, uint32_t uid, uint32_t *bin_uid)
{
	struct bin_result result;
	struct way was;
	enum err err = way_of(txn, where, uid, &was);

	if (err == OK)
		err = bin_take(txn, where, (struct uid_list){ &uid, 1 }, 0, &result);
	if (err != OK)
		return err;
	*bin_uid = result.first_uid;
	return way_record(txn, result.bin_id, result.first_uid, &was);
}

/* ---- the way back ---- */

enum err
message_way_check(struct snapshot *snap, const struct change_row *row)
{
	struct entry entry;
	uint64_t folder_id;
	struct way was;
	uint32_t uid;
	enum err err = way_take(row, &folder_id, &uid, &was);

	if (err == OK)
		err = entry_find(snap, folder_id, uid, &entry);
	return err == ERR_NOT_FOUND ? ERR_EXISTS : err;
}

/* Of a folder the log knows its id; whose it is, the user's row of the log or a look at all. */
static enum err
folder_of_way(struct snapshot *snap, const struct way *was, uint64_t folder_id, struct folder *out)
{
	struct user user = { .user_id = 0 };
	enum err err = folder_get(snap, was->user_id, folder_id, out);

	while (err == ERR_NOT_FOUND) {
		err = user_next(snap, user.user_id, &user);
		if (err != OK)
			return err == ERR_NOT_FOUND ? ERR_EXISTS : err;
		err = folder_get(snap, user.user_id, folder_id, out);
	}
	return err;
}

/* Where it was, or the user's INBOX where that folder is gone. */
static enum err
folder_before(struct snapshot *snap, const struct way *was, struct folder *out)
{
	enum err err = folder_get(snap, was->user_id, was->folder_id, out);

	if (err == ERR_NOT_FOUND)
		err = folder_find(snap, was->user_id, SPAN("INBOX"), out);
	return err == ERR_NOT_FOUND ? ERR_EXISTS : err;
}

enum err
message_way_back(struct txn *txn, const struct change_row *row)
{
	struct folder here, there;
	struct placement place = { 0 };
	uint64_t folder_id;
	struct way was;
	uint32_t uid;
	bool held;
	enum err err = message_way_check(txn_view(txn), row);

	if (err == OK)
		err = way_take(row, &folder_id, &uid, &was);
	if (err == OK)
		err = folder_of_way(txn_view(txn), &was, folder_id, &here);
	if (err != OK)
		return err;
	held = was.flags & FLAG_HELD;
	if (was.folder_id == folder_id)
		return message_way_hold(txn, &here, uid, held);
	err = folder_before(txn_view(txn), &was, &there);
	if (err != OK || there.folder_id == here.folder_id)
		return err;
	if (span_eq(there.name, FOLDER_BIN)) /* an undone restore */
		return message_way_bin(txn, &here, uid, &uid);
	place.user_id = there.user_id;
	place.folder_id = there.folder_id;
	place.flags = was.flags;
	place.keywords = arena_copy(txn_arena(txn), was.keywords);
	return message_way_move(txn, &here, uid, &place);
}
