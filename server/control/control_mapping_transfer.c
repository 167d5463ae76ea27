/*
 * control_mapping_transfer.c - `mapping import` and `mapping export`: CSV of address,target (MAP-15,
 * MAP-16), or with when, collect and comment behind them.
 *
 * --replace makes the table what the file says: new lines come first and what the file does not name
 * goes after them, so mail finds its way meanwhile. With a bad line it changes nothing at all, unless
 * --skip-bad says that the others are enough.
 *
 *	work  reads the lines and finds bad ones     read  finds what is to go
 */
#include <stdlib.h>
#include <string.h>

#include "proto/base/ascii.h"
#include "proto/control/mapping_lines.h"
#include "server/control/control_fields.h"
#include "server/control/control_transfer.h"
#include "store/key.h"
#include "store/mappings.h"

#define LAYOUT_FULL 1 /* bits of transfer_out.layout */
#define LAYOUT_LOST 2 /* two fields did not hold all of a mapping */
#define BAD_NAMED 5 /* bad lines in the sentence that refuses all */

/* A line by what makes it the same mapping as another. */
struct known {
	uint64_t hash;
	size_t line; /* its place among the items */
};

struct mappings_in {
	struct transfer_in in; /* first: transfer_in_*() know it */
	struct known *known;   /* of the good lines, by hash */
	size_t good, wildcards;
	size_t bad;
	struct span bad_named; /* "line 3: has no target; line 9: ..." */
};

/* ---- a line ---- */

static enum err
when_take(struct span word, struct mapping *m)
{
	for (uint8_t i = 0; mapping_when_words[i]; i++) {
		m->when = i;
		if (word.len == 0 || span_eq_nocase(word, span_of(mapping_when_words[i])))
			return OK;
	}
	return ERR_SYNTAX;
}

/* LINE as a mapping; *why says what is wrong. Pure. */
static enum err
mapping_of_line(struct arena *a, struct span line, struct mapping *m, const char **why)
{
	struct mapping_line parts;
	enum err err = mapping_line_parse(a, line, &parts, why);

	if (err != OK)
		return err;
	*m = (struct mapping){.pattern = parts.address,
		.target = parts.target,
		.collect = parts.collect,
		.comment = parts.comment};
	*why = "the third field is none of always, pop3, smtp, sender";
	err = when_take(parts.when, m);
	if (err != OK)
		return err;
	*why = "the address is no pattern";
	err = mapping_pattern_check(m->pattern);
	if (err != OK)
		return err;
	*why = control_characters(m->comment) > MAPPING_COMMENT_MAX
		       ? "the comment has over 80 characters"
		       : "a field is too long";
	return control_characters(m->comment) > MAPPING_COMMENT_MAX ||
			       m->target.len > MAPPING_TARGET_MAX ||
			       m->collect.len > MAPPING_COLLECT_MAX
		       ? ERR_LIMIT
		       : OK;
}

static uint64_t
add_hash(uint64_t hash, struct span text)
{
	char lower[MAPPING_PATTERN_MAX];
	size_t len = text.len < sizeof(lower) ? text.len : sizeof(lower);

	for (size_t i = 0; i < len; i++)
		lower[i] = ascii_lower(text.ptr[i]);
	return hash * 31 + key_hash((struct span){lower, len});
}

static uint64_t
mapping_hash(const struct mapping *m)
{
	return add_hash(add_hash(add_hash(m->when, m->pattern), m->target), m->collect);
}

static bool
is_same(const struct mapping *a, const struct mapping *b)
{
	return a->when == b->when && span_eq_nocase(a->pattern, b->pattern) &&
	       span_eq_nocase(a->target, b->target) && span_eq_nocase(a->collect, b->collect);
}

/* ---- work: what the lines say ---- */

static bool
in_check(struct control_call *call)
{
	struct mappings_in *in = ARENA_NEW(&call->arena, struct mappings_in);

	transfer_in_init(call, &in->in);
	call->state = in;
	return true;
}

static void
bad_line(struct control_call *call, struct mappings_in *in, size_t i, const char *why)
{
	struct span line = arena_printf(&call->arena, "%.*s: %s", SPAN_FMT(in->in.keys[i]), why);

	if (call->foresees)
		control_foresee(call, line);
	if (in->bad++ < BAD_NAMED)
		in->bad_named = arena_printf(&call->arena, "%.*s%s%.*s", SPAN_FMT(in->bad_named),
			in->bad_named.len ? "; " : "", SPAN_FMT(line));
}

static int
by_hash(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

static void
lines_look(struct control_call *call, struct mappings_in *in)
{
	struct transfer_in *t = &in->in;

	in->known = ARENA_ARRAY(&call->arena, struct known, t->count ? t->count : 1);
	for (size_t i = 0; i < t->count && !control_is_cancelled(call); i++) {
		const char *why = "";
		struct mapping m;

		if (mapping_of_line(&t->scratch, t->items[i].line, &m, &why) == OK) {
			in->wildcards +=
				span_find_any(m.pattern, SPAN("*?")) < m.pattern.len;
			in->known[in->good++] = (struct known){mapping_hash(&m), i};
		} else {
			bad_line(call, in, i, why);
		}
		arena_reset(&t->scratch);
	}
	qsort(in->known, in->good, sizeof(*in->known), by_hash);
}

static bool
in_work(struct control_call *call)
{
	struct mappings_in *in = call->state;

	if (!transfer_in_lines(call, &in->in))
		return false;
	lines_look(call, in);
	if (in->bad == 0 || !rpc_flag(call->request, "replace") ||
		rpc_flag(call->request, "skip_bad"))
		return true;
	control_failf(call, RPC_REFUSED, NULL, "nothing was changed, for %zu line%s: %.*s%s",
		in->bad, in->bad == 1 ? " is bad" : "s are bad", SPAN_FMT(in->bad_named),
		in->bad > BAD_NAMED ? "; ..." : "");
	call->error.hint = SPAN("--skip-bad replaces all by the lines that are good");
	return false;
}

/* ---- read: what is to go ---- */

/* Does a line of the file say M? */
static bool
is_in_file(struct mappings_in *in, const struct mapping *m)
{
	struct known key = {.hash = mapping_hash(m)};
	const struct known *at = bsearch(&key, in->known, in->good, sizeof(key), by_hash);
	bool same = false;

	if (!at)
		return false;
	while (at > in->known && at[-1].hash == key.hash)
		at--;
	for (; at < in->known + in->good && at->hash == key.hash && !same; at++) {
		struct mapping line;
		const char *why;

		same = mapping_of_line(&in->in.scratch, in->in.items[at->line].line, &line, &why) ==
			       OK &&
		       is_same(&line, m);
		arena_reset(&in->in.scratch);
	}
	return same;
}

/* Only where both would not fit at once. */
static void
removals_first(struct control_call *call, struct transfer_in *t)
{
	size_t lines = t->lines, old = t->count - lines;
	struct transfer_item *items =
		ARENA_ARRAY(&call->arena, struct transfer_item, t->count + 1);
	struct span *keys = ARENA_ARRAY(&call->arena, struct span, t->count + 1);

	for (size_t i = 0; i < t->count; i++) {
		size_t to = i < lines ? old + i : i - lines;

		items[to] = t->items[i];
		keys[to] = t->keys[i];
	}
	t->items = items;
	t->keys = keys;
}

static enum err
removals_order(struct control_call *call, struct snapshot *snap)
{
	struct mappings_in *in = call->state;
	struct mapping_counts counts;
	enum err err = mapping_count(snap, &counts);

	if (err == OK && (counts.total + in->good > MAPPINGS_MAX ||
				 counts.wildcards + in->wildcards > MAPPING_WILDCARDS_MAX))
		removals_first(call, &in->in);
	transfer_in_targets(call, &in->in);
	return err;
}

static enum step
old_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct mappings_in *in = call->state;
	struct mapping m;
	enum err err = ERR_NOT_FOUND;

	while (rpc_flag(call->request, "replace") &&
		(err = mapping_next(snap, in->in.after, &m)) == OK) {
		in->in.after = m.mapping_id;
		if (!is_in_file(in, &m) &&
			!transfer_in_add(call, &in->in,
				(struct transfer_item){.id = m.mapping_id},
				arena_printf(&call->arena, "mapping %.*s -> %.*s",
					SPAN_FMT(m.pattern), SPAN_FMT(m.target))))
			return STEP_FAIL;
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		err = removals_order(call, snap);
	return control_fail_err(call, err, "mapping") ? STEP_DONE : STEP_FAIL;
}

static enum step
in_foresee(struct control_call *call, struct snapshot *snap)
{
	const struct mappings_in *in = call->state;
	enum step step = old_read(call, snap);

	if (step != STEP_DONE)
		return step;
	control_foresee(call, arena_printf(&call->arena, "would import %zu of %zu lines", in->good,
				      in->in.lines));
	if (rpc_flag(call->request, "replace"))
		control_foresee(call,
			arena_printf(&call->arena, "would remove %zu mapping%s not in the file",
				in->in.count - in->in.lines,
				in->in.count - in->in.lines == 1 ? "" : "s"));
	return STEP_DONE;
}

/* ---- each ---- */

struct twin {
	const struct mapping *of;
	uint64_t mapping_id;
	bool same_comment;
};

static enum err
find_twin(void *arg, const struct mapping *m)
{
	struct twin *twin = arg;

	if (!is_same(m, twin->of))
		return OK;
	twin->mapping_id = m->mapping_id;
	twin->same_comment = span_eq(m->comment, twin->of->comment);
	return OK;
}

/* With --replace the table says what the file says, its comments too. */
static enum err
comment_follows(struct control_call *call, struct txn *txn, struct mapping *m)
{
	struct twin twin = {.of = m};
	enum err err = mapping_each_pattern(txn_view(txn), m->pattern, find_twin, &twin);

	if (err != OK || twin.mapping_id == 0 || twin.same_comment)
		return err;
	m->mapping_id = twin.mapping_id;
	return mapping_set(txn, m, call->now_ms);
}

static enum err
in_each(struct control_call *call, struct txn *txn, struct span key)
{
	struct mappings_in *in = call->state;
	const struct transfer_item *item = &in->in.items[call->target_now];
	struct mapping m;
	uint64_t id;
	enum err err;

	(void)key;
	arena_reset(&in->in.scratch);
	if (item->id) {
		err = mapping_remove(txn, item->id);
		call->job_parts += err == OK; /* only what comes in is counted */
		return err;
	}
	err = mapping_of_line(&in->in.scratch, item->line, &m, &call->skip_why);
	if (err != OK)
		return err;
	call->skip_why = NULL;
	err = mapping_add(txn, &m, call->now_ms, &id);
	if (err == ERR_EXISTS && rpc_flag(call->request, "replace"))
		return comment_follows(call, txn, &m);
	if (err == ERR_EXISTS)
		call->skip_why = "there is such a mapping already";
	if (err == ERR_LIMIT)
		call->skip_why = "there are too many mappings, or too many with wildcards";
	return err;
}

static void
in_finish(struct control_call *call)
{
	const struct mappings_in *in = call->state;

	transfer_in_note(call, &in->in);
}

const struct control_handler control_do_mapping_import = {
	.check = in_check,
	.work = in_work,
	.work_kind = WORK_LONG,
	.read = old_read,
	.foresee = in_foresee,
	.each = in_each,
	.finish = in_finish,
	.object = "mapping",
};

/* ---- out ---- */

static bool
export_check(struct control_call *call)
{
	struct transfer_out *t;

	if (!transfer_out_check(call))
		return false;
	t = call->state;
	t->layout = rpc_flag(call->request, "full") ? LAYOUT_FULL : 0;
	return true;
}

static enum err
mapping_out(struct transfer_out *t, struct snapshot *snap)
{
	struct mapping_line line;
	struct mapping m;
	enum err err = mapping_next(snap, t->after, &m);

	if (err != OK)
		return err;
	t->after = m.mapping_id;
	if (m.when != MAPPING_ALWAYS || m.collect.len > 0 || m.comment.len > 0)
		t->layout |= LAYOUT_LOST;
	line = (struct mapping_line){
		m.pattern, m.target, span_of(mapping_when_words[m.when]), m.collect, m.comment};
	return mapping_line_put(&t->text, &line, t->layout & LAYOUT_FULL);
}

static enum step
export_read(struct control_call *call, struct snapshot *snap)
{
	return transfer_out_read(call, snap, mapping_out, "mapping");
}

static void
export_finish(struct control_call *call)
{
	const struct transfer_out *t = call->state;

	if (t->layout == LAYOUT_LOST)
		call->note = SPAN("some have conditions or comments, which two fields do not hold: "
				  "--full writes them");
}

const struct control_handler control_do_mapping_export = {
	.check = export_check,
	.read = export_read,
	.spill = transfer_out_spill,
	.finish = export_finish,
};
