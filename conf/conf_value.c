/*
 * conf_value.c - scalars: a parser for each type, in a table.
 */
#include "conf/conf_value.h"

#include "proto/base/ascii.h"

struct suffix {
	const char *text;
	int64_t factor;
};

static const struct suffix size_suffixes[] = {
	{ "", 1 }, { "B", 1 }, { "K", KIB }, { "KB", KIB }, { "KIB", KIB }, { "M", MIB },
	{ "MB", MIB }, { "MIB", MIB }, { "G", GIB }, { "GB", GIB }, { "GIB", GIB }, { "T", TIB },
	{ "TB", TIB }, { "TIB", TIB },
};

static const struct suffix time_suffixes[] = {
	{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", DAY_MS },
	{ "w", 7 * DAY_MS },
};

static enum err
out_of_bounds(const struct setting *row, struct arena *a, struct span *why)
{
	struct buf text;

	buf_init(&text, 200);
	if (buf_put(&text, SPAN("not between ")) != OK ||
		conf_value_put_text(row, &row->min, &text) != OK ||
		buf_put(&text, SPAN(" and ")) != OK ||
		conf_value_put_text(row, &row->max, &text) != OK)
		ENSURE(!"the bounds of a row fit");
	*why = arena_copy(a, buf_span(&text));
	buf_fini(&text);
	return ERR_LIMIT;
}

static enum err
bounded(const struct setting *row, int64_t value, struct arena *a, void *out, struct span *why)
{
	if (value < row->min || value > row->max)
		return out_of_bounds(row, a, why);
	*(int64_t *)out = value;
	return OK;
}

/* A whole number and one of the suffixes. */
static enum err
with_suffix(struct span text, const struct suffix *suffixes, size_t count, int64_t *out)
{
	size_t digits = 0;
	uint64_t number;
	struct span rest;

	while (digits < text.len && ascii_is_digit(text.ptr[digits]))
		digits++;
	rest = span_trim(span_from(text, digits));
	if (span_u64(span_range(text, 0, digits), INT64_MAX, &number) != OK)
		return ERR_SYNTAX;
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(rest, span_of(suffixes[i].text)))
			return __builtin_mul_overflow((int64_t)number, suffixes[i].factor, out)
				       ? ERR_LIMIT
				       : OK;
	return ERR_SYNTAX;
}

static enum err
parse_size(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	int64_t value = INT64_MAX;

	if (with_suffix(text, size_suffixes, COUNT(size_suffixes), &value) == ERR_SYNTAX) {
		*why = SPAN("not a size, such as 2048, 64KB or 1GB");
		return ERR_SYNTAX;
	}
	return bounded(row, value, a, out, why);
}

static enum err
parse_duration(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	int64_t value = INT64_MAX;

	if (with_suffix(text, time_suffixes, COUNT(time_suffixes), &value) == ERR_SYNTAX) {
		*why = SPAN("not a time, such as 30s, 10m, 2h or 7d");
		return ERR_SYNTAX;
	}
	return bounded(row, value, a, out, why);
}

static enum err
parse_count(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	uint64_t value = INT64_MAX;

	if (span_u64(text, INT64_MAX, &value) == ERR_SYNTAX) {
		*why = SPAN("not a whole number");
		return ERR_SYNTAX;
	}
	return bounded(row, (int64_t)value, a, out, why);
}

static enum err
parse_auto(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	if (!span_eq_nocase(text, SPAN("auto")))
		return parse_count(row, text, a, out, why);
	*(int64_t *)out = 0;
	return OK;
}

static enum err
parse_seats(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	if (!span_eq_nocase(text, SPAN("unlimited")))
		return parse_count(row, text, a, out, why);
	*(int64_t *)out = SEATS_UNLIMITED;
	return OK;
}

enum err
conf_clock_parse(struct span text, int64_t *minutes)
{
	struct span hour, minute;
	uint64_t h, m;

	if (!span_cut(text, ':', &hour, &minute) || hour.len == 0 || hour.len > 2 ||
		minute.len != 2 || span_u64(hour, 24, &h) != OK || span_u64(minute, 59, &m) != OK)
		return ERR_SYNTAX;
	if (h == 24 && m > 0)
		return ERR_SYNTAX;
	*minutes = (int64_t)(h * 60 + m);
	return OK;
}

static enum err
parse_clock(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	int64_t minutes;

	if (conf_clock_parse(text, &minutes) != OK) {
		*why = SPAN("not a time of day, 00:00 to 24:00");
		return ERR_SYNTAX;
	}
	return bounded(row, minutes, a, out, why);
}

static enum err
parse_bool(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	int place = conf_word_find("no|yes|false|true|off|on", text);

	(void)row, (void)a;
	if (place < 0) {
		*why = SPAN("not yes or no");
		return ERR_SYNTAX;
	}
	*(bool *)out = place % 2 == 1;
	return OK;
}

static enum err
parse_choice(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	int place = conf_word_find(row->unit, text);

	if (place < 0) {
		*why = arena_printf(a, "not one of %s", row->unit);
		return ERR_SYNTAX;
	}
	*(unsigned *)out = (unsigned)place;
	return OK;
}

static enum err
parse_text(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	if (span_has_control(text, row->type == SETTING_LINES ? SPAN("\n\t") : SPAN(""))) {
		*why = SPAN("control characters are not allowed");
		return ERR_SYNTAX;
	}
	if (text.len < (size_t)row->min || text.len > (size_t)row->max) {
		*why = text.len == 0 ? SPAN("must not be empty")
				     : arena_printf(a, "longer than %d bytes", (int)row->max);
		return ERR_LIMIT;
	}
	*(struct span *)out = arena_copy(a, text);
	return OK;
}

/* Letters, digits, '-' and '_' between dots; bytes of UTF-8 stand for themselves. */
static bool
is_domain(struct span text)
{
	size_t label = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '.' ? label == 0 : !(ascii_is_alnum(c) || ascii_is_8bit(c) || c == '-' ||
						    c == '_'))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

static enum err
parse_domain(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	if (text.len > 0 && !is_domain(text)) {
		*why = SPAN("not a domain");
		return ERR_SYNTAX;
	}
	return parse_text(row, text, a, out, why);
}

/* A user's name or an address; what the address means is looked at where it is used. */
static enum err
parse_address(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	size_t at = span_find_last(text, '@');

	if (span_find_any(text, SPAN(" \t<>,;")) < text.len ||
		(at < text.len && (at == 0 || !is_domain(span_from(text, at + 1))))) {
		*why = SPAN("not an address");
		return ERR_SYNTAX;
	}
	return parse_text(row, text, a, out, why);
}

static enum err
parse_secret(
	const struct setting *row, struct span text, struct arena *a, void *out, struct span *why)
{
	struct secret *secret = out;

	if (parse_text(row, text, a, &secret->value, why) != OK)
		return ERR_SYNTAX;
	if (span_eq(text, SPAN(SECRET_MASK))) {
		*why = SPAN("is what is shown for a secret, not a secret");
		return ERR_SYNTAX;
	}
	secret->kind = text.len > 0 ? SECRET_PLAIN : SECRET_NONE;
	return OK;
}

typedef enum err parse_fn(const struct setting *row, struct span text, struct arena *a, void *out,
	struct span *why);

static const struct {
	parse_fn *parse;
	bool plain_only; /* quotes would make another type of it */
} scalars[SETTING_TYPES_COUNT] = {
	[SETTING_TEXT] = { parse_text, false },
	[SETTING_LINES] = { parse_text, false },
	[SETTING_PATH] = { parse_text, false },
	[SETTING_ADDRESS] = { parse_address, false },
	[SETTING_DOMAIN] = { parse_domain, false },
	[SETTING_SECRET] = { parse_secret, false },
	[SETTING_SIZE] = { parse_size, false },
	[SETTING_DURATION] = { parse_duration, false },
	[SETTING_COUNT] = { parse_count, true },
	[SETTING_AUTO] = { parse_auto, true },
	[SETTING_SEATS] = { parse_seats, true },
	[SETTING_CLOCK] = { parse_clock, false },
	[SETTING_BOOL] = { parse_bool, true },
	[SETTING_CHOICE] = { parse_choice, false },
};

bool
setting_is_list(enum setting_type type)
{
	return type >= SETTING_LIST && type <= SETTING_ACCESS;
}

bool
setting_is_shape(enum setting_type type)
{
	return type >= SETTING_SERVICES;
}

bool
setting_is_text(enum setting_type type)
{
	return type <= SETTING_SECRET;
}

enum err
conf_value_parse(const struct setting *row, struct span text, struct arena *a, void *out,
	struct span *why)
{
	ENSURE(scalars[row->type].parse != NULL);
	return scalars[row->type].parse(row, text, a, out, why);
}

/* {file: PATH} or {sealed: NAME}. */
static void
load_secret_map(struct loading *l, const struct yaml_node *node, struct span key, void *out)
{
	const struct yaml_node *only = node->first;
	int place = only != NULL ? conf_word_find("file|sealed", only->text) : -1;

	if (node->count != 1 || place < 0 || only->value == NULL ||
		only->value->kind != NODE_SCALAR || only->value->text.len == 0 ||
		span_has_control(only->value->text, SPAN(""))) {
		conf_fault_add(l->faults, node->start, key,
			"a secret is text, {file: PATH} or {sealed: NAME}");
		return;
	}
	*(struct secret *)out = (struct secret){
		.kind = place == 0 ? SECRET_FILE : SECRET_SEALED,
		.value = arena_copy(&l->conf->arena, only->value->text),
	};
}

static void
load_scalar(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct span key, void *out)
{
	struct span why = SPAN_NONE;

	if (scalars[row->type].plain_only && !node->plain)
		conf_fault_add(l->faults, node->start, key, "must stand without quotes");
	else if (conf_value_parse(row, node->text, &l->conf->arena, out, &why) != OK)
		conf_fault_add(l->faults, node->start, key, "%.*s", SPAN_FMT(why));
	else if (row->type == SETTING_SECRET && ((struct secret *)out)->kind == SECRET_PLAIN)
		l->conf->has_secret = true;
}

void
conf_value_load(struct loading *l, const struct setting *row, const struct yaml_node *node,
	struct span key, void *out)
{
	if (setting_is_list(row->type))
		conf_value_load_list(l, row, node, key, out);
	else if (row->type == SETTING_SECRET && node->kind == NODE_MAP)
		load_secret_map(l, node, key, out);
	else if (node->kind != NODE_SCALAR)
		conf_fault_add(l->faults, node->start, key, "takes %s, not a %s",
			setting_type_name(row->type), node->kind == NODE_LIST ? "list" : "map");
	else if (yaml_is_null(node))
		conf_fault_add(l->faults, node->start, key, "has no value");
	else
		load_scalar(l, row, node, key, out);
}
