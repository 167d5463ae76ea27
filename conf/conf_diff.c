/*
 * conf_diff.c - lines that differ, by the longest common subsequence of what is not equal at the
 * ends.
 */
#include "conf/conf_diff.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_shapes.h"
#include "conf/yaml_tree.h"

#define MASK "****"
/* Bytes that no YAML has, in the place of a secret: the first of it, and all others. */
#define HIDDEN_FIRST '\2'
#define HIDDEN '\1'

/* One text: its lines as they are, to compare; and with secrets masked, to show. */
struct side {
	struct span *lines;
	struct span *shown;
	size_t count;
};

struct diffing {
	struct arena arena;
	struct side old, new;
	size_t head, tail; /* lines that are equal at the two ends */
	char *edits;       /* of the middle and around it: ' ', '-', '+' in order */
	size_t edit_count;
	struct buf *out;
};

static bool
is_secret_key(struct span key)
{
	return span_eq(key, SPAN("password"));
}

/* Overwrite the bytes of a value, but for line ends. */
static void
mask_value(char *text, const struct yaml_node *node)
{
	for (size_t i = node->start.offset; i < node->end.offset; i++)
		if (text[i] != '\n')
			text[i] = i == node->start.offset ? HIDDEN_FIRST : HIDDEN;
}

static void
mask_secrets(char *text, const struct yaml_tree *tree)
{
	for (const struct yaml_node *at = tree->latest; at != NULL; at = at->before)
		if (at->value != NULL && is_secret_key(at->text) && at->value->kind == NODE_SCALAR)
			mask_value(text, at->value);
}

static struct span *
cut_lines(struct arena *a, struct span text, size_t *count)
{
	struct span *lines, rest = text, line;
	size_t n = 0;

	while (span_next_line(&rest, &line))
		n++;
	lines = ARENA_ARRAY(a, struct span, n + 1);
	*count = 0;
	for (rest = text; span_next_line(&rest, &line);)
		lines[(*count)++] = line;
	return lines;
}

static enum err
read_side(struct diffing *d, struct span text, struct side *out)
{
	struct conf_faults faults;
	struct yaml_tree tree;
	char *copy;
	enum err err;

	conf_faults_init(&faults);
	err = yaml_tree_build(text, &d->arena, &tree, &faults);
	conf_faults_fini(&faults);
	if (err != OK)
		return ERR_SYNTAX;
	copy = arena_alloc(&d->arena, text.len + 1);
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	mask_secrets(copy, &tree);
	out->lines = cut_lines(&d->arena, text, &out->count);
	out->shown = cut_lines(&d->arena, (struct span){ copy, text.len }, &out->count);
	return OK;
}

static void
strip_ends(struct diffing *d)
{
	size_t n = d->old.count < d->new.count ? d->old.count : d->new.count;

	while (d->head < n && span_eq(d->old.lines[d->head], d->new.lines[d->head]))
		d->head++;
	while (d->tail < n - d->head && span_eq(d->old.lines[d->old.count - 1 - d->tail],
						d->new.lines[d->new.count - 1 - d->tail]))
		d->tail++;
}

static void
put_edits(struct diffing *d, char edit, size_t times)
{
	memset(d->edits + d->edit_count, edit, times);
	d->edit_count += times;
}

/* length[i][j]: lines in common from old i and new j on. */
static void
walk_middle(struct diffing *d, const uint32_t *length, size_t n, size_t m)
{
	const struct span *old = d->old.lines + d->head, *new = d->new.lines + d->head;
	size_t i = 0, j = 0;

	while (i < n && j < m) {
		if (span_eq(old[i], new[j])) {
			put_edits(d, ' ', 1);
			i++, j++;
		} else if (length[(i + 1) * (m + 1) + j] >= length[i * (m + 1) + j + 1]) {
			put_edits(d, '-', 1);
			i++;
		} else {
			put_edits(d, '+', 1);
			j++;
		}
	}
	put_edits(d, '-', n - i);
	put_edits(d, '+', m - j);
}

static void
compare_middle(struct diffing *d)
{
	size_t n = d->old.count - d->head - d->tail, m = d->new.count - d->head - d->tail;
	uint32_t *length;

	if ((n + 1) * (m + 1) > CONF_DIFF_CELLS) {
		put_edits(d, '-', n);
		put_edits(d, '+', m);
		return;
	}
	length = ARENA_ARRAY(&d->arena, uint32_t, (n + 1) * (m + 1));
	for (size_t i = n; i-- > 0;)
		for (size_t j = m; j-- > 0;) {
			uint32_t *cell = &length[i * (m + 1) + j];
			uint32_t down = length[(i + 1) * (m + 1) + j], right = cell[1];

			if (span_eq(d->old.lines[d->head + i], d->new.lines[d->head + j]))
				*cell = length[(i + 1) * (m + 1) + j + 1] + 1;
			else
				*cell = down > right ? down : right;
		}
	walk_middle(d, length, n, m);
}

static enum err
put_line(struct buf *out, char edit, struct span line)
{
	if (buf_put_char(out, edit) != OK)
		return ERR_LIMIT;
	while (line.len > 0) {
		size_t hidden =
			span_find_any(line, (struct span){ (char[]){ HIDDEN_FIRST, HIDDEN }, 2 });

		if (buf_put(out, span_range(line, 0, hidden)) != OK ||
			(hidden < line.len && line.ptr[hidden] == HIDDEN_FIRST &&
				buf_put(out, SPAN(MASK)) != OK))
			return ERR_LIMIT;
		line = span_from(line, hidden + 1);
	}
	return buf_put_char(out, '\n');
}

/* The end of the hunk that begins at edit FROM: the first long run of equal lines. */
static size_t
hunk_end(const struct diffing *d, size_t from)
{
	size_t equal = 0, i;

	for (i = from; i < d->edit_count && equal <= 2 * CONF_DIFF_CONTEXT; i++)
		equal = d->edits[i] == ' ' ? equal + 1 : 0;
	if (equal > CONF_DIFF_CONTEXT)
		i -= equal - CONF_DIFF_CONTEXT;
	return i;
}

static size_t
count_edits(const struct diffing *d, size_t from, size_t to, char skip)
{
	size_t n = 0;

	for (size_t i = from; i < to; i++)
		n += d->edits[i] != skip;
	return n;
}

static enum err
put_hunk(struct diffing *d, size_t from, size_t to)
{
	size_t i = count_edits(d, 0, from, '+'), j = count_edits(d, 0, from, '-');
	size_t n = count_edits(d, from, to, '+'), m = count_edits(d, from, to, '-');

	/* As diff(1) has it: an empty side is named by the line before it. */
	if (buf_printf(d->out, "@@ -%zu,%zu +%zu,%zu @@\n", n > 0 ? i + 1 : i, n,
		    m > 0 ? j + 1 : j, m) != OK)
		return ERR_LIMIT;
	for (size_t at = from; at < to; at++) {
		char edit = d->edits[at];
		struct span line = edit == '+' ? d->new.shown[j] : d->old.shown[i];

		if (put_line(d->out, edit, line) != OK)
			return ERR_LIMIT;
		i += edit != '+';
		j += edit != '-';
	}
	return OK;
}

static enum err
put_hunks(struct diffing *d)
{
	size_t at = 0;

	for (;;) {
		size_t from, to;

		while (at < d->edit_count && d->edits[at] == ' ')
			at++;
		if (at == d->edit_count)
			return OK;
		from = at > CONF_DIFF_CONTEXT ? at - CONF_DIFF_CONTEXT : 0;
		to = hunk_end(d, at);
		if (put_hunk(d, from, to) != OK)
			return ERR_LIMIT;
		at = to;
	}
}

static enum err
diff(struct diffing *d, struct span old, struct span new)
{
	if (read_side(d, old, &d->old) != OK || read_side(d, new, &d->new) != OK)
		return ERR_SYNTAX;
	strip_ends(d);
	d->edits = arena_alloc(&d->arena, d->old.count + d->new.count + 1);
	put_edits(d, ' ', d->head);
	compare_middle(d);
	put_edits(d, ' ', d->tail);
	return put_hunks(d);
}

enum err
conf_diff(struct span old, struct span new, struct buf *out)
{
	struct diffing d = { .out = out };
	enum err err;

	arena_init(&d.arena, NULL);
	d.arena.wipes = true;
	err = diff(&d, old, new);
	arena_reset(&d.arena);
	return err;
}
