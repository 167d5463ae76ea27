/*
 * stage_mailbox.c - AT_END, each mailbox that the message reaches decides what becomes of its copy (RTE-10).
 *
 *     a mailbox without steps              keeps it; it is not even looked up
 *     its steps send copies                they join, and it keeps its own
 *     its steps send it elsewhere instead  they join, and its own copy is taken out
 *
 * Whoever joins decides in turn, each mailbox once a message (RTE-14, Q-10), nearest first. Nothing is lost on the
 * way:
 *
 *     all it would go to instead leads back    the ring closes here, and this mailbox keeps it (contract 8)
 *     a ring that two ways lead into           the mailbox of it that was reached last keeps it
 *     over limits.expansion_recipients         the mailbox that would go over it keeps it; nobody can be refused now
 *     deeper than limits.expansion_depth       likewise (H16)
 *
 * Targets are collected over all mailboxes, so a target gets one copy (RTE-15). The return address and the header
 * stay as they are (RTE-02, RTE-16). What a copy has in place of what came goes with it (plan_version): for each
 * version the mailboxes decide by themselves.
 */
#include "server/pipeline/stages.h"

#include "server/pipeline/journal.h"
#include "server/pipeline/mailbox_step.h"
#include "server/pipeline/once.h"
#include "server/pipeline/script_answer.h"
#include "store/forwards.h"

#define BOXES_NOTED 8 /* mailboxes whose steps leave notes (H88) */

/* A mailbox that the message reaches. */
struct box {
	struct box *next, *before; /* in the order in which they were reached */
	struct box *parent;        /* whose step led here; NULL: the message was for it */
	struct plan_copy *copy;    /* its copy; NULL: it has none yet */
	const struct plan_copy *origin; /* the copy that led here */
	struct mailbox_target *targets;
	struct mailbox_target *led_by; /* those that lead here instead */
	struct box *landed; /* the next of which the way is gone back */
	uint64_t user_id;
	struct span user;
	unsigned depth;
	bool forwards; /* by store and forward */
	bool drops; /* it keeps no copy */
	bool discards; /* it throws it away, which is no ring */
	bool lands; /* what was sent here ends somewhere */
};

/* All that is decided about one version. */
struct walk {
	struct pipeline_ask *ask;
	struct plan *plan;
	const struct plan_version *version;
	struct box *first, **end, *last;
	struct once seen; /* user_id -> box */
	size_t count, room; /* room: copies that may still be added */
	size_t acting;      /* mailboxes that had something to decide */
};

static struct box *
box_add(struct walk *w, struct box *parent, uint64_t user_id, struct span user)
{
	struct box *box = ARENA_NEW(w->plan->arena, struct box);

	box->parent = parent;
	box->user_id = user_id;
	box->user = user;
	box->depth = parent ? parent->depth + 1 : 0;
	box->origin = parent ? parent->origin : NULL;
	box->before = w->last;
	*w->end = w->last = box;
	w->end = &box->next;
	w->count++;
	(void)once_put(&w->seen, user_id, box);
	return box;
}

static bool
leads_back(const struct box *from, const struct box *to)
{
	while (from && from != to)
		from = from->parent;
	return from != NULL;
}

static bool
is_quiet(const struct walk *w)
{
	return w->acting > BOXES_NOTED;
}

static void
note_keeps(struct walk *w, const struct box *box, struct span why)
{
	if (!is_quiet(w))
		plan_note(w->plan, NOTE_MAILBOX_KEEPS, box->user, why);
}

/* ---- one mailbox ---- */

/* Copies that ANSWER adds at most. */
static size_t
count_new(const struct walk *w, const struct mailbox_answer *answer)
{
	size_t count = 0;

	for (const struct mailbox_target *t = answer->first; t; t = t->next)
		count += t->name.target != TARGET_USER || !once_find(&w->seen, t->name.user_id);
	return count;
}

/* The targets of BOX join. False: all that it would go to instead leads back. */
static bool
join(struct walk *w, struct box *box)
{
	bool leads_on = false;

	for (struct mailbox_target *t = box->targets; t; t = t->next) {
		if (t->name.target != TARGET_USER) {
			leads_on |= t->instead;
			continue;
		}
		t->box = once_find(&w->seen, t->name.user_id);
		if (!t->box)
			t->box = box_add(w, box, t->name.user_id, t->name.user);
		leads_on |= t->instead && !leads_back(box, t->box);
	}
	return leads_on;
}

static enum err
decide_steps(struct walk *w, struct box *box, const struct user *user)
{
	unsigned depth_max = (unsigned)w->ask->conf->limits_expansion_depth;
	struct mailbox_question question = { user, box->origin, false };
	struct mailbox_answer answer;
	size_t added;
	enum err err;

	w->acting++;
	if (box->depth >= depth_max) {
		note_keeps(w, box, SPAN("the way here is too long (limits.expansion_depth)"));
		return OK;
	}
	question.quiet = is_quiet(w);
	err = mailbox_ask(w->ask, &question, w->plan, &answer);
	if (err != OK)
		return err;
	added = count_new(w, &answer);
	if (added > w->room) {
		note_keeps(w, box, SPAN("too many would get it (limits.expansion_recipients)"));
		return OK;
	}
	w->room -= added;
	box->targets = answer.first;
	box->discards = answer.discards;
	box->drops = join(w, box) || box->discards;
	if (answer.redirects && !box->drops)
		note_keeps(w, box, SPAN("all that it would go to instead leads back here"));
	return OK;
}

static enum err
decide(struct walk *w, struct box *box)
{
	bool has_script = mail_script(w->ask->mail, box->user_id) != NULL;
	struct user user;
	enum err err;

	if ((box->copy && box->copy->settled && !has_script) ||
		journal_is_mailbox(w->ask->conf, box->user)) /* JRN-02 */
		return OK;
	err = names_user_by_id(w->ask->snap, box->user_id, &user);
	if (err == ERR_NOT_FOUND) /* he has just gone: intake finds whom it is for then */
		return OK;
	if (err != OK)
		return err;
	box->forwards = forward_acts(&user);
	return has_script || mailbox_acts(&user) ? decide_steps(w, box, &user) : OK;
}

/* ---- all of them ---- */

/* The mailbox of COPY, and all that its steps lead to. */
static enum err
follow(struct walk *w, struct plan_copy *copy)
{
	struct box *box = once_find(&w->seen, copy->user_id);
	enum err err = OK;

	if (box) { /* another way led here before */
		box->copy = copy;
		return OK;
	}
	box = box_add(w, NULL, copy->user_id, copy->user);
	box->copy = copy;
	box->origin = copy;
	for (; box && err == OK; box = box->next)
		err = decide(w, box);
	return err;
}

/* Is it the end of a way itself? */
static bool
is_end(const struct box *box)
{
	for (const struct mailbox_target *t = box->targets; t; t = t->next)
		if (t->instead && !t->box)
			return true;
	return !box->drops || box->discards;
}

/* BOX lands, and so do all from which a way leads here; each is looked at once. */
static void
land(struct box *box)
{
	struct box *todo = box;

	box->lands = true;
	while (todo) {
		const struct mailbox_target *t = todo->led_by;

		todo = todo->landed;
		for (; t; t = t->beside) {
			if (t->of->lands)
				continue;
			t->of->lands = true;
			t->of->landed = todo;
			todo = t->of;
		}
	}
}

static void
find_ways_back(struct walk *w)
{
	for (struct box *box = w->first; box; box = box->next)
		for (struct mailbox_target *t = box->targets; t; t = t->next) {
			if (!t->instead || !t->box)
				continue;
			t->of = box;
			t->beside = t->box->led_by;
			t->box->led_by = t;
		}
}

/* Rings into which several ways lead: none of their mailboxes keeps it so far. */
static void
break_rings(struct walk *w)
{
	struct box *box;

	find_ways_back(w);
	for (box = w->first; box; box = box->next)
		if (!box->lands && is_end(box))
			land(box);
	for (box = w->last; box; box = box->before) {
		if (box->lands)
			continue;
		box->drops = false;
		note_keeps(w, box, SPAN("all that it would go to instead leads back here"));
		land(box);
	}
}

static enum err
add_mailbox(struct walk *w, const struct box *box, bool quiet)
{
	struct plan_copy copy = { .kind = COPY_FOLDER, .recipient_no = box->origin->recipient_no,
		.recipient = box->origin->recipient, .version = w->version,
		.own_sender = box->origin->own_sender, .sender = box->origin->sender,
		.sent_by = box->parent ? box->parent->user_id : 0, .user_id = box->user_id, .user = box->user,
		.folder = SPAN("INBOX"), .why = NOTE_PLACE_INBOX, .found = box->origin->recipient,
		.because = box->user, .member = box->origin->member, .passed = true, .settled = true,
		.forwards = box->forwards, .quiet = quiet };

	copy.target = arena_printf(w->plan->arena, "%.*s/INBOX", SPAN_FMT(box->user));
	return plan_copy_add(w->plan, &copy, (size_t)w->ask->conf->limits_expansion_recipients);
}

static enum err
add_elsewhere(struct walk *w, const struct box *box, const struct name *name, bool quiet)
{
	struct plan_copy copy = { .kind = COPY_REMOTE, .recipient_no = box->origin->recipient_no,
		.recipient = box->origin->recipient, .version = w->version, .sent_by = box->user_id,
		.own_sender = box->origin->own_sender, .sender = box->origin->sender,
		.target = name->address, .route = name->route,
		.why = NOTE_PLACE_QUEUED, .found = name->address, .because = span_of(name->why),
		.passed = true, .quiet = quiet };

	return plan_copy_add(w->plan, &copy, (size_t)w->ask->conf->limits_expansion_recipients);
}

/* In the order in which they were reached. */
static enum err
add_copies(struct walk *w)
{
	size_t done = 0;
	enum err err = OK;

	for (struct box *box = w->first; box && err == OK; box = box->next) {
		if (!box->copy && !box->drops)
			err = add_mailbox(w, box, done++ >= BOXES_NOTED);
		for (const struct mailbox_target *t = box->targets; t && err == OK; t = t->next)
			if (!t->box)
				err = add_elsewhere(w, box, &t->name, done++ >= BOXES_NOTED);
	}
	return err;
}

static enum err
carry_out(struct walk *w)
{
	break_rings(w);
	for (struct box *box = w->first; box; box = box->next)
		if (box->copy)
			box->copy->left = box->drops;
	plan_copies_sweep(w->plan);
	if (w->acting > BOXES_NOTED)
		plan_note_number(w->plan, NOTE_MAILBOX_MANY, w->acting - BOXES_NOTED, 0);
	return add_copies(w);
}

static bool
has_mailbox(const struct plan_copy *copy, const struct plan_version *version)
{
	return copy->kind == COPY_FOLDER && copy->role == COPY_DELIVERY && copy->version == version;
}

static bool
anybody_acts(const struct walk *w)
{
	const struct script_answers *scripts = w->ask->mail->scripts;

	for (const struct plan_copy *copy = w->plan->copies; copy; copy = copy->next)
		if (has_mailbox(copy, w->version) &&
			(!copy->settled || (scripts && scripts->user_count > 0)))
			return true;
	return false;
}

static enum err
decide_version(struct pipeline_ask *ask, struct plan *plan, const struct plan_version *version)
{
	struct walk w = { .ask = ask, .plan = plan, .version = version, .seen.arena = plan->arena };
	size_t max = (size_t)ask->conf->limits_expansion_recipients, have = plan_counted(plan);
	enum err err = OK;

	if (!anybody_acts(&w))
		return OK;
	w.end = &w.first;
	w.room = have < max ? max - have : 0;
	for (struct plan_copy *copy = plan->copies; copy && err == OK; copy = copy->next)
		if (has_mailbox(copy, version))
			err = follow(&w, copy);
	return err == OK ? carry_out(&w) : err;
}

enum verdict
stage_mailbox(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	enum err err = decide_version(ask, plan, NULL);

	(void)phase;
	for (const struct plan_version *v = plan->versions; v && err == OK; v = v->next)
		err = decide_version(ask, plan, v);
	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}
