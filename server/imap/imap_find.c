/*
 * imap_find.c - keys made ready, then slices of the walk.
 */
#include "server/imap/imap_find.h"

#include <time.h>

#include "proto/base/utf8.h"
#include "proto/mime/mime_charset.h"
#include "server/host.h"
#include "server/search/search.h"
#include "store/keywords.h"

#define DAY_S 86400
#define SCRATCH_ROOM (256u << 10)
#define LOOK_MESSAGES 16 /* between two looks at the clock, where they are quick */

int64_t
find_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- ready ---- */

static enum find_depth
depth_of(enum imap_key_kind kind)
{
	if (kind >= IMAP_KEY_BODY)
		return FIND_TEXT;
	if (kind >= IMAP_KEY_SENT_BEFORE)
		return FIND_FIELDS;
	if (kind == IMAP_KEY_KEYWORD || kind == IMAP_KEY_NO_KEYWORD || kind == IMAP_KEY_EMAILID ||
		kind == IMAP_KEY_SAVED_BEFORE || kind == IMAP_KEY_SAVED_ON ||
		kind == IMAP_KEY_SAVED_SINCE)
		return FIND_COPY;
	return FIND_ENTRY;
}

static bool
is_text_key(enum imap_key_kind kind)
{
	return kind >= IMAP_KEY_FROM;
}

/* TEXT of the charset that was said, in UTF-8 and folded. */
static enum err
make_needle(struct imap_find *f, unsigned charset, struct span text, struct span *out)
{
	struct mime_charset c;
	struct buf utf8, folded;
	enum err err = OK;

	if (text.len > 0)
		err = mime_charset_open(&c, charset);
	if (err != OK || text.len == 0)
		return err;
	buf_init(&utf8, SEARCH_NEEDLE_MAX);
	buf_init(&folded, SEARCH_NEEDLE_MAX);
	err = mime_charset_put(&c, text, &utf8);
	if (err == OK)
		err = mime_charset_end(&c, &utf8);
	mime_charset_close(&c);
	if (err == OK)
		err = utf8_put_folded(&folded, buf_span(&utf8));
	if (err == OK)
		*out = arena_copy(&f->arena, buf_span(&folded));
	buf_fini(&utf8);
	buf_fini(&folded);
	return err;
}

/* A day begins at midnight here: so INTERNALDATE shows it. */
static int64_t
midnight_s(int64_t day)
{
	return day * DAY_S - (int64_t)host_zone_minutes(day * DAY_S * 1000) * 60;
}

static enum err
ready_set(struct imap_find *f, const struct imap_key *key, struct find_key *ready)
{
	struct imap_seqset set = key->set;
	enum err err = imap_numbers(f->session, &set, key->kind == IMAP_KEY_UIDS, &ready->seqs);

	if (err != ERR_SYNTAX)
		return err;
	/* A key only chooses: the number that no message has chooses none. */
	for (size_t i = 0; i < set.count && set.ranges[i].first <= f->view->count; i++)
		uid_ranges_add(&ready->seqs, &f->arena, set.ranges[i].first,
			set.ranges[i].last < f->view->count ? set.ranges[i].last : f->view->count);
	return OK;
}

static enum err
ready_keyword(struct imap_find *f, const struct imap_key *key, struct find_key *ready)
{
	struct folder_keywords keywords;
	struct snapshot *snap = imap_snapshot(f->session);
	enum err err = snap ? folder_keywords_get(snap, f->folder_id, &keywords) : ERR_IO;

	if (err == OK)
		ready->bit = folder_keyword_bit(&keywords, key->text);
	return err;
}

static enum err
ready_text(struct imap_find *f, unsigned charset, const struct imap_key *key, struct find_key *ready)
{
	enum err err = make_needle(f, charset, key->text, &ready->needle);

	if (err != OK || key->kind < IMAP_KEY_BODY || ready->needle.len == 0)
		return err;
	ready->looked = &f->needles[f->needle_count++];
	ready->looked->text = ready->needle;
	ready->looked->where = SEARCH_IN_BODY | (key->kind == IMAP_KEY_TEXT ? SEARCH_IN_HEADER : 0);
	return OK;
}

static enum err
ready_key(struct imap_find *f, unsigned charset, unsigned i)
{
	const struct imap_key *key = &f->search->keys[i];
	struct find_key *ready = &f->keys[i];

	if (depth_of(key->kind) > f->deepest)
		f->deepest = depth_of(key->kind);
	ready->from_s = midnight_s(key->day);
	ready->to_s = midnight_s(key->day + 1);
	if (key->kind == IMAP_KEY_NUMBERS || key->kind == IMAP_KEY_UIDS)
		return ready_set(f, key, ready);
	if (key->kind == IMAP_KEY_KEYWORD || key->kind == IMAP_KEY_NO_KEYWORD)
		return ready_keyword(f, key, ready);
	return is_text_key(key->kind) ? ready_text(f, charset, key, ready) : OK;
}

/* What A and B both have. */
static struct uid_ranges
both(struct arena *arena, const struct uid_ranges *a, const struct uid_ranges *b)
{
	struct uid_ranges out = { NULL, 0, 0 };

	for (size_t i = 0, n = 0; i < a->count && n < b->count;) {
		struct imap_range x = a->items[i], y = b->items[n];
		uint32_t first = x.first > y.first ? x.first : y.first;
		uint32_t last = x.last < y.last ? x.last : y.last;

		if (first <= last)
			uid_ranges_add(&out, arena, first, last);
		if (x.last < y.last)
			i++;
		else
			n++;
	}
	return out;
}

/* Sets that stand side by side with the rest say which messages need a look at all (H26). */
static void
begin_ranges(struct imap_find *f)
{
	if (f->view->count > 0)
		uid_ranges_add(&f->ranges, &f->arena, 1, f->view->count);
	for (unsigned i = 1; i < f->search->count; i = f->search->keys[i].next)
		if (f->search->keys[i].kind == IMAP_KEY_NUMBERS ||
			f->search->keys[i].kind == IMAP_KEY_UIDS)
			f->ranges = both(&f->arena, &f->ranges, &f->keys[i].seqs);
}

static enum err
ready_all(struct imap_find *f)
{
	const struct imap_search *search = f->search;
	unsigned charset = MIME_CHARSET_UTF8;
	enum err err = OK;

	if (search->charset.len > 0)
		charset = mime_charset_find(search->charset);
	if (charset == MIME_CHARSET_NONE)
		return ERR_NOT_FOUND;
	f->keys = ARENA_ARRAY(&f->arena, struct find_key, search->count);
	f->verdicts = arena_alloc(&f->arena, search->count);
	f->needles = ARENA_ARRAY(&f->arena, struct search_needle, search->count);
	f->open = ARENA_ARRAY(&f->arena, struct search_needle, search->count);
	for (unsigned i = 0; i < search->count && err == OK; i++)
		err = ready_key(f, charset, i);
	if (err == OK)
		begin_ranges(f);
	return err;
}

void
imap_find_forget(struct imap_find *f)
{
	find_answers_free(f);
	f->keys = NULL;
	if (f->map)
		search_map_release(search_maps_of(f->index), &f->map);
	arena_reset(&f->arena);
}

static void
find_fini(void *arg)
{
	struct imap_find *f = arg;

	imap_find_forget(f);
	view_release(&f->view);
	buf_fini(&f->scratch);
	buf_fini(&f->folded);
}

static void
copy_recent(struct imap_find *f, const struct imap_session *s)
{
	const struct uid_ranges *recent = &s->selected->recent.uids;

	for (size_t i = 0; i < recent->count && imap_recent_is_said(s); i++)
		uid_ranges_add(&f->recent, &f->arena, recent->items[i].first, recent->items[i].last);
}

enum err
imap_find_begin(struct imap_session *s, const struct imap_search *search, enum find_depth needs,
	struct imap_find **out)
{
	struct imap_find *f = ARENA_NEW(imap_arena(s), struct imap_find);
	struct imap_selected *selected = s->selected;

	f->session = s;
	f->search = search;
	f->store = s->session.host->store;
	f->index = s->session.host->search;
	arena_init(&f->arena, NULL);
	buf_init(&f->scratch, SCRATCH_ROOM);
	buf_init(&f->folded, 3 * SCRATCH_ROOM);
	f->view = view_hold(selected->view);
	f->folder_id = selected->folder_id;
	f->user_id = s->user_id;
	f->own_seen = selected->own_seen;
	seen_reader_init(&f->seen, f->folder_id, f->user_id);
	copy_recent(f, s);
	f->now_s = host_now_ms(s->session.host) / 1000;
	f->needs = f->deepest = needs;
	f->keys = NULL;
	*out = f;
	arena_on_reset(imap_arena(s), find_fini, f);
	return ready_all(f);
}

struct imap_reply
imap_find_refused(enum err err)
{
	if (err == ERR_NOT_FOUND) /* RFC 9051, 6.4.4 */
		return IMAP_NO("BADCHARSET (US-ASCII UTF-8)", "Unknown charset");
	if (err == ERR_LIMIT)
		return IMAP_NO("LIMIT", "The text or the result is too long");
	return imap_reply_for(err);
}

/* ---- one message ---- */

/* The entry of M->uid; ERR_NOT_FOUND: it has left the store. The blocks are those of uids that rise. */
static enum err
read_entry(struct imap_find *f, struct snapshot *snap, struct find_message *m)
{
	struct entry_block *block = &f->block;
	enum err err = OK;

	if (block->count == 0 || block->entries[block->count - 1].uid < m->uid) {
		err = entry_block_next(snap, f->folder_id, m->uid - 1, block, &f->block_at);
		if (err != OK) {
			block->count = 0;
			return err;
		}
	}
	while (f->block_at < block->count && block->entries[f->block_at].uid < m->uid)
		f->block_at++;
	if (f->block_at == block->count || block->entries[f->block_at].uid != m->uid ||
		block->entries[f->block_at].flags & FLAG_HELD)
		return ERR_NOT_FOUND;
	m->entry = block->entries[f->block_at];
	return OK;
}

/* The needles that are open still, looked for in one pass. */
static void
read_text(struct imap_find *f, struct snapshot *snap, struct find_message *m)
{
	struct search_sink sink = { 0, search_match_piece, &f->match };
	size_t n = 0;

	for (size_t i = 0; i < f->needle_count; i++) {
		f->open[n++] = f->needles[i];
		sink.where |= f->needles[i].where;
	}
	search_match_begin(&f->match, f->open, n);
	search_text_header(m->copy.front, &sink);
	if (f->match.left > 0)
		(void)!search_text_read(snap, &m->content, &sink); /* what is damaged holds nothing */
	for (size_t i = 0; i < n; i++)
		f->needles[i].found = f->open[i].found;
}

/* Look one step deeper. What cannot be read is empty from there on (H49: the rest serves). */
static void
look_deeper(struct imap_find *f, struct snapshot *snap, struct find_message *m)
{
	m->depth++;
	if (m->depth == FIND_COPY) {
		if (copy_get(snap, m->entry.copy_id, &m->copy) != OK)
			m->copy = (struct copy){ .copy_id = m->entry.copy_id };
	} else if (m->depth == FIND_FIELDS) {
		if (content_get(snap, m->copy.content_id, &m->content) != OK)
			m->content = (struct content){ .content_id = m->copy.content_id };
		m->has_derived = true;
		if (search_derived_open(snap, &m->content, &m->derived) == ERR_IO)
			f->err = ERR_IO;
	} else {
		read_text(f, snap, m);
	}
}

static void
find_one(struct imap_find *f, struct snapshot *snap, uint32_t seq, uint32_t uid)
{
	struct find_message m = { .seq = seq, .uid = uid };
	enum imap_verdict verdict;
	enum err err = read_entry(f, snap, &m);

	if (err != OK) {
		if (err != ERR_NOT_FOUND && err != ERR_CORRUPT)
			f->err = err;
		return;
	}
	while ((verdict = find_judge(f, snap, &m)) == IMAP_VERDICT_UNKNOWN && m.depth < FIND_TEXT)
		look_deeper(f, snap, &m);
	while (verdict == IMAP_VERDICT_YES && m.depth < f->needs)
		look_deeper(f, snap, &m);
	if (verdict == IMAP_VERDICT_YES && (!f->hit(f, &m) || f->arena.total > FIND_MEMORY_MAX))
		f->err = ERR_LIMIT;
	if (m.has_derived)
		search_derived_close(&m.derived);
	if (m.depth >= FIND_FIELDS)
		snapshot_forget_copies(snap);
}

/* ---- slices ---- */

static void
begin_walk(struct imap_find *f)
{
	find_narrow(f);
	f->walk = (struct view_walk){ .view = f->view, .ranges = f->ranges.items,
		.range_count = f->ranges.count };
	f->block.count = 0;
	f->phase = FIND_WALKS;
}

static void
walk_some(struct imap_find *f, struct snapshot *snap, int64_t until_us)
{
	unsigned looked = 0;
	uint32_t seq, uid;

	while (f->err == OK) {
		if ((f->deepest > FIND_ENTRY || ++looked % LOOK_MESSAGES == 0) &&
			find_now_us() > until_us)
			return;
		if (!view_walk_next(&f->walk, &seq, &uid)) {
			f->phase = FIND_DONE;
			return;
		}
		find_one(f, snap, seq, uid);
	}
}

static void
slice(struct imap_find *f, struct snapshot *snap, int64_t until_us)
{
	bool more = false;

	if (f->phase == FIND_ASKS) {
		if (f->deepest >= FIND_FIELDS)
			find_ask(f, &more);
		if (!more)
			f->phase = FIND_MAPS;
	} else if (f->phase == FIND_MAPS) {
		f->err = find_map(f, snap, until_us, &more);
		if (!more && f->err == OK)
			begin_walk(f);
	} else {
		walk_some(f, snap, until_us);
	}
}

static void
run_slices(struct imap_find *f, struct snapshot *snap, int64_t until_us)
{
	f->block.count = 0; /* of another snapshot */
	seen_reader_init(&f->seen, f->folder_id, f->user_id);
	do
		slice(f, snap, until_us);
	while (f->phase != FIND_DONE && f->err == OK && find_now_us() < until_us);
}

static void
on_worker(struct work *work)
{
	struct imap_find *f = LIST_ITEM(work, struct imap_find, work);
	struct snapshot *snap;

	f->err = snapshot_open(f->store, &snap);
	if (f->err != OK)
		return;
	run_slices(f, snap, find_now_us() + FIND_SLICE_US);
	snapshot_close(&snap);
}

static void
after_work(struct work *work, enum err result)
{
	struct imap_find *f = LIST_ITEM(work, struct imap_find, work);

	if (result != OK)
		f->err = result;
	imap_resume(f->session);
}

static enum imap_turn
give_to_worker(struct imap_find *f)
{
	f->work = (struct work){ .kind = WORK_SEARCH, .run = on_worker, .done = after_work };
	f->err = imap_work(f->session, &f->work);
	return f->err == OK ? IMAP_WAIT : IMAP_DONE;
}

enum imap_turn
imap_find_go_on(struct imap_find *f)
{
	struct snapshot *snap;

	if (f->phase == FIND_DONE || f->err != OK)
		return IMAP_DONE;
	if (f->deepest > FIND_ENTRY)
		return give_to_worker(f);
	snap = imap_snapshot(f->session);
	if (!snap) {
		f->err = ERR_IO;
		return IMAP_DONE;
	}
	run_slices(f, snap, f->session->slice_until_us);
	return f->phase == FIND_DONE || f->err != OK ? IMAP_DONE : IMAP_MORE;
}
