/*
 * message_transfer.c - see message_transfer.h.
 *
 *	small           one slice: everything, straight into the target
 *	large copy      slices of COPY_SLICE: copies and entries into a hidden folder, whose uidnext is
 *	                how far the list has come; then its blocks go to the target, and it goes
 *	large move      slices of MOVE_SLICE: the save date of the copies; then the entries go
 */
#include "store/message_transfer.h"

#include "store/folder_jobs.h"
#include "store/forwards.h"
#include "store/ids.h"
#include "store/message_leave.h"
#include "store/seen.h"

#define COPY_SLICE 400 /* messages: their copies are written, and their contents */
#define MOVE_SLICE 1500

/* One call of apply(). */
struct transfer {
	struct message_transfer *t;
	struct txn *txn;
	struct folder from, to;
	struct folder_keywords from_keywords, to_keywords;
	struct seen_reader seen;          /* of the source */
	bool own_seen_from, own_seen_to;
	uint32_t *seen_uids;              /* of the target */
	size_t seen_count, seen_room;
	size_t found_before;              /* of t->found, by slices before */
	bool rewrites;                    /* of a move: the copies get their save date now */
	uint64_t forwards;                /* the mailbox that both are in, where it has pairs */
	struct arrival arrival;
};

/* ---- what becomes of flags and keywords ---- */

/* A name that has no bit in the target joins WORDS. */
static enum err
carry_word(struct transfer *x, struct span name, uint32_t *flags, struct buf *words)
{
	uint32_t bit = 0;
	enum err err;

	if (name.len > KEYWORD_MAX)
		return OK;
	err = folder_keyword_add(x->txn, x->to.folder_id, &x->to_keywords, name, &bit);
	*flags |= bit;
	return err == OK && bit == 0 ? keyword_put(words, name) : err;
}

/* The keywords of an entry as the target has them: bits into *flags, what has none into WORDS. */
static enum err
carry_keywords(struct transfer *x, uint32_t old_flags, struct span old_words, uint32_t *flags,
	struct buf *words)
{
	struct span word;
	enum err err = OK;

	for (unsigned i = 0; i < x->from_keywords.count && err == OK; i++)
		if (old_flags & FLAG_KEYWORD(i))
			err = carry_word(x, x->from_keywords.names[i], flags, words);
	while (err == OK && keyword_next(&old_words, &word))
		err = carry_word(x, arena_copy(txn_arena(x->txn), word), flags, words);
	if (buf_span(words).len > 0)
		*flags |= FLAG_MORE_KEYWORDS;
	return err;
}

/* The flags that E has for who does this, as far as they are kept; keywords come by themselves. */
static uint32_t
carry_flags(struct transfer *x, const struct entry *e)
{
	uint32_t flags = e->flags & FLAGS_SYSTEM;

	if (x->own_seen_from) {
		flags &= ~FLAG_SEEN;
		if (seen_is(txn_view(x->txn), &x->seen, e->uid))
			flags |= FLAG_SEEN;
	}
	return flags & x->t->keep_flags;
}

/* Before an entry gets its uid in the target: his own \Seen is not a bit there. */
static void
meet_own_seen(struct transfer *x, struct entry *e)
{
	if (!x->own_seen_to || !(e->flags & FLAG_SEEN))
		return;
	e->flags &= ~FLAG_SEEN;
	if (x->seen_count == x->seen_room) {
		size_t room = x->seen_room ? 2 * x->seen_room : 256;
		uint32_t *uids = arena_alloc(txn_arena(x->txn), room * sizeof(uids[0]));

		if (x->seen_count > 0)
			memcpy(uids, x->seen_uids, x->seen_count * sizeof(uids[0]));
		x->seen_uids = uids;
		x->seen_room = room;
	}
	x->seen_uids[x->seen_count++] = x->arrival.folder.uidnext;
}

static enum err
end_at_target(struct transfer *x)
{
	struct message_transfer *t = x->t;
	enum err err = arrival_end(&x->arrival);

	if (err != OK || x->seen_count == 0)
		return err;
	return seen_set(
		x->txn, t->to_folder_id, t->user_id, x->seen_uids, x->seen_count, true);
}

/* ---- beginning a slice ---- */

static struct folder
without_spans(struct folder f)
{
	f.name = f.extra = SPAN_NONE; /* they point into the map */
	return f;
}

static enum err
transfer_begin(struct transfer *x, struct txn *txn, struct message_transfer *t)
{
	struct snapshot *snap = txn_view(txn);
	enum err err;

	x->t = t;
	x->txn = txn;
	err = folder_get(snap, t->from_user_id, t->from_folder_id, &x->from);
	if (err == OK)
		err = folder_get(snap, t->to_user_id, t->to_folder_id, &x->to);
	if (err == OK && t->move && t->from_folder_id == t->to_folder_id)
		err = ERR_EXISTS;
	if (err == OK)
		err = folder_keywords_load(txn, t->from_folder_id, &x->from_keywords);
	if (err == OK)
		err = folder_keywords_load(txn, t->to_folder_id, &x->to_keywords);
	if (!(t->keep_flags & FLAGS_KEYWORDS))
		x->from_keywords.count = 0;
	x->own_seen_from = seen_is_own(&x->from, t->user_id);
	x->own_seen_to = seen_is_own(&x->to, t->user_id);
	seen_reader_init(&x->seen, t->from_folder_id, t->user_id);
	if (err == OK && forward_mailbox(&x->from) == forward_mailbox(&x->to) &&
		forward_user_has(snap, t->to_user_id))
		x->forwards = t->to_user_id;
	x->from = without_spans(x->from);
	x->to = without_spans(x->to);
	return err;
}

/* ---- copying ---- */

/* A row of its own for the copy of E; E becomes its entry. */
static enum err
copy_one(struct transfer *x, struct entry *e)
{
	bool words_kept = x->t->keep_flags & FLAGS_KEYWORDS;
	uint32_t flags = carry_flags(x, e);
	struct copy copy;
	struct buf words;
	enum err err = copy_get(txn_view(x->txn), e->copy_id, &copy);

	if (err != OK)
		return err == ERR_NOT_FOUND ? ERR_CORRUPT : err;
	copy.front = arena_copy(txn_arena(x->txn), copy.front);
	copy.keywords = arena_copy(txn_arena(x->txn), copy.keywords);
	buf_init(&words, COPY_KEYWORDS_MAX);
	if (words_kept)
		err = carry_keywords(x, e->flags, copy.keywords, &flags, &words);
	copy.copy_id = e->copy_id = id_next(x->txn, COUNTER_copy);
	copy.receipt_no = 0; /* the first one asks for it */
	copy.save_ms = txn_now_ms(x->txn);
	copy.keywords = buf_span(&words);
	e->flags = flags;
	if (!x->t->keep_date)
		e->received_s = (uint32_t)(copy.save_ms / 1000);
	if (err == OK)
		err = copy_put(x->txn, &copy, true);
	if (err == OK)
		err = content_own(x->txn, copy.content_id, 1);
	buf_fini(&words);
	return err;
}

/* What was E has been put as NEW. */
static enum err
tell_forwards(struct transfer *x, const struct entry *e, const struct entry *new)
{
	struct forward heir = { .copy_id = new->copy_id, .uid = new->uid,
		.folder_id = x->arrival.folder.folder_id };

	return x->forwards ? forward_copied(x->txn, x->forwards, e->copy_id, &heir) : OK;
}

/* The listed ones of a block. */
static enum err
copy_block(struct transfer *x, struct pass *p, size_t *count)
{
	enum err err = OK;

	for (unsigned i = 0; i < p->block.count && err == OK; i++) {
		struct entry e = p->block.entries[i];
		uint32_t uid = e.uid;

		if (uid <= p->after_uid || !pass_has(p, uid) || e.flags & FLAG_HELD)
			continue;
		err = copy_one(x, &e);
		if (err != OK)
			return err;
		if (x->t->found)
			x->t->found[x->found_before + *count] = uid;
		if (x->arrival.folder.folder_id == x->t->to_folder_id)
			meet_own_seen(x, &e);
		err = arrival_put(&x->arrival, &e);
		if (err == OK)
			err = tell_forwards(x, &p->block.entries[i], &e);
		++*count;
	}
	return err;
}

/* To the folder that x->arrival is open at, from where P is. ERR_NOT_FOUND: that was all. */
static enum err
copy_some(struct transfer *x, struct pass *p, size_t most, size_t *count)
{
	enum err err = OK;

	while (err == OK && *count < most) {
		uint32_t last_uid;

		err = pass_next_block(p);
		if (err != OK)
			break;
		last_uid = p->block.entries[p->block.count - 1].uid;
		err = copy_block(x, p, count);
		pass_end_block(p, last_uid);
	}
	return err;
}

static enum err
copy_small(struct transfer *x)
{
	struct message_transfer *t = x->t;
	struct pass p;
	enum err err = pass_begin(&p, x->txn, &x->from, t->list);

	if (err == OK)
		err = arrival_begin(&x->arrival, x->txn, t->to_user_id, t->to_folder_id);
	if (err != OK)
		return err;
	t->first_uid = x->arrival.folder.uidnext;
	err = copy_some(x, &p, SIZE_MAX, &t->count);
	if (err != ERR_NOT_FOUND)
		return err;
	return t->count > 0 ? end_at_target(x) : OK;
}

/* ---- laying down a large one ---- */

#define ALL_LAID UINT64_MAX /* of t->place.at */

/* The pass goes on where the last slice ended. */
static enum err
pass_resume(struct transfer *x, struct pass *p)
{
	struct message_transfer *t = x->t;
	enum err err = pass_begin(p, x->txn, &x->from, t->list);

	if (t->list.uids)
		p->next = (size_t)t->place.at;
	else
		p->after_uid = (uint32_t)t->place.at;
	return err;
}

/* ERR_NOT_FOUND: all of it is done. */
static void
pass_pause(struct transfer *x, const struct pass *p, enum err err)
{
	struct message_transfer *t = x->t;

	t->place.at = err == ERR_NOT_FOUND ? ALL_LAID : t->list.uids ? p->next : p->after_uid;
}

static enum err
lay_copies(struct transfer *x)
{
	struct message_transfer *t = x->t;
	struct pass p;
	size_t count = 0;
	enum err err, ended;

	err = t->place.at == 0 ? folder_make_hidden(x->txn, &t->hidden_id) : OK;
	if (err == OK)
		err = arrival_begin(&x->arrival, x->txn, FOLDER_OWNER_NOBODY, t->hidden_id);
	if (err == OK)
		err = pass_resume(x, &p);
	if (err != OK)
		return err;
	x->found_before = x->arrival.folder.messages;
	ended = copy_some(x, &p, COPY_SLICE, &count);
	if (ended != OK && ended != ERR_NOT_FOUND)
		return ended;
	pass_pause(x, &p, ended);
	return arrival_end(&x->arrival);
}

static enum err
relink_one(struct leaving *l, struct entry *e)
{
	meet_own_seen(l->arg, e);
	return OK;
}

/* The step that everybody sees. */
static enum err
relink(struct transfer *x)
{
	struct message_transfer *t = x->t;
	struct leaving l = { .to = &x->arrival, .change = relink_one, .arg = x };
	struct folder hidden;
	bool gone;
	enum err err = folder_get(txn_view(x->txn), FOLDER_OWNER_NOBODY, t->hidden_id, &hidden);

	if (err == OK)
		err = arrival_begin(&x->arrival, x->txn, t->to_user_id, t->to_folder_id);
	if (err != OK)
		return err;
	t->first_uid = x->arrival.folder.uidnext;
	err = leaving_run(&l, x->txn, &hidden, (struct uid_list){ NULL, 0 });
	t->count = l.count;
	if (err == OK && l.count > 0)
		err = end_at_target(x);
	return err == OK ? folder_remove(x->txn, FOLDER_OWNER_NOBODY, t->hidden_id, 1, &gone) : err;
}

/* ---- moving ---- */

/* The row of a copy that moves: a new save date (RFC 8514, 4.1), and words that the target has no bit for. */
static enum err
rewrite_copy(struct transfer *x, const struct entry *e, struct span words)
{
	struct copy copy;
	enum err err = copy_get(txn_view(x->txn), e->copy_id, &copy);

	if (err != OK) /* damaged: it moves as it is (H49) */
		return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
	copy.front = arena_copy(txn_arena(x->txn), copy.front);
	copy.keywords = words;
	copy.save_ms = txn_now_ms(x->txn);
	return copy_put(x->txn, &copy, false);
}

/* Its words are read only where it has some. */
static enum err
words_of(struct transfer *x, const struct entry *e, struct span *out)
{
	struct copy copy = { .keywords = SPAN_NONE };
	enum err err = OK;

	if (e->flags & FLAG_MORE_KEYWORDS)
		err = copy_get(txn_view(x->txn), e->copy_id, &copy);
	*out = arena_copy(txn_arena(x->txn), copy.keywords);
	return err == ERR_NOT_FOUND || err == ERR_CORRUPT ? OK : err;
}

static enum err
move_one(struct leaving *l, struct entry *e)
{
	struct transfer *x = l->arg;
	bool had_words = e->flags & FLAG_MORE_KEYWORDS;
	uint32_t flags = carry_flags(x, e);
	struct span old_words;
	struct buf words;
	enum err err = words_of(x, e, &old_words);

	buf_init(&words, COPY_KEYWORDS_MAX);
	if (err == OK && x->t->keep_flags & FLAGS_KEYWORDS)
		err = carry_keywords(x, e->flags, old_words, &flags, &words);
	if (err == OK && (x->rewrites || had_words || buf_span(&words).len > 0))
		err = rewrite_copy(x, e, buf_span(&words));
	buf_fini(&words);
	if (x->t->found)
		x->t->found[l->count] = e->uid;
	e->flags = flags;
	meet_own_seen(x, e);
	return err;
}

/* The entries go over: all that a small move is, and the last step of a large one. */
static enum err
move_entries(struct transfer *x, bool rewrites)
{
	struct message_transfer *t = x->t;
	struct leaving l = { .to = &x->arrival, .change = move_one, .arg = x, .skip = FLAG_HELD };
	enum err err = arrival_begin(&x->arrival, x->txn, t->to_user_id, t->to_folder_id);

	if (err != OK)
		return err;
	x->rewrites = rewrites;
	t->first_uid = x->arrival.folder.uidnext;
	err = leaving_run(&l, x->txn, &x->from, t->list);
	t->count = l.count;
	t->from_modseq = l.p.folder.highest_modseq;
	return err == OK && l.count > 0 ? end_at_target(x) : err;
}

/* Their save dates, before anybody sees them move. */
static enum err
lay_dates(struct transfer *x)
{
	struct pass p;
	size_t count = 0;
	enum err err = pass_resume(x, &p);

	while (err == OK && count < MOVE_SLICE) {
		err = pass_next_block(&p);
		for (unsigned i = 0; err == OK && i < p.block.count; i++) {
			const struct entry *e = &p.block.entries[i];

			if (e->uid <= p.after_uid || !pass_has(&p, e->uid) ||
				e->flags & (FLAG_HELD | FLAG_MORE_KEYWORDS))
				continue;
			err = rewrite_copy(x, e, SPAN_NONE);
			count++;
		}
		if (err == OK)
			pass_end_block(&p, p.block.entries[p.block.count - 1].uid);
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	pass_pause(x, &p, err);
	return OK;
}

/* ---- the job ---- */

static enum err
transfer_step(struct transfer *x, bool *more)
{
	struct message_transfer *t = x->t;
	bool small = t->list.uids && t->list.count <= TRANSFER_SMALL;
	bool laid = slice_begin(&t->place, x->txn) == ALL_LAID;

	*more = !small && !laid;
	if (t->move)
		return *more ? lay_dates(x) : move_entries(x, small);
	if (small)
		return copy_small(x);
	return laid ? relink(x) : lay_copies(x);
}

static enum step
transfer_apply(struct store_job *job, struct txn *txn)
{
	struct message_transfer *t = (struct message_transfer *)job;
	struct transfer *x = ARENA_NEW(txn_arena(txn), struct transfer); /* too much for a frame */
	bool more = false;
	enum err err;

	t->count = 0;
	err = transfer_begin(x, txn, t);
	t->uidvalidity = x->to.uidvalidity;
	if (err == OK)
		err = transfer_step(x, &more);
	return err == OK && more ? STEP_MORE : step_of(job, err);
}

void
message_transfer_init(struct message_transfer *t)
{
	*t = (struct message_transfer){ .job = { .apply = transfer_apply } };
}
