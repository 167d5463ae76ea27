/*
 * control_folder_rights.c - who else may do what in a folder: look, and give (RFC 4314, SHF-02).
 *
 * WHO is as mail programs write it: a user, group:NAME, anyone; with '-' in front what is denied.
 * RIGHTS are letters, with + or - in front of them to add or take; also all and none.
 */
#include "server/control/control_folders.h"
#include "server/imap/imap_rights.h"

static const struct {
	uint32_t rights;
	const char *words;
} meanings[] = {
	{RIGHT_LOOKUP, "see it"},
	{RIGHT_READ, "read"},
	{RIGHT_SEEN, "mark as read"},
	{RIGHT_WRITE, "set flags"},
	{RIGHT_INSERT, "add messages"},
	{RIGHT_POST, "post"},
	{RIGHT_CREATE, "make folders below"},
	{RIGHT_DELETE, "delete the folder"},
	{RIGHT_DELETED | RIGHT_EXPUNGE, "delete messages"},
	{RIGHT_ADMINISTER, "give rights"},
};

/* "see it, read, mark as read" */
static struct span
meaning(struct arena *a, uint32_t rights)
{
	struct span text = SPAN("");

	for (size_t i = 0; i < COUNT(meanings); i++)
		if ((rights & meanings[i].rights) == meanings[i].rights)
			text = arena_printf(a, "%.*s%s%s", SPAN_FMT(text), text.len ? ", " : "",
				meanings[i].words);
	return text;
}

struct span
control_rights_text(struct arena *a, uint32_t rights)
{
	struct span letters = SPAN(RIGHTS_LETTERS), text = SPAN("");

	for (size_t i = 0; i < letters.len; i++)
		if (rights & (1u << i))
			text = arena_printf(a, "%.*s%c", SPAN_FMT(text), letters.ptr[i]);
	return text;
}

/* ---- look ---- */

static void
put_right(struct control_call *call, struct span who, const char *kind, uint32_t rights)
{
	struct control_rows *rows = &call->rows;

	if (rights == 0)
		return;
	control_row(rows, who);
	control_put_text(rows, who);
	control_put_text(rows, control_rights_text(&call->arena, rights));
	control_put_text(rows, meaning(&call->arena, rights));
	control_put_text(rows, span_of(kind));
}

static enum step
rights_read(struct control_call *call, struct snapshot *snap)
{
	static const char *const kinds[] = {
		[RIGHT_OF_USER] = "user", [RIGHT_OF_GROUP] = "group", [RIGHT_OF_ANYONE] = "anyone"};
	struct folder_right at = {0};
	struct control_place place;
	struct folder folder;
	enum err err = control_place_folder(call, snap, control_param(call, "user"),
		control_param(call, "folder"), &place, &folder);

	if (err != OK)
		return STEP_FAIL;
	if (place.user_id != FOLDER_OWNER_SHARED)
		put_right(call, place.owner, "owner", RIGHTS_ALL);
	at.folder_id = folder.folder_id;
	while ((err = right_next(snap, &at)) == OK || err == ERR_CORRUPT) {
		struct imap_subject subject = {.kind = (enum right_kind)at.kind, .id = at.subject_id};
		struct span who;

		if (err == ERR_CORRUPT || at.kind >= COUNT(kinds) ||
			imap_subject_name(snap, &subject, &call->arena, &who) != OK)
			continue;
		put_right(call, who, kinds[at.kind], at.given);
		put_right(call, arena_printf(&call->arena, "-%.*s", SPAN_FMT(who)), kinds[at.kind],
			at.denied);
	}
	return STEP_DONE;
}

const struct control_handler control_do_folder_rights = {.read = rights_read};

/* ---- give ---- */

struct sharing {
	enum rights_mode mode;
	uint32_t rights;
	struct span who; /* as it is called */
	uint32_t now;	 /* what he has after it */
};

static bool
share_check(struct control_call *call)
{
	struct sharing *s = ARENA_NEW(&call->arena, struct sharing);
	struct span text = control_param(call, "rights");

	call->state = s;
	if (span_eq(text, SPAN("none")))
		return true;
	s->rights = RIGHTS_ALL;
	if (span_eq(text, SPAN("all")) || imap_rights_parse(text, &s->mode, &s->rights) == OK)
		return true;
	return control_fail(call, RPC_INVALID,
		"rights are letters of " RIGHTS_LETTERS " (lrs: read), +letters, -letters, all or none",
		NULL, "rights");
}

/* A user, group:NAME or anyone; the name alone of a group too, since no user has it. */
static enum err
find_subject(struct control_call *call, struct snapshot *snap, struct imap_subject *out)
{
	struct sharing *s = call->state;
	struct span who = control_param(call, "who");
	bool denies = who.len > 0 && who.ptr[0] == '-';
	enum err err = imap_subject_find(snap, who, out);

	if (err == ERR_NOT_FOUND)
		err = imap_subject_find(snap,
			arena_printf(&call->arena, "%sgroup:%.*s", denies ? "-" : "",
				SPAN_FMT(span_from(who, denies))),
			out);
	if (err == ERR_NOT_FOUND || err == ERR_SYNTAX)
		control_fail(call, RPC_NOT_FOUND, "there is no such user or group",
			"a user, group:NAME, or anyone", "who");
	return err == OK ? imap_subject_name(snap, out, &call->arena, &s->who) : err;
}

static enum err
share_change(struct control_call *call, struct txn *txn)
{
	struct sharing *s = call->state;
	struct imap_subject subject;
	struct control_place place;
	struct folder_right right;
	struct folder folder;
	enum err err = control_place_folder(call, txn_view(txn), control_param(call, "user"),
		control_param(call, "folder"), &place, &folder);

	if (err == OK)
		err = find_subject(call, txn_view(txn), &subject);
	if (err == OK && subject.kind == RIGHT_OF_USER && subject.id == place.user_id) {
		control_fail(call, RPC_REFUSED, "the owner has every right in his folders", NULL,
			"who");
		return ERR_DENIED;
	}
	if (err != OK)
		return err;
	err = right_get(txn_view(txn), folder.folder_id, subject.kind, subject.id, &right);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	right.owner_id = place.user_id;
	s->now = imap_rights_change(
		subject.denies ? right.denied : right.given, s->mode, s->rights);
	*(subject.denies ? &right.denied : &right.given) = s->now;
	err = right_set(txn, &right);
	if (err == ERR_LIMIT)
		control_failf(call, RPC_TOO_LARGE, "who", "a folder has at most %d such rows",
			RIGHTS_A_FOLDER);
	if (err == OK)
		txn_note_folder(txn, folder.folder_id);
	call->job_done = 1;
	return err;
}

static void
share_finish(struct control_call *call)
{
	const struct sharing *s = call->state;
	struct arena *a = &call->arena;
	bool denies = span_starts(control_param(call, "who"), SPAN("-"));

	if (s->now == 0)
		call->note = arena_printf(a, "%.*s is %s nothing in %.*s", SPAN_FMT(s->who),
			denies ? "denied" : "given", SPAN_FMT(control_param(call, "folder")));
	else
		call->note = arena_printf(a, "%.*s may%s in %.*s: %.*s (%.*s)", SPAN_FMT(s->who),
			denies ? " not" : "", SPAN_FMT(control_param(call, "folder")),
			SPAN_FMT(meaning(a, s->now)), SPAN_FMT(control_rights_text(a, s->now)));
}

const struct control_handler control_do_folder_share = {
	.check = share_check,
	.change = share_change,
	.finish = share_finish,
	.object = "folder",
};
