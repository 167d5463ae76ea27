/*
 * bodies.c - pieces of one page, written once, read without a copy.
 */
#include "store/bodies.h"

#include <endian.h>
#include <sys/mman.h>

#include "proto/base/crc32c.h"
#include "store/body_joins.h"
#include "store/body_pins.h"
#include "store/graves.h"
#include "store/ids.h"
#include "store/veil.h"

#define ARRIVING_VERSION 1
#define SHARES_VERSION 1
#define PAGE 4096 /* bytes: a piece has one of its own */
#define SMALL_RECORD 32 /* bytes, room for the two above */

struct piece_head {
	uint32_t crc; /* little-endian */
	uint8_t form;
	uint8_t salt[3]; /* little-endian */
};
_Static_assert(sizeof(struct piece_head) == BODY_PIECE_HEAD, "the head of a piece");

static void
piece_key(struct key *key, uint64_t body_id, uint64_t piece_no)
{
	key_u64_u32(key, body_id, (uint32_t)piece_no);
}

static struct veil_row
piece_veil(uint64_t body_id, uint64_t piece_no, const struct piece_head *head)
{
	return (struct veil_row){ .table = TABLE_bodies, .id = body_id, .part = (uint32_t)piece_no,
		.salt = head->salt[0] | (uint64_t)head->salt[1] << 8 | (uint64_t)head->salt[2] << 16 };
}

static uint32_t
piece_crc(struct span key, struct span piece)
{
	return crc32c(crc32c(0, key), span_from(piece, sizeof(uint32_t)));
}

/* ---- writing ---- */

/* A place in the caller's spans. */
struct reader {
	struct body_source source;
	size_t span;   /* index */
	size_t offset; /* in it */
};

static uint64_t
source_size(struct body_source source)
{
	uint64_t size = 0;

	for (size_t i = 0; i < source.count; i++)
		size += source.spans[i].len;
	return size;
}

static void
reader_copy(struct reader *r, char *to, size_t len)
{
	while (len > 0) {
		struct span s = span_from(r->source.spans[r->span], r->offset);
		size_t part = s.len < len ? s.len : len;

		if (part)
			memcpy(to, s.ptr, part);
		to += part;
		len -= part;
		r->offset += part;
		if (part == s.len) {
			r->span++;
			r->offset = 0;
		}
	}
}

static struct piece_head
piece_head_of(struct txn *txn)
{
	uint64_t now_s = txn_now_ms(txn) / 1000;

	if (!veil_is_on(txn_store(txn)))
		return (struct piece_head){ .form = BODY_FORM_PLAIN };
	return (struct piece_head){ .form = BODY_FORM_VEILED,
		.salt = { (uint8_t)now_s, (uint8_t)(now_s >> 8), (uint8_t)(now_s >> 16) } };
}

static enum err
piece_write(struct txn *txn, uint64_t body_id, uint64_t piece_no, struct reader *r, size_t len)
{
	struct piece_head head = piece_head_of(txn);
	struct veil_row veil = piece_veil(body_id, piece_no, &head);
	struct key key;
	char *room;
	enum err err;

	piece_key(&key, body_id, piece_no);
	err = table_reserve_append(txn, TABLE_bodies, &key, BODY_PIECE_HEAD + len, &room);
	if (err != OK)
		return err;
	memcpy(room, &head, sizeof(head));
	reader_copy(r, room + BODY_PIECE_HEAD, len);
	if (head.form == BODY_FORM_VEILED)
		veil_mix(txn_store(txn), &veil, room + BODY_PIECE_HEAD, len);
	head.crc = htole32(
		piece_crc(key_span(&key), (struct span){ room, BODY_PIECE_HEAD + len }));
	memcpy(room, &head.crc, sizeof(head.crc));
	return OK;
}

enum err
body_write(struct txn *txn, uint64_t body_id, uint64_t at, struct body_source source)
{
	struct reader reader = { .source = source };
	uint64_t left = source_size(source), piece_no = at / BODY_PIECE_DATA;
	enum err err = OK;

	ENSURE(at % BODY_PIECE_DATA == 0);
	if (piece_no + left / BODY_PIECE_DATA >= UINT32_MAX)
		return ERR_LIMIT;
	for (; left > 0 && err == OK; piece_no++) {
		size_t len = left < BODY_PIECE_DATA ? (size_t)left : BODY_PIECE_DATA;

		err = piece_write(txn, body_id, piece_no, &reader, len);
		left -= len;
	}
	return err;
}

enum err
body_add(struct txn *txn, struct body_source source, uint64_t *body_id)
{
	*body_id = 0;
	if (source_size(source) == 0)
		return OK;
	*body_id = id_next(txn, COUNTER_body);
	return body_write(txn, *body_id, 0, source);
}

enum err
body_begin(struct txn *txn, uint64_t *body_id)
{
	char room[SMALL_RECORD];
	struct record_out out;
	struct key key;

	*body_id = id_next(txn, COUNTER_body);
	key_u64(&key, *body_id);
	record_begin(&out, room, sizeof(room), ARRIVING_VERSION);
	record_put_u64(&out, txn_now_ms(txn));
	return table_append_record(txn, TABLE_arriving, &key, &out);
}

enum err
body_claim(struct txn *txn, uint64_t body_id)
{
	struct key key;
	enum err err;

	key_u64(&key, body_id);
	err = table_delete(txn, TABLE_arriving, &key);
	return err == ERR_NOT_FOUND ? OK : err; /* it was written in this very transaction */
}

enum err
body_arrived_ms(struct snapshot *snap, const struct row *row, uint64_t *since_ms)
{
	struct record_in in;
	enum err err = row_record(snap, TABLE_arriving, row, ARRIVING_VERSION, &in);

	if (err != OK)
		return err;
	*since_ms = record_take_u64(&in);
	return record_end(&in);
}

enum err
body_abandon(struct txn *txn, uint64_t body_id)
{
	enum err err = body_claim(txn, body_id);

	return err == OK ? grave_add(txn, txn_now_ms(txn), GRAVE_BODY, body_id) : err;
}

/* ---- reading ---- */

/* *data as it is stored; *head says in which form. */
static enum err
piece_open(struct snapshot *snap, const struct row *row, struct piece_head *out, struct span *data)
{
	struct piece_head head;

	if (row->value.len <= BODY_PIECE_HEAD || row->value.len > BODY_PIECE_SIZE)
		return table_damaged(snap, TABLE_bodies, row->key, "size of a piece");
	memcpy(&head, row->value.ptr, sizeof(head));
	if (le32toh(head.crc) != piece_crc(row->key, row->value))
		return table_damaged(snap, TABLE_bodies, row->key, "checksum");
	if (head.form > BODY_FORM_VEILED)
		return table_damaged(snap, TABLE_bodies, row->key, "unknown form of a piece");
	*data = span_from(row->value, BODY_PIECE_HEAD);
	*out = head;
	return OK;
}

/* Of an ordinary body. */
static enum err
read_piece(struct snapshot *snap, uint64_t body_id, uint64_t offset, struct span *out)
{
	struct key key;
	struct row row;
	struct piece_head head;
	struct veil_row veil;
	struct span data;
	enum err err;

	if (offset / BODY_PIECE_DATA > UINT32_MAX)
		return ERR_NOT_FOUND;
	piece_key(&key, body_id, offset / BODY_PIECE_DATA);
	err = table_get(snap, TABLE_bodies, &key, &row.value);
	if (err != OK)
		return err;
	row.key = key_span(&key);
	err = piece_open(snap, &row, &head, &data);
	if (err == OK && head.form == BODY_FORM_VEILED) {
		veil = piece_veil(body_id, offset / BODY_PIECE_DATA, &head);
		data = veil_lift(snap, &veil, data);
	}
	if (err != OK)
		return err;
	*out = span_from(data, offset % BODY_PIECE_DATA);
	return out->len > 0 ? OK : ERR_NOT_FOUND;
}

static enum err
read_join(struct snapshot *snap, uint64_t body_id, uint64_t offset, struct span *out)
{
	struct body_place place;
	struct key key;
	enum err err = body_join_find(snap, body_id, offset, &place);

	if (err != OK)
		return err;
	err = read_piece(snap, place.body_id, place.offset, out);
	if (err == OK && out->len > place.left)
		*out = span_range(*out, 0, (size_t)place.left);
	key_u64(&key, body_id);
	return err != ERR_NOT_FOUND ? err :
		table_damaged(snap, TABLE_body_joins, key_span(&key), "a range is not there");
}

enum err
body_read(struct snapshot *snap, uint64_t body_id, uint64_t offset, struct span *out)
{
	return body_is_join(body_id) ? read_join(snap, body_id, offset, out) :
				       read_piece(snap, body_id, offset, out);
}

bool
body_is_cold(struct snapshot *snap, uint64_t body_id, uint64_t offset)
{
	struct body_place place = { body_id, offset, 0 };
	struct span value;
	struct key key;
	uintptr_t page;
	unsigned char in_memory;

	if (body_is_join(body_id) && body_join_find(snap, body_id, offset, &place) != OK)
		return false;
	body_id = place.body_id;
	offset = place.offset;
	if (offset / BODY_PIECE_DATA > UINT32_MAX)
		return false;
	piece_key(&key, body_id, offset / BODY_PIECE_DATA);
	if (table_get(snap, TABLE_bodies, &key, &value) != OK)
		return false;
	if (value.len <= PAGE / 2) /* beside its key, and that has been read */
		return false;
	page = (uintptr_t)value.ptr & ~(uintptr_t)(PAGE - 1);
	return mincore((void *)page, PAGE, &in_memory) == 0 && !(in_memory & 1);
}

/* The last piece of a body: its number, and the row. */
static enum err
last_piece(struct snapshot *snap, uint64_t body_id, uint32_t *piece_no, struct row *row)
{
	struct key key;
	uint64_t id;
	struct span at;
	enum err err;

	key_u64(&key, body_id + 1);
	err = table_seek_before(snap, TABLE_bodies, &key, row);
	if (err != OK)
		return err;
	at = row->key;
	if (key_take_u64(&at, &id) != OK || key_take_u32(&at, piece_no) != OK)
		return table_damaged(snap, TABLE_bodies, row->key, "key");
	return id == body_id ? OK : ERR_NOT_FOUND;
}

enum err
body_size(struct snapshot *snap, uint64_t body_id, uint64_t *size)
{
	uint32_t piece_no;
	struct piece_head head;
	struct row row;
	struct span data;
	enum err err;

	*size = 0;
	if (body_id == 0)
		return OK;
	if (body_is_join(body_id))
		return body_join_size(snap, body_id, size);
	err = last_piece(snap, body_id, &piece_no, &row);
	if (err == OK)
		err = piece_open(snap, &row, &head, &data);
	if (err == OK)
		*size = (uint64_t)piece_no * BODY_PIECE_DATA + data.len;
	return err;
}

/* ---- owners ---- */

enum err
body_extra_owners(struct snapshot *snap, uint64_t body_id, uint64_t *extra)
{
	struct record_in in;
	struct key key;
	enum err err;

	*extra = 0;
	key_u64(&key, body_id);
	err = table_get_record(snap, TABLE_body_shares, &key, SHARES_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	*extra = record_take_u64(&in);
	return record_end(&in) == OK
		? OK
		: table_damaged(snap, TABLE_body_shares, key_span(&key), "fields");
}

static enum err
put_extra_owners(struct txn *txn, uint64_t body_id, uint64_t extra)
{
	char room[SMALL_RECORD];
	struct record_out out;
	struct key key;

	key_u64(&key, body_id);
	if (extra == 0)
		return table_delete(txn, TABLE_body_shares, &key);
	record_begin(&out, room, sizeof(room), SHARES_VERSION);
	record_put_u64(&out, extra);
	return table_put_record(txn, TABLE_body_shares, &key, &out);
}

enum err
body_share(struct txn *txn, uint64_t body_id)
{
	uint64_t extra;
	enum err err = body_id ? body_extra_owners(txn_view(txn), body_id, &extra) : OK;

	return err == OK && body_id ? put_extra_owners(txn, body_id, extra + 1) : err;
}

enum err
body_unshare(struct txn *txn, uint64_t body_id, bool *was_last)
{
	uint64_t extra = 0;
	enum err err = body_id ? body_extra_owners(txn_view(txn), body_id, &extra) : OK;

	*was_last = extra == 0;
	return err == OK && extra > 0 ? put_extra_owners(txn, body_id, extra - 1) : err;
}

/* From the end, so that what is left after a crash is a body that is merely short. */
enum err
body_delete_some(struct txn *txn, uint64_t body_id, size_t *pieces, bool *gone)
{
	struct key key;
	struct row row;
	uint32_t piece_no;
	enum err err;

	*gone = body_is_join(body_id);
	if (*gone)
		return body_join_give_up(txn, body_id, pieces);
	err = body_id ? last_piece(txn_view(txn), body_id, &piece_no, &row) : ERR_NOT_FOUND;
	while (err == OK && *pieces > 0) {
		piece_key(&key, body_id, piece_no);
		err = table_delete(txn, TABLE_bodies, &key);
		--*pieces;
		if (err == OK && piece_no-- == 0)
			err = ERR_NOT_FOUND;
	}
	*gone = err == ERR_NOT_FOUND;
	return *gone ? OK : err;
}

/* ---- pins ---- */

void
body_pin(struct store *store, uint64_t body_id)
{
	if (body_id)
		body_pins_add(store_body_pins(store), body_id);
}

void
body_unpin(struct store *store, uint64_t body_id)
{
	if (body_id)
		body_pins_remove(store_body_pins(store), body_id);
}

bool
body_is_pinned(struct store *store, uint64_t body_id)
{
	return body_id && body_pins_has(store_body_pins(store), body_id);
}
