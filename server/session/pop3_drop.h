/*
 * pop3_drop.h - the maildrop of one POP3 session: the INBOX as it was at login (RFC 1939, 8).
 *
 * What comes later is not seen; what somebody else removes can still be read for an hour. Held messages
 * are left out. Marks are in memory only: a connection that breaks deletes nothing (H28).
 */
#ifndef SERVER_SESSION_POP3_DROP_H
#define SERVER_SESSION_POP3_DROP_H

#include "proto/base/span.h"

struct snapshot;

struct pop3_message {
	uint64_t copy_id; /* the unique-id */
	uint32_t uid;
	uint32_t size; /* bytes as RETR sends them, without the dots put in front */
	uint32_t trim; /* bytes of blank lines at its end that are not sent, nor in `size` (POP-03) */
	bool deleted;
	bool collected; /* sent as a whole, and it asks for a receipt: at QUIT (HDR-05) */
};

struct pop3_drop {
	uint64_t user_id, folder_id;
	struct pop3_message *messages;
	size_t count, room;
	size_t deleted, collected;
	uint64_t bytes, deleted_bytes;
};

/* Read the INBOX of USER_ID. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err pop3_drop_open(
	struct pop3_drop *drop, struct snapshot *snap, uint64_t user_id);
void pop3_drop_fini(struct pop3_drop *drop);

/* Message NUMBER, from 1; NULL where there is none or it is marked. */
struct pop3_message *pop3_drop_find(struct pop3_drop *drop, uint32_t number);
void pop3_drop_mark(struct pop3_drop *drop, struct pop3_message *message);
void pop3_drop_reset(struct pop3_drop *drop);

#endif
