/*
 * script_header.c - the fields that scripts set, in the headers that the place stage made.
 *
 *     the site's script      in what everybody gets
 *     a user's script        in the copy of his mailbox, and in those that his mailbox sent on
 *
 * A field comes in place of all of its name, behind the others, so that what says how the message came stays on top.
 */
#include "server/pipeline/stages.h"

#include "proto/mail/header.h"
#include "server/pipeline/script_answer.h"

#define VERSIONS_MAX 256         /* different headers of one message that scripts of users make */
#define VERSIONS_BYTES (16 << 20) /* of all that are made, the equal ones too */
#define FIELD_ROOM (SCRIPT_FIELDS_MAX * 4 * SCRIPT_VALUE_MAX) /* bytes that fields may add, encoded */

static bool
sets_fields(const struct script_answer *answer)
{
	for (size_t i = 0; answer && i < answer->count; i++)
		if (answer->actions[i].kind == SCRIPT_SET_HEADER)
			return true;
	return false;
}

/* HEADER without the fields that ANSWER sets, and without the empty line. */
static enum err
put_rest(const struct script_answer *answer, struct span header, struct buf *out)
{
	struct span names[SCRIPT_FIELDS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < answer->count; i++)
		if (answer->actions[i].kind == SCRIPT_SET_HEADER)
			names[count++] = answer->actions[i].text;
	if (header.len >= 2)
		header.len -= 2;
	return header_put_without(out, header, names, count);
}

/* Of several for one name the last counts. */
static bool
is_last(const struct script_answer *answer, size_t at)
{
	for (size_t i = at + 1; i < answer->count; i++)
		if (answer->actions[i].kind == SCRIPT_SET_HEADER &&
			span_eq_nocase(answer->actions[i].text, answer->actions[at].text))
			return false;
	return true;
}

static enum err
put_fields(const struct script_answer *answer, struct buf *out)
{
	enum err err = OK;

	for (size_t i = 0; i < answer->count && err == OK; i++) {
		const struct script_action *action = &answer->actions[i];

		if (action->kind == SCRIPT_SET_HEADER && action->value.len > 0 && is_last(answer, i))
			err = header_put_text(out, action->text, action->value);
	}
	return err;
}

/* HEADER, whole, as ANSWER has it. ERR_LIMIT: it is more than OUT takes. */
static enum err
put_changed(const struct script_answer *answer, struct span header, struct buf *out)
{
	enum err err = put_rest(answer, header, out);

	if (err == OK)
		err = put_fields(answer, out);
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

/* *HEADER as ANSWER has it, in A. */
static enum err
change(struct arena *a, const struct script_answer *answer, struct span *header)
{
	struct buf out;
	enum err err;

	if (!sets_fields(answer) || header->len == 0)
		return OK;
	buf_init(&out, header->len + FIELD_ROOM);
	err = put_changed(answer, *header, &out);
	if (err == OK)
		*header = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return err;
}

static enum err
change_all(struct plan *plan, const struct script_answer *site)
{
	enum err err = change(plan->arena, site, &plan->header);

	if (err == OK)
		err = change(plan->arena, site, &plan->header_relayed);
	if (err == OK)
		err = change(plan->arena, site, &plan->header_outgoing);
	if (err == OK && plan->outgoing && sets_fields(site)) {
		struct plan_version *version = plan_version_new(plan);

		version->header = plan->outgoing->header;
		version->pieces = plan->outgoing->pieces;
		version->piece_count = plan->outgoing->piece_count;
		plan->outgoing = version;
		err = change(plan->arena, site, &version->header);
	}
	return err;
}

/* ---- a user's ---- */

/* What COPY would be without a version of its own. */
static void
begin_version(const struct plan *plan, const struct plan_copy *copy, struct plan_version *out)
{
	if (copy_is_outgoing(copy) && plan->outgoing) {
		out->header = plan->outgoing->header;
		out->pieces = plan->outgoing->pieces;
		out->piece_count = plan->outgoing->piece_count;
		return;
	}
	out->header = plan->header;
	if (copy->kind == COPY_REMOTE && plan->header_relayed.len > 0)
		out->header = plan->header_relayed;
	if (copy_is_outgoing(copy) && plan->header_outgoing.len > 0)
		out->header = plan->header_outgoing;
}

/* What a message's users have set so far. */
struct making {
	struct arena scratch; /* of one copy */
	size_t versions;
	uint64_t bytes;
	size_t plain; /* copies that got none for these limits */
};

static struct plan_version *
find_version(struct plan *plan, const struct plan_version *like)
{
	struct plan_version *version = plan->versions;

	while (version &&
		(version->pieces != like->pieces || version->piece_count != like->piece_count ||
			version->front.len > 0 || !plan_headers_eq(version->header, like->header)))
		version = version->next;
	return version;
}

/* A copy that is like others has their version: a list's members often have one script. */
static void
take_version(struct plan *plan, struct making *m, const struct plan_version *like,
	struct plan_copy *copy)
{
	struct plan_version *version = find_version(plan, like);

	m->bytes += like->header.len;
	if (!version && m->versions == VERSIONS_MAX) {
		m->plain++;
		return;
	}
	if (!version) {
		version = plan_version_new(plan);
		version->header = arena_copy(plan->arena, like->header);
		version->pieces = like->pieces;
		version->piece_count = like->piece_count;
		m->versions++;
	}
	copy->version = version;
}

static enum err
change_copy(struct pipeline_ask *ask, struct plan *plan, struct making *m, struct plan_copy *copy)
{
	const struct script_answer *sender = mail_script(ask->mail, copy->sent_by);
	const struct script_answer *own =
		copy->kind == COPY_FOLDER ? mail_script(ask->mail, copy->user_id) : NULL;
	struct plan_version version = { NULL };
	enum err err;

	if (copy->version || copy->role != COPY_DELIVERY || (!sets_fields(sender) && !sets_fields(own)))
		return OK;
	begin_version(plan, copy, &version);
	if (m->bytes + version.header.len > VERSIONS_BYTES) {
		m->plain++;
		return OK;
	}
	err = change(&m->scratch, sender, &version.header);
	if (err == OK)
		err = change(&m->scratch, own, &version.header);
	if (err == OK)
		take_version(plan, m, &version, copy);
	arena_reset(&m->scratch);
	return err;
}

static enum err
change_copies(struct pipeline_ask *ask, struct plan *plan)
{
	struct making m = { .versions = 0 };
	enum err err = OK;

	arena_init(&m.scratch, NULL);
	for (struct plan_copy *copy = plan->copies; copy && err == OK; copy = copy->next)
		if (copy->kind == COPY_FOLDER || copy->kind == COPY_REMOTE)
			err = change_copy(ask, plan, &m, copy);
	arena_reset(&m.scratch);
	if (m.plain > 0)
		plan_note(plan, NOTE_SCRIPT_PLAIN, arena_printf(plan->arena, "%zu", m.plain),
			arena_printf(plan->arena, "a message has at most %d different headers, of %d MB",
				VERSIONS_MAX, VERSIONS_BYTES >> 20));
	return err;
}

enum verdict
stage_script_header(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	const struct script_answers *scripts = ask->mail->scripts;
	enum err err;

	(void)phase;
	if (!scripts)
		return STAGE_NEXT;
	err = change_all(plan, scripts->site);
	if (err == OK && scripts->user_count > 0)
		err = change_copies(ask, plan);
	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}
