/*
 * attached_mail.c - the frame around an attached message.
 */
#include "server/pipeline/attached_mail.h"

#include "proto/mail/mail_date.h"
#include "proto/mail/received.h"
#include "proto/mime/encoded_word.h"

#define FRAME_MAX 8192   /* bytes of the frame beside the text and the message's own header */
#define TRACE_MAX 131072 /* bytes of Received fields, with which the header begins (H16) */
#define PIECES    4      /* the frame's front, the header, the body, the frame's end */
#define WORDS_MAX 200    /* bytes of a value in a text */

struct span
attached_mail_words(struct plan *plan, struct span value)
{
	char clean[WORDS_MAX];
	struct span text;
	struct buf words;

	buf_init(&words, 4 * WORDS_MAX);
	if (encoded_word_decode(&words, span_trim(value)) != OK)
		words.overflow = false; /* what fitted is enough */
	text = span_range(buf_span(&words), 0, WORDS_MAX);
	text = arena_copy(plan->arena, (struct span){ clean, span_copy_clean(text, clean, sizeof(clean)) });
	buf_fini(&words);
	return text.len > 0 ? text : SPAN("(none)");
}

static enum err
put_header(struct pipeline_ask *ask, const struct attached_mail *letter, struct span boundary,
	struct buf *out)
{
	const struct mail *mail = ask->mail;
	struct mail_date date = { mail->arrived_ms / 1000, mail->zone_minutes };
	struct span domain = conf_default_domain(ask->conf);
	enum err err = buf_put(out, SPAN("Date: "));

	if (err == OK)
		err = mail_date_put(out, date);
	if (err == OK)
		err = buf_printf(out, "\r\nFrom: Mailer_Daemon@%.*s\r\nTo: %.*s\r\n",
			SPAN_FMT(domain.len > 0 ? domain : mail->hostname), SPAN_FMT(letter->to));
	if (err == OK)
		err = header_put_text(out, SPAN("Subject"), letter->subject);
	if (err == OK)
		err = buf_printf(out, "Message-ID: <%.*s.%lld.attached@%.*s>\r\n", SPAN_FMT(mail->id),
			(long long)date.seconds, SPAN_FMT(mail->hostname));
	if (err == OK)
		err = buf_printf(out,
			"Auto-Submitted: auto-generated\r\n"
			"MIME-Version: 1.0\r\n"
			"Content-Type: multipart/mixed; boundary=\"%.*s\"\r\n"
			"Content-Transfer-Encoding: 8bit\r\n\r\n",
			SPAN_FMT(boundary));
	return err;
}

static struct span
front_of(const struct attached_mail *letter, struct span boundary, struct plan *plan)
{
	return arena_printf(plan->arena,
		"--%.*s\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n\r\n"
		"%.*s\r\n"
		"--%.*s\r\n"
		"Content-Type: message/rfc822\r\n"
		"Content-Transfer-Encoding: 8bit\r\n"
		"Content-Disposition: attachment\r\n\r\n",
		SPAN_FMT(boundary), SPAN_FMT(letter->text), SPAN_FMT(boundary));
}

enum err
attached_mail_make(struct pipeline_ask *ask, const struct attached_mail *letter, struct plan *plan,
	const struct plan_version **out)
{
	struct span boundary = arena_printf(plan->arena, "attached-%016llx%016llx",
		(unsigned long long)ask->mail->nonce[0], (unsigned long long)ask->mail->nonce[1]); /* H79 */
	struct plan_piece *pieces = ARENA_ARRAY(plan->arena, struct plan_piece, PIECES);
	struct plan_version *version;
	struct buf header;
	enum err err;

	buf_init(&header, TRACE_MAX + FRAME_MAX);
	err = received_put_trace(&header, ask->mail->header, TRACE_MAX);
	if (err == OK)
		err = put_header(ask, letter, boundary, &header);
	if (err == OK) {
		version = plan_version_new(plan);
		version->header = arena_copy(plan->arena, buf_span(&header));
		version->front = SPAN("Return-Path: <>\r\n"); /* this server wrote it */
		pieces[0].text = front_of(letter, boundary, plan);
		pieces[1].text = ask->mail->header;
		pieces[2].size = ask->mail->size > ask->mail->header.len
			? ask->mail->size - ask->mail->header.len : 0;
		pieces[3].text = arena_printf(plan->arena, "\r\n--%.*s--\r\n", SPAN_FMT(boundary));
		version->pieces = pieces;
		version->piece_count = PIECES;
		*out = version;
	}
	buf_fini(&header);
	return err;
}
