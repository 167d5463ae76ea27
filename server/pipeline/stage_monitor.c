/*
 * stage_monitor.c - copies for whoever watches over mail (MON-01 to MON-09).
 *
 *     profile      its classes that the message is of, with "all", or "selected" and somebody who is
 *     size         larger than min_kb, attachments and all
 *     target       one copy for each user behind it, straight into his INBOX; addresses elsewhere by the queue
 *     sample       by the number of the message, so that asking again gives the same answer
 *
 * The copies are of a role of their own: nobody is told, nothing answers them, and none is monitored again. What the
 * server itself writes is not monitored. A target is a user, group, list or address, and no mapping counts; its
 * assistants and forwarding do not act, for the mailbox is the target (001).
 */
#include "server/pipeline/stages.h"

#include <stdio.h>

#include "proto/base/text_fill.h"
#include "server/pipeline/direction.h"
#include "server/pipeline/monitor_header.h"
#include "server/pipeline/monitor_who.h"
#include "server/pipeline/names.h"
#include "store/queued.h"

#define TARGETS_NOTED 8  /* copies of one profile that leave a note each */
#define SAMPLE_SCALE 100 /* of sample_percent */

static const struct {
	enum direction direction;
	const char *word;  /* in the subject */
	const char *lower; /* in notes */
} classes[] = {
	{ DIRECTION_INCOMING, "Incoming", "incoming" },
	{ DIRECTION_OUTGOING, "Outgoing", "outgoing" },
	{ DIRECTION_INTERNAL, "Internal", "internal" },
};

/* A header that is there for a prefix already. */
struct made_version {
	struct made_version *next;
	struct span prefix;
	const struct plan_version *version;
};

struct monitoring {
	struct pipeline_ask *ask;
	struct plan *plan;
	struct monitor_sender sender;
	unsigned direction;
	struct made_version *made;
	/* Of the profile at hand: */
	const struct conf_monitor *profile;
	unsigned taken;       /* its classes, as bits of enum direction */
	struct span selected; /* who is, where that counted */
	const struct plan_version *version;
	size_t copies;
};

/* ---- is it for this profile? ---- */

static unsigned
classes_with(const struct conf_monitor *profile, unsigned wanted)
{
	return (profile->incoming == wanted ? DIRECTION_INCOMING : 0) |
		(profile->outgoing == wanted ? DIRECTION_OUTGOING : 0) |
		(profile->internal == wanted ? DIRECTION_INTERNAL : 0);
}

/* MON-03: mail that goes out counts where it was written here; what is only passed on does not. */
static unsigned
direction_of(const struct monitoring *m)
{
	unsigned direction = mail_direction(m->ask, m->plan);

	return m->sender.is_ours ? direction : direction & ~(unsigned)DIRECTION_OUTGOING;
}

/* Sets m->taken: 0, no class of the profile has it. */
static enum err
take_classes(struct monitoring *m)
{
	unsigned selected = m->direction & classes_with(m->profile, MONITOR_SELECTED);
	enum err err = OK;

	m->selected = SPAN_NONE;
	m->taken = m->direction & classes_with(m->profile, MONITOR_ALL);
	if (selected == 0)
		return OK;
	err = monitor_selected_find(m->ask, m->plan, m->profile, &m->sender, &m->selected);
	if (m->selected.ptr)
		m->taken |= selected;
	return err;
}

static struct span
class_words(const struct monitoring *m, bool lower)
{
	struct span words = SPAN("");

	for (size_t i = 0; i < COUNT(classes); i++)
		if (m->taken & classes[i].direction)
			words = arena_printf(m->plan->arena, "%.*s%s%s", SPAN_FMT(words),
				words.len > 0 ? "+" : "", lower ? classes[i].lower : classes[i].word);
	return words;
}

/* "default, outgoing of anna by login, bert is selected": why a copy is made. */
static struct span
reason(const struct monitoring *m)
{
	struct span words = class_words(m, true), why;

	why = arena_printf(m->plan->arena, "profile %.*s, %.*s", SPAN_FMT(m->profile->name), SPAN_FMT(words));
	if (m->sender.user_id != 0)
		why = arena_printf(m->plan->arena, "%.*s, from %.*s by %s", SPAN_FMT(why),
			SPAN_FMT(m->sender.user), m->sender.by);
	if (m->selected.ptr && !span_eq(m->selected, m->sender.user))
		why = arena_printf(m->plan->arena, "%.*s, to %.*s", SPAN_FMT(why), SPAN_FMT(m->selected));
	return why;
}

/* ---- the target ---- */

/* Whom TARGET means: users and addresses elsewhere, in A names of its own. ERR_NOT_FOUND: nobody. */
static enum err
find_target(struct monitoring *m, struct span target, struct names *names)
{
	struct pipeline_ask ask = *m->ask;
	struct name_wants wants;
	struct plan unseen; /* how a list is opened stays out of the notes */
	enum err err;

	plan_init(&unseen, m->plan->arena);
	unseen.standing = STANDING_USER; /* the administrator sends it there */
	unseen.may_relay = true;
	names_init(names, m->plan->arena, (size_t)ask.conf->limits_expansion_recipients);
	wants_init(&wants, m->plan->arena);
	wants_add(&wants, WANT_MAPPED, target, SPAN_NONE);
	ask.names = names;
	ask.wants = &wants;
	ask.recipient = (struct address){ .text = target };
	err = wants_resolve(&ask, &unseen);
	if (err == ERR_LIMIT && names->count > 0)
		err = OK; /* as many as a message may have */
	if (err != OK)
		return err == ERR_DENIED ? ERR_NOT_FOUND : err;
	return stage_lan_targets(&ask, AT_RCPT, &unseen) == STAGE_NEXT ? OK : ERR_NOT_FOUND;
}

/* is the only one behind the target a party himself? */
static bool
is_party(const struct monitoring *m, const struct names *names)
{
	const struct name *name = names->first;

	if (names->count != 1)
		return false;
	if (name->target == TARGET_USER && name->user_id == m->sender.user_id)
		return true;
	for (const struct plan_copy *copy = m->plan->copies; copy; copy = copy->next) {
		if (copy->role != COPY_DELIVERY)
			continue;
		if (copy->kind == COPY_FOLDER && name->target == TARGET_USER && copy->user_id == name->user_id)
			return true;
		if (copy->kind == COPY_REMOTE && name->target == TARGET_ADDRESS &&
			span_eq_nocase(copy->target, name->address))
			return true;
	}
	return false;
}

/* ---- copies ---- */

static enum err
add_copy(struct monitoring *m, const struct name *name, enum note_code why)
{
	bool here = name->target == TARGET_USER;
	struct plan_copy copy = { .kind = here ? COPY_FOLDER : COPY_REMOTE, .role = COPY_MONITOR,
		.version = m->version, .own_sender = true, .report = QUEUED_REPORT_FIRST,
		.recipient_no = SIZE_MAX, .recipient = here ? name->user : name->address,
		.user_id = name->user_id, .user = name->user, .target = name->address, .route = name->route,
		.why = why, .found = here ? name->user : name->address, .because = reason(m),
		.member = name->member, .quiet = m->copies++ >= TARGETS_NOTED };

	if (here) {
		copy.folder = SPAN("INBOX");
		copy.target = arena_printf(m->plan->arena, "%.*s/INBOX", SPAN_FMT(name->user));
	}
	return plan_copy_add(m->plan, &copy, SIZE_MAX);
}

/* The header with this profile's prefix; one for all that have the same. */
static enum err
find_version(struct monitoring *m)
{
	struct span prefix = text_fill(m->plan->arena, m->ask->conf->texts_monitor_prefix,
		class_words(m, false), m->profile->name);
	struct made_version *made;
	enum err err;

	for (made = m->made; made; made = made->next)
		if (span_eq(made->prefix, prefix)) {
			m->version = made->version;
			return OK;
		}
	made = ARENA_NEW(m->plan->arena, struct made_version);
	err = monitor_header_make(m->ask, m->plan, prefix, &made->version);
	if (err != OK)
		return err;
	made->prefix = prefix;
	made->next = m->made;
	m->made = made;
	m->version = made->version;
	return OK;
}

static enum err
copy_to(struct monitoring *m, struct span target, enum note_code why)
{
	struct names names;
	enum err err = find_target(m, target, &names);

	if (err == ERR_NOT_FOUND) {
		plan_note(m->plan, NOTE_MONITOR_LOST, target, m->profile->name);
		return OK;
	}
	if (err == OK && is_party(m, &names)) {
		plan_note(m->plan, NOTE_MONITOR_NOT, m->profile->name,
			arena_printf(m->plan->arena, "its only target is %.*s, who has the message",
				SPAN_FMT(target)));
		return OK;
	}
	if (err == OK)
		err = find_version(m);
	m->copies = 0;
	for (const struct name *name = names.first; name && err == OK; name = name->next)
		if (name->target == TARGET_USER || name->target == TARGET_ADDRESS)
			err = add_copy(m, name, why);
	return err;
}

/* ---- the sample ---- */

/* MON-05. A number between 0 and 99 that nobody foresees without the message's own, the same each time. */
static unsigned
draw(uint64_t message_no, struct span profile)
{
	uint64_t x = message_no + span_hash_nocase(profile); /* splitmix64 */

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((x ^ (x >> 31)) % SAMPLE_SCALE);
}

static enum err
sample(struct monitoring *m)
{
	const struct conf_monitor *profile = m->profile;

	if (profile->sample_percent == 0 || profile->sample_target.len == 0)
		return OK;
	if (m->ask->mail->message_no == 0 && profile->sample_percent < SAMPLE_SCALE) {
		plan_note(m->plan, NOTE_MONITOR_CHANCE, profile->sample_target,
			arena_printf(m->plan->arena, "%lld %% of profile %.*s",
				(long long)profile->sample_percent, SPAN_FMT(profile->name)));
		return OK;
	}
	if (draw(m->ask->mail->message_no, profile->name) >= (unsigned)profile->sample_percent)
		return OK;
	return copy_to(m, profile->sample_target, NOTE_MONITOR_SAMPLE);
}

/* ---- a profile ---- */

/* MON-04: exactly so large is not larger. */
static bool
is_too_small(struct monitoring *m)
{
	uint64_t min = (uint64_t)m->profile->min_kb * 1024;

	if (min == 0 || m->ask->mail->size > min)
		return false;
	plan_note(m->plan, NOTE_MONITOR_NOT, m->profile->name,
		arena_printf(m->plan->arena, "%llu bytes are not more than %lld kB",
			(unsigned long long)m->ask->mail->size, (long long)m->profile->min_kb));
	return true;
}

static enum err
ask_profile(struct monitoring *m, const struct conf_monitor *profile)
{
	enum err err;

	m->profile = profile;
	if (profile->target.len == 0 && profile->sample_percent == 0)
		return OK;
	err = take_classes(m);
	if (err != OK || m->taken == 0 || is_too_small(m))
		return err;
	if (profile->target.len > 0)
		err = copy_to(m, profile->target, NOTE_MONITOR_COPY);
	return err == OK ? sample(m) : err;
}

enum verdict
stage_monitor(struct pipeline_ask *ask, enum phase phase, struct plan *plan)
{
	const struct conf_monitors *profiles = &ask->conf->monitor;
	struct monitoring m = { .ask = ask, .plan = plan };
	enum err err = OK;

	(void)phase;
	if (profiles->count == 0 || ask->mail->via == MAIL_VIA_LOCAL)
		return STAGE_NEXT;
	err = monitor_sender_find(ask, plan, &m.sender);
	m.direction = direction_of(&m);
	for (size_t i = 0; i < profiles->count && err == OK && m.direction != 0; i++)
		err = ask_profile(&m, &profiles->items[i]);
	return err == OK ? STAGE_NEXT : stage_trouble(plan);
}
