/*
 * collect_fake.h - a mailbox elsewhere in memory, as a kind of source: for tests of collections.
 *
 * It answers in later turns of the loop, one step at a time, and can be cut behind any of its steps. What is
 * removed goes when it is closed as asked, as with POP3.
 */
#ifndef TESTS_UNIT_COLLECT_FAKE_H
#define TESTS_UNIT_COLLECT_FAKE_H

#include "server/collect/source_inside.h"

#define FAKE_MESSAGES 4000

struct fake_message {
	const char *unique; /* NULL: by its place */
	const char *text;
	size_t repeat; /* the text is followed by so many lines of 62 bytes */
	bool gone, unwanted;
	enum source_result answers, head_answers; /* to FETCH, to HEAD */
};

struct fake_box {
	struct fake_message messages[FAKE_MESSAGES];
	size_t count;
	bool no_unique, no_head, no_sizes;
	uint32_t epoch; /* ids are "epoch.number"; 0: they have none */
	uint32_t ids; /* without an epoch: other ids for all */
	bool unanswered; /* what was marked goes, and the answer to QUIT is lost */
	bool lies; /* it says that it removed them */
	bool silent; /* nothing comes of the login */
	unsigned locked;     /* so many times */
	unsigned ahead;	     /* 0: 1 */
	unsigned cut_at;     /* behind so many steps; 0: never */
	unsigned stalls_at;  /* the order that is never answered, by its place from 1; 0: none */
	unsigned steps, stalls, cuts, starts, fetches, heads, removes, most_orders;
	size_t piece;	     /* bytes of a text event; 0: all of it */
	size_t size_said;    /* of each, in the list; 0: as it is */
	void (*on_order)(enum source_order order, size_t place);
};

extern struct fake_box fake_box;
extern const struct source_kind fake_source;

size_t fake_left(void);

#endif
