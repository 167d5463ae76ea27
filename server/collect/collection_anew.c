/*
 * collection_anew.c - a mailbox that was made anew: the same messages have other ids.
 *
 * Rows know the epoch of their ids, and a mark of the header. The epoch of IMAP is UIDVALIDITY (RFC 9051, 2.3.1.1). POP3 has
 * none, so they are counted: where not one of the messages that were left there is listed, all ids may be new.
 *
 * Rows of another epoch are put into a table by their marks; the header of each message that is not known is asked for, and
 * where a row has its mark the row gets the new id. Each row stands for one message: a second one with the same header is
 * another message.
 *
 *     not known --HEAD--> as a row says: the row gets the id; it stays, or goes when its days are over
 *                     --> new: download rules, FETCH
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

/* It is there, as far as anybody knows, and can be known again. */
static bool
may_be_anew(const struct fetched *row)
{
	return row->epoch != 0 && row->mark != 0 && fetched_is_here(row) && row->state != FETCHED_REMOVED;
}

void
collection_anew_see(struct collection *c, const struct fetched *row)
{
	struct collection_anew *a = &c->anew;

	if (!may_be_anew(row))
		return;
	a->low = a->low == 0 || row->epoch < a->low ? row->epoch : a->low;
	a->high = row->epoch > a->high ? row->epoch : a->high;
}

bool
collection_is_anew(const struct collection *c)
{
	return c->epoch != 0 && c->anew.high != 0 && (c->anew.low != c->epoch || c->anew.high != c->epoch);
}

void
collection_anew_count(struct collection *c)
{
	if (c->o.conf->kind != COLLECTOR_POP3 || c->by_header)
		return;
	c->epoch = c->anew.high != 0 ? c->anew.high : 1;
	if (c->anew.high != 0 && c->listed_here == 0)
		c->epoch++;
}

/* ---- the table ---- */

/* The first row that was put in with MARK, from 1; or 0, where it would be. A mark is a hash: its bits are as good as any. */
static uint32_t *
slot_of(const struct collection *c, uint64_t mark)
{
	const struct collection_anew *a = &c->anew;
	size_t at = (size_t)mark & (a->room - 1);

	while (a->slots[at] != 0 && c->known[a->slots[at] - 1].row.mark != mark)
		at = (at + 1) & (a->room - 1);
	return &a->slots[at];
}

static void
open_table(struct collection *c)
{
	size_t room = 256;

	while (room < 2 * c->known_count)
		room *= 2;
	c->anew.room = room;
	c->anew.slots = calloc(room, sizeof(*c->anew.slots)); /* pages that are not used are none */
	ENSURE(c->anew.slots);
}

void
collection_anew_add(struct collection *c, size_t place)
{
	struct collection_known *known = &c->known[place];
	uint32_t *slot;

	if (!collection_is_anew(c) || known->row.epoch == c->epoch || !may_be_anew(&known->row))
		return;
	if (!c->anew.slots)
		open_table(c);
	slot = slot_of(c, known->row.mark);
	if (*slot == 0) {
		*slot = (uint32_t)place + 1;
	} else {
		known->alike = c->known[*slot - 1].alike;
		c->known[*slot - 1].alike = (uint32_t)place + 1;
	}
	c->anew.count++;
	c->anew.fresh += known->row.gone_s == 0;
}

/* The first of a mark goes last: it holds the slot. */
static struct collection_known *
take(struct collection *c, uint64_t mark)
{
	uint32_t first = *slot_of(c, mark), next = first ? c->known[first - 1].alike : 0;
	struct collection_known *known = next ? &c->known[next - 1] : first ? &c->known[first - 1] : NULL;

	if (!known || known->listed)
		return NULL;
	if (next)
		c->known[first - 1].alike = known->alike;
	known->listed = true;
	return known;
}

/* ---- a message ---- */

bool
collection_anew_asks(const struct collection *c, const struct collection_item *item)
{
	return c->anew.count > 0 && item->has_hash && (item->first_s == 0 || item->was_aside) &&
		(!item->unwanted || c->anew.fresh > 0);
}

void
collection_anew_unsure(struct collection *c, const struct collection_item *item)
{
	c->gone_noted |= item->by_header || collection_anew_asks(c, item);
}

bool
collection_anew_settle(struct collection *c, const struct collection_item *item, uint64_t mark, struct fetched *row)
{
	struct collection_known *known = mark != 0 && collection_anew_asks(c, item) ? take(c, mark) : NULL;

	if (!known)
		return false;
	*row = known->row;
	memcpy(row->hash, item->hash, sizeof(row->hash));
	row->epoch = c->epoch;
	row->gone_s = 0;
	collection_change(c, row, false); /* first: a crash in between leaves both */
	collection_change(c, &known->row, true);
	if (c->change_count >= COLLECTION_CHANGES_MAX)
		collection_write_changes(c);
	return true;
}
