/*
 * conf_fault_names.c - faults in items of lists are told by the item's name, where it has one: "outgoing.routes.isp.tls",
 * not "outgoing.routes.0.tls".
 */
#include "conf/conf_check.h"
#include "conf/yaml_tree.h"

/* The name of ITEM of LIST where that, as a step of a key, finds it again; else STEP. */
static struct span
step_name(const struct yaml_node *list, const struct yaml_node *item, struct span step)
{
	const struct yaml_node *key = item->kind == NODE_MAP ? yaml_find_key(item, SPAN("name")) : NULL;
	const struct yaml_node *name = key ? key->value : NULL;

	if (!name || name->kind != NODE_SCALAR || name->text.len == 0 ||
		span_find_any(name->text, SPAN(". :")) < name->text.len ||
		yaml_find_item(list, name->text) != item)
		return step;
	return name->text;
}

static struct span
named(struct arena *a, const struct yaml_tree *tree, struct span path)
{
	const struct yaml_node *at = tree->root;
	struct span out = SPAN_NONE, step;

	while (path.len > 0) {
		const struct yaml_node *list = at && at->kind == NODE_LIST ? at : NULL;

		span_cut(path, '.', &step, &path);
		if (at && at->kind == NODE_MAP)
			at = yaml_find_key(at, step);
		else
			at = list ? yaml_find_item(list, step) : NULL;
		if (list && at)
			step = step_name(list, at, step);
		else if (at)
			at = at->value;
		out = arena_printf(a, "%.*s%s%.*s", SPAN_FMT(out), out.len > 0 ? "." : "", SPAN_FMT(step));
	}
	return out;
}

void
conf_fault_names(struct conf_faults *faults, const struct yaml_tree *tree)
{
	for (size_t i = 0; i < faults->count; i++)
		faults->items[i].key = conf_printable(
			&faults->arena, named(&faults->arena, tree, faults->items[i].key));
}
