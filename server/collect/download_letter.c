/*
 * download_letter.c - what those are told whose mail is asked about or was removed (DLR-07, DLR-10).
 */
#include "proto/mail/mail_date.h"
#include "proto/mail/message_no.h"
#include "server/collect/download_inside.h"
#include "server/collect/source.h"
#include "server/log.h"
#include "server/queue/own_mail.h"

#define HEADER_SHOWN 16384 /* bytes of the header that are shown */
#define NAMES_SHOWN 20
#define ABOUT_SHOWN 80 /* bytes of its subject in the subject of the letter */
#define TEXT_MAX (OWN_MAIL_TEXT_MAX - 1024)

/* Whole characters of UTF-8, MAX bytes at most. */
static struct span
cut(struct span text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max > 0 && ((unsigned char)text.ptr[max] & 0xc0) == 0x80)
		max--;
	return span_range(text, 0, max);
}

struct span
download_letter_subject(struct arena *a, const struct download_letter *l)
{
	char no[MESSAGE_NO_SIZE];

	if (l->question_no == 0)
		return arena_printf(a, "Deleted: %.*s", SPAN_FMT(cut(l->about, ABOUT_SHOWN)));
	return arena_printf(a, "Download? %.*s {%.*s}", SPAN_FMT(cut(l->about, ABOUT_SHOWN)),
		SPAN_FMT(message_no_format(l->question_no, no)));
}

static struct span
size_of(struct arena *a, const struct download_letter *l)
{
	if (l->size == SOURCE_SIZE_UNKNOWN)
		return SPAN("not known");
	return arena_printf(a, "%llu bytes", (unsigned long long)l->size);
}

static struct span
names_of(struct arena *a, const struct download_letter *l)
{
	struct span all = l->name_count == 0 ? SPAN("nobody who is known here") : SPAN("");

	for (size_t i = 0; i < l->name_count && i < NAMES_SHOWN; i++)
		all = arena_printf(a, "%.*s%s%.*s", SPAN_FMT(all), i ? ", " : "", SPAN_FMT(l->names[i]));
	if (l->name_count > NAMES_SHOWN)
		all = arena_printf(a, "%.*s and %zu more", SPAN_FMT(all), l->name_count - NAMES_SHOWN);
	return all;
}

static struct span
date_of(struct arena *a, const struct download_letter *l)
{
	struct span text = SPAN("");
	struct buf out;

	buf_init(&out, 64);
	if (mail_date_put(&out, (struct mail_date){ l->until_ms / 1000, l->zone_minutes }) == OK)
		text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}

static struct span
opening(struct arena *a, const struct download_letter *l)
{
	if (l->question_no == 0)
		return arena_printf(a,
			"A message in the mailbox of \"%.*s\" was deleted there without being fetched: so says the download\n"
			"rule \"%.*s\".\n", SPAN_FMT(l->collector), SPAN_FMT(l->rule));
	return arena_printf(a,
		"A message waits in the mailbox of \"%.*s\", and the download rule \"%.*s\" asks\n"
		"whether it shall be fetched.\n\n"
		"Reply to this letter and keep its subject line: it is fetched the next time mail is collected, for\n"
		"those to whom it was sent.\n\n"
		"Begin your reply with the word DELETE: it is deleted there, unless somebody else who was asked\n"
		"wants to have it.\n\n"
		"Without an answer it is deleted there after %.*s.\n",
		SPAN_FMT(l->collector), SPAN_FMT(l->rule), SPAN_FMT(date_of(a, l)));
}

/* The header line by line; what is no text becomes a mark. */
static enum err
put_header(struct buf *out, struct span header)
{
	struct span rest = cut(header, HEADER_SHOWN), line;
	enum err err = OK;

	while (err == OK && span_next_line(&rest, &line)) {
		err = log_clean(out, line);
		if (err == OK)
			err = buf_put_char(out, '\n');
	}
	if (err == OK && header.len > HEADER_SHOWN)
		err = buf_put(out, SPAN("...\n"));
	return err;
}

struct span
download_letter_text(struct arena *a, const struct download_letter *l)
{
	struct span text;
	struct buf out;
	enum err err;

	buf_init(&out, TEXT_MAX);
	err = buf_put(&out, opening(a, l));
	if (err == OK)
		err = buf_printf(&out, "\nFrom:    %.*s\nSubject: %.*s\nSize:    %.*s\nFor:     %.*s\n\nIts header:\n\n",
			SPAN_FMT(l->from), SPAN_FMT(l->about), SPAN_FMT(size_of(a, l)), SPAN_FMT(names_of(a, l)));
	if (err == OK)
		err = put_header(&out, l->header);
	if (err != OK)
		out.overflow = false; /* what fitted is enough */
	text = arena_copy(a, buf_span(&out));
	buf_fini(&out);
	return text;
}
