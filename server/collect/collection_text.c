/*
 * collection_text.c - the text of a message on its way into an intake: no more of it than limits.message_size, and not the
 * `From ` line that may stand in front (INM-16).
 */
#include "server/collect/collection_inside.h"

#include <string.h>

void
collection_text_open(struct collection_fetch *f)
{
	f->intake = intake_open(f->c->o.host, &collection_intake_events, f);
	collection_fill_mail(f);
	f->envelope_from = arena_copy(&f->intake->arena, f->c->source->envelope_from); /* INM-18 */
	f->envelope_to = arena_copy(&f->intake->arena, f->c->source->envelope_to);
	if (f->item.by_header || collection_doubts(f->c))
		collect_like_begin(&f->likeness);
}

/* By which TOP will know it again. */
static void
learn_header(struct collection_fetch *f)
{
	struct intake *in = f->intake;

	if (!f->item.by_header || f->item.has_hash || in->mail.header_is_over)
		return;
	intake_text_close(in);
	f->item.has_hash = collect_like_header(in->mail.header, f->item.hash);
	if (f->item.has_hash)
		collection_tell_apart(f->c, f->item.hash);
}

/*
 * It is larger than its server said, or than can be known before: nothing of it is kept, and the rest is passed over; not
 * for ever, for there are servers that never end.
 */
static void
pass_by(struct collection_fetch *f)
{
	struct collection *c = f->c;

	if (f->intake) {
		learn_header(f);
		collection_set_aside(c, &f->item);
		intake_drop(&f->intake);
	}
	if (f->came - (uint64_t)c->o.host->conf->limits_message_size > COLLECTION_EXCESS_MAX) {
		collection_item_error(c, &f->item, "it does not come to an end, far over limits.message_size: remove it there",
			SPAN_NONE);
		collection_cut(c);
	}
}

static bool
is_too_large(const struct collection_fetch *f)
{
	uint64_t max = (uint64_t)f->c->o.host->conf->limits_message_size;

	return max > 0 && f->came > max;
}

/* What F holds in memory now: c->held is the sum. */
static void
count_held(struct collection_fetch *f, size_t held)
{
	f->c->held += held - f->held;
	f->held = held;
}

static bool
put(struct collection_fetch *f, struct span text)
{
	if (text.len > 0 && !f->passes && intake_text(f->intake, text) != OK)
		return false;
	collect_like_feed(&f->likeness, text);
	atomic_fetch_add(&f->c->shown.bytes, text.len);
	f->came += text.len;
	f->passes = f->passes || is_too_large(f);
	if (f->passes)
		pass_by(f);
	count_held(f, f->intake ? f->intake->held : 0);
	return true;
}

bool
collection_text_first(struct collection_fetch *f)
{
	if (!put(f, (struct span){ f->first, f->first_len }))
		return false;
	f->begun = true;
	return true;
}

/*
 * INM-16: a first line that is no header line is left out. It is gathered until it is known what it is; *text is what
 * is left. False: no room.
 */
static bool
skip_from_line(struct collection_fetch *f, struct span *text)
{
	size_t before = f->first_len, used, take = sizeof(f->first) - f->first_len;
	enum parse is;

	if (!f->c->o.conf->ignore_from_line)
		return collection_text_first(f);
	take = take < text->len ? take : text->len;
	memcpy(f->first + f->first_len, text->ptr, take);
	f->first_len += take;
	is = collected_from_line((struct span){ f->first, f->first_len }, &used);
	if (is == PARSE_MORE && f->first_len < sizeof(f->first)) {
		*text = span_from(*text, take);
		return true;
	}
	f->first_len = before;
	if (is == PARSE_DONE) {
		f->begun = true;
		f->skip = used - before;
		return true;
	}
	return collection_text_first(f);
}

bool
collection_text_put(struct collection_fetch *f, struct span text)
{
	struct collection *c = f->c;

	if (collection_is_late(c)) {
		c->text_waits = true;
		collection_resume(c);
		return false;
	}
	if (c->storing > 0 && c->held >= COLLECTION_HELD_MAX)
		return false; /* the end of a commit resumes it */
	if (!f->intake && !f->passes)
		collection_text_open(f);
	if (!f->begun && !skip_from_line(f, &text))
		return false;
	if (f->begun && !put(f, span_from(text, f->skip)))
		return false;
	f->skip = 0;
	return true;
}
