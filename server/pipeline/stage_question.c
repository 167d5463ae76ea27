/*
 * stage_question.c - replies to Mailer_Daemon that answer a question of Ask (DLR-07, DLR-08).
 *
 * Only who was asked may answer, and he has to have logged in (contract 8); no program of his does it for him. Such a
 * reply is kept nowhere: what it says is written with it (plan.answer). All else that is written to Mailer_Daemon is
 * read by the Main Administrator as ever.
 */
#include "server/pipeline/stages.h"

#include "proto/mail/message_no.h"
#include "proto/mime/encoded_word.h"
#include "proto/mime/html_text.h"
#include "proto/mime/mime_decoder.h"
#include "server/pipeline/mail_body.h"
#include "server/pipeline/mail_robot.h"
#include "server/pipeline/names.h"
#include "server/pipeline/question_reply.h"
#include "store/questions.h"

#define SUBJECT_MAX 4096
#define REPLY_LOOKED 16384 /* bytes of the text of a reply, as they are encoded */

static bool
is_robots(const struct plan_copy *copy)
{
	return copy->role == COPY_DELIVERY && copy->kind == COPY_FOLDER &&
		names_is_robot(span_range(copy->recipient, 0, span_find_last(copy->recipient, '@')));
}

static const struct plan_copy *
find_robots(const struct plan *plan)
{
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (is_robots(copy))
			return copy;
	return NULL;
}

static bool
find_number(const struct mail *mail, uint64_t *question_no)
{
	struct span subject = span_range(mail->facts.subject, 0, SUBJECT_MAX);
	struct buf plain, words;
	bool found;

	buf_init(&plain, SUBJECT_MAX);
	buf_init(&words, 4 * SUBJECT_MAX);
	if (header_unfold(&plain, subject) == OK)
		subject = buf_span(&plain);
	if (encoded_word_is_needed(subject) && encoded_word_decode(&words, subject) == OK)
		subject = buf_span(&words);
	found = question_reply_number(subject, question_no);
	buf_fini(&words);
	buf_fini(&plain);
	return found;
}

/* The part that people read first: a plain text, else HTML. False: there is none. */
static bool
find_text(const struct mail *mail, struct mime_part *out)
{
	struct mime_walk at = { 0 };
	struct mime_derived parts;
	struct mime_part part;
	bool found = false;

	if (mail_body_parts(mail, &parts) != OK)
		return false;
	while (mime_part_next(&parts, &at, &part)) {
		bool text = part.kind == MIME_LEAF && !part.is_attachment && !part.is_inner &&
			(part.media == MIME_MEDIA_PLAIN || part.media == MIME_MEDIA_HTML);

		if (!text || part.body_offset < mail->header.len || (found && part.media == MIME_MEDIA_HTML))
			continue;
		*out = part;
		found = true;
		if (part.media == MIME_MEDIA_PLAIN)
			return true;
	}
	return found;
}

static bool
decoded_deletes(const struct mime_part *part, struct span bytes)
{
	struct mime_decoder decoder;
	struct buf text, plain;
	bool deletes;
	enum err err;

	buf_init(&text, 2 * REPLY_LOOKED);
	buf_init(&plain, 2 * REPLY_LOOKED);
	mime_decoder_init(&decoder, part->encoding);
	err = mime_decoder_put(&decoder, bytes, &text);
	if (err == OK)
		err = mime_decoder_end(&decoder, &text);
	if (err == OK && part->media == MIME_MEDIA_HTML)
		err = html_text_put(&plain, buf_span(&text));
	else if (err == OK)
		err = buf_put(&plain, buf_span(&text));
	deletes = err == OK && question_reply_deletes(buf_span(&plain));
	buf_fini(&plain);
	buf_fini(&text);
	return deletes;
}

/* Does its first text, HTML where there is no other, begin so? */
static enum err
read_reply(const struct mail *mail, bool *deletes)
{
	struct mime_part part = { .body_offset = mail->header.len, .body_size = mail->body.size,
		.media = MIME_MEDIA_PLAIN };
	struct span bytes;
	uint64_t size;
	enum err err;

	*deletes = false;
	(void)find_text(mail, &part); /* else all of it, as it is */
	size = part.body_size < REPLY_LOOKED ? part.body_size : REPLY_LOOKED;
	err = mail_body_range(mail, part.body_offset - mail->header.len, size, &bytes);
	if (err == OK)
		*deletes = decoded_deletes(&part, bytes);
	return err == ERR_NOT_FOUND ? OK : err;
}

static struct span
id_of(struct plan *plan, uint64_t question_no)
{
	char text[MESSAGE_NO_SIZE];

	return arena_copy(plan->arena, message_no_format(question_no, text));
}

/* The answer takes the place of the Main Administrator's copy. */
static enum verdict
take_answer(struct pipeline_ask *ask, const struct question *q, bool deletes, const struct plan_copy *robots,
	struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_DISCARD, .recipient_no = robots->recipient_no,
		.recipient = robots->recipient, .target = SPAN("No-one"), .why = NOTE_ASK_ANSWERED,
		.found = id_of(plan, q->question_no), .because = deletes ? SPAN("deleted") : SPAN("fetched") };

	if (ask->mail->envelope.recipient_count == 1) /* else it is a letter to others too */
		plan_copies_remove(plan, is_robots);
	plan->answer = (struct plan_answer){ q->question_no, !deletes };
	return plan_copy_add(plan, &copy, (size_t)ask->conf->limits_expansion_recipients) == OK
		? STAGE_NEXT : stage_trouble(plan);
}

enum verdict
stage_question(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	const struct plan_copy *robots = find_robots(plan);
	const struct mail *mail = ask->mail;
	struct question q;
	bool deletes;
	uint64_t no;
	enum err err;

	(void)phase;
	if (!robots || !find_number(mail, &no) || mail_robot_why(mail))
		return STAGE_NEXT;
	err = question_find(ask->snap, no, &q);
	if (err == ERR_NOT_FOUND || err == ERR_CORRUPT) {
		plan_note(plan, NOTE_ASK_OVER, id_of(plan, no), SPAN_NONE);
		return STAGE_NEXT;
	}
	if (err == OK && (mail->user_id == 0 || !question_was_asked(&q, mail->user_id))) {
		plan_note(plan, NOTE_ASK_STRANGER, id_of(plan, no), mail->user_id ? mail->user : SPAN("who has not logged in"));
		return STAGE_NEXT;
	}
	if (err == OK)
		err = read_reply(mail, &deletes);
	return err == OK ? take_answer(ask, &q, deletes, robots, plan) : stage_trouble(plan);
}
