/*
 * pop3_trim.c - blank lines at the end of messages: found by a worker at login, then neither counted
 * nor sent (POP-03). Nothing is changed in the store.
 */
#include <stdlib.h>
#include <string.h>

#include "server/net/work.h"
#include "server/session/pop3_inside.h"
#include "store/bodies.h"
#include "store/messages.h"
#include "store/store.h"

#define TRIM_LOOK 4096	/* bytes at the end of a body; more blank lines than that are left */
#define TRIM_SLICE 64	/* messages under one snapshot (H44) */

struct trimming {
	struct work work;
	struct pop3_session *pop3;
	struct store *store;
	size_t count;
	struct trim_row {
		uint64_t copy_id;
		uint32_t trim;
	} rows[];
};

/* Bytes of TAIL that are blank lines. IS_WHOLE: nothing is in front of it. */
static uint32_t
blank_bytes(struct span tail, bool is_whole)
{
	size_t pairs = 0, left = tail.len;

	while (left >= 2 && memcmp(tail.ptr + left - 2, "\r\n", 2) == 0) {
		left -= 2;
		pairs++;
	}
	if (pairs > 0 && !(is_whole && left == 0))
		pairs--; /* the end of the last line of text */
	return (uint32_t)(2 * pairs);
}

static uint32_t
trim_of(struct snapshot *snap, uint64_t copy_id)
{
	struct content content;
	struct copy copy;
	char tail[TRIM_LOOK];
	uint64_t size, start;
	size_t len = 0;
	struct span piece;

	if (message_by_copy(snap, copy_id, &copy, &content) != OK || content.body_id == 0 ||
		body_size(snap, content.body_id, &size) != OK)
		return 0; /* RETR says what is wrong with it */
	start = size > TRIM_LOOK ? size - TRIM_LOOK : 0;
	while (start + len < size &&
		body_read(snap, content.body_id, start + len, &piece) == OK) {
		piece = span_range(piece, 0, sizeof(tail) - len);
		if (piece.len == 0)
			break;
		memcpy(tail + len, piece.ptr, piece.len);
		len += piece.len;
	}
	return start + len == size ? blank_bytes((struct span){ tail, len }, start == 0) : 0;
}

static void
trim_run(struct work *work)
{
	struct trimming *t = LIST_ITEM(work, struct trimming, work);
	struct snapshot *snap = NULL;

	for (size_t i = 0; i < t->count; i++) {
		if (i % TRIM_SLICE == 0 && snap)
			snapshot_close(&snap);
		if (!snap && snapshot_open(t->store, &snap) != OK)
			return; /* sent as they are, then */
		t->rows[i].trim = trim_of(snap, t->rows[i].copy_id);
	}
	if (snap)
		snapshot_close(&snap);
}

static void
trim_done(struct work *work, enum err result)
{
	struct trimming *t = LIST_ITEM(work, struct trimming, work);
	struct pop3_session *pop3 = t->pop3;
	struct pop3_drop *drop = &pop3->drop;

	(void)result;
	pop3->trimming = false;
	if (!session_is_closing(&pop3->session)) {
		for (size_t i = 0; i < t->count; i++) {
			drop->messages[i].trim = t->rows[i].trim;
			drop->messages[i].size -= t->rows[i].trim;
			drop->bytes -= t->rows[i].trim;
		}
		pop3_welcome(pop3);
		session_resume(&pop3->session);
	}
	free(t);
	session_release(&pop3->session);
}

bool
pop3_trim(struct pop3_session *pop3)
{
	struct session *s = &pop3->session;
	const struct pop3_drop *drop = &pop3->drop;
	struct trimming *t = calloc(1, sizeof(*t) + drop->count * sizeof(t->rows[0]));

	ENSURE(t);
	t->pop3 = pop3;
	t->store = s->host->store;
	t->count = drop->count;
	for (size_t i = 0; i < drop->count; i++)
		t->rows[i].copy_id = drop->messages[i].copy_id;
	t->work = (struct work){ .loop = s->host->loop, .kind = WORK_GENERAL, .run = trim_run,
		.done = trim_done };
	list_init(&t->work.link);
	if (workers_submit(s->host->workers, &t->work) != OK) {
		free(t);
		return false;
	}
	pop3->trimming = true;
	session_hold(s);
	session_wait(s);
	session_wait_is_idle(s);
	return true;
}
