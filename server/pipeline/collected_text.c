/*
 * collected_text.c - names that people write for us: beside the one address that all have (INM-19), and in the subject
 * (INM-20). They count where a user has that name; no mapping, list or group is reached by them.
 */
#include "proto/mail/header.h"
#include "proto/mail/recipient_text.h"
#include "proto/mime/encoded_word.h"
#include "server/pipeline/collected_find.h"
#include "server/pipeline/names.h"

#define SUBJECT_MAX 4096  /* bytes of a subject in which marks are looked for */
#define NOTED_NAMES 6     /* names looked up that one note each is left for */
#define MARKED_MAX 20     /* names between marks that are looked up */

/* VALUE without folds and encoded words; in the arena of the plan, cut at MAX. */
static struct span
decoded(struct collected_find *f, struct span value, size_t max)
{
	struct buf plain, out;
	struct span text;

	buf_init(&plain, max);
	buf_init(&out, 4 * max);
	text = span_range(value, 0, max);
	if (header_unfold(&plain, text) == OK)
		text = buf_span(&plain);
	if (encoded_word_is_needed(text) && encoded_word_decode(&out, text) == OK)
		text = buf_span(&out);
	text = arena_copy(f->plan->arena, text);
	buf_fini(&plain);
	buf_fini(&out);
	return text;
}

bool
collected_is_user(struct collected_find *f, struct span name, struct span *out)
{
	struct user user;
	enum err err = names_user(f->ask->snap, name, &user);

	if (err == OK)
		*out = arena_copy(f->plan->arena, user.name);
	else if (err == ERR_IO || err == ERR_CORRUPT)
		f->failed = err;
	return err == OK;
}

static void
add_user(struct collected_find *f, struct span user, struct span field)
{
	collected_add_target(f, user, (struct mail_target){ .target = user }, field);
}

bool
collected_single(struct collected_find *f, const struct collected_text *at)
{
	struct span names[RECIPIENT_BESIDE_MAX];
	size_t count = recipient_text_beside(at->raw, names, COUNT(names));

	for (size_t i = 0; i < count; i++) {
		struct span name, user;

		if (f->looked_up++ >= COLLECTED_LOOKUPS_MAX)
			return false;
		name = span_trim(decoded(f, names[i], ENCODED_WORD_MAX));
		if (collected_is_user(f, name, &user)) {
			plan_note(f->plan, NOTE_WHO_BESIDE, name, at->field);
			add_user(f, user, at->field);
			return true;
		}
		if (f->looked_up <= NOTED_NAMES)
			plan_note(f->plan, NOTE_WHO_BESIDE_NOT, name, at->field);
	}
	return false;
}

void
collected_subject(struct collected_find *f)
{
	struct span marker = f->ask->collector->marker, name, user, first = SPAN_NONE;
	struct span rest = decoded(f, f->ask->mail->facts.subject, SUBJECT_MAX);

	for (size_t i = 0; i < MARKED_MAX && recipient_text_marked(&rest, marker, &name); i++) {
		if (collected_is_user(f, name, &user)) {
			plan_note(f->plan, NOTE_WHO_MARKED, name, marker);
			add_user(f, user, SPAN_NONE);
			return;
		}
		first = first.len > 0 ? first : name;
	}
	if (first.len == 0) {
		plan_note(f->plan, NOTE_WHO_MARKED_NOT, marker, SPAN_NONE);
		return;
	}
	plan_note(f->plan, NOTE_WHO_MARKED_NOBODY, first, marker);
	collected_add_target(f, first, (struct mail_target){ .target = SPAN_NONE }, SPAN_NONE);
}
