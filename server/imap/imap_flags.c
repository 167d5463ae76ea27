/*
 * imap_flags.c - flags on the wire.
 */
#include "server/imap/imap_flags.h"

#include "proto/imap/imap_response.h"
#include "store/rights.h"

static const struct {
	uint32_t flag;
	struct span text;
} words[] = {
	{ FLAG_SEEN, { "\\Seen", 5 } },
	{ FLAG_ANSWERED, { "\\Answered", 9 } },
	{ FLAG_FLAGGED, { "\\Flagged", 8 } },
	{ FLAG_DELETED, { "\\Deleted", 8 } },
	{ FLAG_DRAFT, { "\\Draft", 6 } },
};
#define ALL_WORDS (FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DELETED | FLAG_DRAFT)

enum err
imap_flag_reader_begin(
	struct imap_session *imap, struct snapshot *snap, struct imap_flag_reader *out)
{
	const struct imap_selected *sel = imap->selected;

	*out = (struct imap_flag_reader){ .snap = snap };
	if (imap_recent_is_said(imap))
		out->recent = &sel->recent;
	if (sel->own_seen) {
		out->seen = ARENA_NEW(imap_arena(imap), struct seen_reader);
		seen_reader_init(out->seen, sel->folder_id, imap->user_id);
	}
	return folder_keywords_get(snap, sel->folder_id, &out->keywords);
}

uint32_t
imap_flags_of(struct imap_flag_reader *r, const struct entry *entry)
{
	uint32_t flags = entry->flags;

	if (!r->seen)
		return flags;
	flags &= ~FLAG_SEEN;
	return seen_is(r->snap, r->seen, entry->uid) ? flags | FLAG_SEEN : flags;
}

/* Appends WORD, with a blank where it is not the first. */
static bool
put_word(struct buf *out, bool *first, struct span word)
{
	bool ok = (*first || buf_put_char(out, ' ') == OK) && buf_put(out, word) == OK;

	*first = false;
	return ok;
}

/* What found no bit in the folder stands in the copy. */
static bool
put_more(struct imap_flag_reader *r, const struct entry *entry, struct buf *out, bool *first)
{
	struct copy copy;
	struct span name;
	bool ok = true;

	if (copy_get(r->snap, entry->copy_id, &copy) != OK)
		return true; /* logged by the store; the other flags serve */
	while (ok && keyword_next(&copy.keywords, &name))
		ok = put_word(out, first, name);
	return ok;
}

enum err
imap_flags_put(struct imap_flag_reader *r, const struct entry *entry, struct buf *out)
{
	uint32_t flags = imap_flags_of(r, entry);
	bool first = true, ok = buf_put_char(out, '(') == OK;

	for (size_t i = 0; (flags & ALL_WORDS) && i < COUNT(words) && ok; i++)
		if (flags & words[i].flag)
			ok = put_word(out, &first, words[i].text);
	if (ok && r->recent && imap_recent_has(r->recent, entry->uid))
		ok = put_word(out, &first, SPAN("\\Recent"));
	for (unsigned i = 0; (flags >> 16) && i < r->keywords.count && ok; i++)
		if (flags & FLAG_KEYWORD(i))
			ok = put_word(out, &first, r->keywords.names[i]);
	if (ok && (flags & FLAG_MORE_KEYWORDS))
		ok = put_more(r, entry, out, &first);
	return ok && buf_put_char(out, ')') == OK ? OK : ERR_LIMIT;
}

uint32_t
imap_flags_allowed(const struct imap_selected *sel, bool *keywords)
{
	uint32_t flags = 0;

	*keywords = false;
	if (sel->read_only)
		return 0;
	if (sel->rights & RIGHT_SEEN)
		flags |= FLAG_SEEN;
	if (sel->rights & RIGHT_DELETED)
		flags |= FLAG_DELETED;
	if (sel->rights & RIGHT_WRITE) {
		flags |= FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT;
		*keywords = true;
	}
	return flags;
}

static void
put_list(struct buf *out, uint32_t flags, const struct folder_keywords *keywords, bool star)
{
	bool first = true, ok = buf_put_char(out, '(') == OK;

	for (size_t i = 0; i < COUNT(words) && ok; i++)
		if (flags & words[i].flag)
			ok = put_word(out, &first, words[i].text);
	for (unsigned i = 0; keywords && i < keywords->count && ok; i++)
		ok = put_word(out, &first, keywords->names[i]);
	if (ok && star)
		ok = put_word(out, &first, SPAN("\\*"));
	imap_put(buf_put_char(out, ')'));
}

void
imap_put_folder_flags(struct imap_session *imap, const struct folder_keywords *keywords)
{
	struct buf *out = imap_out(imap);
	bool may_keywords;
	uint32_t allowed = imap_flags_allowed(imap->selected, &may_keywords);

	imap_put(buf_put(out, SPAN("* FLAGS ")));
	put_list(out, ALL_WORDS, keywords, false);
	imap_put(buf_put(out, SPAN("\r\n* OK [PERMANENTFLAGS ")));
	put_list(out, allowed, may_keywords ? keywords : NULL, may_keywords);
	imap_put(buf_put(out, SPAN("] These are kept\r\n")));
	imap->selected->keywords = keywords->count;
}

void
imap_put_new_keywords(struct imap_session *imap, const struct folder_keywords *keywords)
{
	if (keywords->count != imap->selected->keywords)
		imap_put_folder_flags(imap, keywords);
}

void
imap_put_flags_line(struct imap_session *imap, struct imap_flag_reader *reader, uint32_t seq,
	const struct entry *entry)
{
	struct buf *out = imap_out(imap);
	bool by_uid = (imap->run && imap->run->by_uid) ||
		(imap->enabled & (IMAP_ENABLED_QRESYNC | IMAP_ENABLED_REV2));

	imap_put_new_keywords(imap, &reader->keywords);
	imap_put(buf_put(out, SPAN("* ")));
	imap_put(buf_put_u64(out, seq));
	imap_put(buf_put(out, SPAN(" FETCH (")));
	if (by_uid)
		imap_put(buf_printf(out, "UID %u ", entry->uid));
	imap_put(buf_put(out, SPAN("FLAGS ")));
	imap_put(imap_flags_put(reader, entry, out));
	if (imap->enabled & IMAP_ENABLED_CONDSTORE)
		imap_put(buf_printf(out, " MODSEQ (%llu)", (unsigned long long)entry->modseq));
	imap_put(buf_put(out, SPAN(")\r\n")));
}
