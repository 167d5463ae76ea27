/*
 * mime_footer_inside.h - for mime_footer.c and mime_footer_part.c alone.
 */
#ifndef PROTO_MIME_MIME_FOOTER_INSIDE_H
#define PROTO_MIME_MIME_FOOTER_INSIDE_H

#include "proto/mime/mime_entity.h"
#include "proto/mime/mime_footer.h"

/* A text that gets the footer. */
struct footer_spot {
	struct mime_part part;
	struct span head;         /* its header */
	struct mime_entity entity; /* and what that says */
	uint64_t *left_us;         /* of MIME_FOOTER_MAX_US */
};

/*
 * The edit of the part's bytes into *out; *type and *encoding as its header has to say then, empty where that
 * stays. *why: it is left alone.
 */
MUST_CHECK enum err footer_part(const struct mime_footer *f, const struct footer_spot *spot,
	struct mime_footer_edit *out, struct span values[2], const char **why);

static inline bool
footer_is_html(const struct footer_spot *spot)
{
	return spot->part.media == MIME_MEDIA_HTML;
}

#endif
