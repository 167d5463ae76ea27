/*
 * conf_load.c - nodes to a generation: defaults first, then what the file says, then the checks.
 */
#include "conf/conf_load.h"

#include <stdlib.h>

#include "conf/conf_check.h"
#include "conf/conf_file.h"
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"

static void
load_default(struct loading *l, const struct setting *row, void *out)
{
	struct loading own = { .conf = l->conf, .faults = l->faults, .is_default = true };
	struct span text = span_of(row->fallback), why;
	struct yaml_tree tree;

	if (setting_is_required(row) || setting_is_shape(row->type))
		return;
	if (!setting_is_list(row->type)) {
		ENSURE(conf_value_parse(row, text, &l->conf->arena, out, &why) == OK);
	} else if (!span_eq(text, SPAN("[]"))) {
		ENSURE(yaml_tree_build(text, &l->conf->arena, &tree, l->faults) == OK);
		conf_value_load_list(&own, row, tree.root, span_of(row->key), out);
	}
}

static void
load_defaults(struct loading *l, const struct setting *rows, size_t count, void *base)
{
	for (size_t i = 0; i < count; i++)
		load_default(l, &rows[i], (char *)base + rows[i].offset);
}

static void
report_missing(struct loading *l, const struct conf_shape *shape, uint64_t given,
	const struct yaml_node *node, struct span key)
{
	for (size_t i = 0; i < shape->count; i++)
		if (!(given >> i & 1) && setting_is_required(&shape->rows[i]))
			conf_fault_add(l->faults, node->start, key, "needs the key %s",
				shape->rows[i].key);
}

/* One item: NODE is its map, or nothing where all of it is left out. */
static void
load_item(struct loading *l, const struct conf_shape *shape, const struct yaml_node *node,
	struct span key, void *out)
{
	uint64_t *given = out;

	load_defaults(l, shape->rows, shape->count, out);
	if (node->kind != NODE_MAP && !yaml_is_null(node)) {
		conf_fault_add(l->faults, node->start, key, "takes a map, { ... }");
		return;
	}
	for (const struct yaml_node *at = node->first; at != NULL; at = at->next) {
		const struct setting *row = setting_find(shape->rows, shape->count, at->text);
		struct span full = arena_printf(
			&l->conf->arena, "%.*s.%.*s", SPAN_FMT(key), SPAN_FMT(at->text));

		if (row == NULL) {
			conf_fault_add(l->faults, at->start, full, "unknown key");
			continue;
		}
		*given |= UINT64_C(1) << (row - shape->rows);
		conf_value_load(l, row, at->value, full, (char *)out + row->offset);
	}
	report_missing(l, shape, *given, node, key);
}

static void
load_list(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct conf_items *out)
{
	const struct conf_shape *shape = conf_shape_of(row->type);
	char *items;

	if (node->kind != NODE_LIST) {
		conf_fault_add(l->faults, node->start, span_of(row->key), "takes a list, [ ... ]");
		return;
	}
	if (node->count > (size_t)row->max) {
		conf_fault_add(l->faults, node->start, span_of(row->key), "takes %d items at most",
			(int)row->max);
		return;
	}
	items = arena_array(&l->conf->arena, shape->size, node->count + 1);
	out->items = items;
	for (const struct yaml_node *at = node->first; at != NULL; at = at->next) {
		struct span key = arena_printf(&l->conf->arena, "%s.%zu", row->key, out->count);

		load_item(l, shape, at, key, items + out->count++ * shape->size);
	}
}

static void
load_services(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct conf_services *out)
{
	const struct conf_shape *shape = conf_shape_of(row->type);
	struct conf_service *items =
		ARENA_ARRAY(&l->conf->arena, struct conf_service, SERVICE_COUNT);

	out->items = items;
	if (node->kind != NODE_MAP && !yaml_is_null(node)) {
		conf_fault_add(l->faults, node->start, span_of(row->key), "takes a map, { ... }");
		return;
	}
	for (const struct yaml_node *at = node->first; at != NULL; at = at->next) {
		struct span key = arena_printf(
			&l->conf->arena, "%s.%.*s", row->key, SPAN_FMT(at->text));
		enum service_name name;

		if (!conf_service_named(at->text, &name)) {
			conf_fault_add(l->faults, at->start, key, "no such service");
			continue;
		}
		items[out->count].name = name;
		load_item(l, shape, at->value, key, &items[out->count++]);
	}
}

static void
load_setting(struct loading *l, const struct setting *row, const struct yaml_node *node)
{
	void *out = (char *)l->conf + row->offset;

	l->conf->given[row - settings] = true;
	if (row->type == SETTING_SERVICES)
		load_services(l, row, node, out);
	else if (setting_is_shape(row->type))
		load_list(l, row, node, out);
	else
		conf_value_load(l, row, node, span_of(row->key), out);
}

/* A section that is being read, and how far. */
struct section {
	const struct yaml_node *at;
	struct span key;
};

static void
open_section(struct loading *l, struct section *stack, size_t *depth, const struct yaml_node *node,
	struct span key)
{
	if (node->kind == NODE_MAP)
		stack[(*depth)++] = (struct section){ node->first, key };
	else if (!yaml_is_null(node))
		conf_fault_add(l->faults, node->start, key, "takes a map, { ... }");
}

/* Depth first, so that keys come in the order of the file; the tree is no deeper than the stack. */
static void
load_sections(struct loading *l, const struct yaml_node *root)
{
	struct section stack[CONF_DEPTH_MAX + 1];
	size_t depth = 0;

	open_section(l, stack, &depth, root, SPAN_NONE);
	while (depth > 0) {
		struct section *section = &stack[depth - 1];
		const struct yaml_node *at = section->at;
		const struct setting *row;
		struct span key;

		if (at == NULL) {
			depth--;
			continue;
		}
		section->at = at->next;
		key = section->key.len == 0
			      ? at->text
			      : arena_printf(&l->conf->arena, "%.*s.%.*s", SPAN_FMT(section->key),
					SPAN_FMT(at->text));
		row = setting_find(settings, SETTINGS_COUNT, key);
		if (row != NULL)
			load_setting(l, row, at->value);
		else if (setting_is_section(key))
			open_section(l, stack, &depth, at->value, key);
		else
			conf_fault_add(l->faults, at->start, key, "unknown key");
	}
}

enum err
conf_load(struct span yaml, struct conf **out, struct conf_faults *faults)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	struct loading l = { .conf = conf, .faults = faults };
	size_t errors_before = faults->errors;
	struct yaml_tree tree;
	enum err err;

	*out = NULL;
	ENSURE(conf != NULL);
	arena_init(&conf->arena, NULL);
	conf->arena.wipes = true; /* passwords, and the text that has them (H66) */
	load_defaults(&l, settings, SETTINGS_COUNT, conf);
	err = yaml_tree_build(yaml, &conf->arena, &tree, faults);
	if (err == OK) {
		conf->text = arena_copy(&conf->arena, yaml);
		if (tree.root != NULL)
			load_sections(&l, tree.root);
		conf_check(conf, &tree, faults);
		conf_fault_names(faults, &tree);
	}
	conf_faults_sort(faults);
	if (err == OK && faults->errors > errors_before)
		err = ERR_SYNTAX;
	if (err == OK)
		*out = conf;
	else
		conf_free(&conf);
	return err;
}

/* H60: nobody else may change it; and with a password in it, others may not read it. */
static enum err
check_file(const struct stat *st, uid_t owner, struct conf_faults *faults)
{
	const struct yaml_place nowhere = { 0 };
	size_t errors = faults->errors;

	if (!S_ISREG(st->st_mode))
		conf_fault_add(faults, nowhere, SPAN_NONE, "is not a regular file");
	if (st->st_uid != 0 && st->st_uid != owner)
		conf_fault_add(faults, nowhere, SPAN_NONE,
			"belongs to user %u, not to root or the server's user (chown it)",
			(unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		conf_fault_add(faults, nowhere, SPAN_NONE,
			"can be written by others, mode %04o (chmod go-w)",
			(unsigned)st->st_mode & 07777);
	return faults->errors > errors ? ERR_DENIED : OK;
}

enum err
conf_load_file(const char *path, unsigned owner, struct conf **out, struct conf_faults *faults)
{
	const struct yaml_place nowhere = { 0 };
	struct arena arena;
	struct span text;
	struct stat st;
	enum err err;

	*out = NULL;
	arena_init(&arena, NULL);
	err = conf_file_read(path, &arena, &text, &st);
	if (err != OK)
		conf_fault_add(faults, nowhere, SPAN_NONE, "cannot be read: %s", err_name(err));
	else
		err = check_file(&st, (uid_t)owner, faults);
	if (err == OK)
		err = conf_load(text, out, faults);
	if (err == OK && (*out)->has_secret && (st.st_mode & S_IROTH)) {
		conf_fault_add(faults, nowhere, SPAN_NONE,
			"holds a password and can be read by others, mode %04o (chmod o-r)",
			(unsigned)st.st_mode & 07777);
		conf_free(out);
		err = ERR_DENIED;
	}
	arena_reset(&arena);
	return err;
}
