/*
 * receipt.c - who gets a receipt, and what it says.
 */
#include "server/queue/receipt.h"

#include "conf/conf.h"
#include "proto/mail/header.h"
#include "proto/mime/encoded_word.h"
#include "server/pipeline/names.h"
#include "server/queue/bounce_inside.h"
#include "store/messages.h"

#define SUBJECT_MAX 512 /* bytes of a decoded subject */
#define COLLECTED_TEXT \
	"This is the mail server of %2.\n\n" \
	"A message of yours was collected by %1.\n" \
	"This does not say that it was read.\n"
#define TRANSMITTED_TEXT \
	"This is the mail server of %2.\n\n" \
	"A message of yours to %1 was handed on to the next mail server.\n" \
	"This does not say that it was delivered or read.\n"

/* ---- addresses ---- */

struct receipt_walk {
	const struct conf_list *names;
	struct span header;
	size_t name;
	struct span rest; /* of the field at hand */
	bool open;
};

/* The next address that the header names. False at the end. */
static bool
next_address(struct receipt_walk *w, struct arena *a, struct address *out)
{
	struct header_mailbox mailbox;

	while (w->name < w->names->count) {
		if (!w->open)
			w->rest = header_find(w->header, w->names->items[w->name]);
		w->open = true;
		while (w->rest.len > 0 && header_next_mailbox(&w->rest, &mailbox))
			if (address_parse(a, mailbox.address, out) == OK &&
				!(out->flags & (ADDRESS_NO_DOMAIN | ADDRESS_NULL)))
				return true;
		w->open = false;
		w->name++;
	}
	return false;
}

static bool
is_ours(const struct conf *conf, struct span address)
{
	size_t at = span_find_last(address, '@');

	return at < address.len &&
		conf_is_local(conf, span_range(address, 0, at), span_from(address, at + 1));
}

/* ---- words ---- */

static struct span
subject_text(struct arena *a, struct span header)
{
	struct buf out;
	struct span text;

	buf_init(&out, SUBJECT_MAX);
	if (encoded_word_decode(&out, header_find(header, SPAN("Subject"))) != OK)
		out.overflow = false; /* what fitted is enough */
	text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}

/* OWN is the text of the file, TEXT ours. */
static void
receipt_words(struct bounce_report *r, struct span own, const char *text, struct span one)
{
	struct span header = r->original.header;

	r->plain = r->without_original = true;
	r->text = text_fill(
		r->arena, own.len > 0 ? own : span_of(text), one, r->ground->domain);
	r->text = arena_printf(r->arena, "%.*s\n  Subject: %.*s\n  Date: %.*s\n", SPAN_FMT(r->text),
		SPAN_FMT(subject_text(r->arena, header)),
		SPAN_FMT(header_find(header, SPAN("Date"))));
}

static bool
is_among(const struct span *all, size_t count, struct span address)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(all[i], address))
			return true;
	return false;
}

/* Send R to those whom the header names. Who takes no mail gets none. */
static enum err
send_all(struct bounce_report *r, const struct conf_list *names, struct bounce *b)
{
	struct receipt_walk walk = { .names = names, .header = r->original.header };
	struct span told[RECEIPTS_MAX];
	struct address to;
	enum err err = OK;

	for (size_t n = 0; n < RECEIPTS_MAX && err == OK && next_address(&walk, r->arena, &to); n++) {
		struct report_written w;

		told[n] = to.text;
		if (bounce_is_robot(to.text) || is_among(told, n, to.text))
			continue;
		err = bounce_report_to(r, to.text, &w);
		if (err == OK) {
			b->reports++;
			b->queued_count += w.queued;
		}
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	return err;
}

/* ---- HDR-07 ---- */

static struct span
names_of(const struct bounce *b, struct arena *a)
{
	struct span first = arena_copy(a, b->recipients[0].address);

	if (b->count == 1)
		return first;
	return arena_printf(a, "%.*s and %zu more", SPAN_FMT(first), b->count - 1);
}

enum err
receipt_transmitted(struct bounce_report *r, struct bounce *b)
{
	const struct conf *conf = r->ground->host.conf;
	struct bounce_report receipt = *r;
	bool ours = r->queued.auth_user.len > 0 || is_ours(conf, r->queued.sender);

	if (!r->queued.receipt || b->lan || conf->headers_transmission_receipt.count == 0 ||
		r->queued.sender.len == 0 || !ours || r->queued.forged || b->count == 0)
		return OK;
	receipt.kind = QUEUED_REPORT_FIRST;
	receipt.count = 0;
	receipt.subject = SPAN("Your message was sent");
	receipt_words(&receipt, conf->texts_receipt, TRANSMITTED_TEXT, names_of(b, r->arena));
	return send_all(&receipt, &conf->headers_transmission_receipt, b);
}

/* ---- HDR-05 ---- */

/* Who collected it: to people outside no name of an account is told. */
static struct span
collector(struct bounce_report *r, uint64_t user_id, const struct address *to)
{
	struct user user;

	if (is_ours(r->ground->host.conf, to->text) &&
		names_user_by_id(txn_view(r->txn), user_id, &user) == OK)
		return arena_copy(r->arena, user.name);
	return SPAN("its recipient");
}

static enum err
send_collected(struct bounce_report *r, uint64_t user_id, bool *queued)
{
	const struct conf *conf = r->ground->host.conf;
	struct receipt_walk walk = { .names = &conf->headers_delivery_receipt,
		.header = r->original.header };
	struct span values[2] = { SPAN("its being collected"), SPAN("the address takes no mail") };
	struct report_written w;
	struct address to;
	enum err err = ERR_NOT_FOUND;

	if (next_address(&walk, r->arena, &to) && !bounce_is_robot(to.text)) {
		r->subject = SPAN("Your message was collected");
		receipt_words(r, conf->texts_collected, COLLECTED_TEXT, collector(r, user_id, &to));
		err = bounce_report_to(r, to.text, &w);
	}
	if (err == ERR_NOT_FOUND)
		return bounce_note(r->txn, r->ground, r->queued.queue_id, NOTE_REPORT_NOBODY, values);
	*queued = err == OK && w.queued > 0;
	return err;
}

enum err
receipt_collected(struct txn *txn, const struct bounce_ground *g, const struct collected_copy *copy,
	bool *queued)
{
	struct bounce_report r = { .txn = txn, .ground = g, .kind = QUEUED_REPORT_FIRST };
	struct copy stored;
	struct arena arena;
	enum err err;

	*queued = false;
	if (g->host.conf->headers_delivery_receipt.count == 0)
		return OK;
	err = copy_get(txn_view(txn), copy->copy_id, &stored);
	if (err != OK || stored.receipt_no == 0)
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err; /* the others get theirs */
	arena_init(&arena, NULL);
	r.arena = &arena;
	bounce_original_read(txn_view(txn), stored.content_id, 0, &arena, &r.original);
	err = message_take_receipt(txn, copy->copy_id, &r.queued.queue_id);
	if (err == OK)
		err = send_collected(&r, copy->user_id, queued);
	arena_reset(&arena);
	return err;
}
