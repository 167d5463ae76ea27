/*
 * download_act.c - the download rules of one collection: which questions there are, what becomes of each message.
 */
#include "server/collect/download_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/hash64.h"
#include "proto/mail/message_no.h"
#include "proto/mime/encoded_word.h"
#include "server/collect/source.h"
#include "server/generation.h"
#include "server/log.h"
#include "server/pipeline/pipeline.h"
#include "server/pipeline/rule_targets.h"
#include "server/rule_hits.h"
#include "store/questions.h"
#include "store/store.h"

/* ---- what is known ---- */

struct download *
download_new(struct host *host, struct generation *generation,
	const struct conf_collector *collector, unsigned in_mail)
{
	struct download *d = calloc(1, sizeof(*d));

	ENSURE(d);
	d->host = host;
	d->generation = generation_hold(generation);
	d->conf = generation_conf(generation);
	d->collector = collector;
	d->in_mail = in_mail;
	arena_init(&d->arena, NULL);
	list_init(&d->acting);
	return d;
}

void
download_offer(struct download *d, bool has_unique, bool has_head)
{
	d->has_unique = has_unique;
	d->has_head = has_head;
}

static uint64_t
hash_of(struct span known)
{
	return hash64((struct hash64_key){ 0 }, known); /* 128 bits of a hash already (fetched.h), or few rows */
}

static void
take_question(struct download *d, const struct question *q)
{
	static const enum download_answer_given given[] = { [QUESTION_OPEN] = DOWNLOAD_OPEN,
		[QUESTION_FETCH] = DOWNLOAD_ANSWER_FETCH, [QUESTION_REMOVE] = DOWNLOAD_ANSWER_REMOVE };
	struct arena *a = &d->arena;

	d->questions[d->count++] = (struct download_known){ .question_no = q->question_no,
		.known = arena_copy(a, q->known), .sender = arena_copy(a, q->sender),
		.subject = arena_copy(a, q->subject), .rule = arena_copy(a, q->rule), .by = arena_copy(a, q->by),
		.until_ms = q->until_ms, .given = given[q->answer] };
}

static void
index_questions(struct download *d)
{
	size_t slots = 16;

	while (slots < 2 * d->count)
		slots *= 2;
	d->slots = ARENA_ARRAY(&d->arena, uint32_t, slots);
	memset(d->slots, 0, slots * sizeof(d->slots[0]));
	d->mask = slots - 1;
	for (size_t i = 0; i < d->count; i++) {
		size_t at = hash_of(d->questions[i].known) & d->mask;

		while (d->slots[at])
			at = (at + 1) & d->mask;
		d->slots[at] = (uint32_t)i + 1;
	}
}

static struct download_known *
find_question(struct download *d, struct span known)
{
	if (known.len == 0 || d->count == 0)
		return NULL;
	for (size_t at = hash_of(known) & d->mask; d->slots[at]; at = (at + 1) & d->mask) {
		struct download_known *q = &d->questions[d->slots[at] - 1];

		if (span_eq(q->known, known))
			return q;
	}
	return NULL;
}

/* Room for all there are; some may come meanwhile. */
static enum err
make_room(struct download *d, struct snapshot *snap)
{
	uint64_t rows = 0;
	enum err err = question_count(snap, &rows);

	d->room = err == OK && rows < QUESTIONS_MAX ? rows : QUESTIONS_MAX;
	if (err == OK)
		d->questions = ARENA_ARRAY(&d->arena, struct download_known, d->room);
	return err;
}

enum err
download_read_slice(struct download *d, struct snapshot *snap, bool *more)
{
	struct question q = { .question_no = 0 };
	enum err err = d->questions ? OK : make_room(d, snap);

	*more = false;
	for (size_t i = 0; err == OK && i < DOWNLOAD_READ_SLICE; i++) {
		err = question_next(snap, d->read_to, &q);
		d->read_to = q.question_no;
		if (err == OK && q.collector_id == d->collector_id && d->count < d->room)
			take_question(d, &q);
		err = err == ERR_CORRUPT ? OK : err;
	}
	*more = err == OK;
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
download_read(struct download *d, uint64_t collector_id)
{
	struct snapshot *snap;
	enum err err = OK;

	arena_reset(&d->arena);
	d->questions = NULL;
	d->count = 0;
	d->read_to = 0;
	d->collector_id = collector_id;
	for (bool more = true; more && err == OK;) {
		err = snapshot_open(d->host->store, &snap);
		if (err != OK)
			break;
		err = download_read_slice(d, snap, &more);
		snapshot_close(&snap);
	}
	index_questions(d);
	return err;
}

/* ---- the header ---- */

struct span
download_words(struct arena *a, struct span header, const char *field)
{
	struct span value = header_find(header, span_of(field));
	struct buf plain, words;
	char *clean = arena_alloc(a, DOWNLOAD_WORDS_MAX);

	if (!value.ptr)
		return SPAN("(none)");
	buf_init(&plain, 4 * DOWNLOAD_WORDS_MAX);
	buf_init(&words, 8 * DOWNLOAD_WORDS_MAX);
	if (header_unfold(&plain, span_range(value, 0, 4 * DOWNLOAD_WORDS_MAX)) == OK)
		value = span_trim(buf_span(&plain));
	if (encoded_word_is_needed(value) && encoded_word_decode(&words, value) == OK)
		value = buf_span(&words);
	value = (struct span){ clean, span_copy_clean(value, clean, DOWNLOAD_WORDS_MAX) };
	buf_fini(&words);
	buf_fini(&plain);
	return value.len > 0 ? value : SPAN("(none)");
}

enum err
download_names(const struct download_reader *r, struct arena *a, struct span header,
	const struct download_answer *to, struct collected_names *out)
{
	struct mail *mail = ARENA_NEW(a, struct mail);
	const struct collected_ask ask = { .conf = r->conf, .snap = r->snap, .mail = mail,
		.collector = r->collector, .instead = to ? to->instead : SPAN(""), .also = to ? to->also : SPAN("") };

	*mail = (struct mail){ .arena = a, .via = MAIL_VIA_POP3, .service = "collect",
		.hostname = host_name(r->conf, a), .collect = r->collector->name, .header = header,
		.size = header.len, .now_ms = r->now_ms, .arrived_ms = r->now_ms,
		.zone_minutes = host_zone_minutes(r->now_ms), .asks_nobody = true };
	mail->peer.is_unix = true; /* no access line is about it */
	snprintf(mail->peer.text, sizeof(mail->peer.text), "who wrote it");
	pipeline_read_header(r->conf, mail);
	return collected_names(&ask, a, out);
}

/* ---- asking ---- */

static void
fill_ask(const struct download *d, const struct download_item *item, const struct download_known *q,
	struct download_ask *out)
{
	*out = (struct download_ask){ .conf = d->conf, .rules = &d->conf->download_rules,
		.collector = d->collector, .in_mail = d->in_mail, .has_head = d->has_head,
		.has_unique = d->has_unique && item->unique.len > 0, .size = item->size,
		.now_ms = host_now_ms(d->host), .first_ms = item->first_ms };
	out->zone_minutes = host_zone_minutes(out->now_ms);
	if (q) {
		out->asked_until_ms = q->until_ms;
		out->given = q->given;
	}
}

/* The sign of what is logged, as the rule says it; the limit asks (DLR-13). */
static struct span
sign_of(struct arena *a, const struct download_answer *answer)
{
	if (answer->rule)
		return rule_sign(a, answer->rule);
	return answer->because == DOWNLOAD_BY_LIMIT && !answer->asks ? SPAN("~") : SPAN("?");
}

static struct span
by_of(const struct download *d, uint64_t question_no)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->questions[i].question_no == question_no)
			return d->questions[i].by;
	return SPAN("");
}

/* What stays as it was the last time is not said again. */
static bool
is_worth_a_line(const struct download_answer *answer, const struct download_item *item)
{
	return answer->because != DOWNLOAD_BY_NONE && answer->because != DOWNLOAD_BY_WAITING &&
		(answer->does != DOWNLOAD_LEAVE || answer->asks || item->first_ms == 0);
}

static const char *const because_text[] = {
	[DOWNLOAD_BY_RULE] = "a download rule holds",
	[DOWNLOAD_BY_LIMIT] = "a message is over the limit",
	[DOWNLOAD_BY_IGNORE_END] = "an ignored message is as old as leave_days",
	[DOWNLOAD_BY_ELSEWHERE] = "a message is for people elsewhere",
	[DOWNLOAD_BY_ANSWER] = "a question was answered",
	[DOWNLOAD_BY_EXPIRY] = "a question was not answered",
	[DOWNLOAD_BY_COST] = "a header takes too long to look at",
};

/* DLR-11: time, rule, action, sender, subject. */
static void
log_it(const struct download *d, const struct download_item *item, const struct download_answer *answer,
	struct span from, struct span subject)
{
	struct arena a;
	struct log_line line;

	if (!is_worth_a_line(answer, item))
		return;
	arena_init(&a, NULL);
	line = (struct log_line){ .level = LEVEL_INFO, .area = DOWNLOAD_AREA, .text = because_text[answer->because],
		.fields = { { "rule", answer->name.len > 0 ? answer->name : SPAN("-") },
			{ "action", sign_of(&a, answer) }, { "does", span_of(download_does_name(answer)) },
			{ "from", from }, { "subject", subject }, { "collector", d->collector->name } } };
	if (item->size != SOURCE_SIZE_UNKNOWN)
		line.fields[6] = (struct log_field){ "size", SPAN_NONE, (int64_t)item->size };
	log_put(d->host->log, &line);
	arena_reset(&a);
	if (answer->rule)
		rule_hits_add(d->host, answer->rule->key);
	else if (answer->because == DOWNLOAD_BY_LIMIT)
		rule_hits_add(d->host, download_limit_key(d->collector));
}

static void
decided(const struct download_known *q, struct download_decision *out)
{
	out->acts = out->answer.asks || out->answer.tells;
	out->question_no = q ? q->question_no : 0;
}

void
download_note(const struct download *d, const struct download_decision *decision, struct plan *plan)
{
	const struct download_answer *answer = &decision->answer;
	char no[MESSAGE_NO_SIZE];

	if (answer->rule)
		plan_note(plan, NOTE_DOWNLOAD_RULE, answer->name, rule_sign(plan->arena, answer->rule));
	else if (answer->because == DOWNLOAD_BY_ANSWER)
		plan_note(plan, NOTE_DOWNLOAD_ASKED, by_of(d, decision->question_no),
			message_no_format(decision->question_no, no));
}

bool
download_item(struct download *d, const struct download_item *item, struct download_decision *out)
{
	struct download_known *q = find_question(d, item->unique);
	struct download_ask ask;
	struct arena a;
	bool wanted;

	*out = (struct download_decision){ .acts = false };
	fill_ask(d, item, q, &ask);
	if (q)
		q->met = true;
	arena_init(&a, NULL);
	wanted = download_wanted(&ask, &a);
	if (!wanted) {
		download_decide(&ask, &a, &out->answer);
		if (q)
			out->answer.name = q->rule;
		log_it(d, item, &out->answer, q ? q->sender : SPAN(""), q ? q->subject : SPAN(""));
		decided(q, out);
	}
	arena_reset(&a);
	return !wanted;
}

/* A target that has gone since the rules were taken over is none: those it is for get what it says. */
static void
drop_lost_target(const struct download *d, struct snapshot *snap, struct download_answer *answer)
{
	struct span *target = answer->also.len > 0 ? &answer->also : &answer->instead;

	if (target->len == 0 || rule_target_find(d->conf, snap, *target) == OK)
		return;
	log_put(d->host->log, &(struct log_line){ .level = LEVEL_WARNING, .area = DOWNLOAD_AREA,
				      .text = "nobody has the name that a download rule sends to",
				      .fields = { { "rule", answer->name }, { "target", *target } } });
	*target = SPAN("");
}

enum err
download_head(struct download *d, const struct download_item *item, struct span header,
	struct snapshot *snap, struct download_decision *out)
{
	const struct download_reader reader = { d->conf, snap, d->collector, host_now_ms(d->host) };
	struct collected_names names;
	struct download_ask ask;
	struct arena a;
	enum err err;

	*out = (struct download_decision){ .acts = false };
	arena_init(&a, NULL);
	fill_ask(d, item, NULL, &ask);
	err = download_names(&reader, &a, header, NULL, &names);
	if (err == OK) {
		ask.header = header;
		ask.names = names.users;
		ask.name_count = names.count;
		ask.only_elsewhere = names.only_elsewhere;
		download_decide(&ask, &a, &out->answer);
		drop_lost_target(d, snap, &out->answer);
		log_it(d, item, &out->answer, download_words(&a, header, "From"),
			download_words(&a, header, "Subject"));
		decided(NULL, out);
	}
	arena_reset(&a);
	return err;
}
