/*
 * store_forward_end.c - a recipient of store and forward is settled: the copy leaves, or people are told.
 *
 * The notice is written in the outcome's own transaction, so there is one, whatever crashes. It is not stored
 * and forwarded itself: the server that refused the mail would be sent what says so.
 */
#include "server/queue/store_forward_end.h"

#include "conf/conf.h"
#include "server/net/random.h"
#include "server/pipeline/names.h"
#include "server/queue/own_mail.h"
#include "server/queue/report_write.h"
#include "proto/mail/message_no.h"
#include "store/forwards.h"

#define NOTICE_MAX 16384 /* bytes */
#define NOTICE_SUBJECT "A message could not be forwarded to your other mail server"

struct notice {
	struct txn *txn;
	const struct bounce_ground *ground;
	const struct store_forward_end *end;
	struct span text;
	struct arena arena;
};

static struct span
or_nothing(struct span text)
{
	return text.len > 0 ? text : SPAN("(none)");
}

static struct span
notice_text(struct notice *n, struct span user)
{
	const struct queued *q = n->end->queued;

	return arena_printf(&n->arena,
		"This is the mail server of %.*s.\n\n"
		"A message for %.*s could not be forwarded (store and forward). It stays in the\n"
		"mailbox here and is not tried again.\n\n"
		"  from     %.*s\n  subject  %.*s\n  to       %.*s\n  why      %.*s\n\n"
		"If the address or the server is wrong, an administrator sets another one:\n"
		"  postroom user set %.*s store_forward_address=... store_forward_server=...\n",
		SPAN_FMT(n->ground->domain), SPAN_FMT(user), SPAN_FMT(or_nothing(q->sender)),
		SPAN_FMT(or_nothing(q->subject)), SPAN_FMT(n->end->address), SPAN_FMT(n->end->text),
		SPAN_FMT(user));
}

static enum err
note(struct notice *n, struct span who, enum note_code code, struct span because)
{
	struct span values[2] = { who, because };

	return bounce_note(n->txn, n->ground, n->end->queued->queue_id, code, values);
}

/* ERR_NOT_FOUND: he takes no mail. */
static enum err
tell(struct notice *n, const struct address *to)
{
	const struct bounce_ground *g = n->ground;
	struct own_mail mail = { .subject = SPAN(NOTICE_SUBJECT), .text = n->text };
	struct own_mail_header header = { .from = g->daemon, .to = to->text, .now_ms = g->now_ms,
		.zone_minutes = g->zone_minutes,
		.message_id = arena_printf(&n->arena, "%016llx%016llx@%.*s",
			(unsigned long long)random_u64(), (unsigned long long)random_u64(),
			SPAN_FMT(g->hostname)) };
	struct report_letter letter = { .to = *to, .to_user = true, .stays = true,
		.eightbit = !own_mail_is_ascii(&mail) };
	struct header_end end = { 0 };
	struct report_written written;
	char id[MESSAGE_NO_SIZE];
	struct buf out;
	enum err err;
	size_t head;

	buf_init(&out, NOTICE_MAX);
	err = own_mail_put(&out, &mail, &header);
	head = header_end_find(&end, buf_span(&out));
	letter.header = span_range(buf_span(&out), 0, head);
	letter.body = span_from(buf_span(&out), head);
	if (err == OK)
		err = report_write(n->txn, g, &letter, &written);
	buf_fini(&out);
	return err == OK ? note(n, to->text, NOTE_REPORT_SENT,
				   message_no_format(written.message_no, id))
			 : err;
}

static enum err
tell_or_say(struct notice *n, const struct address *to)
{
	enum err err = tell(n, to);

	return err == ERR_NOT_FOUND ? note(n, to->text, NOTE_REPORT_NOBODY, SPAN("he takes no mail"))
				    : err;
}

/* Once where they are one. */
static enum err
tell_both(struct notice *n, struct span user)
{
	struct address admin = { .text = SPAN_NONE }, own;
	enum err err = address_parse(&n->arena, user, &own);

	if (err == OK)
		err = address_with_domain(&n->arena, &own, n->ground->domain, &own);
	if (err != OK)
		return OK; /* a name that no address can have takes no mail */
	err = tell_or_say(n, &own);
	if (err == OK)
		err = report_administrator(n->txn, n->ground, &n->arena, &admin);
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK || span_eq_nocase(admin.local_part, own.local_part))
		return err;
	return tell_or_say(n, &admin);
}

/* The mail stays: it is tied no more, and who should know is told. */
static enum err
give_up(struct txn *txn, const struct bounce_ground *ground, const struct store_forward_end *end)
{
	struct notice n = { .txn = txn, .ground = ground, .end = end };
	struct forward f;
	struct user user;
	struct span name;
	enum err err = forward_tied(txn_view(txn), end->queued->queue_id, end->recipient_no, &f);

	if (err == OK)
		err = user_find(txn_view(txn), f.user_id, &user);
	if (err != OK) /* there is no mail here to be told of */
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	arena_init(&n.arena, NULL);
	name = arena_copy(&n.arena, user.name);
	n.text = notice_text(&n, name);
	err = forward_untie(txn, end->queued->queue_id, end->recipient_no);
	if (err == OK)
		err = note(&n, name, NOTE_FORWARD_STAYS, end->address);
	if (err == OK)
		err = tell_both(&n, name);
	arena_reset(&n.arena);
	return err;
}

static enum err
take_away(struct txn *txn, const struct bounce_ground *ground, const struct store_forward_end *end)
{
	struct notice n = { .txn = txn, .ground = ground, .end = end };
	uint64_t queue_id = end->queued->queue_id;
	struct forward f;
	enum err err = forward_tied(txn_view(txn), queue_id, end->recipient_no, &f);

	if (err != OK)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	err = forward_taken(txn, queue_id, end->recipient_no);
	return err == OK ? note(&n, end->address, NOTE_FORWARD_TAKEN, SPAN_NONE) : err;
}

enum err
store_forward_end(struct txn *txn, const struct bounce_ground *ground,
	const struct store_forward_end *end)
{
	return end->kind == OUTCOME_SENT ? take_away(txn, ground, end) : give_up(txn, ground, end);
}
