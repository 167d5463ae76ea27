/*
 * conf_get.c - settings by key, and all of them in turn.
 */
#include <stdio.h>
#include <string.h>

#include "conf/conf_shapes.h"
#include "conf/conf_value.h"

static const char *
member(const struct conf *conf, const struct setting *row)
{
	return (const char *)conf + row->offset;
}

static void
set_item_entry(struct conf_entry *entry, const struct setting *row, size_t bit, const char *item)
{
	uint64_t given = *(const uint64_t *)(const void *)item;

	entry->setting = row;
	entry->value = item + row->offset;
	entry->is_default = !(given >> bit & 1);
}

/* "services.smtp" or "outgoing.routes.0". */
static void
item_key(const struct setting *list, const char *item, size_t i, char *key, size_t size)
{
	const struct conf_service *service = (const void *)item;

	if (list->type == SETTING_SERVICES)
		snprintf(key, size, "%s.%s", list->key, service_names[service->name]);
	else
		snprintf(key, size, "%s.%zu", list->key, i);
}

static bool
each_item(const struct conf *conf, const struct setting *list, conf_visit *visit, void *arg)
{
	const struct conf_shape *shape = conf_shape_of(list->type);
	const struct conf_items *items = (const void *)member(conf, list);
	char prefix[CONF_KEY_MAX], key[CONF_KEY_MAX + 64];
	struct conf_entry entry = { .key = key };

	for (size_t i = 0; i < items->count; i++) {
		const char *item = (const char *)items->items + i * shape->size;

		item_key(list, item, i, prefix, sizeof(prefix));
		for (size_t n = 0; n < shape->count; n++) {
			snprintf(key, sizeof(key), "%s.%s", prefix, shape->rows[n].key);
			set_item_entry(&entry, &shape->rows[n], n, item);
			if (!visit(&entry, arg))
				return false;
		}
	}
	return true;
}

static struct conf_entry
entry_of(const struct conf *conf, const struct setting *row)
{
	return (struct conf_entry){
		.key = row->key,
		.setting = row,
		.value = member(conf, row),
		.is_default = !conf->given[row - settings],
	};
}

void
conf_each(const struct conf *conf, conf_visit *visit, void *arg)
{
	for (const struct setting *row = settings; row < settings + SETTINGS_COUNT; row++) {
		const struct conf_items *items = (const void *)member(conf, row);
		struct conf_entry entry = entry_of(conf, row);

		if (setting_is_shape(row->type) && items->count > 0) {
			if (!each_item(conf, row, visit, arg))
				return;
		} else if (!visit(&entry, arg)) {
			return;
		}
	}
}

/* Item STEP of a list, by its name or its place; NULL. */
static const char *
find_item(const struct setting *list, const struct conf_items *items, struct span step)
{
	const struct conf_shape *shape = conf_shape_of(list->type);
	const char *all = items->items;
	uint64_t place;

	for (size_t i = 0; i < items->count; i++) {
		const char *item = all + i * shape->size;
		const struct conf_service *service = (const void *)item;
		const struct span *name = (const void *)(item + shape->rows[0].offset);

		if (list->type == SETTING_SERVICES
				? span_eq(span_of(service_names[service->name]), step)
				: strcmp(shape->rows[0].key, "name") == 0 && span_eq(*name, step))
			return item;
	}
	if (list->type != SETTING_SERVICES && items->count > 0 &&
		span_u64(step, items->count - 1, &place) == OK)
		return all + place * shape->size;
	return NULL;
}

static enum err
find_in_items(const struct conf *conf, const struct setting *list, struct span rest,
	struct conf_entry *out)
{
	const struct conf_shape *shape = conf_shape_of(list->type);
	const struct setting *row;
	const char *item;
	struct span step, key;

	span_cut(rest, '.', &step, &key);
	item = find_item(list, (const void *)member(conf, list), step);
	row = setting_find(shape->rows, shape->count, key);
	if (item == NULL || row == NULL)
		return ERR_NOT_FOUND;
	set_item_entry(out, row, (size_t)(row - shape->rows), item);
	return OK;
}

enum err
conf_find(const struct conf *conf, const char *key, struct conf_entry *out)
{
	struct span path = span_of(key);
	const struct setting *row = setting_find(settings, SETTINGS_COUNT, path);

	if (row != NULL) {
		*out = entry_of(conf, row);
		return OK;
	}
	*out = (struct conf_entry){ .key = key };
	for (row = settings; row < settings + SETTINGS_COUNT; row++) {
		size_t len = strlen(row->key);

		if (setting_is_shape(row->type) && path.len > len && path.ptr[len] == '.' &&
			span_starts(path, span_of(row->key)))
			return find_in_items(conf, row, span_from(path, len + 1), out);
	}
	return ERR_NOT_FOUND;
}

enum err
conf_put_text(const struct conf_entry *entry, struct buf *out)
{
	return conf_value_put_text(entry->setting, entry->value, out);
}

enum err
conf_put_json(const struct conf_entry *entry, struct buf *out)
{
	return conf_value_put_json(entry->setting, entry->value, out);
}

/* Collects what stands below a section. */
struct gathering {
	struct buf *out;
	struct span section;
	bool json;
	size_t count;
	enum err err;
};

static bool
is_below(struct span key, struct span section)
{
	return section.len == 0 || (key.len > section.len && key.ptr[section.len] == '.' &&
					   span_starts(key, section));
}

static bool
gather(const struct conf_entry *entry, void *arg)
{
	struct gathering *g = arg;

	if (!is_below(span_of(entry->key), g->section))
		return true;
	if (g->json) {
		g->err = buf_printf(g->out, "%s\"%s\":", g->count > 0 ? "," : "", entry->key);
		if (g->err == OK)
			g->err = conf_put_json(entry, g->out);
	} else {
		g->err = buf_printf(g->out, "%s: ", entry->key);
		if (g->err == OK)
			g->err = conf_put_text(entry, g->out);
		if (g->err == OK)
			g->err = buf_put_char(g->out, '\n');
	}
	g->count++;
	return g->err == OK;
}

static enum err
get_section(const struct conf *conf, const char *key, bool json, struct buf *out)
{
	struct gathering g = { .out = out, .section = span_of(key), .json = json };

	if (json && buf_put_char(out, '{') != OK)
		return ERR_LIMIT;
	conf_each(conf, gather, &g);
	if (g.err != OK)
		return g.err;
	if (json && buf_put_char(out, '}') != OK)
		return ERR_LIMIT;
	return g.count > 0 ? OK : ERR_NOT_FOUND;
}

enum err
conf_get_text(const struct conf *conf, const char *key, struct buf *out)
{
	struct conf_entry entry;

	if (conf_find(conf, key, &entry) == OK)
		return conf_put_text(&entry, out);
	return get_section(conf, key, false, out);
}

enum err
conf_get_json(const struct conf *conf, const char *key, struct buf *out)
{
	struct conf_entry entry;

	if (conf_find(conf, key, &entry) == OK)
		return conf_put_json(&entry, out);
	return get_section(conf, key, true, out);
}
