/*
 * mail_fixture.h - for the tests of flags, bins and transfers: a user with some mail.
 */
#ifndef TESTS_UNIT_MAIL_FIXTURE_H
#define TESTS_UNIT_MAIL_FIXTURE_H

#include "tests/unit/directory_fixture.h"

#include "store/bin.h"
#include "store/keywords.h"
#include "store/messages.h"

#define BOX_MAX 4000

struct box {
	struct fixture *f;
	uint64_t user_id, inbox, other; /* folder_ids: INBOX, Archive */
	uint32_t uids[BOX_MAX];         /* 1, 2, 3 ... */
	size_t count;
	/* of what is ordered */
	struct folder where;
	struct uid_list list;
	struct flag_order order;
	struct flag_result result;
	struct bin_result binned;
	uint32_t failed[BOX_MAX];
	unsigned blocks;
};

void box_init(struct box *b, struct fixture *f, size_t messages); /* in the INBOX, each with a body */
struct folder box_folder(struct box *b, uint64_t folder_id);
struct entry box_entry(struct box *b, uint64_t folder_id, uint32_t uid);
/* The words of its keywords; they live until the next call. */
const char *box_keywords(struct box *b, uint64_t folder_id, uint32_t uid);
/* STORE: OP, flags and keywords ("a b") on uids FIRST to LAST of FOLDER_ID. */
void box_store(struct box *b, uint64_t folder_id, uint32_t first, uint32_t last, enum flag_op op,
	uint32_t flags, const char *keywords);
/* Into the bin, in one commit. */
void box_bin(struct box *b, uint64_t folder_id, uint32_t first, uint32_t last);
/* A job: uid UID of the bin of USER_ID back to where it was. */
struct restoring {
	uint64_t user_id;
	uint32_t uid, new_uid;
	struct folder to;
};
enum err box_restore(struct txn *txn, void *restoring);
/* Close, check, open. */
void box_is_clean(struct box *b);

#endif
