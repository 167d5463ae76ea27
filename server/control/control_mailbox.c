/*
 * control_mailbox.c - see control_mailbox.h.
 */
#include "server/control/control_mailbox.h"

#include "proto/mail/header.h"
#include "proto/mail/mail_date.h"
#include "proto/mime/encoded_word.h"
#include "server/control/control_folders.h"

#define HEADING_MAX 1000 /* bytes of a decoded field that are shown */

enum err
control_folder(struct control_call *call, struct snapshot *snap, struct span user, struct span name,
	struct folder *out)
{
	struct control_place place;

	return control_place_folder(
		call, snap, user, name.len ? name : MAILBOX_INBOX, &place, out);
}

/* OWNER's folder NAME, made where it is not there. */
static enum err
folder_made(struct txn *txn, uint64_t owner_id, struct span name, struct folder *out)
{
	uint64_t folder_id;
	enum err err = folder_find(txn_view(txn), owner_id, name, out);

	if (err != ERR_NOT_FOUND)
		return err;
	err = folder_make(txn, owner_id, name, &folder_id); /* an undo leaves it */
	return err == OK ? folder_get(txn_view(txn), owner_id, folder_id, out) : err;
}

enum err
control_folder_make(struct control_call *call, struct txn *txn, struct span user, struct span name,
	struct folder *out)
{
	struct control_place place;
	enum err err = control_place_find(
		call, txn_view(txn), user, name.len ? name : MAILBOX_INBOX, &place);

	if (err != OK)
		return err;
	err = folder_made(txn, place.user_id, place.folder, out);
	if (control_folder_name_why(err))
		control_fail(call, RPC_INVALID, control_folder_name_why(err), NULL, "to_folder");
	return err;
}

enum err
control_uid(struct span key, uint32_t *uid)
{
	uint64_t number;

	if (span_u64(key, UINT32_MAX, &number) != OK || number == 0)
		return ERR_NOT_FOUND;
	*uid = (uint32_t)number;
	return OK;
}

static struct span
decoded(struct arena *a, struct span value)
{
	struct span text = SPAN("");
	struct buf out;

	if (!value.ptr)
		return text;
	buf_init(&out, 2 * HEADER_FIELD_SIZE_MAX);
	if (encoded_word_decode(&out, value) == OK)
		text = arena_copy(a, span_range(buf_span(&out), 0, HEADING_MAX));
	buf_fini(&out);
	return text;
}

void
control_heading(struct arena *a, struct span header, struct control_heading *out)
{
	struct header_facts facts = {0};
	struct mail_date date;

	*out = (struct control_heading){0};
	if (header_check(header, NULL, &facts) != OK && facts.fields == 0)
		return;
	out->from = decoded(a, facts.from);
	out->to = decoded(a, facts.to);
	out->subject = decoded(a, facts.subject);
	if (facts.date.ptr && mail_date_parse(facts.date, &date) == OK)
		out->date_ms = date.seconds * 1000;
}

size_t
control_flags(uint32_t flags, struct span out[CONTROL_FLAGS_MAX])
{
	static const struct {
		uint32_t bit;
		struct span name;
	} names[] = {
		{FLAG_SEEN, {"\\Seen", 5}},
		{FLAG_ANSWERED, {"\\Answered", 9}},
		{FLAG_FLAGGED, {"\\Flagged", 8}},
		{FLAG_DELETED, {"\\Deleted", 8}},
		{FLAG_DRAFT, {"\\Draft", 6}},
	};
	size_t n = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		if (flags & names[i].bit)
			out[n++] = names[i].name;
	return n;
}
