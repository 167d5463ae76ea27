/*
 * imap_client_say.c - what one line of a server says: a response of its own, a piece of one, or an answer.
 */
#include "proto/base/ascii.h"
#include "proto/imap/imap_client_inside.h"

#define LITERAL_DIGITS 10 /* H22 */

static const struct {
	const char *name;
	unsigned bit; /* enum imap_client_can */
} capabilities[] = {
	{ "STARTTLS", IMAP_CAN_STARTTLS },
	{ "LOGINDISABLED", IMAP_CAN_NO_LOGIN },
	{ "SASL-IR", IMAP_CAN_SASL_IR },
	{ "IDLE", IMAP_CAN_IDLE },
	{ "UIDPLUS", IMAP_CAN_UIDPLUS },
};

/* The word at the front of *REST, which moves on behind it and the blanks there. */
static struct span
take_word(struct span *rest)
{
	struct span word;

	span_cut(*rest, ' ', &word, rest);
	*rest = span_trim(*rest);
	return word;
}

/* "STARTTLS AUTH=PLAIN ...": all that it offers (RFC 3501, 7.2.1). */
static void
take_capabilities(struct imap_client *m, struct span words)
{
	m->can = m->mechanisms = 0;
	m->can_said = true;
	while (words.len > 0) {
		struct span word = take_word(&words);

		for (size_t i = 0; i < COUNT(capabilities); i++)
			if (span_eq_nocase(word, span_of(capabilities[i].name)))
				m->can |= capabilities[i].bit;
		if (span_starts_nocase(word, SPAN("AUTH=")))
			m->mechanisms |= SASL_CLIENT_BIT(sasl_client_find(span_from(word, 5)));
	}
}

/* "[UIDVALIDITY 7]" and others (RFC 3501, 7.1). */
static void
take_code(struct imap_client *m, struct span code)
{
	struct span rest = code, word = take_word(&rest);
	uint64_t number;

	if (span_eq_nocase(word, SPAN("CAPABILITY")))
		take_capabilities(m, rest);
	else if (imap_client_stage(m) != IMAP_STAGE_SELECT)
		return; /* what is said of the folder later cannot be true: names of messages hang on it */
	else if (span_eq_nocase(word, SPAN("UIDNOTSTICKY"))) /* RFC 4315, 2.2 */
		m->folder.unsticky = true;
	else if (span_eq_nocase(word, SPAN("UIDVALIDITY")) &&
		span_u64(rest, UINT32_MAX, &number) == OK)
		m->folder.uidvalidity = (uint32_t)number;
	else if (span_eq_nocase(word, SPAN("READ-ONLY")))
		m->folder.read_only = true;
}

/* "OK [CODE] text". False: it is none. */
static bool
take_status(struct span rest, struct imap_client_status *out)
{
	static const char *const words[IMAP_WORDS] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };
	struct span word = take_word(&rest), after;

	*out = (struct imap_client_status){ .text = rest };
	if (!span_starts(rest, SPAN("[")) || !span_cut(span_from(rest, 1), ']', &out->code, &after))
		out->code = SPAN_NONE;
	for (unsigned i = 0; i < IMAP_WORDS; i++)
		if (span_eq_nocase(word, span_of(words[i]))) {
			out->word = (enum imap_client_word)i;
			return true;
		}
	return false;
}

/* At the end of a line. */
struct literal {
	bool is_there;
	uint64_t size;
};

/* Does LINE end with "{123}"? Then it is cut off. ERR_LIMIT: over ten digits, or 32 bits. */
static enum err
take_literal_head(struct span *line, struct literal *literal)
{
	size_t open = span_find_last(*line, '{');
	struct span digits;

	*literal = (struct literal){ .is_there = false };
	if (line->len == 0 || line->ptr[line->len - 1] != '}' || open >= line->len)
		return OK;
	digits = span_range(*line, open + 1, line->len - 1);
	if (digits.len > LITERAL_DIGITS || span_u64(digits, IMAP_CLIENT_TEXT_MAX, &literal->size) != OK)
		return ERR_LIMIT;
	literal->is_there = true;
	if (open > 0 && line->ptr[open - 1] == '~') /* RFC 3516 */
		open--;
	*line = span_range(*line, 0, open);
	return OK;
}

/* ---- data ---- */

/* A literal begins: the text of an order, or something to be dropped. */
static void
begin_literal(struct imap_client *m, uint64_t size)
{
	bool is_text = m->is_fetch && imap_client_fetch_literal(&m->fetched);

	if (is_text && m->fetched.has_text) {
		m->wrong_text = true; /* and it is not passed on behind the first */
		is_text = false;
	} else if (is_text && imap_client_begin_text(m, m->fetched.uid) != OK) {
		imap_client_end(m, IMAP_OVER_UNASKED, SPAN("the text of another message"));
		return;
	}
	if (!is_text && size > IMAP_CLIENT_LITERAL_MAX) {
		imap_client_end(m, IMAP_OVER_LIMIT, SPAN("a literal that was not asked for"));
		return;
	}
	m->fetched.has_text |= is_text;
	m->literal = is_text ? IMAP_LITERAL_TEXT : IMAP_LITERAL_SKIPPED;
	m->literal_left = size;
	m->goes_on = true;
}

/* A whole FETCH response: an item of the list, or the text of an order. */
static void
end_fetch(struct imap_client *m, struct imap_client_event *ev)
{
	const struct imap_client_fetched *f = &m->fetched;
	const struct imap_client_order *order;

	if (f->at != FETCHED_END) {
		imap_client_end(m, IMAP_OVER_NONSENSE, SPAN("a FETCH response without an end"));
		return;
	}
	if (m->asked == IMAP_STAGE_LIST && f->uid != 0 && f->has_size)
		*ev = (struct imap_client_event){ .kind = IMAP_CLIENT_ITEM, .stage = m->asked,
			.uid = f->uid, .size = f->size, .flags = f->flags };
	if (!f->has_text && (!f->quoted || imap_client_begin_text(m, f->uid) != OK))
		return;
	order = imap_client_current(m);
	imap_client_end_text(m, f->uid == 0 || f->uid == order->uid);
}

static void
take_fetch(struct imap_client *m, struct span piece, struct literal literal, struct imap_client_event *ev)
{
	if (imap_client_fetch_take(&m->fetched, piece, imap_client_fetch_wanted(m->asked)) != OK)
		imap_client_end(m, IMAP_OVER_NONSENSE, piece);
	else if (literal.is_there)
		begin_literal(m, literal.size);
	else
		end_fetch(m, ev);
}

/* "12 EXISTS" and the like (RFC 3501, 7.3). REST is behind the number. */
static void
take_numbered(struct imap_client *m, uint32_t number, struct span rest, struct literal literal,
	struct imap_client_event *ev)
{
	struct span word = take_word(&rest);

	if (span_eq_nocase(word, SPAN("FETCH"))) {
		m->is_fetch = true;
		imap_client_fetch_begin(&m->fetched);
		take_fetch(m, rest, literal, ev);
	} else if (span_eq_nocase(word, SPAN("EXISTS"))) {
		m->news |= number > m->folder.exists;
		m->folder.exists = number;
	} else if (span_eq_nocase(word, SPAN("EXPUNGE")) && m->folder.exists > 0) {
		m->folder.exists--;
	}
}

/* Data, or the rest of it behind a literal. */
static void
take_data(struct imap_client *m, struct span line, struct imap_client_event *ev)
{
	bool is_behind = m->goes_on;
	struct literal literal;
	struct span rest, word;
	uint64_t number;

	m->goes_on = false;
	if (take_literal_head(&line, &literal) != OK) {
		imap_client_end(m, IMAP_OVER_LIMIT, SPAN("a literal that is too long"));
		return;
	}
	if (is_behind && m->is_fetch) {
		take_fetch(m, line, literal, ev);
		return;
	}
	m->is_fetch = false;
	rest = line;
	word = is_behind ? SPAN_NONE : take_word(&rest);
	if (word.len > 0 && ascii_is_digit(word.ptr[0]) &&
		span_u64(word, UINT32_MAX, &number) == OK)
		take_numbered(m, (uint32_t)number, rest, literal, ev);
	else if (span_eq_nocase(word, SPAN("CAPABILITY")))
		take_capabilities(m, rest);
	else if (span_eq_nocase(word, SPAN("SEARCH")) && rest.len > 0)
		m->others_deleted = true; /* there is one: more need not be known */
	if (literal.is_there && !m->is_fetch)
		begin_literal(m, literal.size);
}

/* ---- lines ---- */

static void
take_untagged(
	struct imap_client *m, struct span rest, struct buf *out, struct imap_client_event *ev)
{
	struct imap_client_status s;

	if (!take_status(rest, &s)) {
		take_data(m, rest, ev);
		return;
	}
	take_code(m, s.code);
	if (!m->greeted) {
		imap_client_on_greeting(m, s, out);
	} else if (s.word == IMAP_WORD_BYE && m->asked != IMAP_STAGE_LOGOUT) {
		imap_client_end(m, IMAP_OVER_BYE, s.text);
	}
}

static void
take_tagged(struct imap_client *m, struct span line, struct buf *out)
{
	enum imap_client_stage stage = m->asked;
	struct imap_client_status s;
	struct span rest = line, tag = take_word(&rest);
	uint64_t number;

	if (!take_status(rest, &s) || s.word > IMAP_WORD_BAD || !span_starts_nocase(tag, SPAN("P")) ||
		span_u64(span_from(tag, 1), UINT32_MAX, &number) != OK) {
		imap_client_end(m, IMAP_OVER_NONSENSE, line);
		return;
	}
	if (stage == IMAP_STAGE_READY || m->tag != number) {
		imap_client_end(m, IMAP_OVER_UNASKED, line);
		return;
	}
	take_code(m, s.code);
	m->unasked = 0;
	if (stage <= IMAP_STAGE_SELECT)
		imap_client_on_begin(m, stage, s, out);
	else
		imap_client_on_folder(m, stage, s, out);
}

void
imap_client_line(
	struct imap_client *m, struct span line, struct buf *out, struct imap_client_event *ev)
{
	if (++m->unasked > IMAP_CLIENT_UNASKED_MAX)
		imap_client_end(m, IMAP_OVER_LIMIT, SPAN("it does not come to an end"));
	else if (m->goes_on)
		take_data(m, line, ev);
	else if (span_starts(line, SPAN("* ")))
		take_untagged(m, span_from(line, 2), out, ev);
	else if (!m->greeted)
		imap_client_end(m, IMAP_OVER_NONSENSE, line);
	else if (span_starts(line, SPAN("+")))
		imap_client_on_go_on(m, span_trim(span_from(line, 1)), out, ev);
	else if (line.len > 0)
		take_tagged(m, line, out);
}
