/*
 * stages.h - the functions that the table of stages names.
 */
#ifndef SERVER_PIPELINE_STAGES_H
#define SERVER_PIPELINE_STAGES_H

#include "server/pipeline/pipeline.h"

struct name;

enum verdict stage_limits(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_sender(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_lan(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_lan_targets(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_mapping(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_maillist(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_unknown(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_outgoing(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_collected(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_question(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_mailbox(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_script(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_script_header(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_store_forward(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_monitor(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_journal_receive(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_journal(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_quota(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_rules(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_rule_copies(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_place(struct pipeline_ask *ask, enum phase phase, struct plan *plan);
enum verdict stage_archive(struct pipeline_ask *ask, enum phase phase, struct plan *plan);

/*
 * Look up ask->wants and add whom they mean to ask->names, from step 2 of RTE-01 on. ERR_NOT_FOUND: nobody knows any of
 * them; ERR_DENIED: none but users who take no mail from outside; ERR_LIMIT: too many.
 */
MUST_CHECK enum err wants_resolve(struct pipeline_ask *ask, struct plan *plan);

/* postmaster and abuse: somebody on every host (RFC 5321, 4.5.1; RFC 2142; ADM-13). */
bool recipient_is_role(const struct pipeline_ask *ask);
/*
 * The LAN rules for NAME, an address elsewhere that the sender may write to or that somebody here chose: then it goes
 * by the route of the rule. UNKNOWN: of an address of ours, which nobody has, the ~@ lines count too.
 */
MUST_CHECK enum err lan_look_again(
	struct pipeline_ask *ask, struct name *name, bool unknown, struct plan *plan);
/* The LAN rules ~@domain of the recipient, into ask->names (LAN-04). ERR_NOT_FOUND: none fits. */
MUST_CHECK enum err lan_rest(struct pipeline_ask *ask, struct plan *plan);
/* The mappings ~@domain of the recipient, into ask->wants (MAP-05). */
MUST_CHECK enum err mapping_rest(struct pipeline_ask *ask, struct plan *plan);

/*
 * ACC-06: a range of ours. A line of named users is for them, and they log in (ACC-04); a line for
 * everybody lets in, and an open relay has a setting of its own (SMT-07, relay_check none).
 */
bool stage_is_relay_range(struct access_decision access);

/*
 * AT_END: copies for all whom TARGET means, as a rule wants them. ALSO: besides the others, so that nobody who may
 * have one is no fault.
 */
enum verdict rules_place(struct pipeline_ask *ask, struct span target, const char *why, bool also,
	struct plan *plan);
/* AT_END: it is kept nowhere, nor archived; the other copies have been removed. WHY is static text. */
enum verdict rules_discard(struct pipeline_ask *ask, const char *why, struct plan *plan);

struct script_answer;
/* Notes of what a script said, or why it counts as not there. */
void script_answer_note(struct plan *plan, const struct script_answer *answer);

/* The store could not be read (logged there): 451, and nothing is lost. */
enum verdict stage_trouble(struct plan *plan);

#endif
