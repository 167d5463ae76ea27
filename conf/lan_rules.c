/*
 * lan_rules.c - the text of the LAN forwarding rules, and looking a recipient up.
 */
#include "conf/lan_rules.h"

#include <string.h>

#include "proto/base/ascii.h"
#include "proto/base/hash64.h"
#include "proto/base/utf8.h"

#define KEY_MAX (1 + ADDRESS_LOCAL_PART_MAX + 1 + ADDRESS_DOMAIN_MAX)

/* ---- chains ---- */

/* What a hash finds: "local@domain", "local@" in any valid domain, "@domain", each of ~@ lines with '~'. */
struct rule_key {
	char bytes[KEY_MAX];
	size_t len;
};

static void
key_add(struct rule_key *key, struct span text)
{
	for (size_t i = 0; i < text.len && key->len < KEY_MAX; i++)
		key->bytes[key->len++] = ascii_lower(text.ptr[i]);
}

static struct rule_key
key_of(bool rest, struct span local, struct span domain)
{
	struct rule_key key = { .len = 0 };

	if (rest)
		key_add(&key, SPAN("~"));
	key_add(&key, local);
	key_add(&key, SPAN("@"));
	key_add(&key, domain);
	return key;
}

static size_t
key_slot(const struct lan_rules *rules, const struct rule_key *key)
{
	static const struct hash64_key fixed; /* the table is the administrator's own */

	return hash64(fixed, (struct span){ key->bytes, key->len }) & rules->slot_mask;
}

static bool
has_wildcard(struct span pattern)
{
	return span_find_any(pattern, SPAN("*?")) < pattern.len;
}

/* The chain that a rule lies in; false: it is one of those which are walked. */
static bool
rule_has_key(const struct lan_rule *rule, struct rule_key *key)
{
	bool local_is_open = rule->is_rest || has_wildcard(rule->local);

	if (has_wildcard(rule->domain) || (rule->domain.len == 0 && local_is_open))
		return false;
	*key = key_of(rule->is_rest, local_is_open ? SPAN_NONE : rule->local, rule->domain);
	return true;
}

/* ---- reading ---- */

struct reading {
	struct arena *arena;
	struct conf_faults *faults;
	struct lan_rule *items;
	struct lan_rules *out;
	struct span line;
	size_t number; /* of the line */
	size_t walked;
	bool bad;
};

/* Always false: the line is bad. */
static bool
fault(struct reading *r, struct span at, const char *why)
{
	size_t column = at.ptr ? (size_t)(at.ptr - r->line.ptr) + 1 : 1;

	r->bad = true;
	conf_fault_add(r->faults, (struct yaml_place){ .line = (unsigned)r->number, .column = (unsigned)column },
		SPAN_NONE, "%s", why);
	return false;
}

static bool
next_field(struct span *rest, struct span *field)
{
	*rest = span_trim(*rest);
	if (rest->len == 0 || rest->ptr[0] == '#')
		return false;
	*field = span_range(*rest, 0, span_find_any(*rest, SPAN(" \t")));
	*rest = span_from(*rest, field->len);
	return true;
}

/* "3", "1-5"; else the name of a collector. */
static bool
read_source(struct span word, struct lan_source *out)
{
	struct span first, last;
	uint64_t from, to;

	*out = (struct lan_source){ .name = word };
	if (!span_cut(word, '-', &first, &last))
		last = first;
	if (span_u64(span_trim(first), 10000, &from) != OK || span_u64(span_trim(last), 10000, &to) != OK)
		return !ascii_is_digit(word.ptr[0]) || span_find(word, '-') == word.len;
	*out = (struct lan_source){ .from = (unsigned)from, .to = (unsigned)to };
	return from > 0 && to >= from;
}

static bool
read_condition(struct reading *r, struct span word, struct lan_rule *rule, struct lan_source *sources)
{
	if (word.len == 0)
		return fault(r, word, "a condition is empty");
	if (span_eq_nocase(word, SPAN("pop3")))
		rule->pop3 = true;
	else if (span_eq_nocase(word, SPAN("smtp")))
		rule->smtp = true;
	else if (rule->source_count == LAN_CONDITIONS_MAX)
		return fault(r, word, "over 100 conditions");
	else if (!read_source(word, &sources[rule->source_count++]))
		return fault(r, word, "a range of collectors is like 1-5");
	return true;
}

/* What stands in brackets in front. */
static bool
read_conditions(struct reading *r, struct span *rest, struct lan_rule *rule)
{
	struct lan_source sources[LAN_CONDITIONS_MAX], *kept;
	struct span all = span_trim(*rest), inside, word;
	bool more = true;

	if (!span_starts(all, SPAN("(")))
		return true;
	if (!span_cut(span_from(all, 1), ')', &inside, rest))
		return fault(r, all, "the bracket is not closed");
	rule->is_conditional = true;
	while (more) {
		more = span_cut(inside, ',', &word, &inside);
		if (!read_condition(r, span_trim(word), rule, sources))
			return false;
	}
	kept = ARENA_ARRAY(r->arena, struct lan_source, rule->source_count + 1);
	memcpy(kept, sources, rule->source_count * sizeof(*kept));
	rule->sources = kept;
	return true;
}

/* A domain, or one with wildcards: nothing that a recipient's domain could not have. */
static bool
is_domain_pattern(struct span pattern)
{
	return pattern.len > 0 && pattern.len <= ADDRESS_DOMAIN_MAX &&
		(has_wildcard(pattern) || domain_is_valid(pattern) || domain_is_literal(pattern));
}

static bool
is_local_pattern(struct span pattern)
{
	return pattern.len > 0 && pattern.len <= ADDRESS_LOCAL_PART_MAX;
}

static bool
read_pattern(struct reading *r, struct span field, struct lan_rule *rule)
{
	struct span pattern = arena_lower(r->arena, field);
	size_t at = span_find_last(pattern, '@');
	bool has_domain = at < pattern.len;

	rule->is_rest = span_starts(pattern, SPAN("~@"));
	rule->local = span_range(pattern, 0, at);
	rule->domain = has_domain ? span_from(pattern, at + 1) : SPAN_NONE;
	rule->any_local = rule->is_rest || span_eq(rule->local, SPAN("*"));
	if (has_domain && !is_domain_pattern(rule->domain))
		return fault(r, field, "what follows the @ is no domain");
	if (!is_local_pattern(rule->local) || (rule->local.ptr[0] == '~' && !rule->is_rest) ||
		span_find_any(rule->local, SPAN("@\"<>(),:;[]\\")) < rule->local.len)
		return fault(r, field, "is no address, pattern or ~@domain");
	return true;
}

static bool
read_target(struct reading *r, struct span field, struct lan_rule *rule)
{
	struct lan_target target;

	if (lan_target_parse(field, &target) != OK)
		return fault(r, field, "is no server, like 192.0.2.1:25");
	rule->target = lan_target_format(r->arena, &target);
	return true;
}

static bool
read_rewrite(struct reading *r, struct span field, struct lan_rule *rule)
{
	struct address address;
	struct span domain = span_from(field, 2);

	if (span_starts(field, SPAN("*@")) && (domain_is_valid(domain) || domain_is_literal(domain))) {
		rule->rewrite = arena_copy(r->arena, field);
		return true;
	}
	if (has_wildcard(field) || address_parse(r->arena, field, &address) != OK ||
		address.domain.len == 0)
		return fault(r, field, "is no address to rewrite to, nor *@domain");
	rule->rewrite = address.text;
	return true;
}

/* One line. False: it is none, or bad. */
static bool
read_line(struct reading *r, struct lan_rule *rule)
{
	struct span rest = r->line, field;

	*rule = (struct lan_rule){ .line = (uint32_t)r->number };
	if (r->line.len > LAN_RULE_LINE_MAX)
		return fault(r, SPAN_NONE, "the line is over 2048 bytes");
	if (span_has_control(r->line, SPAN("\t")) || !utf8_is_valid(r->line))
		return fault(r, SPAN_NONE, "holds control characters, or is not UTF-8");
	if (!read_conditions(r, &rest, rule))
		return false;
	if (!next_field(&rest, &field)) {
		return rule->is_conditional && fault(r, rest, "an address pattern is missing");
	}
	if (!read_pattern(r, field, rule))
		return false;
	if (!next_field(&rest, &field))
		return fault(r, rest, "a server is missing");
	if (!read_target(r, field, rule))
		return false;
	if (next_field(&rest, &field) && !read_rewrite(r, field, rule))
		return false;
	if (next_field(&rest, &field))
		return fault(r, field, "there is more than pattern, server and address");
	return true;
}

/* ---- the table ---- */

/* From the last to the first, so that each chain is in the order of the file. */
static void
link_rules(struct reading *r)
{
	struct lan_rules *rules = r->out;
	uint32_t *slots;
	size_t size = 16;

	while (size < 2 * rules->count)
		size *= 2;
	rules->slot_mask = size - 1;
	rules->slots = slots = ARENA_ARRAY(r->arena, uint32_t, size);
	for (size_t i = rules->count; i-- > 0;) {
		struct lan_rule *rule = &r->items[i];
		struct rule_key key;
		uint32_t *head = rule->is_rest ? &rules->walked_rest : &rules->walked;

		if (rule_has_key(rule, &key))
			head = &slots[key_slot(rules, &key)];
		rule->next = *head;
		*head = (uint32_t)(i + 1);
	}
}

static bool
keep_rule(struct reading *r, const struct lan_rule *rule)
{
	struct rule_key key;

	if (r->out->count == LAN_RULES_MAX)
		return fault(r, SPAN_NONE, "more than 100000 rules");
	r->walked += !rule_has_key(rule, &key);
	if (r->walked > LAN_RULES_WALKED_MAX)
		return fault(r, SPAN_NONE, "more than 5000 rules with a wildcard in the domain, or in a "
			"local-part without one");
	r->items[r->out->count++] = *rule;
	return true;
}

static size_t
count_lines(struct span text)
{
	size_t lines = 1;

	while (text.len > 0) {
		text = span_from(text, span_find(text, '\n') + 1);
		lines++;
	}
	return lines < LAN_RULES_MAX ? lines : LAN_RULES_MAX;
}

enum err
lan_rules_parse(
	struct span text, struct arena *a, struct lan_rules *out, struct conf_faults *faults)
{
	struct reading r = { .arena = a, .faults = faults, .out = out };
	struct lan_rule rule;
	struct span rest;
	bool room = true;

	*out = (struct lan_rules){ .count = 0 };
	if (text.len > LAN_RULES_TEXT_MAX) {
		fault(&r, SPAN_NONE, "the text is over 10 MiB");
		return ERR_LIMIT;
	}
	rest = out->text = arena_copy(a, text);
	if (span_starts(rest, SPAN("\xef\xbb\xbf"))) /* a byte order mark of an editor */
		rest = span_from(rest, 3);
	r.items = ARENA_ARRAY(a, struct lan_rule, count_lines(text));
	while (room && span_next_line(&rest, &r.line)) {
		r.number++;
		if (read_line(&r, &rule))
			room = keep_rule(&r, &rule);
	}
	out->items = r.items;
	link_rules(&r);
	return !room ? ERR_LIMIT : r.bad ? ERR_SYNTAX : OK;
}

/* ---- looking up ---- */

static bool
source_holds(const struct lan_rule *rule, const struct lan_query *query)
{
	for (size_t i = 0; i < rule->source_count; i++) {
		const struct lan_source *s = &rule->sources[i];

		if (s->from == 0 ? span_eq_nocase(s->name, query->collector) :
				   query->collector_no >= s->from && query->collector_no <= s->to)
			return true;
	}
	return false;
}

static bool
rule_fits(const struct lan_rule *rule, const struct lan_query *query, bool rest)
{
	const struct address *to = query->to;

	if (rule->is_rest != rest)
		return false;
	if (rule->domain.len == 0 ? !query->domain_is_valid :
				    !span_match_wildcard(rule->domain, to->domain))
		return false;
	if (!rule->any_local && !span_match_wildcard(rule->local, to->local_part))
		return false;
	if (!rule->is_conditional)
		return true;
	return (rule->pop3 && query->pop3) || (rule->smtp && query->smtp) ||
		(query->collector_no > 0 && source_holds(rule, query));
}

/* The first of a chain that fits and stands before *best. */
static void
ask_chain(const struct lan_rules *rules, uint32_t at, const struct lan_query *query, bool rest,
	const struct lan_rule **best)
{
	while (at > 0) {
		const struct lan_rule *rule = &rules->items[at - 1];

		if (*best && rule >= *best)
			return;
		if (rule_fits(rule, query, rest)) {
			*best = rule;
			return;
		}
		at = rule->next;
	}
}

const struct lan_rule *
lan_rules_match(const struct lan_rules *rules, const struct lan_query *query, bool rest)
{
	struct span local = rest ? SPAN_NONE : query->to->local_part, domain = query->to->domain;
	const struct rule_key keys[] = { key_of(rest, local, domain), key_of(rest, SPAN_NONE, domain),
		key_of(rest, local, SPAN_NONE) };
	const struct lan_rule *best = NULL;

	if (rules->count == 0)
		return NULL;
	for (size_t i = 0; i < COUNT(keys); i++)
		ask_chain(rules, rules->slots[key_slot(rules, &keys[i])], query, rest, &best);
	ask_chain(rules, rest ? rules->walked_rest : rules->walked, query, rest, &best);
	return best;
}

enum err
lan_rule_address(
	const struct lan_rule *rule, struct arena *a, const struct address *to, struct address *out)
{
	if (rule->rewrite.len == 0) {
		*out = *to;
		return OK;
	}
	if (span_starts(rule->rewrite, SPAN("*@")))
		return address_with_domain(a, to, span_from(rule->rewrite, 2), out);
	return address_parse(a, rule->rewrite, out);
}

static bool
is_among(const struct conf_collectors *all, const struct lan_source *source)
{
	if (source->from > 0)
		return source->to <= all->count;
	for (size_t i = 0; i < all->count; i++)
		if (span_eq_nocase(all->items[i].name, source->name))
			return true;
	return false;
}

void
lan_rules_check_collectors(
	const struct lan_rules *rules, const struct conf_collectors *all, struct conf_faults *faults)
{
	for (size_t i = 0; i < rules->count; i++) {
		const struct lan_rule *rule = &rules->items[i];

		for (size_t n = 0; n < rule->source_count; n++)
			if (!is_among(all, &rule->sources[n]))
				conf_warning_add(faults, (struct yaml_place){ .line = rule->line, .column = 1 }, SPAN_NONE,
					"names a collector that is not there");
	}
}
