/*
 * search_site.c - see search_site.h.
 */
#include "tests/unit/search_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "server/search/search_match.h"
#include "store/bodies.h"
#include "store/commit.h"
#include "store/messages.h"

uint32_t
search_site_chance(struct search_site *f, uint32_t below)
{
	f->seed = f->seed * 1664525 + 1013904223;
	return (f->seed >> 8) % below;
}

static void
open_store(struct search_site *f)
{
	struct store_options options = { .path = f->dir, .mode = STORE_SERVE };
	struct store_fault why;

	assert_int_equal(store_open(&options, &f->store, &why), OK);
}

int
search_site_setup(void **state)
{
	struct search_site *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/postroom-test-find-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->seed = 11;
	open_store(f);
	*state = f;
	return 0;
}

int
search_site_teardown(void **state)
{
	static const char *const names[] = { "search/data.mdb", "search/lock.mdb", "search/unproven",
		"search", "data.mdb", "lock.mdb", "server.lock", "use.lock" };
	struct search_site *f = *state;
	char path[128];

	search_index_close(&f->index);
	store_close(&f->store);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		if (unlink(path) != 0)
			rmdir(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* ---- messages into the store ---- */

struct put_job {
	struct store_job job;
	struct span header, body;
	struct content content;
};

static enum step
put_apply(struct store_job *job, struct txn *txn)
{
	struct put_job *put = LIST_ITEM(job, struct put_job, job);
	enum err err;

	put->content = (struct content){ .owners = 0, .header = put->header,
		.body_size = put->body.len };
	err = body_add(txn, (struct body_source){ &put->body, 1 }, &put->content.body_id);
	if (err == OK)
		err = content_add(txn, &put->content, false);
	return step_of(job, err);
}

uint64_t
search_site_put(struct search_site *f, const char *header, const char *body)
{
	struct put_job put = { .job = { .apply = put_apply }, .header = span_of(header),
		.body = span_of(body) };

	assert_int_equal(store_run_job_now(f->store, &put.job), OK);
	f->last_id = put.content.content_id;
	return f->last_id;
}

static enum step
remove_apply(struct store_job *job, struct txn *txn)
{
	struct put_job *put = LIST_ITEM(job, struct put_job, job);

	return step_of(job, content_delete(txn, put->content.content_id));
}

void
search_site_remove(struct search_site *f, uint64_t id)
{
	struct put_job put = { .job = { .apply = remove_apply }, .content = { .content_id = id } };

	assert_int_equal(store_run_job_now(f->store, &put.job), OK);
}

/* ---- looking at one message ---- */

bool
search_site_holds(struct search_site *f, uint64_t id, struct span needle, unsigned where)
{
	struct search_needle n = { needle, where, false };
	struct search_match *m = calloc(1, sizeof(*m));
	struct search_sink sink = { where, search_match_piece, m };
	struct content content;
	struct snapshot *snap;

	assert_non_null(m);
	search_match_begin(m, &n, 1);
	assert_int_equal(snapshot_open(f->store, &snap), OK);
	if (content_get(snap, id, &content) == OK)
		assert_int_equal(search_text_read(snap, &content, &sink), OK);
	snapshot_close(&snap);
	free(m);
	return n.found;
}
