/*
 * collect_likeness.h - by what a message of a mailbox elsewhere is known again: its unique id, else its header, else
 * all of it (INM-05). Pure.
 *
 * A header that has a Message-Id or a Received field is nobody else's, and what TOP gives of it is the same as
 * what RETR gives, but for fields that servers write anew. One that has neither may be that of two messages, and so is
 * not trusted: such a message is told by its whole text, or one of the two would be lost.
 */
#ifndef SERVER_COLLECT_COLLECT_LIKENESS_H
#define SERVER_COLLECT_COLLECT_LIKENESS_H

#include <stdbool.h>

#include "proto/base/span.h"
#include "server/net/crypto.h"
#include "store/fetched.h"

/* Of one account: another's rows are not even read (fetched.h). */
void collect_like_unique(struct span unique, unsigned char hash[FETCHED_HASH_SIZE]);
/* False: it does not tell. */
bool collect_like_header(struct span header, unsigned char hash[FETCHED_HASH_SIZE]);

/* Of such a hash, in fetched.mark; never 0. */
uint64_t collect_like_mark(const unsigned char hash[FETCHED_HASH_SIZE]);

/* The whole text, in pieces. */
struct collect_likeness {
	struct crypto_mark_stream stream;
	bool begun;
};
void collect_like_begin(struct collect_likeness *l);
void collect_like_feed(struct collect_likeness *l, struct span text);
void collect_like_end(struct collect_likeness *l, unsigned char hash[FETCHED_HASH_SIZE]);

/* By its place, where nothing of it can be known before it is fetched: NUMBER in the list, SIZES of all up to it. */
uint64_t collect_like_sizes(uint64_t before, uint64_t size);
void collect_like_place(uint32_t number, uint64_t sizes, unsigned char hash[FETCHED_HASH_SIZE]);

/* Of another one with the same hash in one list: the second, the third of it, and so on. */
void collect_like_again(unsigned char hash[FETCHED_HASH_SIZE]);

#endif
