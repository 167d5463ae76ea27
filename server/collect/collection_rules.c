/*
 * collection_rules.c - each new message is put to the download rules (download_act.h), and what they say is obeyed.
 *
 * Where something is to be told or asked first, that is on disk before the message is fetched or removed.
 */
#include "server/collect/collection_inside.h"

#include <stdlib.h>
#include <string.h>

#include "server/generation.h"

/* What was said of one message, and has to be carried along with it. */
struct collection_choice {
	struct list link; /* in collection.choices */
	struct collection *c;
	size_t at; /* of items */
	struct download_decision decision;
	struct download_order order;
};

void
collection_begin_rules(struct collection *c)
{
	const struct conf *conf = generation_conf(c->o.generation);
	size_t place = (size_t)(c->o.conf - conf->collectors.items);

	if (!c->o.looks && !c->rules)
		c->rules = download_new(c->o.host, c->o.generation, c->o.conf, (unsigned)place + 1);
}

enum err
collection_read_questions(struct collection *c)
{
	return c->rules ? download_read(c->rules, c->id) : OK;
}

void
collection_forget_choices(struct collection *c)
{
	struct list *link;

	while ((link = list_take_first(&c->choices)))
		free(LIST_ITEM(link, struct collection_choice, link));
}

void
collection_free_rules(struct collection *c)
{
	download_free(&c->rules);
	collection_forget_choices(c);
}

static struct download_item
question_of(const struct collection_item *item)
{
	return (struct download_item){ .size = item->size, .first_ms = (int64_t)item->first_s * 1000,
		.unique = item->has_hash ? (struct span){ (const char *)item->hash, sizeof(item->hash) }
					 : SPAN_NONE };
}

/* It stays there, and it is remembered since when: for leave_days (DLR-10), and so that it is logged once (DLR-11). */
static void
leave(struct collection *c, struct collection_item *item)
{
	struct fetched row = { .first_s = item->first_s, .state = FETCHED_SEEN };

	item->state = ITEM_OVER;
	if (item->first_s != 0 || !item->has_hash)
		return;
	row.first_s = collection_now_s(c);
	memcpy(row.hash, item->hash, sizeof(row.hash));
	collection_change(c, &row, false);
}

static void
obey(struct collection *c, size_t at, const struct download_answer *answer)
{
	struct collection_item *item = &c->items[at];

	switch (answer->does) {
	case DOWNLOAD_FETCH:
		collection_want(c, at);
		break;
	case DOWNLOAD_FETCH_REMOVE:
		item->removes = true;
		collection_want(c, at);
		break;
	case DOWNLOAD_LEAVE:
		leave(c, item);
		break;
	case DOWNLOAD_REMOVE:
		item->state = ITEM_OVER;
		collection_remove(c, item->has_hash ? item->hash : NULL, item->number);
		break;
	}
}

static void
on_carried(struct download_order *order, enum err result)
{
	struct collection_choice *choice = LIST_ITEM(order, struct collection_choice, order);
	struct collection *c = choice->c;

	c->undecided--;
	if (result == OK)
		obey(c, choice->at, &choice->decision.answer);
	else
		collection_item_error(c, &c->items[choice->at],
			"what its download rule tells or asks could not be written, the next run tries again",
			span_of(err_name(result)));
	collection_pump(c);
}

static struct collection_choice *
choice_new(struct collection *c, size_t at, const struct download_decision *decision)
{
	struct collection_choice *choice = calloc(1, sizeof(*choice));

	ENSURE(choice);
	choice->c = c;
	choice->at = at;
	choice->decision = *decision;
	choice->order = (struct download_order){ .done = on_carried, .holder = choice };
	list_append(&c->choices, &choice->link);
	c->items[at].choice = choice;
	return choice;
}

static void
carry_out(struct collection *c, size_t at, const struct download_decision *decision, struct span header)
{
	struct download_item question = question_of(&c->items[at]);
	struct collection_choice *choice = NULL;

	c->items[at].state = ITEM_ASKED;
	if (decision->acts || decision->answer.rule || decision->answer.because == DOWNLOAD_BY_ANSWER)
		choice = choice_new(c, at, decision);
	if (!decision->acts) {
		obey(c, at, &decision->answer);
		return;
	}
	c->undecided++;
	download_carry(c->rules, &choice->decision, &question, header, &choice->order);
}

void
collection_judge(struct collection *c, size_t at)
{
	struct download_item question = question_of(&c->items[at]);
	struct download_decision decision;

	if (download_item(c->rules, &question, &decision))
		carry_out(c, at, &decision, SPAN_NONE);
}

void
collection_judge_head(struct collection *c, size_t at, struct span header)
{
	struct download_item question = question_of(&c->items[at]);
	struct snapshot *snap = host_snapshot(c->o.host);
	struct download_decision decision;

	if (download_item(c->rules, &question, &decision)) {
		carry_out(c, at, &decision, header);
	} else if (snap && download_head(c->rules, &question, header, snap, &decision) == OK) {
		carry_out(c, at, &decision, header);
	} else {
		c->items[at].state = ITEM_OVER;
		collection_item_error(c, &c->items[at], "its download rules could not be asked, the next run tries again", SPAN_NONE);
	}
}

void
collection_chosen(struct collection_fetch *f, struct span *instead, struct span *also)
{
	const struct collection_item *item = &f->item;

	if (item->choice)
		download_note(f->c->rules, &item->choice->decision, &f->intake->plan);
	*instead = item->choice ? item->choice->decision.answer.instead : SPAN_NONE;
	*also = item->choice ? item->choice->decision.answer.also : SPAN_NONE;
}
