/*
 * store_has.c - what a store holds, for fault runs: opened as a server would, then checked whole.
 *
 *	store_has [--repair] [--forwards] DIR [ACKNOWLEDGED]
 *
 * Prints the id (of the Received line) of every message in an INBOX. ACKNOWLEDGED is a file with what
 * a server told its clients: each "queued as ID" in it must be here. Exit status 0: the promise is
 * kept and the check finds nothing; 3: there is no store yet, and nothing was promised. With
 * --repair a torn last commit is given up first, as an operator would (H48).
 *
 * With --forwards users have another server (SNF-04, SNF-05): each message in their INBOX waits to be
 * forwarded, none in their bin does, and one that is in neither must have been said to somebody, by its
 * Received line in ACKNOWLEDGED.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/base/arena.h"
#include "store/check.h"
#include "store/forwards.h"
#include "store/messages.h"
#include "store/store.h"
#include "store/users.h"

#define IDS_MAX 400000
#define MAP_SIZE (UINT64_C(4) << 30)

static struct span ids[IDS_MAX];
static size_t id_count;
static bool forwards;
static int strays; /* of --forwards: in the wrong state */

static void
note_message(struct snapshot *snap, struct arena *arena, const struct folder *folder, uint32_t uid)
{
	struct message message;
	struct span header, id;
	size_t at;

	if (message_find(snap, folder->folder_id, uid, &message) != OK)
		return; /* store_check() tells */
	header = message.content.header;
	at = span_find_span(header, SPAN("\tid ")); /* a line of its own in our Received */
	id = span_from(header, at + 4);
	id.len = span_find_any(id, SPAN(" \t\r\n;"));
	ENSURE(id_count < IDS_MAX);
	ids[id_count++] = arena_copy(arena, id);
	printf("%.*s\n", SPAN_FMT(id));
}

static void
note_pair(struct snapshot *snap, const struct user *user, const struct entry *entry, bool binned)
{
	struct forward f;
	bool waits = forward_find(snap, user->user_id, entry->copy_id, &f) == OK;

	if (!forward_acts(user) || waits == !binned)
		return;
	fprintf(stderr, "copy %llu is in the %s and %s\n", (unsigned long long)entry->copy_id,
		binned ? "bin" : "INBOX", waits ? "waits" : "does not wait");
	strays++;
}

static void
note_folder(struct snapshot *snap, struct arena *arena, const struct user *user,
	const struct folder *folder)
{
	struct entry entry;
	uint32_t uid = 0;

	while (entry_next(snap, folder->folder_id, uid, &entry) == OK) {
		uid = entry.uid;
		note_message(snap, arena, folder, uid);
		if (forwards)
			note_pair(snap, user, &entry, folder_name_is_hidden(folder->name));
	}
}

static void
note_user(struct snapshot *snap, struct arena *arena, const struct user *user)
{
	struct folder folder;
	uint64_t folder_id = 0;

	while (folder_next(snap, user->user_id, folder_id, &folder) == OK) {
		folder_id = folder.folder_id;
		if (forwards || span_eq(folder.name, SPAN("INBOX")))
			note_folder(snap, arena, user, &folder);
	}
}

static void
note_all(struct store *store, struct arena *arena)
{
	struct snapshot *snap;
	struct user user;
	uint64_t user_id = 0;

	if (snapshot_open(store, &snap) != OK)
		exit(1);
	while (user_next(snap, user_id, &user) == OK) {
		user_id = user.user_id;
		note_user(snap, arena, &user);
	}
	snapshot_close(&snap);
}

static int
compare(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static struct span
read_file(const char *path, struct arena *arena)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	char *bytes;
	size_t n;

	if (!f || fstat(fileno(f), &st) != 0)
		return SPAN_NONE;
	bytes = arena_alloc(arena, (size_t)st.st_size + 1);
	n = fread(bytes, 1, (size_t)st.st_size, f);
	fclose(f);
	return (struct span){ bytes, n };
}

/* Was the message with that ID said to another server? A part of its text is enough. */
static bool
has_left(struct span told, struct span id)
{
	char line[64];

	snprintf(line, sizeof(line), "\tid %.*s", SPAN_FMT(id));
	return forwards && span_find_span(told, span_of(line)) < told.len;
}

/* How many acknowledged ids are missing; a line that was cut off told nobody anything. */
static int
missing(struct span told)
{
	static const struct span mark = SPAN("queued as ");
	const struct span all = told;
	int count = 0;

	qsort(ids, id_count, sizeof(ids[0]), compare);
	for (;;) {
		size_t at = span_find_span(told, mark), end;
		struct span id;

		if (at == told.len)
			return count;
		told = span_from(told, at + mark.len);
		end = span_find_any(told, SPAN("\r\n"));
		if (end == told.len)
			return count;
		id = span_range(told, 0, end);
		if (!bsearch(&id, ids, id_count, sizeof(ids[0]), compare) && !has_left(all, id)) {
			fprintf(stderr, "acknowledged and missing: %.*s\n", SPAN_FMT(id));
			count++;
		}
	}
}

static void
report(void *arg, struct span line)
{
	(void)arg;
	fprintf(stderr, "%.*s\n", SPAN_FMT(line));
}

static enum err
open_store(struct store_options *options, bool repair, struct store **store, struct store_fault *why)
{
	enum err err = store_open(options, store, why);

	if (err == ERR_CORRUPT && repair && store_check(options, true, report, NULL) == 0)
		err = store_open(options, store, why);
	if (err != OK)
		fprintf(stderr, "%s\n", why->text);
	return err;
}

int
main(int argc, char **argv)
{
	struct store_options options = { .mode = STORE_EXCLUSIVE, .map_size = MAP_SIZE };
	struct store_fault why;
	struct store *store;
	struct arena arena;
	struct span told;
	bool repair = argc > 1 && strcmp(argv[1], "--repair") == 0;
	int status;

	argc -= repair;
	argv += repair;
	forwards = argc > 1 && strcmp(argv[1], "--forwards") == 0;
	argc -= forwards;
	argv += forwards;
	if (argc < 2)
		return 2;
	arena_init(&arena, NULL);
	options.path = argv[1];
	told = argc > 2 ? read_file(argv[2], &arena) : SPAN_NONE;
	if (open_store(&options, repair, &store, &why) != OK)
		return why.err == ERR_NOT_FOUND && missing(told) == 0 ? 3 : 1;
	note_all(store, &arena);
	store_close(&store);
	status = missing(told) + strays ? 1 : store_check(&options, false, report, NULL);
	arena_reset(&arena);
	return status;
}
