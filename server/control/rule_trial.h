/*
 * rule_trial.h - rules asked about a message that is only looked at: SMTP rules stage by stage, as the pipeline
 * asks them, download rules at once; and what each of their conditions says.
 */
#ifndef SERVER_CONTROL_RULE_TRIAL_H
#define SERVER_CONTROL_RULE_TRIAL_H

#include "server/control/control_call.h"
#include "server/pipeline/rule_facts.h"

#define TRIAL_RECIPIENTS_MAX 1000

/* What is asked about. */
struct trial_message {
	struct span header;
	uint64_t size;
	bool declared;      /* MAIL said so */
	struct span from;   /* empty: <> */
	struct span *to;     /* download rules: names of users */
	size_t to_count;
	int64_t now_ms;
	unsigned in_mail;   /* of download rules: from 1; 0: none */
};

struct rule_trial {
	const struct rule *rule;  /* NULL: none holds */
	unsigned stage;           /* at which it did */
	size_t recipient_no;      /* at stage 2: for whom */
	bool costly;              /* over RULE_STEPS_MAX: nothing is known */
	struct rule_facts facts[RULE_STAGES + 1]; /* of each stage; at 2 of that recipient, or the first */
};

/* A moment that the parameter PARAM names, or now: rules look at the clock. Fails the call. */
bool control_read_time(struct control_call *call, const char *param, int64_t *now_ms);

/* The parties that the header names, where FROM or TO are empty. In A. */
void trial_read_parties(struct trial_message *m, struct arena *a);

/* Those of TO that are ours as names: what stands before the @. In A. */
void trial_take_names(struct trial_message *m, struct arena *a, const struct conf *conf);

/* For whom READER's collector would find M to be: M->to, and in *FOUND with the reasons. In A. */
struct download_reader;
struct collected_names;
MUST_CHECK enum err trial_find_names(struct trial_message *m, struct arena *a, const struct download_reader *reader,
	struct collected_names *found);

/* An address such as MAIL and RCPT take; those that are none are left out of a trial. In A. */
bool trial_address(struct arena *a, struct span text, struct address *out);

/* Ask at STAGE alone, or (0) at all in order; download rules have one. In A. */
void rule_trial_run(struct rule_trial *out, struct arena *a, const struct rule_set *set,
	const struct trial_message *m, unsigned stage);

/* One condition of RULE in that trial. */
enum rule_truth rule_trial_truth(
	const struct rule_trial *trial, const struct rule *rule, const struct rule_condition *c);

#endif
