/*
 * header_mailbox.c - reading address lists as they are in the wild, one mailbox at a time.
 *
 * One pass, one state, no backtracking: what cannot be read is passed over, never repaired.
 */
#include "proto/mail/header.h"

struct scan {
	struct span in;
	size_t at;
	size_t raw_from, raw_to;           /* this element, all of it */
	size_t begin;                      /* of it, behind comments */
	size_t angle_from, angle_to;       /* between '<' and '>'; to == 0: none */
	size_t comment_from, comment_to;   /* inside the last comment; to == 0: none */
	size_t word_end;                   /* where the text before a trailing comment ends */
	bool has_words;
	bool stops_at_colon;               /* a group's name is told */
	char ended_by;                     /* ',' ';' ':'; 0: the text was over */
};

static void
begin_element(struct scan *s)
{
	s->begin = s->word_end = s->raw_from = s->raw_to = s->at;
	s->angle_from = s->angle_to = 0;
	s->comment_from = s->comment_to = 0;
	s->has_words = false;
	s->ended_by = 0;
}

/* From the byte after an opening '"' or '<' to the one after its CLOSE. */
static void
skip_to(struct scan *s, char close)
{
	while (s->at < s->in.len && s->in.ptr[s->at] != close) {
		if (s->in.ptr[s->at] == '\\' && close == '"')
			s->at++;
		s->at++;
	}
	if (s->at < s->in.len)
		s->at++;
	else
		s->at = s->in.len;
}

/* A comment, its opening bracket taken; comments nest (RFC 5322, 3.2.2). */
static void
skip_comment(struct scan *s)
{
	size_t depth = 1;

	s->comment_from = s->at;
	while (s->at < s->in.len && depth > 0) {
		char c = s->in.ptr[s->at++];

		if (c == '\\' && s->at < s->in.len)
			s->at++;
		depth += c == '(';
		depth -= c == ')';
	}
	s->comment_to = depth == 0 ? s->at - 1 : s->at;
	if (!s->has_words)
		s->begin = s->word_end = s->at; /* a comment in front */
}

/* Take what begins at s->at. True where it ends the element. */
static bool
take_token(struct scan *s)
{
	char c = s->in.ptr[s->at++];

	switch (c) {
	case ',':
	case ';':
		s->ended_by = c;
		return true;
	case ':': /* a group's name (RFC 5322, 3.4) */
		if (s->stops_at_colon) {
			s->ended_by = c;
			return true;
		}
		begin_element(s);
		return false;
	case '(':
		skip_comment(s);
		return false;
	case '"':
		skip_to(s, '"');
		break;
	case '[':
		skip_to(s, ']');
		break;
	case '<':
		s->angle_from = s->at;
		skip_to(s, '>');
		s->angle_to = s->at;
		return false;
	default:
		break;
	}
	if (s->angle_to == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n') {
		s->word_end = s->at;
		s->has_words = true;
	}
	return false;
}

static bool
finish_element(const struct scan *s, struct header_mailbox *mailbox)
{
	struct span words = span_trim_folds(span_range(s->in, s->begin, s->word_end));
	struct span comment = span_trim_folds(span_range(s->in, s->comment_from, s->comment_to));

	if (s->angle_to > 0) {
		struct span inside = span_range(s->in, s->angle_from, s->angle_to);

		inside.len = span_find(inside, '>');
		inside = span_trim_folds(inside);
		*mailbox = (struct header_mailbox){ words.len ? words : comment, inside, SPAN_NONE };
	} else {
		*mailbox = (struct header_mailbox){ comment, words, SPAN_NONE };
	}
	mailbox->raw = span_range(s->in, s->raw_from, s->raw_to);
	return mailbox->address.len > 0;
}

static void
take_element(struct scan *s)
{
	bool ended = false;

	begin_element(s);
	while (!ended && s->at < s->in.len) {
		ended = take_token(s);
		if (!ended)
			s->raw_to = s->at;
	}
}

bool
header_next_mailbox(struct span *rest, struct header_mailbox *mailbox)
{
	struct scan s = { .in = *rest };

	while (s.at < s.in.len) {
		take_element(&s);
		if (finish_element(&s, mailbox)) {
			*rest = span_from(s.in, s.at);
			return true;
		}
	}
	*rest = span_from(s.in, s.in.len);
	return false;
}

/* The end of a group that was left open, or of all. */
static enum header_element
end_list(bool *in_group)
{
	enum header_element kind = *in_group ? HEADER_GROUP_END : HEADER_END;

	*in_group = false;
	return kind;
}

enum header_element
header_next_element(struct span *rest, bool *in_group, struct header_mailbox *mailbox)
{
	struct scan s = { .in = *rest };

	while (s.at < s.in.len) {
		size_t before = s.at;
		bool has_mailbox;

		s.stops_at_colon = !*in_group;
		take_element(&s);
		has_mailbox = finish_element(&s, mailbox);
		*rest = span_from(s.in, s.at);
		if (s.ended_by == ':') {
			mailbox->display = span_trim_folds(span_range(s.in, s.begin, s.word_end));
			*in_group = true;
			return HEADER_GROUP;
		}
		if (has_mailbox && s.ended_by == ';' && *in_group && s.at - before > 1)
			*rest = span_from(s.in, s.at - 1); /* the ';' is next */
		if (has_mailbox)
			return HEADER_MAILBOX;
		if (s.ended_by == ';' && *in_group)
			return end_list(in_group);
	}
	return end_list(in_group);
}
