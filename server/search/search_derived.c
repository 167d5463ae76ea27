/*
 * search_derived.c - the record of a message that came before records were made at delivery.
 */
#include "server/search/search_derived.h"

#include "proto/mime/mime_parser.h"
#include "server/queue/derive_stored.h"

static enum err
make(struct snapshot *snap, const struct content *content, struct search_derived *out)
{
	enum err err = derive_content(snap, content, &out->made);
	struct span made = buf_span(&out->made);

	if (made.len > 0 && mime_derived_open(made, content->header, &out->mime) == OK)
		return err;
	out->mime = (struct mime_derived){ .part_count = 0 };
	return err == OK ? ERR_CORRUPT : err;
}

enum err
search_derived_open(struct snapshot *snap, const struct content *content, struct search_derived *out)
{
	*out = (struct search_derived){ .mime = { .part_count = 0 } };
	buf_init(&out->made, MIME_RECORD_MAX);
	if (mime_derived_open(content->derived, content->header, &out->mime) == OK)
		return OK;
	return make(snap, content, out);
}

void
search_derived_close(struct search_derived *derived)
{
	buf_fini(&derived->made);
}
