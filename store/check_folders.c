/*
 * check_folders.c - folders and their entries: figures, uids, what each message needs.
 */
#include "store/check_run.h"
#include "store/expunged.h"
#include "store/folder_names.h"
#include "store/messages.h"
#include "store/users.h"

typedef unsigned long long ull;

/* The figures of a folder as its entries give them. */
struct found {
	uint64_t bytes;
	uint32_t messages, unseen, deleted, held, last_uid, last_block_uid;
	uint64_t modseq;
	bool lost; /* a block could not be read */
};

static void
count_entry(struct found *found, const struct entry *e)
{
	found->bytes += e->size;
	found->last_uid = e->uid;
	if (e->modseq > found->modseq)
		found->modseq = e->modseq;
	if (e->flags & FLAG_HELD) {
		found->held++;
		return;
	}
	found->messages++;
	found->unseen += !(e->flags & FLAG_SEEN);
	found->deleted += (e->flags & FLAG_DELETED) != 0;
}

/* One message: its copy, its content, its size. */
static void
check_entry(struct check *c, const struct folder *f, const struct entry *e)
{
	struct content content;
	struct copy copy;
	enum err err = copy_get(c->snap, e->copy_id, &copy);

	id_set_add(&c->copies_named, e->copy_id);
	if (err == OK)
		err = content_get(c->snap, copy.content_id, &content);
	if (err != OK) {
		check_say(c, false, "folders %llu: message %lu is damaged: its %s",
			(ull)f->folder_id, (unsigned long)e->uid,
			err == ERR_NOT_FOUND ? "copy or content is gone" : "copy or content");
		return;
	}
	if (copy.front.len + content.header.len + content.body_size != e->size)
		check_say(c, false, "folders %llu: message %lu has another size than its entry",
			(ull)f->folder_id, (unsigned long)e->uid);
}

static void
lose_block(struct check *c, const struct folder *f)
{
	bool alone = f->user_id && (!c->blocks_lost || c->lost_folder == f->folder_id);

	c->lost_user = f->user_id;
	c->lost_folder = alone ? f->folder_id : 0;
	c->blocks_lost = true;
}

static void
check_block(struct check *c, const struct folder *f, const struct row *row, struct found *found)
{
	struct entry_block block;
	struct span key = span_from(row->key, sizeof(uint64_t));
	uint32_t first_uid = 0;

	if (key_take_u32(&key, &first_uid) != OK ||
		entry_block_open(c->snap, row, &block) != OK) {
		check_say(c, true, "folders %llu: entries from uid %lu on are damaged",
			(ull)f->folder_id, (unsigned long)first_uid);
		check_fix_delete(c, TABLE_entries, row->key);
		lose_block(c, f);
		found->lost = true;
		return;
	}
	found->last_block_uid = first_uid;
	for (unsigned i = 0; i < block.count; i++) {
		const struct entry *e = &block.entries[i];

		if (e->uid <= found->last_uid || e->uid < first_uid)
			check_say(c, false, "folders %llu: uid %lu does not rise",
				(ull)f->folder_id, (unsigned long)e->uid);
		count_entry(found, e);
		check_entry(c, f, e);
	}
}

static void
check_blocks(struct check *c, const struct folder *f, struct found *found)
{
	struct key prefix, at;
	struct row row;
	enum err err;

	key_u64(&prefix, f->folder_id);
	at = prefix;
	while ((err = table_seek(c->snap, TABLE_entries, &at, &row)) == OK &&
		row_has_prefix(&row, &prefix)) {
		key_name(&at, row.key);
		key_put_u8(&at, 0); /* the next key there can be */
		check_block(c, f, &row, found);
	}
}

static enum err
fix_folder(struct txn *txn, const struct check_fix *fix)
{
	const struct folder *want = &fix->folder;
	struct folder f;
	enum err err = folder_get(txn_view(txn), want->user_id, want->folder_id, &f);

	if (err != OK)
		return err;
	f.bytes = want->bytes;
	f.messages = want->messages;
	f.unseen = want->unseen;
	f.deleted = want->deleted;
	f.held = want->held;
	f.last_block_uid = want->last_block_uid;
	f.uidnext = want->uidnext;
	f.highest_modseq = f.flags_modseq = want->highest_modseq;
	err = folder_put(txn, &f);
	if (err == OK && fix->n[0]) /* H27: clients must not believe what they remember */
		err = folder_renew_uidvalidity(txn, want->user_id, want->folder_id);
	return err;
}

static void
figures_take(struct folder *f, const struct found *found)
{
	f->bytes = found->bytes;
	f->messages = found->messages;
	f->unseen = found->unseen;
	f->deleted = found->deleted;
	f->held = found->held;
	f->last_block_uid = found->last_block_uid;
}

static void
check_figures(struct check *c, const struct folder *f, const struct found *found)
{
	bool uids = found->last_uid >= f->uidnext || found->modseq > f->highest_modseq;
	bool figures = f->bytes != found->bytes || f->messages != found->messages ||
		       f->unseen != found->unseen || f->deleted != found->deleted ||
		       f->held != found->held ||
		       f->last_block_uid < found->last_block_uid; /* more: expunged to nothing */
	struct check_fix *fix;

	if (uids)
		check_say(c, true, "folders %llu: uidnext or modseq is behind its messages",
			(ull)f->folder_id);
	if (figures && !found->lost)
		check_say(c, true, "folders %llu: counts are wrong: %lu messages, its row says %lu",
			(ull)f->folder_id, (unsigned long)found->messages,
			(unsigned long)f->messages);
	if (!uids && !figures && !found->lost)
		return;
	fix = check_fix_add(c, fix_folder, SPAN_NONE, SPAN_NONE);
	fix->n[0] = uids || found->lost;
	fix->folder = *f;
	fix->folder.name = fix->folder.extra = SPAN_NONE;
	figures_take(&fix->folder, found);
	if (found->last_uid >= f->uidnext)
		fix->folder.uidnext = found->last_uid + 1;
	if (found->modseq > f->highest_modseq)
		fix->folder.highest_modseq = found->modseq;
}

/* ---- a folder whose row is damaged: its key says whose it is, its entries say the rest ---- */

/* INBOX where there is no other, else a name that nobody has. */
static enum err
recovered_name(struct snapshot *snap, uint64_t user_id, uint64_t folder_id, struct buf *name)
{
	struct folder inbox;
	enum err err;

	if (folder_find_by_walk(snap, user_id, SPAN("INBOX"), &inbox) == ERR_NOT_FOUND)
		return buf_put(name, SPAN("INBOX"));
	err = buf_put(name, SPAN("Recovered-"));
	return err == OK ? buf_put_u64(name, folder_id) : err;
}

static enum err
fix_folder_row(struct txn *txn, const struct check_fix *fix)
{
	struct folder f = fix->folder;
	struct buf name;
	struct key key;
	size_t forgotten;
	enum err err;

	key_u64_u64(&key, f.user_id, f.folder_id);
	err = table_delete(txn, TABLE_folders, &key);
	if (err == OK)
		err = expunged_forget(
			txn, f.folder_id, SIZE_MAX, &f.expunged_floor, &forgotten);
	if (err != OK)
		return err;
	buf_init(&name, FOLDER_NAME_MAX);
	err = recovered_name(txn_view(txn), f.user_id, f.folder_id, &name);
	f.name = buf_span(&name);
	f.expunged_floor = f.highest_modseq;
	if (err == OK)
		err = folder_put(txn, &f);
	if (err == OK) /* that of the name it had leads nowhere now, and goes in the next round */
		err = folder_name_add(txn, &f);
	if (err == OK) /* H27: clients must not believe what they remember */
		err = folder_renew_uidvalidity(txn, f.user_id, f.folder_id);
	buf_fini(&name);
	return err;
}

static void
damaged_folder(struct check *c, uint64_t user_id, uint64_t folder_id)
{
	struct folder f = { .user_id = user_id, .folder_id = folder_id };
	struct found found = { .bytes = 0 };
	struct check_fix *fix;

	check_say(c, true, "folders %llu of user %llu: damaged", (ull)folder_id, (ull)user_id);
	check_blocks(c, &f, &found);
	fix = check_fix_add(c, fix_folder_row, SPAN_NONE, SPAN_NONE);
	fix->folder = f;
	figures_take(&fix->folder, &found);
	fix->folder.uidnext = found.last_uid + 1;
	fix->folder.highest_modseq = found.modseq + 1;
}

static void
visit_folder(struct check *c, const struct row *row)
{
	struct found found = { .bytes = 0 };
	struct span key = row->key;
	uint64_t user_id = 0, folder_id = 0;
	struct folder folder;
	struct user user;

	if (key_take_u64(&key, &user_id) != OK || key_take_u64(&key, &folder_id) != OK ||
		user_id == UINT64_MAX || folder_id == UINT64_MAX) {
		check_say(c, false, "folders: a key is damaged");
		return;
	}
	id_set_add(&c->folders_seen, folder_id);
	if (folder_get(c->snap, user_id, folder_id, &folder) != OK) {
		damaged_folder(c, user_id, folder_id);
		return;
	}
	if (user_id != FOLDER_OWNER_SHARED && user_id != FOLDER_OWNER_NOBODY &&
		user_find(c->snap, user_id, &user) == ERR_NOT_FOUND)
		check_say(c, false, "folders %llu: its user %llu is not there", (ull)folder_id,
			(ull)user_id);
	check_blocks(c, &folder, &found);
	check_figures(c, &folder, &found);
}

/* ---- entries whose folder is not there: whose they were, nothing tells ---- */

static void
lost_entries(struct check *c, uint64_t folder_id)
{
	struct folder f = { .folder_id = folder_id };
	struct found found = { .bytes = 0 };

	check_blocks(c, &f, &found); /* names their copies, so that nobody buries them */
	check_say(c, false, "entries of folder %llu: it is not there, %lu messages are in it",
		(ull)folder_id, (unsigned long)found.messages + found.held);
}

static void
check_entries(struct check *c)
{
	struct key at;
	struct row row;
	enum err err;

	key_begin(&at);
	while ((err = table_seek(c->snap, TABLE_entries, &at, &row)) == OK) {
		uint64_t folder_id = check_id(&row);

		if (id_set_count(&c->folders_seen, folder_id) == 0)
			lost_entries(c, folder_id);
		if (folder_id == UINT64_MAX)
			return;
		key_u64(&at, folder_id + 1);
	}
	if (err != ERR_NOT_FOUND)
		check_say(c, false, "entries: cannot be walked: %s", err_name(err));
}

void
check_folders(struct check *c)
{
	check_walk(c, TABLE_folders, visit_folder);
	check_entries(c);
}
