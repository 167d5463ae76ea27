/*
 * monitor_header.c - fields put in front, fields taken out, a subject with a prefix.
 */
#include "server/pipeline/monitor_header.h"

#include "conf/conf.h"
#include "proto/mail/header.h"
#include "store/contents.h"

#define PREFIX_FIELD_MAX 1024 /* bytes of a prefix as a field has it, encoded */
#define PREFIX_PLAIN SPAN("{Mon}") /* in place of one that is no field */
#define SUBJECT_LINE_MAX 78   /* RFC 5322, 2.1.1: the prefix has a line of its own beyond that */
#define LIST_LINE_MAX 900     /* bytes of a line of recipients */
#define FIELDS_MAX 4096       /* bytes of our fields but that list */
#define OWN_FIELDS_MAX (MONITOR_RECIPIENTS_MAX + FIELDS_MAX)

/* Whoever asks for receipts by fields of the file's lists is found there. */
static const struct span asking[] = { { "Disposition-Notification-To", 27 },
	{ "Disposition-Notification-Options", 32 }, { "Return-Receipt-To", 17 },
	{ "Return-Receipt-Requested", 24 }, { "Read-Receipt-To", 15 }, { "X-Confirm-Reading-To", 20 },
	{ "X-PMRQC", 7 }, { "Generate-Delivery-Report", 24 },
	{ "X-Monitor-*", 11 }, /* what somebody else put there is not ours */
	{ "Auto-Submitted", 14 } };

/* ---- whom it was for ---- */

/* Address by address; a line that is full is ended and a new field begun. */
static enum err
put_recipients(struct buf *out, const struct envelope *envelope, size_t max)
{
	const char *name = envelope->recipient_count == 1 ? "X-Monitor-Recipient" : "X-Monitor-Recipients";
	size_t start = buf_span(out).len, line = 0, left = envelope->recipient_count;
	struct list *at, *following;
	enum err err = OK;

	list_for_each(at, following, &envelope->recipients) {
		struct span address = LIST_ITEM(at, struct recipient, link)->address.text;

		if (err != OK || buf_span(out).len - start + address.len > max)
			break;
		if (line > 0 && line + address.len + 2 <= LIST_LINE_MAX) {
			err = buf_printf(out, ", %.*s", SPAN_FMT(address));
			line += address.len + 2;
		} else {
			err = buf_printf(out, "%s%s: %.*s", line > 0 ? "\r\n" : "", name, SPAN_FMT(address));
			line = address.len;
		}
		left--;
	}
	if (err == OK && left > 0)
		err = buf_printf(out, "%s%s: and %zu more", line > 0 ? "\r\n" : "", name, left);
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

/* ---- the subject ---- */

/*
 * The value of a field with the text PREFIX, as header_put_text() writes it, without its last CRLF. No prefix keeps a
 * message from those it is for.
 */
static enum err
encode_prefix(struct plan *plan, struct span prefix, struct span *out)
{
	struct buf *field = plan_buf(plan, PREFIX_FIELD_MAX);
	enum err err = header_put_text(field, SPAN("Subject"), prefix);

	if (err != OK) {
		buf_clear(field);
		err = header_put_text(field, SPAN("Subject"), PREFIX_PLAIN);
	}
	if (err != OK)
		return ERR_LIMIT;
	*out = span_range(buf_span(field), 0, buf_span(field).len - 2);
	return OK;
}

/* The old value follows as it is; its first line may need one of its own. */
static enum err
put_subject(struct buf *out, struct span begin, struct span value)
{
	size_t first = span_find(value, '\r');
	bool fits = begin.len + 1 + first <= SUBJECT_LINE_MAX;
	enum err err = buf_put(out, begin);

	if (err == OK && value.len > 0)
		err = buf_printf(out, "%s%.*s", fits ? " " : "\r\n ", SPAN_FMT(value));
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

/* HEADER with BEGIN before the value of its subject; of several subjects the first alone stays. */
static enum err
put_prefixed(struct buf *out, struct span header, struct span begin)
{
	struct span rest = header;
	const char *done = header.ptr;
	struct header_field field;
	bool found = false;
	enum err err = OK;

	while (err == OK && header_next(&rest, &field)) {
		if (!span_eq_nocase(field.name, SPAN("Subject")))
			continue;
		err = buf_put(out, (struct span){ done, (size_t)(field.raw.ptr - done) });
		if (err == OK && !found)
			err = put_subject(out, begin, field.value);
		found = true;
		done = field.raw.ptr + field.raw.len;
	}
	if (err == OK && !found)
		err = put_subject(out, begin, SPAN_NONE);
	return err == OK ? buf_put(out, span_from(header, (size_t)(done - header.ptr))) : err;
}

/* ---- the whole ---- */

static enum err
put_without(const struct pipeline_ask *ask, struct plan *plan, struct buf *out)
{
	const struct conf_list *lists[] = { &ask->conf->headers_delivery_receipt,
		&ask->conf->headers_transmission_receipt };
	struct span *names = ARENA_ARRAY(plan->arena, struct span,
		COUNT(asking) + lists[0]->count + lists[1]->count);
	size_t count = 0;

	for (size_t i = 0; i < COUNT(asking); i++)
		names[count++] = asking[i];
	for (size_t i = 0; i < COUNT(lists); i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			names[count++] = lists[i]->items[j];
	return header_put_without(out, plan->header, names, count);
}

/* Of a header without room for our fields, what is needed to read the message: nobody escapes by its length. */
static enum err
put_needed(struct buf *out, struct span header)
{
	static const struct span names[] = { { "From", 4 }, { "To", 2 }, { "Cc", 2 }, { "Date", 4 },
		{ "Subject", 7 }, { "Message-ID", 10 }, { "MIME-Version", 12 }, { "Content-Type", 12 },
		{ "Content-Transfer-Encoding", 25 } };
	bool seen[COUNT(names)] = { false };
	struct header_field field;
	enum err err = OK;

	while (err == OK && header_next(&header, &field))
		for (size_t i = 0; i < COUNT(names) && err == OK; i++) {
			if (seen[i] || !span_eq_nocase(field.name, names[i]))
				continue;
			seen[i] = true;
			err = buf_put(out, field.raw);
		}
	return err == OK ? buf_put(out, SPAN("\r\n")) : err;
}

static enum err
put_own(const struct pipeline_ask *ask, struct buf *out, size_t max)
{
	enum err err = put_recipients(out, &ask->mail->envelope, max);

	return err == OK ? buf_put(out, SPAN("Auto-Submitted: auto-generated\r\n")) : err;
}

enum err
monitor_header_make(const struct pipeline_ask *ask, struct plan *plan, struct span prefix,
	const struct plan_version **version)
{
	struct buf *kept = plan_buf(plan, plan->header.len + 2), *out;
	struct plan_version *made;
	struct span begin;
	enum err err = encode_prefix(plan, prefix, &begin);

	if (err == OK && plan->header.len + OWN_FIELDS_MAX <= CONTENT_HEADER_MAX)
		err = put_without(ask, plan, kept);
	else if (err == OK)
		err = put_needed(kept, plan->header);
	if (err != OK)
		return err;
	out = plan_buf(plan, buf_span(kept).len + OWN_FIELDS_MAX);
	err = put_own(ask, out, MONITOR_RECIPIENTS_MAX);
	if (err == OK)
		err = put_prefixed(out, buf_span(kept), begin);
	if (err != OK)
		return err;
	made = plan_version_new(plan);
	made->header = buf_span(out);
	made->front = SPAN("Return-Path: <>\r\n"); /* an answer goes to nobody (MON-08) */
	*version = made;
	return OK;
}
