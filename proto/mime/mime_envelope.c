/*
 * mime_envelope.c - ENVELOPE: date, subject, six address lists, two ids.
 */
#include "proto/mime/mime_envelope.h"

#include "proto/mail/header.h"
#include "proto/mime/mime_reply.h"

#define WORD_MAX 65536 /* bytes of a name or an address */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the comment at the front of S ends; comments nest (RFC 5322, 3.2.2). */
static size_t
comment_length(struct span s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.len;
}

/* Append the inside of the quoted string at the front of S; its length with the quotes. */
static size_t
put_unquoted(struct buf *out, struct span s)
{
	size_t i = 1;

	for (; i < s.len && s.ptr[i] != '"'; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		if (s.ptr[i] != '\r' && s.ptr[i] != '\n')
			(void)!buf_put_char(out, s.ptr[i]);
	}
	return i + 1;
}

/* What TEXT says: without quotes and comments; BLANK stands for each run of blanks, 0 for nothing. */
static void
put_words(struct buf *out, struct span text, char blank)
{
	bool pending = false, begun = false;

	for (size_t i = 0; i < text.len;) {
		char c = text.ptr[i];

		if (c == '(') {
			i += comment_length(span_from(text, i));
			pending = true;
			continue;
		}
		if (is_blank(c)) {
			pending = true;
			i++;
			continue;
		}
		if (pending && begun && blank)
			(void)!buf_put_char(out, blank);
		pending = false;
		begun = true;
		if (c == '"') {
			i += put_unquoted(out, span_from(text, i));
			continue;
		}
		if (c == '\\' && i + 1 < text.len)
			i++;
		(void)!buf_put_char(out, text.ptr[i++]);
	}
}

/* TEXT as a string of the wire; straight where there is nothing to undo. */
/* Where nothing is left of it, EMPTY. */
static void
put_word_string(struct buf *out, struct span text, char blank, struct span empty)
{
	struct buf words;

	if (text.len > 0 && span_find_any(text, SPAN("\"\\(\r\n\t ")) == text.len) {
		mime_put_nstring(out, text);
		return;
	}
	buf_init(&words, WORD_MAX);
	put_words(&words, text, blank);
	mime_put_nstring(out, buf_span(&words).len > 0 ? buf_span(&words) : empty);
	buf_fini(&words);
}

void
mime_put_address(struct span address, struct buf *out)
{
	put_words(out, address, '\0');
}

static void
put_name(struct buf *out, struct span name)
{
	put_word_string(out, name, ' ', SPAN_NONE);
}

/* The last '@' outside of quotes; len: none. */
static size_t
find_at(struct span s)
{
	size_t found = s.len;
	bool in_quotes = false;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			in_quotes = !in_quotes;
		else if (s.ptr[i] == '@' && !in_quotes)
			found = i;
	}
	return found;
}

static void
put_mailbox(struct buf *out, const struct header_mailbox *mailbox)
{
	struct span address = mailbox->address, route = SPAN_NONE;
	size_t at = span_starts(address, SPAN("@")) ? span_find(address, ':') : address.len;

	if (at < address.len) { /* RFC 5322, 4.4: <@a,@b:anna@example.org> */
		route = span_range(address, 0, at);
		address = span_from(address, at + 1);
	}
	at = find_at(address);
	mime_put_lit(out, "(");
	put_name(out, mailbox->display);
	mime_put_lit(out, " ");
	mime_put_nstring(out, route);
	mime_put_lit(out, " ");
	put_word_string(out, span_range(address, 0, at), '\0', SPAN(""));
	mime_put_lit(out, " "); /* a host is never NIL, that would be a group */
	put_word_string(out, span_from(address, at + 1), '\0', SPAN(""));
	mime_put_lit(out, ")");
}

/* RFC 9051, 7.5.2: a group begins with (NIL NIL "name" NIL) and ends with four NILs. */
static void
put_element(struct buf *out, const struct header_mailbox *mailbox, enum header_element kind)
{
	if (kind == HEADER_MAILBOX) {
		put_mailbox(out, mailbox);
	} else if (kind == HEADER_GROUP) {
		mime_put_lit(out, "(NIL NIL ");
		put_word_string(out, mailbox->display, ' ', SPAN(""));
		mime_put_lit(out, " NIL)");
	} else {
		mime_put_lit(out, "(NIL NIL NIL NIL)");
	}
}

/* False, and NIL is put: there is no address in LIST. */
static bool
put_addresses(struct buf *out, struct span list, size_t *addresses)
{
	struct header_mailbox mailbox;
	bool in_group = false, any = false;
	enum header_element kind;

	while (*addresses > 0 &&
		(kind = header_next_element(&list, &in_group, &mailbox)) != HEADER_END) {
		if (!any)
			mime_put_lit(out, "(");
		any = true;
		put_element(out, &mailbox, kind);
		--*addresses;
	}
	if (in_group)
		put_element(out, &mailbox, HEADER_GROUP_END);
	mime_put_lit(out, any ? ")" : "NIL");
	return any;
}

void
mime_put_envelope(const struct mime_entity *e, size_t *addresses, struct buf *out)
{
	size_t from_begin = 0, from_len = 0;

	for (unsigned i = ENTITY_DATE; i <= ENTITY_MESSAGE_ID; i++) {
		size_t before = buf_span(out).len + 1;

		mime_put_lit(out, i == ENTITY_DATE ? "(" : " ");
		if (i < ENTITY_FROM || i > ENTITY_BCC) {
			mime_put_nstring(out, e->fields[i]);
			continue;
		}
		if (put_addresses(out, e->fields[i], addresses)) {
			if (i == ENTITY_FROM) {
				from_begin = before;
				from_len = buf_span(out).len - before;
			}
		} else if ((i == ENTITY_SENDER || i == ENTITY_REPLY_TO) && from_len > 0 &&
			!out->overflow) {
			out->len -= 3; /* its NIL: From is said instead */
			if (buf_reserve(out, from_len))
				(void)!buf_put(out, span_range(buf_span(out), from_begin,
							    from_begin + from_len));
		}
	}
	mime_put_lit(out, ")");
}
