/*
 * forward_fixture.h - for the tests of store and forward: a mailbox whose messages wait to be forwarded.
 */
#ifndef TESTS_UNIT_FORWARD_FIXTURE_H
#define TESTS_UNIT_FORWARD_FIXTURE_H

#include "tests/unit/mail_fixture.h"

#include "store/changes.h"
#include "store/message_transfer.h"

#define SNF_FIRST_ID 1000 /* queue_id of the message with uid 0 */

extern struct box snf_box; /* of anna */

/* Messages from FIRST to LAST. */
struct snf_pairing {
	uint32_t first, last;
};

/* What is set of a user, and how it is taken back. */
struct snf_setting {
	uint64_t user_id;
	struct span address, server;
	bool removes;
	struct change_recorder recorder;
	uint64_t undo_of, undo_id;
};

/* Jobs: of a struct snf_pairing, snf_setting, snf_setting. */
enum err snf_pair_all(struct txn *txn, void *arg);
enum err snf_set_user(struct txn *txn, void *arg);
enum err snf_undo_set(struct txn *txn, void *arg);
/* What she has from now on; both empty: nothing is forwarded. */
struct snf_setting snf_anna_forwards(const char *address, const char *server);
/* She has so many messages, all of which wait. */
void snf_init(void **state, size_t messages);
/* Is it in the queue; how many are forwarded yet; where the message is that waits. */
bool snf_waits(uint32_t uid);
uint64_t snf_pending(void);
void snf_check_tied(uint32_t uid, uint64_t folder_id, uint32_t where);
/* The server took it. */
void snf_taken(uint32_t uid);
size_t snf_messages(uint64_t folder_id);
struct message_transfer snf_transfer(uint64_t from, uint64_t to, uint32_t first,
	uint32_t last, bool move);
/* A job: of a struct snf_pairing. */
enum err snf_expunge(struct txn *txn, void *arg);

#endif
