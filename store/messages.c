/*
 * messages.c - what happens to messages in folders, with the counts that follow from it.
 */
#include "store/message_leave.h"

#include "store/ids.h"

#define COPY_VERSION 2 /* it has first_ms */
#define COPY_PLAIN 1   /* it is save_ms: of what never moved, and of what moved in a store of before */
#define COPY_SMALL 1024 /* nearly all fit this, and the stack */

/* ---- copies ---- */

static void
copy_encode(struct record_out *out, const struct copy *c)
{
	record_put_varint(out, c->content_id);
	record_put_varint(out, c->save_ms);
	record_put_span(out, c->front);
	record_put_span(out, c->keywords);
	if (c->receipt_no != 0 || c->first_ms != c->save_ms)
		record_put_varint(out, c->receipt_no);
	if (c->first_ms != c->save_ms)
		record_put_varint(out, c->first_ms);
}

enum err
copy_put(struct txn *txn, const struct copy *c, bool is_new)
{
	size_t size = RECORD_HEAD + 60 + c->front.len + c->keywords.len; /* six varints at most */
	char small[COPY_SMALL];
	struct record_out out;
	struct key key;
	char *room = size <= sizeof(small) ? small : arena_alloc(txn_arena(txn), size);

	record_begin(
		&out, room, size, c->first_ms != c->save_ms ? COPY_VERSION : COPY_PLAIN);
	copy_encode(&out, c);
	key_u64(&key, c->copy_id);
	return is_new ? table_append_record(txn, TABLE_copies, &key, &out)
		      : table_put_record(txn, TABLE_copies, &key, &out);
}

enum err
copy_get(struct snapshot *snap, uint64_t copy_id, struct copy *out)
{
	struct record_in in;
	struct key key;
	enum err err;

	key_u64(&key, copy_id);
	err = table_get_record(snap, TABLE_copies, &key, COPY_VERSION, &in);
	if (err != OK)
		return err;
	*out = (struct copy){ .copy_id = copy_id };
	out->content_id = record_take_varint(&in);
	out->save_ms = record_take_varint(&in);
	out->front = record_take_span(&in);
	out->keywords = record_take_span(&in);
	out->receipt_no = record_left(&in) ? record_take_varint(&in) : 0;
	out->first_ms = in.version == COPY_VERSION ? record_take_varint(&in) : out->save_ms;
	return record_end(&in) == OK
		? OK
		: table_damaged(snap, TABLE_copies, key_span(&key), "fields");
}

/* ---- reading ---- */

enum err
message_by_copy(
	struct snapshot *snap, uint64_t copy_id, struct copy *copy, struct content *content)
{
	enum err err = copy_get(snap, copy_id, copy);

	return err == OK ? content_get(snap, copy->content_id, content) : err;
}

enum err
message_find(struct snapshot *snap, uint64_t folder_id, uint32_t uid, struct message *out)
{
	enum err err = entry_find(snap, folder_id, uid, &out->entry);

	if (err == OK)
		err = message_by_copy(snap, out->entry.copy_id, &out->copy, &out->content);
	return err;
}

enum err
message_take_receipt(struct txn *txn, uint64_t copy_id, uint64_t *message_no)
{
	struct copy copy;
	enum err err = copy_get(txn_view(txn), copy_id, &copy);

	if (err != OK)
		return err;
	*message_no = copy.receipt_no;
	if (copy.receipt_no == 0)
		return ERR_NOT_FOUND;
	copy.front = arena_copy(txn_arena(txn), copy.front);
	copy.keywords = arena_copy(txn_arena(txn), copy.keywords);
	copy.receipt_no = 0;
	return copy_put(txn, &copy, false);
}

/* ---- placing ---- */

static enum err
check_place(const struct placement *p, const struct folder *f)
{
	uint64_t size = p->front.len + p->content->header.len + p->content->body_size;

	if (p->front.len > COPY_FRONT_MAX || p->keywords.len > COPY_KEYWORDS_MAX ||
		size > CONTENT_SIZE_MAX || f->uidnext == UINT32_MAX)
		return ERR_LIMIT;
	return OK;
}

static enum err
place_copy(struct txn *txn, struct placement *p)
{
	struct copy copy = {
		.copy_id = id_next(txn, COUNTER_copy),
		.content_id = p->content->content_id,
		.save_ms = txn_now_ms(txn),
		.front = p->front,
		.keywords = p->keywords,
		.first_ms = p->first_ms ? p->first_ms : txn_now_ms(txn),
		.receipt_no = p->receipt_no,
	};
	enum err err = copy_put(txn, &copy, true);

	p->copy_id = copy.copy_id;
	return err == OK ? content_own(txn, copy.content_id, 1) : err;
}

static enum err
place_entry(struct txn *txn, struct placement *p, struct folder *f)
{
	struct entry e = {
		.uid = f->uidnext++,
		.flags = p->flags,
		.size = (uint32_t)(p->front.len + p->content->header.len + p->content->body_size),
		.received_s = p->received_s ? p->received_s : (uint32_t)(txn_now_ms(txn) / 1000),
		.modseq = ++f->highest_modseq,
		.copy_id = p->copy_id,
	};

	folder_count_flags(f, e.flags, 1);
	f->bytes += e.size;
	p->uid = e.uid;
	p->modseq = e.modseq;
	p->uidvalidity = f->uidvalidity;
	return entry_append(txn, f->folder_id, &f->last_block_uid, &e);
}

/*
 * The words of *WORDS get bits of the folder as far as there are any: they go into *FLAGS, what is
 * left stays in *WORDS.
 */
static enum err
keywords_to_bits(struct txn *txn, uint64_t folder_id, struct span *words, uint32_t *flags)
{
	struct folder_keywords keywords;
	struct span word, rest = arena_copy(txn_arena(txn), *words);
	struct buf left;
	uint32_t bit;
	enum err err = folder_keywords_load(txn, folder_id, &keywords);

	buf_init(&left, COPY_KEYWORDS_MAX + 1);
	while (err == OK && keyword_next(&rest, &word)) {
		err = folder_keyword_add(txn, folder_id, &keywords, word, &bit);
		*flags |= bit;
		if (err == OK && bit == 0)
			err = buf_put(&left, word);
		if (err == OK && bit == 0)
			err = buf_put_char(&left, ' ');
	}
	*words = span_trim(arena_copy(txn_arena(txn), buf_span(&left)));
	buf_fini(&left);
	*flags |= words->len > 0 ? FLAG_MORE_KEYWORDS : 0;
	return err;
}

enum err
message_place(struct txn *txn, struct placement *p)
{
	struct folder_room room;
	struct folder f;
	enum err err = folder_load(txn, p->user_id, p->folder_id, &f, &room);

	if (err == OK)
		err = check_place(p, &f);
	if (err == OK && p->keywords.len > 0)
		err = keywords_to_bits(txn, p->folder_id, &p->keywords, &p->flags);
	if (err == OK)
		err = place_copy(txn, p);
	if (err == OK)
		err = place_entry(txn, p, &f);
	if (err != OK)
		return err;
	txn_note_folder(txn, f.folder_id);
	return folder_put(txn, &f);
}

/* ---- moving ---- */

static struct span
kept(struct txn *txn, struct span s)
{
	return arena_copy(txn_arena(txn), s);
}

/* What of the message stays as it is goes into P; the spans are kept over the writes. */
static enum err
move_load(struct txn *txn, uint64_t folder_id, uint32_t uid, struct placement *p,
	struct content *content, struct copy *copy)
{
	struct message m;
	enum err err = message_find(txn_view(txn), folder_id, uid, &m);

	if (err != OK)
		return err;
	*content = m.content; /* for its sizes */
	*copy = m.copy;
	copy->front = kept(txn, m.copy.front);
	copy->keywords = p->keywords = kept(txn, p->keywords);
	copy->save_ms = txn_now_ms(txn);
	if (p->first_ms != 0)
		copy->first_ms = p->first_ms;
	p->content = content;
	p->front = copy->front;
	p->received_s = m.entry.received_s;
	p->copy_id = m.entry.copy_id;
	return OK;
}

/* The one entry on its way: its flags are those that the caller gave. */
static enum err
move_change(struct leaving *l, struct entry *e)
{
	const struct placement *p = l->arg;

	e->flags = p->flags;
	return OK;
}

static enum err
move_entry(struct txn *txn, const struct folder *where, uint32_t uid, struct placement *p)
{
	struct arrival to;
	struct leaving l = { .to = &to, .change = move_change, .arg = p };
	enum err err = arrival_begin(&to, txn, p->user_id, p->folder_id);

	if (err != OK)
		return err;
	p->uid = to.folder.uidnext;
	p->uidvalidity = to.folder.uidvalidity;
	p->modseq = to.modseq;
	err = leaving_run(&l, txn, where, (struct uid_list){ &uid, 1 });
	return err == OK ? arrival_end(&to) : err;
}

enum err
message_move(struct txn *txn, const struct folder *where, uint32_t uid, struct placement *p)
{
	struct content content;
	struct copy copy;
	struct folder to;
	enum err err = p->folder_id == where->folder_id ? ERR_EXISTS : OK;

	if (err == OK)
		err = move_load(txn, where->folder_id, uid, p, &content, &copy);
	if (err == OK)
		err = folder_get(txn_view(txn), p->user_id, p->folder_id, &to);
	if (err == OK)
		err = check_place(p, &to);
	if (err == OK) /* from here on it is written */
		err = keywords_to_bits(txn, p->folder_id, &p->keywords, &p->flags);
	copy.keywords = p->keywords;
	if (err == OK)
		err = copy_put(txn, &copy, false);
	if (err == OK)
		err = move_entry(txn, where, uid, p);
	p->content = NULL;
	return err;
}
