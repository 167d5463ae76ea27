/*
 * indexes.h - rows that follow from other rows, so that what is asked backwards costs no walk.
 *
 *	group_members  group_id user_id              from users: who is in a group
 *	targets        lower-case target 0 kind id   from mappings and list_members: see referrers.h
 *	list_sizes     list_id                       from list_members: how many
 *	rights_find    kind subject_id folder_id     from rights: what is shared with somebody
 *	folder_names   user_id name 0 folder_id      from folders: which has that name
 *
 * rows.c calls these for every row that comes, changes or goes, undo included, so no path that
 * writes rows can forget them; they are not in the log of changes. (Folders are written for each
 * message; folders.c says itself where a name changes.) A store of before they were is indexed in
 * the commit that makes their tables.
 */
#ifndef STORE_INDEXES_H
#define STORE_INDEXES_H

#include "store/table.h"

/* What is to be done for one row, worked out before anything is written. */
struct index_plan {
	enum store_table table; /* of the index */
	bool had, has;          /* a row of the index before, after */
	struct key old, new;
	int grows; /* list_sizes: by how much */
	uint64_t list_id;
};

/* A row of TABLE under KEY: BEFORE and AFTER are its values, NULL where there is none. */
void index_plan(struct index_plan *plan, enum store_table table, struct span key,
	const struct span *before, const struct span *after);
MUST_CHECK enum err index_carry_out(struct txn *txn, const struct index_plan *plan);

/* The row of an index that ROW of table OF asks for; false where it asks for none. */
bool index_of_row(enum store_table of, const struct row *row, enum store_table *index,
	struct key *key);
/* Does ROW of the index TABLE follow from a row that is there? */
bool index_row_holds(struct snapshot *snap, enum store_table table, const struct row *row);

/* Is TABLE an index, made from other rows where it is not there? */
bool index_is(enum store_table table);

/* Has the group or list whose row of TABLE is under KEY a member? Then it cannot just vanish. */
MUST_CHECK enum err index_has_members(
	struct snapshot *snap, enum store_table table, struct span key, bool *out);

/* Fill tables that were just made: MADE says which. */
MUST_CHECK enum err indexes_fill(struct txn *txn, const bool made[TABLE_COUNT]);

#endif
