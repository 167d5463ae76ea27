/*
 * bounce.c - from an outcome to the reports it asks for.
 *
 *     recipients whose NOTIFY wants it -> whom to tell -> words -> bounce_report.c
 *
 * It may run again for one outcome (commit.h) and keeps nothing.
 */
#include "server/queue/bounce_inside.h"

#include "conf/conf.h"
#include "server/generation.h"
#include "server/pipeline/note.h"
#include "server/queue/receipt.h"
#include "store/warnings.h"

#define NAMED_MAX 10 /* recipients that %1 stands for; more are counted */

#define FAILED_TEXT \
	"This is the mail server of %2.\n\n" \
	"A message of yours could not be delivered. Whom it did not reach, and why, stands\n" \
	"below; these recipients are not tried again. The message is attached.\n\n" \
	"If you need help, write to postmaster@%2.\n"
#define UNKNOWN_TEXT \
	"This is a delivery failure report of the mail server of %2.\n\n" \
	"The recipient %1 is not recognised here.\n\n" \
	"If you need help, write to postmaster@%2.\n"
#define DELAYED_TEXT \
	"This is the mail server of %2.\n\n" \
	"A message of yours could not be delivered yet. You need do nothing: it is tried again,\n" \
	"and there is another report if it fails for good.\n"
#define DELIVERED_TEXT \
	"This is the mail server of %2.\n\n" \
	"You asked to be told when a message of yours arrives.\n"
#define ADMIN_TEXT \
	"This is the mail server of %2.\n\n" \
	"A report about a message could not be delivered, and its author has no address to be\n" \
	"told at. It is attached, and nothing more is done about it.\n"
#define COPY_TEXT \
	"This is the mail server of %2.\n\n" \
	"A copy that the server made of a message, for the journal or a monitor, could not be\n" \
	"delivered. Who wrote the message and who gets it know nothing of it.\n"
#define AUTHOR_TEXT \
	"This is the mail server of %2.\n\n" \
	"A message could not be delivered, and its author cannot be told:\n" \
	"the return address takes no mail.\n"
#define TRANSPORT_TEXT \
	"This is the mail server of %2.\n\n" \
	"Connections failed for a message, whose author is not told of it\n" \
	"(outgoing.transport_errors_to_admin).\n"

static const struct {
	enum report_action action;
	const char *subject, *text;
} kinds[] = {
	[BOUNCE_FAILED] = { REPORT_FAILED, "Mail could not be delivered", FAILED_TEXT },
	[BOUNCE_DELAYED] = { REPORT_DELAYED, "Mail is late and still being tried", DELAYED_TEXT },
	[BOUNCE_SENT] = { REPORT_RELAYED, "Mail was handed on", DELIVERED_TEXT },
	[BOUNCE_DELIVERED] = { REPORT_DELIVERED, "Mail was delivered", DELIVERED_TEXT },
	[BOUNCE_EXPANDED] = { REPORT_EXPANDED, "Mail was distributed", DELIVERED_TEXT },
};

void
bounce_ground_init(struct bounce_ground *g, struct host *host)
{
	struct span domain = conf_default_domain(host->conf);

	*g = (struct bounce_ground){ .host = { .conf = host->conf, .store = host->store },
		.generation = generation_hold(host->generation), .now_ms = host_now_ms(host) };
	arena_init(&g->arena, NULL);
	g->zone_minutes = host_zone_minutes(g->now_ms);
	g->hostname = host_name(host->conf, &g->arena);
	g->domain = domain.len > 0 ? arena_copy(&g->arena, domain) : g->hostname;
	g->daemon = arena_printf(&g->arena, "Mailer_Daemon@%.*s", SPAN_FMT(g->domain));
}

void
bounce_ground_fini(struct bounce_ground *g)
{
	arena_reset(&g->arena);
	generation_release(&g->generation);
}

/* ---- copies: what B names may lie in the map ---- */

static struct bounce_recipient
recipient_copy(struct arena *a, const struct bounce_recipient *from)
{
	struct bounce_recipient r = *from;

	r.address = arena_copy(a, from->address);
	r.orcpt = arena_copy(a, from->orcpt);
	r.status = arena_copy(a, from->status);
	r.reply = arena_copy(a, from->reply);
	r.remote = arena_copy(a, from->remote);
	return r;
}

/* Those who want to be told, as the rest of this file sees them. */
static void
report_begin(struct bounce_report *r, const struct bounce *b)
{
	const struct conf *conf = r->ground->host.conf;
	struct bounce_recipient *all = ARENA_ARRAY(r->arena, struct bounce_recipient, b->count + 1);

	r->queued = *b->queued;
	r->queued.sender = arena_copy(r->arena, b->queued->sender);
	r->queued.envid = arena_copy(r->arena, b->queued->envid);
	r->queued.auth_user = arena_copy(r->arena, b->queued->auth_user);
	for (size_t i = 0; i < b->count; i++)
		if (bounce_notify_wants(b->recipients[i].notify, b->kind))
			all[r->count++] = recipient_copy(r->arena, &b->recipients[i]);
	r->recipients = all;
	r->retry_until_ms = b->retry_until_ms;
	r->with_body = b->kind == BOUNCE_FAILED;
	r->kind = QUEUED_REPORT_FIRST;
	if (b->original)
		r->original = *b->original;
	else
		bounce_original_read(txn_view(r->txn), b->queued->content_id,
			(size_t)conf->limits_bounce_body, r->arena, &r->original);
}

/* ---- words ---- */

static struct span
names_text(struct bounce_report *r)
{
	struct span text = SPAN("");

	for (size_t i = 0; i < r->count && i < NAMED_MAX; i++)
		text = arena_printf(r->arena, "%.*s%s%.*s", SPAN_FMT(text), i ? ", " : "",
			SPAN_FMT(r->recipients[i].address));
	if (r->count > NAMED_MAX)
		text = arena_printf(r->arena, "%.*s and %zu more", SPAN_FMT(text),
			r->count - NAMED_MAX);
	return text;
}

static struct span
own_text(const struct conf *conf, const struct bounce *b)
{
	if (b->unknown)
		return conf->collecting_unknown_text;
	if (b->kind == BOUNCE_FAILED)
		return conf->texts_failed;
	return b->kind == BOUNCE_DELAYED ? conf->texts_delayed : conf->texts_delivered;
}

static void
report_words(struct bounce_report *r, const struct bounce *b)
{
	struct span text = own_text(r->ground->host.conf, b);

	if (text.len == 0)
		text = span_of(b->unknown ? UNKNOWN_TEXT : kinds[b->kind].text);
	r->action = kinds[b->kind].action;
	r->subject = span_of(kinds[b->kind].subject);
	r->text = text_fill(r->arena, text, names_text(r), r->ground->domain);
}

static void
admin_words(struct bounce_report *r, const char *subject, const char *text)
{
	r->subject = span_of(subject);
	r->text = text_fill(r->arena, span_of(text), names_text(r), r->ground->domain);
}

/* ---- whom to tell ---- */

static void
count_report(struct bounce *b, const struct report_written *w)
{
	b->reports++;
	b->queued_count += w->queued;
}

static enum err
note_nobody(struct bounce_report *r, const char *why)
{
	struct span values[2] = { r->count > 0 ? r->recipients[0].address : SPAN("it"), span_of(why) };

	return bounce_note(r->txn, r->ground, r->queued.queue_id, NOTE_REPORT_NOBODY, values);
}

/* Of who is never told. A warning comes again with every try: the first one is noted (H88). */
static enum err
note_never(struct bounce_report *r, const struct bounce *b, const char *why)
{
	enum err err = OK;

	if (b->kind == BOUNCE_DELAYED && r->queued.warned)
		return OK;
	if (b->kind == BOUNCE_DELAYED)
		err = queued_set_warned(r->txn, r->queued.queue_id);
	return err == OK ? note_nobody(r, why) : err;
}

/* H15: the end of the way. Nothing is lost: an operator looks at what is held. */
static enum err
hold(struct bounce_report *r, struct bounce *b, struct span why)
{
	struct span values[2] = { SPAN("it"), why };
	struct span said = arena_printf(r->arena, "nobody can be told that it failed: %.*s",
		SPAN_FMT(why));
	enum err err = OK;

	if (b->kind != BOUNCE_FAILED)
		return note_nobody(r, "the Main Administrator takes no mail");
	if (!b->original) /* what is not in the queue cannot be held there */
		err = queued_hold_because(r->txn, r->queued.queue_id, r->ground->now_ms, said);
	b->held = !b->original && err == OK;
	if (err == OK)
		err = bounce_note(r->txn, r->ground, r->queued.queue_id,
			b->original ? NOTE_REPORT_NOBODY : NOTE_REPORT_HELD, values);
	return err;
}

static enum err
tell_admin(struct bounce_report *r, struct bounce *b)
{
	struct report_written w;
	enum err err = bounce_report_to_admin(r, &w);

	if (err == OK)
		count_report(b, &w);
	if (err == ERR_NOT_FOUND)
		return hold(r, b, w.refused);
	return err;
}

/* A failure with a null sender, or of what the server made itself. */
static enum err
tell_of_report(struct bounce_report *r, struct bounce *b)
{
	bool is_copy = r->queued.report == QUEUED_REPORT_COPY;

	if (b->unknown)
		return note_nobody(r, "the sender is the null one");
	if (r->queued.report == QUEUED_REPORT_LAST)
		return hold(r, b, SPAN("it is a report to the Main Administrator"));
	admin_words(r, is_copy ? "A copy could not be delivered" : "A report could not be delivered",
		is_copy ? COPY_TEXT : ADMIN_TEXT);
	return tell_admin(r, b);
}

static enum err
tell_author(struct bounce_report *r, struct bounce *b)
{
	struct report_written w;
	enum err err = bounce_report_to(r, r->queued.sender, &w);

	if (err == OK)
		count_report(b, &w);
	if (err != ERR_NOT_FOUND)
		return err;
	if (b->kind != BOUNCE_FAILED)
		return note_nobody(r, "the author's address takes no mail");
	admin_words(r, "Mail could not be delivered, and its author not told", AUTHOR_TEXT);
	return tell_admin(r, b);
}

/* OUT-24: transport errors are not the author's. Those rows leave R for a report of their own. */
static enum err
tell_of_transport(struct bounce_report *r, struct bounce *b)
{
	struct bounce_recipient *left, *taken;
	struct bounce_report mine = *r;
	size_t kept = 0;

	if (!r->ground->host.conf->outgoing_errors_to_admin)
		return OK;
	left = ARENA_ARRAY(r->arena, struct bounce_recipient, r->count + 1);
	taken = ARENA_ARRAY(r->arena, struct bounce_recipient, r->count + 1);
	mine.count = 0;
	for (size_t i = 0; i < r->count; i++) {
		if (r->recipients[i].transport)
			taken[mine.count++] = r->recipients[i];
		else
			left[kept++] = r->recipients[i];
	}
	if (mine.count == 0)
		return OK;
	r->recipients = left;
	r->count = kept;
	mine.recipients = taken;
	admin_words(&mine, "Connections failed for a message", TRANSPORT_TEXT);
	return tell_admin(&mine, b);
}

/* ---- warnings (OUT-18) ---- */

/* Under `daily` those stay whose domain the author was not warned about today. */
static enum err
keep_unwarned(struct bounce_report *r)
{
	struct bounce_recipient *left = ARENA_ARRAY(r->arena, struct bounce_recipient, r->count + 1);
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++) {
		bool was;
		enum err err = warning_was_sent(txn_view(r->txn), r->queued.sender,
			bounce_domain(r->recipients[i].address), r->ground->now_ms, &was);

		if (err != OK)
			return err;
		if (!was)
			left[kept++] = r->recipients[i];
	}
	r->recipients = left;
	r->count = kept;
	return OK;
}

static enum err
note_warned(struct bounce_report *r)
{
	enum err err = OK;

	for (size_t i = 0; i < r->count && err == OK; i++)
		err = warning_note(r->txn, r->queued.sender,
			bounce_domain(r->recipients[i].address), r->ground->now_ms);
	return err;
}

static enum err
tell_delay(struct bounce_report *r, struct bounce *b)
{
	enum conf_warnings policy = r->ground->host.conf->outgoing_warnings;
	enum err err = OK;

	if (policy == WARNINGS_NEVER || r->queued.warned)
		return OK;
	if (policy == WARNINGS_DAILY)
		err = keep_unwarned(r);
	if (err == OK)
		err = queued_set_warned(r->txn, r->queued.queue_id);
	if (err != OK)
		return err;
	if (r->count == 0)
		return note_nobody(r, "the author was warned of that domain within a day");
	err = note_warned(r);
	if (err == OK)
		err = tell_of_transport(r, b);
	if (err != OK || r->count == 0)
		return err;
	report_words(r, b);
	return tell_author(r, b);
}

/* ---- all of it ---- */

static enum err
decide(struct bounce_report *r, struct bounce *b)
{
	enum err err = OK;

	if (r->count == 0)
		return b->kind == BOUNCE_FAILED ? note_nobody(r, "NOTIFY asks for no report") : OK;
	report_words(r, b);
	if (r->queued.sender.len == 0 || r->queued.report != QUEUED_REPORT_NONE)
		return b->kind == BOUNCE_FAILED ? tell_of_report(r, b) : OK;
	if (r->queued.forged)
		return note_never(r, b, "SPF says that the sender is not who he claims to be");
	if (bounce_is_robot(r->queued.sender))
		return note_never(r, b, "the sender is a robot");
	if (b->kind == BOUNCE_DELAYED)
		return tell_delay(r, b);
	if (b->kind == BOUNCE_FAILED)
		err = tell_of_transport(r, b);
	if (err != OK || r->count == 0)
		return err;
	report_words(r, b);
	return tell_author(r, b);
}

enum err
bounce_for(struct txn *txn, const struct bounce_ground *g, struct bounce *b)
{
	struct bounce_report r = { .txn = txn, .ground = g };
	struct arena arena;
	enum err err = OK;

	b->held = false;
	b->reports = b->queued_count = 0;
	if (b->count > BOUNCE_RECIPIENTS_MAX)
		return ERR_LIMIT;
	if (!bounce_is_wanted(g->host.conf, b) && b->kind != BOUNCE_FAILED)
		return OK;
	arena_init(&arena, NULL);
	r.arena = &arena;
	report_begin(&r, b);
	if (b->kind == BOUNCE_SENT)
		err = receipt_transmitted(&r, b);
	if (err == OK && !(b->kind == BOUNCE_SENT && b->remote_has_dsn))
		err = decide(&r, b);
	arena_reset(&arena);
	return err;
}
