/*
 * control_user_import.h - between control_user_import.c, which reads a file of users, and
 * control_user_take.c, which makes a user of a line.
 */
#ifndef SERVER_CONTROL_CONTROL_USER_IMPORT_H
#define SERVER_CONTROL_CONTROL_USER_IMPORT_H

#include "proto/control/user_lines.h"
#include "server/control/control_password.h"
#include "server/control/control_transfer.h"
#include "server/control/control_users.h"

/* What `work` found in one line. */
struct user_found {
	struct control_new_password password; /* hash "" where the line has none */
	struct span name, comment; /* comment: of a line that only adds */
	bool adds;		   /* a line of a bulk add: who is there stays as he is */
	const char *fault; /* why the line is left out; NULL */
	bool made;	   /* by `each`: a new user */
};

struct users_in {
	struct transfer_in in; /* first: transfer_in_*() know it */
	struct user_found *found;   /* of each line */
	struct user_columns columns;
	bool bulk, has_titles;
	struct control_new_password password; /* what each begins as */
	int64_t shortest; /* auth.min_length */
	struct span main_admin;
	struct welcomes *welcomes;
	struct span *named; /* names of the file, sorted, for --replace */
	char after[USER_NAME_MAX + 1];
	size_t looked_at, fresh, known; /* by a preview */
};

/* The step `each`: add, change or remove the user of call->target_now. */
MUST_CHECK enum err control_user_take(struct control_call *call, struct txn *txn, struct span key);

#endif
