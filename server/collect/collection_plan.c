/*
 * collection_plan.c - a collected message and the pipeline: whose it is, and what becomes of what is refused.
 *
 * Nothing is refused to a provider, which has accepted it long ago (contract 8): what the pipeline would refuse goes to the
 * INBOX of the Main Administrator, with a note that says why (TRB-06).
 */
#include "server/collect/collection_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/pipeline/collected_who.h"
#include "server/pipeline/names.h"
#include "server/pipeline/stages.h"

static void
fill_peer(const struct collection *c, struct peer *peer)
{
	struct span remote = span_of(c->remote);
	size_t blank = span_find_last(remote, ' ');

	peer->is_unix = true; /* no access line is about it */
	if (blank < remote.len)
		remote = span_from(remote, blank + 1);
	peer->text[span_copy_clean(remote, peer->text, sizeof(peer->text) - 1)] = '\0';
}

void
collection_fill_mail(struct collection_fetch *f)
{
	struct collection *c = f->c;
	struct mail *mail = &f->intake->mail;

	mail->via = MAIL_VIA_POP3;
	mail->service = "collect";
	mail->collect = arena_copy(mail->arena, c->o.conf->name);
	mail->collect_host = arena_copy(mail->arena, c->o.conf->server);
	mail->collect_with = c->with;
	mail->hostname = host_name(c->o.host->conf, mail->arena);
	mail->asks_nobody = true;
	fill_peer(c, &mail->peer);
}

static void
note_origin(struct collection_fetch *f)
{
	struct collection *c = f->c;
	struct plan *plan = &f->intake->plan;
	struct span uniques = buf_span(&c->uniques);
	char number[24];

	snprintf(number, sizeof(number), "%lu", (unsigned long)f->item.number);
	plan_note(plan, NOTE_COLLECT_FROM, span_of(c->remote[0] ? c->remote : c->with), c->o.conf->name);
	plan_note(plan, NOTE_COLLECT_NUMBER, span_of(number), f->item.unique_len > 0 ?
		span_range(uniques, f->item.unique_at, f->item.unique_at + f->item.unique_len) :
		SPAN("(none)"));
	if (c->tls[0] != '\0')
		plan_note(plan, NOTE_COLLECT_TLS, c->o.conf->server, span_of(c->tls));
}

/* INM-24: the time of the provider's Received field. */
static void
keep_date(struct collection_fetch *f)
{
	struct mail *mail = &f->intake->mail;
	struct mail_date date;

	if (!f->c->o.conf->keep_received || collected_received_date(mail->header, &date) != OK)
		return;
	mail->came = ARENA_NEW(mail->arena, struct mail_date);
	*(struct mail_date *)mail->came = date;
}

/* INM-21: only within one session. */
static bool
is_double(struct collection_fetch *f, const struct address *recipients, size_t count)
{
	struct collection *c = f->c;
	enum doubles_add added;

	if (!c->o.conf->duplicates)
		return false;
	collected_double_key(f->intake->mail.header, recipients, count,
		c->o.host->conf->collecting_ignore_message_id, f->mark);
	added = collection_doubles_add(&c->doubles, f->mark);
	f->is_marked = added == DOUBLES_ADDED;
	return added == DOUBLES_THERE;
}

void
collection_plan_unmark(struct collection_fetch *f)
{
	if (f->is_marked)
		collection_doubles_remove(&f->c->doubles, f->mark);
	f->is_marked = false;
}

/* ERR_DENIED: refused; ERR_BUSY: not now. */
static enum err
err_of(enum verdict verdict)
{
	return verdict == STAGE_NEXT ? OK : verdict == STAGE_REJECT ? ERR_DENIED : ERR_BUSY;
}

static struct pipeline_ask
ask_of(struct collection_fetch *f)
{
	struct host *host = f->c->o.host;

	return (struct pipeline_ask){ .conf = host->conf, .snap = host_snapshot(host),
		.mail = &f->intake->mail };
}

/* Its collector as the file has it now, or as it had it. */
static const struct conf_collector *
collector_of(const struct pipeline_ask *ask, const struct collection *c)
{
	const struct conf_collector *now = names_collector(ask->conf, ask->mail);

	return now ? now : c->o.conf;
}

static void
begin(struct collection_fetch *f)
{
	struct intake *in = f->intake;
	struct mail_options options = { .body = in->has_8bit ? BODY_8BITMIME : BODY_UNSAID };
	struct address sender;

	plan_init(&in->plan, &in->arena);
	note_origin(f);
	if (f->envelope_from.len == 0 || address_parse(&in->arena, f->envelope_from, &sender) != OK)
		collected_return_path(&in->mail, &sender);
	envelope_init(&in->mail.envelope, &in->arena, &sender, &options);
	in->mail.now_ms = in->mail.arrived_ms;
}

enum err
collection_plan_front(struct collection_fetch *f, bool *doubled)
{
	struct intake *in = f->intake;
	struct pipeline_ask ask = ask_of(f);
	struct collected_ask who = { .conf = ask.conf, .snap = ask.snap, .mail = &in->mail,
		.collector = collector_of(&ask, f->c), .envelope = f->envelope_to };
	struct address *to;
	size_t count;
	enum phase at;

	begin(f);
	keep_date(f);
	collection_chosen(f, &who.instead, &who.also);
	if (!ask.snap || collected_who(&who, &in->plan, &to, &count) != OK)
		return ERR_BUSY;
	*doubled = is_double(f, to, count);
	if (*doubled)
		return OK;
	return err_of(pipeline_run_front(&ask, to, count, NULL, &in->plan, &at));
}

enum err
collection_plan_end(struct collection_fetch *f)
{
	struct pipeline_ask ask = ask_of(f);

	return ask.snap ? err_of(pipeline_run(&ask, AT_END, &f->intake->plan)) : ERR_BUSY;
}

enum err
collection_plan_keep(struct collection_fetch *f)
{
	struct intake *in = f->intake;
	struct pipeline_ask ask = ask_of(f);
	struct plan_copy copy = { .kind = COPY_FOLDER, .recipient = SPAN(""), .recipient_no = SIZE_MAX,
		.folder = SPAN("INBOX"), .passed = true, .settled = true, .why = NOTE_COLLECT_KEPT,
		.because = arena_copy(&in->arena, in->plan.reply.text) };
	struct user admin;
	enum err err;

	if (!ask.snap)
		return ERR_IO;
	err = names_main_administrator(ask.conf, ask.snap, &admin);
	if (err != OK)
		return err;
	begin(f);
	copy.user_id = admin.user_id;
	copy.user = copy.found = admin.name;
	copy.target = arena_printf(&in->arena, "%.*s/INBOX", SPAN_FMT(admin.name));
	err = plan_copy_add(&in->plan, &copy, SIZE_MAX);
	if (err != OK)
		return err;
	return stage_place(&ask, AT_END, &in->plan) == STAGE_NEXT ? OK : ERR_LIMIT;
}
