/*
 * imap_client_fetch.c - FETCH responses (RFC 3501, 7.4.2): "(UID 7 FLAGS (\Seen) BODY[] {12}", then the rest.
 *
 * They come in pieces, one for each literal in them; what is known so far is in struct imap_client_fetched.
 * Items that nobody asked for are passed over, however they are nested (depth is counted, H23).
 */
#include "proto/base/ascii.h"
#include "proto/imap/imap_client_inside.h"

#define UID_MAX UINT32_MAX

void
imap_client_fetch_begin(struct imap_client_fetched *f)
{
	*f = (struct imap_client_fetched){ .size = UINT64_MAX };
}

struct span
imap_client_fetch_wanted(enum imap_client_stage order)
{
	return order == IMAP_STAGE_HEAD	   ? SPAN("BODY[HEADER]")
	       : order == IMAP_STAGE_FETCH ? SPAN("BODY[]")
					   : SPAN("");
}

/* Up to a blank, a parenthesis or a quote; what stands in brackets belongs to it. */
static struct span
take_atom(struct span *rest)
{
	struct span atom = { rest->ptr, 0 };
	bool inside = false;

	while (atom.len < rest->len) {
		char c = rest->ptr[atom.len];

		if (!inside && (c == ' ' || c == '(' || c == ')' || c == '"'))
			break;
		inside = c == '[' || (inside && c != ']');
		atom.len++;
	}
	*rest = span_from(*rest, atom.len);
	return atom;
}

static bool
skip_quoted(struct span *rest)
{
	for (size_t i = 1; i < rest->len; i++) {
		if (rest->ptr[i] == '"') {
			*rest = span_from(*rest, i + 1);
			return true;
		}
		if (rest->ptr[i] == '\\')
			i++;
	}
	return false;
}

static void
take_name(struct imap_client_fetched *f, struct span name, struct span wanted)
{
	f->item = span_eq_nocase(name, SPAN("UID"))	      ? FETCHED_UID
		  : span_eq_nocase(name, SPAN("RFC822.SIZE")) ? FETCHED_SIZE
		  : span_eq_nocase(name, SPAN("FLAGS"))	      ? FETCHED_FLAGS
		  : wanted.len > 0 && span_eq_nocase(name, wanted) ? FETCHED_TEXT
								    : FETCHED_OTHER;
	f->at = FETCHED_VALUE;
}

/* A number, NIL, or anything of an item that is passed over. */
static enum err
take_value(struct imap_client_fetched *f, struct span value)
{
	uint64_t number = 0;

	f->at = FETCHED_NAME;
	if (f->item != FETCHED_UID && f->item != FETCHED_SIZE)
		return OK;
	if (span_u64(value, f->item == FETCHED_UID ? UID_MAX : INT64_MAX, &number) != OK ||
		(f->item == FETCHED_UID && number == 0))
		return ERR_SYNTAX;
	if (f->item == FETCHED_UID) {
		f->uid = (uint32_t)number;
	} else {
		f->size = number;
		f->has_size = true;
	}
	return OK;
}

static void
take_flag(struct imap_client_fetched *f, struct span flag)
{
	if (span_eq_nocase(flag, SPAN("\\Seen")))
		f->flags |= IMAP_FLAG_SEEN;
	else if (span_eq_nocase(flag, SPAN("\\Deleted")))
		f->flags |= IMAP_FLAG_DELETED;
}

static enum err
take_word(struct imap_client_fetched *f, struct span *rest, struct span wanted)
{
	struct span word = take_atom(rest);

	if (word.len == 0 || f->depth == 0)
		return ERR_SYNTAX;
	if (f->depth == 1 && f->at == FETCHED_NAME)
		take_name(f, word, wanted);
	else if (f->depth == 1)
		return take_value(f, word);
	else if (f->depth == 2 && f->item == FETCHED_FLAGS)
		take_flag(f, word);
	return OK;
}

static enum err
take_quoted(struct imap_client_fetched *f, struct span *rest)
{
	if (f->depth == 0 || (f->depth == 1 && f->at != FETCHED_VALUE) || !skip_quoted(rest))
		return ERR_SYNTAX;
	if (f->depth == 1) {
		f->quoted |= f->item == FETCHED_TEXT;
		f->at = FETCHED_NAME;
	}
	return OK;
}

static enum err
take_parenthesis(struct imap_client_fetched *f, struct span *rest)
{
	bool opens = rest->ptr[0] == '(';

	*rest = span_from(*rest, 1);
	if (opens && ((f->depth == 0 && f->at != FETCHED_BEGIN) || f->depth == IMAP_DEPTH_MAX ||
			     (f->depth == 1 && f->at != FETCHED_VALUE)))
		return ERR_SYNTAX;
	if (!opens && (f->depth == 0 || (f->depth == 1 && f->at != FETCHED_NAME)))
		return ERR_SYNTAX;
	f->depth += opens ? 1u : -1u;
	if (opens && f->depth == 1)
		f->at = FETCHED_NAME;
	else if (!opens && f->depth == 1)
		f->at = FETCHED_NAME; /* behind a value that was a list */
	else if (!opens && f->depth == 0)
		f->at = FETCHED_END;
	return OK;
}

enum err
imap_client_fetch_take(struct imap_client_fetched *f, struct span piece, struct span wanted)
{
	struct span rest = span_trim(piece);
	enum err err = OK;

	while (err == OK && rest.len > 0) {
		char c = rest.ptr[0];

		if (c == ' ' || c == '\t')
			rest = span_from(rest, 1);
		else if (c == '(' || c == ')')
			err = take_parenthesis(f, &rest);
		else if (c == '"')
			err = take_quoted(f, &rest);
		else
			err = take_word(f, &rest, wanted);
	}
	return err;
}

bool
imap_client_fetch_literal(struct imap_client_fetched *f)
{
	bool is_value = f->depth == 1 && f->at == FETCHED_VALUE;

	if (is_value)
		f->at = FETCHED_NAME;
	return is_value && f->item == FETCHED_TEXT;
}
