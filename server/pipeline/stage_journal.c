/*
 * stage_journal.c - which messages the journal records, and where its copies go (JRN-01, JRN-08 to JRN-14).
 *
 * Behind all that decides about the recipients' own copies, and without any say in it: what the journal leaves out
 * is delivered all the same (JRN-13). Not recorded, whoever wrote them: what the server itself tells somebody (reports
 * and notices, with a null return address; so also that a journal copy failed, JRN-14), and what reached nobody.
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/journal.h"
#include "server/pipeline/journal_sort.h"
#include "server/pipeline/names.h"
#include "store/queued.h"

#define SEATS_NOTED 8 /* parties of one message that leave a note (H88) */

static bool
is_correspondence(struct pipeline_ask *ask, struct plan *plan)
{
	bool goes = false;

	if (ask->mail->via == MAIL_VIA_LOCAL && address_is_null(&ask->mail->envelope.reverse_path)) {
		plan_note(plan, NOTE_JOURNAL_NOT, SPAN("it is written by the server itself"), SPAN(""));
		return false;
	}
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		goes |= copy->role == COPY_DELIVERY &&
			(copy->kind == COPY_FOLDER || copy->kind == COPY_REMOTE);
	if (!goes)
		plan_note(plan, NOTE_JOURNAL_NOT, SPAN("it reaches nobody"), SPAN(""));
	return goes;
}

/* ---- seats ---- */

static const char *
seat_words(const struct journal_case *c, const struct journal_party *party)
{
	if (party->holds)
		return "holds a seat";
	if (party == c->lacks)
		return "has no seat, and none is free for it";
	return party->takes ? "takes a free seat" : "has no seat, and takes none";
}

static void
note_seats(struct plan *plan, const struct journal_case *c)
{
	for (size_t i = 0; i < c->count && i < SEATS_NOTED; i++) {
		const struct journal_party *party = &c->parties[i];
		const char *kind = seat_kind_words[party->kind];
		struct span text = arena_printf(plan->arena, "%s, %s", kind, seat_words(c, party));

		if (c->seats[party->kind] != SEATS_UNLIMITED)
			text = arena_printf(plan->arena, "%.*s (%llu of %lld used)", SPAN_FMT(text),
				(unsigned long long)c->used[party->kind], (long long)c->seats[party->kind]);
		plan_note(plan, NOTE_JOURNAL_SEAT, party->address, text);
	}
}

static enum err
sort(struct pipeline_ask *ask, struct plan *plan, bool *recorded)
{
	struct journal_case *c = journal_case_of(ask, plan);
	enum err err = journal_case_look(ask->snap, c);

	*recorded = false;
	if (err != OK)
		return err;
	journal_sort(c);
	note_seats(plan, c);
	*recorded = c->recorded;
	if (c->recorded)
		plan->journal = c;
	else
		plan_note(plan, NOTE_JOURNAL_NOT, c->lacks->address,
			arena_printf(plan->arena, " has no %s seat, and none is free",
				seat_kind_words[c->lacks->kind]));
	return OK;
}

/* ---- copies ---- */

static struct span
format_words(const struct conf *conf)
{
	return conf->journal_format == JOURNAL_PLAIN ? SPAN("the original behind its envelope")
						     : SPAN("a report with the original");
}

static enum err
add_internal(struct pipeline_ask *ask, struct plan *plan, const struct user *user,
	const struct plan_version *version)
{
	struct plan_copy copy = { .kind = COPY_FOLDER, .role = COPY_JOURNAL, .version = version,
		.recipient_no = SIZE_MAX, .user_id = user->user_id, .settled = true,
		.folder = SPAN("INBOX"), .why = NOTE_JOURNAL_COPY, .because = format_words(ask->conf) };

	copy.user = copy.found = arena_copy(plan->arena, user->name);
	copy.target = arena_printf(plan->arena, "%.*s/INBOX", SPAN_FMT(copy.user));
	return plan_copy_add(plan, &copy, SIZE_MAX);
}

static enum err
add_external(struct pipeline_ask *ask, struct plan *plan, const struct plan_version *version)
{
	struct span to = ask->conf->journal_external;
	struct plan_copy copy = { .kind = COPY_REMOTE, .role = COPY_JOURNAL, .version = version,
		.recipient_no = SIZE_MAX, .own_sender = true, .report = QUEUED_REPORT_COPY,
		.target = to, .route = SPAN(JOURNAL_ROUTE), .why = NOTE_JOURNAL_COPY, .found = to,
		.because = format_words(ask->conf) };

	return plan_copy_add(plan, &copy, SIZE_MAX);
}

/* ERR_NOT_FOUND: the configuration names a user who is not there. */
static enum err
find_mailbox(struct pipeline_ask *ask, struct plan *plan, struct user *user)
{
	enum err err = names_user(ask->snap, ask->conf->journal_internal, user);

	if (err == ERR_NOT_FOUND)
		plan_note(plan, NOTE_JOURNAL_NOT, SPAN("there is no user "), ask->conf->journal_internal);
	return err;
}

static enum err
add_copies(struct pipeline_ask *ask, struct plan *plan)
{
	const struct conf *conf = ask->conf;
	const struct plan_version *version = NULL;
	struct span to = conf->journal_external;
	struct user user = { .user_id = 0 };
	enum err err = OK;

	if (conf->journal_internal.len > 0)
		err = find_mailbox(ask, plan, &user);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (user.user_id == 0 && to.len == 0)
		return OK;
	if (to.len == 0)
		to = arena_printf(plan->arena, "%.*s@%.*s", SPAN_FMT(user.name),
			SPAN_FMT(conf_default_domain(conf)));
	err = journal_version_make(ask, plan, to, &version);
	if (err == OK && user.user_id != 0)
		err = add_internal(ask, plan, &user, version);
	if (err == OK && conf->journal_external.len > 0)
		err = add_external(ask, plan, version);
	return err;
}

enum verdict
stage_journal(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	bool recorded = false;
	enum err err = OK;

	(void)phase;
	if (ask->conf->journal_internal.len == 0 && ask->conf->journal_external.len == 0)
		return STAGE_NEXT;
	if (is_correspondence(ask, plan))
		err = sort(ask, plan, &recorded);
	if (err == OK && recorded)
		err = add_copies(ask, plan);
	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}
