/*
 * control_questions.c - `rule download ask`: messages of mailboxes elsewhere about which somebody was asked, and an
 * answer in his place (DLR-07).
 *
 * An answer is carried out the next time the mailbox is collected; until then another one replaces it, and undo takes it
 * back.
 */
#include "proto/mail/message_no.h"
#include "server/control/control_call.h"
#include "server/generation.h"
#include "store/fetched.h"
#include "store/questions.h"
#include "store/users.h"

#define ASKED_SHOWN 20

/* ---- list ---- */

struct question_list {
	uint64_t after;
	uint64_t *ids; /* of the collectors of the file, by their places there; 0: never collected */
};

/* Questions know numbers: a collector may have got another name since. */
static bool
find_collectors(struct control_call *call, struct question_list *list, struct snapshot *snap)
{
	const struct conf_collectors *all = &generation_conf(call->generation)->collectors;

	list->ids = ARENA_ARRAY(&call->arena, uint64_t, all->count);
	for (size_t i = 0; i < all->count; i++) {
		struct fetched_collector c;
		enum err err = fetched_collector_find(snap, all->items[i].name, &c);

		list->ids[i] = err == OK ? c.id : 0;
		if (err == ERR_IO)
			return control_fail_err(call, err, "the collectors");
	}
	return true;
}

static struct span
collector_name(struct control_call *call, const struct question_list *list, uint64_t id)
{
	const struct conf_collectors *all = &generation_conf(call->generation)->collectors;

	for (size_t i = 0; i < all->count; i++)
		if (list->ids[i] == id)
			return all->items[i].name;
	return SPAN("(gone)");
}

static void
put_asked(struct control_call *call, struct snapshot *snap, struct span asked)
{
	struct span *names = ARENA_ARRAY(&call->arena, struct span, ASKED_SHOWN);
	struct span part;
	struct user user;
	size_t count = 0;
	uint64_t id;

	while (count < ASKED_SHOWN && field_list_next(&asked, &part))
		if (span_u64(part, UINT64_MAX, &id) == OK && user_find(snap, id, &user) == OK)
			names[count++] = arena_copy(&call->arena, user.name);
	control_put_list(&call->rows, names, count);
}

static void
put_question(struct control_call *call, const struct question_list *list, struct snapshot *snap,
	const struct question *q)
{
	struct control_rows *rows = &call->rows;
	char text[MESSAGE_NO_SIZE];
	struct span id = message_no_format(q->question_no, text);

	control_row(rows, id);
	control_put_text(rows, id);
	control_put_text(rows, collector_name(call, list, q->collector_id));
	control_put_text(rows, q->sender);
	control_put_text(rows, q->subject);
	if (q->size > 0)
		control_put_number(rows, (int64_t)q->size);
	else
		control_put_null(rows);
	control_put_text(rows, q->rule);
	put_asked(call, snap, q->asked);
	control_put_time_ms(rows, q->since_ms);
	control_put_time_ms(rows, q->until_ms);
	control_put_text(rows, span_of(question_answer_words[q->answer]));
	control_put_text(rows, q->by.len > 0 ? q->by : SPAN_NONE);
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct question_list *list = call->state;
	struct question q;
	enum err err;

	if (!list) {
		list = call->state = ARENA_NEW(&call->arena, struct question_list);
		if (!find_collectors(call, list, snap))
			return STEP_FAIL;
	}
	while ((err = question_next(snap, list->after, &q)) == OK || err == ERR_CORRUPT) {
		list->after = q.question_no;
		if (err == OK)
			put_question(call, list, snap, &q);
		if (control_slice_is_over(&slice))
			return STEP_MORE;
	}
	if (err == ERR_NOT_FOUND)
		return STEP_DONE;
	control_fail_err(call, err, "the questions");
	return STEP_FAIL;
}

const struct control_handler control_do_rule_download_ask_list = { .read = list_read };

/* ---- answers ---- */

static enum err
answer(struct control_call *call, struct txn *txn, struct span id, enum question_answer what)
{
	uint64_t question_no;
	enum err err = message_no_parse(id, &question_no);

	if (err == OK)
		err = question_answer_put(txn, question_no, what, span_of(call->who.name));
	if (err == ERR_SYNTAX || err == ERR_LIMIT)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		call->skip_why = "there is no such question";
	return err;
}

static enum err
fetch_each(struct control_call *call, struct txn *txn, struct span id)
{
	return answer(call, txn, id, QUESTION_FETCH);
}

static enum err
remove_each(struct control_call *call, struct txn *txn, struct span id)
{
	return answer(call, txn, id, QUESTION_REMOVE);
}

const struct control_handler control_do_rule_download_ask_fetch = {
	.each = fetch_each,
	.object = "the question",
}, control_do_rule_download_ask_remove = {
	.each = remove_each,
	.object = "the question",
};
