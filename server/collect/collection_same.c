/*
 * collection_same.c - is it a message that was stored before? By its header, as TOP gives it; else by what came.
 *
 *     known by its id, and to be removed --HEAD--> the same header: it is removed
 *                                        --------> another, or none can be had: FETCH --> the same: it is removed
 *                                                                                     --> another: it is stored
 */
#include "server/collect/collection_inside.h"

#include <string.h>

bool
collection_same_header(const struct fetched *row, struct span header)
{
	unsigned char hash[FETCHED_HASH_SIZE];

	return collect_like_header(header, hash) && collect_like_mark(hash) == row->mark;
}

/* Of what came. */
static void
take_likeness(struct collection_fetch *f, unsigned char hash[FETCHED_HASH_SIZE])
{
	unsigned char text[FETCHED_HASH_SIZE];

	collect_like_end(&f->likeness, text);
	if (!collect_like_header(f->intake->mail.header, hash))
		memcpy(hash, text, sizeof(text));
}

/* Without a unique id, and without a header beforehand. */
static struct collection_known *
find_by_header(struct collection_fetch *f, const unsigned char hash[FETCHED_HASH_SIZE])
{
	struct collection *c = f->c;
	struct collection_known *known;

	if (!f->item.has_hash) {
		memcpy(f->item.hash, hash, sizeof(f->item.hash));
		collection_tell_apart(c, f->item.hash);
	}
	f->item.has_hash = true;
	known = collection_known_find(c, f->item.hash);
	if (!known || known->listed)
		return NULL;
	known->listed = true;
	return known;
}

const struct fetched *
collection_same_known(struct collection_fetch *f)
{
	unsigned char hash[FETCHED_HASH_SIZE];
	const struct collection_known *known;

	if (f->c->end.offer.epoch != 0 && !f->item.by_header)
		return collection_anew_settle(f->c, &f->item, f->intake->mail.header, &f->like, &f->same) ? &f->same : NULL;
	if (!f->likeness.begun)
		return NULL;
	take_likeness(f, hash);
	if (f->item.by_header) {
		known = find_by_header(f, hash);
		return known && fetched_is_here(&known->row) ? &known->row : NULL;
	}
	f->like = collect_like_mark(hash);
	known = collection_known_find(f->c, f->item.hash);
	return known && fetched_is_here(&known->row) && known->row.mark == f->like ? &known->row : NULL;
}
