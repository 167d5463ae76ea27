/*
 * conf_edit.c - one key of a text changed, added or removed; every other byte stays.
 *
 * The tree says where things stand; a change becomes one patch of the text. What the patch made is
 * then loaded like any other text, so an odd style of writing can only end in a refusal.
 */
#include "conf/conf_edit_inside.h"

#include <string.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "proto/base/ascii.h"
#include "proto/base/utf8.h"

/* The value of a key; an item is its own value. */
static struct yaml_node *
value_of(struct yaml_node *node)
{
	return node->value != NULL ? node->value : node;
}

static struct yaml_node *
previous_of(const struct yaml_node *parent, const struct yaml_node *node)
{
	struct yaml_node *before = NULL;

	for (struct yaml_node *at = parent->first; at != node; at = at->next)
		before = at;
	return before;
}

static void
find_spot(const struct yaml_tree *tree, struct span path, struct spot *spot)
{
	struct span step, rest;

	*spot = (struct spot){ .parent = tree->root, .rest = path };
	while (spot->parent != NULL && spot->rest.len > 0) {
		span_cut(spot->rest, '.', &step, &rest);
		spot->found = spot->parent->kind == NODE_MAP	? yaml_find_key(spot->parent, step)
			      : spot->parent->kind == NODE_LIST ? yaml_find_item(spot->parent, step)
								: NULL;
		if (spot->found == NULL)
			return;
		spot->rest = rest;
		if (rest.len > 0) {
			spot->before = spot->found;
			spot->parent = value_of(spot->found);
		}
	}
	if (spot->found != NULL)
		spot->previous = previous_of(spot->parent, spot->found);
}

size_t
edit_colon_end(const struct editing *e, const struct yaml_node *key)
{
	size_t at = key->end.offset;

	while (at < e->text.len && (ascii_is_blank(e->text.ptr[at])))
		at++;
	return at < e->text.len && e->text.ptr[at] == ':' ? at + 1 : key->end.offset;
}

size_t
edit_pair_end(const struct editing *e, const struct yaml_node *node)
{
	size_t end = node->value != NULL ? edit_colon_end(e, node) : node->end.offset;

	if (node->value != NULL && node->value->end.offset > node->value->start.offset &&
		node->value->end.offset > end)
		end = node->value->end.offset;
	return end;
}

size_t
edit_line_start(const struct editing *e, size_t at)
{
	while (at > 0 && e->text.ptr[at - 1] != '\n')
		at--;
	return at;
}

size_t
edit_line_end(const struct editing *e, size_t at)
{
	at += span_find(span_from(e->text, at), '\n');
	return at < e->text.len ? at + 1 : at;
}

static bool
is_first_on_line(const struct editing *e, const struct yaml_node *node)
{
	for (size_t at = edit_line_start(e, node->start.offset); at < node->start.offset; at++)
		if (!ascii_is_blank(e->text.ptr[at]))
			return false;
	return true;
}

/* Lines below KEY go; what stands between its colon and the first of them, a comment, stays. */
static struct patch
change_lines(struct editing *e, const struct yaml_node *key, struct span value)
{
	size_t from = edit_colon_end(e, key), first = edit_line_start(e, key->value->start.offset);
	size_t to = edit_line_end(e, key->value->end.offset);

	return (struct patch){ from, to,
		arena_printf(&e->arena, " %.*s%.*s", SPAN_FMT(value),
			SPAN_FMT(span_range(e->text, from, first))) };
}

static struct patch
change_value(struct editing *e, const struct spot *spot, struct span value)
{
	struct yaml_node *node = value_of(spot->found);
	bool has_key = spot->found->value != NULL;
	bool is_there = node->end.offset > node->start.offset;
	size_t from;

	if (is_there && (node->kind == NODE_SCALAR || node->flow))
		return (struct patch){ node->start.offset, node->end.offset, value };
	from = has_key ? edit_colon_end(e, spot->found) : node->start.offset;
	if (has_key && is_there && edit_line_start(e, node->start.offset) > from)
		return change_lines(e, spot->found, value);
	/* Nothing yet, or a text that begins beside its key: both stand behind the colon. */
	return (struct patch){
		.from = from,
		.to = has_key ? edit_pair_end(e, spot->found) : node->end.offset,
		.text = arena_printf(&e->arena, "%s%.*s", has_key ? " " : "", SPAN_FMT(value)),
	};
}

static struct patch
remove_from_flow(const struct editing *e, const struct spot *spot)
{
	size_t start = spot->found->start.offset, end = edit_pair_end(e, spot->found);
	size_t before = spot->previous != NULL ? edit_pair_end(e, spot->previous) : start;
	struct span between = span_range(e->text, before, start);

	if (spot->found->next != NULL)
		return (struct patch){ start, spot->found->next->start.offset, SPAN_NONE };
	/* A comment in between belongs to what stays; a comma at the end does no harm. */
	if (span_find(between, '#') < between.len)
		return (struct patch){ start, end, SPAN_NONE };
	return (struct patch){ before, end, SPAN_NONE };
}

static struct patch
remove_from_block(const struct editing *e, const struct spot *spot)
{
	const struct yaml_node *node = spot->found;
	size_t start = node->start.offset, end = edit_pair_end(e, node);
	bool in_list = spot->parent->kind == NODE_LIST;

	if (in_list) {
		while (start > 0 && e->text.ptr[start - 1] != '\n' && e->text.ptr[start] != '-')
			start--;
		return (struct patch){ edit_line_start(e, start), edit_line_end(e, end), SPAN_NONE };
	}
	if (is_first_on_line(e, node))
		return (struct patch){ edit_line_start(e, start), edit_line_end(e, end), SPAN_NONE };
	/* The first key behind the dash of an item. */
	if (node->next != NULL)
		return (struct patch){ start, node->next->start.offset, SPAN_NONE };
	return (struct patch){ start, end, SPAN("{}") };
}

static struct patch
remove_it(const struct editing *e, const struct spot *spot)
{
	return spot->parent->flow ? remove_from_flow(e, spot) : remove_from_block(e, spot);
}

/* "a.b.c" and V make  a: { b: { c: V } } */
static struct span
nest(struct editing *e, struct span path, struct span value)
{
	struct span step, rest, head = SPAN(""), tail = SPAN("");
	bool more = true;

	while (more) {
		more = span_cut(path, '.', &step, &rest);
		head = arena_printf(&e->arena, "%.*s%.*s: %s", SPAN_FMT(head), SPAN_FMT(step),
			more ? "{ " : "");
		tail = more ? arena_printf(&e->arena, "%.*s }", SPAN_FMT(tail)) : tail;
		path = rest;
	}
	return arena_printf(
		&e->arena, "%.*s%.*s%.*s", SPAN_FMT(head), SPAN_FMT(value), SPAN_FMT(tail));
}

static struct patch
add_to_flow(struct editing *e, const struct yaml_node *map, struct span pair)
{
	size_t at = map->start.offset + 1;

	if (map->last != NULL) {
		at = edit_pair_end(e, map->last);
		return (struct patch){ at, at,
			arena_printf(&e->arena, ", %.*s", SPAN_FMT(pair)) };
	}
	return (struct patch){ at, map->end.offset - 1,
		arena_printf(&e->arena, " %.*s ", SPAN_FMT(pair)) };
}

struct span
edit_line_ending(const struct editing *e)
{
	size_t first = span_find(e->text, '\n');

	return first > 0 && first < e->text.len && e->text.ptr[first - 1] == '\r' ? SPAN("\r\n") : SPAN("\n");
}

/* A line of its own, indented like the other keys of the map, behind the last of them. */
static struct patch
add_line(struct editing *e, unsigned column, size_t behind, struct span pair)
{
	size_t at = edit_line_end(e, behind);
	bool open = at > 0 && e->text.ptr[at - 1] != '\n'; /* the last line lacks its end */
	struct span end = edit_line_ending(e);

	return (struct patch){ at, at,
		arena_printf(&e->arena, "%.*s%*s%.*s%.*s", open ? (int)end.len : 0, end.ptr, (int)column - 1, "",
			SPAN_FMT(pair), SPAN_FMT(end)) };
}

static bool
add_it(struct editing *e, const struct spot *spot, struct span value, struct patch *out)
{
	struct span pair = nest(e, spot->rest, value);
	struct yaml_node *parent = spot->parent;

	if (parent == NULL) {
		*out = add_line(e, 1, e->text.len, pair);
	} else if (yaml_is_null(parent) && spot->before != NULL && spot->before->value != NULL) {
		/* An empty section. */
		size_t from = edit_colon_end(e, spot->before), to = edit_pair_end(e, spot->before);

		*out = (struct patch){ from, to,
			arena_printf(&e->arena, " { %.*s }", SPAN_FMT(pair)) };
	} else if (parent->kind == NODE_LIST && span_find(spot->rest, '.') == spot->rest.len) {
		*out = edit_append(e, parent, value);
	} else if (parent->kind != NODE_MAP) {
		return false;
	} else if (parent->flow) {
		*out = add_to_flow(e, parent, pair);
	} else {
		*out = add_line(
			e, parent->first->start.column, edit_pair_end(e, parent->last), pair);
	}
	return true;
}

bool
edit_is_plain(struct span text)
{
	if (text.len == 0 || !(ascii_is_alnum(text.ptr[0]) || text.ptr[0] == '/'))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alnum(text.ptr[i]) && span_find(SPAN("-_./@+"), text.ptr[i]) == 6)
			return false;
	return conf_word_find("null|yes|no|true|false|on|off|y|n", text) < 0;
}

static bool
is_number_or_word(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alnum(text.ptr[i]) && span_find(SPAN("_-."), text.ptr[i]) == 3)
			return false;
	return text.len > 0;
}

static struct span
quoted(struct editing *e, struct span text)
{
	struct span copy;
	struct buf buf;

	buf_init(&buf, 6 * text.len + 2);
	buf.wipes = true;
	if (conf_put_string(&buf, text) != OK)
		ENSURE(!"six times is enough");
	copy = arena_copy(&e->arena, buf_span(&buf));
	buf_fini(&buf);
	return copy;
}

/* JSON is YAML; it may stand in the file as it is when it is one thing on one line. */
static enum err
render_json(struct editing *e, struct span text, struct span *out)
{
	struct conf_faults faults;
	struct yaml_tree tree;
	char *line = arena_alloc(&e->arena, text.len + 1);
	enum err err;

	for (size_t i = 0; i < text.len; i++)
		line[i] = text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i];
	*out = span_trim((struct span){ line, text.len });
	conf_faults_init(&faults);
	err = yaml_tree_build(*out, &e->arena, &tree, &faults);
	conf_faults_fini(&faults);
	if (err == OK && (tree.root == NULL || !tree.root->flow || tree.root->start.offset != 0 ||
				 tree.root->end.offset != out->len))
		err = ERR_SYNTAX;
	return err;
}

/* YAML would fold them to blanks. */
static bool
has_line_separator(struct span text)
{
	return span_find_span(text, SPAN("\xc2\x85")) < text.len ||
	       span_find_span(text, SPAN("\xe2\x80\xa8")) < text.len ||
	       span_find_span(text, SPAN("\xe2\x80\xa9")) < text.len;
}

static bool
is_json(struct span text)
{
	return text.len > 0 && (text.ptr[0] == '[' || text.ptr[0] == '{');
}

static enum err
render(struct editing *e, const struct conf_change *change, const struct setting *row,
	bool is_item, struct span *out)
{
	struct span value = change->value;
	enum err err = OK;

	if (!utf8_is_valid(value) || has_line_separator(value) ||
		span_find(value, '\0') < value.len) {
		conf_fault_add(e->faults, (struct yaml_place){ 0 }, change->key,
			"is no UTF-8, or holds a NUL or a line separator of Unicode");
		return ERR_SYNTAX;
	}
	if (is_item || setting_is_list(row->type) || setting_is_shape(row->type) ||
		(row->type == SETTING_SECRET && is_json(span_trim(value))))
		err = render_json(e, value, out);
	else if (setting_is_text(row->type))
		*out = edit_is_plain(value) ? value : quoted(e, value);
	else
		*out = is_number_or_word(span_trim(value)) ? span_trim(value) : quoted(e, value);
	if (err != OK)
		conf_fault_add(e->faults, (struct yaml_place){ 0 }, change->key,
			"takes %s, written as JSON",
			is_item ? "a map" : setting_type_name(row->type));
	return err == OK ? OK : ERR_SYNTAX;
}

static enum err
make_patch(struct editing *e, const struct conf_change *change, struct patch *out)
{
	bool is_item;
	const struct setting *row = setting_of_path(change->key, &is_item);
	struct span value;
	struct spot spot;
	enum err err;

	if (row == NULL || change->key.len > CONF_KEY_MAX)
		return ERR_NOT_FOUND;
	find_spot(&e->tree, change->key, &spot);
	if (change->remove || change->place > 0) {
		if (spot.found == NULL || spot.rest.len > 0 || (change->place > 0 && !is_item))
			return ERR_NOT_FOUND;
		*out = change->remove ? remove_it(e, &spot) :
					edit_move(e, spot.parent, spot.found, change->place);
		return OK;
	}
	err = render(e, change, row, is_item, &value);
	if (err != OK)
		return err;
	if ((is_item || setting_is_shape(row->type)) && (spot.found == NULL || !is_item) &&
		edit_write_lines(e, change->key, value, is_item, out))
		return OK;
	if (spot.found != NULL && spot.rest.len == 0)
		*out = change_value(e, &spot, value);
	else if (!add_it(e, &spot, value, out))
		return ERR_NOT_FOUND;
	return OK;
}

static enum err
put_patched(struct span text, const struct patch *patch, struct buf *out)
{
	if (text.len + patch->text.len - (patch->to - patch->from) > CONF_FILE_MAX)
		return ERR_LIMIT;
	if (buf_put(out, span_range(text, 0, patch->from)) != OK ||
		buf_put(out, patch->text) != OK || buf_put(out, span_from(text, patch->to)) != OK)
		return ERR_LIMIT;
	return OK;
}

/* Does the new text hold together? Its faults name places in the new text. */
static enum err
check_result(struct span text, struct conf_faults *faults)
{
	struct conf *conf;
	enum err err = conf_load(text, &conf, faults);

	conf_free(&conf);
	return err;
}

static enum err
patch_text(struct span text, const struct conf_change *change, struct buf *out,
	struct conf_faults *faults)
{
	struct editing e = { .text = text, .faults = faults };
	struct patch patch;
	enum err err;

	arena_init(&e.arena, NULL);
	e.arena.wipes = true;
	err = yaml_tree_build(text, &e.arena, &e.tree, faults);
	if (err == OK)
		err = make_patch(&e, change, &patch);
	if (err == OK)
		err = put_patched(text, &patch, out);
	arena_reset(&e.arena);
	return err;
}

enum err
conf_edit(struct span text, const struct conf_change *change, struct buf *out,
	struct conf_faults *faults)
{
	return conf_edit_all(text, change, 1, out, faults);
}

enum err
conf_edit_all(struct span text, const struct conf_change *changes, size_t count, struct buf *out,
	struct conf_faults *faults)
{
	struct buf now, next;
	enum err err;

	buf_init(&now, CONF_FILE_MAX);
	buf_init(&next, CONF_FILE_MAX);
	now.wipes = next.wipes = true;
	err = buf_put(&now, text);
	for (size_t i = 0; i < count && err == OK; i++) {
		struct buf swap = now;

		buf_clear(&next);
		err = patch_text(buf_span(&now), &changes[i], &next, faults);
		now = next;
		next = swap;
	}
	if (err == OK)
		err = check_result(buf_span(&now), faults);
	if (err == OK)
		err = buf_put(out, buf_span(&now));
	buf_fini(&now);
	buf_fini(&next);
	return err;
}
