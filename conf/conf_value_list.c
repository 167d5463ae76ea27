/*
 * conf_value_list.c - lists of scalars: words, patterns, hosts, listeners, access lines.
 */
#include <string.h>

#include "conf/conf_value.h"
#include "proto/base/ascii.h"

#define UNIX_PATH_MAX 107 /* bytes that sockaddr_un holds before its NUL */
#define ITEM_MAX 4096     /* bytes of one item */

int
conf_word_find(const char *words, struct span word)
{
	struct span rest = span_of(words), head;

	for (int place = 0; rest.len > 0; place++) {
		span_cut(rest, '|', &head, &rest);
		if (span_eq_nocase(head, word))
			return place;
	}
	return -1;
}

struct span
conf_word_at(const char *words, unsigned place)
{
	struct span rest = span_of(words), head = SPAN_NONE;

	do
		span_cut(rest, '|', &head, &rest);
	while (place-- > 0);
	return head;
}

static enum err
parse_port(struct span text, uint16_t *port)
{
	uint64_t value;

	if (span_u64(text, UINT16_MAX, &value) != OK)
		return ERR_SYNTAX;
	*port = (uint16_t)value;
	return OK;
}

/* Nothing can be reached at port 0. */
static enum err
parse_target_port(struct span text, uint16_t *port)
{
	enum err err = parse_port(text, port);

	return err == OK && *port == 0 ? ERR_SYNTAX : err;
}

enum err
conf_listen_parse(struct span text, struct arena *a, struct conf_listen *out)
{
	struct span host = text, port;
	size_t colon = span_find_last(text, ':');
	bool is_v4 = false, brackets;

	*out = (struct conf_listen){ .text = arena_copy(a, text) };
	if (span_starts(text, SPAN("unix:"))) {
		out->kind = LISTEN_UNIX;
		out->path = arena_copy(a, span_from(text, 5));
		return out->path.len > 0 && out->path.len <= UNIX_PATH_MAX ? OK : ERR_SYNTAX;
	}
	host = span_range(text, 0, colon);
	port = span_from(text, colon + 1);
	if (colon == text.len || parse_port(port, &out->port) != OK)
		return ERR_SYNTAX;
	out->kind = LISTEN_ANY;
	if (span_eq(host, SPAN("*")))
		return OK;
	brackets = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (brackets)
		host = span_range(host, 1, host.len - 1);
	if (access_address(host, &out->addr, &is_v4) != OK || is_v4 == brackets)
		return ERR_SYNTAX;
	out->kind = is_v4 ? LISTEN_INET : LISTEN_INET6;
	return OK;
}

static bool
is_host(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alnum(text.ptr[i]) && !ascii_is_8bit(text.ptr[i]) &&
			span_find(SPAN("-._"), text.ptr[i]) == 3)
			return false;
	return text.len > 0 && text.len <= 255;
}

enum err
conf_endpoint_parse(struct span text, struct span *host, uint16_t *port)
{
	struct in6_addr address;
	struct span after;
	bool is_v4;

	*port = 0;
	*host = text;
	if (access_address(text, &address, &is_v4) == OK)
		return OK;
	if (text.len > 0 && text.ptr[0] == '[') {
		if (!span_cut(span_from(text, 1), ']', host, &after) ||
			access_address(*host, &address, &is_v4) != OK || is_v4)
			return ERR_SYNTAX;
		if (after.len == 0)
			return OK;
		return after.ptr[0] == ':' ? parse_target_port(span_from(after, 1), port) : ERR_SYNTAX;
	}
	if (span_cut(text, ':', host, &after) && parse_target_port(after, port) != OK)
		return ERR_SYNTAX;
	return is_host(*host) ? OK : ERR_SYNTAX;
}

static bool
is_pattern(struct span text)
{
	size_t at = span_find_last(text, '@');
	struct span domain = at < text.len ? span_from(text, at + 1) : text;

	if (at == 0 || span_find_any(text, SPAN(" \t;,<>")) < text.len)
		return false;
	for (size_t i = 0; i < domain.len; i++)
		if (!ascii_is_alnum(domain.ptr[i]) && !ascii_is_8bit(domain.ptr[i]) &&
			span_find(SPAN("-._*?[]:"), domain.ptr[i]) == 8)
			return false;
	return domain.len > 0;
}

/* Static text for what is wrong with an item that is a span, or NULL. */
static const char *
item_fault(const struct setting *row, struct span text)
{
	struct span host;
	uint16_t port;
	int64_t minutes;

	if (text.len == 0 || text.len > ITEM_MAX)
		return text.len == 0 ? "an item is empty" : "an item is too long";
	if (span_has_control(text, SPAN("")))
		return "control characters are not allowed";
	switch (row->type) {
	case SETTING_WORDS:
		return conf_word_find(row->unit, text) < 0 ? "not one of " : NULL;
	case SETTING_PATTERNS:
		return is_pattern(text) ? NULL : "not a domain, an address or a pattern of them";
	case SETTING_ENDPOINTS:
		return conf_endpoint_parse(text, &host, &port) == OK ? NULL : "not host:port";
	case SETTING_CLOCKS:
		return conf_clock_parse(text, &minutes) == OK ? NULL
							      : "not a time of day, 00:00 to 24:00";
	default:
		return NULL;
	}
}

/* An item of patterns may be several, as people write them: "a.test; b.test". */
static bool
next_part(const struct setting *row, struct span *rest, struct span *part)
{
	size_t end = span_find_any(*rest, SPAN(";,"));

	*part = *rest;
	if (row->type != SETTING_PATTERNS)
		return false;
	*part = span_trim(span_range(*rest, 0, end));
	*rest = span_from(*rest, end + 1);
	return rest->len > 0;
}

static size_t
parts_max(const struct setting *row, const struct yaml_node *node)
{
	size_t count = node->count;

	for (const struct yaml_node *at = node->first; at != NULL; at = at->next)
		for (size_t i = 0; row->type == SETTING_PATTERNS && i < at->text.len; i++)
			count += at->text.ptr[i] == ';' || at->text.ptr[i] == ',';
	return count;
}

static void
load_spans(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct span key, void *out)
{
	struct span *items = ARENA_ARRAY(&l->conf->arena, struct span, parts_max(row, node) + 1);
	struct conf_list list = { .items = items };

	for (const struct yaml_node *at = node->first; at != NULL; at = at->next) {
		struct span rest = at->text, part;
		bool more = true;

		while (more) {
			const char *why;

			more = next_part(row, &rest, &part);
			why = item_fault(row, part);
			if (why == NULL)
				items[list.count++] = arena_copy(&l->conf->arena, part);
			else
				conf_fault_add(l->faults, at->start, key, "%s%s", why,
					row->type == SETTING_WORDS && why[0] == 'n' ? row->unit : "");
		}
	}
	if (list.count > (size_t)row->max)
		conf_fault_add(l->faults, node->start, key, "takes %d to %d items", (int)row->min, (int)row->max);
	*(struct conf_list *)out = list;
}

static void
load_listens(
	struct loading *l, const struct yaml_node *node, struct span key, struct conf_listens *out)
{
	struct conf_listen *items =
		ARENA_ARRAY(&l->conf->arena, struct conf_listen, node->count + 1);

	for (const struct yaml_node *at = node->first; at != NULL; at = at->next)
		if (conf_listen_parse(at->text, &l->conf->arena, &items[out->count]) == OK)
			out->count++;
		else
			conf_fault_add(l->faults, at->start, key,
				"not ADDRESS:PORT, [ADDRESS]:PORT, *:PORT or unix:PATH");
	out->items = items;
}

static void
load_access(
	struct loading *l, const struct yaml_node *node, struct span key, struct access_list *out)
{
	struct access_line *items =
		ARENA_ARRAY(&l->conf->arena, struct access_line, node->count + 1);

	for (const struct yaml_node *at = node->first; at != NULL; at = at->next) {
		struct access_line *line = &items[out->count];
		const char *why = "";
		bool is_line;

		if (access_parse(at->text, &l->conf->arena, line, &is_line, &why) != OK)
			conf_fault_add(l->faults, at->start, key, "%s", why);
		else if (is_line) {
			line->line = at->start.line;
			out->count++;
		}
	}
	out->items = items;
}

static bool
has_only_scalars(struct loading *l, const struct yaml_node *node, struct span key)
{
	bool all = true;

	for (const struct yaml_node *at = node->first; at != NULL; at = at->next) {
		if (at->kind == NODE_SCALAR && !yaml_is_null(at))
			continue;
		conf_fault_add(l->faults, at->start, key, "an item must be a text");
		all = false;
	}
	return all;
}

void
conf_value_load_list(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct span key, void *out)
{
	if (node->kind != NODE_LIST) {
		conf_fault_add(l->faults, node->start, key, "takes a list, [ ... ]");
		return;
	}
	if (node->count > (size_t)row->max ||
		(node->count < (size_t)row->min && !l->is_default)) {
		conf_fault_add(l->faults, node->start, key, "takes %d to %d items",
			(int)row->min, (int)row->max);
		return;
	}
	if (!has_only_scalars(l, node, key))
		return;
	if (row->type == SETTING_LISTEN)
		load_listens(l, node, key, out);
	else if (row->type == SETTING_ACCESS)
		load_access(l, node, key, out);
	else
		load_spans(l, row, node, key, out);
}
