/*
 * rule_edit.c - a text of rules changed in place.
 */
#include "conf/rule_edit.h"

/* ---- blocks ---- */

/* Where the line before AT begins. */
static size_t
line_before(struct span text, size_t at)
{
	size_t end = span_find_last(span_range(text, 0, at - 1), '\n');

	return end == at - 1 ? 0 : end + 1;
}

/* Comments right above belong to the rule; AFTER is where they may begin. */
static size_t
block_start(struct span text, size_t definition, size_t after)
{
	size_t at = definition;

	while (at > after) {
		size_t before = line_before(text, at);
		struct span line = span_trim(span_range(text, before, at));

		if (before < after || line.len == 0 || line.ptr[0] != '#' ||
			span_starts(line, SPAN(RULE_OFF)))
			break;
		at = before;
	}
	return at;
}

static size_t
start_of(const struct rule_set *set, size_t place)
{
	if (place >= set->count)
		return set->text.len;
	return block_start(set->text, set->items[place].offset,
		place > 0 ? set->items[place - 1].offset : 0);
}

enum err
rule_block(const struct rule_set *set, unsigned number, struct span *out)
{
	if (number == 0 || number > set->count)
		return ERR_NOT_FOUND;
	*out = span_range(set->text, start_of(set, number - 1), start_of(set, number));
	return OK;
}

/* ---- on and off ---- */

static enum err
put_line(struct buf *out, struct span line)
{
	enum err err = buf_put(out, line);

	return err == OK ? buf_put_char(out, '\n') : err;
}

/* Of a rule that is off: its own line, or a comment that only begins like one? */
static bool
is_switched_off(struct span text)
{
	struct span rest;

	if (!span_starts(text, SPAN(RULE_OFF)))
		return false;
	rest = span_trim(span_from(text, sizeof(RULE_OFF) - 1));
	return rest.len > 0 && rest.ptr[0] != '#';
}

/* A line of the rule's block, from its definition on. */
static enum err
put_switched(struct buf *out, struct span line, bool on)
{
	struct span text = span_trim(line);

	if (on && is_switched_off(text))
		return put_line(out, span_from(text, sizeof(RULE_OFF) - 1));
	if (!on && text.len > 0 && text.ptr[0] != '#') {
		enum err err = buf_put(out, SPAN(RULE_OFF));

		return err == OK ? put_line(out, text) : err;
	}
	if (!on && span_starts(text, SPAN(RULE_OFF))) { /* a comment, which would be a condition of a rule that is off */
		enum err err = buf_put(out, SPAN("# "));

		return err == OK ? put_line(out, text) : err;
	}
	return put_line(out, line);
}

enum err
rule_edit_switch(const struct rule_set *set, unsigned number, bool on, struct buf *out)
{
	size_t from, to;
	struct span rest, line;
	enum err err;

	if (number == 0 || number > set->count)
		return ERR_NOT_FOUND;
	if (set->items[number - 1].off != on)
		return buf_put(out, set->text); /* as it is */
	from = set->items[number - 1].offset;
	to = start_of(set, number);
	rest = span_range(set->text, from, to);
	err = buf_put(out, span_range(set->text, 0, from));
	while (err == OK && span_next_line(&rest, &line))
		err = put_switched(out, line, on);
	return err == OK ? buf_put(out, span_from(set->text, to)) : err;
}

/* ---- moving ---- */

/* A block, which ends with its line. */
static enum err
put_block(struct buf *out, struct span block)
{
	enum err err = buf_put(out, block);

	if (err == OK && block.len > 0 && block.ptr[block.len - 1] != '\n')
		err = buf_put_char(out, '\n');
	return err;
}

enum err
rule_edit_move(const struct rule_set *set, unsigned number, unsigned place, struct buf *out)
{
	struct span block, other;
	bool down = place > number;
	enum err err = rule_block(set, number, &block);

	if (err == OK)
		err = rule_block(set, place, &other);
	if (err != OK)
		return err;
	err = buf_put(out, span_range(set->text, 0, start_of(set, 0)));
	for (unsigned i = 1; i <= set->count && err == OK; i++) {
		if (i == number && i != place)
			continue;
		if (i == place && !down)
			err = put_block(out, block);
		if (err == OK && i != number && (err = rule_block(set, i, &other)) == OK)
			err = put_block(out, other);
		if (err == OK && i == place && down)
			err = put_block(out, block);
	}
	return err;
}

/* ---- one rule more, another one, one less ---- */

static bool
is_one_rule(struct span text, unsigned language)
{
	struct conf_faults faults;
	struct rule_set set;
	struct arena a;
	bool one;

	arena_init(&a, NULL);
	conf_faults_init(&faults);
	one = rule_text_parse(text, language, &a, &set, &faults) == OK && set.count == 1;
	conf_faults_fini(&faults);
	arena_reset(&a);
	return one;
}

enum err
rule_edit_replace(const struct rule_set *set, unsigned number, struct span text, struct buf *out)
{
	enum err err;

	if (number == 0 || number > set->count)
		return ERR_NOT_FOUND;
	if (!is_one_rule(text, set->language))
		return ERR_SYNTAX;
	err = buf_put(out, span_range(set->text, 0, set->items[number - 1].offset));
	if (err == OK)
		err = put_block(out, text);
	if (err == OK && number < set->count) /* apart from the next, as it was */
		err = buf_put_char(out, '\n');
	return err == OK ? buf_put(out, span_from(set->text, start_of(set, number))) : err;
}

enum err
rule_edit_insert(const struct rule_set *set, unsigned place, struct span text, struct buf *out)
{
	size_t at = start_of(set, place > 0 ? place - 1 : 0);
	enum err err = is_one_rule(text, set->language) ? put_block(out, span_range(set->text, 0, at)) : ERR_SYNTAX;

	if (err == OK && at == set->text.len && at > 0)
		err = buf_put_char(out, '\n');
	if (err == OK)
		err = put_block(out, text);
	if (err == OK && at < set->text.len)
		err = buf_put_char(out, '\n');
	return err == OK ? buf_put(out, span_from(set->text, at)) : err;
}

enum err
rule_edit_remove(const struct rule_set *set, const bool *gone, struct buf *out)
{
	enum err err = buf_put(out, span_range(set->text, 0, start_of(set, 0)));
	struct span block;

	for (unsigned i = 1; i <= set->count && err == OK; i++)
		if (!gone[i - 1] && (err = rule_block(set, i, &block)) == OK)
			err = buf_put(out, block);
	return err;
}
