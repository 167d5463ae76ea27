/*
 * control_rule_file.h - the steps of methods that look at a file of rules, or put a text in force: the
 * same for every kind of rules.
 */
#ifndef SERVER_CONTROL_CONTROL_RULE_FILE_H
#define SERVER_CONTROL_CONTROL_RULE_FILE_H

#include "server/control/control_undo.h"

/* Whose rules a method of `rule smtp` or `rule download` means. */
enum rule_file rule_file_of(const struct rpc_request *request);

struct rule_change {
	struct control_config config; /* first: one change of a file at a time */
	struct control_rules rules;
	size_t count; /* rules of the new text */
};

/* `check` of a change: call->state is a struct rule_change. */
bool rule_file_begin(struct control_call *call, enum rule_file file);
/* The same with C, which stands first in a state of the handler's own. */
bool rule_file_begin_in(struct control_call *call, enum rule_file file, struct rule_change *c);
/* False: the call fails with FAULTS of its text, and the place of the first. */
bool rule_file_refuse(struct control_call *call, const struct conf_faults *faults);
/* `work`: the text of the parameter `file` becomes the file's. */
bool rule_file_work(struct control_call *call);
/* The same for a TEXT that was made. */
bool rule_file_put(struct control_call *call, struct span text);
enum step rule_file_foresee(struct control_call *call, struct snapshot *snap);
bool rule_file_take(struct control_call *call);
enum err rule_file_change(struct control_call *call, struct txn *txn);
void rule_file_finish(struct control_call *call); /* "12 LAN rules in force" */

/* `would` of a text that is applied: "would put the LAN rules of this text in force" */
struct span rule_file_would(struct control_call *call, enum rule_file file);
/* Members of every handler that puts a text in force; `check`, `work`, `foresee` and `finish` come besides. */
#define RULE_FILE_CHANGES                                                                          \
	.work_kind = WORK_GENERAL, .take = rule_file_take, .change = rule_file_change,             \
	.object = "the rules", .unrecorded = true

/* TEXT is of the configuration that the call holds. Of what is longer than any reply only so much is looked at. */
void rule_file_answer(struct control_call *call, struct span text);
/* `start` of a method that shows the text in force. */
void rule_file_show(struct control_call *call, enum rule_file file);
/* `check` of a method that only looks: call->state is a struct control_rules. */
bool rule_file_look(struct control_call *call, enum rule_file file);
/* Its `work`: the text of the parameter `file`, or what stands in the file now. Fails the call. */
bool rule_file_text(struct control_call *call, struct span *text);

#endif
