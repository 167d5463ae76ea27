/*
 * collection_same.c - is it a message that was stored before? By its header, as TOP gives it; else by what came.
 *
 *     known by its id, and to be removed --HEAD--> the same header: it is removed
 *                                        --------> another, or none can be had: FETCH --> the same: it is removed
 *                                                                                     --> another: it is stored
 */
#include "server/collect/collection_inside.h"

#include <string.h>

uint64_t
collection_header_mark(struct span header)
{
	unsigned char hash[FETCHED_HASH_SIZE];

	return collect_like_header(header, hash) ? collect_like_mark(hash) : 0;
}

bool
collection_same_header(const struct fetched *row, struct span header)
{
	uint64_t mark = collection_header_mark(header);

	return mark != 0 && mark == row->mark;
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

	if (!f->likeness.begun) {
		f->like = collection_header_mark(f->intake->mail.header);
		return collection_anew_settle(f->c, &f->item, f->like, &f->same) ? &f->same : NULL;
	}
	take_likeness(f, hash);
	if (f->item.by_header) {
		known = find_by_header(f, hash);
		return known && fetched_is_here(&known->row) ? &known->row : NULL;
	}
	f->like = collect_like_mark(hash);
	known = collection_known_find(f->c, f->item.hash);
	if (known && fetched_is_here(&known->row) && known->row.mark == f->like)
		return &known->row;
	return collection_anew_settle(f->c, &f->item, f->like, &f->same) ? &f->same : NULL;
}
