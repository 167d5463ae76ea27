/*
 * search_read.c - rows of a run, taken apart.
 */
#include "store/search_read.h"

#include <endian.h>

/* ---- streams ---- */

void
stream_begin(struct search_stream *s, struct search_index *index, MDB_txn *txn, uint64_t run_id,
	enum search_row kind)
{
	*s = (struct search_stream){ .index = index, .txn = txn, .run_id = run_id, .kind = kind };
}

static bool
stream_open(struct search_stream *s, uint32_t number)
{
	struct key key;

	if (s->err != OK)
		return false;
	search_key(&key, s->run_id, s->kind, number);
	s->err = search_get(s->index, s->txn, &key, &s->piece);
	if (s->err == ERR_NOT_FOUND)
		s->err = search_damaged(s->index, "a row is missing");
	if (s->err != OK)
		s->piece = SPAN_NONE;
	s->rest = s->piece;
	s->number = number + 1;
	return s->err == OK;
}

void
stream_seek(struct search_stream *s, uint64_t at)
{
	uint64_t number = at / SEARCH_PIECE_DATA;

	if (number >= UINT32_MAX) {
		s->err = search_damaged(s->index, "a place");
		return;
	}
	if (s->number == number + 1)
		s->rest = s->piece;
	else if (!stream_open(s, (uint32_t)number))
		return;
	s->rest = span_from(s->rest, at % SEARCH_PIECE_DATA);
}

uint64_t
stream_take_of(struct search_stream *s, uint64_t *left)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned char byte;

		if (*left == 0 || (s->rest.len == 0 && !stream_open(s, s->number)) || s->rest.len == 0)
			break;
		byte = (unsigned char)*s->rest.ptr++;
		s->rest.len--;
		*left -= 1;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return value;
	}
	if (s->err == OK)
		s->err = search_damaged(s->index, "a number is cut");
	return 0;
}

uint64_t
stream_take(struct search_stream *s)
{
	uint64_t left = UINT64_MAX;

	return stream_take_of(s, &left);
}

/* ---- messages ---- */

void
docs_begin(struct search_docs *d, struct search_index *index, MDB_txn *txn,
	const struct search_run *run)
{
	*d = (struct search_docs){ .left = run->docs };
	stream_begin(&d->stream, index, txn, run->run_id, ROW_DOCS);
}

bool
docs_next(struct search_docs *d)
{
	uint64_t step;

	if (d->left == 0)
		return false;
	d->left--;
	step = stream_take(&d->stream);
	d->id += step / 2;
	d->unsure = step & 1;
	return d->stream.err == OK;
}

/* ---- the dictionary ---- */

enum err
dict_open(struct search_index *index, struct span bytes, struct search_dict *out)
{
	uint16_t words, text;
	uint64_t at;

	if (bytes.len < SEARCH_DICT_HEAD - SEARCH_PIECE_HEAD)
		return search_damaged(index, "a block of words is cut");
	memcpy(&at, bytes.ptr, sizeof(at));
	memcpy(&words, bytes.ptr + 8, sizeof(words));
	memcpy(&text, bytes.ptr + 10, sizeof(text));
	bytes = span_from(bytes, SEARCH_DICT_HEAD - SEARCH_PIECE_HEAD);
	out->posts_at = le64toh(at);
	out->words = le16toh(words);
	out->text = span_range(bytes, 0, le16toh(text));
	out->lengths = span_from(bytes, le16toh(text));
	if (out->text.len != le16toh(text) || out->lengths.len < out->words)
		return search_damaged(index, "a block of words is cut");
	return OK;
}

enum err
dict_get(struct search_index *index, MDB_txn *txn, uint64_t run_id, uint32_t number,
	struct search_dict *out)
{
	struct span bytes;
	struct key key;
	enum err err;

	search_key(&key, run_id, ROW_DICT, number);
	err = search_get(index, txn, &key, &bytes);
	return err == OK ? dict_open(index, bytes, out) : err;
}
