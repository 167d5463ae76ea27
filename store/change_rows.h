/*
 * change_rows.h - what changes.c and change_undo.c share.
 */
#ifndef STORE_CHANGE_ROWS_H
#define STORE_CHANGE_ROWS_H

#include "store/changes.h"
#include "store/rows.h"

MUST_CHECK enum err change_put(struct txn *txn, const struct change *change);
/* Keep ROW, of whatever it names; OK and nothing where no change is open. */
MUST_CHECK enum err change_record_row(struct txn *txn, const struct change_row *row);

#endif
