/*
 * intake_journal.c - seats are given where the copy is stored, or not at all.
 */
#include "server/queue/intake_journal.h"

#include "server/pipeline/journal_sort.h"
#include "server/queue/intake_entries.h"

static void
mark(struct intake *in, bool lost)
{
	for (const struct plan_copy *copy = in->plan.copies; copy; copy = copy->next)
		if (copy->role == COPY_JOURNAL)
			in->contents[intake_content_of(in, copy)].left_out = lost;
}

enum err
intake_journal_settle(struct txn *txn, struct intake *in, bool *lost)
{
	struct journal_case *c = in->plan.journal;
	enum err err;

	*lost = false;
	if (!c)
		return OK;
	err = journal_case_look(txn_view(txn), c);
	if (err != OK)
		return err;
	journal_sort(c);
	*lost = !c->recorded;
	mark(in, *lost);
	for (size_t i = 0; i < c->count && c->recorded && err == OK; i++)
		err = journal_seat_note(
			txn, c->parties[i].address, c->parties[i].kind, in->mail.arrived_ms);
	return err;
}
