/*
 * folder_jobs.c - see folder_jobs.h.
 *
 * A folder of nobody says in `extra` what it is: kind u8, then a u64 big-endian: for one that is being
 * removed the user_id that it was of, for a copy when it was begun (ms).
 */
#include "store/folder_jobs.h"

#include <stdio.h>

#include "store/bin.h"
#include "store/folder_names.h"
#include "store/forwards.h"

#define ROWS_A_SLICE 500

enum hidden_kind { HIDDEN_REMOVED = 1, HIDDEN_COPY = 2 };

struct hidden {
	uint8_t kind;
	uint64_t number; /* user_id, or ms */
};

static struct hidden
hidden_take(const struct folder *f)
{
	struct span extra = f->extra;
	struct hidden h = { .kind = 0 };

	if (f->user_id != FOLDER_OWNER_NOBODY || key_take_u8(&extra, &h.kind) != OK ||
		key_take_u64(&extra, &h.number) != OK)
		h.kind = 0;
	return h;
}

static void
hidden_put(struct folder *f, struct key *room, struct hidden h)
{
	key_begin(room);
	key_put_u8(room, h.kind);
	key_put_u64(room, h.number);
	f->extra = key_span(room);
}

uint64_t
folder_bin_owner(const struct folder *folder)
{
	struct hidden h = hidden_take(folder);

	return h.kind == HIDDEN_REMOVED ? h.number : folder->user_id;
}

enum err
folder_hide(struct txn *txn, uint64_t user_id, uint64_t folder_id)
{
	char name[FOLDER_NAME_MAX];
	struct key key, extra, old_name;
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err == OK)
		err = folder_name_key(&old_name, &f);
	if (err != OK)
		return err;
	if (folder_name_eq(f.name, SPAN("INBOX")) || folder_name_is_hidden(f.name))
		return ERR_DENIED;
	memcpy(name, f.name.ptr, f.name.len); /* it lies in the map */
	f.name.ptr = name;
	f.extra = SPAN_NONE;
	err = forwards_left_folder(txn, user_id, folder_id);
	if (err != OK)
		return err;
	f.user_id = FOLDER_OWNER_NOBODY;
	hidden_put(&f, &extra, (struct hidden){ HIDDEN_REMOVED, user_id });
	key_u64_u64(&key, user_id, folder_id);
	txn_note_folder(txn, folder_id);
	err = table_delete(txn, TABLE_folders, &key);
	if (err == OK)
		err = folder_name_drop(txn, &old_name);
	if (err == OK)
		err = folder_put(txn, &f);
	return err == OK ? folder_name_add(txn, &f) : err;
}

enum err
folder_make_hidden(struct txn *txn, uint64_t *folder_id)
{
	char text[32];
	struct folder f;
	struct key extra;
	enum err err;

	snprintf(text, sizeof(text), "copy %llu", (unsigned long long)txn_now_ms(txn));
	err = folder_make(txn, FOLDER_OWNER_NOBODY, span_of(text), folder_id);
	for (unsigned i = 0; err == ERR_EXISTS && i < FOLDERS_A_USER; i++) {
		snprintf(text, sizeof(text), "copy %llu %u", (unsigned long long)txn_now_ms(txn),
			i);
		err = folder_make(txn, FOLDER_OWNER_NOBODY, span_of(text), folder_id);
	}
	if (err == OK)
		err = folder_get(txn_view(txn), FOLDER_OWNER_NOBODY, *folder_id, &f);
	if (err != OK)
		return err;
	f.name = span_of(text);
	hidden_put(&f, &extra, (struct hidden){ HIDDEN_COPY, txn_now_ms(txn) });
	return folder_put(txn, &f);
}

/* ---- slices ---- */

/* Some of what nobody has any more; *gone: it was the last of it. */
static enum err
remove_some(struct txn *txn, const struct folder *f, bool *gone)
{
	struct bin_result result;
	size_t count;
	enum err err;

	*gone = false;
	if (f->messages + f->held == 0)
		return folder_remove(txn, f->user_id, f->folder_id, ROWS_A_SLICE, gone);
	if (hidden_take(f).kind == HIDDEN_REMOVED)
		return bin_take(txn, f, (struct uid_list){ NULL, 0 }, BIN_BLOCKS, &result);
	err = message_expunge(txn, f, (struct uid_list){ NULL, 0 }, 0, &count);
	return err;
}

static bool
is_leftover(struct txn *txn, const struct folder *f)
{
	struct hidden h = hidden_take(f);

	return h.kind != HIDDEN_COPY || h.number + FOLDER_LEFTOVER_MS < txn_now_ms(txn);
}

enum err
folder_leftovers(struct txn *txn, bool *more)
{
	struct folder f = { .folder_id = 0 };
	bool gone;
	enum err err;

	*more = true;
	while ((err = folder_next(txn_view(txn), FOLDER_OWNER_NOBODY, f.folder_id, &f)) == OK ||
		err == ERR_CORRUPT) {
		if (err == OK && is_leftover(txn, &f))
			return remove_some(txn, &f, &gone);
	}
	*more = false;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum step
removal_apply(struct store_job *job, struct txn *txn)
{
	struct folder_removal *r = (struct folder_removal *)job;
	struct folder f;
	bool gone;
	enum err err = folder_get(txn_view(txn), FOLDER_OWNER_NOBODY, r->folder_id, &f);

	if (err == ERR_NOT_FOUND) {
		err = folder_hide(txn, r->user_id, r->folder_id);
		if (err == ERR_NOT_FOUND && r->hidden) /* housekeeping was faster */
			return STEP_DONE;
		r->hidden |= err == OK;
		return err == OK ? STEP_MORE : step_of(job, err);
	}
	if (err == OK)
		err = remove_some(txn, &f, &gone);
	return err == OK && !gone ? STEP_MORE : step_of(job, err);
}

void
folder_removal_init(struct folder_removal *r)
{
	*r = (struct folder_removal){ .job = { .apply = removal_apply } };
}
