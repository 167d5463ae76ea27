/*
 * search_write.c - rows of a run, filled one after the other and put when they are full.
 */
#include "store/search_write.h"

#include <endian.h>

/* What the lengths of a dictionary's words may take besides the words. */
#define DICT_FULL (SEARCH_PIECE - SEARCH_DICT_HEAD - SEARCH_WORD_MAX - 1 - 10)

static void
piece_begin(struct search_piece *piece, size_t head)
{
	piece->len = head;
}

static void
fail(struct run_writer *w, enum err err)
{
	if (err == OK || w->err != OK)
		return;
	w->err = err;
	if (w->txn)
		mdb_txn_abort(w->txn);
	w->txn = NULL;
}

/* What lies in memory goes to disk; the run does not count yet. */
static void
end_slice(struct run_writer *w)
{
	int rc = mdb_txn_commit(w->txn);

	w->txn = NULL;
	w->slice = 0;
	if (rc == 0)
		rc = mdb_txn_begin(w->index->env, NULL, 0, &w->txn);
	fail(w, search_failed(w->index, rc, "write a run"));
}

static void
put_row(struct run_writer *w, enum search_row kind, struct search_piece *piece)
{
	struct key key;

	if (w->err != OK)
		return;
	search_key(&key, w->run.run_id, kind, piece->number++);
	fail(w, search_put(w->index, w->txn, &key, piece->bytes, piece->len));
	w->run.bytes += piece->len + key.len;
	w->slice += piece->len;
	if (w->err == OK && w->slice >= SEARCH_COMMIT_BYTES)
		end_slice(w);
}

void
run_begin(struct run_writer *w, struct search_index *index, enum search_space space, uint64_t run_id)
{
	memset(w, 0, sizeof(*w));
	w->index = index;
	w->run.space = space;
	w->run.run_id = run_id;
	piece_begin(&w->docs, SEARCH_PIECE_HEAD);
	piece_begin(&w->posts, SEARCH_PIECE_HEAD);
	piece_begin(&w->dict, SEARCH_DICT_HEAD);
	fail(w, search_failed(index, mdb_txn_begin(index->env, NULL, 0, &w->txn), "begin a run"));
}

/* Bytes into a stream that is cut into pieces wherever one is full. */
static void
put_stream(struct run_writer *w, enum search_row kind, struct search_piece *piece, struct span bytes)
{
	while (bytes.len > 0) {
		size_t room = sizeof(piece->bytes) - piece->len;
		size_t n = bytes.len < room ? bytes.len : room;

		memcpy(piece->bytes + piece->len, bytes.ptr, n);
		piece->len += n;
		bytes = span_from(bytes, n);
		if (piece->len == sizeof(piece->bytes)) {
			put_row(w, kind, piece);
			piece_begin(piece, SEARCH_PIECE_HEAD);
		}
	}
}

void
run_put_doc(struct run_writer *w, uint64_t id, bool unsure)
{
	char room[10];
	uint64_t step = id - w->last_id;

	ENSURE(w->run.docs == 0 || id > w->last_id);
	put_stream(w, ROW_DOCS, &w->docs,
		(struct span){ room, search_put_varint(room, step * 2 + unsure) });
	if (w->run.docs++ == 0)
		w->run.first_id = id;
	w->run.last_id = w->last_id = id;
}

/* ---- the dictionary ---- */

static void
put_dict(struct run_writer *w)
{
	uint64_t at = htole64(w->dict_posts_at);
	uint16_t words = htole16(w->dict_words);
	uint16_t text = htole16((uint16_t)(w->dict.len - SEARCH_DICT_HEAD));

	if (w->dict_words == 0)
		return;
	memcpy(w->dict.bytes + SEARCH_PIECE_HEAD, &at, sizeof(at));
	memcpy(w->dict.bytes + SEARCH_PIECE_HEAD + 8, &words, sizeof(words));
	memcpy(w->dict.bytes + SEARCH_PIECE_HEAD + 10, &text, sizeof(text));
	memcpy(w->dict.bytes + w->dict.len, w->lengths, w->lengths_len);
	w->dict.len += w->lengths_len;
	put_row(w, ROW_DICT, &w->dict);
	piece_begin(&w->dict, SEARCH_DICT_HEAD);
	w->lengths_len = 0;
	w->dict_words = 0;
}

/* The length of its postings is known now. */
static void
end_word(struct run_writer *w)
{
	if (!w->in_word)
		return;
	w->in_word = false;
	w->lengths_len += search_put_varint(
		w->lengths + w->lengths_len, w->posts_at - w->word_posts_at);
	w->dict_words++;
	w->run.words++;
	if (w->dict.len - SEARCH_DICT_HEAD + w->lengths_len > DICT_FULL)
		put_dict(w);
}

void
run_put_word(struct run_writer *w, struct span word)
{
	ENSURE(word.len > 0 && word.len <= SEARCH_WORD_MAX);
	end_word(w);
	if (w->dict_words == 0)
		w->dict_posts_at = w->posts_at;
	memcpy(w->dict.bytes + w->dict.len, word.ptr, word.len);
	w->dict.len += word.len;
	w->dict.bytes[w->dict.len++] = '\n';
	w->in_word = true;
	w->word_posts_at = w->posts_at;
	w->word_last = 0;
}

void
run_put_post(struct run_writer *w, uint32_t number, unsigned where)
{
	char room[10];
	size_t len = search_put_varint(room, (uint64_t)(number - w->word_last) * 4 + where);

	put_stream(w, ROW_POSTS, &w->posts, (struct span){ room, len });
	w->posts_at += len;
	w->word_last = number;
}

enum err
run_end(struct run_writer *w)
{
	end_word(w);
	put_dict(w);
	if (w->docs.len > SEARCH_PIECE_HEAD)
		put_row(w, ROW_DOCS, &w->docs);
	if (w->posts.len > SEARCH_PIECE_HEAD)
		put_row(w, ROW_POSTS, &w->posts);
	return w->err;
}
