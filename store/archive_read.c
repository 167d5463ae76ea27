/*
 * archive_read.c - rows of the archive as they are read: by id, one after the other, by halves.
 */
#include "store/archive_inside.h"

/* ---- rows ---- */

static void
take_hash(struct record_in *in, unsigned char out[ARCHIVE_HASH_SIZE])
{
	if (record_left(in) < ARCHIVE_HASH_SIZE) {
		in->bad = true;
		return;
	}
	memcpy(out, in->at, ARCHIVE_HASH_SIZE);
	in->at += ARCHIVE_HASH_SIZE;
}

static void
take_message(struct record_in *in, struct archive_row *out)
{
	struct archive_message *m = &out->message;

	m->content_id = out->content_mark;
	m->time_ms = out->time_ms;
	take_hash(in, m->digest);
	m->message_no = record_take_varint(in);
	m->size = record_take_varint(in);
	m->direction = record_take_u8(in);
	m->sender_bits = record_take_u64(in);
	m->recipient_count = record_take_varint(in);
	m->from = record_take_span(in);
	m->auth_user = record_take_span(in);
	m->source = record_take_span(in);
	m->recipients = record_take_rest(in);
}

static void
take_removal(struct record_in *in, struct archive_row *out)
{
	out->why = record_take_span(in);
	out->runs = record_take_varint(in);
	out->run_rows = record_take_rest(in);
}

static void
take_gap(struct record_in *in, struct archive_row *out)
{
	out->run.first = out->archive_id;
	out->run.last = out->archive_id + record_take_varint(in);
	out->run.count = record_take_varint(in);
	out->removal_id = record_take_varint(in);
	memcpy(out->run.chain, out->chain, ARCHIVE_HASH_SIZE);
}

static void
take_fields(struct record_in *in, struct archive_row *out)
{
	uint64_t back;

	take_hash(in, out->chain);
	out->fields = (struct span){ in->at, record_left(in) };
	out->kind = (enum archive_kind)record_take_u8(in);
	back = record_take_varint(in);
	out->before_id = out->archive_id - back;
	out->content_mark = record_take_varint(in);
	out->time_ms = record_take_varint(in);
	in->bad |= back == 0 || back > out->archive_id;
	if (out->kind == ARCHIVE_MESSAGE)
		take_message(in, out);
	else if (out->kind == ARCHIVE_REMOVAL)
		take_removal(in, out);
	else if (out->kind == ARCHIVE_GAP)
		take_gap(in, out);
	else
		in->bad = true;
}

enum err
archive_row_read(struct snapshot *snap, const struct row *row, struct archive_row *out)
{
	struct span key = row->key;
	struct record_in in;
	enum err err;

	*out = (struct archive_row){ 0 };
	if (key_take_u64(&key, &out->archive_id) != OK)
		return table_damaged(snap, TABLE_archive, row->key, "key");
	err = row_record(snap, TABLE_archive, row, ARCHIVE_VERSION, &in);
	if (err != OK)
		return err;
	take_fields(&in, out);
	if (record_end(&in) != OK)
		return table_damaged(snap, TABLE_archive, row->key, "fields");
	return OK;
}

enum err
archive_find(struct snapshot *snap, uint64_t id, struct archive_row *out)
{
	struct span value;
	struct key key;
	enum err err;

	*out = (struct archive_row){ .archive_id = id };
	if (id == 0)
		return ERR_NOT_FOUND;
	key_u64(&key, id);
	err = table_get(snap, TABLE_archive, &key, &value);
	return err == OK ? archive_row_read(snap, &(struct row){ key_span(&key), value }, out) : err;
}

enum err
archive_next(struct snapshot *snap, uint64_t id, struct archive_row *out)
{
	struct row row;
	enum err err = table_seek_after(snap, TABLE_archive, id, &row);

	*out = (struct archive_row){ 0 };
	return err == OK ? archive_row_read(snap, &row, out) : err;
}

static bool
is_head(const struct row *row)
{
	struct span key = row->key;
	uint64_t id;

	return key_take_u64(&key, &id) == OK && id == 0;
}

enum err
archive_prev(struct snapshot *snap, uint64_t id, struct archive_row *out)
{
	struct row row;
	struct key key;
	enum err err;

	*out = (struct archive_row){ 0 };
	key_u64(&key, id);
	err = table_seek_before(snap, TABLE_archive, &key, &row);
	if (err == OK && is_head(&row))
		err = ERR_NOT_FOUND;
	return err == OK ? archive_row_read(snap, &row, out) : err;
}

enum err
archive_run_take(struct archive_row *removal, struct archive_run *out)
{
	struct record_in in = { .at = removal->run_rows.ptr,
		.end = removal->run_rows.ptr + removal->run_rows.len };

	if (removal->runs == 0)
		return ERR_NOT_FOUND;
	removal->runs--;
	*out = (struct archive_run){ .first = record_take_varint(&in) };
	out->last = out->first + record_take_varint(&in);
	out->count = record_take_varint(&in);
	take_hash(&in, out->chain);
	removal->run_rows = (struct span){ in.at, record_left(&in) };
	return in.bad ? ERR_CORRUPT : OK;
}

/* ---- the head ---- */

enum err
archive_head_get(struct snapshot *snap, struct archive_head *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	*out = (struct archive_head){ 0 };
	key_u64(&key, 0);
	err = table_get_record(snap, TABLE_archive, &key, ARCHIVE_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	take_hash(&in, out->chain);
	out->last_id = record_take_varint(&in);
	out->last_ms = record_take_varint(&in);
	out->last_content = record_take_varint(&in);
	out->messages = record_take_varint(&in);
	out->bytes = record_take_varint(&in);
	out->removed = record_take_varint(&in);
	return record_end(&in);
}

/* Mail goes on where the head is lost; check counts anew, and verify tells where the chain is broken. */
enum err
archive_head_sure(struct snapshot *snap, struct archive_head *out)
{
	enum err err = archive_head_get(snap, out);
	struct archive_row row;

	if (err == ERR_IO || (err == OK && out->last_id > 0))
		return err;
	*out = (struct archive_head){ 0 };
	err = archive_prev(snap, UINT64_MAX, &row);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == ERR_IO)
		return err;
	out->last_id = row.kind == ARCHIVE_GAP ? row.run.last : row.archive_id;
	out->last_ms = row.time_ms;
	out->last_content = row.content_mark;
	memcpy(out->chain, row.chain, ARCHIVE_HASH_SIZE);
	return OK;
}

/* ---- by halves ---- */

/* The first row at LOW or behind that can be read. */
static enum err
readable(struct snapshot *snap, uint64_t low, struct archive_row *out)
{
	enum err err = archive_next(snap, low - 1, out);

	while (err == ERR_CORRUPT)
		err = archive_next(snap, out->archive_id, out);
	return err;
}

/* The first row of which MARK is WANTED or more. */
static enum err
find_mark(struct snapshot *snap, uint64_t (*mark)(const struct archive_row *), uint64_t wanted,
	struct archive_row *out)
{
	uint64_t low = 1, high;
	struct archive_row row;
	enum err err = archive_prev(snap, UINT64_MAX, &row);

	high = row.archive_id + 1;
	while (low < high && (err == OK || err == ERR_CORRUPT)) {
		uint64_t middle = low + (high - low) / 2;

		err = readable(snap, middle, &row);
		if (err == ERR_NOT_FOUND || (err == OK && mark(&row) >= wanted)) {
			high = middle;
			err = OK;
		} else if (err == OK) {
			low = row.archive_id + 1;
		}
	}
	if (err != OK && err != ERR_CORRUPT)
		return err;
	return readable(snap, low, out);
}

static uint64_t
mark_time(const struct archive_row *row)
{
	return row->time_ms;
}

static uint64_t
mark_content(const struct archive_row *row)
{
	return row->content_mark;
}

enum err
archive_find_time(struct snapshot *snap, uint64_t time_ms, struct archive_row *out)
{
	return find_mark(snap, mark_time, time_ms, out);
}

enum err
archive_find_content(struct snapshot *snap, uint64_t content_id, struct archive_row *out)
{
	enum err err = find_mark(snap, mark_content, content_id, out);

	if (err == OK && (out->kind != ARCHIVE_MESSAGE || out->message.content_id != content_id))
		err = ERR_NOT_FOUND;
	return err;
}
