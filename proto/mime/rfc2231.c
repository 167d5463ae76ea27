/*
 * rfc2231.c - a parameter that came in pieces, or in a charset (RFC 2231, 3 and 4).
 */
#include "proto/base/ascii.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/mime_charset.h"
#include "proto/mime/mime_entity.h"
#include "proto/mime/mime_value.h"

#define VALUE_MAX 65536 /* bytes of a parameter */

struct piece {
	struct span value; /* ptr NULL: it did not come */
	bool is_extended;  /* has %XX */
};

struct pieces {
	struct piece plain, whole;            /* name=, name*= */
	struct piece items[MIME_PIECES_MAX]; /* name*0=, name*1*= */
};

/* What stands behind NAME: "", "*", "*12", "*12*". NULL: it is another one. */
static struct piece *
place_of(struct pieces *all, struct span rest, bool *is_extended)
{
	uint64_t number;

	*is_extended = false;
	if (rest.len == 0)
		return &all->plain;
	if (rest.ptr[0] != '*')
		return NULL;
	rest = span_from(rest, 1);
	*is_extended = rest.len == 0 || rest.ptr[rest.len - 1] == '*';
	if (rest.len == 0)
		return &all->whole;
	if (*is_extended)
		rest.len--;
	if (span_u64(rest, MIME_PIECES_MAX - 1, &number) != OK)
		return NULL;
	return &all->items[number];
}

static void
find_pieces(const struct mime_params *params, struct span name, struct pieces *all)
{
	for (size_t i = 0; i < params->count; i++) {
		const struct mime_param *param = &params->items[i];
		struct piece *place;
		bool is_extended;

		if (!span_starts_nocase(param->name, name))
			continue;
		place = place_of(all, span_from(param->name, name.len), &is_extended);
		if (place && !place->value.ptr)
			*place = (struct piece){ param->value, is_extended };
	}
}

/* "charset'language'text": of the first piece. */
static unsigned
take_charset(struct span *value)
{
	struct span charset, rest, text;

	if (!span_cut(*value, '\'', &charset, &rest) || !span_cut(rest, '\'', &rest, &text))
		return MIME_CHARSET_NONE;
	*value = text;
	return mime_charset_find(charset);
}

static struct span
decode_pieces(struct arena *a, struct piece *first, size_t count)
{
	struct mime_charset charset;
	struct buf bytes, text;
	unsigned number = first->is_extended ? take_charset(&first->value) : MIME_CHARSET_NONE;
	struct span out;

	buf_init(&bytes, VALUE_MAX);
	buf_init(&text, 4 * VALUE_MAX);
	for (size_t i = 0; i < count && first[i].value.ptr; i++)
		(void)!(first[i].is_extended ? rfc2231_decode(&bytes, first[i].value)
					     : buf_put(&bytes, first[i].value));
	if (mime_charset_open(&charset, number) == OK) {
		(void)!mime_charset_put(&charset, buf_span(&bytes), &text);
		(void)!mime_charset_end(&charset, &text);
	}
	out = arena_copy(a, buf_span(&text));
	buf_fini(&bytes);
	buf_fini(&text);
	return out;
}

static struct span
decode_plain(struct arena *a, struct span value)
{
	struct buf text;
	struct span out;

	if (!encoded_word_is_needed(value))
		return value;
	buf_init(&text, 4 * VALUE_MAX);
	(void)!encoded_word_decode(&text, span_range(value, 0, VALUE_MAX));
	out = arena_copy(a, buf_span(&text));
	buf_fini(&text);
	return out;
}

struct span
mime_param_text(struct arena *a, const struct mime_params *params, struct span name)
{
	struct pieces all = { .plain = { SPAN_NONE, false } };

	find_pieces(params, name, &all);
	if (all.whole.value.ptr)
		return decode_pieces(a, &all.whole, 1);
	if (all.items[0].value.ptr)
		return decode_pieces(a, all.items, MIME_PIECES_MAX);
	return all.plain.value.ptr ? decode_plain(a, all.plain.value) : SPAN_NONE;
}

struct span
mime_file_name(struct arena *a, struct span header)
{
	struct mime_entity e;
	struct span name;

	mime_entity_read(a, header, false, &e);
	name = mime_param_text(a, &e.disposition_params, SPAN("filename"));
	return name.ptr ? name : mime_param_text(a, &e.params, SPAN("name"));
}
