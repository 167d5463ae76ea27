/*
 * imap_target.c - folders that jobs make, rename and remove.
 */
#include "server/imap/imap_target.h"

enum err
imap_target_take(struct imap_session *imap, struct span wire, struct imap_place *place,
	struct imap_target *out)
{
	struct snapshot *snap = imap_snapshot(imap);
	enum err err = imap_place_take(wire, imap_is_utf8(imap), imap_arena(imap), place);

	if (err != OK)
		return ERR_SYNTAX;
	out->name = place->folder;
	err = snap ? imap_place_owner(snap, imap->user_id, place, &out->owner_id) : ERR_IO;
	return err == OK && place->folder.len == 0 ? ERR_NOT_FOUND : err;
}

/* What ASKER may do in the nearest parent that is there; where there is none, in a folder without rights. */
static enum err
rights_above(struct snapshot *view, uint64_t asker_id, const struct imap_target *target,
	uint32_t *rights)
{
	struct folder none = { .user_id = target->owner_id }, parent = none;
	enum err err = ERR_NOT_FOUND;

	for (struct span name = imap_parent_name(target->name); name.len > 0 && err == ERR_NOT_FOUND;
		name = imap_parent_name(name))
		err = folder_find(view, target->owner_id, name, &parent);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	return imap_rights_of(view, asker_id, err == OK ? &parent : &none, rights);
}

enum err
imap_target_may_make(struct snapshot *view, uint64_t asker_id, const struct imap_target *target)
{
	uint32_t rights;
	enum err err = rights_above(view, asker_id, target, &rights);

	return err == OK && !(rights & RIGHT_CREATE) ? ERR_DENIED : err;
}

enum err
imap_target_find(struct snapshot *view, uint64_t asker_id, const struct imap_target *target,
	uint32_t wanted, struct folder *out)
{
	uint32_t rights = 0;
	enum err err = folder_find(view, target->owner_id, target->name, out);

	if (err == OK)
		err = imap_rights_of(view, asker_id, out, &rights);
	if (err != OK || (rights & wanted) == wanted)
		return err;
	return rights & RIGHT_LOOKUP ? ERR_DENIED : ERR_NOT_FOUND;
}

enum err
imap_target_make_parents(struct txn *txn, const struct imap_target *target)
{
	enum err err = OK;

	for (size_t at = span_find(target->name, '/'); at < target->name.len && err == OK;
		at += 1 + span_find(span_from(target->name, at + 1), '/')) {
		struct span name = span_range(target->name, 0, at);
		struct folder folder;
		uint64_t id;

		err = folder_find(txn_view(txn), target->owner_id, name, &folder);
		if (err == ERR_NOT_FOUND)
			err = folder_make(txn, target->owner_id, name, &id);
	}
	return err;
}

enum imap_turn
imap_folder_no(struct imap_session *imap, enum err err)
{
	switch (err) {
	case ERR_EXISTS:
		return imap_end(imap, IMAP_NO("ALREADYEXISTS", "There is a folder of that name"));
	case ERR_LIMIT:
		return imap_end(imap, IMAP_NO("LIMIT", "Too many folders, or the name is too long"));
	case ERR_SYNTAX:
		return imap_end(imap, IMAP_NO("CANNOT", "A name has at most 20 levels and 200 bytes, none of them empty or a control"));
	default:
		return imap_mailbox_no(imap, err);
	}
}
