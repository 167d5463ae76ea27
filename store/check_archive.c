/*
 * check_archive.c - rows of the archive, what they name, their sums. The chain itself is looked at by `archive verify`.
 *
 * A damaged row stays, it is evidence; and as nobody can tell which content it owns, contents keep the owners they have.
 */
#include "store/archive_inside.h"
#include "store/check_run.h"
#include "store/contents.h"
#include "store/ids.h"
#include "store/rows.h"

typedef unsigned long long ull;

static void
visit_message(struct check *c, const struct archive_row *row)
{
	struct content content;

	c->archived.messages++;
	c->archived.bytes += row->message.size;
	id_set_add(&c->contents_named, row->message.content_id);
	if (content_get(c->snap, row->message.content_id, &content) == ERR_NOT_FOUND)
		check_say(c, false, "archive %llu: its content %llu is gone", (ull)row->archive_id,
			(ull)row->message.content_id);
}

static void
visit_archive(struct check *c, const struct row *row)
{
	struct archive_row entry;

	if (check_id(row) == 0 && row->key.len == 8)
		return; /* the head */
	if (archive_row_read(c->snap, row, &entry) != OK) {
		check_say(c, false, "archive %llu: damaged", (ull)check_id(row));
		c->archive_lost = true;
		return;
	}
	if (entry.kind == ARCHIVE_MESSAGE)
		visit_message(c, &entry);
	if (entry.kind == ARCHIVE_GAP)
		c->archived.removed += entry.run.count;
	c->archived.last_id = entry.kind == ARCHIVE_GAP ? entry.run.last : entry.archive_id;
}

/* Figures anew; last_id and chain stay where they can be read: verify compares them with the rows. */
static enum err
fix_head(struct txn *txn, const struct check_fix *fix)
{
	struct archive_head head;
	enum err err = archive_head_sure(txn_view(txn), &head);

	head.messages = fix->n[0];
	head.bytes = fix->n[1];
	head.removed = fix->n[2];
	return err == OK ? archive_head_put(txn, &head) : err;
}

static void
check_head(struct check *c)
{
	const struct archive_head *want = &c->archived;
	struct archive_head head;
	struct check_fix *fix;

	if (archive_head_get(c->snap, &head) == OK && head.messages == want->messages &&
		head.bytes == want->bytes && head.removed == want->removed)
		return;
	check_say(c, true, "archive: its sums are wrong");
	fix = check_fix_add(c, fix_head, SPAN_NONE, SPAN_NONE);
	fix->n[0] = want->messages;
	fix->n[1] = want->bytes;
	fix->n[2] = want->removed;
}

static void
visit_hold(struct check *c, const struct row *row)
{
	struct archive_hold hold;
	struct archive_row entry;
	uint64_t id = check_id(row);

	if (archive_hold_find(c->snap, id, &hold) != OK)
		check_say(c, false, "archive_holds %llu: damaged, so it counts as held", (ull)id);
	else if (archive_find(c->snap, id, &entry) == ERR_NOT_FOUND)
		check_say(c, false, "archive_holds %llu: what it holds is gone", (ull)id);
}

static void
visit_word(struct check *c, const struct row *row)
{
	if (row->key.len == 8 && row->value.len == 0)
		return;
	check_say(c, true, "archive_words: a key is damaged");
	check_fix_delete(c, TABLE_archive_words, row->key);
}

static void
visit_address(struct check *c, const struct row *row)
{
	if (row->key.len > 0 && (row->value.len == 8 || (row->key.len == 1 && row->value.len > 8)))
		return;
	check_say(c, true, "archive_addresses: a row is damaged, patterns are looked for everywhere");
	check_fix_delete(c, TABLE_archive_addresses, row->key);
	check_fix_delete(c, TABLE_archive_addresses, SPAN("*"));
}

void
check_archive(struct check *c)
{
	c->archived = (struct archive_head){ 0 };
	c->archive_lost = false;
	check_walk(c, TABLE_archive, visit_archive);
	check_head(c);
	check_walk(c, TABLE_archive_holds, visit_hold);
	check_walk(c, TABLE_archive_words, visit_word);
	check_walk(c, TABLE_archive_addresses, visit_address);
}
