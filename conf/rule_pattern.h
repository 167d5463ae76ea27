/*
 * rule_pattern.h - text with wildcards laid against text, many patterns against one text.
 *
 * '*' is any run, '?' one byte, ASCII letters compare without case; the whole text has to fit. What a
 * text says is folded once, with the set of its pairs of bytes: nearly all patterns that do not fit are
 * told by that set and never look at the text (H75).
 */
#ifndef CONF_RULE_PATTERN_H
#define CONF_RULE_PATTERN_H

#include "proto/base/arena.h"

#define RULE_PAIRS_MAX 4 /* of a pattern that are asked for */
#define RULE_PAIR_BITS 1024
#define RULE_STEPS_MAX 16000000 /* bytes compared for one question, 10 ms or so */

struct rule_text {
	struct span lower;
	uint64_t pairs[RULE_PAIR_BITS / 64];
};

struct rule_pattern {
	struct span lower;
	struct span inner; /* of "*inner*" and "inner": what to look for */
	enum { PATTERN_WILD, PATTERN_WHOLE, PATTERN_INSIDE } kind;
	uint8_t pair_count;
	uint16_t pairs[RULE_PAIRS_MAX];
};

/* The text of a pattern; all that *out points to lives in A. INSIDE: it may stand anywhere in the text. */
void rule_pattern_make(struct arena *a, struct span text, bool inside, struct rule_pattern *out);

/* TEXT folded, in A. */
void rule_text_make(struct arena *a, struct span text, struct rule_text *out);
/* The pairs of TEXT join those of *all. */
void rule_text_join(struct rule_text *all, const struct rule_text *text);

/* False: it does not fit; true says nothing yet. Takes the time of RULE_PAIRS_MAX look-ups. */
bool rule_pattern_may_fit(const struct rule_pattern *pattern, const struct rule_text *text);
/*
 * Does it fit? What it costs, about a byte compared each, is added to *steps first; where these are over
 * RULE_STEPS_MAX then, it is not looked at, and the answer is worth nothing.
 */
bool rule_pattern_fits(
	const struct rule_pattern *pattern, const struct rule_text *text, uint64_t *steps);

#endif
