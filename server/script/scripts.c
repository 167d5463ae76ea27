/*
 * scripts.c - which scripts a message asks for, one round after the other, and their answers.
 */
#include "server/script/scripts.h"

#include <stdlib.h>

#include "conf/conf_rules.h"
#include "proto/mail/lan_target.h"
#include "server/net/loop.h"
#include "server/pipeline/mailbox_step.h"
#include "server/pipeline/names.h"
#include "server/pipeline/once.h"
#include "server/script/scripts_inside.h"
#include "store/user_scripts.h"

/* A user whom the message may reach. */
struct reached {
	struct reached *next;
	uint64_t user_id;
	struct span rcpt;
	bool settled; /* his mailbox sends nothing on */
};

struct scripts_asked {
	struct host *host;
	struct scripts_question *question;
	struct mail *mail;
	struct list waiting, running, over;
	size_t run_count, running_count;
	struct once seen; /* user_id */
	struct reached *first, **end; /* to be looked at */
	struct loop_timer deadline, again; /* again: the runner had no room */
};

/* ---- whom it may reach ---- */

static void
reach(struct scripts_asked *a, uint64_t user_id, struct span rcpt, bool settled)
{
	struct reached *r;

	if (a->seen.count >= SCRIPTS_REACHED_MAX || !once_add(&a->seen, user_id))
		return;
	r = ARENA_NEW(a->mail->arena, struct reached);
	*r = (struct reached){ .user_id = user_id, .rcpt = rcpt, .settled = settled };
	*a->end = r;
	a->end = &r->next;
}

/* TEXT, a target of a mailbox or of a script: is it a user here? */
static void
reach_target(struct scripts_asked *a, struct snapshot *snap, struct span text, struct span rcpt)
{
	struct lan_target server;
	struct address to;
	struct user user;

	if (lan_forward_parse(a->mail->arena, text, &to, &server) == OK ||
		address_parse(a->mail->arena, text, &to) != OK)
		return;
	if (!(to.flags & ADDRESS_NO_DOMAIN) &&
		!conf_is_local(a->host->conf, to.local_part, to.domain))
		return;
	if (names_user(snap, to.local_part, &user) == OK)
		reach(a, user.user_id, rcpt, false);
}

static void
reach_list(struct scripts_asked *a, struct snapshot *snap, struct span list, struct span rcpt)
{
	struct span part;

	while (field_list_next(&list, &part))
		reach_target(a, snap, part, rcpt);
}

static void
reach_on(struct scripts_asked *a, struct snapshot *snap, const struct reached *r)
{
	struct arena *arena = a->mail->arena;
	struct user user;

	if (names_user_by_id(snap, r->user_id, &user) != OK || !mailbox_acts(&user))
		return;
	reach_list(a, snap, arena_copy(arena, user.assistants), r->rcpt);
	if (user.forward)
		reach_list(a, snap, arena_copy(arena, user.forward_to), r->rcpt);
	if (user.size_over_kb > 0)
		reach_list(a, snap, arena_copy(arena, user.size_over_to), r->rcpt);
	if (user.size_under_kb > 0)
		reach_list(a, snap, arena_copy(arena, user.size_under_to), r->rcpt);
}

/* ---- runs ---- */

static void
add_run(struct scripts_asked *a, uint64_t user_id, struct span name, struct span rcpt)
{
	struct script_run *run = ARENA_NEW(a->mail->arena, struct script_run);

	run->asked = a;
	run->rcpt = rcpt;
	run->answer = (struct script_answer){ .user_id = user_id, .name = name };
	if (++a->run_count > SCRIPTS_MESSAGE_MAX) {
		run->answer.failed = SPAN("too many scripts for one message");
		list_append(&a->over, &run->link);
	} else {
		list_append(&a->waiting, &run->link);
	}
}

/*
 * Users reached since the last time: their scripts, and whom they lead to. So many in one turn of the loop; pump()
 * sees to it that the others are looked at in the next ones.
 */
static void
look_round(struct scripts_asked *a, struct snapshot *snap)
{
	struct user_script script;
	struct reached *r = a->first;
	struct user user;

	for (size_t n = 0; r && n < SCRIPTS_LOOKED_AT; r = r->next, n++) {
		if (user_script_find(snap, r->user_id, &script) == OK &&
			user_find(snap, r->user_id, &user) == OK && user.removed_ms == 0)
			add_run(a, r->user_id, arena_copy(a->mail->arena, user.name), r->rcpt);
		if (!r->settled)
			reach_on(a, snap, r);
	}
	a->first = r;
	if (!r)
		a->end = &a->first;
}

static void
reach_plan(struct scripts_asked *a, struct snapshot *snap, const struct plan *plan)
{
	struct user_script any;

	if (user_script_next(snap, 0, &any) == ERR_NOT_FOUND)
		return; /* nobody has one */
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (copy->kind == COPY_FOLDER && copy->role == COPY_DELIVERY)
			reach(a, copy->user_id, copy->recipient, copy->settled);
	look_round(a, snap);
}

/* Whom an answer names. */
static void
reach_answer(struct scripts_asked *a, struct snapshot *snap, const struct script_run *run)
{
	for (size_t i = 0; i < run->answer.count; i++) {
		const struct script_action *action = &run->answer.actions[i];

		if (action->kind == SCRIPT_REDIRECT || action->kind == SCRIPT_COPY)
			reach_target(a, snap, action->text,
				run->rcpt.len > 0 ? run->rcpt : action->text);
	}
	look_round(a, snap);
}

/* ---- the end ---- */

static int
by_user(const void *a, const void *b)
{
	uint64_t one = ((const struct script_answer *)a)->user_id;
	uint64_t other = ((const struct script_answer *)b)->user_id;

	return (one > other) - (one < other);
}

/* What has no answer by now has failed; all that was asked becomes facts. */
static void
gather(struct scripts_asked *a)
{
	struct script_answers *all = ARENA_NEW(a->mail->arena, struct script_answers);
	struct script_answer *users = ARENA_ARRAY(a->mail->arena, struct script_answer, a->run_count + 1);
	struct list *at, *following;

	list_for_each(at, following, &a->over) {
		struct script_run *run = LIST_ITEM(at, struct script_run, link);

		if (!a->question->explains)
			script_tell(a->host, a->mail, &run->answer);
		if (run->answer.user_id == 0)
			all->site = &run->answer;
		else
			users[all->user_count++] = run->answer;
	}
	qsort(users, all->user_count, sizeof(*users), by_user);
	all->users = users;
	a->mail->scripts = all;
}

static void
end_run(struct script_run *run)
{
	list_remove(&run->link);
	list_append(&run->asked->over, &run->link);
}

static void
fail_run(struct script_run *run, struct span why)
{
	run->answer.failed = why;
	end_run(run);
}

static bool
is_over(const struct scripts_asked *a)
{
	return list_is_empty(&a->waiting) && list_is_empty(&a->running) && !a->first;
}

static void
end(struct scripts_asked *a)
{
	struct scripts_question *q = a->question;

	loop_timer_clear(&a->deadline);
	loop_timer_clear(&a->again);
	gather(a);
	q->asked = NULL;
	q->done(q);
}

/* ---- under way ---- */

static struct span
says_end(struct script_run *run, const struct runner_answer *answer)
{
	char says[RUNNER_SAYS_SIZE];

	switch (answer->end) {
	case RUNNER_TIMED_OUT:
		return SPAN("it took longer than a second");
	case RUNNER_SIGNALLED:
		return SPAN("it used too much processor time or memory, and was ended");
	case RUNNER_EXITED:
		return SPAN("it could not be run, or its answer cannot be read");
	default:
		return arena_copy(run->asked->mail->arena, span_of(runner_says(answer, says)));
	}
}

static void pump(struct scripts_asked *a);

static void
on_done(struct runner_job *job, const struct runner_answer *answer)
{
	struct script_run *run = LIST_ITEM(job, struct script_run, job);
	struct scripts_asked *a = run->asked;
	struct arena *arena = a->mail->arena;
	struct snapshot *snap = host_snapshot(a->host);

	a->running_count--;
	if (answer->end != RUNNER_EXITED || answer->number != 0 ||
		script_answer_read(arena, arena_copy(arena, answer->output), &run->answer) != OK)
		run->answer.failed = says_end(run, answer);
	end_run(run);
	if (snap)
		reach_answer(a, snap, run);
	pump(a);
	if (is_over(a))
		end(a);
}

/* False: the runner has no room for it now. Where it cannot be given to the runner it has failed. */
static bool
start(struct scripts_asked *a, struct snapshot *snap, struct script_run *run)
{
	struct buf in;
	enum err err = OK;

	if (!snap || !runner_has_room(a->host, run->answer.user_id, run->size))
		return false;
	buf_init(&in, SCRIPT_INPUT_MAX);
	if (run->answer.user_id == 0)
		run->text = conf_rules_text(a->host->conf, RULE_FILE_CONTENT);
	if (err == OK)
		err = script_give(snap, a->mail, run, &in);
	run->job = (struct runner_job){ .script = true, .owner = run->answer.user_id, .input = buf_span(&in),
		.timeout_ms = SCRIPT_CPU_MS, .output_max = SCRIPT_ANSWER_MAX, .done = on_done };
	if (err == OK)
		err = runner_run(a->host, &run->job);
	run->size = buf_span(&in).len;
	buf_fini(&in);
	if (err == ERR_BUSY)
		return false;
	if (err != OK) {
		fail_run(run, SPAN("the message cannot be given to it"));
		return true;
	}
	list_remove(&run->link);
	list_append(&a->running, &run->link);
	a->running_count++;
	return true;
}

static void
pump(struct scripts_asked *a)
{
	struct snapshot *snap = host_snapshot(a->host);

	struct list *at, *following;
	size_t refused = 0;

	list_for_each(at, following, &a->waiting)
		if (a->running_count < SCRIPTS_AT_ONCE && refused < SCRIPTS_AT_ONCE)
			refused += !start(a, snap, LIST_ITEM(at, struct script_run, link));
	if (refused > 0 || a->first)
		loop_timer_set(a->host->loop, &a->again, a->first ? SCRIPTS_LOOK_MS : SCRIPTS_AGAIN_MS);
}

static void
on_again(struct loop_timer *timer)
{
	struct scripts_asked *a = LIST_ITEM(timer, struct scripts_asked, again);
	struct snapshot *snap = host_snapshot(a->host);

	if (snap)
		look_round(a, snap);
	pump(a);
	if (is_over(a))
		end(a);
}

static void
stop_all(struct scripts_asked *a, struct list *runs)
{
	struct list *at, *following;

	list_for_each(at, following, runs) {
		struct script_run *run = LIST_ITEM(at, struct script_run, link);

		runner_cancel(&run->job);
		fail_run(run, SPAN("no answer in time, the server is busy"));
	}
	a->running_count = 0;
}

static void
on_deadline(struct loop_timer *timer)
{
	struct scripts_asked *a = LIST_ITEM(timer, struct scripts_asked, deadline);
	struct snapshot *snap = host_snapshot(a->host);

	while (snap && a->first)
		look_round(a, snap); /* a script that was not asked has failed, too */
	stop_all(a, &a->running);
	stop_all(a, &a->waiting);
	end(a);
}

bool
scripts_ask(struct host *host, struct scripts_question *q, struct mail *mail, const struct plan *plan)
{
	struct snapshot *snap = host_snapshot(host);
	struct scripts_asked *a;

	if (mail->scripts || mail->header_is_over || !snap)
		return false;
	a = ARENA_NEW(mail->arena, struct scripts_asked);
	*a = (struct scripts_asked){ .host = host, .question = q, .mail = mail };
	a->seen.arena = mail->arena;
	a->end = &a->first;
	list_init(&a->waiting);
	list_init(&a->running);
	list_init(&a->over);
	loop_timer_init(&a->deadline, on_deadline);
	loop_timer_init(&a->again, on_again);
	if (conf_rules_text(host->conf, RULE_FILE_CONTENT).len > 0)
		add_run(a, 0, SPAN("rules.content"), SPAN_NONE);
	reach_plan(a, snap, plan);
	pump(a);
	if (a->run_count == 0 && !a->first)
		return false;
	if (is_over(a)) {
		gather(a);
		return false;
	}
	q->asked = a;
	loop_timer_set(host->loop, &a->deadline, SCRIPTS_WAIT_MS);
	return true;
}

void
scripts_cancel(struct scripts_question *q)
{
	struct scripts_asked *a = q->asked;

	if (!a)
		return;
	q->asked = NULL;
	loop_timer_clear(&a->deadline);
	loop_timer_clear(&a->again);
	stop_all(a, &a->running);
}
