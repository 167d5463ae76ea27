/*
 * download_carry.c - what a decision causes before its message may go: a letter, and with it the question's row.
 *
 *     carry --> send --(no room: again)--> the letter is on disk, of a question its row too --> done
 *
 * Both are one commit: a letter without its row would be written again, with another number, and an answer to the first
 * would be nobody's; a row without its letter would ask nobody, and the message went unread when the question ended.
 */
#include "server/collect/download_inside.h"

#include <stdlib.h>

#include "server/collect/source.h"
#include "server/generation.h"
#include "server/net/loop.h"
#include "server/net/random.h"
#include "server/pipeline/names.h"
#include "server/queue/own_mail.h"
#include "store/commit.h"
#include "store/questions.h"

#define SEND_RETRY_MS 1000
#define SEND_TRIES_MAX 60 /* then it is left for the next collection */
#define NAMES_MAX (OWN_MAIL_NAMES_MAX - 2) /* of those it is for, in one letter */

struct download_acting {
	struct list link; /* download.acting; or of none, where the collection has let go */
	struct host *host;
	struct download_order *order; /* NULL: nobody waits */
	struct arena arena;
	struct own_mail mail;
	bool to_admin; /* nobody else could be reached */
	unsigned tries;
	struct loop_timer retry;
	struct question question; /* question_no 0: none is put */
};

static void
acting_end(struct download_acting *acting, enum err result)
{
	struct download_order *order = acting->order;

	list_remove(&acting->link);
	loop_timer_clear(&acting->retry);
	arena_reset(&acting->arena);
	free(acting);
	if (!order)
		return;
	order->under_way = NULL;
	order->done(order, result);
}

/* The row of a question, in the transaction of its letter. */
static enum err
put_question(void *arg, struct txn *txn)
{
	struct download_acting *acting = arg;

	return question_put(txn, &acting->question);
}

/* ---- the letter ---- */

static void send_letter(struct download_acting *acting);

static void
on_retry(struct loop_timer *timer)
{
	send_letter(LIST_ITEM(timer, struct download_acting, retry));
}

/* Nobody has such a name any more: then the Main Administrator hears of it (DLR-10). */
static void
on_sent(void *arg, enum err result)
{
	struct download_acting *acting = arg;

	if (result == ERR_NOT_FOUND && !acting->to_admin) {
		acting->to_admin = true;
		acting->mail.to = SPAN("");
		acting->mail.also_count = 0;
		send_letter(acting);
		return;
	}
	acting_end(acting, result == ERR_DENIED ? OK : result);
}

static void
failed_later(struct loop_timer *timer)
{
	acting_end(LIST_ITEM(timer, struct download_acting, retry), ERR_IO);
}

static void
end_later(struct download_acting *acting, void (*how)(struct loop_timer *timer))
{
	loop_timer_init(&acting->retry, how);
	loop_timer_set(acting->host->loop, &acting->retry, 0);
}

static void
send_letter(struct download_acting *acting)
{
	enum err err = own_mail_send(acting->host, &acting->mail);

	if (err == ERR_BUSY && acting->tries++ < SEND_TRIES_MAX)
		loop_timer_set(acting->host->loop, &acting->retry, SEND_RETRY_MS);
	else if (err != OK)
		end_later(acting, failed_later);
}

/* ---- who is told, and who may answer ---- */

/* The names it is for, unless somebody stands for them, and him whom the rule names; none: the Main Administrator. */
static void
fill_recipients(struct download_acting *acting, const struct download_answer *answer,
	const struct collected_names *names)
{
	struct span *to = ARENA_ARRAY(&acting->arena, struct span, NAMES_MAX + 1);
	size_t count = 0;

	for (size_t i = 0; answer->instead.len == 0 && i < names->count && count < NAMES_MAX; i++)
		to[count++] = arena_copy(&acting->arena, names->users[i]);
	if (answer->instead.len > 0 || answer->also.len > 0)
		to[count++] = arena_copy(&acting->arena,
			answer->instead.len > 0 ? answer->instead : answer->also);
	acting->to_admin = count == 0;
	acting->mail.to = count > 0 ? to[0] : SPAN("");
	acting->mail.also = to + 1;
	acting->mail.also_count = count > 0 ? count - 1 : 0;
}

static struct span
add_number(struct arena *a, struct snapshot *snap, struct span all, struct span name)
{
	struct user user;

	if (names_user(snap, name, &user) != OK)
		return all;
	return arena_printf(a, "%.*s%s%llu", SPAN_FMT(all), all.len ? ";" : "",
		(unsigned long long)user.user_id);
}

/* Those to whom the letter goes (contract 8); where it goes to nobody here, the Main Administrator. */
static struct span
who_may_answer(struct download_acting *acting, const struct collected_names *asked,
	struct snapshot *snap, const struct conf *conf)
{
	struct span all = SPAN("");
	struct user admin;

	for (size_t i = 0; i < asked->count && i < QUESTION_ASKED_MAX; i++)
		all = add_number(&acting->arena, snap, all, asked->users[i]);
	if (all.len == 0 && names_main_administrator(conf, snap, &admin) == OK)
		all = add_number(&acting->arena, snap, all, admin.name);
	return all;
}

static void
fill_question(struct download_acting *acting, const struct download *d, const struct download_item *item,
	const struct download_letter *letter)
{
	struct arena *a = &acting->arena;

	acting->question = (struct question){ .question_no = letter->question_no, .collector_id = d->collector_id,
		.known = arena_copy(a, item->unique), .sender = arena_copy(a, letter->from),
		.subject = arena_copy(a, letter->about),
		.rule = arena_copy(a, span_range(letter->rule, 0, QUESTION_TEXT_MAX)),
		.size = item->size == SOURCE_SIZE_UNKNOWN ? 0 : item->size, .since_ms = host_now_ms(d->host), .until_ms = letter->until_ms };
}

/* Nobody is asked what could not be kept: he would be asked again each time. */
static enum err
has_room(struct snapshot *snap)
{
	uint64_t count;
	enum err err = question_count(snap, &count);

	return err == OK && count >= QUESTIONS_MAX ? ERR_LIMIT : err;
}

static enum err
prepare(struct download_acting *acting, const struct download *d, const struct download_answer *answer,
	const struct download_item *item, struct span header)
{
	struct snapshot *snap = host_snapshot(d->host);
	const struct download_reader reader = { d->conf, snap, d->collector, host_now_ms(d->host) };
	struct collected_names names = { .count = 0 }, asked = { .count = 0 };
	struct arena *a = &acting->arena;
	struct download_letter letter = { .collector = d->collector->name, .rule = answer->name,
		.header = header, .from = download_words(a, header, "From"),
		.about = download_words(a, header, "Subject"), .size = item->size };
	enum err err = snap ? download_names(&reader, a, header, NULL, &names) : ERR_IO;

	if (err == OK && answer->asks)
		err = has_room(snap);
	if (err == OK && answer->asks)
		err = download_names(&reader, a, header, answer, &asked);
	if (err != OK)
		return err;
	letter.names = names.users;
	letter.name_count = names.count;
	if (answer->asks) {
		letter.question_no = random_u64() | 1; /* never 0 */
		letter.until_ms = host_now_ms(d->host) + d->conf->collecting_query_delay_ms;
		letter.zone_minutes = host_zone_minutes(letter.until_ms);
		fill_question(acting, d, item, &letter);
		acting->question.asked = who_may_answer(acting, &asked, snap, d->conf);
		acting->mail.beside = put_question;
	}
	fill_recipients(acting, answer, &names);
	acting->mail.subject = download_letter_subject(a, &letter);
	acting->mail.text = download_letter_text(a, &letter);
	return OK;
}

/* ---- orders ---- */

static void
done_later(struct loop_timer *timer)
{
	acting_end(LIST_ITEM(timer, struct download_acting, retry), OK);
}

void
download_carry(struct download *d, const struct download_decision *decision,
	const struct download_item *item, struct span header, struct download_order *order)
{
	struct download_acting *acting = calloc(1, sizeof(*acting));
	bool writes = decision->answer.asks || decision->answer.tells;

	ENSURE(acting);
	acting->host = d->host;
	acting->order = order;
	order->under_way = acting;
	arena_init(&acting->arena, NULL);
	acting->mail.done = on_sent;
	acting->mail.arg = acting;
	list_append(&d->acting, &acting->link);
	loop_timer_init(&acting->retry, on_retry);
	if (!writes)
		end_later(acting, done_later);
	else if (prepare(acting, d, &decision->answer, item, header) == OK)
		send_letter(acting);
	else
		end_later(acting, failed_later);
}

void
download_free(struct download **dp)
{
	struct download *d = *dp;
	struct list *link;

	*dp = NULL;
	if (!d)
		return;
	while ((link = list_take_first(&d->acting))) {
		struct download_acting *acting = LIST_ITEM(link, struct download_acting, link);

		list_init(&acting->link);
		acting->order->under_way = NULL;
		acting->order = NULL;
		if (loop_timer_is_set(&acting->retry)) /* nothing of it has begun */
			acting_end(acting, ERR_BUSY);
	}
	generation_release(&d->generation);
	arena_reset(&d->arena);
	free(d);
}

/* ---- questions without a message ---- */

struct dropping {
	struct store_job job;
	size_t count;
	uint64_t numbers[];
};

static enum step
drop_apply(struct store_job *job, struct txn *txn)
{
	const struct dropping *drop = LIST_ITEM(job, struct dropping, job);

	job->err = OK;
	for (size_t i = 0; i < drop->count && job->err == OK; i++)
		job->err = question_remove(txn, drop->numbers[i]);
	return job->err == OK ? STEP_DONE : STEP_FAIL;
}

static void
drop_done(struct store_job *job, enum err result)
{
	(void)result; /* else with the next list */
	free(LIST_ITEM(job, struct dropping, job));
}

void
download_listed(struct download *d)
{
	struct dropping *drop = calloc(1, sizeof(*drop) + DOWNLOAD_DROP_MAX * sizeof(drop->numbers[0]));

	ENSURE(drop);
	for (size_t i = 0; i < d->count && drop->count < DOWNLOAD_DROP_MAX; i++)
		if (!d->questions[i].met)
			drop->numbers[drop->count++] = d->questions[i].question_no;
	drop->job = (struct store_job){ .apply = drop_apply, .done = drop_done, .inbox = d->host->inbox,
		.size_bytes = 64 * drop->count, .patient = true };
	list_init(&drop->job.link);
	if (drop->count == 0 || store_submit(d->host->store, &drop->job) != OK)
		free(drop);
}
