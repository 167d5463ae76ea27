/*
 * collect_rename.c - a mailbox that has another name in the new file: at the same place, the same account. It
 * keeps what is known of it, whoever renamed it: a command, an undo, somebody with an editor.
 */
#include "server/collect/collect_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/collect/collect_account.h"
#include "server/log.h"
#include "store/commit.h"
#include "store/fetched.h"

struct renaming {
	struct store_job job;
	char from[COLLECT_NAME_SIZE], to[COLLECT_NAME_SIZE];
};

static enum step
apply(struct store_job *job, struct txn *txn)
{
	struct renaming *r = LIST_ITEM(job, struct renaming, job);

	return step_of(job, fetched_rename(txn, span_of(r->from), span_of(r->to)));
}

static void
done(struct store_job *job, enum err result)
{
	(void)result; /* logged where it failed */
	free(LIST_ITEM(job, struct renaming, job));
}

static void
rename_to(struct collector *c, struct span name)
{
	struct host *host = c->all->host;
	struct renaming *r = calloc(1, sizeof(*r));

	ENSURE(r);
	snprintf(r->from, sizeof(r->from), "%s", c->name);
	snprintf(r->to, sizeof(r->to), "%.*s", SPAN_FMT(name));
	log_put(host->log, &(struct log_line){ .level = LEVEL_INFO, .area = "collect",
		.text = "has another name", .fields = { { "collector", span_of(r->from), 0 },
			{ "name", span_of(r->to), 0 } } });
	snprintf(c->name, sizeof(c->name), "%s", r->to);
	r->job = (struct store_job){ .apply = apply, .done = done, .inbox = host->inbox,
		.size_bytes = sizeof(*r) };
	if (store_submit(host->store, &r->job) != OK)
		free(r);
}

static struct collector *
named(struct list *of, struct span name)
{
	struct list *at, *following;

	list_for_each(at, following, of) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (span_eq_nocase(span_of(c->name), name))
			return c;
	}
	return NULL;
}

static bool
has(const struct conf_collectors *conf, struct span name)
{
	for (size_t i = 0; i < conf->count; i++)
		if (span_eq_nocase(conf->items[i].name, name))
			return true;
	return false;
}

void
collect_follow_names(struct collect *all, struct list *before)
{
	const struct conf_collectors *conf = &all->host->conf->collectors;
	struct list *at, *following;

	list_for_each(at, following, before) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);
		const struct conf_collector *now = c->place < conf->count ? &conf->items[c->place] : NULL;

		if (now && c->kept && !has(conf, span_of(c->name)) && !named(before, now->name) &&
			c->account == collect_account_mark(now))
			rename_to(c, now->name);
	}
}
