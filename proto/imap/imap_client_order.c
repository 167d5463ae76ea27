/*
 * imap_client_order.c - orders: which of them go in one command, and what has come of each.
 *
 * First whatever marks messages, wherever it stands; then the texts from the front on, as far as they are of one kind and
 * their UIDs rise, for in that order they come. Told is from the front alone.
 */
#include "proto/imap/imap_client_inside.h"

#define COMMAND_MAX 2048 /* bytes: a set of IMAP_CLIENT_AHEAD numbers has 700 */

static struct imap_client_order *
at(struct imap_client *m, size_t i)
{
	return &m->orders[(m->order_at + i) % IMAP_CLIENT_AHEAD];
}

static bool
is_text(enum imap_client_stage stage)
{
	return stage == IMAP_STAGE_HEAD || stage == IMAP_STAGE_FETCH;
}

bool
imap_client_has_room(const struct imap_client *m)
{
	return m->over == IMAP_OVER_NO && m->order_count < IMAP_CLIENT_AHEAD;
}

void
imap_client_order(struct imap_client *m, enum imap_client_stage order, uint32_t uid)
{
	ENSURE(imap_client_has_room(m) && order >= IMAP_STAGE_HEAD && order <= IMAP_STAGE_KEEP);
	*at(m, m->order_count++) = (struct imap_client_order){ .stage = order, .uid = uid,
		.state = order == IMAP_STAGE_KEEP ? IMAP_ORDER_DONE : IMAP_ORDER_WAITS };
}

/* ---- what goes out ---- */

static enum imap_client_stage
next_stage(struct imap_client *m)
{
	enum imap_client_stage stage = IMAP_STAGE_READY;

	for (size_t i = 0; i < m->order_count; i++) {
		const struct imap_client_order *o = at(m, i);

		if (o->state == IMAP_ORDER_WAITS && !is_text(o->stage))
			return o->stage;
		if (o->state == IMAP_ORDER_WAITS && stage == IMAP_STAGE_READY)
			stage = o->stage;
	}
	return stage;
}

/* All that go together in one command of STAGE; how many ranges. */
static size_t
gather(struct imap_client *m, enum imap_client_stage stage, struct imap_range ranges[IMAP_CLIENT_AHEAD])
{
	size_t count = 0;

	for (size_t i = 0; i < m->order_count; i++) {
		struct imap_client_order *o = at(m, i);

		if (o->state != IMAP_ORDER_WAITS)
			continue;
		if (is_text(stage) && (o->stage != stage || (count > 0 && o->uid <= ranges[count - 1].last)))
			break;
		if (o->stage == stage) {
			ranges[count++] = (struct imap_range){ o->uid, o->uid };
			o->state = IMAP_ORDER_SENT;
		}
	}
	return imap_ranges_merge(ranges, count);
}

bool
imap_client_send_orders(struct imap_client *m, struct buf *out)
{
	enum imap_client_stage stage = next_stage(m);
	struct imap_range ranges[IMAP_CLIENT_AHEAD];
	struct buf line;
	size_t count;
	enum err err;

	if (stage == IMAP_STAGE_READY)
		return false;
	count = gather(m, stage, ranges);
	m->asked_uid = ranges[0].first;
	buf_init(&line, COMMAND_MAX);
	err = buf_put(&line, is_text(stage) ? SPAN("UID FETCH ") : SPAN("UID STORE "));
	if (err == OK)
		err = imap_ranges_put(&line, ranges, count);
	if (err == OK)
		err = buf_put(&line, stage == IMAP_STAGE_HEAD	 ? SPAN(" (UID BODY.PEEK[HEADER])")
				     : stage == IMAP_STAGE_FETCH ? SPAN(" (UID BODY.PEEK[])")
				     : stage == IMAP_STAGE_SEEN	 ? SPAN(" +FLAGS.SILENT (\\Seen)")
								 : SPAN(" +FLAGS.SILENT (\\Deleted)"));
	if (err == OK)
		imap_client_ask(m, out, stage, buf_span(&line));
	else
		imap_client_end(m, IMAP_OVER_OUTPUT, SPAN_NONE);
	buf_fini(&line);
	return true;
}

/* ---- what comes of them ---- */

static void
settle(struct imap_client_order *o, enum imap_client_result result)
{
	o->state = IMAP_ORDER_DONE;
	o->result = result;
}

struct imap_client_order *
imap_client_current(struct imap_client *m)
{
	for (size_t i = 0; i < m->order_count; i++)
		if (at(m, i)->state == IMAP_ORDER_SENT)
			return at(m, i);
	return NULL;
}

enum err
imap_client_begin_text(struct imap_client *m, uint32_t uid)
{
	struct imap_client_order *o;
	bool found = false;

	for (size_t i = 0; i < m->order_count; i++)
		found |= at(m, i)->state == IMAP_ORDER_SENT && (uid == 0 || at(m, i)->uid == uid);
	if (!found)
		return ERR_NOT_FOUND;
	for (o = imap_client_current(m); uid != 0 && o->uid != uid; o = imap_client_current(m))
		settle(o, IMAP_RESULT_PASSED);
	m->text_bytes = 0;
	m->wrong_text = false;
	return OK;
}

/* A text that is whole is whole, whatever is said of the command later. */
void
imap_client_end_text(struct imap_client *m, bool is_right)
{
	struct imap_client_order *o = imap_client_current(m);

	m->answer_len = span_copy_clean(SPAN("not the text that was asked for"), m->answer, sizeof(m->answer));
	settle(o, !is_right || m->wrong_text				? IMAP_RESULT_BAD
		  : o->stage == IMAP_STAGE_FETCH && m->text_bytes == 0	? IMAP_RESULT_EMPTY
									: IMAP_RESULT_OK);
}

void
imap_client_on_orders(
	struct imap_client *m, enum imap_client_stage stage, struct imap_client_status s)
{
	enum imap_client_result result = s.word == IMAP_WORD_NO	   ? IMAP_RESULT_NO
					 : s.word == IMAP_WORD_BAD ? IMAP_RESULT_BAD
					 : is_text(stage)	   ? IMAP_RESULT_GONE
								   : IMAP_RESULT_OK;

	m->answer_len = sasl_client_copy_said(&m->sasl, s.text, m->answer, sizeof(m->answer));
	for (size_t i = 0; i < m->order_count; i++) {
		struct imap_client_order *o = at(m, i);

		if (o->state != IMAP_ORDER_SENT)
			continue;
		settle(o, result);
		if (stage == IMAP_STAGE_DELETE && result == IMAP_RESULT_OK &&
			imap_client_remember_removed(m, o->uid) != OK)
			settle(o, IMAP_RESULT_NO);
	}
}

bool
imap_client_tell_order(struct imap_client *m, struct imap_client_event *ev)
{
	const struct imap_client_order *o = at(m, 0);

	if (m->order_count == 0 || o->state != IMAP_ORDER_DONE)
		return false;
	*ev = (struct imap_client_event){ .kind = IMAP_CLIENT_ANSWER, .stage = o->stage, .uid = o->uid,
		.result = o->result };
	if (o->result == IMAP_RESULT_NO || o->result == IMAP_RESULT_BAD)
		ev->answer = (struct span){ m->answer, m->answer_len };
	m->order_at = (m->order_at + 1) % IMAP_CLIENT_AHEAD;
	m->order_count--;
	return true;
}
