/*
 * folder_rename.c - a folder gets another name, and all below it move along.
 *
 * All names of the user are read and sorted first, so that a clash anywhere is known before
 * anything is written, and ten thousand folders are no ten thousand walks.
 */
#include <stdlib.h>

#include "store/folder_names.h"

struct name {
	struct span name; /* in the arena */
	uint64_t folder_id;
	bool moves;
};

struct renaming {
	struct txn *txn;
	uint64_t user_id;
	struct span from, to; /* in the arena */
	struct name *names;   /* sorted */
	size_t count;
};

static int
compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return span_cmp(x->name, y->name);
}

static enum err
names_load(struct renaming *r)
{
	struct snapshot *snap = txn_view(r->txn);
	struct folder f = { .folder_id = 0 };
	size_t room = 0;
	enum err err;

	while ((err = folder_next(snap, r->user_id, f.folder_id, &f)) == OK)
		room++;
	r->names = arena_alloc(txn_arena(r->txn), (room + 1) * sizeof(r->names[0]));
	f.folder_id = 0;
	while (err == ERR_NOT_FOUND && r->count < room) {
		if (folder_next(snap, r->user_id, f.folder_id, &f) != OK)
			return ERR_IO; /* it was there a moment ago */
		r->names[r->count++] = (struct name){ arena_copy(txn_arena(r->txn), f.name),
			f.folder_id, folder_name_is_under(f.name, r->from) };
	}
	qsort(r->names, r->count, sizeof(r->names[0]), compare_names);
	return err == ERR_NOT_FOUND ? OK : err;
}

static struct span
name_after(struct renaming *r, const struct name *n)
{
	return arena_printf(txn_arena(r->txn), "%.*s%.*s", SPAN_FMT(r->to),
		SPAN_FMT(span_from(n->name, r->from.len)));
}

/* May all that move have their new names? What moves away leaves its own free. */
static enum err
names_check(struct renaming *r)
{
	enum err err = OK;

	for (size_t i = 0; i < r->count && err == OK; i++) {
		struct name want, *found;

		if (!r->names[i].moves)
			continue;
		want.name = name_after(r, &r->names[i]);
		found = bsearch(&want, r->names, r->count, sizeof(want), compare_names);
		if (found && !found->moves)
			err = ERR_EXISTS;
		else
			err = folder_name_check(want.name);
	}
	return err;
}

static enum err
names_write(struct renaming *r)
{
	enum err err = OK;

	for (size_t i = 0; i < r->count && err == OK; i++) {
		const struct name *n = &r->names[i];
		struct folder f;
		struct key old;

		if (!n->moves)
			continue;
		err = folder_get(txn_view(r->txn), r->user_id, n->folder_id, &f);
		if (err == OK)
			err = folder_name_key(&old, &f);
		if (err != OK)
			return err;
		f.name = name_after(r, n);
		txn_note_folder(r->txn, n->folder_id);
		err = folder_put(r->txn, &f);
		if (err == OK)
			err = folder_name_drop(r->txn, &old);
		if (err == OK)
			err = folder_name_add(r->txn, &f);
	}
	return err;
}

/* INBOX in any case is one name, so it is compared in capitals. */
static struct span
canonical(struct txn *txn, struct span name)
{
	struct span inbox = SPAN("INBOX");

	if (!folder_name_is_under(name, inbox))
		return arena_copy(txn_arena(txn), name);
	return arena_printf(txn_arena(txn), "%.*s%.*s", SPAN_FMT(inbox),
		SPAN_FMT(span_from(name, inbox.len)));
}

enum err
folder_rename(struct txn *txn, uint64_t user_id, uint64_t folder_id, struct span name)
{
	struct renaming r = { .txn = txn, .user_id = user_id };
	struct folder f;
	enum err err = folder_get(txn_view(txn), user_id, folder_id, &f);

	if (err != OK)
		return err;
	if (folder_name_eq(f.name, SPAN("INBOX")) || folder_name_is_hidden(f.name))
		return ERR_DENIED;
	err = folder_name_check(name);
	if (err != OK)
		return err;
	r.from = arena_copy(txn_arena(txn), f.name);
	r.to = canonical(txn, name);
	if (r.to.len > r.from.len && folder_name_is_under(r.to, r.from))
		return ERR_DENIED;
	if (span_eq(r.to, r.from))
		return ERR_EXISTS; /* RFC 9051, 6.3.6 */
	err = names_load(&r);
	if (err == OK)
		err = names_check(&r);
	return err == OK ? names_write(&r) : err;
}
