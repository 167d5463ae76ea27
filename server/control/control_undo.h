/*
 * control_undo.h - changes of the configuration file (control_config.c) and of rule files
 * (control_rules.c), as far as undo needs them.
 */
#ifndef SERVER_CONTROL_CONTROL_UNDO_H
#define SERVER_CONTROL_CONTROL_UNDO_H

#include "conf/conf_edit.h"
#include "conf/conf_rules.h"
#include "server/control/control_call.h"
#include "store/changes.h"

/* In a change's config_no: above the number in the file's history, which file. */
#define CONTROL_FILE_SHIFT 32
#define CONTROL_FILE_CONF 0
#define CONTROL_FILE_RULES 1 /* and on: CONTROL_FILE_RULES + enum rule_file */

static inline uint64_t
control_file_of(uint64_t config_no)
{
	return config_no >> CONTROL_FILE_SHIFT;
}

/* What a worker needs to change the file: copies, since the generation may go meanwhile. */
struct control_config {
	const char *path;
	struct span last_read; /* the text of the generation in force; wiped with the call */
	struct span diff;      /* of a preview: what the file would differ in, secrets masked */
	uint64_t number;       /* of the change in the file's history, once it is made; the config_no */
	struct span warnings;  /* of the changed keys: "; warning: ...", for control_config_warn() */
	bool written;	       /* a change was made: `number` holds the text before it */
	struct span object;    /* what the log of changes calls it; empty: the usual words */
	/* Or NULL: what belongs to the change in the store, in the same transaction and undo. */
	enum err (*also)(struct control_call *, struct txn *);
};

#define CONTROL_PASSWORD_SHORT 3 /* bytes; a shorter least length wants to be confirmed (SEC-01) */

/* Loop, in `finish`: the warnings behind the note. */
void control_config_warn(struct control_call *call);

/* The same for a file of rules. */
struct control_rules {
	enum rule_file file;
	const char *path;
	struct span last_read; /* the text in force, of the call's generation */
	uint32_t number;       /* as above, without the file */
	bool written;
};

struct control_undo {
	uint64_t change_id;
	uint64_t config_no; /* 0: a change of the store */
	struct span note;   /* "undone: user anna added" */
	struct span passed; /* which later changes were passed over, and why; or empty */
	struct span would;  /* of undo.preview: "would undo: user anna added (change 12)" */
	struct span cannot; /* of undo.preview: "change 12: cannot, too many rows to be kept"; or empty */
	bool file_done;
	struct control_config config;
	struct control_rules rules[RULE_FILE_COUNT];
};

/* Loop: take the copies. */
bool control_config_begin(struct control_call *call, struct control_config *c);
/* Worker: make CHANGES in the file; WHAT is for its history. Fails the call. */
bool control_config_save(struct control_call *call, struct control_config *c,
	const struct conf_change *changes, size_t count, const char *what);
/* Worker: make the file what it was before change NUMBER (0: the last). Fails the call. */
bool control_config_undo(struct control_call *call, struct control_config *c, uint32_t number);
/* Their parts. Who made the change that is under way, and WHAT it was, for the history. */
struct conf_note control_config_note(struct control_call *call, const char *what);
/* The number of the last change in the file's history; 0: there is none. */
uint32_t control_config_number(struct control_call *call, const struct control_config *c);
/* The file was written, if its history went beyond BEFORE. */
void control_config_written(struct control_call *call, struct control_config *c, uint32_t before);
/* The first fault becomes the error; a clash and the rest have words of their own. False. */
bool control_config_failed(
	struct control_call *call, enum err err, const struct conf_faults *faults);
/* Writer: put the change of the file into the log; UNDONE (0: none) is undone by it, with what it had
 * changed in the store. */
MUST_CHECK enum err control_config_record(struct control_call *call, struct txn *txn,
	const struct control_config *c, uint64_t undone);
/* Loop, in `take`: take the new file into force, later (call->takes). Where the server refuses it, the old one is put
 * back and the call fails. */
bool control_config_take(struct control_call *call, const struct control_config *c);

/* Loop: look at what is in force. One change of a file at a time is control_config_begin()'s. */
void control_rules_begin(struct control_call *call, struct control_rules *r, enum rule_file file);
/* Its number for the log of changes. */
static inline uint64_t
control_rules_no(const struct control_rules *r)
{
	return (uint64_t)(CONTROL_FILE_RULES + r->file) << CONTROL_FILE_SHIFT | r->number;
}
/* Worker: the file gets TEXT, which has been checked; WHAT is for its history. Fails the call. */
bool control_rules_write(struct control_call *call, struct control_rules *r, struct span text,
	const char *what);
/* Worker: the file is what it was before change NUMBER. Fails the call. */
bool control_rules_undo(struct control_call *call, struct control_rules *r, uint32_t number);
/* The same for the file of rules. */
bool control_rules_take(struct control_call *call, const struct control_rules *r);

/* "line 3: is no server, like 192.0.2.1:25; line 9: ..." */
struct span control_rules_faults(struct control_call *call, const struct conf_faults *faults);

/* ["a","b"], as conf_change takes lists. */
struct span control_list_json(struct control_call *call, const struct span *items, size_t count);
/* The same of a list as KEY=VALUE writes it, "a;b", cut at any of SEPARATORS; JSON is left as it is. */
struct span control_list_value(struct control_call *call, struct span value, const char *separators);
/* A member NAME: the value of ENTRY as config.get has it; null where it is too long for a file. */
void control_put_setting(struct json_writer *w, struct span name, const struct conf_entry *entry);
/* Such a member for each key of the item PATH ("connections.0") of a list of TYPE, as CONF has it. */
void control_put_item(
	struct control_call *call, const struct conf *conf, enum setting_type type, struct span path);
/* Such a member for each setting in force whose key begins with PREFIX ("archive."), named by what follows it. */
void control_put_settings(struct control_call *call, struct span prefix);
/* A row for each fault: line, column, key, what, warning. Ends the rows. */
void control_put_faults(struct control_rows *rows, const struct conf_faults *faults);

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
