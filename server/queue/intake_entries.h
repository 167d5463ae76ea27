/*
 * intake_entries.h - which contents and which entries of the queue a plan becomes; for the files of intake.
 *
 * A content for each version that somebody gets, all on one body; an entry for each group of recipients with
 * the same kind, content, sender and end in case of failure. Prepared on the loop, in the arena of the intake:
 * apply() only counts what is here.
 */
#ifndef SERVER_QUEUE_INTAKE_ENTRIES_H
#define SERVER_QUEUE_INTAKE_ENTRIES_H

#include "server/queue/intake.h"

/* Fills contents, entries, queued, forwards; once more for another plan. ERR_LIMIT as intake_prepare(). */
MUST_CHECK enum err intake_entries_make(struct intake *in);
/* Numbers for the entries, and notes of them. ERR_BUSY: none is to be had now. */
MUST_CHECK enum err intake_entries_number(struct intake *in);

/* The place of a copy's content in in->contents; COPY is of the plan, and kept somewhere. */
size_t intake_content_of(const struct intake *in, const struct plan_copy *copy);
/* Does any content hold something of the body as it came? */
bool intake_needs_body(const struct intake *in);
/* The first entry of KIND; NULL: there is none. */
const struct intake_entry *intake_entry_of(const struct intake *in, enum intake_entry_kind kind);
/* Recipients of all entries of KIND. */
size_t intake_entries_count(const struct intake *in, enum intake_entry_kind kind);

#endif
