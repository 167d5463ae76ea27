/*
 * change_owner.h - rows that hang on another: a member on its list, a user on his group, an app
 * password on its user. Undo must not bring them back to one that is gone meanwhile.
 */
#ifndef STORE_CHANGE_OWNER_H
#define STORE_CHANGE_OWNER_H

#include "store/table.h"

/*
 * ROW of TABLE was just put back: does it stand by itself? False too where a forwarding would have
 * several members (LST-09). ERR_CORRUPT, ERR_IO.
 */
MUST_CHECK enum err change_row_stands(
	struct snapshot *snap, enum store_table table, struct span key, bool *out);

#endif
