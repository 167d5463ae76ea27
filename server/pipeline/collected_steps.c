/*
 * collected_steps.c - the fields of a header that name recipients, read in the collector's order (INM-10 to INM-15).
 *
 *     special    the fields of special_headers, whole or what stands for '*' in a template
 *     standard   To, Cc, Apparently-To, Resent-To, Resent-Cc; never Bcc and Resent-Bcc, which are somebody's secret
 *     received   `for <address>` of Received
 */
#include "proto/mail/header.h"
#include "proto/mail/recipient_text.h"
#include "server/pipeline/collected_find.h"
#include "server/pipeline/names.h"

#define NOTED_PASSED 6 /* addresses passed over that one note each is left for */
#define OTHERS_PART 10 /* special and received fields may have so much less addresses than the standard ones */

/* ---- an address ---- */

static bool
is_over(struct collected_find *f)
{
	if (f->looked < f->looked_max) {
		f->looked++;
		return false;
	}
	if (!f->over)
		plan_note_number(f->plan, NOTE_WHO_LOOKED, f->looked_max, f->looked_max);
	f->over = true;
	return true;
}

static void
pass_over(struct collected_find *f, enum note_code why, struct span text, struct span field)
{
	f->passed++;
	if (f->notes_passed++ < NOTED_PASSED)
		plan_note(f->plan, why, text, field);
}

/* An address of the text; one without a domain gets the default one. In the scratch arena. */
static bool
read_address(struct collected_find *f, const struct collected_text *at, struct address *out)
{
	enum err err = recipient_text_address(&f->scratch, at->text, out);

	if (err != OK || address_is_null(out)) {
		pass_over(f, NOTE_WHO_NO_ADDRESS, span_trim_folds(at->text), at->field);
		return false;
	}
	if (!(out->flags & ADDRESS_NO_DOMAIN))
		return true;
	if (f->needs_at) {
		pass_over(f, NOTE_WHO_BARE, out->text, at->field);
		return false;
	}
	return address_with_domain(&f->scratch, out, conf_default_domain(f->ask->conf), out) == OK;
}

static void
take(struct collected_find *f, const struct collected_text *at, const struct address *address)
{
	if (f->ask->collector->route == COLLECTOR_SINGLE && collected_single(f, at))
		return;
	collected_add(f, address, at->field);
}

/* One that the accepted domains fit: of this step all count, or the first, or the last (INM-12). */
static void
recognise(struct collected_find *f, const struct collected_text *at, const struct address *address)
{
	f->any = true;
	f->recognised++;
	if (f->read == READ_ALL) {
		take(f, at, address);
		return;
	}
	if (f->has_kept)
		f->unused++;
	if (!f->has_kept || f->read == READ_REVERSED)
		f->kept = *at;
	f->has_kept = true;
}

static void
look_at(struct collected_find *f, const struct collected_text *at)
{
	struct address address;

	if (read_address(f, at, &address)) {
		if (names_accepts(f->ask->collector, &address))
			recognise(f, at, &address);
		else
			pass_over(f, NOTE_WHO_PASSED, address.text, at->field);
	}
	arena_reset(&f->scratch);
}

/* ---- fields ---- */

static void
read_list(struct collected_find *f, struct span field, struct span value)
{
	struct header_mailbox mailbox;

	while (header_next_mailbox(&value, &mailbox) && !is_over(f))
		look_at(f, &(struct collected_text){ mailbox.address, mailbox.raw, field });
}

static void
step_standard(struct collected_find *f, const struct header_field *field)
{
	static const char *const names[] = { "To", "Cc", "Apparently-To", "Resent-To", "Resent-Cc" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct span name = span_of(names[i]);

		if (!span_eq_nocase(field->name, name))
			continue;
		if (f->ask->collector->ignore_resent && span_starts(name, SPAN("Resent-")))
			plan_note(f->plan, NOTE_WHO_IGNORED, name, SPAN("ignore_resent"));
		else
			read_list(f, name, field->value);
	}
}

static void
step_received(struct collected_find *f, const struct header_field *field)
{
	struct span rest = field->value, text;

	if (!span_eq_nocase(field->name, SPAN("Received")))
		return;
	while (recipient_text_for(&rest, &text) && !is_over(f))
		look_at(f, &(struct collected_text){ text, SPAN_NONE, SPAN("Received") });
}

/* "account-*" of "DeliveredTo: account-*"; empty: all of the value. */
static bool
is_special(const struct collected_find *f, struct span name, struct span *template)
{
	const struct conf_list *all = &f->ask->collector->special_headers;
	struct span head;

	for (size_t i = 0; i < all->count; i++) {
		span_cut(all->items[i], ':', &head, template);
		*template = span_trim(*template);
		if (span_eq_nocase(span_trim(head), name))
			return true;
	}
	return false;
}

/* Of a list each address may fit the template, else the whole value. */
static void
read_template(struct collected_find *f, const struct header_field *field, struct span template)
{
	struct span value = field->value, part;
	struct header_mailbox mailbox;
	bool fits = false;

	while (header_next_mailbox(&value, &mailbox) && !is_over(f))
		if (recipient_text_template(mailbox.address, template, &part)) {
			fits = true;
			look_at(f, &(struct collected_text){ part, SPAN_NONE, field->name });
		}
	if (!fits && recipient_text_template(field->value, template, &part)) {
		fits = true;
		read_list(f, field->name, part);
	}
	if (!fits)
		pass_over(f, NOTE_WHO_TEMPLATE, span_trim_folds(field->value), template);
}

static void
step_special(struct collected_find *f, const struct header_field *field)
{
	struct span template;

	if (!is_special(f, field->name, &template))
		return;
	if (template.len > 0)
		read_template(f, field, template);
	else
		read_list(f, field->name, field->value);
}

/* ---- steps ---- */

static const struct step {
	const char *name;
	void (*read)(struct collected_find *f, const struct header_field *field);
} steps[] = {
	{ "special", step_special },
	{ "standard", step_standard },
	{ "received", step_received },
};

static void
note_step(struct collected_find *f, const struct step *step)
{
	struct arena *a = f->plan->arena;
	struct span what = SPAN("nobody");

	if (f->recognised > 0 && f->unused > 0)
		what = arena_printf(a, "%zu addresses of ours, of which the %s counts", f->recognised,
			f->read == READ_FORWARDS ? "first" : "last");
	else if (f->recognised > 0)
		what = arena_printf(a, "%zu of ours", f->recognised);
	if (f->passed > 0)
		what = arena_printf(a, "%.*s; %zu passed over", SPAN_FMT(what), f->passed);
	plan_note(f->plan, NOTE_WHO_STEP, span_of(step->name), what);
}

static enum conf_collector_read
read_of(const struct collected_find *f, const struct step *step)
{
	const struct conf_collector *c = f->ask->collector;

	if (step->read == step_standard)
		return READ_ALL;
	return (enum conf_collector_read)(step->read == step_special ? c->read_special : c->read_received);
}

static void
take_kept(struct collected_find *f)
{
	struct address address;

	f->needs_at = false;
	if (f->has_kept && read_address(f, &f->kept, &address))
		take(f, &f->kept, &address);
	arena_reset(&f->scratch);
}

static void
run_step(struct collected_find *f, const struct step *step)
{
	size_t fields = (size_t)f->ask->conf->limits_header_fields; /* more are refused in any case (H7) */
	struct span rest = f->header;
	struct header_field field;

	f->read = read_of(f, step);
	f->needs_at = step->read == step_received && f->ask->collector->ignore_bare_received;
	f->looked = step->read == step_standard ? 0 : f->looked_max - f->looked_max / OTHERS_PART;
	f->has_kept = false;
	f->recognised = f->unused = f->passed = 0;
	while (fields-- > 0 && header_next(&rest, &field))
		step->read(f, &field);
	note_step(f, step);
	take_kept(f);
}

static const struct step *
step_named(struct span word)
{
	for (size_t i = 0; i < COUNT(steps); i++)
		if (span_eq_nocase(word, span_of(steps[i].name)))
			return &steps[i];
	return NULL;
}

/* INM-18: what the server says of the envelope. True: it is ours. */
static bool
read_envelope(struct collected_find *f)
{
	static const struct step envelope = { "*ENV", NULL };

	if (f->ask->envelope.len == 0)
		return false;
	f->read = READ_ALL;
	look_at(f, &(struct collected_text){ f->ask->envelope, SPAN_NONE, span_of(envelope.name) });
	note_step(f, &envelope);
	return f->any;
}

void
collected_steps(struct collected_find *f)
{
	const struct conf_list *order = &f->ask->collector->order;
	struct span stopped = SPAN_NONE;

	if (read_envelope(f))
		return;

	for (size_t i = 0; i < order->count; i++) {
		const struct step *step = step_named(order->items[i]);

		if (step && stopped.len > 0)
			plan_note(f->plan, NOTE_WHO_STOPPED, order->items[i], stopped);
		else if (step && (step->read != step_special || f->ask->collector->special_headers.count > 0))
			run_step(f, step);
		else if (!step && stopped.len == 0 && span_eq_nocase(order->items[i], SPAN("stop")))
			stopped = SPAN("stop");
		else if (!step && stopped.len == 0 && f->any)
			stopped = SPAN("stop-if-any, and somebody was found");
	}
}
