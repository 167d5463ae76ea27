/*
 * plan.c - a plan being filled: notes, copies, the refusal.
 */
#include "server/pipeline/plan.h"

#include <stdio.h>
#include <string.h>

#define NOTES_FIRST_SIZE 256 /* bytes; doubled up to NOTES_MAX */
#define SEEN_FIRST_SIZE  16  /* slots; doubled when half full */
#define HEADER_END_BYTES 128

const char *const copy_role_words[COPY_ROLES] = {
	[COPY_DELIVERY] = "delivery",
	[COPY_MONITOR] = "monitor",
	[COPY_JOURNAL] = "journal",
	[COPY_ARCHIVE] = "archive",
};

void
plan_init(struct plan *plan, struct arena *arena)
{
	*plan = (struct plan){ .arena = arena };
	plan->copies_end = &plan->copies;
}

static void
buf_free(void *arg)
{
	buf_fini(arg);
}

struct buf *
plan_buf(struct plan *plan, size_t max)
{
	struct buf *out = ARENA_NEW(plan->arena, struct buf);

	buf_init(out, max);
	arena_on_reset(plan->arena, buf_free, out);
	return out;
}

/* Room for one more note of SIZE bytes, or false at the limit. */
static bool
notes_grow(struct plan *plan, size_t size)
{
	size_t want = plan->notes_size ? plan->notes_size : NOTES_FIRST_SIZE;
	char *larger;

	if (plan->notes_len + size > NOTES_MAX)
		return false;
	while (want < plan->notes_len + size)
		want *= 2;
	if (want == plan->notes_size)
		return true;
	larger = arena_alloc(plan->arena, want);
	if (plan->notes_len > 0)
		memcpy(larger, plan->notes, plan->notes_len);
	plan->notes = larger;
	plan->notes_size = want;
	return true;
}

void
plan_note(struct plan *plan, enum note_code code, struct span found, struct span because)
{
	char note[NOTE_SIZE_MAX];
	size_t size = note_encode(note, code, found, because);

	if (!notes_grow(plan, size)) {
		plan->notes_dropped++;
		return;
	}
	memcpy(plan->notes + plan->notes_len, note, size);
	plan->notes_len += size;
}

void
plan_note_number(struct plan *plan, enum note_code code, uint64_t found, uint64_t because)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%llu", (unsigned long long)found);
	snprintf(b, sizeof(b), "%llu", (unsigned long long)because);
	plan_note(plan, code, span_of(a), span_of(b));
}

struct span
plan_notes(const struct plan *plan)
{
	return (struct span){ plan->notes, plan->notes_len };
}

/* The slot that holds this target, or the free one where it belongs. */
static struct plan_copy **
seen_slot(struct plan *plan, const struct plan_copy *copy)
{
	size_t at = (size_t)(span_hash_nocase(copy->target) + (unsigned)copy->kind);

	for (;; at++) {
		struct plan_copy **slot = &plan->seen[at & (plan->seen_size - 1)];

		if (!*slot || ((*slot)->kind == copy->kind && (*slot)->role == copy->role &&
				      (*slot)->version == copy->version &&
				      span_eq_nocase((*slot)->target, copy->target) &&
				      span_eq((*slot)->route, copy->route)))
			return slot;
	}
}

static void
seen_build(struct plan *plan)
{
	plan->seen = ARENA_ARRAY(plan->arena, struct plan_copy *, plan->seen_size);
	for (struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		*seen_slot(plan, copy) = copy;
}

static void
seen_grow(struct plan *plan)
{
	if (plan->seen_size > 2 * plan->copy_count)
		return;
	do
		plan->seen_size = plan->seen_size ? 2 * plan->seen_size : SEEN_FIRST_SIZE;
	while (plan->seen_size <= 2 * plan->copy_count);
	seen_build(plan);
}

static struct plan_copy *
copy_keep(struct arena *a, const struct plan_copy *copy)
{
	struct plan_copy *kept = ARENA_NEW(a, struct plan_copy);

	*kept = *copy;
	kept->next = NULL;
	kept->recipient = arena_copy(a, copy->recipient);
	kept->target = arena_copy(a, copy->target);
	kept->sender = arena_copy(a, copy->sender);
	kept->route = arena_copy(a, copy->route);
	kept->folder = arena_copy(a, copy->folder);
	kept->user = arena_copy(a, copy->user);
	kept->found = arena_copy(a, copy->found);
	kept->because = arena_copy(a, copy->because);
	return kept;
}

enum err
plan_copy_add(struct plan *plan, const struct plan_copy *copy, size_t max)
{
	struct plan_copy **slot;

	seen_grow(plan);
	slot = seen_slot(plan, copy);
	if (*slot) {
		if (!copy->quiet)
			plan_note(plan, NOTE_PLACE_AGAIN, copy->recipient, copy->target);
		return OK;
	}
	if (plan_counted(plan) >= max && copy->role == COPY_DELIVERY && !copy_is_forward(copy))
		return ERR_LIMIT;
	*slot = *plan->copies_end = copy_keep(plan->arena, copy);
	plan->copies_end = &(*slot)->next;
	plan->copy_count++;
	plan->forward_count += copy_is_forward(copy);
	plan->role_count += copy->role != COPY_DELIVERY;
	if (!copy->quiet)
		plan_note(plan, copy->why, copy->found, copy->because);
	return OK;
}

void
plan_copies_remove(struct plan *plan, bool (*goes)(const struct plan_copy *copy))
{
	struct plan_copy *copy = plan->copies;

	plan->copies = NULL;
	plan->copies_end = &plan->copies;
	plan->copy_count = plan->forward_count = plan->role_count = 0;
	plan->seen_size = 0; /* made anew by the next one that is added */
	for (; copy; copy = copy->next) {
		if (goes(copy))
			continue;
		*plan->copies_end = copy;
		plan->copies_end = &copy->next;
		plan->copy_count++;
		plan->forward_count += copy_is_forward(copy);
		plan->role_count += copy->role != COPY_DELIVERY;
	}
	*plan->copies_end = NULL;
}

void
plan_hit_add(struct plan *plan, const struct rule *rule)
{
	struct plan_hit *hit = plan->hits;

	while (hit && (hit->key != rule->key || hit->number != rule->number))
		hit = hit->next;
	if (!hit) {
		hit = ARENA_NEW(plan->arena, struct plan_hit);
		*hit = (struct plan_hit){ .next = plan->hits, .key = rule->key, .number = rule->number,
			.name = arena_copy(plan->arena, rule->name), .sign = rule_sign(plan->arena, rule) };
		plan->hits = hit;
	}
	hit->times++;
}

struct plan_version *
plan_version_new(struct plan *plan)
{
	struct plan_version *version = ARENA_NEW(plan->arena, struct plan_version);

	version->next = plan->versions;
	plan->versions = version;
	return version;
}

bool
plan_headers_eq(struct span a, struct span b)
{
	size_t end = a.len < HEADER_END_BYTES ? a.len : HEADER_END_BYTES;

	if (a.len != b.len || a.ptr == b.ptr)
		return a.len == b.len;
	return memcmp(a.ptr + a.len - end, b.ptr + b.len - end, end) == 0 &&
		memcmp(a.ptr, b.ptr, a.len - end) == 0;
}

size_t
plan_counted(const struct plan *plan)
{
	return plan->copy_count - plan->forward_count - plan->role_count;
}

void
plan_copies_sweep(struct plan *plan)
{
	struct plan_copy **at = &plan->copies;

	while (*at) {
		if (!(*at)->left) {
			at = &(*at)->next;
			continue;
		}
		plan->copy_count--;
		plan->forward_count -= copy_is_forward(*at);
		plan->role_count -= (*at)->role != COPY_DELIVERY;
		*at = (*at)->next;
	}
	plan->copies_end = at;
	if (plan->seen_size > 0)
		seen_build(plan);
}

bool
plan_leaves(const struct plan *plan)
{
	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		if (copy->kind == COPY_REMOTE && copy->role == COPY_DELIVERY)
			return true;
	return false;
}

size_t
plan_outgoing_count(const struct plan *plan)
{
	size_t count = 0;

	for (const struct plan_copy *copy = plan->copies; copy; copy = copy->next)
		count += copy_is_outgoing(copy);
	return count;
}

void
plan_refuse(struct plan *plan, unsigned code, const char *enhanced, const char *text)
{
	plan->reply = (struct plan_reply){ code, enhanced, span_of(text) };
}
