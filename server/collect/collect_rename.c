/*
 * collect_rename.c - a mailbox that has another name in the new file: the same account. It keeps what is known of it,
 * whoever renamed it: a command, an undo, somebody with an editor.
 *
 * What the store knows follows here at once, in the order of the file. Where that cannot be written now, or the server ends
 * before it is, the next collection finds it by its account (fetched_collector_enter()).
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
	collector_name(c, name);
	r->job = (struct store_job){ .apply = apply, .done = done, .inbox = host->inbox,
		.size_bytes = sizeof(*r) };
	if (store_submit(host->store, &r->job) != OK)
		free(r);
}

/* What had another name: at the same place, else wherever it was. */
static struct collector *
named_until_now(struct list *before, const struct conf *conf, size_t place)
{
	uint64_t mark = collect_account_mark(&conf->collectors.items[place]);
	struct collector *found = NULL;
	struct list *at, *following;

	list_for_each(at, following, before) {
		struct collector *c = LIST_ITEM(at, struct collector, link_all);

		if (c->account != mark || conf_collector(conf, span_of(c->name)))
			continue;
		if (!found || (c->kept && c->place == place))
			found = c;
	}
	return found;
}

void
collect_follow_names(struct collect *all, struct list *before)
{
	const struct conf *conf = all->host->conf;
	struct collector *c;

	for (size_t i = 0; i < conf->collectors.count; i++) {
		struct span name = conf->collectors.items[i].name;

		if (!collect_named(all, name) && (c = named_until_now(before, conf, i)))
			rename_to(c, name);
	}
}

bool
collector_has_to_wait(const struct collector *c)
{
	const struct list *at;

	for (at = c->all->collectors.next; at != &c->all->collectors; at = at->next) {
		const struct collector *other = LIST_ITEM(at, struct collector, link_all);
		uint64_t mark = other == c || !other->collection ? 0
			: collect_account_mark(collection_options(other->collection)->conf);

		if (mark != 0 && mark == c->account && (!other->kept || other->account != mark))
			return true;
	}
	return false;
}
