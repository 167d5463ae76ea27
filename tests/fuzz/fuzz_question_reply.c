/*
 * fuzz_question_reply.c - any subject and any text of a reply to Ask: a number that is found says itself again, and only
 * a text with the word in it deletes (DLR-07).
 */
#include "proto/mail/message_no.h"
#include "server/pipeline/question_reply.h"
#include "tests/fuzz/fuzz.h"

FUZZ(in, a, out)
{
	char text[MESSAGE_NO_SIZE];
	uint64_t no = 0, again = 0;

	(void)out;
	if (question_reply_number(in, &no)) {
		struct span mark = arena_printf(a, "x {%.*s}", SPAN_FMT(message_no_format(no, text)));

		ENSURE(no != 0 && question_reply_number(mark, &again) && again == no);
	}
	if (question_reply_deletes(in))
		ENSURE(span_find_span_nocase(in, SPAN("DELETE")) < in.len);
}
