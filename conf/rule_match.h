/*
 * rule_match.h - which rule holds for a message.
 *
 * Pure: what is known about the message is given, the clock too. Each condition is true, false or not
 * known yet; what is not known holds neither plain nor negated (contract 8, Q-30). Time is in step with
 * the number of rules; what texts cost is counted against a limit, so no header makes a rule set slow
 * (H75).
 */
#ifndef CONF_RULE_MATCH_H
#define CONF_RULE_MATCH_H

#include "conf/rule_text.h"

/* A field of the header: as it came, and decoded where that differs (RFC 2047). */
struct rule_header_field {
	struct rule_header_field *next;     /* of the same name */
	struct rule_header_field *next_any; /* of all, where the set asks for Any */
	struct rule_text raw, decoded;
	bool has_decoded;
};

struct rule_header {
	struct rule_header_field **by_name; /* set->name_count of them */
	struct rule_header_field *all;
};

void rule_header_init(struct rule_header *header, struct arena *a, const struct rule_set *set);
bool rule_header_wants(const struct rule_set *set, struct span name);
/* VALUE without its folds; DECODED: the same, or ptr NULL. Both are copied. */
void rule_header_add(struct rule_header *header, struct arena *a, const struct rule_set *set,
	struct span name, struct span value, struct span decoded);

struct rule_facts {
	unsigned stage;                    /* 1 to 3; download rules: 3 */
	bool has_size;
	bool declared;                     /* the sender said the size at MAIL, so earlier stages knew it */
	uint64_t size;
	unsigned day, minute;              /* local: 1 = Sunday; of the day */
	struct rule_text sender;           /* empty: <> */
	const struct rule_text *recipients; /* MailFrom's counterpart; download: names of users */
	size_t recipient_count;
	struct rule_text recipient_pairs;  /* of all of them */
	uint64_t count;                    /* RcptCount */
	const struct rule_header *header;  /* NULL: not there yet */
	unsigned in_mail;                  /* from 1; 0: none */
};

enum rule_truth { RULE_FALSE, RULE_TRUE, RULE_UNKNOWN };

enum rule_truth rule_condition_holds(
	const struct rule_condition *condition, const struct rule_facts *facts, uint64_t *steps);
/* TRUTHS may be NULL; else it gets an answer for each condition. */
bool rule_holds(const struct rule *rule, const struct rule_facts *facts, uint64_t *steps,
	enum rule_truth *truths);

struct rule_answer {
	const struct rule *rule;     /* that holds; NULL: none */
	uint32_t first, last, asked; /* numbers of those that do not, and how many they are */
};

/* The first rule of facts->stage that holds. ERR_LIMIT: over RULE_STEPS_MAX, be it by one rule; nothing is known. */
MUST_CHECK enum err rule_set_ask(
	const struct rule_set *set, const struct rule_facts *facts, struct rule_answer *out);

/* Is RULE asked at that stage, with these facts? */
bool rule_is_asked(const struct rule *rule, const struct rule_facts *facts);

#endif
