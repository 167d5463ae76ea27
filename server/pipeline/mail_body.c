/*
 * mail_body.c - a place in what lies in the store and what follows in memory.
 */
#include "server/pipeline/mail_body.h"

#include <string.h>

#include "store/bodies.h"

enum err
mail_body_read(const struct mail *mail, uint64_t offset, struct span *out)
{
	const struct mail_content *body = &mail->body;
	uint64_t at = body->stored;

	if (offset < body->stored) {
		enum err err = body->snap ? body_read(body->snap, body->body_id, offset, out) : ERR_IO;

		return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
	}
	for (size_t i = 0; i < body->span_count; i++) {
		if (offset < at + body->spans[i].len) {
			*out = span_from(body->spans[i], (size_t)(offset - at));
			return OK;
		}
		at += body->spans[i].len;
	}
	return ERR_NOT_FOUND;
}

enum err
mail_body_range(const struct mail *mail, uint64_t offset, uint64_t size, struct span *out)
{
	struct span piece = SPAN_NONE;
	char *room;
	size_t len = 0;
	enum err err = OK;

	*out = SPAN_NONE;
	if (size == 0)
		return OK;
	if (offset > mail->body.size || size > mail->body.size - offset)
		return ERR_NOT_FOUND;
	err = mail_body_read(mail, offset, &piece);
	if (err == OK && piece.len >= size) {
		*out = span_range(piece, 0, (size_t)size);
		return OK;
	}
	room = arena_alloc(mail->arena, (size_t)size);
	while (err == OK && len < size) {
		size_t take = piece.len < size - len ? piece.len : (size_t)size - len;

		memcpy(room + len, piece.ptr, take);
		len += take;
		if (len < size)
			err = mail_body_read(mail, offset + len, &piece);
	}
	*out = (struct span){ room, len };
	return err;
}

enum err
mail_body_parts(const struct mail *mail, struct mime_derived *out)
{
	enum err err = mime_derived_open(mail->derived, mail->header, out);

	return err == OK ? OK : ERR_NOT_FOUND;
}
