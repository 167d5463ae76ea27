/*
 * archive_words.c - words of addresses, and in which blocks of the archive they are.
 *
 * A block has ARCHIVE_BLOCK ids; a word that is in it has one row, however often it is there. A search asks block by
 * block, the newest first, and looks at the messages of those that have all of its words.
 */
#include <stdlib.h>

#include "proto/base/ascii.h"
#include "store/archive_inside.h"

#define HASH_BASIS UINT32_C(2166136261) /* FNV-1a, 32 bits; on disk for ever */
#define HASH_PRIME UINT32_C(16777619)

static bool
is_word(char c)
{
	return ascii_is_alnum(c) || (unsigned char)c >= 128;
}

size_t
archive_words_of(struct span text, enum archive_role role, uint32_t *out, size_t count, size_t max)
{
	size_t i = 0;

	while (i < text.len && count < max) {
		uint32_t hash = (HASH_BASIS ^ (unsigned char)role) * HASH_PRIME;
		size_t from = i;

		for (; i < text.len && is_word(text.ptr[i]); i++)
			hash = (hash ^ (unsigned char)ascii_lower(text.ptr[i])) * HASH_PRIME;
		if (i > from)
			out[count++] = hash != 0 ? hash : 1; /* 0 stands for all words */
		else
			i++;
	}
	return count;
}

static int
compare_words(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

size_t
archive_words_sort(uint32_t *words, size_t count)
{
	size_t kept = 0;

	if (count > 0)
		qsort(words, count, sizeof(*words), compare_words);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || words[kept - 1] != words[i])
			words[kept++] = words[i];
	return kept;
}

uint64_t
archive_words_bits(const uint32_t *words, size_t count)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < count; i++)
		bits |= UINT64_C(1) << (words[i] & 63) | UINT64_C(1) << (words[i] >> 6 & 63);
	return bits;
}

static enum err
has_word(struct snapshot *snap, uint64_t block, uint32_t word, bool *out)
{
	struct span value;
	struct key key;
	enum err err;

	key_begin(&key);
	key_put_u32(&key, (uint32_t)block);
	key_put_u32(&key, word);
	err = table_get(snap, TABLE_archive_words, &key, &value);
	*out = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
archive_block_has(
	struct snapshot *snap, uint64_t block, const uint32_t *words, size_t count, bool *out)
{
	enum err err = OK;

	*out = true;
	for (size_t i = 0; i < count && err == OK && *out; i++)
		err = has_word(snap, block, words[i], out);
	if (err == OK && !*out)
		err = has_word(snap, block, 0, out);
	return err;
}

/* Is there a message in the block? */
static enum err
block_is_used(struct snapshot *snap, uint64_t block, bool *out)
{
	uint64_t at = block * ARCHIVE_BLOCK;
	struct archive_row row;
	enum err err = archive_next(snap, at > 0 ? at - 1 : 0, &row);

	while ((err == OK || err == ERR_CORRUPT) && row.archive_id / ARCHIVE_BLOCK == block &&
		row.kind != ARCHIVE_MESSAGE && err == OK)
		err = archive_next(snap, row.archive_id, &row);
	*out = err != ERR_NOT_FOUND && row.archive_id / ARCHIVE_BLOCK == block;
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

/* *block: the first that has messages left; UINT64_MAX: none. */
static enum err
sweep_words(struct txn *txn, unsigned most, uint64_t *block, bool *more)
{
	struct row row;
	struct key key;
	bool used = false;
	enum err err = OK;

	*block = UINT64_MAX;
	key_begin(&key);
	for (*more = true; most > 0; most--) {
		struct span at;
		uint32_t number;

		key_u64(&key, 0);
		err = table_seek(txn_view(txn), TABLE_archive_words, &key, &row);
		at = row.key;
		if (err != OK || key_take_u32(&at, &number) != OK)
			break;
		if (number != *block) {
			*block = number;
			err = block_is_used(txn_view(txn), *block, &used);
		}
		if (err != OK || used)
			break;
		key_name(&key, row.key);
		err = table_delete(txn, TABLE_archive_words, &key);
		if (err == OK)
			err = archive_addresses_due(txn);
		if (err != OK)
			return err;
	}
	*more = most == 0;
	if (err == ERR_NOT_FOUND)
		*block = UINT32_MAX;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
archive_words_sweep(struct txn *txn, unsigned most, bool *more)
{
	uint64_t block;
	enum err err = sweep_words(txn, most, &block, more);

	return err == OK && !*more ? archive_addresses_sweep(txn, (uint32_t)block, most, more) : err;
}
