/*
 * questions.h - messages of mailboxes elsewhere about which somebody was asked whether they shall be fetched (DLR-07).
 *
 * A question is known by a random number, which stands in the subject of the letter. It is of a collector, by the
 * number that fetched.h gives it, so that a new name leaves it alone, and of the bytes by which the collection knows the
 * message again. What was answered is carried out the next time the mailbox is collected; the row goes when the message
 * is not met any more. Rows are written through rows.h: an answer by command can be undone.
 *
 * Errors: ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO, for writes ERR_FULL. Spans live in the snapshot.
 */
#ifndef STORE_QUESTIONS_H
#define STORE_QUESTIONS_H

#include "store/fields.h"

struct row;
struct snapshot;
struct txn;

#define QUESTIONS_MAX 10000	   /* open and answered ones, of all collectors */
#define QUESTION_ASKED_MAX 1000	   /* users who may answer one */
#define QUESTION_KNOWN_MAX 512	   /* bytes by which a message is known again */
#define QUESTION_TEXT_MAX 300	   /* bytes of sender, subject and name of the rule; the rest is cut */
#define QUESTION_KEPT_MS (INT64_C(30) * 86400 * 1000) /* behind its end, of a mailbox that is not collected any more */

enum question_answer { QUESTION_OPEN, QUESTION_FETCH, QUESTION_REMOVE };
extern const char *const question_answer_words[]; /* open fetch remove */

struct question {
	uint64_t question_no; /* the key */
	uint64_t collector_id;
	struct span known;    /* the message */
	struct span sender, subject, rule;
	uint64_t size;	      /* bytes; 0: not known */
	struct span asked;    /* numbers of users, "3;15" */
	int64_t since_ms, until_ms;
	uint8_t answer;	      /* enum question_answer */
	struct span by;	      /* who gave it; or empty */
};
extern const struct field_table question_table;

MUST_CHECK enum err question_find(struct snapshot *snap, uint64_t question_no, struct question *out);
/* The first behind AFTER, by number; 0 is the front. */
MUST_CHECK enum err question_next(struct snapshot *snap, uint64_t after, struct question *out);
MUST_CHECK enum err question_count(struct snapshot *snap, uint64_t *count);
/* Was USER_ID asked? */
bool question_was_asked(const struct question *q, uint64_t user_id);

/* Insert or replace. ERR_LIMIT: there are QUESTIONS_MAX others. */
MUST_CHECK enum err question_put(struct txn *txn, const struct question *q);
/* BY says what becomes of it, in place of what was said before. ERR_NOT_FOUND. */
MUST_CHECK enum err question_answer_put(
	struct txn *txn, uint64_t question_no, enum question_answer answer, struct span by);
/* The same by the letter of a user who was asked: he removes nothing that another of them wants to have. */
MUST_CHECK enum err question_reply_put(
	struct txn *txn, uint64_t question_no, enum question_answer answer, struct span user);
MUST_CHECK enum err question_remove(struct txn *txn, uint64_t question_no); /* OK also where there is none */
/* Up to MAX of those that ended QUESTION_KEPT_MS before NOW_MS go. *MORE: there may be more. */
MUST_CHECK enum err questions_sweep(struct txn *txn, int64_t now_ms, size_t max, bool *more);

#endif
