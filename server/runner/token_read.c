/*
 * token_read.c - what a token_command printed: JSON as an authorization server gives it, or a bare line.
 */
#include <string.h>

#include "proto/base/arena.h"
#include "proto/base/json.h"
#include "server/runner/tokens.h"

#define LIFE_MAX_S (366 * 86400)

/* RFC 6750, 2.1, and a little more: what can be seen, and no blanks. */
static bool
is_token(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f)
			return false;
	return text.len > 0 && text.len <= TOKEN_SIZE_MAX;
}

/* Some write the number as text. */
static int64_t
life_of(const struct json *value)
{
	uint64_t seconds = 0;
	enum err err = json_is(value, JSON_STRING) ? span_u64(json_text(value), LIFE_MAX_S, &seconds)
						   : json_u64(value, LIFE_MAX_S, &seconds);

	return err == OK ? (int64_t)seconds * 1000 : 0;
}

enum err
token_read(struct arena *a, struct span text, struct span *token, int64_t *life_ms)
{
	const struct json *document;

	*token = text = span_trim_folds(text);
	*life_ms = 0;
	if (span_starts(text, SPAN("{"))) {
		if (json_parse(a, text, &document, NULL) != OK)
			return ERR_SYNTAX;
		*token = json_text(json_find(document, SPAN("access_token")));
		*life_ms = life_of(json_find(document, SPAN("expires_in")));
	}
	return is_token(*token) ? OK : ERR_SYNTAX;
}
