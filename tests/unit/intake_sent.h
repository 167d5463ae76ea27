/*
 * intake_sent.h - for the tests of intake: a message on its way in, and what of it is on disk.
 */
#ifndef TESTS_UNIT_INTAKE_SENT_H
#define TESTS_UNIT_INTAKE_SENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/queue/intake.h"
#include "store/contents.h"
#include "store/queued.h"
#include "tests/harness/site.h"

#define SENT_CONF \
	"hostname: mail.example.org\n"                                                             \
	"domains: { default: example.org, local: [example.org] }\n"
#define SENT_HEADER "From: carl@example.org\r\nSubject: hi\r\n\r\n"

struct sent {
	struct site site;
	struct intake *in;
	unsigned ended, gathered;
	enum err result;
};

/* An entry of the queue with one recipient. */
struct entry_want {
	const char *address, *sender, *header;
	struct span body;
	unsigned report, notify;
};

extern const struct intake_events sent_events; /* their holder is a struct sent */

/* The text goes in, in pieces of STEP bytes; the loop turns where there is no room. */
void sent_feed(struct sent *s, struct span text, size_t step);
/* A message of the server's own to TO, whole and planned; nothing is submitted. */
void sent_plan(struct sent *s, struct span body, const char *const *to, size_t count);
/* To the disk. */
void sent_submit(struct sent *s);
/* A version of it, and a copy of the plan. */
struct plan_version *sent_version(struct sent *s, const char *header,
	const struct plan_piece *pieces, size_t count);
void sent_add(struct sent *s, struct plan_copy copy);
/* What is kept: a body, all entries of the queue, how many rows, the Nth message of an INBOX. */
void sent_assert_body(struct snapshot *snap, const struct content *c, struct span want);
void sent_assert_entries(struct sent *s, const struct entry_want *want, size_t count);
uint64_t sent_rows(struct sent *s, enum store_table table);
void sent_assert_folder(struct sent *s, const char *user, size_t n, const char *want);

#endif
