/*
 * message_flags.c - flags and keywords of messages (RFC 9051, 6.4.6; RFC 7162, 3.1.3).
 *
 * A flag is a bit of an entry, so a block is rewritten and nothing else. Two things are not bits: a
 * keyword for which the folder had no bit left, which is a word of the copy; and \Seen of somebody
 * who has his own in this folder, which is a row of `seen`. Both let the entry's modseq rise.
 */
#include "store/message_pass.h"

#include "store/seen.h"

#define BLOCKS_A_SLICE 400 /* rewritten; about 3 ms */
#define COPIES_A_SLICE 800 /* of them rewritten */

/* ---- by bits: what the server itself sets ---- */

static bool
flags_in_block(struct pass *p, struct flag_change change, uint64_t modseq)
{
	bool changed = false;

	for (unsigned i = 0; i < p->block.count; i++) {
		struct entry *e = &p->block.entries[i];
		uint32_t flags = (e->flags | change.add) & ~change.remove;

		if (!pass_has(p, e->uid) || flags == e->flags)
			continue;
		folder_count_flags(&p->folder, e->flags, -1);
		folder_count_flags(&p->folder, flags, 1);
		e->flags = flags;
		e->modseq = modseq;
		changed = true;
	}
	return changed;
}

enum err
message_set_flags(struct txn *txn, const struct folder *where, struct uid_list list,
	struct flag_change change, uint64_t *modseq)
{
	struct pass p;
	uint64_t next;
	enum err err = pass_begin(&p, txn, where, list);

	*modseq = 0;
	if (err != OK)
		return err;
	next = p.folder.highest_modseq + 1;
	while ((err = pass_next_block(&p)) == OK) {
		uint32_t last_uid = p.block.entries[p.block.count - 1].uid;

		if (flags_in_block(&p, change, next)) {
			*modseq = next;
			err = entry_block_put(txn, &p.block);
		}
		if (err != OK)
			return err;
		pass_end_block(&p, last_uid);
	}
	if (err != ERR_NOT_FOUND || *modseq == 0)
		return err == ERR_NOT_FOUND ? OK : err;
	p.folder.highest_modseq = p.folder.flags_modseq = next;
	txn_note_folder(txn, p.folder.folder_id);
	return folder_put(txn, &p.folder);
}

/* ---- by order ---- */

struct storing {
	struct pass p;
	const struct flag_order *order;
	struct flag_result *result;
	struct folder_keywords keywords;
	uint32_t bits;        /* flags and keyword bits that the order names */
	uint32_t may;         /* bits that may change */
	struct span *extra;   /* keywords of the order that have no bit */
	size_t extra_count, copies;
	uint64_t modseq;
	bool own_seen;        /* \Seen is in the table `seen` */
	struct seen_reader seen;
	uint32_t *seen_uids;  /* whose own \Seen changes */
	size_t seen_count;
};

static bool
is_in(const struct span *names, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (span_eq_nocase(names[i], name))
			return true;
	return false;
}

/* Names to bits. What is removed needs no new one; neither does a name that got none. */
static enum err
keywords_resolve(struct storing *s)
{
	const struct flag_order *o = s->order;
	struct arena *arena = txn_arena(s->p.txn);
	enum err err = folder_keywords_load(s->p.txn, s->p.folder.folder_id, &s->keywords);

	s->extra = arena_alloc(arena, (o->keyword_count + 1) * sizeof(s->extra[0]));
	for (size_t i = 0; i < o->keyword_count && err == OK; i++) {
		struct span name = arena_copy(arena, o->keywords[i]);
		uint32_t bit = folder_keyword_bit(&s->keywords, name);

		if (name.len > KEYWORD_MAX)
			return ERR_LIMIT;
		if (bit == 0 && o->op != FLAGS_REMOVE)
			err = folder_keyword_add(
				s->p.txn, s->p.folder.folder_id, &s->keywords, name, &bit);
		s->bits |= bit;
		if (bit == 0 && !is_in(s->extra, s->extra_count, name))
			s->extra[s->extra_count++] = name;
	}
	return err;
}

static enum err
storing_begin(struct storing *s, struct txn *txn, const struct folder *where, struct uid_list list)
{
	const struct flag_order *o = s->order;
	enum err err = pass_begin(&s->p, txn, where, list);

	if (err != OK)
		return err;
	s->modseq = s->p.folder.highest_modseq + 1;
	s->may = o->may & (FLAGS_SYSTEM | FLAGS_KEYWORDS);
	s->bits = o->flags & FLAGS_SYSTEM;
	s->own_seen = seen_is_own(&s->p.folder, o->user_id);
	if (s->own_seen) {
		seen_reader_init(&s->seen, s->p.folder.folder_id, o->user_id);
		s->seen_uids = arena_alloc(txn_arena(txn), (list.count + 1) * sizeof(uint32_t));
	}
	return s->may & FLAGS_KEYWORDS ? keywords_resolve(s) : OK;
}

static uint32_t
bits_after(const struct storing *s, uint32_t before)
{
	uint32_t after = before;

	if (s->order->op == FLAGS_ADD)
		after = before | s->bits;
	else if (s->order->op == FLAGS_REMOVE)
		after = before & ~s->bits;
	else
		after = s->bits;
	return (before & ~s->may) | (after & s->may);
}

/* ---- keywords without a bit ---- */

/* The words of a copy after the order. */
static enum err
words_after(const struct storing *s, struct span before, struct buf *out)
{
	struct span word, rest = before;
	enum err err = OK;

	while (err == OK && s->order->op != FLAGS_REPLACE && keyword_next(&rest, &word))
		if (s->order->op == FLAGS_ADD || !is_in(s->extra, s->extra_count, word))
			err = keyword_put(out, word);
	for (size_t i = 0; i < s->extra_count && err == OK; i++)
		if (s->order->op == FLAGS_REPLACE ||
			(s->order->op == FLAGS_ADD && !keyword_in(before, s->extra[i])))
			err = keyword_put(out, s->extra[i]);
	return err;
}

/* The copy of E is rewritten where its words change; *flags says whether it has some. */
static enum err
words_change(struct storing *s, const struct entry *e, uint32_t *flags, bool *changed)
{
	struct copy copy;
	struct buf words;
	enum err err = copy_get(txn_view(s->p.txn), e->copy_id, &copy);

	if (err != OK) /* damaged: its bits are all there is (H49) */
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	buf_init(&words, COPY_KEYWORDS_MAX);
	err = words_after(s, copy.keywords, &words);
	*changed = err == OK && !span_eq(copy.keywords, buf_span(&words));
	*flags &= ~FLAG_MORE_KEYWORDS;
	if (err == OK && buf_span(&words).len > 0)
		*flags |= FLAG_MORE_KEYWORDS;
	if (*changed) {
		copy.front = arena_copy(txn_arena(s->p.txn), copy.front);
		copy.keywords = buf_span(&words);
		err = copy_put(s->p.txn, &copy, false);
		s->copies++;
	}
	buf_fini(&words);
	return err;
}

/* Can the order change words of this entry's copy? */
static bool
touches_words(const struct storing *s, const struct entry *e)
{
	bool has = e->flags & FLAG_MORE_KEYWORDS;

	if (!(s->may & FLAGS_KEYWORDS))
		return false;
	if (s->order->op == FLAGS_REPLACE)
		return has || s->extra_count > 0;
	return s->extra_count > 0 && (has || s->order->op == FLAGS_ADD);
}

/* ---- one entry ---- */

/* His own \Seen: not a bit of the entry. *after has it as the order wants it, and gets E's own back. */
static bool
own_seen_change(struct storing *s, const struct entry *e, uint32_t *flags)
{
	bool before = seen_is(txn_view(s->p.txn), &s->seen, e->uid);
	uint32_t mine = (e->flags & ~FLAG_SEEN) | (before ? FLAG_SEEN : 0);
	bool after = bits_after(s, mine) & FLAG_SEEN;

	*flags = (*flags & ~FLAG_SEEN) | (e->flags & FLAG_SEEN);
	if (before == after)
		return false;
	s->seen_uids[s->seen_count++] = e->uid;
	return true;
}

static enum err
store_entry(struct storing *s, struct entry *e, bool *changed)
{
	uint32_t flags = bits_after(s, e->flags);
	bool words = false, seen = false;
	enum err err = OK;

	*changed = false;
	if (e->flags & FLAG_HELD)
		return OK;
	if (e->modseq > s->order->unchanged_since) {
		if (s->result->failed)
			s->result->failed[s->result->failed_count] = e->uid;
		s->result->failed_count++;
		return OK;
	}
	if (touches_words(s, e))
		err = words_change(s, e, &flags, &words);
	if (s->own_seen)
		seen = own_seen_change(s, e, &flags);
	if (err != OK || (!words && !seen && flags == e->flags))
		return err;
	folder_count_flags(&s->p.folder, e->flags, -1);
	folder_count_flags(&s->p.folder, flags, 1);
	e->flags = flags;
	s->result->stale |= e->modseq > s->order->known;
	e->modseq = s->modseq;
	s->result->changed++;
	*changed = true;
	return OK;
}

static enum err
store_block(struct storing *s)
{
	bool changed = false, any = false;
	enum err err = OK;

	for (unsigned i = 0; i < s->p.block.count && err == OK; i++) {
		if (!pass_has(&s->p, s->p.block.entries[i].uid))
			continue;
		err = store_entry(s, &s->p.block.entries[i], &changed);
		any |= changed;
	}
	return err == OK && any ? entry_block_put(s->p.txn, &s->p.block) : err;
}

/* His own \Seen of all that changed: all became the same, since ADD, REMOVE and REPLACE say one thing. */
static enum err
seen_write(struct storing *s)
{
	bool seen = s->order->op != FLAGS_REMOVE && (s->order->flags & FLAG_SEEN);

	if (s->seen_count == 0)
		return OK;
	return seen_set(s->p.txn, s->p.folder.folder_id, s->order->user_id, s->seen_uids,
		s->seen_count, seen);
}

static bool
slice_is_full(const struct storing *s)
{
	return s->p.blocks >= BLOCKS_A_SLICE || s->copies >= COPIES_A_SLICE;
}

enum err
message_store(struct txn *txn, const struct folder *where, struct uid_list list,
	const struct flag_order *order, struct flag_result *result)
{
	struct storing s = { .order = order, .result = result };
	uint32_t last_uid;
	enum err err;

	result->modseq = result->changed = result->next = result->failed_count = 0;
	result->stale = false;
	err = storing_begin(&s, txn, where, list);
	while (err == OK && !slice_is_full(&s)) {
		err = pass_next_block(&s.p);
		if (err != OK)
			break;
		last_uid = s.p.block.entries[s.p.block.count - 1].uid;
		err = store_block(&s);
		pass_end_block(&s.p, last_uid);
	}
	result->next = err == ERR_NOT_FOUND ? list.count : s.p.next;
	if (err == ERR_NOT_FOUND)
		err = OK;
	if (err == OK)
		err = seen_write(&s);
	if (err != OK || result->changed == 0)
		return err;
	result->modseq = s.p.folder.highest_modseq = s.p.folder.flags_modseq = s.modseq;
	txn_note_folder(txn, where->folder_id);
	return folder_put(txn, &s.p.folder);
}

/* ---- reading ---- */

enum err
message_keywords(struct snapshot *snap, uint64_t folder_id, const struct entry *entry,
	struct arena *a, struct span *out)
{
	struct folder_keywords names = { .count = 0 };
	struct copy copy = { .copy_id = 0 };
	struct buf words;
	enum err err = OK;

	*out = SPAN("");
	if (entry->flags & FLAGS_KEYWORDS)
		err = folder_keywords_get(snap, folder_id, &names);
	if (err == OK && entry->flags & FLAG_MORE_KEYWORDS)
		err = copy_get(snap, entry->copy_id, &copy);
	buf_init(&words, KEYWORDS_WORDS_MAX);
	if (err == OK)
		err = keywords_put(&words, &names, entry->flags);
	if (err == OK && copy.keywords.len > 0)
		err = keyword_put(&words, copy.keywords);
	if (err == OK)
		*out = arena_copy(a, buf_span(&words));
	buf_fini(&words);
	return err;
}
