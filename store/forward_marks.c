/*
 * forward_marks.c - a user's pairs end, or turn to another target: so many in the transaction of the change,
 * the others in slices of housekeeping.
 *
 * A mark says how far. It stands in `forwards` under user_id 0, and from the commit of the change on nothing
 * is sent for the user until it has gone: what is cancelled is cancelled, whatever is set next. Copies get
 * rising numbers, so a bound parts the pairs of before from those of mail that comes meanwhile.
 *
 *     0 user_id     end_to: pairs up to that copy_id are cancelled
 *                   turn_at, turn_to: those behind the one, up to the other, get the user's address
 */
#include "store/forward_rows.h"

#include "store/ids.h"
#include "store/queued.h"

#define MARK_VERSION 1
#define MARK_ROOM (RECORD_HEAD + 30)

static enum err
mark_find(struct snapshot *snap, uint64_t user_id, struct forward_mark *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	key_u64_u64(&key, 0, user_id);
	*out = (struct forward_mark){ .user_id = user_id };
	err = table_get_record(snap, TABLE_forwards, &key, MARK_VERSION, &in);
	if (err == OK && !forward_mark_take(&in, out))
		err = table_damaged(snap, TABLE_forwards, key_span(&key), "fields");
	return err;
}

bool
forward_mark_take(struct record_in *in, struct forward_mark *out)
{
	out->end_to = record_take_varint(in);
	out->turn_at = record_take_varint(in);
	out->turn_to = record_take_varint(in);
	return record_end(in) == OK;
}

bool
forward_mark_decode(struct snapshot *snap, const struct row *row, struct forward_mark *out)
{
	struct span key = row->key;
	struct record_in in;
	uint64_t zero;

	*out = (struct forward_mark){ .user_id = 0 };
	return key_take_u64(&key, &zero) == OK && zero == 0 &&
		key_take_u64(&key, &out->user_id) == OK && key.len == 0 &&
		row_record(snap, TABLE_forwards, row, MARK_VERSION, &in) == OK &&
		forward_mark_take(&in, out);
}

/* The first of all: ERR_NOT_FOUND where there is none. */
static enum err
mark_first(struct snapshot *snap, struct forward_mark *out)
{
	struct key zero;
	struct row row;
	enum err err;

	key_u64(&zero, 0);
	err = table_seek(snap, TABLE_forwards, &zero, &row);
	if (err == OK && !row_has_prefix(&row, &zero))
		err = ERR_NOT_FOUND;
	if (err != OK)
		return err;
	return forward_mark_decode(snap, &row, out)
		? OK
		: table_damaged(snap, TABLE_forwards, row.key, "fields");
}

/* It goes where nothing is left to do. */
static enum err
mark_put(struct txn *txn, const struct forward_mark *mark)
{
	char room[MARK_ROOM];
	struct record_out out;
	struct key key;
	enum err err;

	key_u64_u64(&key, 0, mark->user_id);
	if (mark->end_to == 0 && mark->turn_to == 0) {
		err = table_delete(txn, TABLE_forwards, &key);
		return err == ERR_NOT_FOUND ? OK : err;
	}
	record_begin(&out, room, sizeof(room), MARK_VERSION);
	record_put_varint(&out, mark->end_to);
	record_put_varint(&out, mark->turn_at);
	record_put_varint(&out, mark->turn_to);
	return table_put_record(txn, TABLE_forwards, &key, &out);
}

bool
forward_is_marked(struct snapshot *snap, uint64_t user_id, uint64_t *end_to)
{
	struct forward_mark mark;
	bool marked = mark_find(snap, user_id, &mark) == OK;

	*end_to = marked ? mark.end_to : 0;
	return marked;
}

bool
forwards_have_marks(struct snapshot *snap)
{
	struct forward_mark mark;

	return mark_first(snap, &mark) == OK;
}

/* ---- the work ---- */

/* The next pair behind AT, up to TO; false: there is none, or it cannot be read. */
static bool
next_until(struct txn *txn, const struct forward_mark *mark, uint64_t at, uint64_t to,
	struct forward *f, enum err *err)
{
	*err = forward_next(txn_view(txn), mark->user_id, at, f);
	if (*err == OK)
		return f->copy_id <= to;
	if (*err == ERR_NOT_FOUND || *err == ERR_CORRUPT)
		*err = OK; /* the one is the end, the other for check (H49) */
	return false;
}

static enum err
end_some(struct txn *txn, struct forward_mark *mark, unsigned *room)
{
	struct forward f;
	enum err err = OK;

	while (mark->end_to != 0 && *room > 0 && err == OK) {
		if (next_until(txn, mark, 0, mark->end_to, &f, &err)) {
			err = forward_end(txn, &f);
			--*room;
		} else {
			mark->end_to = 0;
		}
	}
	return err;
}

static enum err
turn_some(struct txn *txn, struct forward_mark *mark, unsigned *room)
{
	struct queued_redirect to = { .now_ms = (int64_t)txn_now_ms(txn) };
	struct forward f;
	struct user user;
	enum err err = user_find(txn_view(txn), mark->user_id, &user);

	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT || (err == OK && !forward_acts(&user))) {
		mark->turn_to = 0; /* there is nowhere to turn to */
		return OK;
	}
	if (err == OK)
		to.address = arena_copy(txn_arena(txn), user.store_forward_address);
	while (mark->turn_to != 0 && *room > 0 && err == OK) {
		if (next_until(txn, mark, mark->turn_at, mark->turn_to, &f, &err)) {
			mark->turn_at = f.copy_id;
			err = forward_turn(txn, &f, &to);
			--*room;
		} else {
			mark->turn_to = 0;
		}
	}
	return err;
}

static enum err
follow(struct txn *txn, struct forward_mark *mark, unsigned *room)
{
	enum err err = end_some(txn, mark, room);

	if (err == OK && mark->end_to == 0 && mark->turn_to != 0)
		err = turn_some(txn, mark, room);
	return err == OK ? mark_put(txn, mark) : err;
}

enum err
forwards_follow(struct txn *txn, uint64_t user_id, enum forward_turn turn)
{
	struct forward_mark mark;
	unsigned room = FORWARDS_SLICE;
	uint64_t bound;

	if (turn == FORWARD_STAYS || !forward_user_has(txn_view(txn), user_id))
		return OK;
	if (mark_find(txn_view(txn), user_id, &mark) != OK)
		mark = (struct forward_mark){ .user_id = user_id };
	bound = id_next(txn, COUNTER_copy); /* above all that there are */
	if (turn == FORWARD_ENDS) {
		mark.end_to = bound;
		mark.turn_to = 0;
	} else {
		mark.turn_to = bound;
		mark.turn_at = 0;
	}
	return follow(txn, &mark, &room);
}

enum err
forwards_follow_some(struct txn *txn, bool *more)
{
	struct forward_mark mark;
	unsigned room = FORWARDS_SLICE;
	enum err err;

	*more = false;
	while (room > 0 && (err = mark_first(txn_view(txn), &mark)) == OK) {
		err = follow(txn, &mark, &room);
		if (err != OK)
			return err;
	}
	*more = room == 0;
	return OK; /* a damaged one is for check */
}
