/*
 * own_mail.c - letters wait in a list of their loop, and a few at a time are given to intake.
 *
 * A letter is started by a posted call, never inside own_mail_send(): whoever sends may hold spans of
 * this turn's snapshot, and what he has just committed is seen only by a new one.
 */
#include "server/queue/own_mail.h"

#include <stdlib.h>

#include "conf/conf.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/net/random.h"
#include "server/pipeline/names.h"
#include "server/queue/intake.h"

#define DAEMON "Mailer_Daemon"
#define FRAME_MAX 4096 /* bytes of header and line ends beside the text */

struct letter {
	struct list link;
	struct own_mails *all;
	struct arena arena;
	struct own_mail mail; /* spans in `arena` */
	unsigned tries;
	bool left_out; /* one of several recipients was refused */
	struct intake *intake; /* under way */
};

struct own_mails {
	struct host *host;
	struct list waiting; /* the oldest first */
	size_t waiting_count, under_way;
	bool posted, hurries, ended; /* hurries: nothing is tried again; ended: nothing is taken */
	struct loop_timer retry;
};

static void
post_start(struct own_mails *all);

static void
on_retry(struct loop_timer *timer)
{
	post_start(LIST_ITEM(timer, struct own_mails, retry));
}

static struct own_mails *
mails_of(struct host *host)
{
	struct own_mails *all = host->own_mails;

	if (all)
		return all;
	all = calloc(1, sizeof(*all));
	ENSURE(all);
	all->host = host;
	list_init(&all->waiting);
	loop_timer_init(&all->retry, on_retry);
	host->own_mails = all;
	return all;
}

static void
letter_free(struct letter *letter)
{
	intake_drop(&letter->intake);
	arena_reset(&letter->arena);
	free(letter);
}

static void
log_letter(const struct letter *letter, const char *text, struct span to, struct span why)
{
	log_put(letter->all->host->log,
		&(struct log_line){ .level = LEVEL_WARNING, .area = "queue", .text = text,
			.fields = { { "to", to, 0 }, { "subject", letter->mail.subject, 0 },
				{ "why", why, 0 } } });
}

static void
log_lost(const struct letter *letter, struct span to, struct span why)
{
	log_letter(letter, "a message of the server was not delivered", to, why);
}

static void
letter_end(struct letter *letter, enum err result, struct span why)
{
	struct own_mail mail = letter->mail;

	if (result != OK && result != ERR_DENIED)
		log_lost(letter, mail.to, why);
	if (mail.done)
		mail.done(mail.arg, result);
	letter_free(letter);
}

/* No room now: once more later, or never. */
static void
letter_put_off(struct letter *letter, enum err why)
{
	struct own_mails *all = letter->all;

	intake_drop(&letter->intake);
	if (all->hurries) {
		letter_end(letter, ERR_BUSY, SPAN("the server stops"));
		return;
	}
	if (++letter->tries >= OWN_MAIL_TRIES_MAX) {
		letter_end(letter, why, span_of(err_name(why)));
		return;
	}
	if (letter->tries == 1)
		log_letter(letter, "a message of the server waits for room", letter->mail.to, span_of(err_name(why)));
	list_append(&all->waiting, &letter->link);
	all->waiting_count++;
	loop_timer_set(all->host->loop, &all->retry, OWN_MAIL_RETRY_MS);
}

static void
on_done(struct intake *in, enum err result)
{
	struct letter *letter = in->holder;
	struct own_mails *all = letter->all;

	all->under_way--;
	if (result == OK) {
		metric_add(all->host->metrics, delivered, in->placed_count);
		metric_add(all->host->metrics, queued, in->queued_count);
		log_put(all->host->log,
			&(struct log_line){ .level = LEVEL_INFO, .area = "queue",
				.message = in->mail.id, .text = "wrote a message",
				.fields = { { "to", letter->mail.to, 0 },
					{ "subject", letter->mail.subject, 0 } } });
		letter_end(letter, letter->left_out ? ERR_DENIED : OK, SPAN_NONE);
	} else if (result == ERR_LIMIT) {
		letter_end(letter, result, span_of(err_name(result)));
	} else {
		letter_put_off(letter, result);
	}
	if (!loop_timer_is_set(&all->retry))
		post_start(all);
}

static const struct intake_events events = { .done = on_done };

/* ---- composing ---- */

static struct span
own_domain(const struct letter *letter)
{
	struct intake *in = letter->intake;
	struct span domain = conf_default_domain(in->host->conf);

	return domain.len > 0 ? domain : in->mail.hostname;
}

static void
fill_mail(struct letter *letter)
{
	struct intake *in = letter->intake;
	struct address sender = { .flags = ADDRESS_NULL };
	struct mail_options options = {
		.body = own_mail_is_ascii(&letter->mail) ? BODY_UNSAID : BODY_8BITMIME,
	};

	in->mail.via = MAIL_VIA_LOCAL;
	in->mail.service = "local";
	in->mail.hostname = host_name(in->host->conf, &in->arena);
	in->mail.peer.is_unix = true;
	in->mail.to_users = span_find(letter->mail.to, '@') == letter->mail.to.len;
	if (letter->mail.from.len > 0 && address_parse(&in->arena, letter->mail.from, &sender) != OK)
		sender = (struct address){ .flags = ADDRESS_NULL };
	envelope_init(&in->mail.envelope, &in->arena, &sender, &options);
}

/* ERR_NOT_FOUND: nobody to write to; ERR_SYNTAX: no address. */
static enum err
find_recipient(struct letter *letter, struct snapshot *snap, struct span to, struct address *out)
{
	struct intake *in = letter->intake;
	struct user user;
	enum err err = OK;

	if (to.len == 0) {
		if ((err = names_main_administrator(in->host->conf, snap, &user)) != OK)
			return err;
		to = user.name;
	}
	err = address_parse(&in->arena, to, out);
	if (err == OK && (out->flags & ADDRESS_NO_DOMAIN))
		err = address_with_domain(&in->arena, out, own_domain(letter), out);
	return err;
}

/* All of them; the first is `to`. */
static enum err
find_recipients(struct letter *letter, struct snapshot *snap, struct address *out)
{
	enum err err = find_recipient(letter, snap, letter->mail.to, &out[0]);

	for (size_t i = 0; i < letter->mail.also_count && err == OK; i++)
		err = find_recipient(letter, snap, letter->mail.also[i], &out[i + 1]);
	return err;
}

static struct span
to_field(struct letter *letter, const struct address *to)
{
	struct arena *a = &letter->intake->arena;
	size_t count = 1 + letter->mail.also_count;
	struct span text = to[0].text;

	if (count > OWN_MAIL_TO_MAX)
		return SPAN("undisclosed-recipients:;");
	for (size_t i = 1; i < count; i++)
		text = arena_printf(a, "%.*s, %.*s", SPAN_FMT(text), SPAN_FMT(to[i].text));
	return text;
}

static enum err
feed(struct letter *letter, const struct address *to)
{
	struct intake *in = letter->intake;
	struct own_mail_header header = { .to = to_field(letter, to), .now_ms = host_now_ms(in->host),
		.by_person = letter->mail.from.len > 0 };
	struct buf text;
	enum err err;

	header.from = header.by_person ? letter->mail.from
		: arena_printf(&in->arena, DAEMON "@%.*s", SPAN_FMT(own_domain(letter)));
	header.message_id = arena_printf(&in->arena, "%016llx%016llx@%.*s",
		(unsigned long long)random_u64(), (unsigned long long)random_u64(),
		SPAN_FMT(in->mail.hostname));
	header.zone_minutes = host_zone_minutes(header.now_ms);
	buf_init(&text, 3 * OWN_MAIL_TEXT_MAX + FRAME_MAX);
	err = own_mail_put(&text, &letter->mail, &header);
	if (err == OK)
		err = intake_text(in, buf_span(&text));
	buf_fini(&text);
	if (err == OK)
		err = intake_text_end(in);
	return err == OK && !intake_gather(in) ? ERR_BUSY : err;
}

/* ---- sending ---- */

/* Of several recipients those who are REFUSED; the others get it. */
static void
note_left_out(struct letter *letter, const struct address *to, size_t count,
	const struct plan_reply *refused)
{
	letter->left_out = false;
	for (size_t i = 0; i < count; i++) {
		if (refused[i].code == 0)
			continue;
		letter->left_out = true;
		log_lost(letter, to[i].text, refused[i].text);
	}
}

/* ERR_BUSY: later. What is refused has been ended, and OK too when intake has it. */
static enum err
letter_plan(struct letter *letter, struct snapshot *snap)
{
	struct intake *in = letter->intake;
	struct pipeline_ask ask = { .conf = in->host->conf, .snap = snap, .mail = &in->mail };
	size_t count = 1 + letter->mail.also_count;
	struct address *to = ARENA_ARRAY(&in->arena, struct address, count);
	struct plan_reply *refused = ARENA_ARRAY(&in->arena, struct plan_reply, count);
	enum verdict verdict;
	enum phase at;
	enum err err = find_recipients(letter, snap, to);

	if (err == OK)
		err = feed(letter, to);
	if (err == ERR_NOT_FOUND || err == ERR_SYNTAX || err == ERR_LIMIT) {
		letter_end(letter, ERR_NOT_FOUND, SPAN("nobody has that name"));
		return OK;
	}
	if (err != OK)
		return ERR_BUSY;
	verdict = pipeline_run_all(&ask, to, count, refused, &in->plan, &at);
	if (verdict == STAGE_DEFER)
		return ERR_BUSY;
	if (verdict != STAGE_NEXT) {
		letter_end(letter, ERR_NOT_FOUND, in->plan.reply.text);
		return OK;
	}
	note_left_out(letter, to, count, refused);
	letter->all->under_way++;
	intake_submit(in);
	return OK;
}

static void
letter_start(struct letter *letter)
{
	struct host *host = letter->all->host;
	struct snapshot *snap = host_snapshot(host);

	letter->intake = intake_open(host, &events, letter);
	letter->intake->beside = letter->mail.beside;
	letter->intake->beside_arg = letter->mail.arg;
	fill_mail(letter);
	if (!snap || store_is_full(host->store) || letter_plan(letter, snap) != OK)
		letter_put_off(letter, snap ? ERR_FULL : ERR_BUSY);
}

static void
start_some(void *arg)
{
	struct own_mails *all = arg;
	struct list *link;

	all->posted = false;
	host_snapshot_close(all->host); /* nobody holds it here; what was just committed is seen */
	while (all->under_way < OWN_MAIL_UNDER_WAY_MAX && !loop_timer_is_set(&all->retry) &&
		(link = list_take_first(&all->waiting))) {
		all->waiting_count--;
		letter_start(LIST_ITEM(link, struct letter, link));
	}
}

static void
post_start(struct own_mails *all)
{
	if (all->posted || all->waiting_count == 0)
		return;
	all->posted = true;
	loop_post(all->host->loop, start_some, all);
}

enum err
own_mail_send(struct host *host, const struct own_mail *mail)
{
	struct own_mails *all = mails_of(host);
	struct letter *letter;
	struct span *also;

	if (mail->text.len > OWN_MAIL_TEXT_MAX || mail->also_count >= OWN_MAIL_NAMES_MAX)
		return ERR_LIMIT;
	if (all->ended || own_mail_waiting(host) >= OWN_MAIL_WAITING_MAX)
		return ERR_BUSY;
	letter = calloc(1, sizeof(*letter));
	ENSURE(letter);
	letter->all = all;
	arena_init(&letter->arena, NULL);
	letter->mail = *mail;
	letter->mail.to = arena_copy(&letter->arena, mail->to);
	letter->mail.from = arena_copy(&letter->arena, mail->from);
	letter->mail.also = also = ARENA_ARRAY(&letter->arena, struct span, mail->also_count + 1);
	for (size_t i = 0; i < mail->also_count; i++)
		also[i] = arena_copy(&letter->arena, mail->also[i]);
	letter->mail.subject = arena_copy(&letter->arena, mail->subject);
	letter->mail.text = arena_copy(&letter->arena, mail->text);
	list_append(&all->waiting, &letter->link);
	all->waiting_count++;
	if (!loop_timer_is_set(&all->retry))
		post_start(all);
	return OK;
}

size_t
own_mail_waiting(const struct host *host)
{
	const struct own_mails *all = host->own_mails;

	return all ? all->waiting_count + all->under_way : 0;
}

/* One after the other, for each `done` may send more. */
static void
give_up(struct own_mails *all)
{
	struct list *link;

	while ((link = list_take_first(&all->waiting))) {
		all->waiting_count--;
		letter_end(LIST_ITEM(link, struct letter, link), ERR_BUSY, SPAN("the server stops"));
	}
}

void
own_mails_hurry(struct host *host)
{
	struct own_mails *all = mails_of(host);
	bool is_full = loop_timer_is_set(&all->retry);

	all->hurries = true;
	loop_timer_clear(&all->retry);
	if (is_full)
		give_up(all);
}

void
own_mails_end(struct host *host)
{
	struct own_mails *all = mails_of(host);

	all->hurries = all->ended = true;
	loop_timer_clear(&all->retry);
	give_up(all);
}

void
own_mails_close(struct own_mails **allp)
{
	free(*allp);
	*allp = NULL;
}
