/*
 * conf_put.c - values back to text: for a person and as JSON. Secrets stay inside (H66).
 */
#include "conf/conf_shapes.h"
#include "conf/conf_value.h"
#include "proto/base/json.h"

/* Joins puts; the first that fails is the answer. */
#define TRY(put)                                                                                   \
	do {                                                                                       \
		if ((put) != OK)                                                                   \
			return ERR_LIMIT;                                                          \
	} while (0)

enum err
conf_put_string(struct buf *out, struct span text)
{
	struct json_writer w;

	json_writer_init(&w, out);
	json_put_string(&w, text);
	return json_writer_end(&w);
}

static enum err
put_text_json(const struct setting *row, const void *value, struct buf *out)
{
	(void)row;
	return conf_put_string(out, *(const struct span *)value);
}

static enum err
put_secret_json(const struct setting *row, const void *value, struct buf *out)
{
	const struct secret *secret = value;

	(void)row;
	if (secret->kind == SECRET_NONE)
		return buf_put(out, SPAN("\"\""));
	if (secret->kind == SECRET_PLAIN)
		return buf_put(out, SPAN("\"" SECRET_MASK "\""));
	TRY(buf_put(out, secret->kind == SECRET_FILE ? SPAN("{\"file\":") : SPAN("{\"sealed\":")));
	TRY(conf_put_string(out, secret->value));
	return buf_put_char(out, '}');
}

static enum err
put_number_json(const struct setting *row, const void *value, struct buf *out)
{
	(void)row;
	return buf_printf(out, "%lld", (long long)*(const int64_t *)value);
}

struct unit {
	const char *text;
	int64_t factor;
};

/* With the largest unit that leaves a whole number. */
static enum err
put_with_unit(int64_t value, const struct unit *units, size_t count, struct buf *out)
{
	for (size_t i = 0; i < count; i++)
		if (value != 0 && value % units[i].factor == 0)
			return buf_printf(out, "%lld%s", (long long)(value / units[i].factor),
				units[i].text);
	return buf_printf(out, "%lld", (long long)value);
}

static enum err
put_size_text(const struct setting *row, const void *value, struct buf *out)
{
	static const struct unit units[] = {
		{ "TB", TIB }, { "GB", GIB }, { "MB", MIB }, { "KB", KIB }, { "", 1 }
	};

	(void)row;
	return put_with_unit(*(const int64_t *)value, units, COUNT(units), out);
}

static enum err
put_duration_text(const struct setting *row, const void *value, struct buf *out)
{
	static const struct unit units[] = {
		{ "d", DAY_MS }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
	};

	(void)row;
	return put_with_unit(*(const int64_t *)value, units, COUNT(units), out);
}

/* Seconds as a number, which reads back as the same; parts of a second as "200ms". */
static enum err
put_duration_json(const struct setting *row, const void *value, struct buf *out)
{
	int64_t ms = *(const int64_t *)value;

	(void)row;
	return ms % 1000 == 0 ? buf_printf(out, "%lld", (long long)(ms / 1000))
			      : buf_printf(out, "\"%lldms\"", (long long)ms);
}

static enum err
put_auto_json(const struct setting *row, const void *value, struct buf *out)
{
	if (*(const int64_t *)value == 0)
		return buf_put(out, SPAN("\"auto\""));
	return put_number_json(row, value, out);
}

static enum err
put_seats_json(const struct setting *row, const void *value, struct buf *out)
{
	if (*(const int64_t *)value == SEATS_UNLIMITED)
		return buf_put(out, SPAN("\"unlimited\""));
	return put_number_json(row, value, out);
}

static enum err
put_clock_json(const struct setting *row, const void *value, struct buf *out)
{
	int64_t minutes = *(const int64_t *)value;

	(void)row;
	return buf_printf(out, "\"%02d:%02d\"", (int)(minutes / 60), (int)(minutes % 60));
}

static enum err
put_bool_json(const struct setting *row, const void *value, struct buf *out)
{
	(void)row;
	return buf_put(out, *(const bool *)value ? SPAN("true") : SPAN("false"));
}

static enum err
put_choice_json(const struct setting *row, const void *value, struct buf *out)
{
	return conf_put_string(out, conf_word_at(row->unit, *(const unsigned *)value));
}

static enum err
put_item(struct buf *out, size_t i, struct span text)
{
	if (i > 0)
		TRY(buf_put_char(out, ','));
	return conf_put_string(out, text);
}

static enum err
put_list_json(const struct setting *row, const void *value, struct buf *out)
{
	const struct conf_list *list = value;

	(void)row;
	TRY(buf_put_char(out, '['));
	for (size_t i = 0; i < list->count; i++)
		TRY(put_item(out, i, list->items[i]));
	return buf_put_char(out, ']');
}

static enum err
put_listen_json(const struct setting *row, const void *value, struct buf *out)
{
	const struct conf_listens *list = value;

	(void)row;
	TRY(buf_put_char(out, '['));
	for (size_t i = 0; i < list->count; i++)
		TRY(put_item(out, i, list->items[i].text));
	return buf_put_char(out, ']');
}

static enum err
put_access_json(const struct setting *row, const void *value, struct buf *out)
{
	const struct access_list *list = value;

	(void)row;
	TRY(buf_put_char(out, '['));
	for (size_t i = 0; i < list->count; i++)
		TRY(put_item(out, i, list->items[i].text));
	return buf_put_char(out, ']');
}

typedef enum err put_fn(const struct setting *row, const void *value, struct buf *out);

/* Lists of shapes are not here: they are made of these. */
static put_fn *const as_json[SETTING_TYPES_COUNT] = {
	[SETTING_TEXT] = put_text_json,
	[SETTING_LINES] = put_text_json,
	[SETTING_PATH] = put_text_json,
	[SETTING_ADDRESS] = put_text_json,
	[SETTING_DOMAIN] = put_text_json,
	[SETTING_SECRET] = put_secret_json,
	[SETTING_SIZE] = put_number_json,
	[SETTING_DURATION] = put_duration_json,
	[SETTING_COUNT] = put_number_json,
	[SETTING_AUTO] = put_auto_json,
	[SETTING_SEATS] = put_seats_json,
	[SETTING_CLOCK] = put_clock_json,
	[SETTING_BOOL] = put_bool_json,
	[SETTING_CHOICE] = put_choice_json,
	[SETTING_LIST] = put_list_json,
	[SETTING_WORDS] = put_list_json,
	[SETTING_PATTERNS] = put_list_json,
	[SETTING_ENDPOINTS] = put_list_json,
	[SETTING_CLOCKS] = put_list_json,
	[SETTING_LISTEN] = put_listen_json,
	[SETTING_ACCESS] = put_access_json,
};

static enum err
put_shape_json(const struct conf_shape *shape, const char *item, struct buf *out)
{
	TRY(buf_put_char(out, '{'));
	for (size_t i = 0; i < shape->count; i++) {
		const struct setting *row = &shape->rows[i];

		TRY(buf_printf(out, "%s\"%s\":", i > 0 ? "," : "", row->key));
		TRY(as_json[row->type](row, item + row->offset, out));
	}
	return buf_put_char(out, '}');
}

static enum err
put_shapes_json(const struct setting *row, const void *value, struct buf *out)
{
	const struct conf_shape *shape = conf_shape_of(row->type);
	const struct conf_items *list = value;
	bool is_services = row->type == SETTING_SERVICES;

	TRY(buf_put_char(out, is_services ? '{' : '['));
	for (size_t i = 0; i < list->count; i++) {
		const char *item = (const char *)list->items + i * shape->size;
		const struct conf_service *service = (const void *)item;

		if (i > 0)
			TRY(buf_put_char(out, ','));
		if (is_services)
			TRY(buf_printf(out, "\"%s\":", service_names[service->name]));
		TRY(put_shape_json(shape, item, out));
	}
	return buf_put_char(out, is_services ? '}' : ']');
}

enum err
conf_value_put_json(const struct setting *row, const void *value, struct buf *out)
{
	if (setting_is_shape(row->type))
		return put_shapes_json(row, value, out);
	return as_json[row->type](row, value, out);
}

static enum err
put_secret_text(const struct secret *secret, struct buf *out)
{
	if (secret->kind == SECRET_NONE)
		return OK;
	if (secret->kind == SECRET_PLAIN)
		return buf_put(out, SPAN(SECRET_MASK));
	return buf_printf(out, "{%s: %.*s}", secret->kind == SECRET_FILE ? "file" : "sealed",
		SPAN_FMT(secret->value));
}

enum err
conf_value_put_text(const struct setting *row, const void *value, struct buf *out)
{
	switch (row->type) {
	case SETTING_SIZE:
		return put_size_text(row, value, out);
	case SETTING_DURATION:
		return put_duration_text(row, value, out);
	case SETTING_BOOL:
		return buf_put(out, *(const bool *)value ? SPAN("yes") : SPAN("no"));
	case SETTING_CHOICE:
		return buf_put(out, conf_word_at(row->unit, *(const unsigned *)value));
	case SETTING_AUTO:
		return *(const int64_t *)value == 0 ? buf_put(out, SPAN("auto"))
						    : put_number_json(row, value, out);
	case SETTING_SEATS:
		return *(const int64_t *)value == SEATS_UNLIMITED ? buf_put(out, SPAN("unlimited"))
								  : put_number_json(row, value, out);
	case SETTING_CLOCK:
		return buf_printf(out, "%02d:%02d", (int)(*(const int64_t *)value / 60),
			(int)(*(const int64_t *)value % 60));
	case SETTING_SECRET:
		return put_secret_text(value, out);
	default:
		if (setting_is_text(row->type))
			return buf_put(out, *(const struct span *)value);
		return conf_value_put_json(row, value, out);
	}
}
