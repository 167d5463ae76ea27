/*
 * mime_structure.c - what BODYSTRUCTURE says of one part (RFC 9051, 7.5.2).
 *
 * Parameters are given as they are written, but for quotes, folds and comments: pieces and charsets of RFC 2231
 * reach the client, which knows them, with nothing lost.
 */
#include "proto/mime/mime_envelope.h"
#include "proto/mime/mime_reply.h"

#define LANGUAGES_MAX 100

static void
put_param(struct buf *out, const char *before, struct span name, struct span value)
{
	mime_put_lit(out, before);
	mime_put_nstring(out, name);
	mime_put_lit(out, " ");
	mime_put_nstring(out, value.ptr ? value : SPAN(""));
}

static void
put_params(struct buf *out, const struct mime_params *params)
{
	for (size_t i = 0; i < params->count; i++)
		put_param(out, i == 0 ? "(" : " ", params->items[i].name, params->items[i].value);
	mime_put_lit(out, params->count > 0 ? ")" : "NIL");
}

/* text/plain without a charset is US-ASCII (RFC 2045, 5.2). */
static void
put_type_params(struct buf *out, const struct mime_entity *e)
{
	if (e->media == MIME_MEDIA_PLAIN && !mime_param_find(&e->params, SPAN("charset")).ptr) {
		put_param(out, "(", SPAN("charset"), SPAN("us-ascii"));
		for (size_t i = 0; i < e->params.count; i++)
			put_param(out, " ", e->params.items[i].name, e->params.items[i].value);
		mime_put_lit(out, ")");
	} else {
		put_params(out, &e->params);
	}
}

void
mime_put_part_head(struct arena *a, const struct mime_entity *e, struct buf *out)
{
	(void)a;
	if (e->kind == MIME_MULTIPART) {
		mime_put_lit(out, " ");
		mime_put_nstring(out, e->subtype);
		return;
	}
	mime_put_lit(out, "(");
	mime_put_nstring(out, e->type);
	mime_put_lit(out, " ");
	mime_put_nstring(out, e->subtype);
	mime_put_lit(out, " ");
	put_type_params(out, e);
	mime_put_lit(out, " ");
	mime_put_nstring(out, e->fields[ENTITY_ID]);
	mime_put_lit(out, " ");
	mime_put_nstring(out, e->fields[ENTITY_DESCRIPTION]);
	mime_put_lit(out, " ");
	mime_put_nstring(out, e->encoding);
	mime_put_lit(out, " ");
}

static void
put_disposition(struct buf *out, const struct mime_entity *e)
{
	if (!e->disposition.ptr) {
		mime_put_lit(out, " NIL");
		return;
	}
	mime_put_lit(out, " (");
	mime_put_nstring(out, e->disposition);
	mime_put_lit(out, " ");
	put_params(out, &e->disposition_params);
	mime_put_lit(out, ")");
}

static void
put_languages(struct arena *a, struct buf *out, const struct mime_entity *e)
{
	struct span rest = e->fields[ENTITY_LANGUAGE], word;
	size_t count = 0;

	while (count < LANGUAGES_MAX && (word = mime_take_word(a, &rest)).len > 0) {
		mime_put_lit(out, count++ == 0 ? " (" : " ");
		mime_put_nstring(out, word);
		if (!mime_take_char(&rest, ','))
			break;
	}
	mime_put_lit(out, count > 0 ? ")" : " NIL");
}

void
mime_put_part_tail(struct arena *a, const struct mime_entity *e, struct buf *out)
{
	mime_put_lit(out, " ");
	if (e->kind == MIME_MULTIPART)
		put_params(out, &e->params);
	else
		mime_put_nstring(out, e->fields[ENTITY_MD5]);
	put_disposition(out, e);
	put_languages(a, out, e);
	mime_put_lit(out, " ");
	mime_put_nstring(out, e->fields[ENTITY_LOCATION]);
}
