/*
 * imap_mailbox.c - names to folders, with their rights.
 */
#include "server/imap/imap_mailbox.h"

#include "conf/conf.h"
#include "server/imap/imap_flags.h"
#include "server/pipeline/names.h"

enum err
imap_place_owner(struct snapshot *snap, uint64_t asker_id, const struct imap_place *place,
	uint64_t *user_id)
{
	struct user user;
	enum err err;

	switch (place->space) {
	case IMAP_SPACE_OTHERS:
		err = place->owner.len ? user_find_by_name(snap, place->owner, &user) : ERR_NOT_FOUND;
		*user_id = err == OK ? user.user_id : 0;
		return err;
	case IMAP_SPACE_SHARED:
		*user_id = FOLDER_OWNER_SHARED;
		return OK;
	default:
		*user_id = asker_id;
		return OK;
	}
}

static bool
owner_lives(struct snapshot *view, uint64_t owner_id)
{
	struct user owner;

	return owner_id == FOLDER_OWNER_SHARED ||
		(user_find(view, owner_id, &owner) == OK && owner.removed_ms == 0);
}

enum err
imap_rights_of(struct snapshot *view, uint64_t user_id, const struct folder *folder,
	uint32_t *rights)
{
	struct user user;
	enum err err = names_user_by_id(view, user_id, &user);

	*rights = 0;
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (folder->user_id == user_id || (folder->user_id == FOLDER_OWNER_SHARED && user.admin)) {
		*rights = RIGHTS_ALL;
		return OK;
	}
	return owner_lives(view, folder->user_id) ? rights_of(view, &user, folder, rights) : OK;
}

/* All but the rights. */
static enum err
find_folder(struct imap_session *s, struct snapshot *snap, struct imap_mailbox *out)
{
	enum err err = imap_place_owner(snap, s->user_id, &out->place, &out->user_id);

	if (err == OK && out->place.folder.len == 0)
		err = ERR_NOT_FOUND; /* a level, no folder */
	if (err == OK)
		err = folder_find(snap, out->user_id, out->place.folder, &out->folder);
	if (err == OK)
		out->folder.name = arena_copy(imap_arena(s), out->folder.name);
	return err;
}

enum err
imap_mailbox_find(
	struct imap_session *s, struct span wire, uint32_t rights, struct imap_mailbox *out)
{
	struct snapshot *snap = imap_snapshot(s);
	enum err err;

	*out = (struct imap_mailbox){ .is_fake = false };
	if (!snap)
		return ERR_IO;
	err = imap_place_take(wire, imap_is_utf8(s), imap_arena(s), &out->place);
	if (err != OK)
		return ERR_SYNTAX;
	err = find_folder(s, snap, out);
	if (err == OK)
		err = imap_rights_of(snap, s->user_id, &out->folder, &out->rights);
	if (err != OK || (out->rights & rights) == rights)
		return err;
	return out->rights & RIGHT_LOOKUP ? ERR_DENIED : ERR_NOT_FOUND;
}

enum err
imap_mailbox_open(struct imap_session *s, struct span wire, struct imap_mailbox *out)
{
	enum err err = imap_mailbox_find(s, wire, RIGHT_READ, out);

	if (err != ERR_DENIED && err != ERR_NOT_FOUND)
		return err;
	if (!s->session.conf->imap_fake_access || out->place.space == IMAP_SPACE_OWN)
		return err;
	out->is_fake = true;
	out->rights = 0;
	out->folder = (struct folder){ .uidvalidity = 1, .uidnext = 1, .highest_modseq = 1 };
	return OK;
}

/* RFC 4314, 5.1.1: what may be set for ever has changed. */
static void
take_rights(struct imap_session *s, struct snapshot *snap, uint32_t rights)
{
	struct imap_selected *sel = s->selected;
	struct folder_keywords keywords;

	sel->rights = rights;
	sel->read_only = sel->examined || !imap_rights_write(rights);
	if (folder_keywords_get(snap, sel->folder_id, &keywords) == OK)
		imap_put_folder_flags(s, &keywords);
}

bool
imap_selected_refresh(struct imap_session *s, bool leaves)
{
	struct imap_selected *sel = s->selected;
	struct snapshot *snap;
	struct folder folder;
	uint32_t rights;

	if (!sel || sel->is_fake || sel->user_id == s->user_id || !(snap = imap_snapshot(s)))
		return true;
	if (folder_get(snap, sel->user_id, sel->folder_id, &folder) != OK ||
		imap_rights_of(snap, s->user_id, &folder, &rights) != OK)
		return true; /* it is gone: the news say so */
	if (!(rights & RIGHT_READ) && leaves) {
		sel->rights = 0; /* CLOSE expunges nothing */
		sel->read_only = true;
		return true;
	}
	if (!(rights & RIGHT_READ)) {
		imap_put(buf_put(imap_out(s), SPAN("* BYE The folder is closed to you now\r\n")));
		session_close(&s->session, CLOSE_RIGHTS);
		return false;
	}
	if (rights != sel->rights)
		take_rights(s, snap, rights);
	return true;
}

struct span
imap_mailbox_name(struct imap_session *s, struct snapshot *snap, const struct folder *folder,
	struct arena *a)
{
	struct imap_place place = { .folder = folder->name };
	struct user owner;

	if (folder->user_id == FOLDER_OWNER_SHARED) {
		place.space = IMAP_SPACE_SHARED;
	} else if (folder->user_id != s->user_id) {
		place.space = IMAP_SPACE_OTHERS;
		if (user_find(snap, folder->user_id, &owner) != OK || owner.removed_ms != 0)
			return SPAN_NONE;
		place.owner = owner.name;
	}
	return imap_place_name(&place, a);
}

struct imap_reply
imap_mailbox_reply(enum err err)
{
	switch (err) {
	case ERR_SYNTAX:
	case ERR_NOT_FOUND:
		return IMAP_NO("NONEXISTENT", "There is no such folder");
	case ERR_DENIED:
		return IMAP_NO("NOPERM", "You have no right to do that in this folder");
	default:
		return imap_reply_for(err);
	}
}

struct imap_reply
imap_target_reply(const struct imap_mailbox *mailbox, enum err err)
{
	if (err == ERR_NOT_FOUND && mailbox->place.space == IMAP_SPACE_OWN)
		return IMAP_NO("TRYCREATE", "There is no such folder");
	return imap_mailbox_reply(err);
}
