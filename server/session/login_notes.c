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
#include "store/commit.h"
#include "store/logins.h"

#define PLACE_KNOWN_MS (30ll * 24 * 3600 * 1000) /* H57 */

struct note {
	uint64_t user_id;
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

static enum step
write_apply(struct store_job *job, struct txn *txn)
{
	struct login_notes *notes = LIST_ITEM(job, struct login_notes, job);
	enum err err = OK;

	for (size_t i = 0; i < notes->writing.count && err == OK; i++) {
		const struct note *note = &notes->writing.items[i];
		struct user user;

		err = user_find(txn_view(txn), note->user_id, &user);
		if (err == OK)
			err = logins_note(txn, note->user_id, note->protocol,
				span_of(note->address), note->time_ms);
		if (err == ERR_NOT_FOUND)
			err = OK; /* he is gone meanwhile */
	}
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
waits(const struct notes_list *list, uint64_t user_id, enum user_protocol protocol)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].user_id == user_id && list->items[i].protocol == protocol)
			return true;
	return false;
}

/* Noted within the minute, and the address is one of his. */
static bool
is_known(struct host *host, uint64_t user_id, enum user_protocol protocol, struct span address,
	int64_t now_ms)
{
	struct snapshot *snap = host_snapshot(host);
	struct logins logins;

	return !snap || logins_find(snap, user_id, &logins) != OK ||
		(now_ms - logins.last_ms[protocol] < LOGIN_NOTES_EVERY_MS &&
			logins.last_ms[protocol] <= now_ms &&
			logins_knows(&logins, address, now_ms - PLACE_KNOWN_MS));
}

void
login_note(struct host *host, uint64_t user_id, enum user_protocol protocol,
	const struct peer *peer)
{
	struct login_notes *notes = notes_of(host);
	int64_t now_ms = host_now_ms(host);
	char place[PEER_TEXT_SIZE];
	struct note *note = &notes->waiting.items[notes->waiting.count];

	peer_range_text(peer, place); /* an IPv6 address of today is another tomorrow */
	if (notes->waiting.count == LOGIN_NOTES_MAX ||
		waits(&notes->waiting, user_id, protocol) ||
		(notes->writes && waits(&notes->writing, user_id, protocol)) ||
		is_known(host, user_id, protocol, span_of(place), now_ms))
		return;
	*note = (struct note){ .user_id = user_id, .protocol = protocol, .time_ms = now_ms };
	memcpy(note->address, place, sizeof(note->address));
	notes->waiting.count++;
	if (!loop_timer_is_set(&notes->timer) && !notes->writes)
		loop_timer_set(host->loop, &notes->timer, LOGIN_NOTES_GATHER_MS);
}

/* ---- hashes ---- */

struct rehash {
	struct store_job job;
	struct host *host;
	uint64_t user_id, revision;
	int64_t now_ms;
	size_t len;
	char hash[PASSWORD_HASH_SIZE];
};

static enum step
rehash_apply(struct store_job *job, struct txn *txn)
{
	struct rehash *r = LIST_ITEM(job, struct rehash, job);
	struct user user;
	enum err err = user_find(txn_view(txn), r->user_id, &user);

	if (err == OK && user.password_revision == r->revision)
		err = user_set_password(
			txn, r->user_id, (struct span){ r->hash, r->len }, user.scram, r->now_ms);
	return step_of(job, err == ERR_NOT_FOUND ? OK : err);
}

static void
rehash_done(struct store_job *job, enum err result)
{
	struct rehash *r = LIST_ITEM(job, struct rehash, job);

	log_put(r->host->log, &(struct log_line){ .level = LEVEL_DEBUG, .area = "security",
				      .text = "hashed a password anew",
				      .fields = { { "user", .number = (int64_t)r->user_id },
					      { "result", span_of(err_name(result)) } } });
	explicit_bzero(r, sizeof(*r));
	free(r);
}

void
login_rehash(struct host *host, uint64_t user_id, uint64_t revision, struct span hash)
{
	struct rehash *r = calloc(1, sizeof(*r));

	ENSURE(r && hash.len <= sizeof(r->hash));
	r->host = host;
	r->user_id = user_id;
	r->revision = revision;
	r->now_ms = host_now_ms(host);
	r->len = hash.len;
	memcpy(r->hash, hash.ptr, hash.len);
	r->job = (struct store_job){ .apply = rehash_apply, .done = rehash_done,
		.inbox = host->inbox, .patient = true };
	if (store_submit(host->store, &r->job) != OK) {
		explicit_bzero(r, sizeof(*r));
		free(r);
	}
}
