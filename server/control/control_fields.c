/*
 * control_fields.c - see control_fields.h.
 */
#include "server/control/control_fields.h"

#include <string.h>

#include "proto/base/utf8.h"

#define LIST_TEXT_MAX 65536

static void
put_list(struct json_writer *w, struct span list)
{
	struct span part;

	json_put_array(w);
	while (field_list_next(&list, &part))
		json_put_string(w, part);
	json_put_close(w);
}

static void
put_bits(struct json_writer *w, const struct field *f, const void *object)
{
	uint64_t bits = field_number(f, object);

	json_put_array(w);
	for (unsigned i = 0; f->words[i]; i++)
		if (bits & (1u << i))
			json_put_string(w, span_of(f->words[i]));
	json_put_close(w);
}

static void
put_text(struct json_writer *w, const struct field *f, const void *object)
{
	struct buf text;

	buf_init(&text, LIST_TEXT_MAX);
	if (field_put_text(f, object, &text) == OK)
		json_put_string(w, buf_span(&text));
	else
		json_put_null(w);
	buf_fini(&text);
}

/* "created_ms" is shown as "created". */
static struct span
field_name(const struct field *f)
{
	struct span name = span_of(f->name);

	if (f->kind == FIELD_TIME && span_ends_nocase(name, SPAN("_ms")))
		name.len -= 3;
	return name;
}

static void
put_field(struct json_writer *w, const struct field *f, const void *object)
{
	if (f->kind == FIELD_TIME) {
		control_put_time(w, field_name(f), (int64_t)field_number(f, object));
		return;
	}
	json_put_name(w, field_name(f));
	switch (f->kind) {
	case FIELD_FLAG:
		json_put_bool(w, field_number(f, object) != 0);
		break;
	case FIELD_COUNT:
		json_put_u64(w, field_number(f, object));
		break;
	case FIELD_LIST:
		put_list(w, field_span(f, object));
		break;
	case FIELD_BITS:
		put_bits(w, f, object);
		break;
	default:
		put_text(w, f, object);
		break;
	}
}

void
control_put_fields(struct json_writer *w, const struct field_table *table, const void *object,
	bool (*hides)(struct span name))
{
	for (size_t i = 0; i < table->count; i++) {
		const struct field *f = &table->fields[i];

		if ((f->flags & FIELD_SHOWN) && !(f->flags & FIELD_SECRET) && f->kind != FIELD_ID &&
			f->kind != FIELD_BYTES && !(hides && hides(field_name(f))))
			put_field(w, f, object);
	}
}

size_t
control_characters(struct span text)
{
	size_t n = 0;
	uint32_t code;

	for (; text.len > 0; n++)
		(void)utf8_next(&text, &code);
	return n;
}

static bool
text_fits(const struct field *f, struct span value)
{
	if (strcmp(f->name, "comment") != 0 && strcmp(f->name, "full_name") != 0)
		return true;
	return control_characters(value) <= f->max / 4; /* of four bytes at most */
}

/* What a field takes, after a colon; empty where its name says it. */
static const char *
field_takes(const struct field *f, struct arena *a)
{
	struct span words = SPAN("");

	if (f->kind == FIELD_FLAG)
		return ": yes or no";
	if (f->kind == FIELD_TRI)
		return ": on, off or unset";
	if (f->kind == FIELD_COUNT)
		return ": a whole number, from 0 on";
	if (f->kind != FIELD_WORD && f->kind != FIELD_BITS)
		return "";
	for (size_t i = 0; f->words[i]; i++)
		words = arena_printf(a, "%.*s%s%s", SPAN_FMT(words), i > 0 ? ", " : "", f->words[i]);
	return arena_text(a, arena_printf(a, ": %s of %.*s", f->kind == FIELD_WORD ? "one" : "some", SPAN_FMT(words)));
}

enum err
control_set_field(struct control_call *call, const struct field_table *table, void *object,
	const struct rpc_pair *pair)
{
	const char *key = arena_text(&call->arena, pair->key);
	const struct field *f = field_find(table, pair->key);
	enum err err;

	if (!f || (f->flags & FIELD_SECRET)) {
		control_failf(call, RPC_INVALID, key, "there is no field \"%s\" (the fields are those that `show` prints)", key);
		return ERR_NOT_FOUND;
	}
	err = text_fits(f, pair->value) ? field_set(f, object, pair->value, &call->arena)
					: ERR_LIMIT;
	if (err == ERR_DENIED)
		control_failf(call, RPC_INVALID, key, "%s cannot be set", key);
	else if (err == ERR_LIMIT && f->kind == FIELD_COUNT)
		control_failf(call, RPC_INVALID, key, "%s: at most %llu", key,
			(unsigned long long)f->max);
	else if (err == ERR_LIMIT)
		control_failf(call, RPC_INVALID, key, "%s: over its limit", key);
	else if (err != OK)
		control_failf(call, RPC_INVALID, key, "%s: \"%.*s\" is no value of this field%s", key,
			SPAN_FMT(span_range(pair->value, 0, 80)), field_takes(f, &call->arena));
	return err;
}
