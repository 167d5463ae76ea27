/*
 * site.c - puts a store, a configuration and a loop together for a test.
 */
#include "tests/harness/site_inside.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_load.h"
#include "server/imap/folder_watch.h"
#include "server/pipeline/note.h"
#include "server/secret_key.h"
#include "server/queue/derive_stored.h"
#include "server/queue/own_mail.h"
#include "server/queue/refusals.h"
#include "server/queue/spool_door.h"
#include "server/session/login_notes.h"
#include "store/bodies.h"
#include "store/contents.h"
#include "store/logins.h"
#include "store/messages.h"
#include "store/queued.h"
#include "store/traces.h"
#include "store/users.h"

static void
run_inbox(void *arg)
{
	store_inbox_run(arg);
}

static void
on_wake(void *arg)
{
	struct site *site = arg;

	loop_post(site->host.loop, run_inbox, &site->inbox);
}

static void
on_changes(void *arg, const uint64_t *folder_ids, size_t count)
{
	struct site *site = arg;

	folder_watch_notify(&site->host, 1, folder_ids, count);
}

static void
on_turn_end(void *arg, int64_t us)
{
	(void)us;
	host_snapshot_close(arg);
}

static struct conf *
load_conf(const char *text)
{
	static struct conf_faults faults;
	struct conf *conf;
	struct buf why;

	conf_faults_init(&faults);
	if (conf_load(span_of(text), &conf, &faults) != OK) {
		buf_init(&why, 4096);
		for (size_t i = 0; i < faults.count; i++)
			if (conf_fault_put(&faults.items[i], "conf", &why) != OK ||
				buf_put_char(&why, '\n') != OK)
				break;
		fprintf(stderr, "%.*s\n%s\n", SPAN_FMT(buf_span(&why)), text);
		exit(1);
	}
	conf_faults_fini(&faults);
	return conf;
}

static const struct secret_key key_of_test = { .key = { "a key that everybody knows" },
	.kept = true };

void
site_open(struct site *site, const char *text)
{
	struct store_options options = { .path = site->folder, .mode = STORE_SERVE,
		.map_size = 256u << 20, .on_changes = on_changes, .arg = site };
	struct host *host = &site->host;
	struct store_fault why;

	*site = (struct site){ 0 };
	snprintf(site->folder, sizeof(site->folder), "/tmp/postroom-test-XXXXXX");
	if (!mkdtemp(site->folder)) {
		perror(site->folder);
		exit(1);
	}
	if (store_open(&options, &host->store, &why) != OK) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	must(loop_open_fake(&host->loop));
	must(shared_open(&host->shared));
	must(workers_open(2, &host->workers));
	store_inbox_init(&site->inbox, on_wake, site);
	host->inbox = &site->inbox;
	host->generation = generation_new(load_conf(text));
	host->conf = generation_conf(host->generation);
	host->metrics = &site->metrics;
	host->secret_key = &key_of_test;
	chunk_pool_init(&host->pool, 64);
	list_init(&host->sessions);
	loop_on_turn_end(host->loop, on_turn_end, host);
}

void
site_set_conf(struct site *site, const char *text)
{
	struct host *host = &site->host;
	struct generation *old = host->generation;

	host->generation = generation_new(load_conf(text));
	host->conf = generation_conf(host->generation);
	generation_release(&old);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void
site_close(struct site *site)
{
	struct host *host = &site->host;

	host_snapshot_close(host);
	own_mails_end(host);
	store_close(&host->store);
	store_inbox_run(&site->inbox);
	store_inbox_fini(&site->inbox);
	workers_close(&host->workers);
	refusals_close(&host->refusals);
	login_notes_close(&host->login_notes);
	own_mails_close(&host->own_mails);
	spool_doors_close(&host->spool_doors);
	derive_keeper_close(&host->derive_keeper);
	folder_watches_close(&host->folder_watches);
	loop_close(&host->loop);
	generation_release(&host->generation);
	shared_close(&host->shared);
	chunk_pool_fini(&host->pool);
	nftw(site->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void
site_turn(struct site *site, int ms)
{
	loop_turn(site->host.loop, ms);
}

/* ---- looking at it ---- */

static bool
find_folder(struct snapshot *snap, const char *name, const char *folder, struct folder *out)
{
	struct user user;

	return user_find_by_name(snap, span_of(name), &user) == OK &&
		folder_find(snap, user.user_id, span_of(folder), out) == OK;
}

size_t
site_folder_count(struct site *site, const char *user, const char *name)
{
	struct snapshot *snap;
	struct folder folder;
	size_t count = 0;

	must(snapshot_open(site->host.store, &snap));
	if (find_folder(snap, user, name, &folder))
		count = folder.messages;
	snapshot_close(&snap);
	return count;
}

static bool
find_entry(struct snapshot *snap, const struct folder *folder, size_t n, struct entry *entry)
{
	entry->uid = 0;
	for (size_t i = 0; i < n; i++)
		if (entry_next(snap, folder->folder_id, entry->uid, entry) != OK)
			return false;
	return true;
}

static bool
put_body(struct snapshot *snap, uint64_t body_id, struct buf *out)
{
	struct span piece;
	uint64_t at = 0;

	while (body_id != 0 && body_read(snap, body_id, at, &piece) == OK) {
		if (buf_put(out, piece) != OK)
			return false;
		at += piece.len;
	}
	return true;
}

bool
site_folder_read(struct site *site, const char *user, const char *name, size_t n, struct buf *out)
{
	struct snapshot *snap;
	struct folder folder;
	struct entry entry;
	struct message message;
	bool ok;

	must(snapshot_open(site->host.store, &snap));
	ok = find_folder(snap, user, name, &folder) && find_entry(snap, &folder, n, &entry) &&
		message_find(snap, folder.folder_id, entry.uid, &message) == OK &&
		buf_put(out, message.copy.front) == OK &&
		buf_put(out, message.content.header) == OK &&
		put_body(snap, message.content.body_id, out) &&
		buf_span(out).len == entry.size;
	snapshot_close(&snap);
	return ok;
}

struct holding {
	struct store_job job;
	const char *user;
	size_t n;
};

static enum step
hold_apply(struct store_job *job, struct txn *txn)
{
	struct holding *holding = LIST_ITEM(job, struct holding, job);
	struct flag_change change = { .add = FLAG_HELD };
	struct folder folder;
	struct entry entry;
	uint64_t modseq;

	if (!find_folder(txn_view(txn), holding->user, "INBOX", &folder) ||
		!find_entry(txn_view(txn), &folder, holding->n, &entry))
		return step_of(job, ERR_NOT_FOUND);
	return step_of(job, message_set_flags(txn, &folder, (struct uid_list){ &entry.uid, 1 },
				    change, &modseq));
}

void
site_hold_message(struct site *site, const char *user, size_t n)
{
	struct holding holding = { .user = user, .n = n };

	holding.job.apply = hold_apply;
	must(store_run_job_now(site->host.store, &holding.job));
}

size_t
site_queue_count(struct site *site)
{
	struct snapshot *snap;
	struct queued_counts counts;

	must(snapshot_open(site->host.store, &snap));
	must(queued_count(snap, &counts));
	snapshot_close(&snap);
	return counts.count;
}

bool
site_queue_read(struct site *site, struct buf *out)
{
	struct snapshot *snap;
	struct queued q;
	struct content content;
	bool ok;

	must(snapshot_open(site->host.store, &snap));
	ok = queued_next(snap, 0, &q) == OK && content_get(snap, q.content_id, &content) == OK &&
		buf_put(out, content.header) == OK && put_body(snap, content.body_id, out) &&
		buf_span(out).len == q.size_bytes;
	snapshot_close(&snap);
	return ok;
}

bool
site_has_login(struct site *site, const char *name, const char *protocol)
{
	struct snapshot *snap;
	struct logins logins;
	struct user user;
	bool has = false;

	must(snapshot_open(site->host.store, &snap));
	must(user_find_by_name(snap, span_of(name), &user));
	must(logins_find(snap, user.user_id, &logins));
	for (size_t i = 0; i < USER_PROTOCOL_COUNT; i++)
		if (strcmp(user_protocol_words[i], protocol) == 0)
			has = logins.last_ms[i] != 0;
	snapshot_close(&snap);
	return has;
}

bool
site_trace_read(struct site *site, struct buf *out)
{
	struct trace_query query = { 0 };
	struct snapshot *snap;
	struct trace trace;
	struct note note;
	bool found;

	must(snapshot_open(site->host.store, &snap));
	found = trace_search(snap, &query, &trace) == OK;
	while (found && note_take(&trace.notes, &note) == PARSE_DONE)
		if (note_format(&note, out) != OK || buf_put_char(out, '\n') != OK)
			break;
	snapshot_close(&snap);
	return found;
}
