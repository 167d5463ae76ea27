/*
 * questions.c - a row a question.
 */
#include "store/questions.h"

#include "store/rows.h"

const char *const question_answer_words[] = { "open", "fetch", "remove", NULL };

#define ASKED_MAX (QUESTION_ASKED_MAX * 21) /* bytes: a number and ';' each */
#define QUESTION_FIELDS(X)                                                                         \
	X(collector_id, 1, FIELD_ID, UINT64_MAX, NULL, FIELD_SHOWN)                                \
	X(known, 2, FIELD_BYTES, QUESTION_KNOWN_MAX, NULL, 0)                                      \
	X(sender, 3, FIELD_TEXT, QUESTION_TEXT_MAX, NULL, FIELD_SHOWN)                             \
	X(subject, 4, FIELD_TEXT, QUESTION_TEXT_MAX, NULL, FIELD_SHOWN)                            \
	X(rule, 5, FIELD_TEXT, QUESTION_TEXT_MAX, NULL, FIELD_SHOWN)                               \
	X(size, 6, FIELD_COUNT, UINT64_MAX, NULL, FIELD_SHOWN)                                     \
	X(asked, 7, FIELD_LIST, ASKED_MAX, NULL, FIELD_SHOWN)                                      \
	X(since_ms, 8, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                   \
	X(until_ms, 9, FIELD_TIME, INT64_MAX, NULL, FIELD_SHOWN)                                   \
	X(answer, 10, FIELD_WORD, 2, question_answer_words, FIELD_SHOWN)                           \
	X(by, 11, FIELD_TEXT, QUESTION_TEXT_MAX, NULL, FIELD_SHOWN)

static const struct field fields[] = {
#define X(name, tag, kind, max, words, flags) FIELD_ROW(question, name, tag, kind, max, words, flags)
	QUESTION_FIELDS(X)
#undef X
};

static const struct question defaults;

const struct field_table question_table = { fields, COUNT(fields), &defaults, sizeof(struct question) };

/* ---- reading ---- */

enum err
question_find(struct snapshot *snap, uint64_t question_no, struct question *out)
{
	struct key key;
	enum err err;

	key_u64(&key, question_no);
	err = row_get_fields(snap, TABLE_questions, &key, &question_table, out);
	out->question_no = question_no;
	return err;
}

enum err
question_next(struct snapshot *snap, uint64_t after, struct question *out)
{
	uint64_t question_no = 0;
	struct row row;
	struct span key;
	enum err err = table_seek_after(snap, TABLE_questions, after, &row);

	if (err != OK)
		return err;
	key = row.key;
	if (key_take_u64(&key, &question_no) != OK) {
		(void)table_damaged(snap, TABLE_questions, row.key, "key");
		return ERR_IO; /* a walk would not come past it */
	}
	err = row_fields(snap, TABLE_questions, &row, &question_table, out);
	out->question_no = question_no;
	return err;
}

enum err
question_count(struct snapshot *snap, uint64_t *count)
{
	return table_count(snap, TABLE_questions, count);
}

bool
question_was_asked(const struct question *q, uint64_t user_id)
{
	struct span rest = q->asked, part;
	uint64_t id;

	while (field_list_next(&rest, &part))
		if (span_u64(part, UINT64_MAX, &id) == OK && id == user_id)
			return true;
	return false;
}

/* ---- writing ---- */

enum err
question_put(struct txn *txn, const struct question *q)
{
	struct question old;
	uint64_t count = 0;
	struct key key;
	enum err err = question_find(txn_view(txn), q->question_no, &old);

	if (err == ERR_NOT_FOUND && (err = question_count(txn_view(txn), &count)) == OK)
		err = count < QUESTIONS_MAX ? OK : ERR_LIMIT;
	if (err != OK && err != ERR_CORRUPT)
		return err;
	key_u64(&key, q->question_no);
	return row_put_fields(txn, TABLE_questions, &key, &question_table, q);
}

enum err
question_answer_put(struct txn *txn, uint64_t question_no, enum question_answer answer, struct span by)
{
	struct question q;
	enum err err = question_find(txn_view(txn), question_no, &q);

	if (err != OK)
		return err;
	fields_copy(&question_table, &q, txn_arena(txn));
	q.answer = (uint8_t)answer;
	q.by = by;
	return question_put(txn, &q);
}

enum err
question_reply_put(struct txn *txn, uint64_t question_no, enum question_answer answer, struct span user)
{
	struct question q;
	enum err err = question_find(txn_view(txn), question_no, &q);

	if (err != OK || (answer == QUESTION_REMOVE && q.answer == QUESTION_FETCH && !span_eq(q.by, user)))
		return err;
	return question_answer_put(txn, question_no, answer, user);
}

enum err
question_remove(struct txn *txn, uint64_t question_no)
{
	struct key key;
	enum err err;

	key_u64(&key, question_no);
	err = row_delete(txn, TABLE_questions, &key);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
questions_sweep(struct txn *txn, int64_t now_ms, size_t max, bool *more)
{
	struct question q = { .question_no = 0 };
	size_t gone = 0;
	enum err err;

	*more = false;
	while ((err = question_next(txn_view(txn), q.question_no, &q)) == OK || err == ERR_CORRUPT) {
		if (err == OK && now_ms - q.until_ms < QUESTION_KEPT_MS)
			continue;
		if ((*more = gone++ == max))
			return OK;
		if ((err = question_remove(txn, q.question_no)) != OK)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}
