/*
 * archive.c - rows of the archive: how they are laid out, and how one is added.
 *
 *	chain (32) | kind u8 | varints before (how many ids back), content_mark, time_ms | fields of the kind
 *
 * What is hashed is all from `kind` on, in front of it the chain before and the id.
 */
#include "store/archive_inside.h"

#include <endian.h>

#include "store/contents.h"
#include "store/ids.h"

#define HEAD_KEY 0
#define HEAD_ROOM (RECORD_HEAD + ARCHIVE_HASH_SIZE + 6 * 10)

/* ---- writing ---- */

static struct span
hash_span(const unsigned char hash[ARCHIVE_HASH_SIZE])
{
	return (struct span){ (const char *)hash, ARCHIVE_HASH_SIZE };
}

void
archive_begin(struct archive_writing *w, const struct archive_row *row)
{
	static const unsigned char none[ARCHIVE_HASH_SIZE];

	record_begin(&w->out, w->fixed, sizeof(w->fixed), ARCHIVE_VERSION);
	record_put_raw(&w->out, hash_span(none));
	record_put_u8(&w->out, (uint8_t)row->kind);
	record_put_varint(&w->out, row->archive_id - row->before_id);
	record_put_varint(&w->out, row->content_mark);
	record_put_varint(&w->out, row->time_ms);
}

static void
chain_of(archive_hash_fn *hash, const unsigned char before[ARCHIVE_HASH_SIZE], uint64_t id,
	struct span fields, unsigned char out[ARCHIVE_HASH_SIZE])
{
	char front[ARCHIVE_HASH_SIZE + sizeof(id)];
	uint64_t order = htobe64(id);

	memcpy(front, before, ARCHIVE_HASH_SIZE);
	memcpy(front + ARCHIVE_HASH_SIZE, &order, sizeof(order));
	hash((struct span){ front, sizeof(front) }, fields, out);
}

void
archive_chain(archive_hash_fn *hash, const unsigned char before[ARCHIVE_HASH_SIZE],
	const struct archive_row *row, unsigned char out[ARCHIVE_HASH_SIZE])
{
	chain_of(hash, before, row->archive_id, row->fields, out);
}

enum err
archive_put(struct txn *txn, struct archive_writing *w, uint64_t id, struct span rest,
	archive_hash_fn *hash, const unsigned char before[ARCHIVE_HASH_SIZE],
	unsigned char chain[ARCHIVE_HASH_SIZE])
{
	size_t size = w->out.len + rest.len, front = RECORD_HEAD + ARCHIVE_HASH_SIZE;
	struct record_out out = w->out;
	struct span value;
	struct key key;
	char *room;
	enum err err;

	if (w->out.overflow)
		return ERR_LIMIT;
	key_u64(&key, id);
	err = hash ? table_reserve_append(txn, TABLE_archive, &key, size, &room)
		   : table_reserve(txn, TABLE_archive, &key, size, &room);
	if (err != OK)
		return err;
	memcpy(room, w->fixed, w->out.len);
	out.bytes = room;
	out.max = size;
	record_put_raw(&out, rest);
	if (hash)
		chain_of(hash, before, id, (struct span){ room + front, size - front }, chain);
	memcpy(room + RECORD_HEAD, chain, ARCHIVE_HASH_SIZE);
	return record_seal(&out, TABLE_archive, &key, &value);
}

enum err
archive_head_put(struct txn *txn, const struct archive_head *head)
{
	char room[HEAD_ROOM];
	struct record_out out;
	struct key key;

	key_u64(&key, HEAD_KEY);
	record_begin(&out, room, sizeof(room), ARCHIVE_VERSION);
	record_put_raw(&out, hash_span(head->chain));
	record_put_varint(&out, head->last_id);
	record_put_varint(&out, head->last_ms);
	record_put_varint(&out, head->last_content);
	record_put_varint(&out, head->messages);
	record_put_varint(&out, head->bytes);
	record_put_varint(&out, head->removed);
	return table_put_record(txn, TABLE_archive, &key, &out);
}

static enum err
put_words(struct txn *txn, uint64_t block, const uint32_t *words, size_t count)
{
	struct span value;
	struct key key;
	enum err err = OK;

	if (count > ARCHIVE_WORDS_MAX)
		count = 0;
	for (size_t i = 0; i < count && err == OK; i++) {
		key_begin(&key);
		key_put_u32(&key, (uint32_t)block);
		key_put_u32(&key, words[i]);
		err = table_get(txn_view(txn), TABLE_archive_words, &key, &value);
		if (err == ERR_NOT_FOUND)
			err = table_put(txn, TABLE_archive_words, &key, SPAN(""));
	}
	return err;
}

/* Of too many words one stands for all: the block is looked at whatever is asked. */
static enum err
index_words(struct txn *txn, uint64_t id, const uint32_t *words, size_t count)
{
	static const uint32_t all[] = { 0 };

	if (count > ARCHIVE_WORDS_MAX)
		return put_words(txn, id / ARCHIVE_BLOCK, all, 1);
	return put_words(txn, id / ARCHIVE_BLOCK, words, count);
}

/* Whole recipients, as many as have room. */
static struct span
recipients_kept(struct span all)
{
	size_t len = all.len;

	if (len <= ARCHIVE_RECIPIENTS_MAX)
		return all;
	len = ARCHIVE_RECIPIENTS_MAX;
	while (len > 0 && all.ptr[len - 1] != '\0')
		len--;
	return span_range(all, 0, len);
}

static enum err
put_message(struct txn *txn, archive_hash_fn *hash, const struct archive_message *m, uint64_t id,
	struct archive_head *head)
{
	struct archive_row row = { .archive_id = id, .kind = ARCHIVE_MESSAGE,
		.before_id = head->last_id, .time_ms = m->time_ms, .content_mark = m->content_id };
	unsigned char chain[ARCHIVE_HASH_SIZE];
	struct archive_writing w;
	enum err err;

	archive_begin(&w, &row);
	record_put_raw(&w.out, hash_span(m->digest));
	record_put_varint(&w.out, m->message_no);
	record_put_varint(&w.out, m->size);
	record_put_u8(&w.out, (uint8_t)m->direction);
	record_put_u64(&w.out, m->sender_bits);
	record_put_varint(&w.out, m->recipient_count);
	record_put_span(&w.out, span_range(m->from, 0, ARCHIVE_TEXT_MAX));
	record_put_span(&w.out, span_range(m->auth_user, 0, ARCHIVE_TEXT_MAX));
	record_put_span(&w.out, span_range(m->source, 0, ARCHIVE_TEXT_MAX));
	err = archive_put(txn, &w, id, recipients_kept(m->recipients), hash, head->chain, chain);
	memcpy(head->chain, chain, sizeof(chain));
	return err;
}

enum err
archive_add(struct txn *txn, archive_hash_fn *hash, struct archive_message *m,
	const uint32_t *words, size_t count, uint64_t *archive_id)
{
	struct archive_head head;
	enum err err = archive_head_sure(txn_view(txn), &head);

	if (err != OK)
		return err;
	if (m->time_ms < head.last_ms)
		m->time_ms = head.last_ms;
	*archive_id = id_next(txn, COUNTER_archive);
	if (*archive_id <= head.last_id) /* the counters were lost: repair */
		*archive_id = head.last_id + 1;
	if (head.last_id == 0)
		err = archive_addresses_begin(txn);
	if (err == OK)
		err = put_message(txn, hash, m, *archive_id, &head);
	if (err == OK)
		err = archive_addresses_add(txn, *archive_id, m);
	if (err == OK)
		err = index_words(txn, *archive_id, words, count);
	head.last_id = *archive_id;
	head.last_ms = m->time_ms;
	head.last_content = m->content_id;
	head.messages++;
	head.bytes += m->size;
	if (err == OK)
		err = archive_head_put(txn, &head);
	return err == OK ? content_own(txn, m->content_id, 1) : err;
}
