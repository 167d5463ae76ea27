/*
 * collected_who.c - see collected_who.h: the routes, and the row of recipients that they make.
 */
#include "server/pipeline/collected_who.h"

#include <string.h>

#include "proto/base/hash64.h"
#include "proto/mail/lan_target.h"
#include "server/pipeline/collected_find.h"

#define LOOKED_MIN 100 /* addresses that are looked at, whatever number of domains is accepted */
#define NOTED_FOUND 8  /* recipients that one note each is left for */
#define SCRATCH_CHUNKS 4

/* ---- the row ---- */

static size_t
slot_of(const struct collected_find *f, const struct address *address)
{
	const uint64_t *nonce = f->ask->mail->nonce;
	uint64_t hash = hash64((struct hash64_key){ nonce[0], nonce[1] }, address->key);
	size_t at = (size_t)hash & (f->slot_count - 1);

	while (f->slots[at] && !address_eq(&f->found[f->slots[at] - 1], address))
		at = (at + 1) & (f->slot_count - 1);
	return at;
}

/* Room for one more, in the row and, half full at most, in the table. */
static void
grow(struct collected_find *f)
{
	size_t room = f->room ? 2 * f->room : 8;
	struct address *found = ARENA_ARRAY(f->plan->arena, struct address, room);

	if (f->count)
		memcpy(found, f->found, f->count * sizeof(*found));
	f->found = found;
	f->room = room;
	f->slot_count = 2 * room;
	f->slots = ARENA_ARRAY(f->plan->arena, size_t, f->slot_count);
	for (size_t i = 0; i < f->count; i++)
		f->slots[slot_of(f, &f->found[i])] = i + 1;
}

static void
note_over(struct collected_find *f)
{
	if (!f->over)
		plan_note_number(f->plan, NOTE_WHO_OVER, f->max, f->max);
	f->over = true;
}

bool
collected_add(struct collected_find *f, const struct address *address, struct span field)
{
	size_t slot;

	if (f->count == f->room)
		grow(f);
	slot = slot_of(f, address);
	if (f->slots[slot])
		return false;
	if (f->count >= f->max) {
		note_over(f);
		return false;
	}
	f->found[f->count] = address_copy(f->plan->arena, address);
	f->slots[slot] = ++f->count;
	if (field.len > 0 && f->notes_found++ < NOTED_FOUND)
		plan_note(f->plan, NOTE_WHO_FOUND, address->text, field);
	return true;
}

/* ---- targets ---- */

/* The recipient that NAME, a name or an address, has in the envelope. */
static enum err
address_of(struct collected_find *f, struct span name, struct address *out)
{
	struct arena *a = f->plan->arena;
	enum err err = address_parse(a, name, out);

	if (err != OK && span_find_any(name, SPAN("\"\\")) == name.len)
		err = address_parse(a, arena_printf(a, "\"%.*s\"", SPAN_FMT(name)), out);
	if (err == OK && (out->flags & ADDRESS_NO_DOMAIN))
		err = address_with_domain(a, out, conf_default_domain(f->ask->conf), out);
	return err;
}

static void
keep_target(struct collected_find *f, struct mail_target target)
{
	if (f->target_count == f->target_room) {
		size_t room = f->target_room ? 2 * f->target_room : 4;
		struct mail_target *all = ARENA_ARRAY(f->plan->arena, struct mail_target, room);

		if (f->target_count)
			memcpy(all, f->targets, f->target_count * sizeof(*all));
		f->targets = all;
		f->target_room = room;
	}
	f->targets[f->target_count++] = target;
}

void
collected_add_target(struct collected_find *f, struct span name, struct mail_target target, struct span field)
{
	struct address address;

	if (address_of(f, name, &address) != OK) {
		plan_note(f->plan, NOTE_WHO_NO_ADDRESS, name, f->ask->collector->name);
		return;
	}
	if (f->target_count >= COLLECTED_TARGETS_MAX) {
		note_over(f);
		return;
	}
	if (!collected_add(f, &address, field))
		return;
	target.key = address.key;
	keep_target(f, target);
}

/* ---- the routes ---- */

static void
route_all(struct collected_find *f)
{
	const struct conf_collector *c = f->ask->collector;

	plan_note(f->plan, NOTE_WHO_TARGET, c->name, c->target);
	collected_add_target(f, c->target,
		(struct mail_target){ .target = arena_copy(f->plan->arena, c->target) }, SPAN_NONE);
}

/* INM-09 (3), LAN-07: an address at a server, as a LAN rule has it. */
static void
route_lan(struct collected_find *f)
{
	const struct conf_collector *c = f->ask->collector;
	struct arena *a = f->plan->arena;
	struct lan_target server;
	struct span to = c->target_server;

	if (lan_target_parse(to, &server) == OK)
		to = lan_target_format(a, &server);
	plan_note(f->plan, NOTE_WHO_TARGET, c->name,
		arena_printf(a, "%.*s at %.*s", SPAN_FMT(c->target), SPAN_FMT(to)));
	collected_add_target(f, c->target,
		(struct mail_target){ .route = arena_printf(a, LAN_ROUTE_PREFIX "%.*s", SPAN_FMT(to)) }, SPAN_NONE);
}

/* In the order of the words of collector.route. */
static void (*const routes[])(struct collected_find *f) = {
	collected_steps,   /* recipient */
	route_all,	   /* all */
	route_lan,	   /* lan */
	collected_steps,   /* single: collected_single() is asked of each address */
	collected_subject, /* subject */
};

static void
add_of_rule(struct collected_find *f, struct span target, const char *how)
{
	plan_note(f->plan, NOTE_WHO_RULE, target, span_of(how));
	collected_add_target(
		f, target, (struct mail_target){ .target = arena_copy(f->plan->arena, target) }, SPAN_NONE);
}

static size_t
looked_max(const struct conf_collector *c)
{
	size_t max = COLLECTED_COMPARED_MAX / (c->accepted.count ? c->accepted.count : 1);

	max = max < LOOKED_MIN ? LOOKED_MIN : max;
	return max > COLLECTED_LOOKED_MAX ? COLLECTED_LOOKED_MAX : max;
}

enum err
collected_who(const struct collected_ask *ask, struct plan *plan, struct address **out, size_t *count)
{
	struct collected_find f = { .ask = ask, .plan = plan,
		.header = span_range(ask->mail->header, 0, HEADER_SIZE_MAX) };
	struct chunk_pool pool;

	f.looked_max = looked_max(ask->collector);
	f.max = (size_t)ask->conf->limits_recipients;
	chunk_pool_init(&pool, SCRATCH_CHUNKS);
	arena_init(&f.scratch, &pool);
	if (ask->instead.len > 0)
		add_of_rule(&f, ask->instead, "nobody else gets it");
	else
		routes[ask->collector->route](&f);
	if (ask->also.len > 0)
		add_of_rule(&f, ask->also, "besides its recipients");
	arena_reset(&f.scratch);
	chunk_pool_fini(&pool);
	ask->mail->targets = f.targets;
	ask->mail->target_count = f.target_count;
	*out = f.found;
	*count = f.count;
	return f.failed;
}
