/*
 * archive_reach.c - see archive_reach.h.
 */
#include "server/archive/archive_reach.h"

#include <string.h>

static void
reach_wide(struct archive_reach *r, const struct archive_address *a)
{
	if (a->first < r->first)
		r->first = a->first;
	if (a->last > r->last)
		r->last = a->last;
}

static void
reach_address(struct archive_reach *r, const struct archive_address *a)
{
	size_t n = r->count++;

	reach_wide(r, a);
	if (n >= ARCHIVE_REACH_FEW)
		return;
	r->few[n].first = a->first;
	r->few[n].last = a->last;
	r->few[n].word_count =
		archive_words_of(a->text, r->role, r->few[n].words, 0, ARCHIVE_REACH_WORDS);
}

static enum err
begin(struct archive_reach *r, struct snapshot *snap)
{
	enum err err = archive_addresses_all(snap, &r->all);

	r->begun = true;
	r->first = UINT32_MAX;
	r->last = 0;
	r->is_everywhere = err != OK;
	if (err == OK && !r->all.is_none)
		reach_wide(r, &r->all);
	return err == ERR_IO ? err : OK;
}

enum err
archive_reach_look(struct archive_reach *r, struct snapshot *snap, unsigned looks)
{
	enum err err = r->begun || r->pattern.len == 0 ? OK : begin(r, snap);

	if (err != OK)
		return err;
	r->done |= r->is_everywhere || r->pattern.len == 0;
	for (; looks > 0 && !r->done; looks--) {
		struct archive_address a;

		err = archive_address_next(snap, r->role, r->at, &a);
		r->done = err == ERR_NOT_FOUND;
		if (err != OK)
			break;
		r->is_everywhere = r->done = r->looked++ == ARCHIVE_REACH_ROWS || a.text.len > sizeof(r->at_room);
		if (r->done)
			break;
		if (span_match_wildcard(r->pattern, a.text))
			reach_address(r, &a);
		if (a.text.len > 0)
			memcpy(r->at_room, a.text.ptr, a.text.len);
		r->at = (struct span){ r->at_room, a.text.len };
	}
	if (err == ERR_IO)
		return err;
	return r->done ? OK : ERR_BUSY;
}

enum err
archive_reach_has(const struct archive_reach *r, struct snapshot *snap, uint64_t block, bool *has)
{
	enum err err = OK;

	*has = r->pattern.len == 0 || r->is_everywhere;
	if (*has || block < r->first || block > r->last)
		return OK;
	*has = r->count > ARCHIVE_REACH_FEW ||
	       (!r->all.is_none && block >= r->all.first && block <= r->all.last);
	for (size_t i = 0; i < r->count && !*has && err == OK; i++)
		if (block >= r->few[i].first && block <= r->few[i].last)
			err = archive_block_has(snap, block, r->few[i].words, r->few[i].word_count, has);
	return err;
}
