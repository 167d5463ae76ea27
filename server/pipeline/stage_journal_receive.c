/*
 * stage_journal_receive.c - the journal of another server arrives (JRN-04): it is opened, and the archive keeps the
 * original with its own envelope.
 *
 *     AT_RCPT   an address of journal.receive, from whom journal.receive_from lets in; from anybody else it is an
 *               address like others, and mostly nobody's. The SMTP rules are asked there and then
 *     AT_END    a report (journal_report.h): the message/rfc822 inside; a plain copy: without its X-Envelope lines;
 *               anything else: as it came, with a note, for it must not be lost
 *
 * It stands before `sender`, for these lines alone say who may deliver there, and the address may be of any domain.
 * AT_END it stands behind the rules: what they discard, reject or send elsewhere is not archived (contract 8).
 * No user gets any of it, and our own journal does not record it: it reaches nobody.
 */
#include "server/pipeline/stages.h"

#include <string.h>

#include "conf/conf.h"
#include "proto/mail/journal_report.h"
#include "proto/mime/mime_decoder.h"
#include "server/pipeline/direction.h"
#include "server/pipeline/journal_sort.h"
#include "server/pipeline/mail_body.h"
#include "server/pipeline/names.h"

#define TEXT_ENCODED_MAX (2 * JOURNAL_TEXT_MAX) /* bytes of the lines as they come, in base64 for instance */

/* ---- AT_RCPT ---- */

/* A line with names is for those who logged in as one of them. */
static bool
may_deliver(const struct pipeline_ask *ask, struct span *by)
{
	const struct mail *mail = ask->mail;
	struct access_decision d;
	struct in6_addr address;

	if (ask->conf->journal_receive_from.count == 0 || mail->via == MAIL_VIA_POP3 ||
		mail->via == MAIL_VIA_LOCAL || mail->peer.is_unix)
		return false;
	memcpy(&address, mail->peer.ip, sizeof(address));
	d = access_decide(ask->conf->journal_receive_from, &address, mail->user);
	if (d.answer == ACCESS_DENY || !d.line || (d.line->user_count > 0 && mail->user_id == 0))
		return false;
	*by = d.line->text;
	return true;
}

/* Whom the rules name, instead of the archive or besides. */
static enum verdict
place_named(struct pipeline_ask *ask, struct plan *plan)
{
	enum verdict verdict = stage_lan_targets(ask, AT_RCPT, plan);

	return verdict == STAGE_NEXT ? stage_place(ask, AT_RCPT, plan) : verdict;
}

static enum verdict
ask_rules(struct pipeline_ask *ask, bool *taken, struct plan *plan)
{
	enum verdict verdict = stage_rules(ask, AT_RCPT, plan);

	*taken = verdict == STAGE_NEXT && ask->names->count > 0;
	if (verdict == STAGE_NEXT)
		verdict = stage_rule_copies(ask, AT_RCPT, plan);
	return verdict == STAGE_NEXT && ask->names->count > 0 ? place_named(ask, plan) : verdict;
}

static enum verdict
at_rcpt(struct pipeline_ask *ask, struct plan *plan)
{
	struct plan_copy copy = { .kind = COPY_DISCARD, .recipient_no = plan->recipients,
		.recipient = ask->recipient.text, .target = ask->recipient.text,
		.why = NOTE_JOURNAL_ARRIVES, .found = ask->recipient.text };
	enum verdict verdict;
	struct span by;
	bool taken;

	if (!patterns_match(ask->conf->journal_receive, ask->recipient.local_part, ask->recipient.domain) ||
		!may_deliver(ask, &by))
		return STAGE_NEXT;
	verdict = ask_rules(ask, &taken, plan);
	if (verdict != STAGE_NEXT)
		return verdict;
	copy.because = arena_printf(plan->arena, "access line %.*s", SPAN_FMT(by));
	copy.ruled = ask->ruled;
	if (!taken && plan_copy_add(plan, &copy, SIZE_MAX) != OK)
		return stage_trouble(plan);
	return STAGE_STOP;
}

/* ---- what arrived ---- */

/* A report that was opened. */
struct opened {
	struct journal_envelope envelope;
	struct plan_version *version; /* NULL: as it came */
};

/* A part is text of a report, decoded. */
static enum err
read_lines(const struct mail *mail, const struct mime_part *part, struct arena *a, struct opened *out)
{
	struct mime_decoder decoder;
	struct span text;
	struct buf lines;
	enum err err;

	if (part->body_size > TEXT_ENCODED_MAX)
		return ERR_LIMIT;
	err = mail_body_range(mail, part->body_offset - mail->header.len, part->body_size, &text);
	if (err != OK)
		return err;
	buf_init(&lines, TEXT_ENCODED_MAX + MIME_DECODER_HELD);
	mime_decoder_init(&decoder, part->encoding);
	err = mime_decoder_put(&decoder, text, &lines);
	if (err == OK)
		err = mime_decoder_end(&decoder, &lines);
	if (err == OK)
		err = journal_envelope_parse(a, arena_copy(a, buf_span(&lines)), &out->envelope);
	buf_fini(&lines);
	return err;
}

/* The message inside PART as a version: its header, and the rest as a range of what came. */
static enum err
take_inner(const struct mail *mail, const struct mime_derived *derived, const struct mime_part *part,
	struct plan *plan, struct opened *out)
{
	struct plan_piece *piece = ARENA_NEW(plan->arena, struct plan_piece);
	struct mime_part inner;
	struct span header;
	enum err err = mime_part_inner(derived, part, &inner);

	if (err == OK)
		err = mail_body_range(
			mail, inner.header_offset - mail->header.len, inner.header_size, &header);
	if (err != OK)
		return err;
	piece->from = inner.body_offset - mail->header.len;
	piece->size = inner.body_size;
	out->version = plan_version_new(plan);
	out->version->header = arena_copy(plan->arena, header);
	out->version->pieces = piece;
	out->version->piece_count = 1;
	return OK;
}

static bool
is_plain_bytes(const struct mime_part *part)
{
	return part->encoding == MIME_7BIT || part->encoding == MIME_8BIT || part->encoding == MIME_BINARY;
}

/* multipart/mixed: the lines, then the original. ERR_SYNTAX, ERR_NOT_FOUND: it is none. */
static enum err
open_report(const struct mail *mail, struct plan *plan, struct opened *out)
{
	struct mime_walk at = { 0 };
	struct mime_derived derived;
	struct mime_part part;
	bool has_lines = false;
	enum err err = mail_body_parts(mail, &derived);

	while (err == OK && mime_part_next(&derived, &at, &part)) {
		if (part.depth == 0 && part.kind != MIME_MULTIPART)
			return ERR_SYNTAX;
		if (part.depth != 1)
			continue;
		if (part.kind == MIME_LEAF && part.media == MIME_MEDIA_PLAIN && !has_lines) {
			err = read_lines(mail, &part, plan->arena, out);
			has_lines = true;
		} else if (part.kind == MIME_MESSAGE && has_lines) {
			return is_plain_bytes(&part) ? take_inner(mail, &derived, &part, plan, out) : ERR_SYNTAX;
		}
	}
	return err == OK ? ERR_SYNTAX : err;
}

static enum err
open_plain(const struct mail *mail, struct plan *plan, struct opened *out)
{
	size_t from, to;
	enum err err = journal_plain_parse(plan->arena, mail->header, &out->envelope, &from, &to);

	if (err != OK)
		return err;
	out->version = plan_version_new(plan);
	out->version->header = arena_printf(plan->arena, "%.*s%.*s", (int)from, mail->header.ptr,
		SPAN_FMT(span_from(mail->header, to)));
	return OK;
}

/* ---- into the archive ---- */

static unsigned
direction_of(const struct pipeline_ask *ask, const struct envelope *envelope)
{
	bool ours = journal_is_internal(ask->conf, &envelope->reverse_path);
	struct list *at, *following;
	unsigned direction = 0;

	list_for_each(at, following, &envelope->recipients) {
		bool inside = journal_is_internal(
			ask->conf, &LIST_ITEM(at, struct recipient, link)->address);

		direction |= !ours ? DIRECTION_INCOMING : inside ? DIRECTION_INTERNAL : DIRECTION_OUTGOING;
	}
	return direction;
}

static enum err
add_recipient(struct envelope *envelope, struct arena *a, struct span text)
{
	static const struct recipient_options none;
	struct address address;

	if (text.len == 0 || address_parse(a, text, &address) != OK)
		return OK;
	return envelope_add_recipient(envelope, &address, &none, SIZE_MAX, NULL);
}

/* The mail that the archive keeps: the original's envelope and header, our time and number. */
static enum err
make_mail(const struct pipeline_ask *ask, const struct opened *opened, struct plan *plan)
{
	struct mail *mail = ARENA_NEW(plan->arena, struct mail);
	struct address sender = { .flags = ADDRESS_NULL };
	struct mail_options options = { 0 };
	struct span last = SPAN("");
	enum err err = OK;

	*mail = *ask->mail;
	mail->service = "journal";
	mail->user = SPAN("");
	mail->header = opened->version->header;
	if (opened->envelope.sender.len > 0)
		err = address_parse(plan->arena, opened->envelope.sender, &sender);
	envelope_init(&mail->envelope, plan->arena, &sender, &options);
	for (size_t i = 0; i < opened->envelope.count && err == OK; i++) {
		const struct journal_recipient *r = &opened->envelope.recipients[i];

		err = add_recipient(&mail->envelope, plan->arena, r->address);
		if (err == OK && !span_eq(last, r->source)) /* a list, once for its members in a row */
			err = add_recipient(&mail->envelope, plan->arena, r->source);
		last = r->source;
	}
	plan->archive_mail = mail;
	return err;
}

static void
note_opened(struct plan *plan, const struct opened *opened)
{
	const struct journal_envelope *e = &opened->envelope;
	struct span to = arena_printf(plan->arena, " to %.*s", SPAN_FMT(e->recipients[0].address));

	if (e->count > 1)
		to = arena_printf(plan->arena, "%.*s and %zu more", SPAN_FMT(to), e->count - 1);
	plan_note(plan, NOTE_JOURNAL_OPENED,
		arena_printf(plan->arena, "from <%.*s>", SPAN_FMT(e->sender)), to);
}

/* Still: a rule may have sent it elsewhere. */
static bool
arrives(const struct plan *plan)
{
	const struct plan_copy *copy = plan->copies;

	while (copy && copy->why != NOTE_JOURNAL_ARRIVES)
		copy = copy->next;
	return copy;
}

static enum verdict
at_end(struct pipeline_ask *ask, struct plan *plan)
{
	struct opened opened = { .version = NULL };
	enum err err;

	if (!arrives(plan))
		return STAGE_NEXT;
	err = open_report(ask->mail, plan, &opened);
	if (err == ERR_SYNTAX || err == ERR_NOT_FOUND || err == ERR_LIMIT)
		err = open_plain(ask->mail, plan, &opened);
	if (err == ERR_SYNTAX) {
		plan_note(plan, NOTE_JOURNAL_OPENED, SPAN("no report, and no X-Envelope lines: kept as it came"),
			SPAN(""));
		return plan_archive(plan, DIRECTION_INCOMING) == OK ? STAGE_NEXT : stage_trouble(plan);
	}
	if (err == OK)
		err = make_mail(ask, &opened, plan);
	if (err != OK)
		return stage_trouble(plan);
	note_opened(plan, &opened);
	plan->archive_version = opened.version;
	err = plan_archive(plan, direction_of(ask, &plan->archive_mail->envelope));
	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}

enum verdict
stage_journal_receive(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	return phase == AT_RCPT ? at_rcpt(ask, plan) : at_end(ask, plan);
}
