/*
 * scram.c - attributes one after the other, in the order of the grammar and no other.
 */
#include "proto/sasl/scram.h"

#include "proto/base/ascii.h"
#include "proto/base/utf8.h"

/*
 * "X=value" from the front of *REST, and the comma behind it; false where it is another attribute.
 * *REST is SPAN_NONE behind the last one.
 */
static bool
take(struct span *rest, char letter, struct span *value)
{
	struct span part;

	if (rest->len < 2 || rest->ptr[0] != letter || rest->ptr[1] != '=')
		return false;
	if (!span_cut(*rest, ',', &part, rest))
		*rest = SPAN_NONE;
	*value = span_from(part, 2);
	return true;
}

/* What we do not know is passed over where it is well formed (RFC 5802, 5.1). */
static enum err
skip_extensions(struct span rest)
{
	while (rest.ptr) {
		struct span part;

		if (!span_cut(rest, ',', &part, &rest))
			rest = SPAN_NONE;
		if (part.len < 3 || !ascii_is_alpha(part.ptr[0]) || part.ptr[1] != '=')
			return ERR_SYNTAX;
		if (part.ptr[0] == 'm')
			return ERR_DENIED;
	}
	return OK;
}

static bool
is_printable(struct span nonce)
{
	for (size_t i = 0; i < nonce.len; i++)
		if (nonce.ptr[i] < 0x21 || nonce.ptr[i] > 0x7e)
			return false;
	return nonce.len > 0;
}

static bool
is_text(struct span message)
{
	return span_find(message, '\0') == message.len && utf8_is_valid(message);
}

/* The gs2 header; *rest is what follows it. */
static enum err
take_gs2(struct span message, struct scram_first *out, struct span *rest)
{
	struct span flag, authzid;

	if (!span_cut(message, ',', &flag, rest) || !span_cut(*rest, ',', &authzid, rest))
		return ERR_SYNTAX;
	if (span_starts(flag, SPAN("p=")))
		return ERR_DENIED; /* only with channel binding, which is not offered (H67) */
	if (!span_eq(flag, SPAN("n")) && !span_eq(flag, SPAN("y")))
		return ERR_SYNTAX; /* y: it could, and rightly thinks that we cannot */
	if (authzid.len > 0 && !span_starts(authzid, SPAN("a=")))
		return ERR_SYNTAX;
	out->authzid = span_from(authzid, authzid.len > 0 ? 2 : 0);
	out->gs2 = span_range(message, 0, message.len - rest->len);
	return OK;
}

enum err
scram_first_parse(struct span message, struct scram_first *out)
{
	struct span rest, mandatory;
	enum err err;

	*out = (struct scram_first){ .bare = SPAN_NONE };
	if (!is_text(message))
		return ERR_SYNTAX;
	err = take_gs2(message, out, &rest);
	if (err != OK)
		return err;
	out->bare = rest;
	if (take(&rest, 'm', &mandatory))
		return ERR_DENIED;
	if (!take(&rest, 'n', &out->name) || out->name.len == 0 || !take(&rest, 'r', &out->nonce) ||
		!is_printable(out->nonce))
		return ERR_SYNTAX;
	return skip_extensions(rest);
}

/* Where the last attribute begins; the length of the message where it is no proof. */
static size_t
proof_at(struct span message)
{
	size_t comma = span_find_last(message, ',');

	return span_starts(span_from(message, comma), SPAN(",p=")) ? comma : message.len;
}

enum err
scram_final_parse(struct span message, struct scram_final *out)
{
	size_t at = proof_at(message);
	struct span rest;

	*out = (struct scram_final){ .without_proof = span_range(message, 0, at) };
	if (!is_text(message) || at == message.len)
		return ERR_SYNTAX;
	rest = out->without_proof;
	out->proof = span_from(message, at + 3);
	if (!take(&rest, 'c', &out->binding) || !take(&rest, 'r', &out->nonce) ||
		!is_printable(out->nonce))
		return ERR_SYNTAX;
	return skip_extensions(rest);
}

enum err
scram_name_decode(struct span name, char *out, size_t max, size_t *len)
{
	*len = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (c == '=') {
			struct span code = span_range(name, i + 1, i + 3);

			if (!span_eq(code, SPAN("2C")) && !span_eq(code, SPAN("3D")))
				return ERR_SYNTAX;
			c = code.ptr[0] == '2' ? ',' : '=';
			i += 2;
		}
		if (*len == max)
			return ERR_LIMIT;
		out[(*len)++] = c;
	}
	return OK;
}
