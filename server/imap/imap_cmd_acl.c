/*
 * imap_cmd_acl.c - who may do what in a folder: SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314).
 *
 * What is set is one change of the log, so it can be undone from the console, and a line of the
 * security log.
 */
#include "server/imap/imap_job.h"
#include "server/imap/imap_mailbox.h"
#include "server/imap/imap_rights.h"
#include "store/changes.h"

/* RFC 4314, 4: one of these, to be told what one may. */
#define RIGHTS_TO_ASK \
	(RIGHT_LOOKUP | RIGHT_READ | RIGHT_INSERT | RIGHT_CREATE | RIGHT_DELETE | RIGHT_ADMINISTER)

static void
put_letters(struct imap_session *imap, uint32_t rights)
{
	char text[RIGHTS_TEXT_SIZE];

	imap_put(buf_put_char(imap_out(imap), ' '));
	imap_put(imap_put_astring(imap_out(imap), imap_rights_format(rights, text)));
}

/* "* WORD name" */
static void
put_head(struct imap_session *imap, struct span word, const struct imap_mailbox *mailbox)
{
	struct buf *out = imap_out(imap);

	imap_put(buf_put(out, SPAN("* ")));
	imap_put(buf_put(out, word));
	imap_put(buf_put_char(out, ' '));
	imap_put(imap_put_mailbox(out, imap_place_name(&mailbox->place, imap_arena(imap)),
		imap_is_utf8(imap)));
}

static void
put_identifier(struct imap_session *imap, struct span identifier)
{
	imap_put(buf_put_char(imap_out(imap), ' '));
	imap_put(imap_put_astring(imap_out(imap), identifier));
}

/* ---- MYRIGHTS ---- */

enum imap_turn
imap_cmd_myrights(struct imap_session *imap, struct imap_cursor *args)
{
	struct imap_mailbox mailbox;
	struct span name;
	enum err err;

	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	err = imap_mailbox_find(imap, name, 0, &mailbox);
	if (err == OK && !(mailbox.rights & RIGHTS_TO_ASK))
		err = ERR_NOT_FOUND;
	if (err != OK)
		return imap_mailbox_no(imap, err);
	put_head(imap, SPAN("MYRIGHTS"), &mailbox);
	put_letters(imap, mailbox.rights);
	imap_put(buf_put(imap_out(imap), SPAN("\r\n")));
	return imap_end(imap, IMAP_OK("These are your rights"));
}

/* ---- GETACL ---- */

/* "anna lr", "-anna w". A subject that has gone meanwhile is passed over. */
static void
put_entry(struct imap_session *imap, struct snapshot *snap, const struct folder_right *right,
	bool denies)
{
	struct imap_subject subject = { right->kind, right->subject_id, denies };
	uint32_t rights = denies ? right->denied : right->given;
	struct span name;

	if (rights == 0 || imap_subject_name(snap, &subject, imap_arena(imap), &name) != OK)
		return;
	put_identifier(imap, name);
	put_letters(imap, rights);
}

static enum err
put_acl(struct imap_session *imap, const struct imap_mailbox *mailbox)
{
	struct folder_right at = { .folder_id = mailbox->folder.folder_id };
	struct folder_right owner = { .kind = RIGHT_OF_USER, .subject_id = mailbox->user_id,
		.given = RIGHTS_ALL };
	struct snapshot *snap = imap_snapshot(imap);
	enum err err;

	put_head(imap, SPAN("ACL"), mailbox);
	if (mailbox->user_id != FOLDER_OWNER_SHARED)
		put_entry(imap, snap, &owner, false);
	while ((err = right_next(snap, &at)) == OK || err == ERR_CORRUPT) {
		if (err == ERR_CORRUPT)
			continue;
		put_entry(imap, snap, &at, false);
		put_entry(imap, snap, &at, true);
	}
	imap_put(buf_put(imap_out(imap), SPAN("\r\n")));
	return err == ERR_NOT_FOUND ? OK : err;
}

enum imap_turn
imap_cmd_getacl(struct imap_session *imap, struct imap_cursor *args)
{
	struct imap_mailbox mailbox;
	struct span name;
	enum err err;

	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	err = imap_mailbox_find(imap, name, RIGHT_ADMINISTER, &mailbox);
	if (err != OK)
		return imap_mailbox_no(imap, err);
	err = put_acl(imap, &mailbox);
	return err == OK ? imap_end(imap, IMAP_OK("That is the list")) : imap_fail(imap, err);
}

/* ---- LISTRIGHTS ---- */

static bool
is_owner(const struct imap_mailbox *mailbox, const struct imap_subject *subject)
{
	return mailbox->user_id != FOLDER_OWNER_SHARED && subject->kind == RIGHT_OF_USER &&
		subject->id == mailbox->user_id;
}

static enum imap_turn
no_subject(struct imap_session *imap, enum err err)
{
	if (err == ERR_SYNTAX)
		return imap_end(imap, IMAP_BAD("An identifier is a user, group:NAME or anyone"));
	if (err == ERR_NOT_FOUND)
		return imap_end(imap,
			IMAP_NO("CANNOT", "Nobody is called so (a user, group:NAME or anyone)"));
	return imap_fail(imap, err);
}

enum imap_turn
imap_cmd_listrights(struct imap_session *imap, struct imap_cursor *args)
{
	struct span name, identifier, letters = SPAN(RIGHTS_LETTERS "cd");
	struct imap_subject subject;
	struct imap_mailbox mailbox;
	enum err err;

	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_space(args) ||
		!imap_take_astring(args, &identifier) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	err = imap_mailbox_find(imap, name, RIGHT_ADMINISTER, &mailbox);
	if (err != OK)
		return imap_mailbox_no(imap, err);
	err = imap_subject_find(imap_snapshot(imap), identifier, &subject);
	if (err != OK)
		return no_subject(imap, err);
	put_head(imap, SPAN("LISTRIGHTS"), &mailbox);
	put_identifier(imap, identifier); /* as the client wrote it, RFC 4314, 3.4 */
	if (is_owner(&mailbox, &subject)) {
		put_letters(imap, RIGHTS_ALL);
	} else {
		imap_put(buf_put(imap_out(imap), SPAN(" \"\"")));
		for (size_t i = 0; i < letters.len; i++)
			imap_put(buf_printf(imap_out(imap), " %c", letters.ptr[i]));
	}
	imap_put(buf_put(imap_out(imap), SPAN("\r\n")));
	return imap_end(imap, IMAP_OK("These can be given"));
}

/* ---- SETACL, DELETEACL ---- */

struct set_acl {
	struct imap_job job; /* first */
	uint64_t owner_id, folder_id;
	struct imap_subject subject;
	enum rights_mode mode;
	uint32_t rights;
	struct span user, object; /* for the logs */
	int64_t now_ms;
};

/* The row as it will be. */
static void
change_right(const struct set_acl *task, struct folder_right *right)
{
	uint32_t *which = task->subject.denies ? &right->denied : &right->given;

	right->owner_id = task->owner_id;
	*which = imap_rights_change(*which, task->mode, task->rights);
}

static enum err
write_right(struct set_acl *task, struct txn *txn)
{
	struct change_start start = { .who = task->user, .via = SPAN("imap"),
		.what = SPAN("folder.rights"), .object = task->object, .now_ms = task->now_ms };
	struct change_recorder recorder;
	struct folder_right right;
	enum err err = right_get(txn_view(txn), task->folder_id, task->subject.kind,
		task->subject.id, &right);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	change_right(task, &right);
	err = change_begin(&recorder, txn, &start);
	if (err == OK)
		err = right_set(txn, &right);
	if (err == OK)
		err = change_end(&recorder);
	if (err == OK)
		txn_note_folder(txn, task->folder_id); /* who has it open looks again */
	return err;
}

static enum step
set_acl_run(struct store_job *job, struct txn *txn)
{
	struct set_acl *task = LIST_ITEM(imap_job_of(job), struct set_acl, job);
	struct folder folder;
	uint32_t rights = 0;
	enum err err = folder_get(txn_view(txn), task->owner_id, task->folder_id, &folder);

	if (err == OK)
		err = imap_rights_of(txn_view(txn), task->job.asker_id, &folder, &rights);
	if (err == OK && !(rights & RIGHT_ADMINISTER))
		err = ERR_DENIED;
	return step_of(job, err == OK ? write_right(task, txn) : err);
}

static enum imap_turn
set_acl_answer(struct imap_session *imap, const struct set_acl *task)
{
	char text[RIGHTS_TEXT_SIZE];
	static const char signs[][2] = { [RIGHTS_REPLACE] = "", [RIGHTS_ADD] = "+",
		[RIGHTS_TAKE] = "-" };

	if (task->job.result == ERR_LIMIT)
		return imap_end(imap, IMAP_NO("LIMIT", "The list of this folder is full"));
	if (task->job.result != OK)
		return imap_mailbox_no(imap, task->job.result);
	log_put(imap->session.host->log,
		&(struct log_line){ .level = LEVEL_INFO, .area = "security",
			.session = imap->session.name, .text = "rights of a folder were changed",
			.fields = { { "user", task->user, 0 }, { "object", task->object, 0 },
				{ "rights",
					arena_printf(imap_arena(imap), "%s%.*s", signs[task->mode],
						SPAN_FMT(imap_rights_format(task->rights, text))),
					0 } } });
	return imap_end(imap, IMAP_OK("Rights are set"));
}

/* TASK has mode and rights; NAME and IDENTIFIER are as they came. */
static enum imap_turn
set_acl_begin(struct imap_session *imap, struct set_acl *task, struct span name,
	struct span identifier)
{
	struct imap_mailbox mailbox;
	enum err err = imap_mailbox_find(imap, name, RIGHT_ADMINISTER, &mailbox);

	if (err != OK)
		return imap_mailbox_no(imap, err);
	err = imap_subject_find(imap_snapshot(imap), identifier, &task->subject);
	if (err != OK)
		return no_subject(imap, err);
	if (is_owner(&mailbox, &task->subject))
		return imap_end(imap, IMAP_NO("CANNOT", "The owner has every right, always"));
	task->owner_id = mailbox.user_id;
	task->folder_id = mailbox.folder.folder_id;
	task->now_ms = host_now_ms(imap->session.host);
	task->user = span_of(imap->session.record.user);
	task->object = arena_printf(imap_arena(imap), "%.*s %.*s",
		SPAN_FMT(imap_place_name(&mailbox.place, imap_arena(imap))), SPAN_FMT(identifier));
	return imap_job_submit(imap, &task->job, set_acl_run);
}

enum imap_turn
imap_cmd_setacl(struct imap_session *imap, struct imap_cursor *args)
{
	struct set_acl *task = imap->run->task;
	struct span name, identifier, rights;

	if (task)
		return set_acl_answer(imap, task);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_space(args) ||
		!imap_take_astring(args, &identifier) || !imap_take_space(args) ||
		!imap_take_astring(args, &rights) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	task = imap_task(imap, sizeof(*task));
	if (imap_rights_parse(rights, &task->mode, &task->rights) != OK)
		return imap_end(imap, IMAP_BAD("A right is one of " RIGHTS_LETTERS));
	return set_acl_begin(imap, task, name, identifier);
}

/* The same as setting nothing; of "-anna" what is denied, of "anna" what is given. */
enum imap_turn
imap_cmd_deleteacl(struct imap_session *imap, struct imap_cursor *args)
{
	struct set_acl *task = imap->run->task;
	struct span name, identifier;

	if (task)
		return set_acl_answer(imap, task);
	if (!imap_take_space(args) || !imap_take_astring(args, &name) || !imap_take_space(args) ||
		!imap_take_astring(args, &identifier) || !imap_take_end(args))
		return imap_bad_arguments(imap, args);
	task = imap_task(imap, sizeof(*task));
	return set_acl_begin(imap, task, name, identifier);
}
