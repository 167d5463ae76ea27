/*
 * imap_requests.c - arguments of SELECT, STORE and ID.
 */
#include "proto/imap/imap_requests.h"

/* ---- SELECT ---- */

/* RFC 7162, 7: uids that are known have no '*', nor "$". */
static bool
take_plain_set(struct imap_cursor *c, struct imap_seqset *out)
{
	return imap_take_seqset(c, out) && out->star == 0 && !out->saved;
}

static bool
take_pairs(struct imap_cursor *c, struct imap_select *out)
{
	out->has_pairs = true;
	return imap_take_open(c) && take_plain_set(c, &out->pair_numbers) && imap_take_space(c) &&
		take_plain_set(c, &out->pair_uids) && imap_take_close(c);
}

/* "(uidvalidity modseq [known-uids] [(numbers uids)])" */
static bool
take_qresync(struct imap_cursor *c, struct imap_select *out)
{
	if (!imap_take_space(c) || !imap_take_open(c) || !imap_take_nz_number(c, &out->uidvalidity) ||
		!imap_take_space(c) || !imap_take_number64(c, &out->modseq))
		return false;
	if (imap_take_space(c)) {
		out->has_known = !imap_next_is(c, '(');
		if (out->has_known && !take_plain_set(c, &out->known))
			return false;
		if ((!out->has_known || imap_take_space(c)) && !take_pairs(c, out))
			return false;
	}
	return imap_take_close(c);
}

static bool
take_select_parameter(struct imap_cursor *c, struct imap_select *out)
{
	if (imap_take_word(c, SPAN("CONDSTORE"))) {
		out->condstore = true;
		return true;
	}
	if (out->qresync || !imap_take_word(c, SPAN("QRESYNC")))
		return false;
	out->qresync = true;
	return take_qresync(c, out);
}

bool
imap_take_select(struct imap_cursor *c, struct imap_select *out)
{
	*out = (struct imap_select){ .qresync = false };
	if (!imap_take_space(c) || !imap_take_astring(c, &out->mailbox))
		return false;
	if (!imap_take_space(c))
		return imap_take_end(c);
	if (!imap_take_open(c))
		return false;
	do {
		if (!take_select_parameter(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c) && imap_take_end(c);
}

/* ---- STORE ---- */

static bool
take_unchanged_since(struct imap_cursor *c, struct imap_store *out)
{
	if (!imap_take_open(c))
		return true;
	out->has_unchanged_since = true;
	return imap_take_word(c, SPAN("UNCHANGEDSINCE")) && imap_take_space(c) &&
		imap_take_number64(c, &out->unchanged_since) && imap_take_close(c) &&
		imap_take_space(c);
}

static bool
take_store_item(struct imap_cursor *c, struct imap_store *out)
{
	if (imap_take_char(c, '+'))
		out->op = IMAP_STORE_ADD;
	else if (imap_take_char(c, '-'))
		out->op = IMAP_STORE_REMOVE;
	out->silent = imap_take_word(c, SPAN("FLAGS.SILENT"));
	return out->silent || imap_take_word(c, SPAN("FLAGS"));
}

bool
imap_take_store(struct imap_cursor *c, struct imap_store *out)
{
	*out = (struct imap_store){ .op = IMAP_STORE_REPLACE };
	return imap_take_space(c) && imap_take_seqset(c, &out->set) && imap_take_space(c) &&
		take_unchanged_since(c, out) && take_store_item(c, out) && imap_take_space(c) &&
		imap_take_flags(c, &out->flags) && !(out->flags.flags & IMAP_FLAG_RECENT) &&
		imap_take_end(c);
}

/* ---- ID ---- */

static bool
take_pair(struct imap_cursor *c, struct imap_id *out)
{
	struct imap_id_pair *pair = &out->pairs[out->count];

	c->over |= out->count == IMAP_ID_PAIRS_MAX;
	if (c->over || !imap_take_string(c, &pair->name) || !imap_take_space(c) ||
		!imap_take_nstring(c, &pair->value))
		return false;
	out->count++;
	return true;
}

bool
imap_take_id(struct imap_cursor *c, struct imap_id *out)
{
	*out = (struct imap_id){ .count = 0 };
	if (!imap_take_space(c))
		return false;
	if (imap_take_word(c, SPAN("NIL")))
		return imap_take_end(c);
	if (!imap_take_open(c))
		return false;
	if (imap_take_close(c))
		return imap_take_end(c);
	do {
		if (!take_pair(c, out))
			return false;
	} while (imap_take_space(c));
	return imap_take_close(c) && imap_take_end(c);
}
