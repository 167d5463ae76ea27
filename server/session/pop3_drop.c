/*
 * pop3_drop.c - the list of messages that a POP3 session numbers.
 */
#include "server/session/pop3_drop.h"

#include <stdlib.h>

#include "store/entries.h"
#include "store/folders.h"

static void
message_add(struct pop3_drop *drop, const struct entry *entry)
{
	if (entry->flags & FLAG_HELD)
		return;
	if (drop->count == drop->room) {
		drop->room = drop->room ? 2 * drop->room : 64;
		drop->messages = reallocarray(
			drop->messages, drop->room, sizeof(*drop->messages));
		ENSURE(drop->messages);
	}
	drop->messages[drop->count++] = (struct pop3_message){ .copy_id = entry->copy_id,
		.uid = entry->uid, .size = entry->size };
	drop->bytes += entry->size;
}

static enum err
read_entries(struct pop3_drop *drop, struct snapshot *snap)
{
	struct entry_block block;
	uint32_t after_uid = 0;
	unsigned from;
	enum err err;

	while ((err = entry_block_next(snap, drop->folder_id, after_uid, &block, &from)) == OK) {
		for (unsigned i = from; i < block.count; i++)
			message_add(drop, &block.entries[i]);
		after_uid = block.entries[block.count - 1].uid;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
pop3_drop_open(struct pop3_drop *drop, struct snapshot *snap, uint64_t user_id)
{
	struct folder folder;
	enum err err = folder_find(snap, user_id, SPAN("INBOX"), &folder);

	*drop = (struct pop3_drop){ .user_id = user_id };
	if (err != OK)
		return err;
	drop->folder_id = folder.folder_id;
	drop->room = folder.messages;
	if (drop->room > 0) {
		drop->messages = calloc(drop->room, sizeof(*drop->messages));
		ENSURE(drop->messages);
	}
	err = read_entries(drop, snap);
	if (err != OK)
		pop3_drop_fini(drop);
	return err;
}

void
pop3_drop_fini(struct pop3_drop *drop)
{
	free(drop->messages);
	*drop = (struct pop3_drop){ 0 };
}

struct pop3_message *
pop3_drop_find(struct pop3_drop *drop, uint32_t number)
{
	if (number == 0 || number > drop->count || drop->messages[number - 1].deleted)
		return NULL;
	return &drop->messages[number - 1];
}

void
pop3_drop_mark(struct pop3_drop *drop, struct pop3_message *message)
{
	message->deleted = true;
	drop->deleted++;
	drop->deleted_bytes += message->size;
}

void
pop3_drop_reset(struct pop3_drop *drop)
{
	for (size_t i = 0; i < drop->count; i++)
		drop->messages[i].deleted = false;
	drop->deleted = 0;
	drop->deleted_bytes = 0;
}
