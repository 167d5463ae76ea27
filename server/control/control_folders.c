/*
 * control_folders.c - see control_folders.h; and `folder list`, the folders of a user as a tree.
 */
#include "server/control/control_folders.h"

#include <stdlib.h>

#include "proto/base/ascii.h"
#include "server/imap/folder_uses.h"
#include "server/imap/imap_place.h"
#include "server/imap/imap_rights.h"
#include "store/subscriptions.h"

#define SHARES_SHOWN 20 /* of one folder */

/* ---- which folder ---- */

struct span
control_folder_use(uint32_t attributes)
{
	for (size_t i = 0; i < FOLDER_USES; i++)
		if (attributes & folder_uses[i].bit)
			return folder_uses[i].word;
	return SPAN("");
}

uint32_t
control_folder_use_bit(struct span word)
{
	for (size_t i = 0; i < FOLDER_USES; i++)
		if (span_eq(word, folder_uses[i].word))
			return folder_uses[i].bit;
	return 0;
}

bool
control_is_shared(struct span user)
{
	return user.len == 7 && span_eq_nocase(user, SPAN("Shared/"));
}

const char *
control_folder_name_why(enum err err)
{
	switch (err) {
	case ERR_SYNTAX:
	case ERR_LIMIT:
		return "no folder can be called so: 1 to 200 bytes in at most 20 levels with a '/' "
		       "between, none of them empty, '.' or '..', and no control characters";
	case ERR_EXISTS:
		return "a folder has this name already, or one below it would get a name that is "
		       "taken";
	default:
		return NULL;
	}
}

/* What went wrong: WHY of the user or the name, where that is all there is to say. */
static enum err
place_find(struct control_call *call, struct snapshot *snap, struct span user, struct span name,
	struct control_place *out, const char **why)
{
	bool shared = control_is_shared(user);
	struct imap_place place;
	struct user owner;
	enum err err = OK;

	*out = (struct control_place){.owner = SPAN("Shared/")};
	*why = "there is no such user";
	if (!shared)
		err = user_find_by_name(snap, user, &out->asker);
	if (err != OK)
		return err;
	*why = control_folder_name_why(ERR_SYNTAX);
	err = imap_place_parse(arena_copy(&call->arena, name), &call->arena, &place);
	if (err == OK && place.folder.len == 0)
		err = ERR_SYNTAX;
	if (err != OK)
		return ERR_SYNTAX;
	out->folder = place.folder;
	if (place.space == IMAP_SPACE_SHARED || (shared && place.space == IMAP_SPACE_OWN))
		return OK;
	*why = "there is no such user";
	owner = out->asker;
	if (place.space == IMAP_SPACE_OTHERS)
		err = user_find_by_name(snap, place.owner, &owner);
	out->user_id = owner.user_id;
	out->owner = arena_copy(&call->arena, owner.name);
	return err;
}

enum err
control_place_find(struct control_call *call, struct snapshot *snap, struct span user,
	struct span name, struct control_place *out)
{
	const char *why;
	enum err err = place_find(call, snap, user, name, out, &why);

	if (err == ERR_SYNTAX)
		control_fail(call, RPC_INVALID, why, NULL, "folder");
	else if (err == ERR_NOT_FOUND)
		control_fail(call, RPC_NOT_FOUND, why, NULL, "user");
	else
		control_fail_err(call, err, "user");
	return err;
}

enum err
control_place_folder(struct control_call *call, struct snapshot *snap, struct span user,
	struct span name, struct control_place *place, struct folder *out)
{
	enum err err = control_place_find(call, snap, user, name, place);

	if (err != OK)
		return err;
	err = folder_find(snap, place->user_id, place->folder, out);
	control_fail_err(call, err, "folder");
	return err;
}

enum err
control_place_each(struct control_call *call, struct snapshot *snap, struct span name,
	struct control_place *place, struct folder *folder)
{
	const char *why;
	enum err err =
		place_find(call, snap, control_param(call, "user"), name, place, &why);

	if (err == ERR_NOT_FOUND || err == ERR_SYNTAX)
		call->skip_why = why;
	if (err != OK || !folder)
		return err;
	err = folder_find(snap, place->user_id, place->folder, folder);
	if (err == ERR_NOT_FOUND)
		call->skip_why = "there is no such folder";
	return err;
}

struct span
control_place_name(
	struct control_call *call, const struct control_place *place, struct span folder)
{
	struct imap_place at = {
		.space = IMAP_SPACE_OWN, .owner = place->owner, .folder = folder};

	if (place->user_id == FOLDER_OWNER_SHARED)
		at.space = IMAP_SPACE_SHARED;
	else if (place->user_id != place->asker.user_id)
		at.space = IMAP_SPACE_OTHERS;
	return imap_place_name(&at, &call->arena);
}

/* ---- folder list ---- */

struct listed {
	struct span name; /* as the user sees it */
	struct folder folder;
	uint32_t rights; /* of the user */
};

struct listing {
	struct control_place place; /* of the user himself */
	struct span user;	    /* his name */
	bool begun, sorted, with_shared;
	uint64_t after_id;
	struct folder_right shared;
	struct listed *items;
	size_t count, size, put;
};

static bool
list_check(struct control_call *call)
{
	struct listing *l = ARENA_NEW(&call->arena, struct listing);

	l->with_shared = rpc_flag(call->request, "shared");
	call->state = l;
	return true;
}

static void
listed_add(struct control_call *call, const struct control_place *place,
	const struct folder *folder, uint32_t rights)
{
	struct listing *l = call->state;
	struct listed *item;

	if (l->count == l->size) {
		size_t size = l->size ? 2 * l->size : 32;
		struct listed *items = ARENA_ARRAY(&call->arena, struct listed, size);

		if (l->count > 0)
			memcpy(items, l->items, l->count * sizeof(*items));
		l->items = items;
		l->size = size;
	}
	item = &l->items[l->count++];
	*item = (struct listed){.folder = *folder, .rights = rights};
	item->name = arena_copy(&call->arena, control_place_name(call, place, folder->name));
	item->folder.name = item->folder.extra = SPAN_NONE; /* they are of the snapshot */
}

static enum err
list_begin(struct control_call *call, struct snapshot *snap)
{
	struct span user = control_param(call, "user");
	struct listing *l = call->state;

	l->begun = true;
	l->user = user;
	return control_place_find(call, snap, user.len ? user : SPAN("Shared/"), SPAN("INBOX"),
		&l->place);
}

/* His own, or those of nobody. ERR_NOT_FOUND: no more. */
static enum err
list_own(struct control_call *call, struct snapshot *snap, struct control_slice *slice)
{
	struct listing *l = call->state;
	struct folder f;
	enum err err;

	while ((err = folder_next(snap, l->place.user_id, l->after_id, &f)) == OK ||
		err == ERR_CORRUPT) {
		l->after_id = f.folder_id;
		if (err == OK && !folder_name_is_hidden(f.name))
			listed_add(call, &l->place, &f, RIGHTS_ALL);
		if (control_slice_is_over(slice))
			return OK;
	}
	return err;
}

/* What others let him see. */
static enum err
list_shared(struct control_call *call, struct snapshot *snap, struct control_slice *slice)
{
	struct listing *l = call->state;
	struct control_place place = l->place;
	enum err err;

	while ((err = rights_shared_next(snap, &l->place.asker, &l->shared)) == OK) {
		struct user owner = {.user_id = 0};
		struct folder f;
		uint32_t rights = 0;
		enum err found = folder_get(snap, l->shared.owner_id, l->shared.folder_id, &f);

		if (found == OK && l->shared.owner_id != FOLDER_OWNER_SHARED)
			found = user_find(snap, l->shared.owner_id, &owner);
		if (found == OK)
			found = rights_of(snap, &l->place.asker, &f, &rights);
		place.user_id = l->shared.owner_id;
		place.owner = owner.name;
		if (found == OK && (rights & RIGHT_LOOKUP) && !folder_name_is_hidden(f.name))
			listed_add(call, &place, &f, rights);
		if (control_slice_is_over(slice))
			return OK;
	}
	return err;
}

/* A folder before what lies below it; INBOX first. */
static int
compare_listed(const void *a, const void *b)
{
	struct span x = ((const struct listed *)a)->name, y = ((const struct listed *)b)->name;
	bool x_inbox = span_eq(x, SPAN("INBOX")), y_inbox = span_eq(y, SPAN("INBOX"));
	size_t i = 0;

	if (x_inbox || y_inbox)
		return y_inbox - x_inbox;
	while (i < x.len && i < y.len && ascii_lower(x.ptr[i]) == ascii_lower(y.ptr[i]))
		i++;
	if (i == x.len || i == y.len)
		return x.len == y.len ? span_cmp(x, y) : x.len < y.len ? -1 : 1;
	if (x.ptr[i] == '/' || y.ptr[i] == '/')
		return (y.ptr[i] == '/') - (x.ptr[i] == '/');
	return (unsigned char)ascii_lower(x.ptr[i]) - (unsigned char)ascii_lower(y.ptr[i]);
}

/* "bert lrs", "group:sales lr" */
static enum err
put_shares(struct control_call *call, struct snapshot *snap, const struct listed *item)
{
	struct folder_right at = {.folder_id = item->folder.folder_id};
	struct span shares[SHARES_SHOWN];
	size_t count = 0;
	enum err err;

	while (count < SHARES_SHOWN && (err = right_next(snap, &at)) == OK) {
		struct imap_subject subject = {.kind = (enum right_kind)at.kind, .id = at.subject_id};
		struct span who;

		err = imap_subject_name(snap, &subject, &call->arena, &who);
		if (err != OK || at.given == 0)
			continue;
		shares[count++] = arena_printf(&call->arena, "%.*s %.*s", SPAN_FMT(who),
			SPAN_FMT(control_rights_text(&call->arena, at.given)));
	}
	control_put_list(&call->rows, shares, count);
	return OK;
}

static enum err
put_row(struct control_call *call, struct snapshot *snap, const struct listed *item)
{
	const struct listing *l = call->state;
	const struct folder *f = &item->folder;
	struct control_rows *rows = &call->rows;
	bool subscribed = false;
	enum err err = OK;

	if (l->place.asker.user_id)
		err = subscription_has(snap, l->place.asker.user_id, item->name, &subscribed);
	if (err != OK)
		return err;
	control_row(rows, item->name);
	control_put_text(rows, item->name);
	control_put_text(rows, control_folder_use(f->attributes));
	control_put_number(rows, f->messages);
	control_put_number(rows, f->unseen);
	control_put_number(rows, (int64_t)f->bytes);
	control_put_number(rows, subscribed);
	err = put_shares(call, snap, item);
	control_put_text(rows, l->place.asker.user_id ? l->user : SPAN("Shared/"));
	control_put_number(rows, (f->attributes & FOLDER_OWN_SEEN) != 0);
	control_put_text(rows, control_rights_text(&call->arena, item->rights));
	control_put_number(rows, f->held);
	control_put_number(rows, f->deleted);
	control_put_text(rows, arena_printf(&call->arena, "F%llu", (unsigned long long)f->folder_id));
	control_put_number(rows, f->uidvalidity);
	control_put_number(rows, f->uidnext);
	control_put_number(rows, (int64_t)f->highest_modseq);
	return err;
}

static enum step
list_put(struct control_call *call, struct snapshot *snap, struct control_slice *slice)
{
	struct listing *l = call->state;

	while (l->put < l->count) {
		enum err err = put_row(call, snap, &l->items[l->put++]);

		if (!control_fail_err(call, err, "folder"))
			return STEP_FAIL;
		if (control_slice_is_over(slice))
			return STEP_MORE;
	}
	return STEP_DONE;
}

static enum step
list_read(struct control_call *call, struct snapshot *snap)
{
	struct control_slice slice = control_slice_begin();
	struct listing *l = call->state;
	enum err err = OK;

	if (!l->begun && list_begin(call, snap) != OK)
		return STEP_FAIL;
	if (l->sorted)
		return list_put(call, snap, &slice);
	if (l->after_id != UINT64_MAX)
		err = list_own(call, snap, &slice);
	if (err == ERR_NOT_FOUND) {
		l->after_id = UINT64_MAX;
		if (l->with_shared && l->place.asker.user_id)
			err = list_shared(call, snap, &slice);
	}
	if (err == OK)
		return STEP_MORE;
	if (err != ERR_NOT_FOUND) {
		control_fail_err(call, err, "folder");
		return STEP_FAIL;
	}
	if (l->count > 1)
		qsort(l->items, l->count, sizeof(*l->items), compare_listed);
	l->sorted = true;
	return STEP_MORE;
}

const struct control_handler control_do_folder_list = {.check = list_check, .read = list_read};
