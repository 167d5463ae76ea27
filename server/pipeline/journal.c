/*
 * journal.c - an envelope and an original become a version.
 */
#include "server/pipeline/journal.h"

#include <stdlib.h>

#include "proto/mail/received.h"
#include "proto/mime/encoded_word.h"
#include "server/pipeline/journal_sort.h"
#include "store/contents.h"

#define SUBJECT_MAX 1024 /* bytes of the decoded subject */
#define TRACE_MAX (CONTENT_HEADER_MAX - 65536) /* bytes of Received fields; the report's own have room beside them */
#define ROBOT "Mailer_Daemon"

static struct span
own_domain(const struct pipeline_ask *ask)
{
	struct span domain = conf_default_domain(ask->conf);

	return domain.len > 0 ? domain : ask->mail->hostname;
}

/* ---- how the header names a recipient ---- */

struct named {
	struct span key; /* lower case */
	enum journal_word word;
};

struct names_of_header {
	struct named *items;
	size_t count, room;
};

static int
by_key(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int order = span_cmp(a->key, b->key);

	return order != 0 ? order : (int)a->word - (int)b->word;
}

static void
add_named(struct names_of_header *n, struct arena *a, struct span value, enum journal_word word)
{
	struct header_mailbox mailbox;

	while (n->count < n->room && header_next_mailbox(&value, &mailbox))
		n->items[n->count++] = (struct named){ arena_lower(a, mailbox.address), word };
}

/* To, Cc and Bcc, sorted, so that many recipients cost no walk each. */
static struct names_of_header
names_of(const struct pipeline_ask *ask, struct arena *a)
{
	static const enum journal_word words[] = { JOURNAL_TO, JOURNAL_CC, JOURNAL_BCC };
	struct names_of_header n = { .room = journal_addresses_max(ask->mail->header) };
	struct span rest = ask->mail->header;
	struct header_field field;

	n.items = ARENA_ARRAY(a, struct named, n.room + 1);
	while (header_next(&rest, &field))
		for (size_t i = 0; i < COUNT(words); i++)
			if (span_eq_nocase(field.name, span_of(journal_word_texts[words[i]])))
				add_named(&n, a, field.value, words[i]);
	qsort(n.items, n.count, sizeof(*n.items), by_key);
	return n;
}

/* Of a user of ours whom no field names: Bcc (RFC 5322, 3.6.3). Of others nobody can say. */
static enum journal_word
word_of(const struct names_of_header *n, const struct plan *plan, struct span key)
{
	size_t low = 0, high = n->count;

	while (low < high) { /* the first that is not before KEY */
		size_t middle = low + (high - low) / 2;

		if (span_cmp(n->items[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < n->count && span_eq(n->items[low].key, key))
		return n->items[low].word;
	return plan->standing == STANDING_USER ? JOURNAL_BCC : JOURNAL_RECIPIENT;
}

/* ---- the envelope ---- */

static bool
leads_on(const struct plan_copy *copy)
{
	return copy->role == COPY_DELIVERY && !copy_is_forward(copy) &&
		(copy->kind == COPY_FOLDER || copy->kind == COPY_REMOTE);
}

/* Where a copy went, as an address. */
static struct span
reached(const struct pipeline_ask *ask, struct arena *a, const struct plan_copy *copy)
{
	if (copy->kind == COPY_REMOTE)
		return copy->target;
	return arena_printf(a, "%.*s@%.*s", SPAN_FMT(copy->user), SPAN_FMT(own_domain(ask)));
}

static bool
is_himself(const struct plan_copy *copy, struct span address)
{
	if (copy->kind == COPY_REMOTE)
		return span_eq_nocase(address, copy->recipient);
	return span_eq_nocase(
		copy->user, span_range(copy->recipient, 0, span_find_last(copy->recipient, '@')));
}

struct journal_envelope
journal_envelope_of(const struct pipeline_ask *ask, const struct plan *plan)
{
	const struct envelope *envelope = &ask->mail->envelope;
	struct arena *a = plan->arena;
	struct names_of_header names = names_of(ask, a);
	struct journal_recipient *all = ARENA_ARRAY(
		a, struct journal_recipient, envelope->recipient_count + plan->copy_count + 1);
	struct list *at, *following;
	size_t count = 0;

	list_for_each(at, following, &envelope->recipients) {
		const struct address *to = &LIST_ITEM(at, struct recipient, link)->address;

		all[count++] = (struct journal_recipient){ .word = word_of(&names, plan, to->key),
			.address = to->text };
	}
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next) {
		struct span address = leads_on(copy) ? reached(ask, a, copy) : SPAN("");

		if (address.len == 0 || copy->recipient_no >= envelope->recipient_count ||
			is_himself(copy, address))
			continue;
		all[count++] = (struct journal_recipient){ all[copy->recipient_no].word,
			copy->member ? JOURNAL_EXPANDED : JOURNAL_FORWARDED, address, copy->recipient };
	}
	return (struct journal_envelope){ .sender = envelope->reverse_path.text,
		.message_id = ask->mail->facts.message_id, .recipients = all, .count = count };
}

/* ---- the versions ---- */

static struct span
subject_of(const struct pipeline_ask *ask, struct arena *a)
{
	struct span subject = SPAN("");
	struct buf text;

	buf_init(&text, SUBJECT_MAX);
	if (ask->mail->facts.subject.ptr && encoded_word_decode(&text, ask->mail->facts.subject) != OK)
		text.overflow = false; /* what fitted is enough */
	subject = arena_copy(a, buf_span(&text));
	buf_fini(&text);
	return subject;
}

/* The Received fields of the original, so that two journals that write to each other end (H16). */
static struct span
trace_of(const struct pipeline_ask *ask, struct arena *a)
{
	struct span trace;
	struct buf text;

	buf_init(&text, TRACE_MAX);
	if (received_put_trace(&text, ask->mail->header, TRACE_MAX) != OK)
		buf_clear(&text);
	trace = arena_copy(a, buf_span(&text));
	buf_fini(&text);
	return trace;
}

static void
fill_report(struct pipeline_ask *ask, struct plan *plan, struct span to, struct journal_report *r)
{
	const struct mail *mail = ask->mail;
	struct arena *a = plan->arena;

	*r = (struct journal_report){ .to = to,
		.from = arena_printf(a, ROBOT "@%.*s", SPAN_FMT(own_domain(ask))),
		.message_id = arena_printf(a, "journal.%.*s.%lld@%.*s", SPAN_FMT(mail->id),
			(long long)(mail->arrived_ms / 1000), SPAN_FMT(mail->hostname)),
		.boundary = arena_printf(a, "journal%016llx%016llx", (unsigned long long)mail->nonce[0],
			(unsigned long long)mail->nonce[1]),
		.date = { mail->arrived_ms / 1000, mail->zone_minutes }, .trace = trace_of(ask, a),
		.envelope = journal_envelope_of(ask, plan) };
	r->envelope.subject = subject_of(ask, a);
}

/* The lines, the original as it came, the end. */
static enum err
make_report(struct pipeline_ask *ask, struct plan *plan, struct span to, struct plan_version *out)
{
	struct plan_piece *pieces = ARENA_ARRAY(plan->arena, struct plan_piece, 4);
	struct buf header, front, end;
	struct journal_report report;
	enum err err;

	fill_report(ask, plan, to, &report);
	buf_init(&header, JOURNAL_WRAP_MAX);
	buf_init(&front, JOURNAL_WRAP_MAX);
	buf_init(&end, JOURNAL_WRAP_MAX);
	err = journal_report_put(&header, &front, &report);
	if (err == OK)
		err = journal_report_put_end(&end, report.boundary);
	out->header = arena_copy(plan->arena, buf_span(&header));
	out->pieces = pieces;
	pieces[out->piece_count++].text = arena_copy(plan->arena, buf_span(&front));
	if (ask->mail->header.len > 0)
		pieces[out->piece_count++].text = ask->mail->header;
	if (ask->mail->body.size > 0)
		pieces[out->piece_count++].size = ask->mail->body.size;
	pieces[out->piece_count++].text = arena_copy(plan->arena, buf_span(&end));
	buf_fini(&header);
	buf_fini(&front);
	buf_fini(&end);
	return err;
}

/* ERR_LIMIT: with the lines in front of it the header is longer than one may be. */
static enum err
make_plain(struct pipeline_ask *ask, struct plan *plan, struct plan_version *out)
{
	struct journal_envelope envelope = journal_envelope_of(ask, plan);
	struct buf header;
	enum err err;

	envelope.count = ask->mail->envelope.recipient_count; /* the recipients, not whom they led to */
	buf_init(&header, CONTENT_HEADER_MAX);
	err = journal_plain_put(&header, &envelope);
	if (err == OK)
		err = buf_put(&header, ask->mail->header);
	out->header = arena_copy(plan->arena, buf_span(&header));
	buf_fini(&header);
	return err;
}

enum err
journal_version_make(struct pipeline_ask *ask, struct plan *plan, struct span to,
	const struct plan_version **out)
{
	struct plan_version *version = plan_version_new(plan);
	enum err err = ERR_LIMIT;

	*out = version;
	if (ask->conf->journal_format == JOURNAL_PLAIN)
		err = make_plain(ask, plan, version);
	/* nobody escapes by the length of a header, nor is refused for it (JRN-13) */
	return err == ERR_LIMIT ? make_report(ask, plan, to, version) : err;
}
