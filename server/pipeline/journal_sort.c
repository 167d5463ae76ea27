/*
 * journal_sort.c - the decision table of the journal, and the addresses that it is asked about.
 */
#include "server/pipeline/journal_sort.h"

#include <stdlib.h>

#include "conf/conf.h"

/* ---- the table ---- */

static uint64_t
free_seats(const struct journal_case *c, enum seat_kind kind)
{
	if (c->seats[kind] == SEATS_UNLIMITED)
		return UINT64_MAX;
	return (uint64_t)c->seats[kind] > c->used[kind] ? (uint64_t)c->seats[kind] - c->used[kind] : 0;
}

void
journal_sort(struct journal_case *c)
{
	/* JRN-08: the recipients of an internal author are not looked at */
	size_t asked = c->count > 0 && c->parties[0].kind == SEAT_INTERNAL ? 1 : c->count;
	uint64_t left[SEAT_KINDS];

	left[SEAT_INTERNAL] = free_seats(c, SEAT_INTERNAL);
	left[SEAT_EXTERNAL] = free_seats(c, SEAT_EXTERNAL);
	c->lacks = NULL;
	for (size_t i = 0; i < c->count; i++)
		c->parties[i].takes = false;
	for (size_t i = 0; i < asked && !c->lacks; i++) {
		struct journal_party *party = &c->parties[i];

		if (party->holds)
			continue;
		if (left[party->kind] == 0)
			c->lacks = party;
		else
			left[party->kind]--;
	}
	c->recorded = c->count > 0 && !c->lacks;
	for (size_t i = 0; i < asked && c->recorded; i++)
		c->parties[i].takes = !c->parties[i].holds;
}

/* ---- who it is about ---- */

bool
journal_is_internal(const struct conf *conf, const struct address *address)
{
	if (conf->journal_internal_list.count > 0)
		return patterns_match(
			conf->journal_internal_list, address->local_part, address->domain);
	return conf_is_local(conf, address->local_part, address->domain);
}

static bool
is_of_recipients(struct span name)
{
	return span_eq_nocase(name, SPAN("To")) || span_eq_nocase(name, SPAN("Cc")) ||
		span_eq_nocase(name, SPAN("Bcc"));
}

size_t
journal_addresses_max(struct span header)
{
	struct header_field field;
	size_t most = 0;

	while (header_next(&header, &field))
		if (is_of_recipients(field.name))
			most += field.value.len / 2 + 1; /* "a," is the shortest */
	return most < HEADER_ADDRESSES_MAX ? most : HEADER_ADDRESSES_MAX;
}

static void
add(struct journal_case *c, struct span key, enum seat_kind kind)
{
	if (c->count < c->room)
		c->parties[c->count++] = (struct journal_party){ .address = key, .kind = kind };
}

/* An address of a header field; one without a domain is of the default domain. */
static bool
take_address(const struct pipeline_ask *ask, struct arena *a, struct span text, struct address *out)
{
	struct span domain = conf_default_domain(ask->conf);
	struct address parsed;

	if (address_parse(a, text, &parsed) != OK || address_is_null(&parsed))
		return false;
	*out = parsed;
	return !(parsed.flags & ADDRESS_NO_DOMAIN) ||
		(domain.len > 0 && address_with_domain(a, &parsed, domain, out) == OK);
}

/* The From field (contract 8); the envelope's where that names nobody. */
static void
add_author(const struct pipeline_ask *ask, struct arena *a, struct journal_case *c)
{
	const struct address *sender = &ask->mail->envelope.reverse_path;
	struct span from = ask->mail->facts.from;
	struct header_mailbox mailbox;
	struct address address;
	bool found = header_next_mailbox(&from, &mailbox) &&
		take_address(ask, a, mailbox.address, &address);

	if (!found && !address_is_null(sender)) {
		address = *sender;
		found = true;
	}
	if (found)
		add(c, address.key, journal_is_internal(ask->conf, &address) ? SEAT_INTERNAL : SEAT_EXTERNAL);
	else
		add(c, SPAN("<>"), SEAT_EXTERNAL);
}

static void
add_recipient(const struct pipeline_ask *ask, struct journal_case *c, const struct address *address)
{
	if (journal_is_internal(ask->conf, address))
		add(c, address->key, SEAT_INTERNAL);
}

static void
add_field(const struct pipeline_ask *ask, struct arena *a, struct journal_case *c, struct span value)
{
	struct header_mailbox mailbox;
	struct address address;

	while (c->count < c->room && header_next_mailbox(&value, &mailbox))
		if (take_address(ask, a, mailbox.address, &address))
			add_recipient(ask, c, &address);
}

/* the envelope, for Bcc is in no header; then To, Cc, Bcc. */
static void
add_recipients(const struct pipeline_ask *ask, struct arena *a, struct journal_case *c)
{
	struct span rest = ask->mail->header;
	struct header_field field;
	struct list *at, *following;

	list_for_each(at, following, &ask->mail->envelope.recipients)
		add_recipient(ask, c, &LIST_ITEM(at, struct recipient, link)->address);
	while (c->count < c->room && header_next(&rest, &field))
		if (is_of_recipients(field.name))
			add_field(ask, a, c, field.value);
}

static int
by_address(const void *x, const void *y)
{
	return span_cmp(((const struct journal_party *)x)->address,
		((const struct journal_party *)y)->address);
}

/* Each recipient once, behind the author. */
static void
leave_out_repeats(struct journal_case *c)
{
	size_t kept = 1;

	if (c->count < 2)
		return;
	qsort(c->parties + 1, c->count - 1, sizeof(*c->parties), by_address);
	for (size_t i = 1; i < c->count; i++)
		if (kept == 1 || !span_eq(c->parties[kept - 1].address, c->parties[i].address))
			c->parties[kept++] = c->parties[i];
	c->count = kept;
}

struct journal_case *
journal_case_of(const struct pipeline_ask *ask, const struct plan *plan)
{
	struct journal_case *c = ARENA_NEW(plan->arena, struct journal_case);

	c->seats[SEAT_INTERNAL] = ask->conf->journal_seats_internal;
	c->seats[SEAT_EXTERNAL] = ask->conf->journal_seats_external;
	c->room = 1 + ask->mail->envelope.recipient_count + journal_addresses_max(ask->mail->header);
	if (c->room > JOURNAL_PARTIES_MAX)
		c->room = JOURNAL_PARTIES_MAX;
	c->parties = ARENA_ARRAY(plan->arena, struct journal_party, c->room);
	add_author(ask, plan->arena, c);
	if (c->parties[0].kind == SEAT_EXTERNAL)
		add_recipients(ask, plan->arena, c);
	leave_out_repeats(c);
	return c;
}

enum err
journal_case_look(struct snapshot *snap, struct journal_case *c)
{
	enum err err = journal_seat_count(snap, c->used);

	for (size_t i = 0; i < c->count && err == OK; i++) {
		struct journal_seat seat;

		err = journal_seat_find(snap, c->parties[i].address, &seat);
		c->parties[i].holds = err == OK && seat.kind == c->parties[i].kind;
		if (err == ERR_NOT_FOUND)
			err = OK;
	}
	return err;
}
