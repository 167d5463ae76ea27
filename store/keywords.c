/*
 * keywords.c - one row a folder: a count, then the names.
 */
#include "store/keywords.h"

#define KEYWORDS_VERSION 1
#define KEYWORDS_ROOM (RECORD_HEAD + 1 + FOLDER_KEYWORDS * (KEYWORD_MAX + 2))

enum err
folder_keywords_get(struct snapshot *snap, uint64_t folder_id, struct folder_keywords *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	out->count = 0;
	key_u64(&key, folder_id);
	err = table_get_record(snap, TABLE_keywords, &key, KEYWORDS_VERSION, &in);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	out->count = record_take_u8(&in);
	for (unsigned i = 0; i < out->count && i < FOLDER_KEYWORDS; i++)
		out->names[i] = record_take_span(&in);
	if (record_end(&in) == OK && out->count <= FOLDER_KEYWORDS)
		return OK;
	out->count = 0;
	return table_damaged(snap, TABLE_keywords, key_span(&key), "fields");
}

enum err
folder_keywords_put(struct txn *txn, uint64_t folder_id, const struct folder_keywords *keywords)
{
	char room[KEYWORDS_ROOM];
	struct record_out out;
	struct key key;

	record_begin(&out, room, sizeof(room), KEYWORDS_VERSION);
	record_put_u8(&out, (uint8_t)keywords->count);
	for (unsigned i = 0; i < keywords->count; i++)
		record_put_span(&out, keywords->names[i]);
	key_u64(&key, folder_id);
	return table_put_record(txn, TABLE_keywords, &key, &out);
}

enum err
folder_keywords_load(struct txn *txn, uint64_t folder_id, struct folder_keywords *out)
{
	enum err err = folder_keywords_get(txn_view(txn), folder_id, out);

	for (unsigned i = 0; i < out->count; i++)
		out->names[i] = arena_copy(txn_arena(txn), out->names[i]);
	return err;
}

uint32_t
folder_keyword_bit(const struct folder_keywords *keywords, struct span name)
{
	for (unsigned i = 0; i < keywords->count; i++)
		if (span_eq_nocase(keywords->names[i], name))
			return FLAG_KEYWORD(i);
	return 0;
}

enum err
folder_keyword_add(struct txn *txn, uint64_t folder_id, struct folder_keywords *keywords,
	struct span name, uint32_t *bit)
{
	*bit = folder_keyword_bit(keywords, name);
	if (*bit != 0 || keywords->count == FOLDER_KEYWORDS)
		return OK;
	if (name.len == 0 || name.len > KEYWORD_MAX)
		return ERR_LIMIT;
	*bit = FLAG_KEYWORD(keywords->count);
	keywords->names[keywords->count++] = name;
	return folder_keywords_put(txn, folder_id, keywords);
}

bool
keyword_next(struct span *words, struct span *name)
{
	do {
		if (words->len == 0)
			return false;
		span_cut(*words, ' ', name, words);
	} while (name->len == 0);
	return true;
}

bool
keyword_in(struct span words, struct span name)
{
	struct span word;

	while (keyword_next(&words, &word))
		if (span_eq_nocase(word, name))
			return true;
	return false;
}

enum err
keyword_put(struct buf *out, struct span name)
{
	enum err err = buf_span(out).len > 0 ? buf_put_char(out, ' ') : OK;

	return err == OK ? buf_put(out, name) : err;
}

enum err
keywords_put(struct buf *out, const struct folder_keywords *keywords, uint32_t flags)
{
	enum err err = OK;

	for (unsigned i = 0; i < keywords->count && err == OK; i++)
		if (flags & FLAG_KEYWORD(i))
			err = keyword_put(out, keywords->names[i]);
	return err;
}

enum err
folder_keywords_mend(struct txn *txn, uint64_t folder_id)
{
	struct folder_keywords lost = { .count = FOLDER_KEYWORDS };

	for (unsigned i = 0; i < FOLDER_KEYWORDS; i++)
		lost.names[i] = arena_printf(txn_arena(txn), "Lost%u", i + 1);
	return folder_keywords_put(txn, folder_id, &lost);
}
