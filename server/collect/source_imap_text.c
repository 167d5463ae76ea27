/*
 * source_imap_text.c - the text of a message, mended as it goes by, and the answer behind it.
 *
 * A holder who does not take a piece stops the reading; what was not taken stays in the stream's input. The
 * answer to an order waits behind the last piece, which may be of our own making.
 */
#include "server/collect/source_imap.h"

size_t
source_imap_text(struct source_imap *i, uint32_t number, struct span text)
{
	struct span rest = text;

	while (rest.len > 0) {
		struct mail_lines before = i->lines;
		size_t used;
		struct span piece = mail_lines_next(&i->lines, rest, &used);

		if (piece.len > 0 && !source_net_offer(&i->net, number, piece)) {
			i->lines = before;
			return rest.len;
		}
		rest = span_from(rest, used);
	}
	return 0;
}

static enum source_result
result_of(const struct imap_client_event *ev)
{
	switch (ev->result) {
	case IMAP_RESULT_OK:
		return SOURCE_DONE;
	case IMAP_RESULT_GONE:
		return SOURCE_GONE;
	case IMAP_RESULT_EMPTY:
	case IMAP_RESULT_PASSED:
	case IMAP_RESULT_NO:
		return SOURCE_FAILED;
	case IMAP_RESULT_BAD:
		return ev->stage == IMAP_STAGE_HEAD ? SOURCE_CANNOT : SOURCE_FAILED;
	}
	return SOURCE_FAILED;
}

static void
tell_answer(struct source_imap *i)
{
	i->answer_held = false;
	i->net.source.events->answered(&i->net.source, i->held_number, i->held_order, i->held_result,
		(struct span){ i->held_text, i->held_said });
}

bool
source_imap_answer(struct source_imap *i, const struct imap_client_event *ev)
{
	static const enum source_order orders[IMAP_STAGES] = {
		[IMAP_STAGE_HEAD] = SOURCE_HEAD,
		[IMAP_STAGE_FETCH] = SOURCE_FETCH,
		[IMAP_STAGE_DELETE] = SOURCE_REMOVE,
		[IMAP_STAGE_SEEN] = SOURCE_KEEP,
		[IMAP_STAGE_KEEP] = SOURCE_KEEP,
	};
	struct span said = ev->result == IMAP_RESULT_EMPTY    ? SPAN("a message without any text")
			   : ev->result == IMAP_RESULT_PASSED ? SPAN("the server passed it over")
			   : ev->result == IMAP_RESULT_OK     ? SPAN("")
							      : ev->answer;

	i->answer_held = true;
	i->held_number = ev->uid;
	i->held_order = orders[ev->stage];
	i->held_result = result_of(ev);
	i->held_said = span_copy_clean(said, i->held_text, sizeof(i->held_text));
	i->tail = mail_lines_end(&i->lines);
	if (i->held_result != SOURCE_DONE || i->held_order != SOURCE_FETCH)
		i->tail = SPAN_NONE; /* of a header no more than was said; of half a message nothing counts */
	return source_imap_go_on(i);
}

bool
source_imap_go_on(struct source_imap *i)
{
	i->net.held = false;
	if (i->answer_held && i->tail.len > 0 && !source_net_offer(&i->net, i->held_number, i->tail))
		return false;
	i->tail = SPAN_NONE;
	if (i->answer_held)
		tell_answer(i);
	return true;
}
