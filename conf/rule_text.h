/*
 * rule_text.h - the rule languages: SMTP rules (SMR-02 to 07) and download rules (DLR-03 to 06), texts of
 * lines that lie beside the configuration.
 *
 *     # a comment, a line of its own
 *     3+*Reject Spam                        a rule: stage (SMTP only), + for "any of", action, name
 *     From: *inbox@inboxexpress.com*        its conditions, each a line: [!]Field: text
 *     !Subject: "good"
 *
 *     2>bill<Mail of sales on Sundays       redirect to bill; >+bill< : to bill as well
 *     RcptTo: sales@example.org
 *     DayNow: 1
 *
 *     #off *No mail at night                a rule that is switched off, with its conditions
 *     #off TimeNow: 22:00-6:00
 *
 * Rules are asked in the order of the file and the first that holds ends it. Text has to be the whole
 * value (SMTP), or to stand in it (download; in double quotes the whole value there too). A line may be
 * indented. A bad line refuses the text as a whole.
 */
#ifndef CONF_RULE_TEXT_H
#define CONF_RULE_TEXT_H

#include "conf/conf_faults.h"
#include "conf/rule_pattern.h"
#include "conf/rule_words.h"

#define RULE_TEXT_MAX (10 * 1024 * 1024) /* bytes (H75) */
#define RULES_MAX 100000                 /* of a text (H75) */
#define RULE_CONDITIONS_MAX 400000       /* of a text */
#define RULE_ANY_MAX 1000                /* conditions `Any`, each looks at a whole header */
#define RULE_LINE_MAX 2048               /* bytes */
#define RULE_RANGES_MAX 100              /* of one InMail */
#define RULE_OFF "#off "                 /* in front of each line of a rule that is switched off */
#define RULE_STAGES 3

struct rule_range {
	unsigned from, to;
};

struct rule_condition {
	uint32_t line;         /* in the file, from 1 */
	enum rule_field field;
	bool negated;
	bool exists;           /* no text: the field is there */
	bool equal;            /* RULE_NUMBER: "=n", else greater than n */
	uint8_t days;          /* bit 1: Sunday ... bit 7: Saturday */
	uint16_t from, to;     /* RULE_HOURS: minutes of the day, TO excluded; TO may be before FROM */
	uint32_t name;         /* RULE_BY_HEADER: its place in rule_set.names */
	uint32_t range_count;
	uint64_t number;
	const struct rule_range *ranges;
	struct span word, text; /* as they were written */
	struct rule_pattern pattern;
};

struct rule {
	uint32_t number, line; /* from 1; those that are off count too */
	uint64_t key;          /* of its definition: its counters are found by it */
	size_t offset;         /* of that line in the text */
	uint8_t stage;         /* 1 to 3 */
	bool stage_given;
	bool off;
	bool any;              /* one condition is enough */
	bool also;             /* the target gets it too, not instead */
	bool timed;            /* looks at the clock: a refusal is for now (SMR-08) */
	bool names_recipient;  /* RcptTo: at stage 2 it is about one recipient */
	bool asks_size;        /* and without a stage it is tried at stage 3 too */
	enum rule_action action;
	struct span target, name;
	const struct rule_condition *conditions;
	size_t condition_count;
};

struct rule_set {
	unsigned language;     /* RULES_OF_SMTP or RULES_OF_DOWNLOAD */
	const struct rule *items; /* in the order of the file */
	size_t count;
	const uint32_t *at[RULE_STAGES + 1]; /* places of those that are on, by the stage that may ask them */
	size_t at_count[RULE_STAGES + 1];
	const struct span *names; /* lower-case names of header fields that are asked for */
	size_t name_count;
	const uint32_t *name_slots; /* place + 1, by hash; name_mask + 1 of them */
	size_t name_mask;
	bool asks_any;
	struct span text;      /* all of it */
};

/*
 * Read TEXT; all that *out points to lives in A. ERR_SYNTAX: a bad line; FAULTS has all of them, with line
 * and column, and what is odd but taken. ERR_LIMIT: too long or too many, also a fault.
 */
MUST_CHECK enum err rule_text_parse(struct span text, unsigned language, struct arena *a,
	struct rule_set *out, struct conf_faults *faults);

/* The place of a header field's name in set->names; set->name_count: no rule asks for it. */
size_t rule_set_name(const struct rule_set *set, struct span name);

/* "<", "*", ">bill<", ">+bill<": the language's own sign. In A. */
struct span rule_sign(struct arena *a, const struct rule *rule);
/* "reject", "copy": in words; static. */
const char *rule_action_text(const struct rule *rule);
/* "!Subject: *sex*": the condition again, in one form. In A. */
struct span rule_condition_text(struct arena *a, const struct rule_condition *condition);
/* "2>bill<Sundays": the definition again. In A. */
struct span rule_definition_text(struct arena *a, const struct rule *rule);

extern const char *const rule_field_words[RULE_FIELD_COUNT];
extern const uint8_t rule_field_stages[RULE_FIELD_COUNT];
extern const enum rule_value rule_field_values[RULE_FIELD_COUNT];

#endif
