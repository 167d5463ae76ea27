/*
 * outgoing_header.c - addresses and fields of the copy for the Internet.
 */
#include "server/pipeline/outgoing_header.h"

#include <stdio.h>

#include "proto/mail/header_edit.h"
#include "server/pipeline/names.h"
#include "store/groups.h"

#define CHANGES_NOTED 8           /* addresses that leave a note */
#define FIELDS_ADDED_MAX 65536    /* bytes that modifiers may add */
#define ADDRESSES_ADDED_MAX 65536 /* bytes that new addresses may be longer */

static const struct span address_fields[] = { { "To", 2 }, { "From", 4 }, { "Cc", 2 },
	{ "Reply-To", 8 }, { "Sender", 6 }, { "Return-Receipt-To", 17 } };

struct changing {
	struct pipeline_ask *ask;
	struct plan *plan;
	size_t noted;
	enum err err;
};

/* ---- addresses ---- */

/* USR-31: the reply address of the user that ADDRESS is; ptr NULL: none. */
static struct span
reply_address(struct changing *c, const struct address *address)
{
	struct user user;
	enum err err;

	if (!conf_is_local(c->ask->conf, address->local_part, address->domain))
		return SPAN_NONE;
	err = names_user(c->ask->snap, address->local_part, &user);
	if (err != OK && err != ERR_NOT_FOUND)
		c->err = err;
	if (err != OK || user.reply_address.len == 0)
		return SPAN_NONE;
	return group_reply_address(c->plan->arena, user.reply_address, user.name);
}

static struct span
map_address(void *arg, struct span text)
{
	struct changing *c = arg;
	struct arena *a = c->plan->arena;
	struct address address, changed;
	struct span reply, domain;
	bool did = false;

	if (address_parse(a, text, &address) != OK || address.domain.len == 0)
		return SPAN_NONE;
	reply = reply_address(c, &address);
	if (reply.len > 0 && address_parse(a, reply, &changed) == OK && changed.domain.len > 0) {
		address = changed;
		did = true;
	}
	domain = conf_mapped_domain(c->ask->conf, address.domain);
	if (domain.len > 0 && address_with_domain(a, &address, domain, &changed) == OK) {
		address = changed;
		did = true;
	}
	if (!did || span_eq(address.text, text))
		return SPAN_NONE;
	if (c->noted++ < CHANGES_NOTED)
		plan_note(c->plan, NOTE_OUT_ADDRESS, text, address.text);
	return address.text;
}

/* ---- fields ---- */

static struct header_originator
originator(struct arena *a, struct span header)
{
	struct header_originator from = { SPAN_NONE, SPAN_NONE };
	struct span value = header_find(header, SPAN("From"));
	struct header_mailbox mailbox;

	if (header_next_mailbox(&value, &mailbox)) {
		from.address = arena_copy(a, mailbox.address);
		from.name = arena_copy(a, mailbox.display);
	}
	return from;
}

/* A name that was folded is one line again; what a header line cannot hold is left out. */
static struct span
one_line(struct arena *a, struct span text)
{
	struct buf line;
	struct span out = SPAN_NONE;

	buf_init(&line, HEADER_LINE_MAX);
	if (header_unfold(&line, text) == OK)
		out = arena_copy(a, buf_span(&line));
	buf_fini(&line);
	return span_has_control(out, SPAN("\t")) ? SPAN_NONE : out;
}

static enum err
all_modified(struct changing *c, struct span header, struct header_modifier *all, size_t count,
	struct buf *out)
{
	enum err err = header_put_modified(out, header, all, count);

	for (size_t i = 0; i < count; i++)
		if (all[i].value.len > 0 || all[i].found)
			plan_note(c->plan, NOTE_OUT_FIELD, all[i].name,
				all[i].value.len > 0 ? SPAN("set by headers.outgoing") :
						       SPAN("removed by headers.outgoing"));
	return err;
}

static enum err
put_modified(struct changing *c, struct span header, struct buf *out)
{
	const struct conf_list *lines = &c->ask->conf->headers_outgoing;
	struct arena *a = c->plan->arena;
	struct header_modifier *all = ARENA_ARRAY(a, struct header_modifier, lines->count + 1);
	struct header_originator from = originator(a, header);
	size_t count = 0;

	from.name = one_line(a, from.name);
	from.address = one_line(a, from.address);
	for (size_t i = 0; i < lines->count; i++) {
		if (header_modifier_parse(lines->items[i], &all[count]) != OK)
			continue; /* conf_check() refuses it */
		all[count].value = header_modifier_fill(a, all[count].value, &from);
		count++;
	}
	return all_modified(c, header, all, count, out);
}

/* ---- both ---- */

enum err
outgoing_header_make(struct pipeline_ask *ask, struct span header, struct plan *plan)
{
	struct changing c = { .ask = ask, .plan = plan };
	struct header_addresses addresses = { address_fields, COUNT(address_fields),
		(size_t)ask->conf->limits_addresses, map_address, &c };
	struct span now = header;
	struct buf *out = plan_buf(plan, header.len + ADDRESSES_ADDED_MAX);
	enum err err = header_put_mapped(out, header, &addresses);

	if (c.err != OK)
		return c.err;
	if (err == OK)
		now = buf_span(out); /* of a header that is too long nothing is changed */
	if (plan->standing == STANDING_USER && ask->conf->headers_outgoing.count > 0) {
		out = plan_buf(plan, now.len + FIELDS_ADDED_MAX);
		err = put_modified(&c, now, out);
		if (err != OK)
			return err;
		now = buf_span(out);
	}
	if (!span_eq(now, header))
		plan->header_outgoing = now;
	return OK;
}
