/*
 * rule_words.h - the words of the rule languages: what a rule does, and what a condition looks at.
 *
 * SMTP rules (SMR) and download rules (DLR) share the layout of the text and most of these words. The
 * reader, the checker, the console's pick lists and the manual read the same rows.
 */
#ifndef CONF_RULE_WORDS_H
#define CONF_RULE_WORDS_H

#define RULES_OF_SMTP 1
#define RULES_OF_DOWNLOAD 2
#define RULES_OF_BOTH 3

/*
 * X(id, language, sign, wants_target, sentence). A sign that wants a target ends it: ">bill<name", and
 * ">+bill<name" for bill in addition.
 */
#define RULE_ACTIONS(X) \
	X(ACCEPT, RULES_OF_SMTP, '<', false, "accept") \
	X(REJECT, RULES_OF_SMTP, '*', false, "reject") \
	X(DISCARD, RULES_OF_SMTP, '~', false, "accept and discard") \
	X(REDIRECT, RULES_OF_SMTP, '<', true, "redirect") \
	X(DELETE, RULES_OF_DOWNLOAD, '*', false, "delete and tell") \
	X(DELETE_SILENTLY, RULES_OF_DOWNLOAD, '@', false, "delete silently") \
	X(IGNORE, RULES_OF_DOWNLOAD, '~', false, "leave it there") \
	X(FETCH, RULES_OF_DOWNLOAD, '<', false, "download") \
	X(FETCH_DELETE, RULES_OF_DOWNLOAD, '%', false, "download, then delete at once") \
	X(ASK, RULES_OF_DOWNLOAD, '?', false, "ask") \
	X(ASK_OTHER, RULES_OF_DOWNLOAD, '?', true, "ask somebody else") \
	X(DELETE_OTHER, RULES_OF_DOWNLOAD, '*', true, "delete and tell somebody else") \
	X(FETCH_OTHER, RULES_OF_DOWNLOAD, '<', true, "deliver to somebody else") \
	X(FETCH_DELETE_OTHER, RULES_OF_DOWNLOAD, '%', true, "deliver to somebody else, then delete")

/* X(id, language, word, stage, value): the stage of SMR-04 from which on it is known. */
#define RULE_FIELDS(X) \
	X(SIZE, RULES_OF_BOTH, "Size", 1, RULE_NUMBER) \
	X(TIME, RULES_OF_BOTH, "TimeNow", 1, RULE_HOURS) \
	X(DAY, RULES_OF_BOTH, "DayNow", 1, RULE_DAYS) \
	X(SENDER, RULES_OF_SMTP, "MailFrom", 1, RULE_ADDRESS) \
	X(RECIPIENT, RULES_OF_SMTP, "RcptTo", 2, RULE_ADDRESS) \
	X(COUNT, RULES_OF_SMTP, "RcptCount", 2, RULE_NUMBER) \
	X(NAME, RULES_OF_DOWNLOAD, "Rcpt", 3, RULE_ADDRESS) \
	X(REPT, RULES_OF_DOWNLOAD, "Rept", 3, RULE_ADDRESS) /* as the manual prints it */ \
	X(IN_MAIL, RULES_OF_DOWNLOAD, "InMail", 3, RULE_NUMBERS) \
	X(ANY, RULES_OF_BOTH, "Any", 3, RULE_TEXT) \
	X(HEADER, RULES_OF_BOTH, "", 3, RULE_TEXT) /* any other word: a field of the header */

enum rule_action {
#define X(id, ...) RULE_##id,
	RULE_ACTIONS(X)
#undef X
	RULE_ACTION_COUNT
};

enum rule_field {
#define X(id, ...) RULE_BY_##id,
	RULE_FIELDS(X)
#undef X
	RULE_FIELD_COUNT
};

enum rule_value { RULE_NUMBER, RULE_HOURS, RULE_DAYS, RULE_ADDRESS, RULE_NUMBERS, RULE_TEXT };

#endif
