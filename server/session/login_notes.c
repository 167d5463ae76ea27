/*
 * login_notes.c - one list a loop, written by one patient job after another.
 */
#include "server/session/login_notes.h"

#include <stdlib.h>
#include <string.h>

#include "server/host.h"
#include "server/log.h"
#include "server/net/loop.h"
#include "server/session/password.h"
#include "store/app_passwords.h"
#include "store/commit.h"
#include "store/logins.h"

#define PLACE_KNOWN_MS (30ll * 24 * 3600 * 1000) /* H57 */

struct note {
	uint64_t user_id, app_id;
	enum user_protocol protocol;
	int64_t time_ms;
	char address[PEER_TEXT_SIZE];
};

struct notes_list {
	size_t count;
	struct note items[LOGIN_NOTES_MAX];
};

struct login_notes {
	struct host *host;
	struct loop_timer timer;
	struct notes_list waiting;
	bool writes; /* the job is under way, with: */
	struct store_job job;
	struct notes_list writing;
};

static enum err
note_write(struct txn *txn, const struct note *note)
{
	struct app_use use = { note->time_ms, (uint8_t)note->protocol };
	struct user user;
	enum err err = user_find(txn_view(txn), note->user_id, &user);

	if (err == OK)
		err = logins_note(txn, note->user_id, note->protocol, span_of(note->address),
			note->time_ms);
	if (err == OK && note->app_id != 0)
		err = app_use_note(txn, note->user_id, note->app_id, &use);
	return err == ERR_NOT_FOUND ? OK : err; /* he is gone meanwhile */
}

static enum step
write_apply(struct store_job *job, struct txn *txn)
{
	struct login_notes *notes = LIST_ITEM(job, struct login_notes, job);
	enum err err = OK;

	for (size_t i = 0; i < notes->writing.count && err == OK; i++)
		err = note_write(txn, &notes->writing.items[i]);
	return step_of(job, err);
}

static void
write_done(struct store_job *job, enum err result)
{
	struct login_notes *notes = LIST_ITEM(job, struct login_notes, job);

	(void)result; /* a login that is not noted is not worth a word */
	notes->writes = false;
	if (notes->waiting.count > 0)
		loop_timer_set(notes->host->loop, &notes->timer, LOGIN_NOTES_GATHER_MS);
}

static void
on_timer(struct loop_timer *timer)
{
	struct login_notes *notes = LIST_ITEM(timer, struct login_notes, timer);

	if (notes->writes)
		return;
	notes->writing = notes->waiting;
	notes->waiting.count = 0;
	notes->job = (struct store_job){ .apply = write_apply, .done = write_done,
		.inbox = notes->host->inbox, .patient = true };
	notes->writes = store_submit(notes->host->store, &notes->job) == OK;
}

static struct login_notes *
notes_of(struct host *host)
{
	struct login_notes *notes = host->login_notes;

	if (notes)
		return notes;
	notes = calloc(1, sizeof(*notes));
	ENSURE(notes);
	notes->host = host;
	loop_timer_init(&notes->timer, on_timer);
	host->login_notes = notes;
	return notes;
}

void
login_notes_close(struct login_notes **notes)
{
	if (*notes)
		loop_timer_clear(&(*notes)->timer);
	free(*notes);
	*notes = NULL;
}

static bool
waits(const struct notes_list *list, const struct note *note)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].user_id == note->user_id &&
			list->items[i].protocol == note->protocol &&
			list->items[i].app_id == note->app_id)
			return true;
	return false;
}

static bool
is_recent(int64_t last_ms, int64_t now_ms)
{
	return now_ms - last_ms < LOGIN_NOTES_EVERY_MS && last_ms <= now_ms;
}

/* Noted within the minute, and the address is one of his. */
static bool
is_known(struct host *host, const struct note *note)
{
	struct snapshot *snap = host_snapshot(host);
	struct logins logins;
	struct app_use use;

	if (!snap || logins_find(snap, note->user_id, &logins) != OK)
		return true;
	if (note->app_id != 0 && app_use_find(snap, note->user_id, note->app_id, &use) == OK &&
		!is_recent(use.last_ms, note->time_ms))
		return false;
	return is_recent(logins.last_ms[note->protocol], note->time_ms) &&
	       logins_knows(&logins, span_of(note->address), note->time_ms - PLACE_KNOWN_MS);
}

void
login_note(struct host *host, uint64_t user_id, enum user_protocol protocol,
	const struct peer *peer, uint64_t app_id)
{
	struct login_notes *notes = notes_of(host);
	struct note note = { .user_id = user_id, .app_id = app_id, .protocol = protocol,
		.time_ms = host_now_ms(host) };

	peer_range_text(peer, note.address); /* an IPv6 address of today is another tomorrow */
	if (notes->waiting.count == LOGIN_NOTES_MAX || waits(&notes->waiting, &note) ||
		(notes->writes && waits(&notes->writing, &note)) || is_known(host, &note))
		return;
	notes->waiting.items[notes->waiting.count++] = note;
	if (!loop_timer_is_set(&notes->timer) && !notes->writes)
		loop_timer_set(host->loop, &notes->timer, LOGIN_NOTES_GATHER_MS);
}

/* ---- hashes ---- */

struct renewal {
	struct store_job job;
	struct host *host;
	uint64_t user_id, revision;
	int64_t now_ms;
	bool renews_scram;
	size_t hash_len, scram_len;
	char hash[PASSWORD_HASH_SIZE];
	char scram[USER_SCRAM_SIZE];
};

static enum step
renew_apply(struct store_job *job, struct txn *txn)
{
	struct renewal *r = LIST_ITEM(job, struct renewal, job);
	struct user user;
	enum err err = user_find(txn_view(txn), r->user_id, &user);

	if (err == OK && user.password_revision == r->revision)
		err = user_set_password(txn, r->user_id,
			r->hash_len > 0 ? (struct span){ r->hash, r->hash_len } : user.password_hash,
			r->renews_scram ? (struct span){ r->scram, r->scram_len } : user.scram,
			r->now_ms);
	return step_of(job, err == ERR_NOT_FOUND ? OK : err);
}

static void
renewal_free(struct renewal *r)
{
	explicit_bzero(r, sizeof(*r));
	free(r);
}

static void
renew_done(struct store_job *job, enum err result)
{
	struct renewal *r = LIST_ITEM(job, struct renewal, job);

	log_put(r->host->log, &(struct log_line){ .level = LEVEL_DEBUG, .area = "security",
				      .text = "hashed a password anew",
				      .fields = { { "user", .number = (int64_t)r->user_id },
					      { "result", span_of(err_name(result)) } } });
	renewal_free(r);
}

void
login_renew(struct host *host, uint64_t user_id, uint64_t revision,
	const struct login_renewed *renewed)
{
	struct renewal *r = calloc(1, sizeof(*r));

	ENSURE(r && renewed->hash.len <= sizeof(r->hash) && renewed->scram.len <= sizeof(r->scram));
	r->host = host;
	r->user_id = user_id;
	r->revision = revision;
	r->now_ms = host_now_ms(host);
	r->renews_scram = renewed->renews_scram;
	r->hash_len = renewed->hash.len;
	r->scram_len = renewed->scram.len;
	memcpy(r->hash, renewed->hash.ptr, r->hash_len);
	memcpy(r->scram, renewed->scram.ptr, r->scram_len);
	r->job = (struct store_job){ .apply = renew_apply, .done = renew_done,
		.inbox = host->inbox, .patient = true };
	if (store_submit(host->store, &r->job) != OK)
		renewal_free(r);
}
