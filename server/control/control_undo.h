/*
 * control_undo.h - changes of the configuration file, as far as undo needs them (control_config.c).
 */
#ifndef SERVER_CONTROL_CONTROL_UNDO_H
#define SERVER_CONTROL_CONTROL_UNDO_H

#include "conf/conf_edit.h"
#include "server/control/control_call.h"
#include "store/changes.h"

/* What a worker needs to change the file: copies, since the generation may go meanwhile. */
struct control_config {
	const char *path;
	struct span last_read; /* the text of the generation in force; wiped with the call */
	struct span diff;      /* of a preview: what the file would differ in, secrets masked */
	uint32_t number;       /* of the change in the file's history, once it is made */
	bool written;	       /* a change was made: `number` holds the text before it */
};

struct control_undo {
	uint64_t change_id;
	uint32_t config_no; /* 0: a change of the store */
	struct span note;   /* "undone: user anna added" */
	struct span passed; /* which later changes were passed over, and why; or empty */
	struct span would;  /* of undo.preview: "would undo: user anna added (change 12)" */
	struct span cannot; /* of undo.preview: "change 12: cannot, too many rows to be kept"; or empty */
	bool file_done;
	struct control_config config;
};

/* Loop: take the copies. */
bool control_config_begin(struct control_call *call, struct control_config *c);
/* Worker: make CHANGES in the file; WHAT is for its history. Fails the call. */
bool control_config_save(struct control_call *call, struct control_config *c,
	const struct conf_change *changes, size_t count, const char *what);
/* Worker: make the file what it was before change NUMBER (0: the last). Fails the call. */
bool control_config_undo(struct control_call *call, struct control_config *c, uint32_t number);
/* Writer: put the change of the file into the log; UNDONE (0: none) is undone by it. */
MUST_CHECK enum err control_config_record(struct control_call *call, struct txn *txn,
	const struct control_config *c, uint64_t undone);
/* Loop: take the new file into force. Where the server refuses it, the old one is put back and the
 * call fails. */
bool control_config_take(struct control_call *call, const struct control_config *c);

/* What is allowed and yet seldom meant is set only when it was confirmed (SEC-01). Fails the call. */
bool control_config_is_confirmed(struct control_call *call, struct span key, struct span value);
/* Worker, of a preview: make and check CHANGES on a copy; c->diff is what would differ. Fails the call. */
bool control_config_look(struct control_call *call, struct control_config *c,
	const struct conf_change *changes, size_t count);
/* The step `foresee` of a call whose state begins with its struct control_config: tells c->diff. */
enum step control_config_foresee(struct control_call *call, struct snapshot *snap);
/* The steps `take` and `change` of a call whose state begins with its struct control_config. */
bool control_config_set_take(struct control_call *call);
MUST_CHECK enum err control_config_set_change(struct control_call *call, struct txn *txn);

#endif
