/*
 * conf_edit_block.c - items of a list that are new, written one key a line, so that people can read the file.
 *
 *	collecting:  # ours
 *	  collectors:
 *	    - name: isp
 *	      kind: pop3
 *
 * Where they come into a section that stands in braces on one line, it is opened: its keys get lines of their own,
 * in their words and order. Items that are there already stay as they are written. What has several lines in braces
 * is left to conf_edit.c, which adds in braces.
 */
#include "conf/conf_edit_inside.h"

#define WAY_MAX 8    /* steps of a path: a setting has three */
#define STEP_USUAL 2 /* blanks that a level is further in, in a text that has none */
#define STEP_MAX 8

/* From a map in lines down to where the new items come. */
struct way {
	struct yaml_node *map;		/* the innermost in lines; NULL: an empty text */
	struct yaml_node *list;		/* in lines, an item of MAP's key; NULL: there is none yet */
	struct yaml_node *keys[WAY_MAX]; /* below MAP, what is in braces, or nothing yet */
	size_t count;
	struct span rest; /* keys that are not there, dotted */
};

struct writing {
	struct editing *e;
	struct buf out;
	size_t step;
	struct span value; /* with its tree: the new items */
	struct yaml_node *items;
};

/* ---- the way ---- */

/* Inside braces, from KEY on. */
static bool
go_in_braces(struct way *way, struct yaml_node *key, struct span rest, bool is_item)
{
	struct span step, more;

	way->keys[way->count++] = key;
	while (rest.len > 0 && key->value->kind == NODE_MAP) {
		span_cut(rest, '.', &step, &more);
		key = yaml_find_key(key->value, step);
		if (!key)
			break;
		if (way->count == WAY_MAX)
			return false;
		way->keys[way->count++] = key;
		rest = more;
	}
	way->rest = rest;
	if (!is_item)
		return true;
	way->rest = SPAN(""); /* its name is none of a key */
	return key && key->value->kind == NODE_LIST && span_find(rest, '.') == rest.len;
}

static bool
is_in_lines(const struct yaml_node *node)
{
	return node->kind != NODE_SCALAR && !node->flow;
}

static bool
find_way(const struct yaml_tree *tree, struct span path, bool is_item, struct way *way)
{
	struct yaml_node *at = tree->root;
	struct span step, rest;

	*way = (struct way){ .rest = path };
	if (!at)
		return !is_item;
	while (at->kind == NODE_MAP && !at->flow) {
		struct yaml_node *key;

		way->map = at;
		span_cut(way->rest, '.', &step, &rest);
		key = yaml_find_key(at, step);
		if (!key)
			return !is_item;
		if (!is_in_lines(key->value))
			return go_in_braces(way, key, rest, is_item);
		way->rest = rest;
		at = key->value;
	}
	way->list = at;
	return is_item && is_in_lines(at) && span_find(way->rest, '.') == way->rest.len;
}

/* What stands there must be on one line, for its parts become lines as they are; a text or a number is none. */
static bool
can_be_opened(const struct editing *e, const struct way *way)
{
	const struct yaml_node *last;

	if (way->count == 0)
		return true;
	last = way->keys[way->count - 1]->value;
	if (last->kind == NODE_SCALAR && !yaml_is_null(last))
		return false;
	return edit_line_end(e, way->keys[0]->start.offset) >= edit_pair_end(e, way->keys[0]);
}

/* ---- how the text is written ---- */

static size_t
margin_of(const struct editing *e, size_t at)
{
	return at - edit_line_start(e, at);
}

/* By the first section in lines. */
static size_t
step_of(const struct editing *e)
{
	const struct yaml_node *root = e->tree.root;

	for (const struct yaml_node *key = root && is_in_lines(root) ? root->first : NULL; key; key = key->next) {
		const struct yaml_node *first = key->value->first;

		if (key->value->kind == NODE_MAP && !key->value->flow && first &&
			first->start.column > key->start.column &&
			first->start.column - key->start.column <= STEP_MAX)
			return first->start.column - key->start.column;
	}
	return STEP_USUAL;
}

/* ---- lines; what grows too long is seen at the end ---- */

static void
put(struct writing *w, struct span text)
{
	w->out.overflow |= buf_put(&w->out, text) != OK;
}

static void
put_margin(struct writing *w, size_t margin)
{
	w->out.overflow |= buf_printf(&w->out, "%*s", (int)margin, "") != OK;
}

static void
put_end(struct writing *w)
{
	put(w, edit_line_ending(w->e));
}

/* As it is written in TEXT, without quotes that it does not need. */
static void
put_node(struct writing *w, struct span text, const struct yaml_node *node)
{
	if (node->kind == NODE_SCALAR && !node->plain && edit_is_plain(node->text))
		put(w, node->text);
	else
		put(w, span_range(text, node->start.offset, node->end.offset));
}

static void
put_pair(struct writing *w, struct span text, const struct yaml_node *key)
{
	put_node(w, text, key);
	put(w, SPAN(":"));
	if (key->value->end.offset > key->value->start.offset) {
		put(w, SPAN(" "));
		put_node(w, text, key->value);
	}
	put_end(w);
}

/* A dash, and GAP bytes behind its place the keys. */
static void
put_item(struct writing *w, const struct yaml_node *item, size_t margin, size_t gap)
{
	for (const struct yaml_node *key = item->first; key; key = key->next) {
		put_margin(w, margin);
		if (key == item->first)
			put(w, SPAN("-"));
		put_margin(w, key == item->first ? gap - 1 : gap);
		put_pair(w, w->value, key);
	}
}

static void
put_items(struct writing *w, size_t margin)
{
	if (w->items->kind == NODE_MAP)
		put_item(w, w->items, margin, STEP_USUAL);
	else
		for (const struct yaml_node *item = w->items->first; item; item = item->next)
			put_item(w, item, margin, STEP_USUAL);
}

/* The keys of REST, each a level further in, and the items. */
static void
put_rest(struct writing *w, struct span rest, size_t margin)
{
	struct span step, more;

	for (; rest.len > 0; rest = more, margin += w->step) {
		span_cut(rest, '.', &step, &more);
		put_margin(w, margin);
		put(w, step);
		put(w, SPAN(":"));
		put_end(w);
	}
	put_items(w, margin);
}

/* ---- where they come ---- */

/* What the keys of the way from the Ith on have in braces, in lines at MARGIN; as deep as a setting's path. */
static void
open_braces(struct writing *w, const struct way *way, size_t i, size_t margin)
{
	const struct yaml_node *in = way->keys[i]->value;

	for (const struct yaml_node *at = in->kind == NODE_MAP ? in->first : NULL; at; at = at->next) {
		put_margin(w, margin);
		if (i + 1 < way->count && at == way->keys[i + 1]) {
			put_node(w, w->e->text, at);
			put(w, SPAN(":"));
			put_end(w);
			open_braces(w, way, i + 1, margin + w->step);
		} else {
			put_pair(w, w->e->text, at);
		}
	}
	if (i + 1 < way->count)
		return;
	for (const struct yaml_node *at = in->kind == NODE_LIST && w->items->kind == NODE_MAP ? in->first : NULL; at;
		at = at->next) {
		put_margin(w, margin);
		put(w, SPAN("- "));
		put(w, span_range(w->e->text, at->start.offset, at->end.offset));
		put_end(w);
	}
	put_rest(w, way->rest, margin);
}

/* Behind the colon, with the comment that may stand there. */
static void
open_key(struct writing *w, const struct way *way, struct patch *out)
{
	struct editing *e = w->e;
	const struct yaml_node *key = way->keys[0];
	struct span behind;

	out->from = edit_colon_end(e, key);
	out->to = edit_line_end(e, edit_pair_end(e, key));
	behind = span_range(e->text, edit_pair_end(e, key), out->to);
	put(w, behind);
	if (!(behind.len > 0 && behind.ptr[behind.len - 1] == '\n'))
		put_end(w);
	open_braces(w, way, 0, margin_of(e, key->start.offset) + w->step);
}

/* The items behind BEHIND, which ends a line or the text. */
static void
begin_line(struct writing *w, size_t behind, struct patch *out)
{
	out->from = out->to = edit_line_end(w->e, behind);
	if (out->from > 0 && w->e->text.ptr[out->from - 1] != '\n')
		put_end(w);
}

/* Between sections, where the file has empty lines between them: above its last one, or above the comment of that. */
static bool
parts_sections(const struct editing *e, const struct yaml_node *map)
{
	size_t at = edit_line_start(e, map->last->start.offset);

	while (map == e->tree.root && at > 0) {
		size_t start = edit_line_start(e, at - 1);
		struct span line = span_trim_folds(span_range(e->text, start, at));

		if (line.len == 0 || line.ptr[0] != '#')
			return line.len == 0;
		at = start;
	}
	return false;
}

static void
append_item(struct writing *w, const struct yaml_node *list, struct patch *out)
{
	size_t dash = edit_dash_of(w->e, list->last), gap = STEP_USUAL;

	if (is_in_lines(list->last) && list->last->first && list->last->start.offset > dash + 1 &&
		list->last->start.offset - dash <= STEP_MAX)
		gap = list->last->start.offset - dash;
	begin_line(w, edit_pair_end(w->e, list->last), out);
	put_item(w, w->items, margin_of(w->e, dash), gap);
}

static void
write_lines(struct writing *w, const struct way *way, struct patch *out)
{
	if (way->list) {
		append_item(w, way->list, out);
	} else if (way->count > 0) {
		open_key(w, way, out);
	} else {
		begin_line(w, way->map ? edit_pair_end(w->e, way->map->last) : w->e->text.len, out);
		if (way->map && parts_sections(w->e, way->map))
			put_end(w);
		put_rest(w, way->rest, way->map ? margin_of(w->e, way->map->first->start.offset) : 0);
	}
}

/* Maps with a key at least. */
static bool
are_items(const struct yaml_node *node, bool is_item)
{
	if (is_item)
		return node->kind == NODE_MAP && node->count > 0;
	if (node->kind != NODE_LIST || node->count == 0)
		return false;
	for (const struct yaml_node *at = node->first; at; at = at->next)
		if (at->kind != NODE_MAP || at->count == 0)
			return false;
	return true;
}

bool
edit_write_lines(struct editing *e, struct span path, struct span value, bool is_item, struct patch *out)
{
	struct writing w = { .e = e, .value = value };
	struct conf_faults faults;
	struct yaml_tree tree;
	struct way way;
	bool good;

	conf_faults_init(&faults);
	good = yaml_tree_build(value, &e->arena, &tree, &faults) == OK && tree.root && are_items(tree.root, is_item);
	conf_faults_fini(&faults);
	if (!good || !find_way(&e->tree, path, is_item, &way) || !can_be_opened(e, &way))
		return false;
	buf_init(&w.out, CONF_FILE_MAX);
	w.out.wipes = true;
	w.items = tree.root;
	w.step = step_of(e);
	write_lines(&w, &way, out);
	good = !w.out.overflow;
	if (good)
		out->text = arena_copy(&e->arena, buf_span(&w.out));
	buf_fini(&w.out);
	return good;
}
