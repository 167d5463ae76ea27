/*
 * imap_commands.h - the table of commands: a row each, and what a handler is.
 *
 * A row says in which states the command may come, and what the dispatcher looks at before and after the
 * handler. The CAPABILITY list, the names in the log and in docs/rfc.md are those of the rows.
 *
 * A handler is called with the arguments behind the command's name, their first space included. It
 * answers with imap_end() and so says IMAP_DONE; what else the client must be told (EXISTS, ...) the
 * dispatcher puts in front of that answer. IMAP_MORE: imap_must_yield() said so, call me again in a later
 * turn. IMAP_WAIT: imap_submit() or imap_work() took something, call me again after its imap_resume().
 * From the second call on s->run->task is what the handler put there; it lies in imap_arena(), as all that
 * it still needs. The arguments themselves live until the answer.
 */
#ifndef SERVER_IMAP_IMAP_COMMANDS_H
#define SERVER_IMAP_IMAP_COMMANDS_H

#include "proto/imap/imap_args.h"

struct imap_session;

enum imap_turn { IMAP_DONE, IMAP_MORE, IMAP_WAIT };

typedef enum imap_turn imap_handler(struct imap_session *s, struct imap_cursor *args);

/* Where a command may come. */
enum {
	IMAP_BEFORE = 1,    /* the login */
	IMAP_LOGGED_IN = 2, /* no folder is selected */
	IMAP_SELECTED = 4,
	IMAP_AFTER = IMAP_LOGGED_IN | IMAP_SELECTED,
	IMAP_ANY = IMAP_BEFORE | IMAP_AFTER,
};

/* Flags of a row. */
enum {
	IMAP_WRITES = 1,     /* NO where the folder was opened read-only */
	IMAP_NO_EXPUNGE = 2, /* numbers must stay: no EXPUNGE before the next command (RFC 9051, 7.5.1) */
	IMAP_UID = 4,	     /* also as UID x: then EXPUNGE may come, and s->run->by_uid is set */
	IMAP_ONLY_UID = 8,   /* as UID x alone */
	IMAP_NEEDS_VIEW = 16, /* called when s->selected->view is there */
	IMAP_QUIET = 32,     /* nothing is told about the folder before its answer */
	IMAP_MACHINE = 64,   /* imap_server.h raises an event of its own: no handler */
};

struct imap_row {
	const char *name;
	unsigned states;
	const char *capability; /* what it brings to CAPABILITY; NULL: nothing */
	unsigned flags;
	imap_handler *run;
};

extern const struct imap_row imap_commands[];
extern const size_t imap_command_count;

/* NULL: there is none of that name; any letter case. */
const struct imap_row *imap_command_find(struct span name, bool by_uid);

/*
 * "IMAP4rev2 IMAP4rev1 ...": what the rows, the machine and the extensions without a row offer; of the
 * ways to log in those that S may use now. ERR_LIMIT.
 */
MUST_CHECK enum err imap_put_capabilities(struct imap_session *s, struct buf *out);

/* All handlers; each stands with its kin in imap_cmd_*.c. */
imap_handler imap_cmd_capability, imap_cmd_noop, imap_cmd_logout, imap_cmd_id, imap_cmd_enable;
imap_handler imap_cmd_select, imap_cmd_examine, imap_cmd_unselect, imap_cmd_close;
imap_handler imap_cmd_create, imap_cmd_delete, imap_cmd_rename, imap_cmd_subscribe;
imap_handler imap_cmd_unsubscribe, imap_cmd_copy, imap_cmd_move;
imap_handler imap_cmd_list, imap_cmd_lsub, imap_cmd_namespace, imap_cmd_status;
imap_handler imap_cmd_setacl, imap_cmd_deleteacl, imap_cmd_getacl, imap_cmd_listrights;
imap_handler imap_cmd_myrights, imap_cmd_getquota, imap_cmd_getquotaroot;
imap_handler imap_cmd_fetch, imap_cmd_store, imap_cmd_expunge, imap_cmd_idle;
imap_handler imap_cmd_search, imap_cmd_sort, imap_cmd_thread;

#endif
