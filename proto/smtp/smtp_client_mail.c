/*
 * smtp_client_mail.c - one transaction: MAIL, RCPT, DATA or BDAT, the text, and the verdict.
 *
 * Answers come in the order of the commands: MAIL, each RCPT, DATA. With PIPELINING (RFC 2920) all are
 * under way at once, so an answer of DATA may come where nothing may be sent any more: 354 then gets an
 * empty message, which a server without recipients refuses.
 */
#include "proto/smtp/smtp_client_inside.h"

static bool
offers(const struct smtp_client *m, enum smtp_extension extension)
{
	return m->extensions.offered & extension;
}

/* ---- commands ---- */

static void
put_mail(struct smtp_client *m, struct buf *out)
{
	static const char *const rets[] = {
		[DSN_RET_UNSAID] = "", [DSN_RET_FULL] = " RET=FULL", [DSN_RET_HDRS] = " RET=HDRS"
	};
	const struct smtp_client_mail *mail = m->mail;
	bool dsn = offers(m, SMTP_EXT_DSN);
	struct buf size;

	buf_init(&size, 40);
	if (offers(m, SMTP_EXT_SIZE) && (buf_put(&size, SPAN(" SIZE=")) != OK ||
						 buf_put_u64(&size, mail->size) != OK))
		buf_clear(&size); /* it is a hint */
	SMTP_PUT(m, out, SPAN("MAIL FROM:<"), mail->reverse_path, SPAN(">"), buf_span(&size),
		mail->is_8bit ? SPAN(" BODY=8BITMIME") : SPAN(""),
		mail->smtputf8 ? SPAN(" SMTPUTF8") : SPAN(""),
		dsn ? span_of(rets[mail->ret]) : SPAN(""),
		dsn && mail->envid.ptr ? SPAN(" ENVID=") : SPAN(""), dsn ? mail->envid : SPAN(""));
	buf_fini(&size);
}

/* "NOTIFY=SUCCESS,DELAY" into TEXT (RFC 3461, 4.1). */
static struct span
notify_text(unsigned notify, struct buf *text)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = { { DSN_NOTIFY_NEVER, "NEVER" }, { DSN_NOTIFY_SUCCESS, "SUCCESS" },
		{ DSN_NOTIFY_FAILURE, "FAILURE" }, { DSN_NOTIFY_DELAY, "DELAY" } };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!(notify & words[i].bit))
			continue;
		if (buf_put(text, buf_span(text).len > 0 ? SPAN(",") : SPAN(" NOTIFY=")) != OK ||
			buf_put(text, span_of(words[i].word)) != OK)
			return SPAN("");
	}
	return buf_span(text);
}

static void
put_recipient(struct smtp_client *m, const struct smtp_client_recipient *r, struct buf *out)
{
	bool dsn = offers(m, SMTP_EXT_DSN);
	struct buf notify;

	buf_init(&notify, 80);
	SMTP_PUT(m, out, SPAN("RCPT TO:<"), r->address, SPAN(">"),
		dsn ? notify_text(r->options.notify, &notify) : SPAN(""),
		dsn && r->options.orcpt.ptr ? SPAN(" ORCPT=") : SPAN(""),
		dsn ? r->options.orcpt : SPAN(""));
	buf_fini(&notify);
}

/* DATA, or the text at once (RFC 3030, 2). */
static void
put_data(struct smtp_client *m, struct buf *out)
{
	struct buf size;

	m->data_asked = true;
	if (!m->chunked) {
		SMTP_PUT(m, out, SPAN("DATA"));
		return;
	}
	buf_init(&size, 40);
	if (buf_put_u64(&size, m->mail->size) == OK)
		SMTP_PUT(m, out, SPAN("BDAT "), buf_span(&size), SPAN(" LAST"));
	buf_fini(&size);
	smtp_client_enter(m, SMTP_STAGE_TEXT);
}

/* As many commands as may go out before the next answer. */
static void
pump(struct smtp_client *m, struct buf *out)
{
	bool ahead = offers(m, SMTP_EXT_PIPELINING);
	size_t window = ahead ? SMTP_CLIENT_WINDOW : 1;

	if (m->mail_refused || (!ahead && !m->mail_answered))
		return;
	while (m->asked < m->mail->count && m->asked - m->answered < window &&
		m->over == SMTP_OVER_NO)
		put_recipient(m, &m->mail->recipients[m->asked++], out);
	if (m->data_asked || m->asked < m->mail->count)
		return;
	if (m->answered == m->mail->count ? m->accepted > 0 : ahead && !m->chunked)
		put_data(m, out);
}

/* ---- the transaction ---- */

/* What it need not even be asked. */
static bool
refuse_here(struct smtp_client *m, unsigned code, const char *text)
{
	smtp_client_settle(m, SMTP_STAGE_MAIL,
		(struct smtp_answer){ .code = code, .text = span_of(text),
			.enhanced = span_range(span_of(text), 0, 5) });
	smtp_client_enter(m, SMTP_STAGE_IDLE);
	return true;
}

static bool
is_hopeless(struct smtp_client *m)
{
	const struct smtp_client_mail *mail = m->mail;

	if (m->extensions.size > 0 && mail->size > m->extensions.size) /* RFC 1870, 6.1 */
		return refuse_here(m, 552, "5.3.4 the message is larger than the server takes");
	if (mail->smtputf8 && !offers(m, SMTP_EXT_SMTPUTF8)) /* RFC 6531, 3.2 */
		return refuse_here(m, 550, "5.6.7 the server takes no SMTPUTF8");
	if (mail->is_8bit && !offers(m, SMTP_EXT_8BITMIME)) /* RFC 6152, 3 */
		return refuse_here(m, 554, "5.6.3 the server takes no 8-bit text");
	return false;
}

void
smtp_client_send(struct smtp_client *m, const struct smtp_client_mail *mail, struct buf *out)
{
	ENSURE(m->pending == SMTP_CLIENT_READY && mail->count > 0);
	m->pending = SMTP_CLIENT_NEED_BYTES;
	m->mail = mail;
	m->asked = m->answered = m->accepted = 0;
	m->mail_answered = m->mail_refused = m->data_asked = m->empty_end = false;
	m->chunked = offers(m, SMTP_EXT_CHUNKING);
	m->text_size = 0;
	m->stuffing = (struct smtp_stuffing){ .in_line = false };
	if (is_hopeless(m))
		return;
	smtp_client_enter(m, SMTP_STAGE_MAIL);
	put_mail(m, out);
	pump(m, out);
}

/* It goes no further: what was begun at the server is taken back. */
static void
give_up(struct smtp_client *m, enum smtp_stage stage, struct smtp_answer a)
{
	smtp_client_settle(m, stage, a);
	m->to_reset = true;
}

/* No recipient is left, and everything was answered but perhaps DATA. */
static void
none_left(struct smtp_client *m, struct smtp_answer a)
{
	if (m->mail_refused) {
		if (!m->data_asked)
			m->to_reset = m->settled = true; /* with the verdict of MAIL */
	} else if (!m->data_asked) {
		give_up(m, SMTP_STAGE_RCPT, a);
	} else {
		smtp_client_settle(m, SMTP_STAGE_RCPT, a);
		m->settled = false; /* when DATA is answered */
	}
}

static void
on_recipient(struct smtp_client *m, struct smtp_answer a, struct smtp_client_event *ev)
{
	ev->recipient = m->answered++;
	if (!m->mail_refused) {
		m->accepted += smtp_answer_is_good(a);
		smtp_client_raise(m, ev, SMTP_CLIENT_RECIPIENT);
	}
	if (m->answered == m->asked && m->accepted == 0 &&
		(m->mail_refused || m->asked == m->mail->count))
		none_left(m, a);
}

static void
on_data(struct smtp_client *m, struct smtp_answer a, struct buf *out)
{
	if (a.code == 354 && m->accepted > 0) {
		smtp_client_enter(m, SMTP_STAGE_TEXT);
	} else if (a.code == 354) { /* RFC 2920, 3.1 */
		m->empty_end = true;
		smtp_client_enter(m, SMTP_STAGE_END);
		SMTP_PUT(m, out, SPAN("."));
	} else if (m->accepted > 0) {
		give_up(m, SMTP_STAGE_DATA, a);
	} else {
		m->settled = m->to_reset = true; /* with what was said of the recipients */
	}
}

void
smtp_client_on_mail(struct smtp_client *m, struct smtp_answer a, struct buf *out,
	struct smtp_client_event *ev)
{
	if (!m->mail_answered) {
		m->mail_answered = true;
		m->mail_refused = !smtp_answer_is_good(a);
		if (m->mail_refused) {
			smtp_client_settle(m, SMTP_STAGE_MAIL, a);
			m->settled = m->to_reset = m->asked == 0; /* else when all is answered */
		}
		smtp_client_enter(m, SMTP_STAGE_RCPT);
	} else if (m->answered < m->asked) {
		on_recipient(m, a, ev);
	} else {
		on_data(m, a, out);
		return;
	}
	if (m->answered == m->mail->count && m->data_asked && !m->chunked)
		smtp_client_enter(m, SMTP_STAGE_DATA);
	pump(m, out);
}

/* ---- the text ---- */

enum err
smtp_client_text(struct smtp_client *m, struct span text, struct buf *out)
{
	enum err err = m->chunked ? buf_put(out, text) : smtp_stuffing_put(&m->stuffing, text, out);

	ENSURE(m->pending == SMTP_CLIENT_GO);
	if (err == OK)
		m->text_size += text.len;
	return err;
}

enum err
smtp_client_text_end(struct smtp_client *m, struct buf *out)
{
	ENSURE(m->pending == SMTP_CLIENT_GO);
	if (m->text_size != m->mail->size) { /* never a part of a message for the whole */
		smtp_client_end(m, SMTP_OVER_SHORT, (struct smtp_answer){ 0 });
		return OK;
	}
	if (!m->chunked && smtp_stuffing_end(&m->stuffing, out) != OK)
		return ERR_LIMIT;
	m->pending = SMTP_CLIENT_NEED_BYTES;
	smtp_client_enter(m, SMTP_STAGE_END);
	return OK;
}

/* Contract 8: nothing but 250 says that the message is theirs now. */
void
smtp_client_on_end(struct smtp_client *m, struct smtp_answer a)
{
	if (m->empty_end) {
		m->settled = true;
		m->to_reset = true;
		return;
	}
	smtp_client_settle(m, SMTP_STAGE_END, a);
	smtp_client_enter(m, SMTP_STAGE_IDLE);
}
