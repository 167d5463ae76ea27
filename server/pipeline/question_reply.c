/*
 * question_reply.c - see question_reply.h.
 */
#include "server/pipeline/question_reply.h"

#include "proto/base/ascii.h"
#include "proto/mail/message_no.h"

#define BLANK_UTF8 SPAN("\xc2\xa0")     /* U+00A0 */
#define MARK_UTF8 SPAN("\xef\xbb\xbf")  /* U+FEFF */
#define WORD SPAN("DELETE")

bool
question_reply_number(struct span subject, uint64_t *question_no)
{
	size_t open = span_find_last(subject, '{'), end;
	struct span rest = span_from(subject, open + 1);

	if (open >= subject.len)
		return false;
	end = span_find(rest, '}');
	return end > 0 && end < rest.len && message_no_parse(span_range(rest, 0, end), question_no) == OK &&
		*question_no != 0;
}

/* One blank less in front; false: there is none. */
static bool
skip_blank(struct span *text)
{
	size_t len = 0;

	if (span_starts(*text, BLANK_UTF8))
		len = BLANK_UTF8.len;
	else if (span_starts(*text, MARK_UTF8))
		len = MARK_UTF8.len;
	else if (text->len > 0 && span_find_any(SPAN(" \t\r\n"), span_range(*text, 0, 1)) < 4)
		len = 1;
	*text = span_from(*text, len);
	return len > 0;
}

bool
question_reply_deletes(struct span text)
{
	while (skip_blank(&text))
		;
	if (!span_starts_nocase(text, WORD))
		return false;
	text = span_from(text, WORD.len);
	return text.len == 0 || !(ascii_is_alpha(text.ptr[0]) || ascii_is_digit(text.ptr[0]));
}
