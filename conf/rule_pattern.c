/*
 * rule_pattern.c - text with wildcards laid against text.
 */
#include "conf/rule_pattern.h"

#include <string.h>

#define INSIDE_COST 4 /* bytes that a search for plain text passes in the time of one compared */

static unsigned
pair_bit(char a, char b)
{
	return ((unsigned)(unsigned char)a * 37 + (unsigned)(unsigned char)b * 5) % RULE_PAIR_BITS;
}

static bool
is_wild(char c)
{
	return c == '*' || c == '?';
}

/* Pairs that have to occur: those from all over the pattern, for its first ones are often the same. */
static void
choose_pairs(struct rule_pattern *p)
{
	size_t plain = 0, step, seen = 0;

	for (size_t i = 1; i < p->lower.len; i++)
		plain += !is_wild(p->lower.ptr[i - 1]) && !is_wild(p->lower.ptr[i]);
	step = plain > RULE_PAIRS_MAX ? plain / RULE_PAIRS_MAX : 1;
	for (size_t i = 1; i < p->lower.len && p->pair_count < RULE_PAIRS_MAX; i++) {
		char a = p->lower.ptr[i - 1], b = p->lower.ptr[i];

		if (!is_wild(a) && !is_wild(b) && seen++ % step == 0)
			p->pairs[p->pair_count++] = (uint16_t)pair_bit(a, b);
	}
}

void
rule_pattern_make(struct arena *a, struct span text, bool inside, struct rule_pattern *out)
{
	struct span lower = inside ? arena_printf(a, "*%.*s*", SPAN_FMT(text)) : text;
	size_t wild = 0;

	*out = (struct rule_pattern){ .lower = arena_lower(a, lower) };
	lower = out->lower;
	for (size_t i = 0; i < lower.len; i++)
		wild += is_wild(lower.ptr[i]);
	if (wild == 0) {
		out->kind = PATTERN_WHOLE;
		out->inner = lower;
	} else if (wild == 2 && lower.len > 2 && lower.ptr[0] == '*' && lower.ptr[lower.len - 1] == '*') {
		out->kind = PATTERN_INSIDE;
		out->inner = span_range(lower, 1, lower.len - 1);
	}
	choose_pairs(out);
}

void
rule_text_make(struct arena *a, struct span text, struct rule_text *out)
{
	*out = (struct rule_text){ .lower = arena_lower(a, text) };
	for (size_t i = 1; i < out->lower.len; i++) {
		unsigned bit = pair_bit(out->lower.ptr[i - 1], out->lower.ptr[i]);

		out->pairs[bit / 64] |= UINT64_C(1) << bit % 64;
	}
}

void
rule_text_join(struct rule_text *all, const struct rule_text *text)
{
	for (size_t i = 0; i < COUNT(all->pairs); i++)
		all->pairs[i] |= text->pairs[i];
}

bool
rule_pattern_may_fit(const struct rule_pattern *p, const struct rule_text *text)
{
	for (unsigned i = 0; i < p->pair_count; i++)
		if (!(text->pairs[p->pairs[i] / 64] >> p->pairs[i] % 64 & 1))
			return false;
	return true;
}

bool
rule_pattern_fits(const struct rule_pattern *p, const struct rule_text *text, uint64_t *steps)
{
	*steps += 1;
	if (!rule_pattern_may_fit(p, text))
		return false;
	if (p->kind == PATTERN_WHOLE)
		return span_eq(p->inner, text->lower);
	if (p->kind == PATTERN_INSIDE) {
		*steps += text->lower.len / INSIDE_COST;
		return *steps <= RULE_STEPS_MAX &&
			memmem(text->lower.ptr, text->lower.len, p->inner.ptr, p->inner.len) != NULL;
	}
	*steps += text->lower.len * (1 + p->lower.len);
	return *steps <= RULE_STEPS_MAX && span_match_wildcard(p->lower, text->lower);
}
